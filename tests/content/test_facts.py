"""What is known of the vendors' logs: the names of fields, where they are from, and that searches read no others."""

from __future__ import annotations

import json
from dataclasses import replace
from functools import lru_cache
from typing import Dict, Set

import pytest

from responders.content.compared import event_names, stands_for, unknown_names
from responders.content.facts import Facts, all_facts
from responders.content.loader import ROOT, load_macros
from responders.content.raw_fields import fields_of, raw_fields, unknown_fields
from responders.content.spl import parse
from responders.content.spl.extraction import fields
from tests import shipped

MACROS = load_macros()


def of_samples(folder: str) -> Set[str]:
    """Every field of the recorded events below detections/samples."""
    found: Set[str] = set()
    for path in (ROOT / "samples" / folder).glob("*.json"):
        read = json.loads(path.read_text(encoding="utf-8"))
        for event in read if isinstance(read, list) else [read]:
            found |= set(fields(json.dumps(event), 10**7))
    return found


@lru_cache(maxsize=8)
def values_of_samples(folder: str) -> Dict[str, Set[str]]:
    """Every value of each field of the recorded events below detections/samples."""
    found: Dict[str, Set[str]] = {}
    for path in (ROOT / "samples" / folder).glob("*.json"):
        read = json.loads(path.read_text(encoding="utf-8"))
        for event in read if isinstance(read, list) else [read]:
            for field, value in fields(json.dumps(event), 10**7).items():
                found.setdefault(field, set()).update(map(str, value if isinstance(value, list) else [value]))
    return found


@pytest.mark.parametrize("facts", all_facts().values(), ids=lambda facts: facts.family)
def test_every_name_has_an_origin(facts: Facts) -> None:
    """A name is from a document with its address, from samples that hold it, or listed as not verified, with the reason."""
    named = {f"{kind} {name}": origin for kind, names in facts.names.items() for name, origin in names.items()}
    valued = {f"{field}={value}": origin for field, values in facts.values.items() for value, origin in values.items()}
    for name, origin in {**facts.fields, **named, **valued}.items():
        if origin.verified:
            assert origin.licence, name
            known = ("docs/", "detections/samples/", "a choice of this project: ", "RFC ")
            assert ("http" in origin.source) or origin.source.startswith(known), origin.source
        else:
            assert len(origin.source) > 20, name
        if origin.source.startswith("detections/samples/") and name not in valued:
            assert name in of_samples(origin.source.rpartition("/")[2]), f"{name} is in no event of {origin.source}"
        if origin.source.startswith("docs/"):
            assert (ROOT.parent / origin.source.split(",")[0]).exists(), origin.source


@pytest.mark.parametrize("facts", all_facts().values(), ids=lambda facts: facts.family)
def test_values_of_samples_are_in_them(facts: Facts) -> None:
    """A value that is said to be recorded is the value, or in the value, of that field in an event of that folder."""
    for field, values in facts.values.items():
        for value, origin in values.items():
            if origin.source.startswith("detections/samples/"):
                held = values_of_samples(origin.source.rpartition("/")[2]).get(field, set())
                assert value in held, f"{field} is never {value} in {origin.source}"


def test_no_search_reads_an_unknown_field() -> None:
    """No SPL and no baseline of a detection reads a field that its logs lack, or that nothing in it makes."""
    assert [error.message for error in unknown_fields(shipped.detections(), MACROS, ROOT)] == []


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
    errors = list(unknown_fields(shipped.detections(), macros, ROOT))
    assert len(errors) == 1
    assert errors[0].place.startswith("detections/macros.yaml:")
    assert errors[0].remedy == "did you mean actor.id?"


def test_every_name_of_an_event_is_documented_or_owned_up_to() -> None:
    """Each event type, operation, call and code that a detection's search looks for is in a vendor's document, or in the
    detection's `not_verified`; in exactly one of the two."""
    assert [error.message for error in unknown_names(shipped.detections(), MACROS)] == []


def test_a_name_in_no_document_is_told_with_its_remedy() -> None:
    """A call that AWS does not have is an error; owned up to, it is none; owned up to although documented, it is one."""
    one = next(detection for detection in shipped.detections() if detection.slug == "aws/trail_stopped")
    invented = replace(one, splunk=one.splunk.replace("StopLogging", "StopLoging"))
    (error,) = unknown_names([invented], MACROS)
    assert error.message == "splunk: eventName StopLoging: in no document"
    assert error.place.startswith("detections/aws/trail_stopped.yaml:")
    assert '"eventName StopLoging"' in error.remedy
    assert list(unknown_names([replace(invented, not_verified=('"eventName StopLoging": nowhere',))], MACROS)) == []
    (error,) = unknown_names([replace(one, not_verified=('"eventName StopLogging": nowhere',))], MACROS)
    assert "is documented" in error.message


@pytest.mark.parametrize(
    ("pattern", "texts"),
    [
        ("(?i)^consent to application$", {"consent to application"}),
        ("^(add|update) named location$", {"add named location", "update named location"}),
        ("^((a|b) c|d)e?$", {"a ce", "a c", "b ce", "b c", "de", "d"}),
        (r"(?i)^update application\W+secrets\s*$", {"update application secrets"}),
        (r"^(update|add) application\\b", {"update application", "add application"}),
        ("^native.*created$", {"native*created"}),
        ("(?i)agent|blueprint", set()),
        ("^[a-z]+$", set()),
    ],
)
def test_a_pattern_stands_for_its_texts(pattern: str, texts: Set[str]) -> None:
    """Of a pattern from end to end every text is a name; one that is open, or no choice of words, names nothing."""
    assert stands_for(pattern) == texts


def test_names_are_found_in_searches_and_expressions() -> None:
    """In the first search, in where and eval: compared, in a list, or matched."""
    text = """search eventName IN ("A", "B") NOT eventName="C"
    | where match(tq_operation, "^(d|e)$") OR in(eventType, "f", "g")
    | eval tq_x=if(cef_signature=="295", 1, 0)"""
    names = {name for _, name in event_names(parse(text))}
    assert names == {"A", "B", "C", "d", "e", "f", "g", "295"}
