"""stats, eventstats and streamstats: Search Reference, "stats", "streamstats", "Statistical and charting functions"."""

from __future__ import annotations

import time

import pytest

from responders.content.spl import SplError

T = 1_700_000_000


@pytest.fixture
def logins(event):
    """Six logins of two users, ten seconds apart, given newest first as Splunk gives events."""
    rows = [
        event(T + 10 * i, user="u" + str(i % 2), ip=f"10.0.0.{i % 3}", n=i, ok="no" if i % 3 else "yes") for i in range(6)
    ]
    return rows[::-1]


@pytest.mark.parametrize(
    ("term", "expected"),
    [
        ("count", 6),
        ("count(user)", 6),
        ("count(absent)", 0),
        ("dc(ip)", 3),
        ("distinct_count(ip)", 3),
        ("values(ip)", ["10.0.0.0", "10.0.0.1", "10.0.0.2"]),
        ("list(n)", ["5", "4", "3", "2", "1", "0"]),
        ("first(n)", "5"),
        ("last(n)", "0"),
        ("earliest(n)", "0"),
        ("latest(n)", "5"),
        ("min(n)", 0),
        ("max(n)", 5),
        ("max(ip)", "10.0.0.2"),
        ("sum(n)", 15),
        ("avg(n)", 2.5),
        ("range(n)", 5),
        ("median(n)", 3),
        ("perc90(n)", 5),
        ("p0(n)", 0),
        ("mode(ok)", "no"),
        ("stdevp(n)", pytest.approx(1.7078, abs=1e-4)),
        ("earliest_time(user)", T),
        ("latest_time(user)", T + 50),
        ("sum(user)", None),
        ("values(absent)", None),
    ],
)
def test_a_statistic_of_all_rows(spl, logins, term, expected):
    """Each function gives its documented result; the field is named as written without AS."""
    assert spl(f"index=main | stats {term}", logins)[0].get(term) == expected


def test_statistics_of_expressions(spl, logins):
    """count(eval()) counts where the condition holds; other statistics take the expression's value."""
    row = spl(
        'index=main | stats count(eval(ok="no")) AS failed sum(eval(n*2)) AS twice, dc(eval(lower(ip))) AS ips', logins
    )[0]
    assert row == {"failed": 4, "twice": 30, "ips": 3}


def test_by_groups_and_drops_rows_without_the_field(spl, logins, event):
    """Groups come sorted; a row that lacks a by-field is in no group."""
    rows = spl("index=main | stats count BY user", [*logins, event(T, other=1)])
    assert rows == [{"user": "u0", "count": 3}, {"user": "u1", "count": 3}]


def test_a_multivalue_by_field_counts_once_for_each_value(spl, event):
    """An event with two targets is in two groups."""
    rows = spl("index=main | stats count by target{}.id", [event(T, target=[{"id": "a"}, {"id": "b"}])])
    assert rows == [{"target{}.id": "a", "count": 1}, {"target{}.id": "b", "count": 1}]


def test_a_number_that_groups_stays_a_number(spl, logins):
    """`by _time` gives times back as numbers, so that later commands can order by them."""
    rows = spl("index=main | bin _time span=30s | stats count by _time", logins)
    assert [row["_time"] % 30 for row in rows] == [0] * len(rows)


def test_stats_of_no_rows(spl):
    """Without `by` there is one row of zero; with `by` there is none."""
    assert spl("index=main | stats count", []) == [{"count": 0}]
    assert spl("index=main | stats count by user", []) == []


def test_wildcards_in_statistics(spl, event):
    """values(a*) AS b* makes a field for each that the wildcard fits."""
    rows = spl("index=main | stats values(a*) AS b*, count", [event(T, a1=1, a2=2, c=3)])
    assert rows == [{"b1": "1", "b2": "2", "count": 1}]


def test_eventstats_adds_to_every_row(spl, logins):
    """The rows stay, each with its group's statistics."""
    rows = spl("index=main | eventstats max(n) AS most by user | table user n most", logins)
    assert [row["most"] for row in rows] == [5, 4, 5, 4, 5, 4]


def _stream(spl, events, options):
    rows = spl(f"index=main | sort 0 _time | streamstats {options} | table n c s", events)
    return [row.get("c", row.get("s")) for row in rows]


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        ("count AS c", [1, 2, 3, 4, 5, 6]),
        ("count AS c by user", [1, 1, 2, 2, 3, 3]),
        ("current=f count AS c", [0, 1, 2, 3, 4, 5]),
        ("window=2 sum(n) AS s", [0, 1, 3, 5, 7, 9]),
        ("window=2 current=false sum(n) AS s", [None, 0, 1, 3, 5, 7]),
        # One window over all groups by default; global=false gives each group its own.
        ("window=2 count AS c by user", [1, 1, 1, 1, 1, 1]),
        ("window=2 global=f count AS c by user", [1, 1, 2, 2, 2, 2]),
        # A window of 30 seconds holds the rows less than 30 seconds older.
        ("time_window=30s count AS c", [1, 2, 3, 3, 3, 3]),
        ("time_window=31s count AS c", [1, 2, 3, 4, 4, 4]),
        ("time_window=30s count AS c by user", [1, 1, 2, 2, 2, 2]),
        ("time_window=1h window=2 count AS c", [1, 2, 2, 2, 2, 2]),
        ("time_window=30s current=f count AS c", [0, 1, 2, 2, 2, 2]),
        ("time_window=20s dc(ip) AS c", [1, 2, 2, 2, 2, 2]),
        ("time_window=20s max(n) AS c", [0, 1, 2, 3, 4, 5]),
        ("time_window=20s min(n) AS c", [0, 0, 1, 2, 3, 4]),
        ("time_window=20s earliest(n) AS c", ["0", "0", "1", "2", "3", "4"]),
        ("time_window=20s latest(n) AS c", ["0", "1", "2", "3", "4", "5"]),
        ("time_window=20s first(n) AS c", ["0", "0", "1", "2", "3", "4"]),
        ("time_window=20s values(n) AS c", ["0", ["0", "1"], ["1", "2"], ["2", "3"], ["3", "4"], ["4", "5"]]),
        ("reset_on_change=true count AS c by ok", [1, 1, 2, 1, 1, 2]),
        ('reset_before=(ok="yes") count AS c', [1, 2, 3, 1, 2, 3]),
        ('reset_before="(ok==\\"yes\\")" count AS c', [1, 2, 3, 1, 2, 3]),
        ("reset_after=(c=4) count AS c", [1, 2, 3, 4, 1, 2]),
    ],
)
def test_streamstats_windows(spl, logins, options, expected):
    """Each option cuts the running statistics as its paragraph in "streamstats" says."""
    assert _stream(spl, logins, options) == expected


def test_streamstats_leaves_rows_without_the_by_field_alone(spl, event):
    """Such a row passes without the new field."""
    rows = spl("index=main | streamstats count by user | table user count", [event(T, a=1), event(T, user="x")])
    assert rows == [{}, {"user": "x", "count": 1}]


def test_time_window_needs_rows_in_time_order(spl, event):
    """Rows out of order are an error, in either direction they are not."""
    mixed = [event(T, a=1), event(T + 5, a=1), event(T + 1, a=1)]
    with pytest.raises(SplError, match="sort 0 _time"):
        spl("index=main | streamstats time_window=5m count", mixed)
    falling = spl("index=main | sort 0 - _time | streamstats time_window=2s count AS c | table c", mixed)
    assert [row["c"] for row in falling] == [1, 1, 2]


def test_a_shared_time_window_holds_at_most_ten_thousand_rows(spl):
    """limits.conf max_stream_window: a flood pushes others out unless global=false."""
    meta = {"index": "main", "_raw": ""}
    quiet = {**meta, "_time": T, "user": "quiet"}
    flood = [{**meta, "_time": T + 1 + i / 100_000, "user": "loud"} for i in range(20_000)]
    events = [quiet, *flood, {**quiet, "_time": T + 5}]
    search = 'index=main | streamstats time_window=10m {} count by user | where user="quiet" | table count'
    assert spl(search.format(""), events)[-1] == {"count": 1}
    assert spl(search.format("global=false"), events)[-1] == {"count": 2}


def test_large_inputs_stay_quick(spl):
    """100,000 events through stats and through a sliding window take seconds, not minutes."""
    raw = '{"user": "u%d", "ip": "10.0.%d.%d"}'
    events = [{"index": "main", "_raw": raw % (i % 500, i % 7, i % 251), "_time": T + i / 10} for i in range(100_000)]
    begun = time.process_time()
    assert len(spl("index=main user=u* | stats count dc(ip) AS ips by user", events)) == 500
    window = "index=main | streamstats time_window=5m global=false dc(ip) AS ips count by user | where ips>5 | stats count"
    assert spl(window, events)[0]["count"] > 0
    assert time.process_time() - begun < 20


@pytest.mark.parametrize(
    ("search", "word"),
    [
        ("stats foo(n)", "unknown statistic 'foo'"),
        ("stats dc", "needs a field"),
        ("stats count(eval(n=1))", "needs a name"),
        ("stats count allnum=t", "no option 'allnum'"),
        ("stats values(a*) AS b", "wildcard"),
        ("stats count by u*", "wildcard"),
        ("stats by user", "unknown statistic"),
        ("stats", "ends too early"),
        ("streamstats window=20000 count", "at most 10000"),
        ("streamstats window=x count", "whole number"),
        ("streamstats time_window=soon count", "span"),
        ("streamstats current=maybe count", "true or false"),
        ("streamstats time_window=1h", "no statistic"),
        ("eventstats count by", "unknown statistic|ends too early"),
    ],
)
def test_what_the_stats_family_refuses(spl, search, word):
    """Unknown statistics and options are errors at parse time."""
    with pytest.raises(SplError, match=word):
        spl(f"index=main | {search}")


def test_groups_are_bounded(spl, event):
    """max_rows bounds the groups that multivalue fields can make."""
    wide = {**event(T), "a": [str(i) for i in range(50)], "b": [str(i) for i in range(50)]}
    with pytest.raises(SplError, match="over 1000 groups"):
        spl("index=main | stats count by a b", [wide], max_rows=1000)
