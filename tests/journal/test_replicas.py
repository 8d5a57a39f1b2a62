"""Several responders over one Elasticsearch journal, killed at random under load: each identity is contained once."""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any, Dict, List, Set

import pytest

from responders import pipeline
from responders.containment.record import all_containments, load
from responders.containment.responder import Timing
from responders.drill.attacker import Attacker
from responders.drill.world import World
from responders.elastic.cluster import Cluster
from responders.inventory.resolve import Inventory
from responders.journal.chain import Journal
from responders.journal.elasticsearch import ElasticStore
from responders.model import Status
from responders.settings import ElasticSettings
from tests.bench.fixture import unlimited
from tests.catalogue import CATALOGUE
from tests.journal.conformance import elastic_journal
from tests.support import raw_alert

pytestmark = pytest.mark.engine("elasticsearch")
ROOT = Path(__file__).parent.parent.parent
PEOPLE, ALERTS, KILLS = 8, 2, 4


class Replicas:
    """Processes that share a journal and all alerts."""

    def __init__(self, given: Dict[str, Any]) -> None:
        self._given = json.dumps(given) + "\n"
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.journal.replica"],
            cwd=ROOT, text=True, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
        )  # fmt: skip
        assert self._line() == "ready"
        self.alive: Set[int] = set()
        self.killed = 0

    def _line(self) -> str:
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        assert line, "the replicas' parent ended"
        return line.strip()

    def start(self) -> None:
        assert self._process.stdin is not None
        self._process.stdin.write(self._given)
        self._process.stdin.flush()

    def run(self, count: int, chance: random.Random) -> None:
        """Until every replica that lives has nothing left; one is killed after some more writes, and another one started."""
        idle: Set[int] = set()
        for _ in range(count):
            self.start()
        started, until = count, chance.randint(10, 60)
        while len(self.alive) < started - self.killed or not self.alive <= idle:
            pid, what = self._line().split(" ", 1)
            assert not what.startswith("failed"), what
            if what == "began":
                self.alive.add(int(pid))
            elif what == "idle":
                idle.add(int(pid))
            until -= what == "wrote"
            if until <= 0 and self.killed < KILLS and self.alive:
                dead = chance.choice(sorted(self.alive))
                os.kill(dead, signal.SIGKILL)
                self.alive.discard(dead)
                self.killed += 1
                self.start()
                started += 1
                until = chance.randint(10, 60)

    def stop(self) -> None:
        for pid in self.alive:
            os.kill(pid, signal.SIGKILL)
        self._process.kill()
        self._process.communicate()


@pytest.mark.parametrize("count", [2, 3])
def test_each_is_contained_once_and_nothing_is_lost(elasticsearch_url: str, tmp_path: Path, count: int) -> None:
    """Sixteen alerts on eight people, each given to every replica: one containment and one suspension each, all handled."""
    with elastic_journal(elasticsearch_url) as index, World(tmp_path, vault=False) as world:
        people = [world.add_person(f"p{number}", vendors=("okta", "entra")) for number in range(PEOPLE)]
        rows = [raw_alert(person, tq_events=[f"event-{n}"]) for person in people for n in range(ALERTS)]
        inventory = Inventory([person.identity() for person in people])
        given = {
            "url": elasticsearch_url, "index": index, "key": world.key.decode(), "folder": str(tmp_path), "rows": rows,
            "inventory": inventory.to_json(),
            "connections": [
                {
                    "vendor": c.vendor, "tenant": c.tenant, "url": c.url, "plain": dict(c.plain),
                    "settings": dict(c.settings), "secrets": {name: secret.reveal() for name, secret in c.secrets.items()},
                }
                for c in world.connections
            ],
        }  # fmt: skip
        replicas = Replicas(given)
        try:
            replicas.run(count, random.Random(count))
            assert replicas.killed == KILLS
        finally:
            replicas.stop()
        cluster = Cluster(ElasticSettings((elasticsearch_url,)))
        journal = Journal(ElasticStore(cluster, index), world.key)
        last = world.responder(catalogue=CATALOGUE, journal=journal, policy=unlimited(), timing=Timing(confirm_patience=0.2))
        pipeline.take_up(last)
        assert [pipeline.contain(row, last).containment for row in rows]
        containments: List[str] = [name for name, _ in all_containments(journal)]
        assert sorted(about["identity"] for _, about in all_containments(journal)) == sorted(p.name for p in people)
        for containment in containments:
            record = load(journal, containment)
            assert record.open and record.outcomes
            assert all(
                outcome.status in (Status.CONFIRMED, Status.ALREADY, Status.ACCEPTED) for outcome in record.outcomes.values()
            )
        for person in people:
            path = f"/users/{person.okta}/lifecycle/suspend"
            done = [r for r in world.okta.requests if r.path.endswith(path) and r.status == 200]
            assert len(done) == 1, person.name
            works = Attacker(world, person).works()
            assert not any(works[name] for name in works if "password" not in name), (person.name, works)
        handled = {doc["chain"] for _, doc in journal.store.scan("e/a-") if doc["kind"] == "handled"}
        assert len(handled) == len(rows)
        assert journal.verify() == []
        cluster.close()
