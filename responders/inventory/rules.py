"""Rules about groups: what membership in one says of an identity. A YAML file of the customer's."""

from __future__ import annotations

from typing import Any, Dict, List, Mapping

from responders.errors import BadInput, BadInputs, BadInventory
from responders.inventory.describing import CRITICALITIES, GroupRule
from responders.inventory.files import ENVIRONMENTS, KINDS
from responders.yaml_source import parse

_ALLOWED: Mapping[str, tuple[str, ...]] = {
    "kind": KINDS,
    "criticality": CRITICALITIES,
    "environment": ENVIRONMENTS,
    "owner": (),
}


def read_rules(text: str, name: str) -> Dict[str, GroupRule]:
    """Rules by `vendor:tenant:group`, from the mapping `groups` of the file. Raises BadInputs with every wrong line."""
    source = parse(text, name)
    errors: List[BadInput] = [
        BadInventory(what, place=f"{name}:{line}", remedy="correct the file") for line, what in source.problems
    ]
    value = source.value
    groups: Any = value.get("groups") if isinstance(value, dict) else None
    if not isinstance(groups, dict) or set(value) != {"groups"}:
        errors.append(BadInventory("has no mapping `groups` alone", place=f"{name}:1", remedy="see docs/inventory_sync.md"))
        raise BadInputs(errors)
    rules: Dict[str, GroupRule] = {}
    for key, rule in groups.items():
        place = source.place(("groups", key))
        if not isinstance(key, str) or key.count(":") < 2 or not isinstance(rule, dict):
            what, remedy = f"{key!r} is no group with a rule", "write vendor:tenant:group id and what it says"
            errors.append(BadInventory(what, place=place, remedy=remedy))
            continue
        for field, said in rule.items():
            allowed = _ALLOWED.get(field)
            if allowed is None or not isinstance(said, str) or not said or (allowed and said not in allowed):
                remedy = (
                    f"use one of {', '.join(allowed)}" if allowed else f"the fields are {', '.join(_ALLOWED)}, each text"
                )
                errors.append(BadInventory(f"{field}: {said!r} is unknown", place=place, remedy=remedy))
        if not errors:
            rules[key] = GroupRule(**rule)
    if errors:
        raise BadInputs(errors)
    return rules
