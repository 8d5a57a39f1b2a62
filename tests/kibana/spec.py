"""Kibana's API as an OpenAPI description: Elastic's published extract, and beyond.yaml for what it lacks."""

from __future__ import annotations

import functools
import json
import re
from pathlib import Path
from typing import Any, Dict, Iterator, List, Mapping

import jsonschema
import yaml

from tests.specs.checker import Spec, Vendor

_HERE = Path(__file__).parent
_FILE = "kibana-detections.json"
_ERROR = {
    "type": "object",
    "properties": {
        "statusCode": {"type": "number"}, "status_code": {"type": "number"}, "error": {"type": "string"},
        "message": {"type": "string"}, "attributes": {"type": "object"},
    },
    "required": ["message"],
}  # fmt: skip
"""Kibana's own error, and that of the Security app's routes (the platform and SIEM error responses of its OpenAPI)."""
_REFUSALS = ("400", "401", "403", "404", "413", "500")
RULES = {
    "esql": "EsqlRuleCreateProps", "query": "QueryRuleCreateProps", "threshold": "ThresholdRuleCreateProps",
    "new_terms": "NewTermsRuleCreateProps", "eql": "EqlRuleCreateProps", "saved_query": "SavedQueryRuleCreateProps",
}  # fmt: skip


@functools.cache
def extract() -> Dict[str, Any]:
    """Elastic's schemas, as published."""
    found: Dict[str, Any] = json.loads((_HERE.parent / "specs" / _FILE).read_text(encoding="utf-8"))
    return found


@functools.cache
def spec() -> Spec:
    """What exchanges with the small Kibana are held against."""
    beyond = yaml.safe_load((_HERE / "beyond.yaml").read_text(encoding="utf-8"))["operations"]
    return Spec(Vendor("kibana", _FILE, "", re.RegexFlag(0)), _described(), beyond)


@functools.cache
def _validator(name: str) -> jsonschema.Draft202012Validator:
    ref = {"$ref": f"#/$defs/Security_Detections_API_{name}"}
    return jsonschema.Draft202012Validator({**ref, "$defs": extract()["$defs"]})


def problems(rule: Mapping[str, Any]) -> List[str]:
    """What is wrong with a rule that is to be imported, by its type's schema; a rule must have its rule_id."""
    kind = rule.get("type")
    if kind not in RULES:
        return [f"type: Invalid discriminator value, {kind!r}"]
    found = [f"{'.'.join(map(str, e.absolute_path))}: {e.message}"[:300] for e in _validator(RULES[kind]).iter_errors(rule)]
    if not isinstance(rule.get("rule_id"), str):
        found.append("rule_id: Required")
    return found + list(_out_of_range(rule))


def _out_of_range(rule: Mapping[str, Any]) -> Iterator[str]:
    """Limits that the extract lost: its source states them (RiskScore, MaxSignals, RuleVersion, RuleInterval)."""
    score, most, version = rule.get("risk_score"), rule.get("max_signals", 100), rule.get("version", 1)
    if isinstance(score, (int, float)) and not (0 <= score <= 100 and score == int(score)):
        yield "risk_score: must be an integer from 0 to 100"
    if isinstance(most, (int, float)) and most < 1:
        yield "max_signals: must be at least 1"
    if isinstance(version, (int, float)) and not (version >= 1 and version == int(version)):
        yield "version: must be an integer of at least 1"
    if isinstance(rule.get("interval"), str) and not re.match(r"[1-9]\d*[smhd]\Z", rule["interval"]):
        yield "interval: Invalid"


def _described() -> Dict[str, Any]:
    operations = _rewritten(extract()["x-operations"])
    # The extract kept one of the two bodies that the reference has for this call: the one that does not close.
    closes = {"enum": ["open", "acknowledged", "closed", "in-progress"], "x-found-in": "body"}
    operations["detections.set-alerts-status.request"]["properties"]["status"] = closes
    paths: Dict[str, Any] = {}
    for name, request in operations.items():
        if not name.endswith(".request"):
            continue
        given = request.get("properties", {})
        operation: Dict[str, Any] = {
            "parameters": [
                {"name": key, "in": value["x-found-in"], "required": value["x-found-in"] == "path", "schema": _bare(value)}
                for key, value in given.items()
                if value["x-found-in"] in ("path", "query")
            ],
            "responses": {
                "200": {"description": "done", **_json(_bare(operations[name.replace(".request", ".response")]))},
                **{status: {"description": "refused", **_json(_ERROR)} for status in _REFUSALS},
            },
        }  # fmt: skip
        body = {key: value for key, value in given.items() if value["x-found-in"] == "body"}
        if body:
            whole = next((value for value in body.values() if value.get("x-body-root")), None)
            needed = [key for key in request.get("required", ()) if key in body]
            named = {"type": "object", "properties": {k: _bare(v) for k, v in body.items()}, "required": needed}
            operation["requestBody"] = {"required": True, **_json(named if whole is None else _bare(whole))}
        paths.setdefault(request["x-path"], {})[request["x-method"].lower()] = operation
    return {
        "openapi": "3.1.0", "info": {"title": "Kibana", "version": extract()["x-source"]["commit"][:8]}, "paths": paths,
        "security": [{"key": []}],
        "components": {
            "schemas": _rewritten(extract()["$defs"]),
            "securitySchemes": {"key": {"type": "apiKey", "in": "header", "name": "Authorization"}},
        },
    }  # fmt: skip


def _json(schema: Any) -> Dict[str, Any]:
    return {"content": {"application/json": {"schema": schema}}}


def _bare(schema: Mapping[str, Any]) -> Dict[str, Any]:
    return {key: value for key, value in schema.items() if not key.startswith(("x-", "$schema"))}


def _rewritten(value: Any) -> Any:
    return json.loads(json.dumps(value).replace("#/$defs/", "#/components/schemas/"))
