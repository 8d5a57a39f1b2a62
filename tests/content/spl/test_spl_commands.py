"""The commands that shape rows: eval's neighbours, sort, dedup, rex, spath, bin (Search Reference)."""

from __future__ import annotations

import pytest

from responders.content.spl import SplError

T = 1_700_000_000


def rows_of(spl, event, commands, *events):
    """The rows of `commands` over events of these fields, without the events' own metadata."""
    made = [event(T + index, **fields) for index, fields in enumerate(events)]
    drop = "fields - _* index sourcetype source host"
    return spl(f"index=main | {commands} | {drop}", made)


@pytest.mark.parametrize(
    ("commands", "expected"),
    [
        ("rename a AS b", [{"b": "1", "c.d": "2"}]),
        ('rename c.d AS "the d"', [{"a": "1", "the d": "2"}]),
        # Renaming a field that is absent takes the target's value away.
        ("rename absent AS a", [{"c.d": "2"}]),
        ("rename c.* AS *", [{"a": "1", "d": "2"}]),
        ("rename a AS x, c.d AS a", [{"x": "1", "a": "2"}]),
        ("fields a", [{"a": "1"}]),
        ("fields + c*", [{"c.d": "2"}]),
        ("fields - a", [{"c.d": "2"}]),
        ("table c.d, a", [{"c.d": "2", "a": "1"}]),
        ("table *", [{"a": "1", "c.d": "2"}]),
        ("fillnull a zz", [{"a": "1", "c.d": "2", "zz": "0"}]),
        ('fillnull value="-" zz', [{"a": "1", "c.d": "2", "zz": "-"}]),
        ("eval _time=a | fields a", [{"a": "1"}]),
        ("bin span=10 a", [{"a": "0-10", "c.d": "2"}]),
        ("bin a span=0.5 AS b", [{"a": "1", "b": "1-1.5", "c.d": "2"}]),
        ("head 0", []),
        ("head limit=1", [{"a": "1", "c.d": "2"}]),
        ("where false()", []),
    ],
)
def test_commands_over_one_event(spl, event, commands, expected):
    """Each command does to one event what its page says."""
    assert rows_of(spl, event, commands, {"a": 1, "c": {"d": 2}}) == expected


def test_fields_keeps_internal_fields_and_table_does_not(spl, event):
    """`fields` keeps _raw and _time unless they are named after the minus."""
    kept = spl("index=main | fields a", [event(T, a=1)])[0]
    assert {"_raw", "_time", "a"} <= set(kept)
    assert set(spl("index=main | table a", [event(T, a=1)])[0]) == {"a"}
    assert "_raw" not in spl("index=main | fields - _raw", [event(T, a=1)])[0]


@pytest.mark.parametrize(
    ("sort", "expected"),
    [
        ("sort 0 n", ["2", "10", "x", None]),
        ("sort 0 -n", ["x", "10", "2", None]),
        ("sort 0 - n", ["x", "10", "2", None]),
        ("sort 0 str(n)", ["10", "2", "x", None]),
        ("sort 0 -num(n)", ["x", "10", "2", None]),
        ("sort 2 n", ["2", "10"]),
        ("sort n desc", ["x", "10", "2", None]),
        ("sort limit=1 +n", ["2"]),
    ],
)
def test_sort(spl, event, sort, expected):
    """Numbers by size before texts; rows without the field last; a count cuts."""
    rows = rows_of(spl, event, sort, {"n": "x"}, {"n": 10}, {"z": 1}, {"n": 2})
    assert [row.get("n") for row in rows] == expected


def test_sort_by_address_and_by_two_keys(spl, event):
    """ip() sorts by the number of the address; earlier keys outrank later ones."""
    rows = rows_of(spl, event, "sort 0 ip(i)", {"i": "10.0.0.10"}, {"i": "10.0.0.9"})
    assert [row["i"] for row in rows] == ["10.0.0.9", "10.0.0.10"]
    rows = rows_of(spl, event, "sort 0 a, -b", {"a": 1, "b": 1}, {"a": 0, "b": 1}, {"a": 1, "b": 2})
    assert [(row["a"], row["b"]) for row in rows] == [("0", "1"), ("1", "2"), ("1", "1")]


def test_sort_stops_at_ten_thousand_rows_unless_told_otherwise(spl):
    """A plain sort drops what comes after; sort 0 keeps all."""
    events = [{"index": "main", "_time": T + i, "_raw": ""} for i in range(10_050)]
    assert len(spl("index=main | sort _time", events)) == 10_000
    assert len(spl("index=main | sort 0 _time", events)) == 10_050


@pytest.mark.parametrize(
    ("dedup", "expected"),
    [
        ("dedup a", ["1", "2"]),
        ("dedup 2 a", ["1", "2", "1"]),
        ("dedup a keepempty=t", ["1", "2", None]),
        ("dedup a consecutive=t", ["1", "2", "1"]),
        ("dedup a b", ["1", "1"]),
    ],
)
def test_dedup(spl, event, dedup, expected):
    """The first of each combination stays; rows that lack a field go unless keepempty."""
    rows = rows_of(spl, event, dedup, {"a": 1, "b": 1}, {"a": 2}, {"a": 1, "b": 2}, {"b": 1})
    assert [row.get("a") for row in rows] == expected


def test_rex_takes_named_groups_from_a_field(spl, event):
    """PCRE's (?<name>) is understood; what does not match leaves the row as it is; max_match=0 takes all."""
    assert rows_of(spl, event, 'rex field=m "(?<k>\\w+)=(?<v>\\d+)"', {"m": "a=1 b=2"})[0]["k"] == "a"
    assert rows_of(spl, event, 'rex field=m max_match=0 "(?<k>\\w)="', {"m": "a=1 b=2"})[0]["k"] == ["a", "b"]
    assert rows_of(spl, event, 'rex field=m "(?<k>z)"', {"m": "a"}) == [{"m": "a"}]


def test_rex_reads_cef_from_raw(spl):
    """Without field= it reads _raw, and a caller's own fields stand beside what it finds."""
    cef = "CEF:0|Cyber-Ark|Vault|12.6|295|Retrieve password|5|suser=alice duser=db-admin cs2=Prod\\=1"
    found = spl(
        'index=main | rex "^CEF:(?:[^|]*\\|){4}(?<code>\\d+)\\|(?<name>[^|]*)" | rex "suser=(?<suser>\\S+)" '
        "| table code name suser given",
        [{"index": "main", "_time": T, "_raw": cef, "given": "kept"}],
    )
    assert found == [{"code": "295", "name": "Retrieve password", "suser": "alice", "given": "kept"}]


def test_spath(spl, event):
    """A path gives its values, a path into a list all of them; input= names another field than _raw."""
    fields = {"a": {"b": [{"c": 1}, {"c": 2}]}, "text": '{"x": {"y": "z"}}'}
    assert rows_of(spl, event, "spath path=a.b{}.c output=v", fields)[0]["v"] == ["1", "2"]
    assert rows_of(spl, event, "spath path=a.b{1}.c output=v", fields)[0]["v"] == "2"
    assert rows_of(spl, event, "spath a.b{0}", fields)[0]["a.b{0}"] == '{"c":1}'
    assert rows_of(spl, event, "spath input=text", fields)[0]["x.y"] == "z"
    assert "v" not in rows_of(spl, event, "spath path=zz output=v", fields)[0]


def test_mvexpand(spl, event):
    """One row a value; limit cuts; a row without the field stays."""
    wide = {"t": [{"id": 1}, {"id": 2}, {"id": 3}]}
    assert [row["t{}.id"] for row in rows_of(spl, event, "mvexpand t{}.id", wide)] == ["1", "2", "3"]
    assert len(rows_of(spl, event, "mvexpand t{}.id limit=2", wide)) == 2
    assert rows_of(spl, event, "mvexpand t{}.id", {"a": 1}) == [{"a": "1"}]


@pytest.mark.parametrize(
    ("span", "expected"),
    [("5m", T // 300 * 300), ("1h", T // 3600 * 3600), ("1d", T // 86400 * 86400), ("1mon", 1698796800)],
)
def test_bin_of_time(spl, event, span, expected):
    """_time becomes the start of its span, in UTC."""
    assert spl(f"index=main | bin _time span={span}", [event(T, a=1)])[0]["_time"] == expected


@pytest.mark.parametrize(
    ("command", "word"),
    [
        ("tstats count", "unknown command 'tstats'"),
        ("transaction user", "unknown command 'transaction'"),
        ('rex mode=sed field=a "s/a/b/"', "no option 'mode'"),
        ('rex "no group"', "named group"),
        ('rex "(?<a>["', "regex"),
        ("dedup a sortby -b", "sortby"),
        ("sort foo(a)", "no foo"),
        ("bin a bins=3", "no option 'bins'"),
        ("bin a", "span="),
        ("fields -a", "blank after the sign"),
        ("rename a* AS b", "wildcards"),
        ("head n<5", "unexpected"),
        ("spath path=a{@x}", "path"),
        ("fillnull value=0 a*", "wildcard"),
        ("inputlookup x", "append=true"),
        ("", "pipe with no command"),
        ("5", "no command"),
    ],
)
def test_what_commands_refuse(spl, command, word):
    """Unknown commands and options are errors that name the thing."""
    with pytest.raises(SplError, match=word):
        spl(f"index=main | {command}")


def test_mvexpand_is_bounded(spl, event):
    """More rows than max_rows are an error, not a full memory."""
    wide = {**event(T), "a": [str(i) for i in range(100)]}
    with pytest.raises(SplError, match="over 50 rows"):
        spl("index=main | mvexpand a", [wide], max_rows=50)
