"""Automatic JSON fields: "Automatic key-value field extraction", limits.conf.spec [kv] maxchars, [spath]."""

from __future__ import annotations

import json

import pytest

from responders.content.spl.extraction import AUTOMATIC_LIMIT, fields


@pytest.mark.parametrize(
    ("raw", "expected"),
    [
        ('{"a":{"b":"c"}}', {"a.b": "c"}),
        ('{"a":[{"b":1},{"b":2}]}', {"a{}.b": ["1", "2"]}),
        ('{"a":[{"b":1}]}', {"a{}.b": "1"}),
        ('{"a":["x","y"]}', {"a{}": ["x", "y"]}),
        ('{"a":[[1,2],[3]]}', {"a{}{}": ["1", "2", "3"]}),
        ('{"a":[{"b":[{"c":1},{"c":2}]},{"b":[{"c":3}]}]}', {"a{}.b{}.c": ["1", "2", "3"]}),
        ('{"n":1.50,"big":12345678901234567890,"e":1e3}', {"n": "1.50", "big": "12345678901234567890", "e": "1e3"}),
        ('{"t":true,"f":false,"z":null,"s":""}', {"t": "true", "f": "false", "z": "null", "s": ""}),
        ('{"e":{},"l":[]}', {}),
        ('  {"a":1}\n', {"a": "1"}),
        ("CEF:0|x", {}),
        ('{"a":', {}),
        ("", {}),
        ('[{"a":1},{"a":2}]', {"{}.a": ["1", "2"]}),
    ],
)
def test_fields_of_an_event(raw, expected):
    """Keys join by dots, lists by braces; every value is the text that stands in the event."""
    assert fields(raw) == expected


def test_only_the_first_characters_are_read():
    """A field behind the limit is not extracted, those before it are, also inside open objects."""
    raw = json.dumps({"head": {"x": 1}, "fill": "," * AUTOMATIC_LIMIT, "tail": 2})
    assert fields(raw) == {"head.x": "1"}
    assert fields(raw, limit=len(raw))["tail"] == "2"
    nested = json.dumps({"a": {"b": [{"c": "first"}, {"c": "{" * 500}]}, "z": 1})
    assert fields(nested, limit=40) == {"a.b{}.c": "first"}


def test_spath_reads_further_with_a_path_than_without(spl):
    """spath alone stops at 5,000 characters, automatic extraction at 10,240, a path never."""
    raw = json.dumps({"a": 1, "p1": "x" * 6000, "b": 2, "p2": "x" * 6000, "c": 3})
    event = {"index": "main", "_raw": raw, "_time": 0}
    assert {"a", "b"} <= set(spl("index=main", [event])[0])
    assert "c" not in spl("index=main", [event])[0]
    assert spl("index=main | spath path=c", [event])[0]["c"] == "3"
    blank = spl("index=main | fields - a b | spath", [event])[0]
    assert "a" in blank
    assert "b" not in blank


def test_given_fields_stand_before_extracted_ones(spl, event):
    """A field handed in with the event is not replaced by the JSON's."""
    row = spl("index=main", [{**event(user="json"), "user": "given", "flag": True, "none": None, "deep": {"a": 1}}])[0]
    assert (row["user"], row["flag"], row["deep"]) == ("given", "true", '{"a": 1}')
    assert "none" not in row
