"""`python -m tests.bench [--quick]`: measure, write docs/bench.json and docs/bench.md, and say what missed its goal."""

from __future__ import annotations

import json
import os
import platform
import sys
import tempfile
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Dict, List, Optional

from tests.bench import apart, burst, clients, cold, service, through_relay, warm
from tests.bench.company import Company
from tests.bench.fixture import VENDORS, Spread, spread
from tests.bench.relay import CONNECT_TRIPS, ROUND_TRIP
from tests.bench.table import write
from tests.engines.elasticsearch import Elasticsearch

FOUR_TRIPS = 4 * ROUND_TRIP


@dataclass(frozen=True)
class Figure:
    """One line of the table. `goal` is the most that is allowed, None where a figure is only reported."""

    part: str
    what: str
    unit: str
    found: Spread
    goal: Optional[float] = None

    @property
    def missed(self) -> bool:
        return self.goal is not None and self.found.median > self.goal


def main() -> int:
    quick = "--quick" in sys.argv[1:]
    figures: List[Figure] = []
    notes: Dict[str, Any] = {}
    with Company() as company, tempfile.TemporaryDirectory(prefix="tourniquet-bench-") as name:
        folder = Path(name)
        figures += _cold(company, folder, 2 if quick else 7)
        found = warm.runs(company, folder / "warm", 2 if quick else 9)
        figures += _warm(found)
        compared = clients.compare(company, found, 1 if quick else 5)
        figures += _clients(compared, spread([w.confirmed for w in found]).median)
        notes["calls"] = compared.calls
        figures += _attacked(warm.runs(company, folder / "attacked", 2 if quick else 5, attacked=True))
        figures += _service(company, folder, 2 if quick else 7, 100 if quick else 1000)
        few, many = (20, 40) if quick else (100, 500)
        free = burst.freely(company, folder / "free", few)
        figures.append(Figure("e", f"{few} identities at once without limits", "s", spread([free])))
        all_at_once = burst.run(company, folder / "burst", many)
        notes["burst"] = {**asdict(all_at_once), "limits": {v: asdict(limit) for v, limit in burst.LIMITS.items() if limit}}
        if all_at_once.allowed:
            figures.append(
                Figure("e", f"{many} identities: time over what the limits allow", "×", spread([all_at_once.ratio]), 1.1)
            )
        figures.append(Figure("e", "revoke blocks later than a restrict's", "", spread([all_at_once.late_revokes]), 0))
    figures += _relay(10 if quick else through_relay.RUNS)
    for apart_from_it, size in ((_backtest, 1000 if quick else 100_000), (_inventory, 1000 if quick else 100_000)):
        try:
            figures += apart_from_it(size)
        except RuntimeError as error:  # the page says that it was not measured
            print(f"NOT MEASURED: {error}", file=sys.stderr)
    machine = {"cores": os.cpu_count(), "system": platform.platform(terse=True), "python": platform.python_version()}
    network = {"round_trip_s": ROUND_TRIP, "further_trips_of_a_new_connection": CONNECT_TRIPS}
    lines = [{**asdict(figure), "missed": figure.missed} for figure in figures]
    document = {"machine": machine, "network": network, "figures": lines, "notes": notes}
    if not quick:
        Path("docs/bench.json").write_text(json.dumps(document, indent=1, sort_keys=True) + "\n", encoding="utf-8")
        write(Path("docs/bench.md"), document)
    for figure in figures:
        goal = "" if figure.goal is None else f"goal {figure.goal:g}: {'MISSED' if figure.missed else 'met'}"
        print(f"({figure.part}) {figure.what}: {figure.found} {figure.unit} {goal}")
    print(json.dumps(notes))
    return 0


def _cold(company: Company, folder: Path, count: int) -> List[Figure]:
    home = cold.app(Path("build/bench").resolve())
    figures = []
    for version, program in cold.interpreters().items():
        found = []
        for number in range(count + 1):
            name = f"cold{version.replace('.', '')}-{number}"
            found.append(cold.start(program, home, company, company.person(name), folder / name))
        found = found[1:]  # the first one compiles
        figures += [
            Figure(
                "a", f"cold, Python {version}: all four vendors confirmed", "s", spread([c.confirmed for c in found]), 1.2
            ),
            Figure("a", f"cold, Python {version}: process ended", "s", spread([c.ended for c in found])),
            Figure("a", f"cold, Python {version}: peak memory", "MB", spread([c.megabytes for c in found]), 60.0),
            Figure("d", f"cold, Python {version}: first connection", "s", spread([c.first_byte for c in found]), 0.4),
        ]
    return figures


def _service(company: Company, folder: Path, count: int, storm: int) -> List[Figure]:
    ways = (
        ("webhook", "told by webhook", True, False, True),
        ("poller", "found by the poller", False, False, True),
        ("shared", "told by webhook, journal in Elasticsearch, which is near", True, True, False),
        ("far", "told by webhook, journal in Elasticsearch, 50 ms away", True, True, True),
    )
    figures, peak = [], []
    with Elasticsearch() as server:
        for name, what, webhook, journal, far in ways:
            found = service.run(
                company, server.url, folder / f"service-{name}", count, webhook=webhook, elastic_journal=journal, far=far
            )
            peak.append(found.megabytes)
            figures.append(Figure("g", f"{what}: all four vendors confirmed", "s", spread(found.confirmed), 1.5))
        figures.append(Figure("g", "peak memory", "MB", spread(peak), 150.0))
        took = service.storm(company, server.url, folder / "service-storm", storm)
        figures.append(Figure("g", f"{storm} webhooks stored, while it contains", "s", spread([took]), 10.0))
    return figures


def _relay(count: int) -> List[Figure]:
    found = through_relay.ways(count)
    return [Figure("k", f"a call, {name}", "ms", spread([1000 * took for took in each])) for name, each in found.items()]


def _backtest(alerts: int) -> List[Figure]:
    found = apart.backtest(alerts)
    month, storm = found["month"], found["storm"]
    return [
        Figure("h", f"{alerts:,} alerts of a month under two policies", "s", spread([month["seconds"]]), 60.0),
        Figure("h", "busy meanwhile: one core", "s", spread([month["core"]])),
        Figure("h", "busy meanwhile: the other core", "s", spread([month["other_core"]])),
        Figure("h", f"{alerts // 5:,} alerts of one hour, no limit", "s", spread([storm["seconds"]])),
        Figure("h", "peak memory of the first process", "MB", spread([found["megabytes"]])),
    ]


def _inventory(people: int) -> List[Figure]:
    found = apart.inventory(people)
    figures = [
        Figure("i", f"{vendor}, {people:,} people: vendor time", "s", spread([step["runs"][0]["vendor_seconds"]]), 600.0)
        for vendor, step in found.items()
        if "runs" in step
    ]
    for step in ("first sync", "second sync"):
        took, peak = found[step]["seconds"], found[step]["megabytes"]
        figures.append(Figure("i", f"{step}: by the clock, all vendors and joining", "s", spread([took])))
        figures.append(Figure("i", f"{step}: peak memory", "MB", spread([peak]), 300.0))
    return figures


def _warm(found: List[warm.Warm]) -> List[Figure]:
    goal = round(1.3 * FOUR_TRIPS, 3)
    per = [Figure("b", f"warm: {v} confirmed", "s", spread([w.vendors[v] for w in found]), goal) for v in VENDORS]
    trips = spread([max(w.trips.values()) for w in found])
    return [
        *per,
        Figure("b", "warm: all four confirmed", "s", spread([w.confirmed for w in found]), goal),
        Figure("b", "warm: requests one after another, at the vendor with most", "", trips),
    ]


def _clients(found: clients.Compared, warm_median: float) -> List[Figure]:
    count = sum(found.calls.values())
    return [
        Figure("c", f"the same {count} calls one after another, by the usual clients", "s", found.took),
        Figure("c", f"of that, Okta's {found.calls['okta']} by its official SDK", "s", found.okta),
        Figure("c", "times as long as warm (b)", "×", spread([found.took.median / warm_median])),
        *[Figure("c", f"importing {name}, not counted above", "s", spread([took])) for name, took in found.imports.items()],
    ]


def _attacked(found: List[warm.Warm]) -> List[Figure]:
    return [
        Figure("f", f"attacker's last successful call at {v}", "ms", spread([1000 * w.attacker.get(v, 0.0) for w in found]))
        for v in VENDORS
    ]


if __name__ == "__main__":
    sys.exit(main())
