"""What each shipped rule holds beyond its query, against what Kibana makes of it."""

from __future__ import annotations

import re
from typing import Any, Dict

import pytest

from responders.content.elastic.rules import related_integrations
from responders.elastic.merge import CONSOLE, seconds
from tests import shipped
from tests.elastic_rules.conftest import SHIPPED, rules_of
from tests.kibana.spec import problems

RULES = rules_of((SHIPPED / "rules.ndjson").read_text(encoding="utf-8"))
DETECTIONS = {detection.id: detection for detection in shipped.detections()}


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule["name"])
def test_a_rule_is_complete(rule: Dict[str, Any]) -> None:
    """Every field that an analyst or the responder goes by is there, and Kibana takes it."""
    detection = DETECTIONS[rule["rule_id"]]
    assert problems(rule) == []
    assert (rule["type"], rule["language"], rule["max_signals"], rule["enabled"]) == ("esql", "esql", 1000, False)
    assert rule["version"] >= 1
    for name in ("threat", "false_positives", "required_fields", "setup", "investigation_fields", "author", "license"):
        assert rule[name], name
    assert (rule["actions"], rule["exceptions_list"]) == ([], [])
    assert rule["risk_score_mapping"] == [{"field": "tq_confidence", "operator": "equals", "value": ""}]
    assert rule["investigation_fields"]["field_names"][0] == "tq_identity"
    assert {one["package"] for one in rule["related_integrations"]} <= set(re.findall(r"logs-([a-z0-9_]+)\.", rule["query"]))
    assert all(reference.startswith("https://") for reference in rule["references"])
    for reference in detection.references:
        assert " ".join(reference.split()) in rule["note"]


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule["name"])
def test_suppression_never_swallows_another_finding(rule: Dict[str, Any]) -> None:
    """By identity and finding, not by identity alone: else a weak finding would hide a strong one behind it. As long as
    the look-back, and rows without either are never joined."""
    own = rule["alert_suppression"]
    assert own["group_by"] == ["tq_identity", "tq_finding"]
    assert own["duration"] == {"value": seconds(rule["from"].removeprefix("now-")), "unit": "s"}
    assert own["missing_fields_strategy"] == "doNotSuppress"


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule["name"])
def test_the_severity_follows_the_points(rule: Dict[str, Any]) -> None:
    """Kibana maps texts only, so the query ends in a column that says the word; every word of it is mapped to itself."""
    last = rule["query"].splitlines()[-1]
    assert last.startswith("| EVAL tq_severity = CASE(")
    words = re.findall(r'"([a-z]+)"', last)
    assert sorted(words) == ["critical", "high", "low", "medium"]
    assert {entry["value"]: entry["severity"] for entry in rule["severity_mapping"]} == {word: word for word in words}
    assert {entry["field"] for entry in rule["severity_mapping"]} == {"tq_severity"}


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule["name"])
def test_the_guide_links_the_console_once(rule: Dict[str, Any]) -> None:
    """On a line of its own, which an import without an address takes out whole."""
    assert rule["note"].count(CONSOLE) == 1
    assert f"\n[Open Tourniquet's console]({CONSOLE})" in rule["note"]


def test_an_integration_is_named_by_its_own_name() -> None:
    """Azure's sign-in and audit logs come from one, `adlogs`; packages of one name none; an unknown package is an error."""
    query = "FROM logs-azure.signinlogs-*, logs-azure.auditlogs-*, logs-okta.system-*, logs-tourniquet.journal-*, x"
    assert related_integrations(query) == [
        {"package": "azure", "version": ">=1.18.0", "integration": "adlogs"},
        {"package": "okta", "version": ">=2.5.0"},
    ]
    with pytest.raises(KeyError):
        related_integrations("FROM logs-nobody.knows-*, x")
