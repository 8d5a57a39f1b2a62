"""One real OpenBao for a module's Vault tests, behind a relay that injects faults."""

from __future__ import annotations

from typing import Iterator, Tuple

import pytest

from responders.drill.world import World
from tests.actions.vault_bench import Database, Relay, mount_database
from tests.actions.vault_cases import VaultBench, prepare


@pytest.fixture(scope="module")
def shared_vault(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Tuple[VaultBench, Relay]]:
    with World(tmp_path_factory.mktemp("vault")) as world, Database() as database:
        assert world.bao is not None
        with Relay(world.bao) as relay:
            mount_database(world.bao, database)
            bench = VaultBench(world, database)
            prepare(bench)
            world.connections = tuple(relay.connection(c) if c.vendor == "vault" else c for c in world.connections)
            yield bench, relay


@pytest.fixture
def vault(shared_vault: Tuple[VaultBench, Relay]) -> Iterator[Tuple[VaultBench, Relay]]:
    """The shared OpenBao with nothing going wrong at the start, nor after the test."""
    bench, relay = shared_vault
    yield bench, relay
    relay.faults.clear()
    relay.requests.clear()
