"""What holds for each action: it declares itself, it closes the attacker's way, its undo gives everything back."""

from __future__ import annotations

import inspect
import time
from dataclasses import dataclass, replace
from typing import Any, Callable, Dict, Iterator, List

import pytest

from responders.actions import registry
from responders.actions.action import Action
from responders.drill.simulators.server import Fault, Simulator
from responders.drill.world import World
from responders.errors import Forbidden, NotFound, OutcomeUnknown, RateLimited, Unavailable, VendorError, WrongState
from responders.model import Account, Phase, Status, Step, Tier
from responders.vendors.open import ClientPool
from responders.vendors.transport import Limits
from tests.actions.cases import CASES, Case, action_of
from tests.actions.route import through_restore
from tests.actions.vault_cases import VAULT_CASES
from tests.support import step_of

QUICK = Limits(total=4.0, attempt=2.0, retries=2)
CHANGES = ("POST", "PUT", "PATCH", "DELETE")
CALLS = r"^(?!.*(lookup-self|approle/login$))"
"""Every call but the Vault client's own sign-in, and its question whether a 403 is about its token."""
READS_BY_POST = r"^(?!.*(lookup|capabilities|approle/login$))"
"""Every POST but those that only read."""
RESET: Dict[str, Callable[[], Dict[str, str]]] = {
    "okta": lambda: {"X-Rate-Limit-Reset": str(int(time.time()))},
    "entra": lambda: {"Retry-After": "0"},
    "cyberark": lambda: {"Retry-After": "0"},
    "vault": lambda: {"Retry-After": "0"},
}
"""How a vendor, or a proxy before it, says when to come back."""


@dataclass(frozen=True)
class Made:
    """What a test of one action works with."""

    action: Action
    step: Step
    case: Case
    api: Any
    simulator: Simulator
    world: World


def prepared(request: pytest.FixtureRequest) -> Made:
    """All but a client for the action that the test is parametrised with; Vault's on a real OpenBao behind a relay."""
    name = request.param
    if name.startswith("vault."):
        bench, simulator = request.getfixturevalue("vault")
        world, case = bench.world, VAULT_CASES[name](bench)
    else:
        world = request.getfixturevalue("world")
        case = CASES[name](world)
        simulator = {"okta": world.okta, "entra": world.graph, "cyberark": world.cyberark}[name.partition(".")[0]]
    action, step = step_of(action_of(name), case.account, *case.evidence)
    return Made(action, step, case, None, simulator, world)


@pytest.fixture
def made(request: pytest.FixtureRequest) -> Iterator[Made]:
    """Everything for the action, a client with it."""
    found = prepared(request)
    pool = ClientPool(found.world.connections, limits=QUICK)
    client = pool.get(found.case.account.vendor, found.case.account.tenant)
    assert client is not None
    client.warm()
    yield replace(found, api=client)
    found.simulator.faults.clear()
    pool.close()


NEARLY = {
    "okta.set_user_risk": "Okta takes no NONE back: a user without risk comes back as LOW",
    "entra.confirm_compromised": "an account without risk comes back as dismissed",
}
"""Actions whose undo the vendor lets come close only; the way in is open again all the same."""

ALL: List[Any] = [*sorted(CASES), *(pytest.param(name, marks=pytest.mark.engine("openbao")) for name in sorted(VAULT_CASES))]
every = pytest.mark.parametrize("made", ALL, indirect=True)


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
    """No action goes without a test: on a simulated vendor, or, Vault's, on a real OpenBao."""
    assert set(registry.names()) == set(map(action_of, [*CASES, *VAULT_CASES]))


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
def test_closes_the_attackers_way(made: Made) -> None:
    """After apply the attacker's next call fails, and confirm has read it back."""
    action, step, case, api = made.action, made.step, made.case, made.api
    prove(action, step, case, api, action.apply)


@every
def test_a_no_op_apply_turns_the_proof_red(made: Made) -> None:
    """An apply that does nothing lets the attacker through, and the proof above notices."""
    action, step, case, api = made.action, made.step, made.case, made.api
    with pytest.raises(AssertionError):
        prove(action, step, case, api, lambda *_: None)


@every
def test_repeat_is_harmless(made: Made) -> None:
    """Repeated as the lane repeats it, on a state read just now, it changes nothing more and still holds."""
    action, step, case, api, simulator = made.action, made.step, made.case, made.api, made.simulator
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
def test_restore_gives_everything_back(made: Made) -> None:
    """Restored as the engine restores it, the vendor's whole state is as before, but for new ids of what was made again."""
    action, step, case, api, simulator = made.action, made.step, made.case, made.api, made.simulator
    if action.irreversible:
        assert len(action.irreversible) > 20
        return
    dump = simulator.dump()
    before = action.check(api, step)
    action.apply(api, step, before)
    outcome = through_restore(made.world.responder(catalogue={}), step, before)
    assert outcome.status is Status.CONFIRMED, outcome.proof
    if action.name in NEARLY:
        assert case.works()
        return
    assert _without_ids(simulator.dump()) == _without_ids(dump)


@every
def test_forbidden_is_said(made: Made) -> None:
    """A missing permission raises Forbidden; nothing passes for done."""
    action, step, case, api, simulator = made.action, made.step, made.case, made.api, made.simulator
    simulator.faults.append(Fault("*", CALLS, "status", 403, times=99))
    with pytest.raises(Forbidden):
        action.check(api, step)
    simulator.faults.clear()
    before = action.check(api, step)
    simulator.faults.append(Fault("*", CALLS, "status", 403, times=99))
    with pytest.raises(Forbidden):
        action.apply(api, step, before)
    simulator.faults.clear()
    assert case.works()


@every
@pytest.mark.parametrize("says_when", [True, False], ids=["reset header", "no reset header"])
def test_rate_limit_is_waited_for(made: Made, says_when: bool) -> None:
    """A 429 costs a wait, not the containment, whether or not the vendor says when to come back."""
    action, step, case, api, simulator = made.action, made.step, made.case, made.api, made.simulator
    before = action.check(api, step)
    headers = RESET[action.vendor]() if says_when else {}
    simulator.faults.append(Fault("*", CALLS, "status", 429, headers))
    action.apply(api, step, before)
    assert [r.status for r in simulator.requests if r.injected] == [429], "no call was limited"
    assert action.confirm(api, step, before).status is case.status
    assert not case.works()


@every
def test_a_rate_limit_that_does_not_end_is_no_success(made: Made) -> None:
    """Limited for longer than there is time: RateLimited, and nothing passes for done."""
    action, step, case, api, simulator = made.action, made.step, made.case, made.api, made.simulator
    before = action.check(api, step)
    simulator.faults.append(Fault("*", CALLS, "status", 429, {"Retry-After": "60"}, times=99))
    with pytest.raises(RateLimited) as caught:
        action.apply(api, step, before)
    simulator.faults.clear()
    assert caught.value.retry_at is not None and caught.value.retry_at > time.time() + 30
    assert case.works()


@every
def test_server_error_is_no_success(made: Made) -> None:
    """5xx on a read is retried and then raised; on a write the outcome is unknown or retried, never green."""
    action, step, case, api, simulator = made.action, made.step, made.case, made.api, made.simulator
    simulator.faults.append(Fault("*", CALLS, "status", 500, times=99))
    with pytest.raises((Unavailable, OutcomeUnknown)):
        action.check(api, step)
    simulator.faults.clear()
    before = action.check(api, step)
    for method in CHANGES:
        simulator.faults.append(Fault(method, READS_BY_POST, "status", 500, times=99))
    with pytest.raises(OutcomeUnknown):
        action.apply(api, step, before)
    simulator.faults.clear()
    assert action.confirm(api, step, before).status in (Status.FAILED, Status.ACCEPTED)
    assert case.works()


@every
def test_a_lost_answer_is_read_back(made: Made) -> None:
    """The change took effect and its answer never came: apply says unknown, confirm sees what holds."""
    action, step, case, api, simulator = made.action, made.step, made.case, made.api, made.simulator
    before = action.check(api, step)
    for method in CHANGES:
        simulator.faults.append(Fault(method, READS_BY_POST, "lost"))
    with pytest.raises(OutcomeUnknown):
        action.apply(api, step, before)
    simulator.faults.clear()
    assert [r.injected for r in simulator.requests if r.injected][:1] == ["lost"]
    outcome = action.confirm(api, step, before)
    assert (outcome.status is case.status) == (not case.works())
    # Repeated, as the lane repeats it, it holds.
    again = action.check(api, step)
    if not again.contained:
        action.apply(api, step, again)
    assert action.confirm(api, step, before).status is case.status
    assert not case.works()


@every
def test_a_wrong_state_is_no_success(made: Made) -> None:
    """The vendor says that the object's state does not allow the change: an error, and never taken for "done already"."""
    action, step, case, api, simulator = made.action, made.step, made.case, made.api, made.simulator
    before = action.check(api, step)
    for status in (400, 409, 412):
        for method in CHANGES:
            simulator.faults.append(Fault(method, READS_BY_POST, "status", status, times=99))
        with pytest.raises(WrongState):
            action.apply(api, step, before)
        simulator.faults.clear()
        assert action.confirm(api, step, before).status in (Status.FAILED, Status.ACCEPTED)
        assert case.works()


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


def _without_ids(value: Any) -> Any:
    """The state without ids: what was created again has a new one."""
    if isinstance(value, dict):
        items = [(_without_ids(v)) for k, v in value.items() if k not in ("id", "keyId")]
        keys = [k for k in value if not str(k).startswith(("0000", "ra1", "oag")) and k not in ("id", "keyId")]
        return [sorted(keys), sorted(items, key=repr)]
    if isinstance(value, list):
        return sorted((_without_ids(v) for v in value), key=repr)
    return value
