"""Cassettes hold no secret, and catch a client that sends something else than what was recorded."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, Dict, Iterator, List, Tuple

import pytest
import yaml
from vcr.errors import CannotOverwriteExistingCassetteException

from responders.drill.openbao import OpenBao
from responders.errors import VendorError
from responders.settings import Connection, Secret
from responders.vendors.open import ClientPool
from responders.vendors.transport import Limits
from tests.contract import scrub
from tests.contract.tape import FOLDER, SWITCH, recorded, recording, replayed
from tests.contract.test_vault import REPLAYED
from tests.vendors.servers import Server, always, answer, certificates

CASSETTES = sorted(FOLDER.rglob("*.yaml"))
ONE = FOLDER / "vault" / "disable_entity_and_enable_it_again.yaml"


def secrets_in(value: Any) -> Iterator[Tuple[str, str]]:
    """(name, text) of every member that by its name holds a secret and was not scrubbed."""
    if isinstance(value, dict):
        for name, item in value.items():
            if name.lower() in scrub.SECRET_NAMES and isinstance(item, str) and item not in ("", scrub.MARK):
                yield name, item
            yield from secrets_in(item)
    if isinstance(value, list):
        for item in value:
            yield from secrets_in(item)


def bodies(path: Path) -> Iterator[Any]:
    for entry in yaml.safe_load(path.read_text())["interactions"]:
        for text in (entry["request"]["body"], entry["response"]["body"]["string"]):
            try:
                yield json.loads(text)
            except (TypeError, ValueError):
                assert not text, f"{path.name}: a body that is no JSON: {str(text)[:80]}"


def test_there_are_cassettes() -> None:
    """Zero cassettes are a failure, not a success."""
    assert len(CASSETTES) >= 8


@pytest.mark.parametrize("path", CASSETTES, ids=lambda path: path.stem)
def test_no_cassette_holds_a_secret(path: Path) -> None:
    """No text that looks like a token, key or JWT; no SecretID, password or token by its name; no credential's header."""
    assert scrub.secret_shapes(path.read_text()) == []
    assert [found for body in bodies(path) for found in secrets_in(body)] == []
    for entry in yaml.safe_load(path.read_text())["interactions"]:
        assert set(map(str.lower, entry["request"]["headers"])) <= {"content-type"}
        assert not {"set-cookie", "authorization"} & set(map(str.lower, entry["response"]["headers"]))
        assert entry["request"]["uri"].startswith(f"http://{scrub.HOST}/"), "a server's name was recorded"


@pytest.mark.parametrize(
    "text",
    [
        "hvs.CAESIJ3mQ7xkkTtqKQpQ2vJY1", "s.Zq3mP0xkkTtqKQpQ2vJY1abc", "b.AAAAAQJ3mQ7xkkTtqKQpQ2vJY1",
        "eyJhbGciOiJSUzI1NiJ9.eyJpc3MiOiJhIn0.c2ln", "-----BEGIN RSA PRIVATE KEY-----", "SSWS 00abc",
        "00QW8QjwbZ2Yr1rRQCmTnLVbKh0Y2vDh1mFGkPZk3X",
    ],
)  # fmt: skip
def test_what_looks_like_a_secret_is_found(text: str) -> None:
    """The search above finds each kind: a test that greps for nothing would always be green."""
    assert scrub.secret_shapes(f'{{"x": "{text}"}}')
    assert not scrub.secret_shapes(scrub._shapeless(f'{{"x": "{text}"}}'))


@pytest.mark.engine("openbao")
@pytest.mark.parametrize("breaks", [False, True])
def test_a_secret_that_got_through_leaves_no_cassette(tmp_path: Path, openbao: OpenBao, breaks: bool) -> None:
    """A secret in a place nobody thought of: the recording fails and leaves no file."""
    path = tmp_path / "leaky.yaml"

    def record() -> None:
        with recorded(path, openbao.url, secrets=["sealed"]):
            openbao.request("GET", "sys/seal-status")
            if breaks:
                raise ValueError("the test broke off")

    with pytest.raises(AssertionError, match="was not kept"):
        record()
    assert not path.exists()


def test_nothing_is_recorded_in_ci(monkeypatch: pytest.MonkeyPatch) -> None:
    """A switch left on in CI is an error: it must neither record over a cassette nor be passed over in silence."""
    monkeypatch.setenv(SWITCH, "vault")
    monkeypatch.setenv("CI", "true")
    with pytest.raises(RuntimeError, match="in CI"):
        recording("vault")
    monkeypatch.delenv("CI")
    assert recording("vault") and not recording("okta")


# -- a client that sends something else -------------------------------------------------------------------


def entity_of(path: Path) -> str:
    facts: Dict[str, str] = json.loads(path.with_suffix("").with_suffix(".facts.json").read_text())
    return facts["entity"]


@pytest.fixture
def client() -> Iterator[Any]:
    pool = ClientPool((REPLAYED,))
    yield pool.get("vault", "default")
    pool.close()


@pytest.mark.parametrize(
    ("method", "path", "query", "body"),
    [
        ("GET", "/identity/entity/id/another", None, None),
        ("POST", "/identity/entity/id/{entity}", None, {"disabled": "true"}),
        ("POST", "/identity/entity/id/{entity}", None, {"disabled": True, "name": "x"}),
        ("GET", "/identity/entity/id/{entity}", {"list": "true"}, None),
        ("DELETE", "/identity/entity/id/{entity}", None, None),
    ],
    ids=["path", "body's type", "body's names", "query", "method"],
)
def test_another_request_than_recorded_fails(client: Any, method: str, path: str, query: Any, body: Any) -> None:
    """Method, path, query and body are matched: each other request raises instead of being answered."""
    with pytest.raises((CannotOverwriteExistingCassetteException, AssertionError)) as caught, replayed(ONE):
        client.call(method, path.replace("{entity}", entity_of(ONE)), query=query, body=body)
    assert isinstance(caught.value, CannotOverwriteExistingCassetteException), "the call was answered"


def test_fewer_requests_than_recorded_fail(client: Any) -> None:
    """A client that leaves a call out, a confirm for example, is noticed at the end of the replay."""
    with pytest.raises(AssertionError, match="recorded and not sent"), replayed(ONE):
        client.call("GET", "/identity/entity/id/{}", ids=(entity_of(ONE),))


def test_scrubbing_is_alike_on_both_sides(tmp_path: Path) -> None:
    """A random password is scrubbed before matching, so that a replay may send another one."""
    made: List[bytes] = [
        scrub._body(json.dumps({"password": secret, "user": "a"}).encode(), "application/json", "") for secret in ("x", "y")
    ]
    assert made[0] == made[1] and b"scrubbed" in made[0] and b'"a"' in made[0]


# -- over TLS, as a tenant is ------------------------------------------------------------------------------


def tls_client(url: str, ca: str) -> ClientPool:
    return ClientPool(
        (Connection("okta", "corp", url, {"api_token": Secret("sealed-token")}, ca=ca),), limits=Limits(retries=0)
    )


def test_recording_keeps_tls_verified(tmp_path: Path) -> None:
    """While recording, a server with the right certificate is talked to and one with another is refused, as without it."""
    tls = certificates(tmp_path)
    for context, works in ((tls.signed, True), (tls.self_signed, False)):
        with Server(always(answer(b'{"id": "00u1"}')), context) as vendor:
            path = tmp_path / f"tls-{works}.yaml"
            with recorded(path, vendor.url, secrets=["sealed-token"]):
                pool = tls_client(vendor.url, tls.ca)
                client: Any = pool.get("okta", "corp")
                if works:
                    assert client.call("GET", "/api/v1/users/me").body == {"id": "00u1"}
                else:
                    with pytest.raises(VendorError, match=r"TLS|certificate"):
                        client.call("GET", "/api/v1/users/me")
                pool.close()
    with replayed(tmp_path / "tls-True.yaml"):
        pool = tls_client(f"https://{scrub.HOST}", tls.ca)
        again: Any = pool.get("okta", "corp")
        assert again.call("GET", "/api/v1/users/me").body == {"id": "00u1"}
        pool.close()
