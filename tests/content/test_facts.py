"""What is known of the vendors' logs: the names of fields, where they are from, and that searches read no others."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Set

import pytest

from responders.content.facts import Facts, all_facts
from responders.content.loader import ROOT, load_detections, load_macros
from responders.content.raw_fields import fields_of, raw_fields, unknown_fields
from responders.content.spl import parse
from responders.content.spl.extraction import fields

MACROS = load_macros()


def of_samples(folder: str) -> Set[str]:
    """Every field of the recorded events below detections/samples."""
    found: Set[str] = set()
    for path in (ROOT / "samples" / folder).glob("*.json"):
        read = json.loads(path.read_text(encoding="utf-8"))
        for event in read if isinstance(read, list) else [read]:
            found |= set(fields(json.dumps(event), 10**7))
    return found


@pytest.mark.parametrize("facts", all_facts().values(), ids=lambda facts: facts.family)
def test_every_name_has_an_origin(facts: Facts) -> None:
    """A name is from a document with its address, from samples that hold it, or listed as not verified, with the reason."""
    for name, origin in facts.fields.items():
        if origin.verified:
            assert origin.licence, name
            start = ("http" in origin.source) or origin.source.startswith(("docs/", "detections/samples/"))
            assert start, origin.source
        else:
            assert len(origin.source) > 20, name
        if origin.source.startswith("detections/samples/"):
            assert name in of_samples(origin.source.rpartition("/")[2]), f"{name} is in no event of {origin.source}"
        if origin.source.startswith("docs/"):
            assert (ROOT.parent / origin.source.split(",")[0]).exists(), origin.source


def test_no_search_reads_an_unknown_field() -> None:
    """No SPL and no baseline of a detection reads a field that its logs lack, or that nothing in it makes."""
    assert [error.message for error in unknown_fields(load_detections(), MACROS, ROOT)] == []


def test_a_field_of_another_log_is_unknown() -> None:
    """A field is looked for in the logs that a search reads: Okta's is none of CloudTrail's."""
    text = "`tourniquet_aws` eventName=x | where 'actor.id'==\"y\" | spath output=tq_a path=requestParameters.rolArn"
    known = fields_of(text, MACROS)
    assert raw_fields(parse(text, MACROS)) - set(known) == {"actor.id", "requestParameters.rolArn"}


def test_a_field_that_a_macro_misspells_is_told_once() -> None:
    """The error names the macro's own line, however many detections use it."""
    macros = dict(MACROS)
    macro = macros["tourniquet_okta_fields"]
    macros["tourniquet_okta_fields"] = replace(macro, definition=macro.definition.replace("'actor.id'", "'actor.idd'"))
    errors = list(unknown_fields(load_detections(), macros, ROOT))
    assert len(errors) == 1
    assert errors[0].place.startswith("detections/macros.yaml:")
    assert errors[0].remedy == "did you mean actor.id?"
