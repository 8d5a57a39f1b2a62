"""(b), (f): a responder that stays, with connections, tokens and ids ready; and what the attacker still could do."""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Callable, Dict, List, Tuple

from responders.drill.attacker import Attacker
from responders.pipeline import contain
from tests.bench.company import Call, Company
from tests.bench.fixture import VENDORS, alert, responder
from tests.bench.relay import ROUND_TRIP

_Seen = Tuple[float, str, str, str, str]


@dataclass(frozen=True)
class Warm:
    """Seconds from the alert: until each vendor was confirmed, all were, and `contain` returned; attacker's last success.

    `calls` are the requests to the simulators until all was confirmed, `vault_calls` the method and path template of Vault's
    on `entity`. `trips` counts by vendor the requests of the longest chain, one sent after another was answered.
    """

    vendors: Dict[str, float]
    confirmed: float
    returned: float
    attacker: Dict[str, float] = field(default_factory=dict)
    calls: List[Call] = field(default_factory=list)
    vault_calls: List[Tuple[str, str]] = field(default_factory=list)
    entity: str = ""
    trips: Dict[str, int] = field(default_factory=dict)


def runs(company: Company, folder: Path, count: int, *, attacked: bool = False) -> List[Warm]:
    """So many containments by one responder, after one that is not counted."""
    people = [company.person(f"{folder.name}-{number}") for number in range(count + 1)]
    folder.mkdir()
    made: List[_Seen] = []
    held = responder(company, people, folder, on_call=lambda *what: made.append((time.monotonic(), *what)))
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
        confirmed = max(ends.values())
        until = began + confirmed
        vault = [(method, path) for at, when, v, method, path in made if at < until and (when, v) == ("before", "vault")]
        calls = [call for call in company.calls() if call[0] < until]
        trips = {v: _chain([(at, when) for at, when, name, *_ in made if name == v and at < until]) for v in VENDORS}
        found.append(Warm(ends, confirmed, returned, last, calls, vault, person.entity, trips))
        time.sleep(0.2)
    return found[1:]


def _chain(seen: List[Tuple[float, str]]) -> int:
    """How many requests waited for one another, at the least: each was sent after the one before was answered."""
    sent = [at for at, when in seen if when == "before"]
    answered = [at for at, when in seen if when == "after"]
    count, now = 0, 0.0
    while any(at >= now for at in sent):
        first = min(at for at in sent if at >= now)
        count += 1
        now = min((at for at in answered if at >= first + ROUND_TRIP), default=float("inf"))
    return count


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
