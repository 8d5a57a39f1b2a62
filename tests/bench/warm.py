"""(b), (f): a responder that stays, with connections, tokens and ids ready; and what the attacker still could do."""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Callable, Dict, List

from responders.drill.attacker import Attacker
from responders.pipeline import contain
from tests.bench.company import Call, Company
from tests.bench.fixture import VENDORS, alert, responder


@dataclass(frozen=True)
class Warm:
    """Seconds from the alert: until each vendor was confirmed, all were, and `contain` returned; attacker's last success."""

    vendors: Dict[str, float]
    confirmed: float
    returned: float
    attacker: Dict[str, float] = field(default_factory=dict)
    calls: List[Call] = field(default_factory=list)
    vault_calls: int = 0


def runs(company: Company, folder: Path, count: int, *, attacked: bool = False) -> List[Warm]:
    """So many containments by one responder, after one that is not counted."""
    people = [company.person(f"{folder.name}-{number}") for number in range(count + 1)]
    folder.mkdir()
    made: List[str] = []
    held = responder(company, people, folder, on_call=lambda when, vendor, *_: made.append(f"{when} {vendor}"))
    found = []
    for person in people:
        company.calls()
        made.clear()
        watch = _Attack(Attacker(company.world(), person).tries()) if attacked else None
        if watch is not None:
            watch.start()
        began, wall = time.monotonic(), time.time()
        report = contain(alert(person), held)
        returned = time.monotonic() - began
        last = watch.stop(began) if watch is not None else {}
        bad = [f"{o.step.action}: {o.proof}" for o in report.outcomes if not o.status.holds]
        if bad:
            raise RuntimeError(f"not contained everywhere: {bad}")
        ends = {v: max(o.at.timestamp() for o in report.outcomes if o.step.account.vendor == v) - wall for v in VENDORS}
        found.append(Warm(ends, max(ends.values()), returned, last, company.calls(), made.count("before vault")))
        time.sleep(0.2)
    return found[1:]


class _Attack:
    """Uses every way in again and again, one thread a vendor, and remembers when each worked last."""

    def __init__(self, tries: Dict[str, Callable[[], bool]]) -> None:
        self._tries = tries
        self._last: Dict[str, float] = {}
        self._over = threading.Event()
        self._threads = [threading.Thread(target=self._use, args=(vendor,), daemon=True) for vendor in VENDORS]

    def start(self) -> None:
        for thread in self._threads:
            thread.start()
        time.sleep(0.2)

    def stop(self, began: float) -> Dict[str, float]:
        """Seconds from `began` until the start of the last call that worked, by vendor."""
        time.sleep(0.3)
        self._over.set()
        for thread in self._threads:
            thread.join(10)
        if any(call() for call in self._tries.values()):
            raise RuntimeError("a way in still works after containment")
        return {vendor: max(0.0, at - began) for vendor, at in self._last.items()}

    def _use(self, vendor: str) -> None:
        while not self._over.is_set():
            for name, call in self._tries.items():
                began = time.monotonic()
                if name.startswith(vendor) and call():
                    self._last[vendor] = max(began, self._last.get(vendor, 0.0))
            time.sleep(0.005)
