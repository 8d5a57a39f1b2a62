"""What a vendor does later than it says: the outcome is `accepted` or waited for, never green too early."""

from __future__ import annotations

import time
from typing import Any, Iterator, Tuple

import pytest

from responders.drill.world import World
from responders.model import Status
from responders.vendors.open import ClientPool
from tests.actions.cases import CASES, Case
from tests.actions.route import through_the_lane
from tests.support import step_of

Found = Tuple[Any, Any, Case, Any]


@pytest.fixture
def pool(world: World) -> Iterator[ClientPool]:
    found = ClientPool(world.connections)
    yield found
    found.close()


def ready(name: str, world: World, pool: ClientPool) -> Found:
    case = CASES[name](world)
    action, step = step_of(name, case.account, *case.evidence)
    return action, step, case, pool.get(case.account.vendor, case.account.tenant)


def test_an_okta_deactivation_under_way_is_accepted(world: World, pool: ClientPool) -> None:
    """While it runs the user still signs in: `accepted`, no second request that Okta would refuse, then confirmed."""
    world.okta.deactivation_seconds = 30.0
    action, step, case, api = ready("okta.deactivate_user", world, pool)
    before = action.check(api, step)
    action.apply(api, step, before)
    assert action.confirm(api, step, before).status is Status.ACCEPTED
    assert case.works()
    action.apply(api, step, action.check(api, step))
    world.okta.clock = lambda: time.time() + 31
    assert action.confirm(api, step, before).status is Status.CONFIRMED
    assert not case.works()


def test_an_entra_read_that_lags_is_read_again(world: World) -> None:
    """The first reads after the change still show the user enabled: the lane asks again before it says anything."""
    case = CASES["entra.disable_user"](world)
    world.graph.stale_reads = 2
    _, step = step_of("entra.disable_user", case.account)
    outcome = through_the_lane(world.responder(catalogue={}), step)
    assert outcome.status is Status.CONFIRMED, outcome.proof
    assert len([r for r in world.graph.requests if r.method == "PATCH"]) == 1, "changed again instead of read again"
    assert world.graph.stale_reads == 0, "the late reads were never met"


def test_an_entra_session_start_that_lags_is_not_taken_for_proof(world: World, pool: ClientPool) -> None:
    """Graph still shows the old start of sessions: `accepted`, and confirmed when the new one is readable."""
    action, step, _, api = ready("entra.revoke_sign_in_sessions", world, pool)
    before = action.check(api, step)
    world.graph.stale_reads = 1
    action.apply(api, step, before)
    assert action.confirm(api, step, before).status is Status.ACCEPTED
    assert action.confirm(api, step, before).status is Status.CONFIRMED


def test_a_system_log_that_lags_is_waited_for(world: World, pool: ClientPool) -> None:
    """Sessions are ended at once, and their proof comes with the System Log: `accepted` until then."""
    world.okta.log_lag = 30.0
    action, step, case, api = ready("okta.clear_sessions", world, pool)
    before = action.check(api, step)
    action.apply(api, step, before)
    assert not case.works()
    assert action.confirm(api, step, before).status is Status.ACCEPTED
    world.okta.clock = lambda: time.time() + 31
    assert action.confirm(api, step, before).status is Status.CONFIRMED


@pytest.mark.parametrize("name", ["cyberark.change_password", "cyberark.reconcile_password"])
def test_a_marked_password_is_not_a_changed_one(name: str, world: World, pool: ClientPool) -> None:
    """PVWA only marks the account: `accepted` while the attacker's password works, confirmed when the CPM has run."""
    world.cyberark.cpm_seconds = 60.0
    action, step, case, api = ready(name, world, pool)
    before = action.check(api, step)
    action.apply(api, step, before)
    assert action.confirm(api, step, before).status is Status.ACCEPTED
    assert case.works()
    world.cyberark.clock = lambda: time.time() + 61
    assert action.confirm(api, step, before).status is Status.CONFIRMED
    assert not case.works()


def test_a_cpm_that_fails_is_a_failure(world: World, pool: ClientPool) -> None:
    """The CPM could not change the password: it is told as failed, since the attacker's works on."""
    action, step, case, api = ready("cyberark.change_password", world, pool)
    before = action.check(api, step)
    action.apply(api, step, before)
    world.cyberark.cpm_fails = True
    outcome = action.confirm(api, step, before)
    assert (outcome.status, case.works()) == (Status.FAILED, True)
    assert "CPM failed" in outcome.proof


def test_a_user_mastered_on_premises_comes_back(world: World, pool: ClientPool) -> None:
    """Disabled in the cloud only: `accepted` with the next sync as the end of it and the AD step named."""
    person = world.add_person("alice")
    world.graph.state["users"][person.entra]["onPremisesSyncEnabled"] = True
    action, step = step_of("entra.disable_user", person.account("entra"))
    api = pool.get("entra", step.account.tenant)
    assert api is not None
    before = action.check(api, step)
    action.apply(api, step, before)
    outcome = action.confirm(api, step, before)
    assert outcome.status is Status.ACCEPTED and outcome.residual_until is not None
    assert "Active Directory" in outcome.proof
    world.graph.sync()
    assert not action.check(api, step).contained


def test_a_list_of_many_pages_is_read_to_its_end(world: World, pool: ClientPool) -> None:
    """What is to be cut stands on a later page of each vendor's list: it is found and cut all the same."""
    person = world.add_person("alice")
    for number in range(250):
        world.okta.add_grant(person.okta, f"app-{number}", "openid")
        world.graph.state["groups"][world.graph_group]["members"].append(f"somebody-{number}")
    for number in range(60):
        world.cyberark.add_member(f"safe-{person.name}", f"someone-{number}", {})
    members = world.cyberark.state["safes"][f"safe-{person.name}"]
    members[person.name] = members.pop(person.name)
    world.graph.state["groups"][world.graph_group]["members"].append(person.entra)
    for _ in range(50):
        world.okta.add_token(person.okta, "mobile-app")
    action, step = step_of("okta.revoke_grants", person.account("okta"))
    assert len(action.check(pool.get("okta", "default"), step).data["grants"]) == 251  # type: ignore[arg-type]
    action, step = step_of("okta.revoke_client_tokens", person.account("okta"))
    assert len(action.check(pool.get("okta", "default"), step).data["tokens"]["mobile-app"]) == 51  # type: ignore[arg-type]
    action, step = step_of("entra.quarantine_group", person.account("entra"))
    assert action.check(pool.get("entra", step.account.tenant), step).contained  # type: ignore[arg-type]
    evidence = ("cyberark.safe", f"safe-{person.name}")
    action, step = step_of("cyberark.remove_safe_member", person.account("cyberark"), evidence)
    assert not action.check(pool.get("cyberark", "default"), step).contained  # type: ignore[arg-type]
