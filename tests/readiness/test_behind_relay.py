"""A CyberArk behind a relay that is down: said with what to do, in bounded time; nothing is repaired, the others go on.

There are relays inside Splunk only: its hourly check asks by `ask`; drill and look are the code of the command line.
"""

from __future__ import annotations

import contextlib
import time
from dataclasses import replace
from pathlib import Path
from typing import Any, Callable, Dict, Iterator, List, Mapping

import pytest

from responders import pipeline
from responders.containment.responder import Timing
from responders.drill.world import Person, World
from responders.escalation.channels import File
from responders.model import Tier
from responders.readiness.ask import ask
from responders.readiness.grants import of_policy
from responders.surfaces.command_line.validate_still import still_contained
from responders.vendors import relay_wire as wire
from responders.vendors.open import ClientPool
from responders.vendors.transport import Limits
from tests.bench.fixture import unlimited
from tests.readiness.test_canary import KNOWN
from tests.relay.premises import NAME, Inline, MemoryQueue, relayed
from tests.support import raw_alert


class Dead(MemoryQueue):
    """A relay that takes each request, and dies before it answers."""

    def __init__(self) -> None:
        super().__init__()
        self.docs[f"s/{NAME}/{wire.stamp(time.time() + 3600)}-dead"] = {}

    def create(self, key: str, doc: Mapping[str, Any]) -> bool:
        if key.startswith("r/"):
            super().create(f"c/{key[2:]}", {"by": "dead"})
        return super().create(key, doc)


@contextlib.contextmanager
def no_relay(world: World, folder: Path) -> Iterator[MemoryQueue]:
    yield MemoryQueue()


@contextlib.contextmanager
def relay_that_dies(world: World, folder: Path) -> Iterator[MemoryQueue]:
    yield Dead()


@contextlib.contextmanager
def no_vault(world: World, folder: Path) -> Iterator[MemoryQueue]:
    with Inline(world, folder / "relay") as relay:
        world.cyberark.down = True
        yield relay.queue
        world.cyberark.down = False


WAYS: Dict[str, Callable[[World, Path], contextlib.AbstractContextManager[MemoryQueue]]] = {
    f"relay {NAME} has not asked Splunk for work: start it": no_relay,
    f"relay {NAME} took the request and did not answer": relay_that_dies,
    "no answer": no_vault,
}


@pytest.mark.parametrize("said", WAYS)
def test_it_is_said_and_nothing_is_repaired(world: World, tmp_path: Path, said: str) -> None:
    """By readiness, by validate with --repair, by the canary drill; Okta and Entra ID are asked, drilled and restored."""
    people = {name: world.add_person(name) for name in ("alice", "canary")}
    told = tmp_path / "told.jsonl"
    direct = world.responder(
        *(replace(person.identity(), canary=name == "canary") for name, person in people.items()), catalogue=KNOWN,
        policy=unlimited(), channels=(File("f", str(told)),),
        timing=Timing(deadline=4.0, confirm_patience=0.2, retry_due=0.0),
    )  # fmt: skip
    pipeline.contain(raw_alert(people["alice"], confidence=95), direct)
    with WAYS[said](world, tmp_path) as queue:
        connections = tuple(relayed("cyberark") if c.vendor == "cyberark" else c for c in world.connections)
        pool = ClientPool(connections, limits=Limits(total=1.5), queue=queue)
        responder = replace(direct, clients=pool)
        before = changes(world)
        asked = {item.connection.vendor: item for item in ask(pool, connections, of_policy(direct.policy.actions), 20.0)}
        assert {vendor: item.readiness.authenticated for vendor, item in asked.items()} == {
            "okta": True, "entra": True, "cyberark": False,
        }  # fmt: skip
        assert said in asked["cyberark"].readiness.problem
        still = still_contained(responder, 30.0, repair=True)
        assert still.ok is False
        assert still.problems and all("can't be read: cyberark." in line for line in still.problems), still
        assert "`tourniquet readiness`" in still.to_do[0]
        assert changes(world) == before
        drilled = pipeline.drill_canary("canary", Tier.REVOKE, responder)
        lanes = {lane.vendor: lane for lane in drilled.lanes}
        assert (drilled.works, bool(lanes["cyberark"].problem)) == (False, True)
        assert (lanes["okta"].problem, lanes["entra"].problem) == ("", "")
        assert changes(world) == before
        pool.close()
    assert "a path is BROKEN" in told.read_text()
    assert state(world, people["canary"]) == ("ACTIVE", True, True)
    assert state(world, people["alice"]) == ("SUSPENDED", False, False)


def state(world: World, person: Person) -> tuple[Any, Any, Any]:
    okta, entra, cyberark = world.okta.state["users"], world.graph.state["users"], world.cyberark.state["users"]
    return okta[person.okta]["status"], entra[person.entra]["accountEnabled"], cyberark[person.cyberark]["enabled"]


def changes(world: World) -> List[str]:
    """Changes that reached CyberArk."""
    return [r.path for r in world.cyberark.requests if r.method != "GET" and "/auth/" not in r.path.lower()]
