"""What a relay costs: `python -m tests.bench.through_relay`. Prints a table for docs/relay.md.

Search head, splunkd, relay and CyberArk are on one machine, so it is the cost of the queue and of polling; the answer to the
relay's poll, its claim and its answer each add a round trip of the real way to Splunk.
"""

from __future__ import annotations

import statistics
import tempfile
import time
from functools import partial
from pathlib import Path
from typing import Any, Callable, Dict, List

from responders.drill.world import World
from responders.splunk.relay_queue import KvRelayQueue
from responders.vendors.open import ClientPool
from tests.relay.premises import Premises, relayed

RUNS = 40


def timed(call: Callable[[], Any], runs: int) -> List[float]:
    """Seconds of each run."""
    found = []
    for _ in range(runs):
        began = time.perf_counter()
        call()
        found.append(time.perf_counter() - began)
    return found


def ways(runs: int = RUNS) -> Dict[str, List[float]]:
    """Seconds of each call, direct and through a relay."""
    found: Dict[str, List[float]] = {}
    with tempfile.TemporaryDirectory() as folder, World(Path(folder) / "world", vault=False) as world:
        premises = Premises(world, Path(folder) / "premises")
        premises.start()
        user = world.cyberark.add_user("alice")
        direct = ClientPool(world.connections).get("cyberark", "default")
        through = ClientPool((relayed("cyberark"),), queue=KvRelayQueue(premises.office.client())).get("cyberark", "default")
        assert direct is not None and through is not None
        for name, client in (("direct", direct), ("through a relay", through)):
            client.warm()
            found[name] = timed(partial(client.call, "GET", "/API/Users/{}", ids=(user,)), runs)
        premises.close()
    return found


def main() -> None:
    for name, found in ways().items():
        print(f"| {name} | {statistics.median(found) * 1000:.0f} ms | {min(found) * 1000:.0f}–{max(found) * 1000:.0f} |")


if __name__ == "__main__":
    main()
