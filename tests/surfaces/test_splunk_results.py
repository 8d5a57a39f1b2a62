"""Splunk's results: what is one value and what are several, whatever an attacker puts into a name."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from responders.surfaces.splunk_results import multivalues, unpack
from tests.packaging.splunk import pack


def test_a_line_break_in_one_value_adds_no_second() -> None:
    """Attack: an object named `x`, line break, `vault.accessor=…`. Splunk says by its empty `__mv_` that it is one value."""
    row = {
        "tq_evidence": "aws.trail=x\nvault.accessor=bobs",
        "__mv_tq_evidence": "",
        "tq_account": "a",
        "__mv_tq_account": "",
    }
    assert multivalues(row) == {"tq_evidence": "aws.trail=x\nvault.accessor=bobs", "tq_account": "a"}


def test_without_its_mv_column_a_value_a_line_is_read() -> None:
    """The single result in the payload has no such columns; columns beside ours stay as they are."""
    row = {"tq_events": "a\nb", "tq_account": "a", "_raw": "x\ny", "count": 5}
    assert multivalues(row) == {"tq_events": ["a", "b"], "tq_account": "a", "_raw": "x\ny", "count": 5}


@given(st.lists(st.text(), min_size=1))
def test_what_splunk_packs_is_unpacked(values: list[str]) -> None:
    """Dollars, semicolons and line breaks within a value split nothing."""
    assert unpack(pack(values)) == values
    assert multivalues({"tq_x": "\n".join(values), "__mv_tq_x": pack(values)}) == {"tq_x": values}
