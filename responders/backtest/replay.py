"""Replays past alerts through inventory and policy: the decisions of `decide`, on facts that a simulated hour gives.

What only a vendor or a person could say is assumed, and `ASSUMED` says how.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Callable, Dict, FrozenSet, List, Mapping, Optional, Sequence, Set, Tuple

from responders.actions import registry
from responders.backtest.past import TRUE, WRONG, Past
from responders.backtest.places import Places
from responders.backtest.window import Window
from responders.containment.facts import can_act, each_candidate
from responders.containment.judge import UNTOUCHABLE, each_chosen, guarded
from responders.inventory.resolve import meant
from responders.inventory.store import InventoryStore
from responders.model import Alert, Decision, Facts, Identity, Tier, Use
from responders.policy.decide import decide
from responders.policy.guards import cap
from responders.policy.policy import Policy

ASSUMED: Tuple[Tuple[str, str], ...] = (
    ("own credentials", "no vendor was asked as whom the responder signs in: taken as no account of the inventory"),
    ("last administrator", "no vendor was asked who its administrators are: taken as enough of them left"),
    ("unauthenticated ingest", "no vendor's log was asked: no event counts as confirmed"),
    ("halt", "automation is taken as never halted"),
    ("asker's right", "no clicks are replayed: each alert is judged as automatic, and takes no analyst's place"),
)
"""Guards that a vendor's or a person's state decides, and what is assumed instead."""
_HOUR = timedelta(hours=1)


@dataclass(frozen=True)
class Assumptions:
    """`closed_after`: a containment is over so long after its last alert, as if restored or closed then.

    `unauthenticated` are detections whose events anybody could send (setting `unauthenticated_ingest`).
    """

    closed_after: timedelta = timedelta(hours=24)
    unauthenticated: FrozenSet[str] = frozenset()


@dataclass(frozen=True)
class Judged:
    """One alert as this policy judges it. `who` is "" when nobody is meant, then `note` says why.

    `wanted` is the tier by confidence alone, `held` the guards that lowered it, `decision` whole for tests and details.
    """

    past: Past
    who: str
    tier: Tier
    wanted: Tier
    confidence: int
    held: Tuple[str, ...] = ()
    note: str = ""
    containment: Optional[Containment] = field(default=None, compare=False)


@dataclass
class Containment:
    """What would have been one containment: open from `opened` to `until`, raised at `raised` to its tier."""

    identity: Identity
    tier: Tier
    opened: datetime
    raised: datetime
    until: datetime
    detection: str
    confidence: int
    closed_by: str
    """As what the customer closed the alert that raised it to its tier; `closed` holds that of every alert on it."""
    closed: Set[str] = field(default_factory=set)
    alerts: int = 1

    @property
    def wrong(self) -> bool:
        """True when the customer closed what raised it as false or benign, and nothing on it as true."""
        return self.closed_by in WRONG and TRUE not in self.closed


@dataclass(frozen=True)
class Replay:
    """`judged` in the order of time; `repeated` alerts were the same finding again, and are judged once."""

    policy: Policy
    judged: Tuple[Judged, ...]
    containments: Tuple[Containment, ...]
    repeated: int = 0


def replay(
    pasts: Sequence[Past],
    inventory: InventoryStore,
    policy: Policy,
    catalogue: Mapping[str, Any],
    assumed: Assumptions,
    *,
    seen: Callable[[Identity, Decision], None] = lambda identity, decision: None,
    step: Callable[[], None] = lambda: None,
) -> Replay:
    """Judge each alert in the order in which the SIEM raised them, at one moment the strongest first.

    `seen` is given each decision, `step` is called once an alert. Raises InventoryError.
    """
    course = _Course(inventory, policy, catalogue, assumed, seen)
    known: Set[Tuple[Any, ...]] = set()
    judged: List[Judged] = []
    ordered = in_order(pasts)
    for item in ordered:
        step()
        same = _same(item.alert)
        if same in known:
            continue
        known.add(same)
        judged.append(course.judge(item))
    return Replay(policy, tuple(judged), tuple(course.containments), len(ordered) - len(judged))


def in_order(pasts: Sequence[Past]) -> List[Past]:
    """As the alerts were raised; of those of one moment the strongest first."""
    return sorted(pasts, key=lambda item: (item.at, -item.alert.confidence, item.alert.finding, item.alert.detection))


class _Course:
    """What the responder would know by now: alerts by identity, places taken in the blast radius, open containments."""

    def __init__(
        self, inventory: InventoryStore, policy: Policy, catalogue: Mapping[str, Any], assumed: Assumptions,
        seen: Callable[[Identity, Decision], None],
    ) -> None:  # fmt: skip
        self._inventory, self._policy, self._catalogue = inventory, policy, catalogue
        self._assumed, self._seen = assumed, seen
        self._windows: Dict[str, Window] = {}
        self._places = Places()
        self._last: Dict[str, Containment] = {}
        self._groups: Dict[str, Tuple[Tier, bool]] = {}
        self._population = inventory.population
        self._restorers = frozenset(name for name in inventory.restorers if can_act(inventory.identity(name)))
        self._restoring, self._away, self._taken = self._restorers, frozenset[str](), set[str]()
        self.containments: List[Containment] = []

    def judge(self, item: Past) -> Judged:
        alert, now = item.alert, item.at
        found = meant(alert, self._inventory)
        if found.identity is None:
            return Judged(item, "", Tier.OBSERVE, Tier.OBSERVE, alert.confidence, note=found.why)
        identity = found.identity
        window = self._windows.get(identity.id)
        if window is None:
            window = self._windows[identity.id] = Window()
        floor = (now - timedelta(hours=24)).replace(microsecond=0)
        alerts = (*window.strongest(floor, alert.id), alert)
        window.add(alert, self._group(alert.detection))
        last = self._last.get(identity.id)
        current = last if last is not None and now < last.until else None
        decision = decide(alerts, identity, self._facts(identity, now), self._policy, self._catalogue, now)
        self._seen(identity, decision)
        lowered = [(Tier[name[5:].upper()], guard) for name, guard in decision.refused if name.startswith("tier ")]
        wanted = max((tier for tier, _ in lowered), default=decision.tier)
        held = tuple(dict.fromkeys(guard for _, guard in lowered))
        note = ""
        if last is not None and current is None and alert.completed_at <= last.until:
            note = "its completing event is older than the end of the last containment"
        else:
            current = self._contain(item, identity, decision, alerts, current)
        return Judged(item, identity.id, decision.tier, wanted, decision.confidence, held, note, current)

    def _contain(
        self, item: Past, identity: Identity, decision: Decision, alerts: Tuple[Alert, ...], current: Optional[Containment]
    ) -> Optional[Containment]:
        """Open a containment, or go on with the open one."""
        tier, now = decision.tier, item.at
        until = now + self._assumed.closed_after
        if tier > Tier.OBSERVE:
            reached = self._places.reached(identity.id)
            if tier > reached or current is None:
                acts, reachable = self._acts(decision, identity, alerts)
            else:
                acts = reachable = False
            if tier > reached and reachable:
                self._places.add(Use(identity.id, tier, item.alert.detection, now, guarded(identity), False))
            if current is None and acts:
                detection, score = item.alert.detection, decision.confidence
                current = Containment(identity, tier, now, now, until, detection, score, item.closed, {item.closed})
                self._last[identity.id] = current
                if identity.id in self._restorers:
                    self._taken.add(identity.id)
                self.containments.append(current)
                return current
        if current is None or {reason.guard for reason in decision.reasons} & UNTOUCHABLE:
            return None
        if tier > current.tier:
            current.tier, current.raised, current.detection = tier, now, item.alert.detection
            current.closed_by = item.closed
        current.confidence = max(current.confidence, decision.confidence)
        current.closed.add(item.closed)
        current.alerts += 1
        current.until = until
        return current

    def _acts(self, decision: Decision, identity: Identity, alerts: Tuple[Alert, ...]) -> Tuple[bool, bool]:
        """Whether anything would be done or asked for, and whether at a vendor: each of its accounts counts as reachable."""
        since = min(alert.started_at for alert in alerts)
        steps = each_chosen(decision, each_candidate(decision.actions, identity, alerts, since, 1))
        acts = next(steps, None) is not None
        unreached = any(account.vendor not in registry.VENDORS for account in identity.accounts)
        return acts or bool(decision.approval) or unreached, acts

    def _facts(self, identity: Identity, now: datetime) -> Facts:
        self._places.forget(now - _HOUR)
        return Facts(
            restorers=self._left(now),
            places=self._places.others(identity.id),
            population=self._population,
            unauthenticated=self._assumed.unauthenticated,
        )

    def _left(self, now: datetime) -> FrozenSet[str]:
        """Who can restore and is not contained."""
        taken = frozenset(name for name in self._taken if now < self._last[name].until)
        if taken != self._away:
            self._away, self._restoring = taken, self._restorers - taken
        return self._restoring

    def _group(self, detection: str) -> Tuple[Tier, bool]:
        """Alerts that guards set aside together: by how far their detection goes alone, and by who could send its events."""
        found = self._groups.get(detection)
        if found is None:
            found = (cap(self._catalogue.get(detection)), detection in self._assumed.unauthenticated)
            self._groups[detection] = found
        return found


def _same(alert: Alert) -> Tuple[Any, ...]:
    return (alert.finding, alert.detection, alert.accounts, alert.confidence, alert.evidence)
