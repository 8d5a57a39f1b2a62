"""The readiness check says what the credential really holds, and changes nothing."""

from __future__ import annotations

from dataclasses import replace
from typing import Dict, Mapping, Sequence, Tuple

import pytest

from responders.drill.world import World
from responders.readiness.check import Readiness, check, needed
from responders.settings import Connection, Secret
from responders.vendors.open import ClientPool
from responders.vendors.transport import Limits
from tests.actions.credentials import with_exactly

QUICK = Limits(connect=0.5, total=1.0, attempt=0.5, retries=1)


def ask(connections: Tuple[Connection, ...], vendor: str) -> Readiness:
    pool = ClientPool(connections, limits=QUICK)
    try:
        client = next(client for client in pool.all() if client.vendor == vendor)
        return check(client)
    finally:
        pool.close()


def gaps(found: Readiness) -> Dict[str, Sequence[str]]:
    return {need.name: need.missing for need in found.needs if need.missing}


def all_of(vendor: str) -> Tuple[str, ...]:
    return tuple(dict.fromkeys(name for names in needed(vendor).values() for name in names))


def dumps(world: World) -> Mapping[str, object]:
    return {"okta": world.okta.dump(), "graph": world.graph.dump(), "cyberark": world.cyberark.dump()}


def writes(world: World) -> Sequence[str]:
    """Requests that are neither reads nor sign-ins."""
    logs = (*world.okta.requests, *world.graph.requests, *world.cyberark.requests)
    return [f"{r.method} {r.path}" for r in logs if r.method != "GET" and not r.path.lower().endswith(
        ("/token", "/logon", "/logoff"))]  # fmt: skip


@pytest.mark.parametrize("vendor", ["okta", "entra", "cyberark"])
def test_the_drills_credentials_are_ready(vendor: str, world: World) -> None:
    """Every action has what it needs, and nothing was changed to find out."""
    world.add_person("alice")
    before = dumps(world)
    found = ask(world.connections, vendor)
    assert (found.reachable, found.authenticated, found.problem) == (True, True, "")
    assert gaps(found) == {}
    assert [need.name for need in found.needs if need.ready is not True] == []
    assert writes(world) == []
    assert dumps(world) == before


@pytest.mark.parametrize("vendor", ["okta", "entra", "cyberark"])
def test_what_is_missing_is_named_action_by_action(vendor: str, world: World) -> None:
    """Without one permission exactly those actions lack it that declare it, for each permission."""
    world.add_person("alice")
    wanted = needed(vendor)
    for permission in all_of(vendor):
        if permission in ("RoleManagement.Read.Directory", "Application.Read.All", "Audit users", "okta.roles.read"):
            continue  # the larger permission covers it, or nothing can be read without it: tested below
        if permission == "View safe members":
            continue
        world_connections = with_exactly(world, vendor, [name for name in all_of(vendor) if name != permission])
        found = ask(world_connections, vendor)
        lacking = {need.name for need in found.needs if permission in (*need.missing, *need.unknown)}
        assert lacking == {name for name, names in wanted.items() if permission in names}, permission


def test_okta_without_a_role_is_not_ready(world: World) -> None:
    """Scopes alone are worth nothing: an app without administrator role is told so, as the org refuses it everything."""
    world.okta.state["services"]["0oaTourniquet"]["role"] = ""
    found = ask(world.connections, "okta")
    assert "can't be read" in found.notes[0]  # not even its roles
    assert all(need.ready is None for need in found.needs)


def test_okta_under_a_smaller_role_is_not_promised(world: World) -> None:
    """Which scopes a smaller role covers no API says: unknown, with the role's name, and never "ready"."""
    world.okta.state["services"]["0oaTourniquet"]["role"] = "HELP_DESK_ADMIN"
    found = ask(world.connections, "okta")
    assert "HELP_DESK_ADMIN" in found.notes[0]
    assert {need.ready for need in found.needs} == {None}


def test_entra_is_asked_when_the_token_can_not_be_read(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """A token without a readable roles claim: Graph's own list of assignments says the same."""
    by_claim = ask(world.connections, "entra")
    monkeypatch.setattr("responders.vendors.entra._roles_in", lambda token: frozenset())
    by_graph = ask(world.connections, "entra")
    assert by_graph.permissions == by_claim.permissions
    assert any("appRoleAssignments" in request.path for request in world.graph.requests)


def test_a_larger_permission_will_do(world: World) -> None:
    """Directory.ReadWrite.All covers reading users; a mere reader of roles may not write them."""
    connections = with_exactly(world, "entra", ["Directory.ReadWrite.All", "RoleManagement.Read.Directory"])
    found = ask(connections, "entra")
    assert found.permissions["User.EnableDisableAccount.All"] is True
    assert found.permissions["RoleManagement.ReadWrite.Directory"] is False


def test_cyberark_without_audit_users_can_not_tell(world: World) -> None:
    """Nothing can be read of the own user: said, and no action is called ready."""
    found = ask(with_exactly(world, "cyberark", ["List accounts"]), "cyberark")
    assert found.authenticated
    assert "can't be read" in found.notes[0]
    assert {need.ready for need in found.needs} == {None}


def test_a_safe_that_hides_its_members_is_no_proof(world: World) -> None:
    """Without View safe members nothing on safes counts as held."""
    world.add_person("alice")
    rights = [name for name in all_of("cyberark") if name != "View safe members"]
    found = ask(with_exactly(world, "cyberark", rights), "cyberark")
    assert found.permissions["Manage safe members"] is not True
    assert any("do not show their members" in note for note in found.notes)


@pytest.mark.parametrize("vendor", ["okta", "entra", "cyberark"])
def test_a_wrong_credential_is_told_apart_from_a_dead_vendor(vendor: str, world: World) -> None:
    """Refused: reachable, not authenticated. No answer: not reachable. The words name no secret."""
    (mine,) = [c for c in world.connections if c.vendor == vendor]
    secret = {"okta": "private_key", "entra": "client_secret", "cyberark": "password"}[vendor]
    if vendor == "okta":
        wrong = replace(mine, plain={**mine.plain, "client_id": "0oaNobody"})
    else:
        wrong = replace(mine, secrets={secret: Secret("a-wrong-secret-value")})
    found = ask((wrong,), vendor)
    assert (found.reachable, found.authenticated) == (True, False)
    assert "a-wrong-secret-value" not in repr(found)
    dead = replace(mine, url="http://127.0.0.1:9", plain={**mine.plain, "login": "http://127.0.0.1:9"})
    found = ask((dead,), vendor)
    assert (found.reachable, found.authenticated) == (False, False)
    assert found.problem


@pytest.mark.parametrize("vendor", ["okta", "entra", "cyberark"])
def test_who_answers_no_sign_in_is_not_ready(vendor: str, world: World) -> None:
    """The port is open and every connection breaks off: that is not reachable, and never "signed in"."""
    {"okta": world.okta, "entra": world.graph, "cyberark": world.cyberark}[vendor].down = True
    found = ask(world.connections, vendor)
    assert (found.reachable, found.authenticated) == (False, False)


@pytest.mark.engine("openbao")
def test_vault_says_what_is_missing(full_world: World) -> None:
    """At a real server: all that the drill's policy gives is held, and without one path exactly its actions lack it."""
    found = ask(full_world.connections, "vault")
    assert (found.authenticated, gaps(found)) == (True, {}), found
    assert {need.ready for need in found.needs} == {True}
    wanted = needed("vault")
    for permission in ("update on pki/revoke", "read, update on identity/entity/id/*", "list, sudo on auth/token/accessors"):
        left = [name for name in all_of("vault") if name != permission]
        found = ask(with_exactly(full_world, "vault", left), "vault")
        assert set(gaps(found)) == {name for name, names in wanted.items() if permission in names}
    (mine,) = [c for c in full_world.connections if c.vendor == "vault"]
    found = ask((replace(mine, secrets={"secret_id": Secret("00000000-0000-0000-0000-000000000000")}),), "vault")
    assert (found.reachable, found.authenticated) == (True, False)
