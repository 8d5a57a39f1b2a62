"""Okta's sign-in: private-key JWT by both signers, and API token; renewal, refusals."""

from __future__ import annotations

import base64
import time
from typing import Any, Dict, Iterator, Tuple

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa

from responders.drill.simulators.jwt import claims_of
from responders.drill.simulators.okta import OktaSimulator
from responders.drill.simulators.server import Fault
from responders.drill.world import rsa_key
from responders.errors import BadAnswer, BadSettings, Forbidden, Unauthorized
from responders.vendors import okta, signing
from responders.vendors.okta import OktaClient
from responders.vendors.transport import Endpoint, Limits, Transport
from tests.vendors.servers import Server, always, answer, transport

PEM, JWK = rsa_key()
SCOPES = ("okta.users.read", "okta.users.manage")


@pytest.fixture
def vendor() -> Iterator[OktaSimulator]:
    with OktaSimulator() as found:
        assert isinstance(found, OktaSimulator)
        found.add_service("0oaOwn", JWK, SCOPES)
        yield found


def client(vendor: OktaSimulator, **given: Any) -> OktaClient:
    endpoint = Endpoint("okta", vendor.url, allow_loopback_http=True, limits=Limits(retries=1))
    chosen = given if given else {"client_id": "0oaOwn", "private_key": PEM, "scopes": SCOPES}
    return OktaClient(Transport(endpoint, okta.explain), "default", {}, **chosen)


@pytest.mark.parametrize("signer", ["cryptography", "rsa"])
def test_both_signers_are_accepted(vendor: OktaSimulator, signer: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """The JWT is accepted whether `cryptography` signed it or the pure-Python `rsa`, which Splunk's interpreter has."""
    if signer == "rsa":
        monkeypatch.setattr(signing, "_sign", signing._sign_pure)
    user = vendor.add_user("alice@corp.example")
    found = client(vendor)
    assert found.call("GET", "/api/v1/users/{}", ids=(user,)).body["id"] == user
    found.close()
    assert [entry.path for entry in vendor.requests].count("/oauth2/v1/token") == 1


FORMATS = [serialization.PrivateFormat.PKCS8, serialization.PrivateFormat.TraditionalOpenSSL]


@pytest.mark.parametrize("form", FORMATS)
def test_both_signers_make_the_same_signature(form: Any) -> None:
    """PKCS#1 and PKCS#8 keys work with both, and RS256 is deterministic, so the bytes agree."""
    key = serialization.load_pem_private_key(PEM.encode(), None)
    pem = key.private_bytes(serialization.Encoding.PEM, form, serialization.NoEncryption()).decode()
    assert signing._sign(pem, b"message") == signing._sign_pure(pem, b"message")
    token = signing.rs256(pem, {"kid": "k1"}, {"iss": "x"})
    assert claims_of(token, JWK) == {"iss": "x"}


def _pem(key: Any, password: bytes = b"") -> str:
    hidden: Any = serialization.BestAvailableEncryption(password) if password else serialization.NoEncryption()
    done: bytes = key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, hidden)
    return done.decode()


_BODY = base64.b64encode(b"no key at all, but base64").decode()
BAD_KEYS: Dict[str, str] = {
    "text": "not a key",
    "empty": "",
    "truncated": PEM[:400],
    "no DER": f"-----BEGIN PRIVATE KEY-----\n{_BODY}\n-----END PRIVATE KEY-----\n",
    "no DER, PKCS#1": f"-----BEGIN RSA PRIVATE KEY-----\n{_BODY}\n-----END RSA PRIVATE KEY-----\n",
    "encrypted": _pem(rsa.generate_private_key(public_exponent=65537, key_size=2048), b"pass"),
    "elliptic": _pem(ec.generate_private_key(ec.SECP256R1())),
    "not ASCII": "-----BEGIN PRIVATE KEY-----\n\u20ac\n-----END PRIVATE KEY-----\n",
}


@pytest.mark.parametrize("signer", [signing._sign, signing._sign_pure])
@pytest.mark.parametrize("name", BAD_KEYS)
def test_a_key_that_cannot_sign_is_a_setting_to_correct(name: str, signer: Any) -> None:
    """Any text that is no unencrypted RSA key gives one clear error, which shows nothing of the text."""
    with pytest.raises(BadSettings, match=r"private_key: .* RSA key"):
        signer(BAD_KEYS[name], b"message")


def test_a_wrong_key_is_refused(vendor: OktaSimulator) -> None:
    """A JWT by another key is refused by the vendor: our own credential is wrong, nothing else."""
    other, _ = rsa_key()
    found = client(vendor, client_id="0oaOwn", private_key=other, scopes=SCOPES)
    with pytest.raises(Unauthorized):
        found.call("GET", "/api/v1/users/{}", ids=("x",))
    found.close()


def test_a_scope_that_is_not_granted_is_a_refused_sign_in(vendor: OktaSimulator) -> None:
    """400 invalid_scope at the token endpoint says nothing of the account: it is our credential that is refused."""
    found = client(vendor, client_id="0oaOwn", private_key=PEM, scopes=("okta.apps.manage",))
    with pytest.raises(Unauthorized, match="invalid_scope"):
        found.call("GET", "/api/v1/users/{}", ids=("x",))
    found.close()


def _administrator(vendor: OktaSimulator) -> Tuple[str, str]:
    user = vendor.add_user("responder@corp.example")
    vendor.add_role(user, "SUPER_ADMIN")
    token = vendor.add_api_token(user)
    return user, vendor.state["api_tokens"][token]["value"] if token in vendor.state["api_tokens"] else token


def test_an_api_token_works(vendor: OktaSimulator) -> None:
    """SSWS: the token is the credential, nothing is asked for first, and its owner is who we are."""
    user, token = _administrator(vendor)
    found = client(vendor, api_token=token)
    assert found.own_ids() == {user}
    assert found.call("GET", "/api/v1/users/{}", ids=(user,)).status == 200
    found.close()
    assert all(entry.path != "/oauth2/v1/token" for entry in vendor.requests)


def test_a_revoked_api_token_is_unauthorized(vendor: OktaSimulator) -> None:
    """A dead API token can't be renewed: 401 is told."""
    found = client(vendor, api_token="00dead")
    with pytest.raises(Unauthorized):
        found.call("GET", "/api/v1/users/{}", ids=("x",))
    found.close()
    assert len(vendor.requests) <= 2


def test_a_token_that_ends_midway_is_renewed_once(vendor: OktaSimulator) -> None:
    """The call that meets the expired token signs in anew and goes through; the vendor acted once."""
    user = vendor.add_user("alice@corp.example")
    found = client(vendor)
    found.call("GET", "/api/v1/users/{}", ids=(user,))
    for token in vendor.state["tokens"].values():
        token["expires"] = 0
    assert found.call("POST", "/api/v1/users/{}/lifecycle/suspend", ids=(user,)).status == 200
    found.close()
    assert [(e.method, e.status) for e in vendor.requests if "suspend" in e.path] == [("POST", 401), ("POST", 200)]
    assert sum(entry.path == "/oauth2/v1/token" for entry in vendor.requests) == 2


def test_a_vendor_that_always_says_401_is_asked_twice(vendor: OktaSimulator) -> None:
    """One renewal, not a loop."""
    vendor.faults.append(Fault("*", "/api/v1/users", "status", status=401, times=9))
    found = client(vendor)
    with pytest.raises(Unauthorized):
        found.call("GET", "/api/v1/users/{}", ids=("x",))
    found.close()
    assert sum("/users/" in entry.path for entry in vendor.requests) == 2


def test_a_missing_scope_is_forbidden(vendor: OktaSimulator) -> None:
    """403 on a call names the missing permission, and is not answered with a new sign-in."""
    found = client(vendor)
    with pytest.raises(Forbidden, match="permission"):
        found.call("PUT", "/api/v1/groups/{}/users/{}", ids=("g", "u"))
    found.close()
    assert sum(entry.path == "/oauth2/v1/token" for entry in vendor.requests) == 1


def test_a_token_is_renewed_before_it_ends(vendor: OktaSimulator) -> None:
    """A minute before its end a token is not used any more."""
    found = client(vendor)
    found.warm()
    assert not found.expired()
    found._expires = time.time() - 1
    with pytest.raises(Exception, match="Not found"):
        found.call("GET", "/api/v1/users/{}", ids=("x",))
    found.close()
    assert sum(entry.path == "/oauth2/v1/token" for entry in vendor.requests) == 2


@pytest.mark.parametrize(
    "body", [b"[]", b"null", b"{}", b'{"access_token": 5}', b'{"access_token": "abcdef", "expires_in": "soon"}',
             b'{"access_token": "abcdef", "expires_in": {}}', b'{"access_token": "abcdef", "expires_in": NaN}'],
)  # fmt: skip
def test_an_unreadable_token_answer_is_a_bad_answer(body: bytes) -> None:
    """A token endpoint that answers something else gives one kind of error."""
    with Server(always(answer(body))) as server:
        found = OktaClient(transport(server.url), "default", {}, client_id="x", private_key=PEM, scopes=SCOPES)
        with pytest.raises(BadAnswer):
            found.call("GET", "/api/v1/users/{}", ids=("x",))
        found.close()
