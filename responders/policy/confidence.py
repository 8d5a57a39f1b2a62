"""How sure: C = 1 - (1 - c1) * product(1 - w * ci), with a line of points for each alert that counted."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Callable, List, Optional, Sequence, Tuple

from responders.model import Alert, Reason
from responders.policy.policy import Fusion


@dataclass(frozen=True)
class Score:
    """`points` 0 to 100, `reasons` whose points add up to it, `strongest` the best single alert's confidence."""

    points: int
    reasons: Tuple[Reason, ...]
    strongest: int


def fuse(alerts: Sequence[Alert], fusion: Fusion, now: datetime, whole: Optional[Callable[[Alert], bool]] = None) -> Score:
    """Fuse the alerts of one identity.

    The strongest of the window counts whole. Each further one counts with `independent` when it comes from another
    layer with another cause, with `related` when it shares an IP, device or credential or the layer; halved once it
    is older than `half_after_hours`. Alerts that share an event with one that counted add nothing, and a correlation
    is no layer of its own: it counts once, its parts not again.

    A later alert never lowers the score: the best of what was known after each alert stands, so that nobody can make
    us less sure by causing one more. `whole` says which alerts may be the one that counts whole; the others only
    corroborate, and without any that may, the score is 0.
    """
    may = whole or (lambda alert: True)
    start = now - timedelta(hours=fusion.window_hours)
    found = [alert for alert in alerts if alert.completed_at >= start]
    # Those that may count whole come first: a flood of louder ones must not push them out.
    recent = sorted(found, key=lambda alert: (not may(alert), *_strongest_first(alert)))[:_MOST]
    recent.sort(key=lambda alert: (alert.completed_at, _strongest_first(alert)))
    if not recent:
        return Score(0, (Reason(f"no alert of the last {fusion.window_hours:g} h"),), 0)
    best, seen = Score(0, (), 0), 0
    for end in range(1, len(recent) + 1):
        score = _fused(sorted(recent[:end], key=lambda alert: (not may(alert), *_strongest_first(alert))), fusion, now, may)
        if score.points > best.points or not best.reasons:
            best, seen = score, end
    more = tuple(Reason(f"{alert.detection} at {alert.confidence}: adds nothing") for alert in recent[seen:])
    strongest = max((alert.confidence for alert in recent if may(alert)), default=0)
    return Score(best.points, (*best.reasons, *more), strongest)


_MOST = 50
"""The strongest alerts that are looked at: a flood of weak ones must not cost time."""


def _strongest_first(alert: Alert) -> Tuple[Any, ...]:
    """A total order, so that the score does not hang on the order in which alerts are read."""
    rest = (alert.id, alert.detection, alert.layer, sorted(alert.events), sorted(alert.causes), alert.correlation)
    return (-alert.confidence, alert.completed_at, *rest)


def _fused(ordered: Sequence[Alert], fusion: Fusion, now: datetime, may: Callable[[Alert], bool]) -> Score:
    first = ordered[0]
    if not may(first):
        return Score(0, (), 0)
    reasons = [Reason(f"{first.detection}: {'; '.join(first.reasons) or 'base confidence'}", first.confidence)]
    left, shown, counted = 1.0 - first.confidence / 100.0, first.confidence, [first]
    for alert in ordered[1:]:
        weight, why = _weight(alert, counted, fusion)
        if weight and now - alert.completed_at > timedelta(hours=fusion.half_after_hours):
            weight, why = weight / 2, f"{why}, older than {fusion.half_after_hours:g} h"
        left *= 1.0 - weight * alert.confidence / 100.0
        total = round(100 * (1.0 - left))
        reasons.append(Reason(f"{alert.detection} at {alert.confidence}: {why} (weight {weight:g})", total - shown))
        shown = total
        if weight:
            counted.append(alert)
    return Score(shown, tuple(reasons), first.confidence)


def _weight(alert: Alert, counted: List[Alert], fusion: Fusion) -> Tuple[float, str]:
    events = frozenset().union(*(other.events for other in counted))
    if alert.events & events:
        return 0.0, "shares an event with one above"
    layers = {other.layer for other in counted if not other.correlation}
    causes = frozenset().union(*(other.causes for other in counted))
    if alert.causes & causes:
        return fusion.related, "same IP, device or credential"
    if alert.correlation or alert.layer in layers:
        return fusion.related, f"same layer {alert.layer}" if not alert.correlation else "a correlation is no layer"
    return fusion.independent, f"another layer ({alert.layer}), another cause"
