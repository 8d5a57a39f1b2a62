"""What is sent for a rule, with what a customer set kept."""

from __future__ import annotations

from typing import Any, Dict

import pytest
from hypothesis import given
from hypothesis import strategies as st

from responders.elastic.merge import CONSOLE, Change, merged, seconds, told

OURS: Dict[str, Any] = {
    "rule_id": "r1", "name": "Tourniquet: one", "enabled": False, "interval": "1m", "from": "now-960s", "query": "FROM a",
    "tags": ["Tourniquet", "Source: okta"], "actions": [], "exceptions_list": [], "version": 2,
    "note": f"## What\n[Open Tourniquet's console]({CONSOLE}) and look.\nMore.",
    "required_fields": [{"name": "a", "type": "keyword"}],
}  # fmt: skip


def test_what_a_customer_set_stays() -> None:
    """Enabled, actions, exceptions, interval and own tags; the look-back grows with the interval."""
    lists = [{"id": "1", "list_id": "theirs", "type": "detection", "namespace_type": "single"}]
    theirs = {
        **OURS, "enabled": True, "actions": [{"id": "c"}], "exceptions_list": lists, "interval": "5m", "version": 1,
        "tags": ["Tourniquet", "Source: okta", "Layer: gone", "team-a"],
    }  # fmt: skip
    found = merged(OURS, theirs)
    assert (found.rule["enabled"], found.rule["actions"], found.rule["exceptions_list"]) == (True, [{"id": "c"}], lists)
    assert (found.rule["interval"], found.rule["from"]) == ("5m", "now-1200s")
    assert found.rule["tags"] == ["Tourniquet", "Source: okta", "team-a"]
    assert found.rule["version"] == 2
    assert found.what == "changed"
    assert len(found.kept) == 5


def test_a_customers_switching_off_stays_too() -> None:
    """A rule that they disabled is not enabled by an upgrade, unless the import says so."""
    assert merged(OURS, {**OURS, "enabled": False}).rule["enabled"] is False
    assert merged(OURS, {**OURS, "enabled": False}, enable=True).rule["enabled"] is True


def test_a_shorter_interval_never_shortens_the_look_back() -> None:
    """Late events stay within it."""
    found = merged({**OURS, "interval": "5m"}, {**OURS, "interval": "1m"})
    assert (found.rule["interval"], found.rule["from"]) == ("1m", "now-960s")


def test_reset_takes_ours_again() -> None:
    """Only what is named."""
    theirs = {**OURS, "interval": "9m", "tags": ["mine"]}
    assert merged(OURS, theirs, reset=frozenset({"interval"})).rule["interval"] == "1m"
    assert "mine" in merged(OURS, theirs, reset=frozenset({"interval"})).rule["tags"]
    assert merged(OURS, theirs, reset=frozenset({"tags"})).rule["tags"] == OURS["tags"]


def test_the_consoles_address_is_put_in_and_kept() -> None:
    """Without one the line goes; an import that names none leaves the one that is there; the placeholder never stays."""
    first = merged(OURS, None, console="https://console.example").rule
    assert "(https://console.example)" in first["note"]
    assert "(https://console.example)" in merged(OURS, first).rule["note"]
    assert "(https://new.example)" in merged(OURS, first, console="https://new.example").rule["note"]
    assert merged(OURS, None).rule["note"] == "## What\nMore."
    assert CONSOLE not in merged(OURS, OURS).rule["note"]


def test_nothing_changes_when_kibana_only_added_fields_of_its_own() -> None:
    """Kibana adds `ecs` to required fields, and ids and times to the rule."""
    there = {**merged(OURS, None).rule, "required_fields": [{"name": "a", "type": "keyword", "ecs": False}], "revision": 3}
    assert merged(OURS, there).what == "unchanged"


def test_a_change_is_told_in_short() -> None:
    """Of texts the lines that go and come, twenty at most; the rest by value."""
    there = {**merged(OURS, None).rule, "query": "FROM", "version": 1}
    found: Change = merged(OURS, there)
    assert told(found) == ["query: 4 characters → 6 characters", "- FROM", "+ FROM a", "version: 1 → 2"]
    assert told(merged({**OURS, "query": "a\n" * 99}, there))[-2] == "… and 80 more lines"


_ANY = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner, max_size=3),
    max_leaves=6,
)


@given(
    st.fixed_dictionaries(
        {}, optional=dict.fromkeys(("enabled", "actions", "interval", "tags", "note", "query", "from"), _ANY)
    )
)
def test_whatever_is_in_kibana_is_merged(theirs: Dict[str, Any]) -> None:
    """Kibana's values are never trusted to be of a shape: nothing breaks, and our query and look-back are never lost."""
    found = merged(OURS, theirs)
    assert found.rule["query"] == OURS["query"]
    assert seconds(found.rule["from"].removeprefix("now-")) >= 960
    assert set(OURS["tags"]) <= set(found.rule["tags"])
    assert all(isinstance(line, str) for line in told(found))


def test_an_interval_that_is_none_is_refused() -> None:
    """It would make a look-back of nothing."""
    assert [seconds(text) for text in ("90s", "5m", "2h", "1d")] == [90, 300, 7200, 86400]
    for text in ("", "m", "5", "5 m", "-1m"):
        with pytest.raises(ValueError, match="no interval"):
            seconds(text)
