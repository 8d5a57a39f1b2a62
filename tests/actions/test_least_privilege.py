"""An action needs the permissions it declares, all of them and no more: at the simulators, and at a real OpenBao."""

from __future__ import annotations

from typing import Callable, List, Tuple

import pytest

from responders.actions import registry
from responders.actions.action import Action
from responders.drill.world import World
from responders.errors import Forbidden, Unauthorized
from responders.model import Step
from responders.vendors.open import ClientPool
from responders.vendors.transport import Limits
from tests.actions.cases import CASES, Case, action_of
from tests.actions.credentials import RIGHTS, with_exactly
from tests.actions.vault_bench import Relay
from tests.actions.vault_cases import VAULT_CASES, VaultBench
from tests.support import step_of

QUICK = Limits(total=3.0, attempt=2.0, retries=1)
EITHER = {"IdentityRiskyUser.ReadWrite.All", "IdentityRiskyServicePrincipal.ReadWrite.All", "Application.Read.All",
          "Audit users"}  # fmt: skip
"""Permissions that only one kind of account needs: missed in at least one case of the action, not in each."""


def carried_out(world: World, case: Case, action: Action, step: Step, permissions: Tuple[str, ...]) -> None:
    """Check, apply, confirm and undo with exactly these permissions; raises what the vendor refuses."""
    pool = ClientPool(with_exactly(world, action.vendor, permissions), limits=QUICK)
    try:
        api = pool.get(case.account.vendor, case.account.tenant)
        assert api is not None
        before = action.check(api, step)
        action.apply(api, step, before)
        outcome = action.confirm(api, step, before)
        assert outcome.status is case.status, outcome.proof
        assert not case.works()
        if not action.irreversible:
            action.undo(api, step, before)
            assert action.restored(before, action.check(api, step))
    finally:
        pool.close()


@pytest.mark.parametrize("name", sorted(CASES))
def test_exactly_the_declared_permissions_are_enough(name: str, world: World) -> None:
    """With nothing but what the action declares, it is carried out, proved and undone."""
    case = CASES[name](world)
    action, step = step_of(action_of(name), case.account, *case.evidence)
    carried_out(world, case, action, step, action.permissions)


def missed(name: str, make: Callable[[World], Case], world: World, permission: str) -> bool:
    """True when the case is refused, with 403 and nothing else, without this permission."""
    case = make(world)
    action, step = step_of(action_of(name), case.account, *case.evidence)
    left = tuple(other for other in action.permissions if other != permission)
    try:
        carried_out(world, case, action, step, left)
    except Forbidden:
        return True
    except Unauthorized:  # Okta gives no token at all for an empty list of scopes
        return not left
    return False


LACKS = [(name, permission) for name in registry.names() if not name.startswith("vault.")
         for permission in registry.load(name).permissions]  # fmt: skip


@pytest.mark.parametrize(("name", "permission"), LACKS)
def test_each_declared_permission_is_needed(name: str, permission: str, world: World) -> None:
    """Without any one of them the vendor answers 403: none is declared in vain, and no simulator lets it pass."""
    cases = [case for case in sorted(CASES) if action_of(case) == name]
    refused: List[str] = [case for case in cases if missed(case, CASES[case], world, permission)]
    assert refused, f"{name} is carried out without {permission}"
    assert refused == cases or permission in EITHER, f"only {refused} need {permission}"


def test_every_permission_is_known_to_the_simulators() -> None:
    """Each permission that an action names is one that a simulated credential can hold."""
    named = {p for name in registry.names() if name.startswith("cyberark.") for p in registry.load(name).permissions}
    assert named == set(RIGHTS)


@pytest.mark.parametrize("name", ["entra.disable_user", "entra.disable_device"])
def test_what_the_caller_may_not_read_is_not_taken_for_contained(name: str, world: World) -> None:
    """Graph shows null for what a caller may not read. Taken for false, an enabled user would be reported as disabled."""
    case = CASES[name](world)
    action, step = step_of(name, case.account, *case.evidence)
    hidden = {"entra.disable_user": ("User.EnableDisableAccount.All", "User.ReadBasic.All"),
              "entra.disable_device": ("User.Read.All",)}[name]  # fmt: skip
    with pytest.raises(Forbidden, match="does not show accountEnabled"):
        carried_out(world, case, action, step, hidden)
    assert case.works()


# -- Vault: the words of the actions are the policy, and the server is a real one ---------------------------


IN_DEFAULT_POLICY = {"update on sys/leases/lookup"}
"""What the server's `default` policy gives every token, unless the role says otherwise."""


def at_vault(name: str, bench: VaultBench, permissions: Tuple[str, ...]) -> None:
    case = VAULT_CASES[name](bench)
    action, step = step_of(action_of(name), case.account, *case.evidence)
    assert case.works()
    carried_out(bench.world, case, action, step, permissions)


@pytest.mark.engine("openbao")
@pytest.mark.parametrize("name", sorted(VAULT_CASES))
def test_a_policy_of_the_declared_paths_is_enough(name: str, vault: Tuple[VaultBench, Relay]) -> None:
    """A Vault policy written from the declared permissions alone carries the action out, proves and undoes it."""
    at_vault(name, vault[0], registry.load(action_of(name)).permissions)


@pytest.mark.engine("openbao")
@pytest.mark.parametrize("name", sorted({action_of(case) for case in VAULT_CASES}))
def test_each_declared_path_is_needed(name: str, vault: Tuple[VaultBench, Relay]) -> None:
    """Without any one of the declared paths, the real server answers 403."""
    permissions = registry.load(name).permissions
    for permission in permissions:
        if permission in IN_DEFAULT_POLICY:
            continue
        with pytest.raises((Forbidden, Unauthorized)):
            at_vault(name, vault[0], tuple(other for other in permissions if other != permission))
