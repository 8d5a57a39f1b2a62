"""Every CyberArk and Vault action works through a relay: its rules and its filter of answers take away nothing needed."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any, Iterator, Tuple

import pytest

from responders.drill.world import World
from responders.model import Status
from responders.readiness.check import check
from responders.vendors.open import ClientPool
from tests.actions.cases import CASES, action_of
from tests.actions.conftest import shared_vault, vault  # noqa: F401 - fixtures
from tests.actions.route import through_restore
from tests.actions.test_every_action import prove
from tests.actions.vault_cases import VAULT_CASES
from tests.relay.premises import Inline
from tests.support import step_of


@pytest.fixture
def cyberark(world: World, tmp_path: Path) -> Iterator[Tuple[World, Inline]]:
    """A vault for each test: the cases all call their person alice."""
    with Inline(world, tmp_path / "relay") as inline:
        yield world, inline


@pytest.fixture(scope="module")
def behind(shared_vault: Any, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Tuple[Any, Inline]]:  # noqa: F811
    bench, _ = shared_vault
    with Inline(bench.world, tmp_path_factory.mktemp("relay")) as inline:
        yield bench, inline


def proved(case: Any, name: str, world: World, inline: Inline) -> None:
    """The attacker is shut out through the relay, and let in again by restore where there is an undo."""
    action, step = step_of(action_of(name), case.account, *case.evidence)
    pool = inline.pool(case.account.vendor)
    api = pool.get(case.account.vendor, case.account.tenant)
    assert api is not None
    before = action.check(api, step)
    prove(action, step, case, api, action.apply)
    if not action.irreversible:
        responder = replace(world.responder(catalogue={}), clients=pool)
        outcome = through_restore(responder, step, before)
        assert outcome.status is Status.CONFIRMED, outcome.proof
        assert case.works()


@pytest.mark.parametrize("name", sorted(name for name in CASES if name.startswith("cyberark.")))
def test_cyberark(name: str, cyberark: Tuple[World, Inline]) -> None:
    """On the simulated PVWA."""
    world, inline = cyberark
    proved(CASES[name](world), name, world, inline)


@pytest.mark.engine("openbao")
@pytest.mark.parametrize("name", sorted(VAULT_CASES))
def test_vault(name: str, behind: Tuple[Any, Inline]) -> None:
    """On a real OpenBao."""
    bench, inline = behind
    proved(VAULT_CASES[name](bench), name, bench.world, inline)


@pytest.mark.engine("openbao")
def test_readiness(behind: Tuple[Any, Inline], cyberark: Tuple[World, Inline]) -> None:
    """The readiness check asks through the relay too, and learns as much."""
    for world, inline in ((behind[0].world, behind[1]), cyberark):
        direct = ClientPool(world.connections)
        for vendor in ("cyberark", "vault") if world.bao is not None else ("cyberark",):
            asked, expected = inline.pool(vendor).get(vendor, "default"), direct.get(vendor, "default")
            assert asked is not None and expected is not None
            assert check(asked) == check(expected)
            assert check(asked).authenticated
        direct.close()
