"""`tourniquet serve --relay --check`: whether Splunk and the vendors can be reached, with these credentials."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import Any, Callable, Dict, List

from responders.errors import VendorError
from responders.parallel import run_all
from responders.surfaces.relay.config import load_config
from responders.surfaces.relay.run import LIMITS, remedy
from responders.surfaces.relay.state import State
from responders.surfaces.relay.uplink import Uplink
from responders.vendors.open import ClientPool

_SECONDS = 15.0


@dataclass(frozen=True)
class Found:
    """One thing that was looked at; `problem` is "" when it is well."""

    what: str
    problem: str = ""


def check(path: str) -> List[Found]:
    """Look at everything; what is wrong stops nothing else. It fetches no request. Raises BadInputs, BadSettings."""
    config = load_config(path)
    State(config.state).close()
    uplink, clients = Uplink(config), ClientPool(config.connections, limits=LIMITS)
    tasks: Dict[str, Callable[[], Any]] = {f"Splunk at {config.splunk}": lambda: uplink.poll(busy=False, wait=0.0)}
    tasks.update({f"sign-in at {client.vendor}:{client.tenant}": client.warm for client in clients.all()})
    found = [Found(f"settings {path}"), Found(f"state {config.state}")]
    try:
        for name, answer in run_all(tasks, time.monotonic() + _SECONDS).items():
            problem = str(answer) if isinstance(answer, Exception) else ""
            if isinstance(answer, VendorError) and answer.vendor == "splunk":
                problem += f". {remedy(answer)}"
            found.append(Found(name, problem))
    finally:
        uplink.close()
        clients.close()
    if not config.channels:
        found.append(Found("escalation", "nobody is told of refused requests: name a channel in escalation"))
    return found
