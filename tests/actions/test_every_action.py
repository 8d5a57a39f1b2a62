"""What holds for each action: it declares itself, it closes the attacker's way, its undo gives everything back."""

from __future__ import annotations

import inspect
from typing import Any, Callable, Iterator, Tuple

import pytest

from responders.actions import registry
from responders.actions.action import Action
from responders.drill.simulators.server import Fault, Simulator
from responders.drill.world import World
from responders.errors import Forbidden, NotFound, OutcomeUnknown, RateLimited, Unavailable, VendorError
from responders.model import Account, Phase, Status, Step, Tier
from responders.vendors.open import ClientPool
from responders.vendors.transport import Limits
from tests.actions.cases import CASES, Case, action_of
from tests.actions.route import through_restore
from tests.support import step_of

QUICK = Limits(total=1.5, attempt=1.0, retries=2)


@pytest.fixture
def made(request: pytest.FixtureRequest, world: World) -> Iterator[Tuple[Action, Step, Case, Any, Simulator]]:
    """Action, step, case, client and simulator of the action that the test is parametrised with."""
    name = request.param
    case = CASES[name](world)
    action, step = step_of(action_of(name), case.account, *case.evidence)
    pool = ClientPool(world.connections, limits=QUICK)
    simulator = {"okta": world.okta, "entra": world.graph, "cyberark": world.cyberark}[action.vendor]
    client = pool.get(case.account.vendor, case.account.tenant)
    assert client is not None
    client.warm()
    yield action, step, case, client, simulator
    pool.close()


NEARLY = {
    "okta.set_user_risk": "Okta takes no NONE back: a user without risk comes back as LOW",
    "entra.confirm_compromised": "an account without risk comes back as dismissed",
}
"""Actions whose undo the vendor lets come close only; the way in is open again all the same."""

every = pytest.mark.parametrize("made", sorted(CASES), indirect=True)


def prove(action: Action, step: Step, case: Case, api: Any, apply: Callable[..., None]) -> None:
    """The attacker is let in before, and refused after; the vendor, read back, says so."""
    assert case.works(), "the attacker's way was not open before"
    before = action.check(api, step)
    assert not before.contained
    apply(api, step, before)
    outcome = action.confirm(api, step, before)
    assert outcome.status is case.status, outcome.proof
    assert not case.works(), "the attacker's next call still works"


def test_every_action_has_a_case() -> None:
    """No action of the three simulated vendors goes without a test; Vault's are proved on the real server."""
    ours = {name for name in registry.names() if not name.startswith("vault.")}
    assert ours == set(map(action_of, CASES))


@pytest.mark.parametrize("name", registry.names())
def test_declares_itself(name: str) -> None:
    """Permissions, account kinds, what it breaks, a manual step, and an undo or the reason why there is none."""
    action = registry.load(name)
    assert action.name == name
    assert action.permissions and action.kinds and action.breaks and action.manual
    assert isinstance(action.phase, Phase) and isinstance(action.least_tier, Tier)
    assert action.least_tier > Tier.OBSERVE
    has_undo = type(action).undo is not Action.undo
    assert has_undo != bool(action.irreversible), "exactly one of an undo and a reason why there is none"
    assert "Source:" in (inspect.getdoc(type(action)) or ""), "the vendor document it follows is named"


@every
def test_closes_the_attackers_way(made: Any) -> None:
    """After apply the attacker's next call fails, and confirm has read it back."""
    action, step, case, api, _ = made
    prove(action, step, case, api, action.apply)


@every
def test_a_no_op_apply_turns_the_proof_red(made: Any) -> None:
    """An apply that does nothing lets the attacker through, and the proof above notices."""
    action, step, case, api, _ = made
    with pytest.raises(AssertionError):
        prove(action, step, case, api, lambda *_: None)


@every
def test_repeat_is_harmless(made: Any) -> None:
    """Repeated as the lane repeats it, on a state read just now, it changes nothing more and still holds."""
    action, step, case, api, simulator = made
    before = action.check(api, step)
    action.apply(api, step, before)
    once = {k: v for k, v in simulator.dump().items() if k not in ("users", "accounts")}
    again = action.check(api, step)
    if not again.contained:
        action.apply(api, step, again)
    assert {k: v for k, v in simulator.dump().items() if k not in ("users", "accounts")} == once
    assert action.confirm(api, step, before).status is case.status
    assert not case.works()


@every
def test_restore_gives_everything_back(made: Any, world: World) -> None:
    """Restored as the engine restores it, the vendor's whole state is as before, but for new ids of what was made again."""
    action, step, case, api, simulator = made
    if action.irreversible:
        assert len(action.irreversible) > 20
        return
    dump = simulator.dump()
    before = action.check(api, step)
    action.apply(api, step, before)
    outcome = through_restore(world.responder(catalogue={}), step, before)
    assert outcome.status is Status.CONFIRMED, outcome.proof
    if action.name in NEARLY:
        assert case.works()
        return
    assert _without_ids(simulator.dump()) == _without_ids(dump)


@every
def test_forbidden_is_said(made: Any) -> None:
    """A missing permission raises Forbidden; nothing passes for done."""
    action, step, case, api, simulator = made
    simulator.faults.append(Fault("*", ".", "status", 403, times=99))
    with pytest.raises(Forbidden):
        action.check(api, step)
    simulator.faults.clear()
    before = action.check(api, step)
    simulator.faults.append(Fault("*", ".", "status", 403, times=99))
    with pytest.raises(Forbidden):
        action.apply(api, step, before)
    simulator.faults.clear()
    assert case.works()


@every
def test_rate_limit_is_waited_for(made: Any) -> None:
    """One 429 costs a wait, not the containment."""
    action, step, case, api, simulator = made
    before = action.check(api, step)
    simulator.faults.append(Fault("*", ".", "status", 429, {"Retry-After": "0"}, times=1))
    action.apply(api, step, before)
    action.confirm(api, step, before)
    assert not case.works()


@every
def test_server_error_is_no_success(made: Any) -> None:
    """5xx on a read is retried and then raised; on a write the outcome is unknown or retried, never green."""
    action, step, case, api, simulator = made
    simulator.faults.append(Fault("GET", ".", "status", 500, times=99))
    with pytest.raises(Unavailable):
        action.check(api, step)
    simulator.faults.clear()
    before = action.check(api, step)
    for method in ("POST", "PUT", "PATCH", "DELETE"):
        simulator.faults.append(Fault(method, ".", "status", 500, times=99))
    with pytest.raises(VendorError):
        action.apply(api, step, before)
    simulator.faults.clear()
    assert action.confirm(api, step, before).status in (Status.FAILED, Status.ACCEPTED)
    assert case.works()


@every
def test_a_lost_answer_is_read_back(made: Any) -> None:
    """The change took effect and its answer never came: apply says unknown, confirm sees that it holds."""
    action, step, case, api, simulator = made
    before = action.check(api, step)
    for method in ("POST", "PUT", "PATCH", "DELETE"):
        simulator.faults.append(Fault(method, ".", "lost", times=1))
    try:
        action.apply(api, step, before)
    except OutcomeUnknown:
        pass
    else:
        pytest.fail("a lost answer passed for success")
    simulator.faults.clear()
    outcome = action.confirm(api, step, before)
    assert (outcome.status is case.status) == (not case.works())


@pytest.mark.parametrize("name", sorted(CASES))
def test_an_unknown_account_is_not_contained(name: str, world: World) -> None:
    """404 is never taken for "nothing left": an account that does not exist raises, or names nothing to contain."""
    case = CASES[name](world)
    ghost = Account(case.account.vendor, case.account.tenant, case.account.kind, "999999")
    action, step = step_of(action_of(name), ghost, *case.evidence)
    pool = ClientPool(world.connections, limits=QUICK)
    api = pool.get(ghost.vendor, ghost.tenant)
    assert api is not None
    try:
        before = action.check(api, step)
        action.apply(api, step, before)
    except (NotFound, VendorError):
        pass
    finally:
        pool.close()
    if case.evidence == ():
        assert case.works()


def test_rate_limited_forever_says_when() -> None:
    """RateLimited carries the time from which the vendor accepts calls again."""
    assert RateLimited("okta", "x", retry_at=5.0).retry_at == 5.0


def _without_ids(value: Any) -> Any:
    """The state without ids: what was created again has a new one."""
    if isinstance(value, dict):
        items = [(_without_ids(v)) for k, v in value.items() if k not in ("id", "keyId")]
        keys = [k for k in value if not str(k).startswith(("0000", "ra1", "oag")) and k not in ("id", "keyId")]
        return [sorted(keys), sorted(items, key=repr)]
    if isinstance(value, list):
        return sorted((_without_ids(v) for v in value), key=repr)
    return value
