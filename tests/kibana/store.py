"""Rules of one space, as Kibana keeps and imports them.

Read: import_rules/route.ts, import_rule.ts, apply_rule_update.ts, apply_rule_defaults.ts, check_rule_exception_references.ts
and validate_rule_actions.ts of elastic/kibana.
"""

from __future__ import annotations

import copy
import json
import re
import uuid
from datetime import datetime, timezone
from typing import Any, Callable, Dict, List, Mapping, Tuple

from tests.kibana.spec import problems

Row = Dict[str, Any]
MOST_RULES = 10_000
DEFAULTS: Row = {
    "enabled": False, "risk_score_mapping": [], "severity_mapping": [], "interval": "5m", "to": "now", "from": "now-6m",
    "exceptions_list": [], "false_positives": [], "max_signals": 100, "actions": [], "related_integrations": [],
    "required_fields": [], "setup": "", "references": [], "threat": [], "tags": [], "author": [], "output_index": "",
    "version": 1,
}  # fmt: skip
_KEPT = ("id", "rule_id", "revision", "immutable", "rule_source", "updated_at", "updated_by", "created_at", "created_by")
_EXCEPTION = ("list_id", "item_id", "entries")
_CLAUSE = re.compile(
    r'alert\.attributes\.(params\.ruleId|tags|name): ?(\("(?:[^"\\]|\\.)*"(?: OR "(?:[^"\\]|\\.)*")*\)|"[^"]*")\Z'
)


class Refused(Exception):
    """A whole request that Kibana refuses, with its status."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status


class Rules:
    """Rules by rule_id, exception lists by list_id, ids of connectors."""

    def __init__(self) -> None:
        self.rules: Dict[str, Row] = {}
        self.lists: Dict[str, Row] = {}
        self.connectors: Dict[str, str] = {}

    def add_list(self, list_id: str) -> Row:
        """A customer's exception list; its reference, as a rule holds it."""
        entry = {"id": str(uuid.uuid4()), "list_id": list_id, "type": "detection", "namespace_type": "single"}
        self.lists[list_id] = entry
        return dict(entry)

    def executed(self, rule_id: str, status: str, at: datetime, message: str = "", **metrics: Any) -> None:
        """What the last run of a rule came to."""
        orders = {"succeeded": 0, "going to run": 10, "running": 15, "partial failure": 20, "failed": 30}
        last = {"date": stamp(at), "status": status, "status_order": orders[status], "message": message, "metrics": metrics}
        self.rules[rule_id]["execution_summary"] = {"last_execution": last}

    def find(self, query: Mapping[str, str]) -> Row:
        """One page of those that the filter takes: rule ids, tags or a name."""
        wanted = _wanted(query.get("filter", ""))
        page, size = int(query.get("page", "1")), int(query.get("per_page", "20"))
        found = [rule for _, rule in sorted(self.rules.items()) if wanted(rule)]
        some = found[(page - 1) * size : page * size]
        return {"page": page, "perPage": size, "total": len(found), "data": copy.deepcopy(some)}

    def load(self, text: str, name: str, query: Mapping[str, str], by: str) -> Row:
        """`_import`: the answer's body. Raises Refused for the whole file."""
        if not name.lower().endswith(".ndjson"):
            raise Refused(400, f"Invalid file extension {'.' + name.rpartition('.')[2] if '.' in name else ''}")
        objects, errors = _parsed(text)
        rules = [one for one in objects if not any(key in one for key in _EXCEPTION) and "exported_count" not in one]
        if len(rules) > MOST_RULES:
            raise Refused(400, f"Can't import more than {MOST_RULES} rules")
        overwrite = query.get("overwrite") == "true"
        lists = [one for one in objects if "list_id" in one and "entries" not in one]
        for one in lists:
            if query.get("overwrite_exceptions") == "true" or one["list_id"] not in self.lists:
                self.add_list(one["list_id"])
        unique: Dict[str, Row] = {}
        for rule in rules:
            wrong = problems(rule)
            if wrong:
                errors.append(_error("(unknown id)", 400, ", ".join(wrong)))
            elif rule["rule_id"] in unique and not overwrite:
                errors.append(_error(rule["rule_id"], 400, f'More than one rule with rule-id: "{rule["rule_id"]}" found'))
            else:
                unique[rule["rule_id"]] = rule
        done = sum(self._import(rule, overwrite, by, errors) for rule in unique.values())
        return {
            "success": not errors, "success_count": done, "rules_count": len(rules), "errors": errors,
            "exceptions_errors": [], "exceptions_success": True, "exceptions_success_count": len(lists),
            "action_connectors_success": True, "action_connectors_success_count": 0, "action_connectors_errors": [],
            "action_connectors_warnings": [],
        }  # fmt: skip

    def _import(self, rule: Row, overwrite: bool, by: str, errors: List[Row]) -> bool:
        name = rule["rule_id"]
        missing = sorted({a["id"] for a in rule.get("actions") or () if a["id"] not in self.connectors})
        if missing:
            errors.append(_error(name, 404, f"Rule actions reference the following missing action IDs: {','.join(missing)}"))
            return False
        old = self.rules.get(name)
        if old is not None and not overwrite:
            errors.append(_error(name, 409, f'rule_id: "{name}" already exists'))
            return False
        lists = []
        for one in rule.get("exceptions_list") or ():
            held = self.lists.get(one["list_id"])
            if held and held["type"] == one["type"] and held["namespace_type"] == one["namespace_type"]:
                lists.append({**one, "id": held["id"]})
            else:
                text = (
                    f'references a non existent exception list of list_id: "{one["list_id"]}". Reference has been removed.'
                )
                errors.append(_error(name, 400, f'Rule with rule_id: "{name}" {text}'))
        now = stamp(datetime.now(timezone.utc))
        fresh: Row = {
            "id": str(uuid.uuid4()), "revision": 0, "immutable": False, "rule_source": {"type": "internal"},
            "created_at": now, "created_by": by, "updated_at": now, "updated_by": by,
        }  # fmt: skip
        made = {**copy.deepcopy(DEFAULTS), **copy.deepcopy(rule), "exceptions_list": lists, **(fresh if old is None else {})}
        made["required_fields"] = [{**field, "ecs": False} for field in made["required_fields"]]
        if old is not None:
            made.update({key: old[key] for key in _KEPT})
            made.setdefault("enabled", old["enabled"])
            if "execution_summary" in old:
                made["execution_summary"] = old["execution_summary"]
            made.update(revision=old["revision"] + 1, updated_at=now, updated_by=by)
        self.rules[name] = made
        return True


def _parsed(text: str) -> Tuple[List[Row], List[Row]]:
    objects, errors = [], []
    for line in text.split("\n"):
        if line.strip():
            try:
                objects.append(json.loads(line))
            except ValueError as error:
                errors.append(_error("(unknown id)", 400, str(error)))
    return objects, errors


def _error(rule_id: str, status: int, message: str) -> Row:
    return {"rule_id": rule_id, "error": {"status_code": status, "message": message}}


def _wanted(text: str) -> Callable[[Mapping[str, Any]], bool]:
    """What a filter takes. Raises Refused for one that this small Kibana can't read."""
    if not text:
        return lambda rule: True
    match = _CLAUSE.match(text)
    if match is None:
        raise Refused(400, f"Error parsing the filter: {text}")
    wanted = {re.sub(r"\\(.)", r"\1", one) for one in re.findall(r'"((?:[^"\\]|\\.)*)"', match[2])}
    key = match[1].removeprefix("params.").replace("ruleId", "rule_id")
    return lambda rule: bool(wanted & set(rule[key] if key == "tags" else [rule[key]]))


def stamp(at: datetime) -> str:
    return at.astimezone(timezone.utc).isoformat(timespec="milliseconds").replace("+00:00", "Z")
