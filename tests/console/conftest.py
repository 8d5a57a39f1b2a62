"""One house for the tests of a module: each test has people of its own."""

from __future__ import annotations

from typing import Iterator

import pytest

from responders.drill.world import World
from tests.console.house import House


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    with World(tmp_path_factory.mktemp("console"), vault=False) as world, House(world) as found:
        yield found
