"""What several tests need: raw alerts, and steps made by hand."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone
from typing import Any, Dict

from responders.actions import registry
from responders.actions.action import Action
from responders.drill.world import Person
from responders.model import Account, Pairs, Step, step_id

LONG_AGO = "2020-01-01T00:00:00+00:00"


def raw_alert(person: Person, *, confidence: int = 95, vendor: str = "okta", **more: Any) -> Dict[str, Any]:
    """A raw alert on one of a person's accounts, as a SIEM hands it over. Synthetic."""
    now = datetime.now(timezone.utc)
    account = person.account(vendor)
    detection = more.get("tq_detection", "test/strong")
    event = more.get("tq_events", ["event-1"])[0]
    return {
        "tq_detection": detection,
        "tq_account": account.key,
        "tq_account_kind": account.kind,
        "tq_confidence": str(confidence),
        "tq_reasons": ["synthetic"],
        "tq_events": [event],
        "tq_started_at": (now - timedelta(minutes=5)).isoformat(),
        "tq_completed_at": now.isoformat(),
        "tq_finding": f"{detection}|{account.key}|{event}",
        **more,
    }


def step_of(name: str, account: Account, *more: tuple[str, str], since: str = LONG_AGO) -> tuple[Action, Step]:
    """An action and a step of it."""
    action = registry.load(name)
    parameters: Pairs = (("since", since), *more)
    return action, Step(step_id(1, name, account, parameters), name, account, action.phase, parameters)
