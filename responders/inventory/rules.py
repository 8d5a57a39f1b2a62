"""The customer's rules, a YAML file: what membership in a group says of an identity, and which tenants are one company's."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Any, Dict, FrozenSet, List, Mapping, Tuple

from responders.errors import BadInput, BadInputs, BadInventory
from responders.inventory.describing import CRITICALITIES, GroupRule
from responders.inventory.files import ENVIRONMENTS, KINDS
from responders.source import Source
from responders.yaml_source import parse

_TENANT = re.compile(r"[a-z][a-z0-9_]{0,39}:[^:\s]+")
_ALLOWED: Mapping[str, Tuple[str, ...]] = {
    "kind": KINDS,
    "criticality": CRITICALITIES,
    "environment": ENVIRONMENTS,
    "owner": (),
}


@dataclass(frozen=True)
class Rules:
    """`groups` by `vendor:tenant:group`; `one_company` are sets of tenants of one vendor, `vendor:tenant`."""

    groups: Mapping[str, GroupRule] = field(default_factory=dict)
    one_company: Tuple[FrozenSet[str], ...] = ()


NO_RULES = Rules()


def read_rules(text: str, name: str) -> Rules:
    """The rules, from `groups` and `one_company` of the file. Raises BadInputs with every wrong line."""
    source = parse(text, name)
    errors: List[BadInput] = [
        BadInventory(what, place=f"{name}:{line}", remedy="correct the file") for line, what in source.problems
    ]
    value = source.value
    if not isinstance(value, dict) or not value or not set(value) <= {"groups", "one_company"}:
        what = "holds something else than `groups` and `one_company`"
        errors.append(BadInventory(what, place=f"{name}:1", remedy="see docs/inventory_sync.md"))
        raise BadInputs(errors)
    rules = Rules(_groups(value.get("groups", {}), source, errors), _companies(value.get("one_company", []), source, errors))
    if errors:
        raise BadInputs(errors)
    return rules


def _groups(found: Any, source: Source, errors: List[BadInput]) -> Dict[str, GroupRule]:
    if not isinstance(found, dict):
        errors.append(
            BadInventory("is no mapping", place=source.place(("groups",)), remedy="write a group and what it says")
        )
        return {}
    rules: Dict[str, GroupRule] = {}
    for key, rule in found.items():
        place = source.place(("groups", key))
        if not isinstance(key, str) or key.count(":") < 2 or not isinstance(rule, dict):
            what, remedy = f"{key!r} is no group with a rule", "write vendor:tenant:group id and what it says"
            errors.append(BadInventory(what, place=place, remedy=remedy))
            continue
        for field_name, said in rule.items():
            allowed = _ALLOWED.get(field_name)
            if allowed is None or not isinstance(said, str) or not said or (allowed and said not in allowed):
                remedy = (
                    f"use one of {', '.join(allowed)}" if allowed else f"the fields are {', '.join(_ALLOWED)}, each text"
                )
                errors.append(BadInventory(f"{field_name}: {said!r} is unknown", place=place, remedy=remedy))
        if not errors:
            rules[key] = GroupRule(**rule)
    return rules


def _companies(found: Any, source: Source, errors: List[BadInput]) -> Tuple[FrozenSet[str], ...]:
    """Lists of tenants; each tenant once, those of a list at one vendor."""
    remedy = "write lists of two tenants or more of one vendor, as in [okta:corp, okta:preview], each tenant in one list"
    companies: List[FrozenSet[str]] = []
    for number, tenants in enumerate(found if isinstance(found, list) else [found]):
        known = {tenant for company in companies for tenant in company}
        sound = isinstance(tenants, list) and all(isinstance(t, str) and _TENANT.fullmatch(t) for t in tenants)
        if not sound or len({t.partition(":")[0] for t in tenants}) != 1 or len({*tenants} - known) < max(2, len(tenants)):
            what = f"{str(tenants)[:80]!r} names no tenants of one company"
            errors.append(BadInventory(what, place=source.place(("one_company", number)), remedy=remedy))
        else:
            companies.append(frozenset(tenants))
    return tuple(companies)
