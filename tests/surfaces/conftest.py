"""A user's desk beside simulated vendors."""

from __future__ import annotations

import pytest

from responders.drill.world import World
from tests.surfaces.office import Office


@pytest.fixture
def office(world: World) -> Office:
    return Office(world)
