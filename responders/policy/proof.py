"""The proof that a policy was replayed over past alerts before it acts: a small record beside it, and its check. Pure."""

from __future__ import annotations

import dataclasses
import hashlib
import hmac
import json
import math
from datetime import datetime, timedelta
from typing import Any, Dict, Mapping, Optional

from responders.errors import BadPolicy
from responders.policy.policy import Policy

FRESH = timedelta(days=7)
"""How old a record may be: later alerts, inventory and detections may decide otherwise."""
LEAST_DAYS = 7.0
"""A backtest must have asked for so many days of alerts: a week has nights, a weekend, and the jobs that run once in it."""
_SIGNED = "signature"
_KEY_FOR = b"tourniquet backtest record 1"
"""What the journal's key is derived for: no MAC of an entry, whose text is JSON, can be taken for the derived key."""
_REMEDY = "run `tourniquet policy backtest ALERTS --policy FILE --record RECORD` on past alerts, and hand over that RECORD"


def digest(policy: Policy) -> str:
    """Names a policy: every value in it counts, its version too. 24 and 24.0 are the same, as in a browser."""
    text = json.dumps(_plain(dataclasses.asdict(policy)), sort_keys=True, separators=(",", ":"))
    return "sha256:" + hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()


def required(*policies: Optional[Policy]) -> bool:
    """True when the policy in use, or the one that is to replace it, asks for a backtest: a new one can't drop the rule."""
    return any(policy is not None and policy.require_backtest for policy in policies)


def check(policy: Policy, record: Any, now: datetime, place: str) -> None:
    """Raise BadPolicy unless `record` is recent, and as `belongs` wants it."""
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
    """Raise BadPolicy unless `record` is of this very policy, over a week of alerts that could be read, however long ago.

    That guards against haste. Who made it says `signed`, where the journal's key is.
    """
    if not isinstance(record, Mapping):
        raise BadPolicy("this policy needs a backtest, and there is no record of one", place=place, remedy=_REMEDY)
    if record.get("policy") != digest(policy):
        raise BadPolicy("the record is of another policy", place=place, remedy=_REMEDY)
    judged, bad, days = (_number(record, name, place) for name in ("judged", "bad", "asked_days"))
    if judged < 1:
        raise BadPolicy("the backtest judged no alert", place=place, remedy=_REMEDY)
    if bad > judged:
        what = f"the backtest could not read {bad:g} alerts, and judged {judged:g}: most of them say nothing"
        raise BadPolicy(what, place=place, remedy=_REMEDY)
    if days < LEAST_DAYS:
        what = f"the backtest asked for {days:g} days of alerts, {LEAST_DAYS:g} are the least"
        raise BadPolicy(what, place=place, remedy=_REMEDY)


def sign(record: Mapping[str, Any], key: bytes) -> Dict[str, Any]:
    """The record with a signature that only who holds the journal's `key` can make."""
    return {**record, _SIGNED: _signature(record, key)}


def signed(record: Mapping[str, Any], key: bytes) -> bool:
    """True when `sign` made it with this key, and nobody changed it since."""
    return hmac.compare_digest(str(record.get(_SIGNED)).encode("utf-8", "surrogatepass"), _signature(record, key).encode())


def _signature(record: Mapping[str, Any], key: bytes) -> str:
    plain = {name: value for name, value in record.items() if name != _SIGNED}
    text = json.dumps(plain, sort_keys=True, separators=(",", ":"), ensure_ascii=True)
    return hmac.new(hmac.new(key, _KEY_FOR, hashlib.sha256).digest(), text.encode(), hashlib.sha256).hexdigest()


def _number(record: Mapping[str, Any], name: str, place: str) -> float:
    value = record.get(name)
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not 0 <= value < math.inf:
        raise BadPolicy(f"the record has no number {name}", place=place, remedy=_REMEDY)
    return float(value)


def _plain(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {str(name): _plain(item) for name, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(item) for item in value]
    return int(value) if isinstance(value, float) and value.is_integer() else value
