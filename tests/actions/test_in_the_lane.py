"""What the lane makes of each action's step, and what it tells the escalation: held, failed with the reason, never green."""

from __future__ import annotations

import re
from typing import Any, Iterator

import pytest

from responders.actions import registry
from responders.drill.simulators.server import Fault
from responders.drill.world import World
from responders.model import Account, Status
from tests.actions.cases import CASES, action_of
from tests.actions.route import through_the_lane
from tests.actions.test_every_action import CALLS, CHANGES, READS_BY_POST, Made, prepared
from tests.actions.vault_cases import VAULT_CASES
from tests.support import step_of

HAND_OVER = sorted(name for name in CASES if registry.load(action_of(name)).hands_over)
ALL = [*(name for name in sorted(CASES) if name not in HAND_OVER),
       *(pytest.param(name, marks=pytest.mark.engine("openbao")) for name in sorted(VAULT_CASES))]  # fmt: skip
every = pytest.mark.parametrize("made", ALL, indirect=True)
ONCE_MORE = {
    "okta.clear_sessions", "okta.global_token_revocation", "entra.revoke_sign_in_sessions", "cyberark.change_password",
    "cyberark.reconcile_password", "cyberark.clear_ssh_cache", "vault.reset_user", "vault.rotate_role", "vault.rotate_root",
}  # fmt: skip
"""Actions that no state shows to hold already: a repeat does them again."""
BY_FILTER = {
    "okta.revoke_api_token", "entra.confirm_compromised", "entra.remove_directory_role", "entra.remove_role_schedules",
    "entra.revoke_consent", "entra.quarantine_group", "vault.revoke_token_accessor",
}  # fmt: skip
"""Actions that read a list of everybody's: an account that does not exist has nothing there."""


@pytest.fixture
def made(request: pytest.FixtureRequest) -> Iterator[Made]:
    """As in the matrix, with no client of the test's own: the lane opens one."""
    found = prepared(request)
    yield found
    found.simulator.faults.clear()


def responder_of(world: World) -> Any:
    return world.responder(catalogue={})


@every
def test_it_holds_and_a_repeat_says_already(made: Made) -> None:
    """Success is told with its proof; the same step again is `already`, or done once more where no state shows it."""
    first = through_the_lane(responder_of(made.world), made.step)
    assert first.status is made.case.status, first.proof
    assert first.proof and not made.case.works()
    again = through_the_lane(responder_of(made.world), made.step)
    # Done again within the second that the vendor's clock shows, its proof does not move: `accepted`.
    expected = (made.case.status, Status.ACCEPTED) if made.action.name in ONCE_MORE else (Status.ALREADY,)
    assert again.status in expected, again.proof
    assert not made.case.works()


@every
def test_a_missing_permission_is_named(made: Made) -> None:
    """403 on the change: failed, and the escalation says which permissions the credential needs."""
    for method in CHANGES:
        made.simulator.faults.append(Fault(method, READS_BY_POST + r"(?!.*(Logon|token$))", "status", 403, times=99))
    outcome = through_the_lane(responder_of(made.world), made.step)
    made.simulator.faults.clear()
    assert outcome.status is Status.FAILED, outcome.proof
    assert all(permission in outcome.proof for permission in made.action.permissions), outcome.proof
    assert made.case.works()


@every
def test_a_lost_answer_ends_contained(made: Made) -> None:
    """The first change took effect and its answer was lost: the lane reads what is so, and finishes what is not."""
    for method in CHANGES:
        made.simulator.faults.append(Fault(method, READS_BY_POST + r"(?!.*(Logon|token$))", "lost"))
    outcome = through_the_lane(responder_of(made.world), made.step, seconds=6.0)
    assert outcome.status is not Status.FAILED or made.case.status is Status.ACCEPTED, outcome.proof
    assert not made.case.works()


@pytest.mark.parametrize("name", HAND_OVER)
def test_what_hands_the_account_over_waits_for_a_block(name: str, world: World) -> None:
    """Alone, on an enabled account, it is refused and nothing is changed: whoever holds the password would be next."""
    case = CASES[name](world)
    _, step = step_of(name, case.account, *case.evidence)
    outcome = through_the_lane(responder_of(world), step)
    assert outcome.status is Status.REFUSED, outcome.proof
    assert case.works()


@pytest.mark.parametrize("name", sorted(CASES))
def test_an_account_that_does_not_exist_fails_loudly(name: str, world: World) -> None:
    """Failed with the vendor's 404, but for the lists of everybody, which show that nothing of this account is there."""
    case = CASES[name](world)
    account = Account(case.account.vendor, case.account.tenant, case.account.kind, "999999")
    _, step = step_of(action_of(name), account, *case.evidence)
    outcome = through_the_lane(responder_of(world), step, seconds=1.0)
    if action_of(name) in BY_FILTER:
        return
    evidence_decides = action_of(name) in {
        "okta.deactivate_identity_provider", "cyberark.change_password", "cyberark.reconcile_password",
        "cyberark.remove_safe_member",
    }  # fmt: skip
    if not evidence_decides:
        assert outcome.status is Status.FAILED, outcome.proof
        assert "404" in outcome.proof
        assert case.works()


def test_the_patterns_of_this_module_hit_something() -> None:
    """A pattern that matches nothing would inject nothing, and the tests above would be green for it."""
    assert re.search(CALLS, "/v1/sys/leases/revoke") and not re.search(CALLS, "/v1/auth/approle/login")
    assert re.search(READS_BY_POST + r"(?!.*(Logon|token$))", "/api/v1/users/x/lifecycle/suspend")
    assert not re.search(READS_BY_POST + r"(?!.*(Logon|token$))", "/oauth2/v1/token")
