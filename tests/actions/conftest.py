"""One real OpenBao for a module's Vault tests, behind a relay that injects faults."""

from __future__ import annotations

from typing import Any, Iterator, List, Tuple

import pytest

from responders.drill.world import World
from responders.surfaces.relay.rules import RULES
from responders.vendors.base import BaseClient
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


@pytest.fixture(autouse=True)
def _a_relay_lets_it_through(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Every call that an action makes at CyberArk or Vault is one that a relay's rules know, and so is what is in it."""
    refused: List[str] = []

    def watched(what: str, method: str, client: BaseClient, template: str, more: Any) -> None:
        query, body = set(more.get("query") or ()), set(more.get("body") or ())
        known = [
            rule for rule in RULES[client.vendor] if (rule.what, rule.method, rule.template) == (what, method, template)
        ]
        if not any(query <= set(rule.query) and body <= set(rule.body) for rule in known):
            refused.append(f"{client.vendor}: {what} {method} {template} {query or ''} {body or ''}")

    call, items = BaseClient.call, BaseClient.items

    def calls(client: BaseClient, method: str, template: str, **more: Any) -> Any:
        if client.vendor in RULES and "lookup-self" not in template:  # a client's own question
            watched("call", method, client, template, more)
        return call(client, method, template, **more)

    def lists(client: BaseClient, template: str, **more: Any) -> Any:
        if client.vendor in RULES and set(more.get("query") or ()) != {"search"}:  # a client's own question
            watched("items", "GET", client, template, more)
        return items(client, template, **more)

    monkeypatch.setattr(BaseClient, "call", calls)
    monkeypatch.setattr(BaseClient, "items", lists)
    yield
    assert not refused, "a relay would refuse it: add it to its rules, and think of who else may send it"
