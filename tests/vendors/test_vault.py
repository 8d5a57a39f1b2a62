"""Vault's sign-in on a real OpenBao: AppRole and token; renewal, refusals."""

from __future__ import annotations

from typing import Any, Iterator, Tuple

import pytest

from responders.drill.openbao import OpenBao
from responders.errors import BadAnswer, Forbidden, NotFound, Unauthorized, WrongState
from responders.vendors import vault
from responders.vendors.transport import Endpoint, Limits, Transport
from responders.vendors.vault import VaultClient
from tests.vendors.servers import Server, always, answer, transport

pytestmark = pytest.mark.engine("openbao")


@pytest.fixture(scope="module")
def bao() -> Iterator[OpenBao]:
    """One server for the module: each test makes its own role."""
    with OpenBao() as server:
        server.request("POST", "sys/auth/approle", {"type": "approle"})
        server.request("POST", "sys/auth/team/approle", {"type": "approle"})
        server.request("PUT", "sys/policies/acl/own", {"policy": 'path "identity/entity/id/*" {capabilities = ["read"]}'})
        yield server


def approle(bao: OpenBao, mount: str = "approle", **more: Any) -> Tuple[str, str]:
    """Role id and secret id of a new role."""
    bao.request("POST", f"auth/{mount}/role/own", {"token_policies": "own", **more})
    role = bao.request("GET", f"auth/{mount}/role/own/role-id")["data"]["role_id"]
    return role, bao.request("POST", f"auth/{mount}/role/own/secret-id")["data"]["secret_id"]


def client(bao: OpenBao, **given: str) -> Tuple[VaultClient, list[str]]:
    """A client, and the calls it makes."""
    calls: list[str] = []
    endpoint = Endpoint("vault", bao.url + "/v1", allow_loopback_http=True, limits=Limits(attempt=3, retries=1))
    sender = Transport(
        endpoint, vault.explain, on_call=lambda when, _, method, name: calls.append(name) if when == "before" else None
    )
    return VaultClient(sender, "default", {}, **given), calls


@pytest.mark.parametrize("mount", ["approle", "team/approle"])
def test_an_approle_signs_in_once(bao: OpenBao, mount: str) -> None:
    """One login serves all calls, also where AppRole is mounted on a path with a slash."""
    role, secret = approle(bao, mount)
    found, calls = client(bao, role_id=role, secret_id=secret, approle_mount=mount)
    own = {f"{mount}/own", "own"} if mount == "approle" else {f"{mount}/own"}
    assert own <= found.own_ids()
    assert len(found.own_ids() - own) == 2
    with pytest.raises(NotFound):
        found.call("GET", "/identity/entity/id/{}", ids=("nobody",))
    found.close()
    assert sum("/login" in name for name in calls) == 1


def test_a_token_is_used_as_it_is(bao: OpenBao) -> None:
    """A given token needs no login."""
    auth = bao.request("POST", "auth/token/create", {"policies": ["own"]})["auth"]
    found, calls = client(bao, token=auth["client_token"])
    assert auth["accessor"] in found.own_ids()
    found.close()
    assert not any("/login" in name for name in calls)


@pytest.mark.parametrize("given", [{"role_id": "no", "secret_id": "n0-s3cr3t"}, {"token": "s.n0-s3cr3t"}])
def test_a_wrong_credential_is_unauthorized(bao: OpenBao, given: dict[str, str]) -> None:
    """Vault answers a bad SecretID with 400 and a bad token with 403; both mean our own credential is refused."""
    found, _ = client(bao, **given)
    with pytest.raises(Unauthorized) as caught:
        found.own_ids()
    assert "s3cr3t" not in repr(caught.value)
    found.close()


def test_a_token_that_ends_midway_is_renewed_once(bao: OpenBao) -> None:
    """A revoked token answers 403, as a missing permission does: the client tells them apart, and signs in anew."""
    role, secret = approle(bao)
    found, calls = client(bao, role_id=role, secret_id=secret)
    found.warm()
    bao.request("POST", "auth/token/revoke", {"token": found._headers()["X-Vault-Token"]})
    with pytest.raises(NotFound):
        found.call("GET", "/identity/entity/id/{}", ids=("nobody",))
    found.close()
    assert sum("/login" in name for name in calls) == 2


def test_a_missing_permission_is_forbidden(bao: OpenBao) -> None:
    """With a live token, 403 is a missing permission, and no reason to sign in again."""
    role, secret = approle(bao)
    found, calls = client(bao, role_id=role, secret_id=secret)
    with pytest.raises(Forbidden):
        found.call("POST", "/identity/entity/id/{}", ids=("x",), body={"disabled": True})
    found.close()
    assert sum("/login" in name for name in calls) == 1


def test_a_revoked_token_of_the_settings_is_unauthorized(bao: OpenBao) -> None:
    """A fixed token can't be renewed: that it is dead is told as what it is."""
    auth = bao.request("POST", "auth/token/create", {"policies": ["own"]})["auth"]
    found, _ = client(bao, token=auth["client_token"])
    found.warm()
    bao.request("POST", "auth/token/revoke", {"token": auth["client_token"]})
    with pytest.raises(Unauthorized):
        found.call("GET", "/identity/entity/id/{}", ids=("nobody",))
    found.close()


def test_a_refused_change_keeps_its_own_error(bao: OpenBao) -> None:
    """400 on an ordinary call is still the object's state."""
    found, _ = client(bao, token=bao.root_token)
    with pytest.raises(WrongState):
        found.call("POST", "/auth/token/revoke-accessor", body={})
    found.close()


@pytest.mark.parametrize(
    "body", [b"[]", b"null", b'{"auth": 5}', b'{"auth": {"client_token": "abcdef", "lease_duration": "x"}}']
)
def test_an_unreadable_login_is_a_bad_answer(body: bytes) -> None:
    """A login that answers something else gives one kind of error."""
    with Server(always(answer(body))) as server:
        found = VaultClient(transport(server.url, vendor="vault"), "default", {}, role_id="r", secret_id="s3cr3t")
        with pytest.raises(BadAnswer):
            found.own_ids()
        found.close()
