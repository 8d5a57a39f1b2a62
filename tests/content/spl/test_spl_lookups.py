"""lookup, inputlookup, outputlookup: Search Reference, and transforms.conf.spec."""

from __future__ import annotations

import pytest

from responders.content.spl import SplError

ACCOUNTS = [
    {"tq_account": "okta:t:u1", "tq_identity": "alice", "tq_kind": "human"},
    {"tq_account": "okta:t:u2", "tq_identity": "bob", "tq_kind": None},
    {"tq_account": "okta:t:u2", "tq_identity": "robert", "tq_kind": "service"},
]


@pytest.mark.parametrize(
    ("arguments", "fields", "expected"),
    [
        ("tq_account OUTPUT tq_identity", {"tq_account": "okta:t:u1"}, {"tq_identity": "alice"}),
        ("tq_account AS id OUTPUT tq_identity AS who", {"id": "okta:t:u1"}, {"who": "alice"}),
        ("tq_account AS id", {"id": "okta:t:u1"}, {"tq_identity": "alice", "tq_kind": "human"}),
        # Exact and case-sensitive; no match changes nothing.
        ("tq_account OUTPUT tq_identity", {"tq_account": "okta:t:U1"}, {}),
        ("tq_account OUTPUT tq_identity", {"other": "x"}, {}),
        # Several matches make multivalue fields.
        (
            "tq_account OUTPUT tq_identity tq_kind",
            {"tq_account": "okta:t:u2"},
            {"tq_identity": ["bob", "robert"], "tq_kind": "service"},
        ),
        # OUTPUT overwrites, OUTPUTNEW does not.
        ("tq_account OUTPUT tq_identity", {"tq_account": "okta:t:u1", "tq_identity": "old"}, {"tq_identity": "alice"}),
        ("tq_account OUTPUTNEW tq_identity", {"tq_account": "okta:t:u1", "tq_identity": "old"}, {"tq_identity": "old"}),
        ("tq_account OUTPUTNEW tq_identity", {"tq_account": "okta:t:u1"}, {"tq_identity": "alice"}),
        (
            "tq_account, tq_kind OUTPUT tq_identity",
            {"tq_account": "okta:t:u1", "tq_kind": "human"},
            {"tq_identity": "alice"},
        ),
    ],
)
def test_lookup(spl, event, arguments, fields, expected):
    """The table's fields of the matching rows are added to the event."""
    row = spl(f"index=main | lookup accounts {arguments}", [event(**fields)], lookups={"accounts": ACCOUNTS})[0]
    made = {name: row[name] for name in ("tq_identity", "who", "tq_kind") if name in row}
    assert made == {**{k: v for k, v in fields.items() if k == "tq_kind"}, **expected}


def test_a_multivalue_field_looks_up_each_value(spl, event):
    """Two accounts give both identities."""
    one = {**event(), "id": ["okta:t:u1", "okta:t:u2"]}
    row = spl("index=main | lookup accounts tq_account AS id OUTPUT tq_identity", [one], lookups={"accounts": ACCOUNTS})
    assert row[0]["tq_identity"] == ["alice", "bob", "robert"]


def test_an_empty_lookup_matches_nothing_and_an_undeclared_one_is_an_error(spl, event):
    """Absent sources are declared empty."""
    search = "index=main | lookup accounts tq_account OUTPUT tq_identity"
    assert len(spl(search, [event(tq_account="x")], lookups={"accounts": []})) == 1
    with pytest.raises(SplError, match="unknown lookup 'accounts'"):
        spl(search, [event(tq_account="x")])


def test_inputlookup(spl, event):
    """It reads the table, filtered as the search command filters, and can append to rows."""
    lookups = {"accounts": ACCOUNTS}
    rows = spl("| inputlookup accounts where tq_identity=AL* OR tq_kind=service", lookups=lookups)
    assert [row["tq_identity"] for row in rows] == ["alice", "robert"]
    rows = spl("index=main | fields a | inputlookup append=t accounts", [event(a=1)], lookups=lookups)
    assert len(rows) == 4
    assert "tq_kind" not in rows[2]


def test_outputlookup_replaces_appends_and_updates_by_key(spl, event):
    """Without append the table is replaced; with append and key_field rows of the same key are overwritten."""
    lookups = {"seen": [{"k": "1", "v": "old"}, {"k": "2", "v": "old"}]}
    events = [event(k=2, v="new"), event(k=3, v="new")]
    rows = spl("index=main | table k v | outputlookup append=true key_field=k seen", events, lookups=lookups)
    assert len(rows) == 2
    assert lookups["seen"] == [{"k": "1", "v": "old"}, {"k": "2", "v": "new"}, {"k": "3", "v": "new"}]
    spl("index=main | table k v | outputlookup append=true seen", events[:1], lookups=lookups)
    assert len(lookups["seen"]) == 4
    spl("index=main | fields k v | outputlookup seen", events[:1], lookups=lookups)
    assert [set(row) for row in lookups["seen"]] == [{"k", "v"}]


@pytest.mark.parametrize(
    ("command", "word"),
    [
        ("lookup local=true accounts tq_account", "no option 'local'"),
        ("lookup accounts", "ends too early"),
        ("outputlookup createinapp=t accounts", "no option 'createinapp'"),
    ],
)
def test_what_lookups_refuse(spl, command, word):
    """Options outside the subset are errors."""
    with pytest.raises(SplError, match=word):
        spl(f"index=main | {command}", lookups={"accounts": []})
