"""Cases beside a policy: given alerts and an identity, expect tier, actions and guards."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone
from typing import Any, Dict, FrozenSet, List, Mapping, Sequence, Tuple

from responders.errors import BadInput, BadInputs, BadPolicy
from responders.model import Account, Alert, Facts, Identity, Tier, Use
from responders.policy.decide import decide
from responders.policy.policy import Policy
from responders.source import Source

_NOW = datetime(2026, 1, 1, 12, 0, tzinfo=timezone.utc)
_KEYS = ("name", "identity", "alerts", "facts", "expect")
_EXPECT = ("tier", "confidence", "actions", "only", "without", "approval", "guards")

_ALERT = (
    "confidence", "detection", "layer", "hours_ago", "events", "causes", "correlation", "requested", "source", "max_tier",
    "forgery",
)  # fmt: skip
_FACTS = (
    "administrators", "own", "restorers", "halted", "uses", "population", "unauthenticated_ingest", "unread",
)  # fmt: skip


def run_source(source: Source, policy: Policy) -> List[Tuple[str, str]]:
    """(case, difference) in the source's order; the difference is "" when the decision is as expected. Raises BadInputs."""
    name = source.name
    errors: List[BadInput] = [
        BadPolicy(what, place=f"{name}:{line}", remedy="correct the file") for line, what in source.problems
    ]
    cases = source.value.get("cases") if isinstance(source.value, dict) else None
    if not isinstance(cases, list) and not errors:
        errors.append(BadPolicy("has no list `cases`", place=f"{name}:1", remedy="see docs/policy.md"))
    results: List[Tuple[str, str]] = []
    for place, case in enumerate(cases if isinstance(cases, list) else ()):
        try:
            results.append(_run(source, place, case, policy))
        except (LookupError, TypeError, ValueError, AttributeError) as error:
            errors.append(
                BadPolicy(
                    f"case can't be read: {error!r}", place=source.place(("cases", place)), remedy="see docs/policy.md"
                )
            )
        except BadInput as error:
            errors.append(error)
    if errors:
        raise BadInputs(errors)
    return results


def _run(source: Source, place: int, case: Mapping[str, Any], policy: Policy) -> Tuple[str, str]:
    parts: List[Tuple[Any, Tuple[str, ...], Tuple[Any, ...]]] = [(case, _KEYS, ())]
    parts += [(case.get("expect") or {}, _EXPECT, ("expect",)), (case.get("facts") or {}, _FACTS, ("facts",))]
    parts += [(entry, _ALERT, ("alerts", number)) for number, entry in enumerate(case.get("alerts") or ())]
    for given, known, where in parts:
        for key in given:
            if key not in known:
                line = source.place(("cases", place, *where, key))
                raise BadPolicy(f"unknown key {key!r}", place=line, remedy=f"the keys are {', '.join(known)}")
    identity = _identity(case.get("identity") or {})
    alerts = [_alert(entry, number) for number, entry in enumerate(case["alerts"])]
    catalogue = {
        alert.detection: {
            "layer": alert.layer,
            "max_tier": entry.get("max_tier", "revoke"),
            "forgery": entry.get("forgery", "nobody"),
        }
        for alert, entry in zip(alerts, case["alerts"])
    }
    found = decide(alerts, identity, _facts(case.get("facts") or {}, tuple(catalogue)), policy, catalogue, _NOW)
    expect = case["expect"]
    wrong: List[str] = []
    if "tier" in expect and found.tier.label != expect["tier"]:
        wrong.append(f"tier {found.tier.label}, expected {expect['tier']}")
    if "confidence" in expect and found.confidence != expect["confidence"]:
        wrong.append(f"confidence {found.confidence}, expected {expect['confidence']}")
    wrong += [f"lacks {action}" for action in expect.get("actions") or () if action not in found.actions]
    wrong += [f"has {action}" for action in expect.get("without") or () if action in found.actions]
    if "only" in expect:
        wrong += [f"lacks {action}" for action in expect["only"] or () if action not in found.actions]
        wrong += [f"has {action}" for action in found.actions if action not in (expect["only"] or ())]
    wrong += [f"{action} waits for nobody" for action in expect.get("approval") or () if action not in found.approval]
    spoke = {reason.guard for reason in found.reasons if reason.guard}
    if "guards" in expect and spoke != set(expect["guards"] or ()):
        wrong.append(f"guards {sorted(spoke)}, expected {sorted(expect['guards'] or ())}")
    return str(case.get("name", f"case {place + 1}")), "; ".join(wrong)


def _identity(entry: Mapping[str, Any]) -> Identity:
    defaults: Dict[str, Any] = {
        "id": "someone", "kind": "human", "owner": None, "criticality": "normal", "environment": "production",
        "protected": False, "dependents": (),
    }  # fmt: skip
    given = {**defaults, **entry}
    given["dependents"] = tuple(given["dependents"])
    given["accounts"] = tuple(_account(key) for key in given.get("accounts") or ("okta:default:00u1",))
    return Identity(**given)


def _account(key: str) -> Account:
    vendor, tenant, name = key.split(":", 2)
    return Account(vendor, tenant, {"vault": "entity"}.get(vendor, "user"), name)


def _alert(entry: Mapping[str, Any], number: int) -> Alert:
    at = _NOW - timedelta(hours=float(entry.get("hours_ago", 0)))
    events: FrozenSet[str] = frozenset(entry.get("events") or (f"event-{number}",))
    return Alert(
        id=f"finding-{number}",
        detection=str(entry.get("detection", f"test/detection-{number}")),
        layer=str(entry.get("layer", "idp")),
        confidence=int(entry["confidence"]),
        reasons=(),
        accounts=(),
        events=events,
        completed_at=at,
        started_at=at,
        finding=f"finding-{number}",
        causes=frozenset(entry.get("causes") or ()),
        correlation=bool(entry.get("correlation", False)),
        requested=tuple(entry.get("requested") or ()),
        source=str(entry.get("source", "automatic")),
    )


def _facts(entry: Mapping[str, Any], detections: Sequence[str]) -> Facts:
    uses = tuple(
        Use(
            f"other-{group}-{number}", Tier[str(use["tier"]).upper()], str(use.get("detection", "test/other")),
            _NOW - timedelta(minutes=5), bool(use.get("guarded", False)), bool(use.get("click", False)),
        )
        for group, use in enumerate(entry.get("uses") or ())
        for number in range(int(use.get("times", 1)))
    )  # fmt: skip
    return Facts(
        administrators={place: frozenset(ids) for place, ids in (entry.get("administrators") or {}).items()},
        own=frozenset(entry.get("own") or ()),
        restorers=frozenset(entry.get("restorers") or ("ida", "ivo")),
        halted=str(entry.get("halted", "")),
        uses=uses,
        population=int(entry.get("population", 5000)),
        unauthenticated=frozenset(detections if entry.get("unauthenticated_ingest", False) else ()),
        unread=tuple((str(vendor), "down") for vendor in entry.get("unread") or ()),
    )
