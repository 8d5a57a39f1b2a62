"""(e): many identities at once, under the vendors' rate limits."""

from __future__ import annotations

import math
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Dict, List, Mapping, Optional, Tuple

from responders.containment.responder import Timing
from responders.pipeline import contain
from responders.surfaces.splunk_alert import Log, _contain_all
from responders.surfaces.splunk_results import Payload
from tests.bench.company import Call, Company, Limit
from tests.bench.fixture import alert, responder

LIMITS: Dict[str, Optional[Limit]] = {"okta": Limit(300, 4.0), "entra": Limit(400, 4.0), "cyberark": None}
"""Far below what this machine serves (see `freely`), so that the limits are measured and not its processors.

Okta's is the narrower one for both tiers, as it is in life: what the limits allow is then one vendor's windows.
"""
_BLOCKS = {"revoke": "/lifecycle/suspend", "restrict": "/groups/"}


@dataclass(frozen=True)
class Burst:
    """Seconds until all were contained; the least that the limits allow for the calls made; calls and 429s by vendor.

    `late_revokes` counts revoke blocks that came after the first block of a restrict.
    """

    took: float
    allowed: float
    calls: Dict[str, int]
    refused: Dict[str, int]
    revokes: int
    restricts: int
    late_revokes: int
    open: int

    @property
    def ratio(self) -> float:
        return self.took / self.allowed


def run(company: Company, folder: Path, count: int) -> Burst:
    """Half of the identities at confidence 95 (revoke), half at 60 (restrict), in one alert of `count` rows."""
    took, open_ones = _contain(company, folder, count, LIMITS)
    return _read(company.calls(), took, open_ones)


def freely(company: Company, folder: Path, count: int) -> float:
    """Seconds for so many identities without limits: what processors and round trips alone take."""
    return _contain(company, folder, count, dict.fromkeys(LIMITS))[0]


def _contain(company: Company, folder: Path, count: int, limits: Dict[str, Optional[Limit]]) -> Tuple[float, int]:
    """Seconds, and how many steps do not hold."""
    folder.mkdir()
    people = company.people([f"{folder.name}{number}" for number in range(count)], ("okta", "entra"))
    rows = [alert(person, confidence=95 if number % 2 else 60) for number, person in enumerate(people)]
    held = responder(company, people, folder, timing=Timing(deadline=60.0))
    for client in held.clients.all():  # type: ignore[attr-defined]
        client.warm()
    company.calls()
    reports: List[Any] = []

    def one(row: Mapping[str, Any]) -> Any:
        reports.append(contain(row, held))
        return reports[-1]

    company.limit(limits)
    time.sleep(1 - time.time() % 1)  # windows begin with a whole second: the first one with us
    began = time.monotonic()
    _contain_all(rows, one, Payload("bench", "bench", {}, ()), Log("/dev/null"), math.inf, [])
    took = time.monotonic() - began
    company.limit(dict.fromkeys(LIMITS))
    return took, sum(not o.status.holds for report in reports for o in report.outcomes)


def _read(calls: List[Call], took: float, open_ones: int) -> Burst:
    made: Dict[str, int] = {}
    refused: Dict[str, int] = {}
    for call in calls:
        group = refused if call[7] == 429 else made
        group[call[1]] = group.get(call[1], 0) + 1
    allowed = max(
        (math.ceil(made.get(vendor, 0) / limit.calls) - 1) * limit.window for vendor, limit in LIMITS.items() if limit
    )
    blocks = {
        tier: [c[0] for c in calls if c[1] == "okta" and c[2] in ("POST", "PUT") and part in c[3] and c[7] < 300]
        for tier, part in _BLOCKS.items()
    }
    first = min(blocks["restrict"], default=math.inf)
    late = sum(at > first for at in blocks["revoke"])
    return Burst(took, allowed, made, refused, len(blocks["revoke"]), len(blocks["restrict"]), late, open_ones)
