"""`python -m tests.bench.backtest [ALERTS]`: 100,000 alerts of a month, under two policies. Goal: 60 s on two cores.

Then a fifth as many within one hour, each on somebody else, under a policy whose limits hold nothing back. Prints JSON.

Synthetic: 20,000 identities, a few so noisy that thousands of alerts are on one of them, and a storm of one detection. It
is a process of its own, since its figure is of one long computation and not of a response.
"""

from __future__ import annotations

import contextlib
import io
import json
import os
import random
import resource
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


def inventory(people: int = PEOPLE) -> Inventory:
    """People, and a service for each tenth of them."""
    found: List[Identity] = []
    for number in range(people):
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


def storm(count: int, end: datetime) -> Iterator[Dict[str, Any]]:
    """Alerts of one detection within an hour, each on somebody else."""
    slug = sorted(read_catalogue())[0]
    for number in range(count):
        at = end - timedelta(hours=1) + timedelta(seconds=3500 * number / count)
        service = number % 10 == 0
        yield {
            "tq_detection": slug, "tq_account": f"okta:corp:{'0oa' if service else '00u'}{number:017d}",
            "tq_account_kind": "app" if service else "user", "tq_confidence": "97", "tq_events": [f"event-{number}"],
            "tq_completed_at": at.isoformat(), "tq_finding": f"storm-{number}",
        }  # fmt: skip


def boundless() -> Dict[str, Any]:
    """The default policy with limits that hold nothing back."""
    policy: Dict[str, Any] = json.loads(DEFAULT.with_suffix(".json").read_text())
    most = {"population_share": 1, "detection_share": 1, "kept_for_clicks": 0, "kept_for_automation": 0}
    policy["limits"].update(revokes=10**6, restricts=10**6, guarded=10**6, **most)
    return policy


def measured(folder: Path, given: Iterator[Dict[str, Any]], policy: str, *more: str) -> Dict[str, float]:
    """Seconds of a backtest over these alerts, and of each core."""
    alerts = folder / "alerts.jsonl"
    with alerts.open("w") as handle:
        handle.writelines(json.dumps(row) + "\n" for row in given)
    began, before = time.monotonic(), os.times()
    with contextlib.redirect_stdout(io.StringIO()):
        code = tourniquet(
            ["policy", "backtest", str(alerts), "--inventory", str(folder / "inventory.json"), "--as-is", policy, *more]
        )
    took, after = time.monotonic() - began, os.times()
    if code:
        raise RuntimeError(f"the backtest ended with {code}")
    used = after.user - before.user + after.system - before.system
    other = after.children_user - before.children_user + after.children_system - before.children_system
    return {"seconds": round(took, 1), "core": round(used, 1), "other_core": round(other, 1)}


def main() -> int:
    """Replay, and say how long it took."""
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 100_000
    now = datetime.now(timezone.utc)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "inventory.json").write_text(inventory().to_json())
        (folder / "boundless.json").write_text(json.dumps(boundless()))
        shipped = str(DEFAULT)
        month = measured(folder, rows(count, now), shipped, "--policy", shipped, "--html", str(folder / "page.html"))
        hour = measured(folder, storm(min(PEOPLE, count // 5), now), str(folder / "boundless.json"))
    peak = round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024)
    sys.stdout.write(json.dumps({"alerts": count, "month": month, "storm": hour, "megabytes": peak}) + "\n")
    return 0 if month["seconds"] <= GOAL * count / 100_000 else 1


if __name__ == "__main__":
    sys.exit(main())
