"""timechart and rest, as dashboards use them."""

from __future__ import annotations

from typing import Any, Dict, List

import pytest

from responders.content.spl import Context, SplError, parse, run

DAY = 86_400.0


def play(text: str, events: List[Dict[str, Any]], **more: Any) -> List[Dict[str, Any]]:
    return run(text, events, Context({}, {}, 10 * DAY, **more))


def at(day: float, **fields: Any) -> Dict[str, Any]:
    return {"_raw": "", "_time": day * DAY, **fields}


def test_a_chart_has_a_row_for_every_span_and_a_column_for_every_value() -> None:
    """Days without an event are there too, with zero; what lacks the split field is NULL's."""
    events = [at(1.2, tier="revoke"), at(1.9, tier="revoke"), at(3.5, tier="restrict"), at(3.6)]
    assert play("search * | timechart span=1d limit=0 count by tier", events) == [
        {"_time": DAY, "NULL": 0, "restrict": 0, "revoke": 2},
        {"_time": 2 * DAY, "NULL": 0, "restrict": 0, "revoke": 0},
        {"_time": 3 * DAY, "NULL": 1, "restrict": 1, "revoke": 0},
    ]


def test_statistics_over_time_without_a_split() -> None:
    """Each has its column; a span without values has none."""
    events = [at(1.1, n="4"), at(1.2, n="2"), at(2.5)]
    found = play("search * | timechart span=1d max(n) as most count as all", events)
    assert found == [{"_time": DAY, "most": 4, "all": 2}, {"_time": 2 * DAY, "all": 1}]
    assert play("search * | timechart span=1d count", []) == []


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("timechart count", "without span="),
        ("timechart span=1d count by tier", "one statistic by one field"),
        ("timechart span=1d limit=0 count max(n) by tier", "one statistic by one field"),
        ("timechart span=soon count", "can't read 'soon'"),
        ("timechart span=1d useother=f limit=0 count by tier", "no option 'useother'"),
    ],
)
def test_what_a_chart_can_not_be_told(text: str, message: str) -> None:
    """Splunk's defaults (ten values, OTHER, a span by the time range) are not guessed."""
    with pytest.raises(SplError, match=message):
        parse(f"search * | {text}")


def test_a_chart_of_too_many_spans_is_an_error() -> None:
    """Two events a year apart make no million rows."""
    with pytest.raises(SplError, match="spans"):
        play("search * | timechart span=1s count", [at(1), at(366)], max_rows=1000)


def test_rest_gives_what_the_context_holds() -> None:
    """Rows of one endpoint, to go on with; nothing of an event."""
    rest = {"/services/x": [{"title": "a", "disabled": "1"}, {"title": "b", "disabled": None}]}
    text = "| rest splunk_server=local count=0 /services/x | where isnull(disabled)"
    assert play(text, [at(1)], rest=rest) == [{"title": "b"}]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("search * | rest /services/x", "must be the first command"),
        ("| rest count=0", "Expected|takes one endpoint"),
        ("| rest https://elsewhere.example/x", "takes one endpoint"),
        ("| rest /services/x method=post", "no option 'method'"),
    ],
)
def test_what_rest_can_not_be_told(text: str, message: str) -> None:
    """One endpoint of this splunkd, in front."""
    with pytest.raises(SplError, match=message):
        parse(text)


def test_an_endpoint_without_an_answer_is_an_error() -> None:
    """A panel whose endpoint a test forgot must not look like an empty one."""
    with pytest.raises(SplError, match="no answer"):
        play("| rest /services/y", [], rest={})
