"""A desk: a service of this process, its alerts in a real Elasticsearch, its vendors simulated."""

from __future__ import annotations

from typing import Any, Iterator, List

import pytest

from responders.drill.world import World
from responders.surfaces.service import due_loop
from tests.service.desk import Desk
from tests.service.front import Front
from tests.service.processes import Running


@pytest.fixture
def front(elasticsearch_url: str) -> Iterator[Front]:
    with Front(elasticsearch_url) as found:
        yield found


@pytest.fixture
def desk(world: World, front: Front, monkeypatch: pytest.MonkeyPatch) -> Iterator[Desk]:
    monkeypatch.setattr(due_loop, "EVERY", 0.2)
    found = Desk(world, front)
    try:
        yield found
    finally:
        found.front.down.clear()
        found.front.instead = lambda method, path: None
        found.front.slow = 0.0
        found.close()


@pytest.fixture
def running(desk: Desk) -> Iterator[Any]:
    started: List[Running] = []

    def start(*, wait: bool = True) -> Running:
        started.append(Running(desk))
        return started[-1].ready() if wait else started[-1]

    yield start
    for item in started:
        if item.process.poll() is None:
            item.process.kill()
            item.process.wait(20)
        for stream in (item.process.stdout, item.process.stderr):
            if stream is not None:
                stream.close()
