"""How sure: C = 1 - (1 - c1) * product(1 - w * ci), with a line of points for each alert that counted."""

from __future__ import annotations

import bisect
import functools
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Callable, Dict, FrozenSet, List, Optional, Sequence, Set, Tuple

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
    found = _in_window(alerts, fusion, now)
    order = [strongest_first(alert) for alert in found]
    # Those that may count whole come first: a flood of louder ones must not push them out.
    last = [whole is not None and not whole(alert) for alert in found]
    places = sorted(range(len(found)), key=lambda place: (last[place], order[place]))[:MOST_COUNTED]
    if not places:
        return Score(0, (Reason(f"no alert of the last {fusion.window_hours:g} h"),), 0)
    old = now - timedelta(hours=fusion.half_after_hours)
    parts = [_Part(found[place], not last[place], found[place].completed_at < old) for place in places]
    if len(parts) == 1:
        return _told(parts, fusion)
    by_time = sorted(range(len(parts)), key=lambda rank: (parts[rank].alert.completed_at, order[places[rank]]))
    _as_bits(parts)
    known: List[int] = []  # ranks: the strongest first
    best, seen, told = 0, 0, False
    weights = _weights(fusion)
    for end, rank in enumerate(by_time, 1):
        bisect.insort(known, rank)
        may = parts[known[0]].may
        points = round(100 * (1.0 - _walk([parts[place] for place in known], weights)[0])) if may else 0
        if points > best or not told:
            best, seen, told = points, end, may
        if best == 100:
            break
    score = _told([parts[rank] for rank in sorted(by_time[:seen])], fusion)
    late = (parts[rank].alert for rank in by_time[seen:])
    more = tuple(_adds_nothing(alert.detection, alert.confidence) for alert in late)
    alone = max((part.alert.confidence for part in parts if part.may), default=0)
    return Score(score.points, (*score.reasons, *more), alone)


def strongest(alerts: Sequence[Alert], fusion: Fusion, now: datetime, whole: Callable[[Alert], bool]) -> int:
    """`strongest` of what `fuse` would say, which gives no fewer points than that."""
    return max((alert.confidence for alert in _in_window(alerts, fusion, now) if whole(alert)), default=0)


def _in_window(alerts: Sequence[Alert], fusion: Fusion, now: datetime) -> List[Alert]:
    start = now - timedelta(hours=fusion.window_hours)
    return [alert for alert in alerts if alert.completed_at >= start]


@functools.lru_cache(maxsize=1024)
def _adds_nothing(detection: str, confidence: int) -> Reason:
    return Reason(f"{detection} at {confidence}: adds nothing")


MOST_COUNTED = 50
"""The strongest alerts that are looked at: a flood of weak ones must not cost time."""


class _Part:
    """One alert while it is fused: its events, causes and layer as bits of a number, which are compared at once."""

    __slots__ = ("alert", "causes", "correlation", "events", "layer", "may", "old", "share")

    def __init__(self, alert: Alert, may: bool, old: bool) -> None:
        self.alert, self.may, self.old = alert, may, old
        self.correlation, self.share = alert.correlation, alert.confidence / 100.0
        self.events = self.causes = self.layer = 0


def _as_bits(parts: Sequence[_Part]) -> None:
    """Number what more than one alert names: what nobody shares decides nothing."""
    for name in ("events", "causes"):
        once: Set[str] = set()
        shared: Dict[str, int] = {}
        for part in parts:
            words: FrozenSet[str] = getattr(part.alert, name)
            for word in words & once:
                shared.setdefault(word, 1 << len(shared))
            once |= words
        for part in parts if shared else ():
            setattr(part, name, sum(shared[word] for word in shared.keys() & getattr(part.alert, name)))
    layers: Dict[str, int] = {}
    for part in parts:
        part.layer = layers.setdefault(part.alert.layer, 1 << len(layers))


def strongest_first(alert: Alert) -> Tuple[Any, ...]:
    """A total order, so that the score does not hang on the order in which alerts are read."""
    return (-alert.confidence, alert.completed_at, alert.id, alert.detection, alert.layer, _Rest(alert))


class _Rest:
    """What still tells two alerts apart that are alike in all else; looked at only then."""

    __slots__ = ("_alert",)

    def __init__(self, alert: Alert) -> None:
        self._alert = alert

    def _key(self) -> Tuple[Any, ...]:
        return sorted(self._alert.events), sorted(self._alert.causes), self._alert.correlation

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Rest) and self._key() == other._key()

    def __lt__(self, other: _Rest) -> bool:
        return self._key() < other._key()

    __hash__ = None  # type: ignore[assignment]


_SHARES, _CAUSE, _LAYER, _CORRELATION, _NEW = range(5)
"""How an alert stands to those above it that counted."""


def _weights(fusion: Fusion) -> Tuple[float, ...]:
    return (0.0, fusion.related, fusion.related, fusion.related, fusion.independent)


def _walk(ordered: Sequence[_Part], weights: Tuple[float, ...]) -> Tuple[float, List[int]]:
    """What is left of 1 after these alerts, the strongest first, and how each but the first stands to those above it.

    This is asked after each alert of a window, so it is one plain loop.
    """
    first = ordered[0]
    events, causes, layers = first.events, first.causes, 0 if first.correlation else first.layer
    left, kinds = 1.0 - first.share, []
    for part in ordered[1:]:
        if part.events & events:
            kinds.append(_SHARES)
            continue
        if part.causes & causes:
            kind = _CAUSE
        elif part.correlation:
            kind = _CORRELATION
        else:
            kind = _LAYER if part.layer & layers else _NEW
        kinds.append(kind)
        weight = weights[kind]
        if weight:
            left *= 1.0 - (weight / 2 if part.old else weight) * part.share
            events |= part.events
            causes |= part.causes
            if not part.correlation:
                layers |= part.layer
    return left, kinds


def _told(ordered: Sequence[_Part], fusion: Fusion) -> Score:
    """The same with a line for each alert."""
    first, weights = ordered[0].alert, _weights(fusion)
    if not ordered[0].may:
        return Score(0, (), 0)
    reasons = [Reason(f"{first.detection}: {'; '.join(first.reasons) or 'base confidence'}", first.confidence)]
    left, shown = 1.0 - ordered[0].share, first.confidence
    for part, kind in zip(ordered[1:], _walk(ordered, weights)[1]):
        alert, weight, why = part.alert, weights[kind], _words(kind, part.alert)
        if weight and part.old:
            weight, why = weight / 2, f"{why}, older than {fusion.half_after_hours:g} h"
        left *= 1.0 - weight * part.share
        total = round(100 * (1.0 - left))
        reasons.append(Reason(f"{alert.detection} at {alert.confidence}: {why} (weight {weight:g})", total - shown))
        shown = total
    return Score(shown, tuple(reasons), first.confidence)


_SAID = (
    "shares an event with one above", "same IP, device or credential", "same layer {}", "a correlation is no layer",
    "another layer ({}), another cause",
)  # fmt: skip


def _words(kind: int, alert: Alert) -> str:
    return _SAID[kind].format(alert.layer)
