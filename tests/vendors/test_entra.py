"""Entra's sign-in by msal: client secret and certificate; renewal, refusals, a login endpoint in trouble."""

from __future__ import annotations

import datetime
import sys
from typing import Any, Iterator, Tuple

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.x509.oid import NameOID

from responders.drill.simulators.graph import TENANT, GraphSimulator
from responders.drill.simulators.server import Fault
from responders.drill.world import rsa_key
from responders.errors import BadAnswer, BadSettings, Forbidden, Unauthorized, Unavailable, VendorError
from responders.vendors import entra
from responders.vendors.entra import Credential, EntraClient
from responders.vendors.transport import Endpoint, Limits, Transport
from tests.vendors.servers import Server, always, answer

PEM, JWK = rsa_key()
ROLES = ("User.Read.All", "Application.ReadWrite.All")


@pytest.fixture
def vendor() -> Iterator[GraphSimulator]:
    with GraphSimulator() as found:
        assert isinstance(found, GraphSimulator)
        yield found


def thumbprint(pem: str) -> str:
    """The SHA-1 thumbprint of a certificate for this key, as Entra shows it."""
    key: Any = serialization.load_pem_private_key(pem.encode(), None)
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "tourniquet")])
    now = datetime.datetime.now(datetime.timezone.utc)
    made = x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(key.public_key())
    made = made.serial_number(1).not_valid_before(now).not_valid_after(now + datetime.timedelta(days=1))
    return made.sign(key, hashes.SHA256()).fingerprint(hashes.SHA1()).hex().upper()  # noqa: S303 - Entra's form


def client(url: str, login: str, credential: Credential) -> EntraClient:
    endpoint = Endpoint("entra", url, allow_loopback_http=True, limits=Limits(attempt=2, retries=0))
    return EntraClient(Transport(endpoint, entra.explain), TENANT, {}, login=login, credential=credential)


def made(vendor: GraphSimulator, kind: str) -> Tuple[EntraClient, str]:
    """A client that signs in with a secret or a certificate, and its service principal."""
    sp = vendor.add_app("Tourniquet", secret="graph-s3cr3t" if kind == "secret" else "", roles=ROLES, jwk=JWK)
    app_id = vendor.state["service_principals"][sp]["appId"]
    given = Credential(app_id, secret="graph-s3cr3t")
    if kind == "certificate":
        given = Credential(app_id, thumbprint=thumbprint(PEM), private_key=PEM)
    return client(vendor.url, vendor.login, given), sp


def logins(vendor: GraphSimulator) -> int:
    return sum(entry.path.endswith("/oauth2/v2.0/token") for entry in vendor.requests)


@pytest.mark.parametrize("kind", ["secret", "certificate", "certificate without cryptography"])
def test_both_credentials_are_accepted(vendor: GraphSimulator, kind: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """A client secret, and a certificate whose JWT the vendor verifies, each give one token for all calls."""
    if "without" in kind:
        kind = "certificate"
        for name in [name for name in sys.modules if name.partition(".")[0] in ("cryptography", "jwt")]:
            monkeypatch.setitem(sys.modules, name, None)  # as in Splunk's interpreter: importing it fails
    found, sp = made(vendor, kind)
    user = vendor.add_user("alice@corp.example")
    for _ in range(3):
        assert found.call("GET", "/users/{}", ids=(user,)).body["id"] == user
    assert found.own_ids() == {sp}
    found.close()
    assert logins(vendor) == 1


def test_a_wrong_certificate_is_refused(vendor: GraphSimulator) -> None:
    """A JWT by a key the vendor doesn't know is refused."""
    _, sp = made(vendor, "certificate")
    other, _ = rsa_key()
    app_id = vendor.state["service_principals"][sp]["appId"]
    found = client(vendor.url, vendor.login, Credential(app_id, thumbprint=thumbprint(other), private_key=other))
    with pytest.raises(Unauthorized, match="invalid_client"):
        found.call("GET", "/users/{}", ids=("x",))
    found.close()


def test_a_wrong_secret_is_refused_and_not_shown(vendor: GraphSimulator) -> None:
    """invalid_client is our own credential's fault; the message does not hold it."""
    _, sp = made(vendor, "secret")
    given = Credential(vendor.state["service_principals"][sp]["appId"], secret="wr0ng-s3cr3t")
    found = client(vendor.url, vendor.login, given)
    with pytest.raises(Unauthorized) as caught:
        found.call("GET", "/users/{}", ids=("x",))
    assert "wr0ng" not in f"{caught.value!r}{found!r}{given!r}"
    found.close()


def test_a_key_that_is_none_is_a_setting_to_correct(vendor: GraphSimulator) -> None:
    """A certificate's key that can't be read is told as a setting, not as a crash of msal."""
    found = client(vendor.url, vendor.login, Credential("app", thumbprint="A" * 40, private_key="no key"))
    with pytest.raises(BadSettings, match="private_key"):
        found.call("GET", "/users/{}", ids=("x",))
    found.close()


def test_a_token_that_ends_midway_is_renewed_once(vendor: GraphSimulator) -> None:
    """msal's cache must not hand out the dead token again: the call gets a new one and goes through."""
    found, _ = made(vendor, "secret")
    user = vendor.add_user("alice@corp.example")
    found.call("GET", "/users/{}", ids=(user,))
    for token in vendor.state["tokens"].values():
        token["expires"] = 0
    assert found.call("GET", "/users/{}", ids=(user,)).status == 200
    found.close()
    assert logins(vendor) == 2


def test_a_vendor_that_always_says_401_is_asked_twice(vendor: GraphSimulator) -> None:
    """One renewal, not a loop."""
    found, _ = made(vendor, "secret")
    vendor.faults.append(Fault("GET", "/users/", "status", status=401, times=9))
    with pytest.raises(Unauthorized):
        found.call("GET", "/users/{}", ids=("x",))
    found.close()
    assert logins(vendor) == 2


def test_a_missing_permission_is_forbidden(vendor: GraphSimulator) -> None:
    """403 is told as a missing permission."""
    found, _ = made(vendor, "secret")
    user = vendor.add_user("alice@corp.example")
    with pytest.raises(Forbidden):
        found.call("PATCH", "/users/{}", ids=(user,), body={"accountEnabled": False})
    found.close()
    assert logins(vendor) == 1


@pytest.mark.parametrize("kind", ["drop", "status", "lost"])
def test_a_login_endpoint_in_trouble_is_unavailable(vendor: GraphSimulator, kind: str) -> None:
    """No answer and 5xx from the token endpoint are the vendor's trouble: it may be tried again."""
    found, _ = made(vendor, "secret")
    vendor.faults.append(Fault("POST", "oauth2/v2.0/token", kind, status=503, times=9))
    with pytest.raises(Unavailable):
        found.call("GET", "/users/{}", ids=("x",))
    found.close()


def test_a_login_endpoint_that_is_down_is_unavailable(vendor: GraphSimulator) -> None:
    """A refused connection during discovery too."""
    found = client(vendor.url, "http://127.0.0.1:9", Credential("app", secret="graph-s3cr3t"))
    with pytest.raises(Unavailable):
        found.call("GET", "/users/{}", ids=("x",))
    found.close()


@pytest.mark.parametrize("body", [b"<html>", b"[]", b"null", b"{}", b"5", b'{"token_endpoint": 5}', b"x" * 2_000_000])
@pytest.mark.parametrize("status", ["200 OK", "400 Bad", "404 Not Found", "429 Slow down"])
def test_a_login_endpoint_that_answers_nonsense_gives_a_vendor_error(body: bytes, status: str) -> None:
    """Whatever the login endpoint answers, what comes out is a VendorError."""
    with Server(always(answer(body, status))) as server:
        found = client(server.url, server.url, Credential("app", secret="graph-s3cr3t"))
        with pytest.raises(VendorError) as caught:
            found.call("GET", "/users/{}", ids=("x",))
        assert len(str(caught.value)) < 600 and "s3cr3t" not in str(caught.value)
        found.close()


@pytest.mark.off_spec("the answer is broken on purpose")
def test_an_expiry_that_is_no_number_is_a_bad_answer(vendor: GraphSimulator) -> None:
    """The token answer is read as carefully as any other."""
    found, _ = made(vendor, "secret")
    inner = vendor._app_login

    def odd(form: Any) -> Any:
        answered = inner(form)
        answered.body["expires_in"] = "soon"
        return answered

    vendor._app_login = odd  # type: ignore[method-assign]
    with pytest.raises(BadAnswer):
        found.call("GET", "/users/{}", ids=("x",))
    found.close()
