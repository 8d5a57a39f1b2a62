"""What a replay comes to, in numbers and lists; and how two of them differ. Pure."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Dict, List, Mapping, Sequence, Tuple

from responders.backtest.past import BENIGN, FALSE, TRUE, WRONG
from responders.backtest.replay import Containment, Judged, Replay
from responders.model import Tier

_HOUR = timedelta(hours=1)
STORM = "blast radius"


@dataclass(frozen=True)
class Hour:
    """One hour in which something happened: identities newly restricted and revoked, alerts that the blast radius held."""

    at: datetime
    restricted: int
    revoked: int
    held: int


@dataclass(frozen=True)
class Storm:
    """Hours on end in which the blast radius held alerts back. `detections` by how many it held, the most first."""

    begin: datetime
    end: datetime
    contained: int
    held: int
    identities: int
    detections: Tuple[Tuple[str, int], ...]


@dataclass(frozen=True)
class Held:
    """What one guard held back: alerts, and identities among them."""

    guard: str
    alerts: int
    identities: int


@dataclass(frozen=True)
class Hit:
    """A dependent, and the identities it would have lost at tier revoke, or found restricted."""

    dependent: str
    revoked: Tuple[str, ...]
    restricted: Tuple[str, ...]


@dataclass(frozen=True)
class By:
    """Containments by something: a detection, say. `wrong` of them the customer closed as false or benign."""

    name: str
    restricted: int
    revoked: int
    wrong: int


@dataclass(frozen=True)
class Summary:
    """One policy over the alerts. Every alert is one of `judged`, `repeated`; those are of somebody or of `nobody`.

    `missed` are identities with an alert closed as true positive that would not have been contained, with their highest
    confidence.
    """

    policy: str
    judged: int
    repeated: int
    nobody: int
    outdated: int
    identities: int
    restricted: int
    revoked: int
    containments: Tuple[Containment, ...]
    wrong: Tuple[Containment, ...]
    disputed: int
    proved: int
    missed: Tuple[Tuple[str, int], ...]
    unmapped: int
    guards: Tuple[Held, ...]
    dependents: Tuple[Hit, ...]
    storms: Tuple[Storm, ...]
    hours: Tuple[Hour, ...]
    detections: Tuple[By, ...]
    kinds: Tuple[By, ...]
    begin: datetime
    end: datetime
    closed: Mapping[str, int]
    """Alerts by what the customer closed them as, "" for those that nobody did."""
    scores: Mapping[str, int]
    """The highest confidence of each identity."""


@dataclass(frozen=True)
class Change:
    """One identity that the two policies treat differently. `wrong`: the customer closed its alerts as false or benign."""

    identity: str
    before: Tier
    after: Tier
    confidence: int
    wrong: bool
    proved: bool
    dependents: Tuple[str, ...]

    @property
    def closed(self) -> str:
        """As what the customer closed its alerts, in words."""
        return ", ".join(word for word, so in ((f"{FALSE} or {BENIGN}", self.wrong), (TRUE, self.proved)) if so)

    @property
    def further(self) -> bool:
        """True when the second policy goes further."""
        return self.after > self.before

    @property
    def worse(self) -> bool:
        """True when the customer's word is against it: further on what was false, less far on what was true."""
        return self.wrong if self.further else self.proved

    @property
    def better(self) -> bool:
        """True when the customer's word is for it."""
        return self.proved and not self.wrong if self.further else self.wrong


@dataclass(frozen=True)
class Shift:
    """Identities that went from one tier to another; of how many of them the customer's word is for that, and against."""

    before: Tier
    after: Tier
    identities: int
    better: int
    worse: int


def shifts(changes: Sequence[Change]) -> Tuple[Shift, ...]:
    """The changes counted, those first that go further."""
    found: Dict[Tuple[Tier, Tier], List[Change]] = {}
    for change in changes:
        found.setdefault((change.before, change.after), []).append(change)
    counted = [
        Shift(*tiers, len(each), sum(c.better for c in each), sum(c.worse for c in each)) for tiers, each in found.items()
    ]
    return tuple(sorted(counted, key=lambda s: (s.before - s.after, -s.after)))


def summarise(found: Replay) -> Summary:
    """Count it."""
    every = found.containments
    wrong = tuple(c for c in every if c.wrong)
    contained = {c.identity.id for c in every}
    true: Dict[str, int] = {}
    for item in found.judged:
        if item.past.closed == TRUE and item.who and item.who not in contained:
            true[item.who] = max(true.get(item.who, 0), item.confidence)
    scores: Dict[str, int] = {}
    for item in found.judged:
        scores[item.who] = max(scores.get(item.who, 0), item.confidence)
    hours = _hours(found)
    return Summary(
        policy=found.policy.version,
        judged=len(found.judged),
        repeated=found.repeated,
        nobody=sum(not item.who for item in found.judged),
        outdated=sum(bool(item.who and item.note) for item in found.judged),
        identities=len(contained),
        restricted=sum(c.tier is Tier.RESTRICT for c in every),
        revoked=sum(c.tier is Tier.REVOKE for c in every),
        containments=every,
        wrong=wrong,
        disputed=sum(bool(c.closed & {*WRONG}) and TRUE in c.closed for c in every),
        proved=sum(TRUE in c.closed for c in every),
        missed=tuple(sorted(true.items())),
        unmapped=sum(c.identity.unmapped for c in every),
        guards=_guards(found.judged),
        dependents=_dependents(every),
        storms=_storms(found.judged, hours),
        hours=hours,
        detections=_by(every, {id(c): c.detection for c in every}),
        kinds=_by(every, {id(c): f"{c.identity.kind}, {c.identity.criticality}, {c.identity.environment}" for c in every}),
        begin=found.judged[0].past.at,
        end=found.judged[-1].past.at,
        closed=Counter(item.past.closed for item in found.judged),
        scores=scores,
    )


def differ(before: Summary, after: Summary) -> Tuple[Change, ...]:
    """Identities whose highest tier differs, those first that a new policy takes further, then those it is wrong about."""
    one, two = _highest(before), _highest(after)
    changes: List[Change] = []
    for who in sorted({*one, *two}):
        was, becomes = one.get(who), two.get(who)
        old = was.tier if was else Tier.OBSERVE
        new = becomes.tier if becomes else Tier.OBSERVE
        known = becomes or was
        if old is not new and known is not None:
            both = [c for c in (was, becomes) if c is not None]
            proved = any(TRUE in c.closed for c in both)
            wrong = any(c.wrong for c in both)
            changes.append(
                Change(
                    who,
                    old,
                    new,
                    max(before.scores.get(who, 0), after.scores.get(who, 0)),
                    wrong,
                    proved,
                    known.identity.dependents,
                )
            )
    return tuple(sorted(changes, key=lambda c: (c.before - c.after, not c.worse, -c.confidence, c.identity)))


def _highest(found: Summary) -> Dict[str, Containment]:
    highest: Dict[str, Containment] = {}
    for item in found.containments:
        if item.identity.id not in highest or highest[item.identity.id].tier < item.tier:
            highest[item.identity.id] = item
    return highest


def _guards(judged: Sequence[Judged]) -> Tuple[Held, ...]:
    alerts: Counter[str] = Counter()
    who: Dict[str, set[str]] = {}
    for item in judged:
        for guard in item.held:
            alerts[guard] += 1
            who.setdefault(guard, set()).add(item.who)
    return tuple(Held(guard, count, len(who[guard])) for guard, count in sorted(alerts.items(), key=lambda i: (-i[1], i[0])))


def _dependents(every: Sequence[Containment]) -> Tuple[Hit, ...]:
    hit: Dict[str, Tuple[set[str], set[str]]] = {}
    for item in every:
        for name in item.identity.dependents:
            revoked, restricted = hit.setdefault(name, (set(), set()))
            (revoked if item.tier is Tier.REVOKE else restricted).add(item.identity.id)
    found = [Hit(name, tuple(sorted(a)), tuple(sorted(b))) for name, (a, b) in hit.items()]
    return tuple(sorted(found, key=lambda h: (-len(h.revoked), -len(h.restricted), h.dependent)))


def _hours(found: Replay) -> Tuple[Hour, ...]:
    counts: Dict[datetime, List[int]] = {}
    for item in found.containments:
        counts.setdefault(_hour(item.raised), [0, 0, 0])[int(item.tier) - 1] += 1
    for judged in found.judged:
        if STORM in judged.held:
            counts.setdefault(_hour(judged.past.at), [0, 0, 0])[2] += 1
    return tuple(Hour(at, *values) for at, values in sorted(counts.items()))


def _storms(judged: Sequence[Judged], hours: Sequence[Hour]) -> Tuple[Storm, ...]:
    """The largest first: lists are cut."""
    blocks: List[List[Hour]] = []
    for hour in hours:
        if not hour.held:
            continue
        if blocks and hour.at - blocks[-1][-1].at <= _HOUR:
            blocks[-1].append(hour)
        else:
            blocks.append([hour])
    held: Dict[datetime, List[Judged]] = {}
    for item in judged:
        if STORM in item.held:
            held.setdefault(_hour(item.past.at), []).append(item)
    storms: List[Storm] = []
    for block in blocks:
        inside = [item for hour in block for item in held[hour.at]]
        loud = tuple(Counter(item.past.alert.detection for item in inside).most_common(3))
        contained, who = sum(hour.restricted + hour.revoked for hour in block), len({item.who for item in inside})
        storms.append(Storm(block[0].at, block[-1].at + _HOUR, contained, len(inside), who, loud))
    return tuple(sorted(storms, key=lambda storm: (-storm.held, storm.begin)))


def _by(every: Sequence[Containment], names: Mapping[int, str]) -> Tuple[By, ...]:
    counts: Dict[str, List[int]] = {}
    for item in every:
        count = counts.setdefault(names[id(item)], [0, 0, 0])
        count[int(item.tier) - 1] += 1
        count[2] += item.wrong
    found = [By(name, *count) for name, count in counts.items()]
    return tuple(sorted(found, key=lambda b: (-b.restricted - b.revoked, b.name)))


def _hour(at: datetime) -> datetime:
    return at.replace(minute=0, second=0, microsecond=0)
