"""elastic_rules/: every rule against Elastic's description of the API, no unknown key, and the indices that they need."""

from __future__ import annotations

import copy
import json
import re
import secrets
from pathlib import Path
from typing import Any, Dict, Iterator, List

import jsonschema
import pytest

from responders.content.elastic.query import in_namespace
from responders.content.elastic.server import Server
from responders.content.lag import look_back_seconds
from tests import shipped

ROOT = Path(__file__).resolve().parents[2]
SPEC = json.loads((ROOT / "tests/specs/kibana-detections.json").read_text(encoding="utf-8"))
RULES = [json.loads(line) for line in (ROOT / "elastic_rules/rules.ndjson").read_text(encoding="utf-8").splitlines()]
ESQL = {"$ref": "#/$defs/Security_Detections_API_EsqlRuleCreateProps"}
DETECTIONS = {detection.id: detection for detection in shipped.detections()}


def problems(rule: Dict[str, Any]) -> List[str]:
    """What Elastic's schema and the lint for unknown keys find."""
    validator = jsonschema.Draft202012Validator({**ESQL, "$defs": SPEC["$defs"]})
    return [error.message for error in validator.iter_errors(rule)] + list(unknown(ESQL, rule, ""))


def unknown(schema: Dict[str, Any], value: Any, place: str) -> Iterator[str]:
    """Keys that no part of the schema names: Kibana's import refuses or drops them."""
    parts = list(flat(schema))
    if isinstance(value, dict):
        named = {key: inner for part in parts for key, inner in part.get("properties", {}).items()}
        for key, item in value.items() if named else ():
            if key not in named:
                yield f"{place}.{key} is unknown"
            else:
                yield from unknown(named[key], item, f"{place}.{key}")
    for item in value if isinstance(value, list) else ():
        for part in parts:
            if "items" in part:
                yield from unknown(part["items"], item, f"{place}[]")


def flat(schema: Dict[str, Any]) -> Iterator[Dict[str, Any]]:
    """The schema and all that it is made of."""
    yield schema
    if "$ref" in schema:
        yield from flat(SPEC["$defs"][schema["$ref"].rpartition("/")[2]])
    for part in schema.get("allOf", ()):
        yield from flat(part)


def test_there_is_one_rule_for_each_detection() -> None:
    """Rule ids are the detections', so that an import replaces and never doubles."""
    assert sorted(rule["rule_id"] for rule in RULES) == sorted(DETECTIONS)


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule["name"])
def test_a_rule_is_what_kibana_describes(rule: Dict[str, Any]) -> None:
    """Sound by Elastic's schema, no unknown key, disabled, on its clock, looking back over window and lag."""
    assert problems(rule) == []
    detection = DETECTIONS[rule["rule_id"]]
    assert rule["enabled"] is False
    every = "5m" if detection.max_tier == "observe" else "1m"
    assert (rule["interval"], rule["max_signals"], rule["timestamp_override"]) == (every, 1000, "event.ingested")
    assert rule["from"] == f"now-{look_back_seconds(detection)}s"
    assert look_back_seconds(detection) > detection.window_seconds + 60
    techniques = {one["id"] for entry in rule["threat"] for one in entry["technique"]}
    subs = {sub["id"] for entry in rule["threat"] for one in entry["technique"] for sub in one["subtechnique"]}
    declared = set(detection.frameworks["attack"])
    assert declared <= techniques | subs
    assert subs <= declared


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule["name"])
def test_a_query_says_what_it_reads_and_never_what_time_it_is(rule: Dict[str, Any]) -> None:
    """Each FROM names the schema index and asks for ids; NOW() says only what was ingested lately, for a
    replay puts its own time there; every source has its integration."""
    assert "tourniquet-schema METADATA _id, _index" in rule["query"].splitlines()[0]
    assert "now(" not in rule["query"].replace("event.ingested >= NOW() - 35 minutes", "").lower()
    assert "${" not in rule["query"]
    assert rule["required_fields"]
    assert rule["related_integrations"] or "logs-tourniquet." in rule["query"]


def test_the_lint_finds_what_it_should() -> None:
    """A misspelt key, a key below a list, a wrong type and a missing key are each found."""
    for change, word in (
        (lambda rule: rule.update(max_signal=1), "max_signal"),
        (lambda rule: rule["threat"][0].update(colour="red"), "colour"),
        (lambda rule: rule["risk_score_mapping"][0].update(field=7), "7"),
        (lambda rule: rule.pop("query"), "query"),
    ):
        broken = copy.deepcopy(RULES[0])
        change(broken)
        assert any(word in found for found in problems(broken)), word


@pytest.mark.engine("elasticsearch")
def test_the_indices_are_all_that_the_rules_need(elasticsearch_url: str) -> None:
    """With only what indices.json makes, under names of this test's own, every rule's query runs and gives no rows."""
    namespace = f"tq{secrets.token_hex(5)}"
    text = (ROOT / "elastic_rules/indices.json").read_text(encoding="utf-8")
    made: List[str] = []
    with Server(elasticsearch_url) as server:
        try:
            for request in json.loads(text)["requests"]:
                if request["path"].startswith("/_index_template/"):
                    server.call("POST", "/_index_template/_simulate", request["body"])
                    continue
                own = re.sub(r'(/tourniquet-[a-z]+)-1"', rf'\1-{namespace}-1"', json.dumps(request))
                moved = json.loads(in_namespace(own, namespace))
                name = moved["path"][1:]
                made.append(name)
                server.call(moved["method"], f"/{name}", moved["body"])
            for rule in RULES:
                assert server.esql(in_namespace(rule["query"], namespace) + "\n| LIMIT 1001", {"match_all": {}}) == []
        finally:
            server.delete(made)
