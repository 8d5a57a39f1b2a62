"""The vendors in a process of their own, so that they do not share the responder's interpreter."""

from __future__ import annotations

import multiprocessing
import tempfile
import time
from dataclasses import dataclass, replace
from pathlib import Path
from types import SimpleNamespace, TracebackType
from typing import Any, Callable, Dict, List, Optional, Tuple, Type

from responders.drill.world import Person, World
from responders.settings import Connection
from tests.bench.relay import Relay

Call = Tuple[float, str, str, str, Dict[str, str], Any, bool, int]
"""When (time.monotonic(), one clock for all processes), vendor, method, path, query, body, whether it was a form, status."""


@dataclass(frozen=True)
class Limit:
    """So many calls in a window of so many seconds."""

    calls: int
    window: float


class Company:
    """Started on entering. `connections` lead through the relays; `direct` are the URLs without them."""

    def __init__(self) -> None:
        context = multiprocessing.get_context("spawn")
        self._pipe, other = context.Pipe()
        self._process = context.Process(target=_serve, args=(other,), daemon=True)
        self.connections: Tuple[Connection, ...] = ()
        self.direct: Dict[str, str] = {}

    def __enter__(self) -> Company:
        self._process.start()
        self.connections, self.direct = self._pipe.recv()
        return self

    def __exit__(
        self, kind: Optional[Type[BaseException]], error: Optional[BaseException], trace: Optional[TracebackType]
    ) -> None:
        self._pipe.send(("stop", ()))
        self._process.join(15)

    def person(self, name: str, vendors: Tuple[str, ...] = ("okta", "entra", "cyberark", "vault")) -> Person:
        """A new person with live access at these vendors."""
        found: Person = self._ask("person", name, vendors)
        return found

    def people(self, names: List[str], vendors: Tuple[str, ...]) -> List[Person]:
        found: List[Person] = self._ask("people", names, vendors)
        return found

    def calls(self) -> List[Call]:
        """Requests to the three simulators since the last time this was asked."""
        found: List[Call] = self._ask("calls")
        return found

    def connected(self) -> List[float]:
        """When connections came in (time.monotonic()) since the last time this was asked."""
        found: List[float] = self._ask("connected")
        return found

    def limit(self, limits: Dict[str, Optional[Limit]]) -> None:
        """Rate limits by vendor, None for no limit; the windows begin with the whole second of the next call."""
        self._ask("limit", limits)

    def world(self) -> Any:
        """What drill.attacker needs of a world: URLs without the relays' delay."""
        return SimpleNamespace(
            okta=SimpleNamespace(url=self.direct["okta"]),
            graph=SimpleNamespace(url=self.direct["entra"], login=self.direct["login"]),
            cyberark=SimpleNamespace(url=self.direct["cyberark"]),
            vault_url=self.direct["vault"],
        )

    def _ask(self, what: str, *arguments: Any) -> Any:
        self._pipe.send((what, arguments))
        if not self._pipe.poll(120):
            raise RuntimeError(f"the simulated vendors did not answer {what}")
        return self._pipe.recv()


def _serve(pipe: Any) -> None:
    with tempfile.TemporaryDirectory() as folder, World(Path(folder)) as world:
        sims = {"okta": world.okta, "entra": world.graph, "cyberark": world.cyberark}
        direct = {**{name: sim.url for name, sim in sims.items()}, "vault": world.vault_url, "login": world.graph.login}
        fronts = [Relay(direct[name]) for name in ("okta", "entra", "cyberark", "vault")]
        relays = dict(zip(("okta", "entra", "cyberark", "vault"), (front.url for front in fronts)))
        for name, sim in sims.items():
            sim.url = relays[name]  # next pages, audiences and the authority are named as the client sees them
        found = [replace(c, url=relays[c.vendor]) for c in world.connections]
        found = [
            replace(c, plain={**c.plain, "login": world.graph.login}) if c.vendor == "entra" else c for c in found
        ]  # fmt: skip
        pipe.send((tuple(found), direct))
        seen = dict.fromkeys(sims, 0)
        while True:
            what, arguments = pipe.recv()
            if what == "stop":
                return
            if what == "connected":
                pipe.send([at for front in fronts for at in front.accepted])
                for front in fronts:
                    front.accepted.clear()
                continue
            pipe.send(_ANSWERS[what](world, sims, seen, *arguments))


def _people(world: World, sims: Any, seen: Any, names: List[str], vendors: Tuple[str, ...]) -> List[Person]:
    return [world.add_person(name, vendors=vendors) for name in names]


def _person(world: World, sims: Any, seen: Any, name: str, vendors: Tuple[str, ...]) -> Person:
    return world.add_person(name, vendors=vendors)


def _calls(world: World, sims: Any, seen: Dict[str, int]) -> List[Call]:
    found: List[Call] = []
    for name, sim in sims.items():
        with sim.lock:
            fresh = sim.requests[seen[name] :]
            seen[name] += len(fresh)
        for item in fresh:
            form = "x-www-form" in str({k.lower(): v for k, v in item.headers.items()}.get("content-type", ""))
            found.append((item.at, name, item.method, item.path, dict(item.query), item.body, form, item.status))
    return sorted(found, key=lambda item: item[0])


def _limit(world: World, sims: Any, seen: Any, limits: Dict[str, Optional[Limit]]) -> None:
    for name, given in limits.items():
        sims[name].over_limit = _counter(sims[name], given)
        sims[name].limited = _refusal(sims[name])


class _Window:
    def __init__(self) -> None:
        self.start, self.used = 0.0, 0


def _counter(sim: Any, limit: Optional[Limit]) -> Callable[[], Any]:
    window = sim.bench_window = _Window()

    def over() -> Tuple[bool, Any]:
        if limit is None:
            return False, {}
        with sim.lock:
            now = time.time()
            if now >= window.start + limit.window:
                # On whole seconds, which is what Okta tells; one window follows the other without a gap.
                passed = int((now - window.start) // limit.window) if window.start else 0
                window.start = window.start + passed * limit.window if passed else float(int(now))
                window.used = 0
            window.used += 1
            sim.bench_reset = window.start + limit.window
            left = max(0, limit.calls - window.used)
            return window.used > limit.calls, sim.headers_of(left, limit.calls, sim.bench_reset)

    return over


def _refusal(sim: Any) -> Callable[[], Any]:
    def limited() -> Any:
        answer = sim.error(429, "too many requests")
        left = max(0.0, sim.bench_reset - time.time())
        return replace(answer, headers={"Retry-After": f"{left:.3f}"})

    return limited


_ANSWERS: Dict[str, Callable[..., Any]] = {"person": _person, "people": _people, "calls": _calls, "limit": _limit}
