"""The search command: Search Reference, "search"; Search Manual, "Boolean expressions" and "Field expressions"."""

from __future__ import annotations

import pytest

from tests.content.spl.conftest import NOW

EVENT = {
    "user": "Alice",
    "status": 200,
    "action": "login-failed",
    "groups": ["Admins", "Users"],
    "target": [{"id": "a1"}, {"id": "b2"}],
    "actor": {"id": "00u1"},
    "ip": "10.1.2.3",
    "path": "C:\\temp",
}


@pytest.mark.parametrize(
    ("search", "found"),
    [
        # Values are compared without regard to case; the names of fields are not.
        ("user=alice", True),
        ("User=alice", False),
        ("user=ali*", True),
        ("user=*LICE", True),
        ('user="a*e"', True),
        ("user=bob", False),
        # AND is implied; OR binds tighter than AND ("Boolean expressions", order of evaluation).
        ("user=alice status=200", True),
        ("user=bob status=1 OR status=200", False),
        ("user=alice status=1 OR status=200", True),
        ("(user=bob status=1) OR status=200", True),
        ("user=alice AND NOT status=1", True),
        ("NOT (user=alice status=200)", False),
        ("NOT user=bob", True),
        # "Difference between != and NOT": != needs the field, NOT does not.
        ("absent!=x", False),
        ("NOT absent=x", True),
        ("absent=*", False),
        ("NOT absent=*", True),
        ("user=*", True),
        # Numbers compare as numbers.
        ("status>199", True),
        ("status>=201", False),
        ("status<1000", True),
        ("status=200.0", True),
        ("status IN (100, 200)", True),
        ("user IN (bob, al*)", True),
        ("NOT status IN (1,2)", True),
        # Multivalue: any value.
        ("groups{}=admins", True),
        ("groups{}!=admins", True),
        ("NOT groups{}=admins", False),
        ("target{}.id=b2", True),
        ('"target{}.id"=b2', True),
        ("actor.id=00U1", True),
        # CIDR.
        ("ip=10.1.0.0/16", True),
        ("ip=10.2.0.0/16", False),
        # Terms of _raw, bounded by breakers ("About event segmentation").
        ("alice", True),
        ("alic", False),
        ("alic*", True),
        ("login", True),
        ('"login-failed"', True),
        ('"gin-failed"', False),
        ("10.1", True),
        ("0.1.2", False),
        ("*", True),
        ('path="C:\\\\temp"', True),
    ],
)
def test_which_events_a_search_finds(spl, event, search, found):
    """Each expression finds, or does not find, the one event."""
    assert len(spl(search, [event(**EVENT)])) == int(found)


def test_metadata_is_searched_like_fields(spl, event):
    """index and sourcetype take wildcards and any case."""
    assert spl("index=MA* sourcetype=JSON", [event(a=1)])
    assert not spl("index=other", [event(a=1)])


def test_search_later_in_the_pipeline_sees_made_fields(spl, event):
    """`| search` filters what earlier commands made."""
    assert spl('index=main | eval kind="Service" | search kind=service', [event(a=1)])


def test_a_clause_may_have_a_time_range_of_its_own(spl, event):
    """Relative to the search's time: earlier than the one is out, at the other no more in; other clauses keep theirs."""
    events = [{**event(a=n % 2), "_time": NOW - 60 * n} for n in range(8)]
    found = spl("(a=1 earliest=-4m latest=-2m) OR a=0", events)
    assert sorted(round((NOW - row["_time"]) / 60) for row in found) == [0, 2, 3, 4, 6]


@pytest.mark.parametrize(
    ("search", "word"),
    [
        ("a=1 or a=2", "'or'"),
        ("not a=1", "'not'"),
        ("a=1 and b=2", "'and'"),
        ("earliest=03/01/2026:0:0:0 a=1", "earliest="),
        ("_index_earliest=-1d a=1", "_index_earliest="),
        ("tag=vpn", "tag="),
        ("TERM(10.0.0.1)", "TERM"),
        ("a=1 [search b]", "subsearch"),
        ("us*r=1", "wildcard"),
        ("a>1*", "wildcard"),
        ("user='x'", "single quote"),
        ("stats count", "begins the search"),
        ("(a=1", "ends too early"),
    ],
)
def test_what_a_search_refuses(spl, search, word):
    """What Splunk would read as something else, or this subset can't answer, is an error that names it."""
    from responders.content.spl import SplError

    with pytest.raises(SplError, match=word.replace("(", "\\(")):
        spl(search)
