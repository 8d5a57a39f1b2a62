"""One backtest: a policy over past alerts, or two of them side by side; for people, machines and the policy's record."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Dict, List, Mapping, Optional, Sequence, Tuple

from responders.backtest.replay import ASSUMED, Assumptions, Containment
from responders.backtest.summary import Change, Shift, Summary, differ, shifts
from responders.inventory.resolve import Inventory


@dataclass(frozen=True)
class Bad:
    """A row that is no alert, and why."""

    place: str
    why: str


@dataclass(frozen=True)
class Result:
    """`total` rows are the `bad`, those `early` (before the time asked for), and those judged or repeated.

    `proposed` and `changes` are None and empty with one policy. Times are UTC.
    """

    made: datetime
    seconds: float
    begin: datetime
    end: datetime
    total: int
    bad: Tuple[Bad, ...]
    early: int
    closed: Mapping[str, int]
    inventory: str
    population: int
    as_is: Summary
    proposed: Optional[Summary]
    changes: Tuple[Change, ...]
    assumed: Assumptions

    @property
    def shifts(self) -> Tuple[Shift, ...]:
        """The changes in numbers."""
        return shifts(self.changes)

    @property
    def any_closed(self) -> bool:
        """Whether any alert says as what it was closed: else nobody knows what was right."""
        return any(name for name in self.closed)

    @property
    def last(self) -> Summary:
        """Of the policy that is asked about: the one proposed, else the one as it is."""
        return self.proposed or self.as_is


def compare(
    runs: Sequence[Summary], *, bad: Sequence[Bad], early: int, total: int, made: datetime, seconds: float,
    inventory: Inventory, assumed: Assumptions,
) -> Result:  # fmt: skip
    """The result of one run, or of two: as it is, then as proposed."""
    first = runs[0]
    text = inventory.to_json().encode("utf-8", "surrogatepass")
    return Result(
        made, seconds, first.begin, first.end, total, tuple(bad), early, first.closed,
        "sha256:" + hashlib.sha256(text).hexdigest(), inventory.population,
        first, runs[1] if len(runs) > 1 else None, differ(first, runs[1]) if len(runs) > 1 else (), assumed,
    )  # fmt: skip


def as_record(result: Result, policy: str, against: str, source: str, asked_days: float) -> Dict[str, Any]:
    """What `policy build` asks for: of which policy, over which alerts, what came of it. `source`: file, splunk, elastic."""
    last = result.last
    return {
        "backtest": 1, "policy": policy, "against": against, "made": result.made.isoformat(), "inventory": result.inventory,
        "population": result.population, "source": source, "asked_days": asked_days, "begin": result.begin.isoformat(),
        "end": result.end.isoformat(), "rows": result.total, "bad": len(result.bad),
        "judged": last.judged, "restricted": last.restricted, "revoked": last.revoked, "wrong": len(last.wrong),
        "storms": len(last.storms),
    }  # fmt: skip


def as_json(result: Result) -> Dict[str, Any]:
    """All of it for machines, no list cut."""
    both = {"as_is": result.as_is, "proposed": result.proposed}
    return {
        "backtest": 1, "made": result.made.isoformat(), "seconds": round(result.seconds, 3),
        "begin": result.begin.isoformat(), "end": result.end.isoformat(), "rows": result.total, "early": result.early,
        "bad": [{"place": item.place, "why": item.why} for item in result.bad],
        "closed": {name or "open": count for name, count in sorted(result.closed.items())},
        "inventory": result.inventory, "population": result.population,
        "assumed": [{"guard": guard, "assumed": text} for guard, text in ASSUMED],
        "closed_after_hours": result.assumed.closed_after.total_seconds() / 3600,
        **{name: None if found is None else _summary(found) for name, found in both.items()},
        "shifts": [
            {"before": s.before.label, "after": s.after.label, "identities": s.identities, "better": s.better,
             "worse": s.worse}
            for s in result.shifts
        ],
        "changes": [
            {"identity": c.identity, "before": c.before.label, "after": c.after.label, "confidence": c.confidence,
             "wrong": c.wrong, "true_positive": c.proved, "dependents": list(c.dependents)}
            for c in result.changes
        ],
    }  # fmt: skip


def _summary(found: Summary) -> Dict[str, Any]:
    return {
        "policy": found.policy, "judged": found.judged, "repeated": found.repeated, "nobody": found.nobody,
        "outdated": found.outdated, "identities": found.identities, "restricted": found.restricted, "revoked": found.revoked,
        "unmapped": found.unmapped, "disputed": found.disputed, "true_positive": found.proved,
        "missed": [{"identity": name, "confidence": confidence} for name, confidence in found.missed],
        "containments": _containments(found.containments), "wrong": len(found.wrong),
        "guards": [{"guard": g.guard, "alerts": g.alerts, "identities": g.identities} for g in found.guards],
        "dependents": [
            {"dependent": h.dependent, "revoked": list(h.revoked), "restricted": list(h.restricted)}
            for h in found.dependents
        ],
        "storms": [
            {"begin": s.begin.isoformat(), "end": s.end.isoformat(), "contained": s.contained, "held": s.held,
             "identities": s.identities, "detections": dict(s.detections)}
            for s in found.storms
        ],
        "hours": [
            {"at": h.at.isoformat(), "restricted": h.restricted, "revoked": h.revoked, "held": h.held} for h in found.hours
        ],
        "detections": [
            {"detection": b.name, "restricted": b.restricted, "revoked": b.revoked, "wrong": b.wrong}
            for b in found.detections
        ],
    }  # fmt: skip


def _containments(found: Sequence[Containment]) -> List[Dict[str, Any]]:
    return [
        {
            "identity": c.identity.id, "kind": c.identity.kind, "tier": c.tier.label, "opened": c.opened.isoformat(),
            "raised": c.raised.isoformat(), "detection": c.detection, "confidence": c.confidence, "alerts": c.alerts,
            "dependents": list(c.identity.dependents), "owner": c.identity.owner, "wrong": c.wrong,
            "closed": sorted(filter(None, c.closed)),
        }
        for c in found
    ]  # fmt: skip
