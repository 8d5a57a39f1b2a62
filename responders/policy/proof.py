"""The proof that a policy was replayed over past alerts before it acts: a small record beside it, and its check. Pure."""

from __future__ import annotations

import dataclasses
import hashlib
import json
from datetime import datetime, timedelta
from typing import Any, Mapping, Optional

from responders.errors import BadPolicy
from responders.policy.policy import Policy

FRESH = timedelta(days=7)
"""How old a record may be: later alerts, inventory and detections may decide otherwise."""
_REMEDY = "run `tourniquet policy backtest ALERTS --policy FILE --record RECORD` on past alerts, and hand over that RECORD"


def digest(policy: Policy) -> str:
    """Names a policy: every value in it counts, its version too. 24 and 24.0 are the same, as in a browser."""
    text = json.dumps(_plain(dataclasses.asdict(policy)), sort_keys=True, separators=(",", ":"))
    return "sha256:" + hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()


def required(*policies: Optional[Policy]) -> bool:
    """True when the policy in use, or the one that is to replace it, asks for a backtest: a new one can't drop the rule."""
    return any(policy is not None and policy.require_backtest for policy in policies)


def check(policy: Policy, record: Any, now: datetime, place: str) -> None:
    """Raise BadPolicy unless `record` is of this very policy, over at least one alert, and recent."""
    belongs(policy, record, place)
    try:
        made = datetime.fromisoformat(str(record.get("made", "")))
        age = now - made
    except (TypeError, ValueError):
        raise BadPolicy("the record does not say when it was made", place=place, remedy=_REMEDY) from None
    if not -timedelta(minutes=15) <= age <= FRESH:
        what = f"the backtest was made {made:%Y-%m-%d %H:%M}Z, which is not within the last {FRESH.days} days"
        raise BadPolicy(what, place=place, remedy=_REMEDY)


def belongs(policy: Policy, record: Any, place: str) -> None:
    """Raise BadPolicy unless `record` is of this very policy, and over at least one alert, however long ago."""
    if not isinstance(record, Mapping):
        raise BadPolicy("this policy needs a backtest, and there is no record of one", place=place, remedy=_REMEDY)
    if record.get("policy") != digest(policy):
        raise BadPolicy("the record is of another policy", place=place, remedy=_REMEDY)
    alerts = record.get("judged")
    if isinstance(alerts, bool) or not isinstance(alerts, int) or alerts < 1:
        raise BadPolicy("the backtest judged no alert", place=place, remedy=_REMEDY)


def _plain(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {str(name): _plain(item) for name, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(item) for item in value]
    return int(value) if isinstance(value, float) and value.is_integer() else value
