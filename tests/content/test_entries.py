"""Events of examples made from named ones."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any, Dict

import pytest

from responders.content.entries import expand_entry
from responders.content.loader import ROOT, read_detection
from responders.errors import BadInputs

GIVEN: Dict[str, Any] = {
    "push": {"source": "okta", "event": {"uuid": "p", "published": "", "target": [{"id": "a"}, {"id": "b"}], "client": {}}},
    "call": {"source": "aws_cloudtrail", "event": {"eventTime": "", "eventID": "e"}},
}


def made(**entry: Any) -> Any:
    return expand_entry(entry, GIVEN, Path("/nowhere"))


def test_a_copy_is_changed_and_the_original_is_not() -> None:
    """`set` reaches into objects and lists, `unset` takes away, and the named event stays as it was."""
    before = json.dumps(GIVEN)
    (source, event), *others = made(like="push", set={"target.1.id": "c", "client.geo.asn": 7}, unset=["uuid"])
    assert (source, others) == ("okta", [])
    assert event == {"published": "", "target": [{"id": "a"}, {"id": "c"}], "client": {"geo": {"asn": 7}}}
    assert json.dumps(GIVEN) == before


def test_times_are_spread_and_ids_told_apart() -> None:
    """`times`, `every` and `vary` give a burst; the time goes into the source's own time field."""
    events = [event for _, event in made(like="call", at="2026-03-01T23:59:30Z", times=3, every=30, vary=["eventID"])]
    assert [event["eventTime"] for event in events] == [
        "2026-03-01T23:59:30.000Z", "2026-03-02T00:00:00.000Z", "2026-03-02T00:00:30.000Z",
    ]  # fmt: skip
    assert [event["eventID"] for event in events] == ["e-0", "e-1", "e-2"]


def test_a_file_of_events_is_read(tmp_path: Path) -> None:
    """A file holds one event or a list of them."""
    (tmp_path / "two.json").write_text('[{"eventID": "1"}, {"eventID": "2"}]')
    found = expand_entry({"source": "aws_cloudtrail", "file": "two.json"}, {}, tmp_path)
    assert [event["eventID"] for _, event in found] == ["1", "2"]


@pytest.mark.parametrize(
    ("entry", "said"),
    [
        ("{like: nobody}", "nobody"),
        ("{like: one, set: {target.9.id: x}}", "IndexError"),
        ("{like: one, at: yesterday}", "yesterday"),
        ("{source: okta, file: no/such.json}", "no/such.json"),
        ("{source: okta}", "events.0"),
        ("{like: one, source: okta}", "events.0"),
    ],
)
def test_an_entry_that_cannot_be_made_names_its_line(entry: str, said: str) -> None:
    """The errors, all at once, name file and line of each entry and what is wrong with it."""
    text = (ROOT / "aws" / "admin_policy_or_trust.yaml").read_text(encoding="utf-8")
    head = text[: re.search("^(given|lookups|examples):", text, re.MULTILINE).start()]  # type: ignore[union-attr]
    given = "given: {one: {source: okta, event: {target: [{id: a}]}}}\n"
    example = f"  - name: bad\n    quiet: because\n    events:\n      - {entry}\n"
    with pytest.raises(BadInputs) as caught:
        read_detection(f"{head}{given}examples:\n{example * 4}", "x.yaml", "aws/x")
    found = [error for error in caught.value.errors if said in str(error)]
    assert len(found) == 4, caught.value
    lines = f"{head}{given}examples:\n{example * 4}".split("\n")
    assert "{" in lines[int(found[0].place.split(":")[1]) - 1]
