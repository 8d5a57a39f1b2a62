"""`python -m tests.bench.backtest [ALERTS]`: 100,000 alerts of a month, under two policies. Goal: 60 s on two cores.

Synthetic: 20,000 identities, a few so noisy that thousands of alerts are on one of them, and a storm of one detection. It
is a process of its own, since its figure is of one long computation and not of a response.
"""

from __future__ import annotations

import json
import os
import random
import sys
import tempfile
import time
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any, Dict, Iterator, List

from responders.inventory.resolve import Inventory
from responders.model import Account, Identity
from responders.surfaces.assemble import read_catalogue
from responders.surfaces.command_line.main import main as tourniquet
from responders.surfaces.command_line.policies import DEFAULT

GOAL = 60.0
PEOPLE = 20_000


def inventory() -> Inventory:
    """People, and a service for each tenth of them."""
    found: List[Identity] = []
    for number in range(PEOPLE):
        service = number % 10 == 0
        account = Account("okta", "corp", "app" if service else "user", f"{'0oa' if service else '00u'}{number:017d}")
        dependents = ("checkout",) if number % 50 == 0 else ()
        level = "privileged" if number % 97 == 0 else "normal"
        kind = "service" if service else "human"
        found.append(Identity(f"id-{number}", kind, "a team", level, "production", False, (account,), dependents))
    return Inventory(found, {}, frozenset({"id-1", "id-2"}))


def rows(count: int, end: datetime) -> Iterator[Dict[str, Any]]:
    """Alerts over 30 days. One in five is on one of ten noisy identities, one in twenty belongs to the storm."""
    chance = random.Random(7)
    slugs = sorted(read_catalogue())
    for number in range(count):
        seconds = chance.uniform(0, 30 * 86400)
        detection = chance.choice(slugs)
        who = chance.randrange(10) if number % 5 == 0 else int(PEOPLE * chance.random() ** 3)
        if number % 20 == 0:
            seconds, detection = 15 * 86400 + chance.uniform(0, 7200), slugs[0]
        at = end - timedelta(days=30) + timedelta(seconds=seconds)
        service = who % 10 == 0
        account = f"okta:corp:{'0oa' if service else '00u'}{who:017d}"
        yield {
            "_time": at.isoformat(), "tq_detection": detection, "tq_account": account,
            "tq_account_kind": "app" if service else "user", "tq_confidence": str(chance.randrange(10, 100)),
            "tq_reasons": ["+50 synthetic", "+20 too"], "tq_events": [f"event-{number}", f"shared-{number // 3}"],
            "tq_causes": [f"ip:192.0.2.{chance.randrange(250)}"], "tq_completed_at": at.isoformat(),
            "tq_finding": f"{detection}|{account}|{number}",
            "disposition": chance.choice(["", "", "disposition:3", "disposition:1"]),
        }  # fmt: skip


def main() -> int:
    """Replay, and say how long it took."""
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 100_000
    with tempfile.TemporaryDirectory() as folder:
        held, alerts = Path(folder) / "inventory.json", Path(folder) / "alerts.jsonl"
        held.write_text(inventory().to_json())
        with alerts.open("w") as handle:
            handle.writelines(json.dumps(row) + "\n" for row in rows(count, datetime.now(timezone.utc)))
        began, before = time.monotonic(), os.times()
        page = str(Path(folder) / "page.html")
        policy = str(DEFAULT)
        tourniquet(["policy", "backtest", str(alerts), "--inventory", str(held), "--policy", policy, "--html", page])
        took, after = time.monotonic() - began, os.times()
    used = after.user - before.user + after.system - before.system
    other = after.children_user - before.children_user + after.children_system - before.children_system
    sys.stdout.write(
        f"{count} alerts: {took:.1f} s, cores busy {used:.1f} s and {other:.1f} s (goal {GOAL:.0f} s for 100000)\n"
    )
    return 0 if took <= GOAL * count / 100_000 else 1


if __name__ == "__main__":
    sys.exit(main())
