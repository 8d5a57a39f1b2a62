"""How long `validate` reads open containments: `python -m tests.bench.still [COUNT]` prints the table of docs/readiness.md.

COUNT people (1,000) are contained at Okta, Entra ID and CyberArk, each 50 ms away, and read back: as quickly as it goes;
with Okta's 600 calls a minute, its minute scaled to WINDOW seconds; and with a CyberArk that takes connections and never
answers.
"""

from __future__ import annotations

import resource
import socket
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Any, Dict, List, Optional

from responders.containment.responder import Responder, Timing
from responders.drill.world import Person
from responders.pipeline import contain
from responders.surfaces.command_line.validate_still import still_contained
from responders.vendors.open import ClientPool
from tests.bench.company import Company, Limit
from tests.bench.fixture import alert, responder

WINDOW = 12.0
"""Seconds that stand for Okta's minute: so many calls as fast as that are still well below what the simulators serve."""
_A_MINUTE = 600
_AT_ONCE = 50
_VENDORS = ("okta", "entra", "cyberark")


def main() -> None:
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 1000
    with Company() as company, tempfile.TemporaryDirectory(prefix="tourniquet-still-") as folder:
        people = company.people([f"p{number}" for number in range(count)], _VENDORS)
        held = responder(company, people, Path(folder))
        for first in range(0, count, _AT_ONCE):
            _contain(company, people[first : first + _AT_ONCE], Path(folder) / str(first), held)
        print("| | seconds | CPU s | MB | calls | refused | came of it |\n|---|---|---|---|---|---|---|")
        _row(company, held, "no limit", None)
        _row(company, held, f"Okta's {_A_MINUTE} a minute, a minute being {WINDOW:g} s", Limit(_A_MINUTE, WINDOW))
        with closing(socket.create_server(("127.0.0.1", 0), backlog=4096)) as silent:
            url = f"http://127.0.0.1:{silent.getsockname()[1]}"
            pool_ = ClientPool(tuple(replace(c, url=url) if c.vendor == "cyberark" else c for c in company.connections))
            _row(company, replace(held, clients=pool_), "CyberArk silent", None)


def _contain(company: Company, people: List[Person], folder: Path, held: Responder) -> None:
    """Contain some by a responder of their own, and take its containments over: a thousand within an hour are slow to judge,
    for each looks at all that were contained in it."""
    folder.mkdir()
    own = responder(company, people, folder, timing=Timing(deadline=60.0))
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda person: contain(alert(person), own), people))
    for prefix in ("open/", "e/c-"):
        for key, doc in own.journal.store.scan(prefix):
            held.journal.store.create(key, doc)


def _row(company: Company, held: Responder, what: str, limit: Optional[Limit]) -> None:
    for client in held.clients.all():
        if what != "CyberArk silent":
            client.warm()  # type: ignore[attr-defined]
    company.calls()
    if limit is not None:
        company.limit({"okta": limit})
        time.sleep(1 - time.time() % 1)  # windows begin with a whole second
    began, cpu = time.monotonic(), time.process_time()
    found = still_contained(held, 20 * 60.0, repair=False)
    took, cpu = time.monotonic() - began, time.process_time() - cpu
    company.limit({"okta": None})
    made: Dict[str, int] = {}
    refused = 0
    calls: List[Any] = company.calls()
    for call in calls:
        made[call[1]] = made.get(call[1], 0) + 1
        refused += call[7] == 429
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
    said = found.problems[0] if found.problems else found.note
    each = ", ".join(f"{vendor} {number}" for vendor, number in sorted(made.items()))
    print(f"| {what} | {took:.0f} | {cpu:.0f} | {peak} | {each} | {refused} | {said} |", flush=True)


if __name__ == "__main__":
    main()
