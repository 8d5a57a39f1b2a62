"""The proof that a policy was replayed over past alerts before it acts: a small record beside it, and its check. Pure."""

from __future__ import annotations

import hashlib
import json
from datetime import datetime, timedelta
from typing import Any, Mapping, Optional

from responders.errors import BadPolicy

FRESH = timedelta(days=7)
"""How old a record may be: later alerts, inventory and detections may decide otherwise."""
_REMEDY = "run `tourniquet policy backtest ALERTS --policy FILE --record RECORD` on past alerts, and hand over that RECORD"


def digest(compiled: Mapping[str, Any]) -> str:
    """Names the compiled policy: every value in it counts, its version too."""
    text = json.dumps(compiled, sort_keys=True, separators=(",", ":"))
    return "sha256:" + hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()


def required(*compiled: Optional[Mapping[str, Any]]) -> bool:
    """True when the policy in use, or the one that is to replace it, asks for a backtest: a new one can't drop the rule."""
    return any(policy is not None and policy.get("require_backtest") is True for policy in compiled)


def check(compiled: Mapping[str, Any], record: Any, now: datetime, place: str) -> None:
    """Raise BadPolicy unless `record` is of this very policy, recent, and over at least one alert."""
    if not isinstance(record, Mapping):
        raise BadPolicy("this policy needs a backtest, and there is no record of one", place=place, remedy=_REMEDY)
    if record.get("policy") != digest(compiled):
        raise BadPolicy("the record is of another policy", place=place, remedy=_REMEDY)
    try:
        made = datetime.fromisoformat(str(record.get("made", "")))
        age = now - made
    except (TypeError, ValueError):
        raise BadPolicy("the record does not say when it was made", place=place, remedy=_REMEDY) from None
    if not -timedelta(minutes=15) <= age <= FRESH:
        what = f"the backtest was made {made:%Y-%m-%d %H:%M}Z, which is not within the last {FRESH.days} days"
        raise BadPolicy(what, place=place, remedy=_REMEDY)
    alerts = record.get("judged")
    if isinstance(alerts, bool) or not isinstance(alerts, int) or alerts < 1:
        raise BadPolicy("the backtest judged no alert", place=place, remedy=_REMEDY)
