"""Whom the transport talks to, and what it never says: TLS, proxies, redirects, next pages, secrets."""

from __future__ import annotations

import logging
import socket
import threading
from typing import Any, List

import pytest
from hypothesis import given
from hypothesis import strategies as st

from responders.errors import BadAnswer, BadSettings, OutcomeUnknown, Permanent, Unavailable, VendorError
from responders.settings import Connection, Secret
from responders.vendors.okta import OktaClient
from responders.vendors.redact import redact
from responders.vendors.transport import Limits
from tests.vendors.servers import Certificates, Echo, Server, always, answer, transport

ONCE = Limits(connect=2, attempt=2, total=2, retries=0)


def test_a_private_ca_works(tls: Certificates) -> None:
    """A server signed by the CA of the settings is trusted, over one connection."""
    with Server(always(answer()), tls.signed) as vendor:
        sender = transport(vendor.url, ca=tls.ca)
        for _ in range(5):
            assert sender.send("POST", "/thing", headers={}).body == {}
        sender.close()
        assert vendor.connections == 1


@pytest.mark.parametrize("ca", [True, False])
def test_a_self_signed_server_is_refused(tls: Certificates, ca: bool) -> None:
    """A certificate nobody vouches for ends the call before anything is sent, and the message says why."""
    with Server(always(answer()), tls.self_signed) as vendor:
        sender = transport(vendor.url, ONCE, ca=tls.ca if ca else "")
        with pytest.raises(Unavailable, match=r"CERTIFICATE_VERIFY_FAILED.*Check the CA setting"):
            sender.send("POST", "/thing", headers={"Authorization": "Bearer s3cr3t-value"})
        sender.close()
        assert vendor.heads == []


def test_a_certificate_of_another_host_is_refused(tls: Certificates) -> None:
    """The name in the certificate must be the host that was asked for."""
    with Server(always(answer()), tls.signed) as vendor:
        sender = transport(vendor.url.replace("127.0.0.1", "localhost"), ONCE, ca=tls.ca)
        with pytest.raises(Unavailable, match="TLS failed"):
            sender.send("GET", "/thing", headers={})
        sender.close()
        assert vendor.heads == []


def test_tls_that_breaks_after_the_request_is_an_unknown_outcome(tls: Certificates) -> None:
    """Once a change went out, a broken TLS record says nothing of it: it is not sent again."""

    def spoil(connection: socket.socket, request: bytes) -> None:
        socket.socket.send(connection, b"this is no TLS record at all")
        socket.socket.shutdown(connection, socket.SHUT_RDWR)

    with Server(spoil, tls.signed) as vendor:
        sender = transport(vendor.url, ca=tls.ca)
        with pytest.raises(OutcomeUnknown):
            sender.send("POST", "/thing", headers={})
        sender.close()
        assert len(vendor.heads) == 1


@pytest.mark.parametrize("content", ["", "no certificate", None])
def test_an_unusable_ca_file_is_named(tmp_path: Any, content: Any) -> None:
    """A CA file that is missing or holds no certificate is an error that can be acted on, when the responder starts."""
    path = tmp_path / "private-ca.pem"
    if content is not None:
        path.write_text(content)
    with pytest.raises(BadSettings, match=r"okta\.ca: .*private-ca\.pem.*PEM"):
        transport("https://vendor.example", ONCE, ca=str(path))


def _tunnel(connection: socket.socket, request: bytes) -> None:
    """A CONNECT proxy."""
    host, _, port = request.split(b" ")[1].decode().partition(":")
    with socket.create_connection((host, int(port))) as far:
        connection.sendall(b"HTTP/1.1 200 OK\r\n\r\n")

        def back() -> None:
            while data := far.recv(65536):
                connection.sendall(data)

        thread = threading.Thread(target=back, daemon=True)
        thread.start()
        while data := connection.recv(65536):
            far.sendall(data)


def test_the_proxy_of_the_settings_is_used(tls: Certificates) -> None:
    """Calls go through the proxy, which sees the host's name and no credential."""
    with Server(always(answer()), tls.signed) as vendor, Server(_tunnel) as proxy:
        sender = transport(vendor.url, ca=tls.ca, proxy=proxy.url)
        assert sender.send("GET", "/thing", headers={"Authorization": "Bearer s3cr3t-value"}).body == {}
        sender.close()
        assert len(proxy.heads) == 1 and proxy.heads[0].startswith(b"CONNECT 127.0.0.1:%d " % vendor.port)
        assert b"s3cr3t" not in proxy.heads[0]


def test_the_environment_sets_no_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    """Proxies and .netrc passwords of the environment are not for the responder."""
    for name in ("http_proxy", "HTTP_PROXY", "ALL_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    with Echo() as vendor:
        sender = transport(vendor.url, ONCE)
        assert sender.send("GET", "/thing", headers={}).status == 200
        sender.close()


def test_a_proxy_that_is_down_is_no_unknown_outcome(tls: Certificates) -> None:
    """What did not get past the proxy may be sent again."""
    with Server(always(answer()), tls.signed) as vendor:
        sender = transport(vendor.url, ONCE, ca=tls.ca, proxy="http://someone:proxy-pass@127.0.0.1:9")
        with pytest.raises(Unavailable) as caught:
            sender.send("POST", "/thing", headers={})
        assert "proxy-pass" not in f"{caught.value}{sender.endpoint!r}{sender!r}"
        sender.close()


@pytest.mark.parametrize("status", ["301 Moved", "302 Found", "307 Temporary Redirect", "308 Permanent Redirect"])
@pytest.mark.parametrize("method", ["GET", "POST"])
def test_redirects_are_not_followed(method: str, status: str) -> None:
    """A redirect takes no credential elsewhere: it is an error."""
    with Server(always(answer())) as other, Server(always(answer(b"", status, f"Location: {other.url}/thing"))) as vendor:
        sender = transport(vendor.url)
        with pytest.raises(Permanent, match="30"):
            sender.send(method, "/thing", headers={"Authorization": "Bearer s3cr3t-value"})
        sender.close()
        assert other.heads == [] and len(vendor.heads) == 1


ELSEWHERE = [
    "https://evil.example/x", "//evil.example/x", "@evil.example/x", ".evil.example/x", ":1/x", "HTTP://evil.example/x",
    "http://127.0.0.1:1/x", "http://user@127.0.0.1/x", "http://127.0.0.1\\@evil.example/", "evil",
]  # fmt: skip


@pytest.mark.parametrize("following", ELSEWHERE)
def test_a_next_page_elsewhere_is_refused(following: str) -> None:
    """The next page a vendor names is fetched from that vendor only; nothing is sent to any other host."""
    with Server(always(answer(b"[]", "200 OK", f'Link: <{following}>; rel="next"'))) as vendor:
        client = OktaClient(transport(vendor.url, ONCE), "default", {}, api_token="s3cr3t-value")
        with pytest.raises(VendorError):
            client.items("/api/v1/users")
        client.close()
        assert all(head.split(b" ")[1] in (b"/api/v1/users", b"//evil.example/x") for head in vendor.heads)


@given(st.text(max_size=20))
def test_no_path_changes_the_host(path: str) -> None:
    """Whatever a vendor gives as the next page, the URL keeps scheme, host and port, or is refused."""
    sender = transport("http://127.0.0.1:8200")
    try:
        url = sender._url(path)
    except BadAnswer:
        return
    assert url.startswith("http://127.0.0.1:8200/")


def test_the_host_of_a_next_page_is_compared_as_hosts_are() -> None:
    """Upper case, and the default port written out, name the same host."""
    sender = transport("https://Org.okta.example")
    assert (
        sender._url("https://org.okta.example:443/api/v1/users?after=1")
        == "https://org.okta.example:443/api/v1/users?after=1"
    )


SECRETS = ("s3cr3t-value", "p@ss word&more", "-----BEGIN PRIVATE KEY-----\nMIIabc\n-----END PRIVATE KEY-----")


@pytest.mark.parametrize("secret", SECRETS)
@pytest.mark.parametrize("status", ["400 Bad Request", "401 Unauthorized", "403 Forbidden", "404 Not Found", "500 No"])
def test_secrets_that_a_vendor_repeats_are_not_in_its_error(
    secret: str, status: str, caplog: pytest.LogCaptureFixture
) -> None:
    """An error page that repeats the credential is shown without it; nothing of it is logged."""
    caplog.set_level(logging.DEBUG)
    said = answer(b'{"why": ' + repr(secret).encode().replace(b"'", b'"') + b"}", status)
    with Server(always(said)) as vendor:
        sender = transport(vendor.url, ONCE)
        sender.keep_secret((secret,))
        with pytest.raises(VendorError) as caught:
            sender.send("GET", "/thing", headers={"X-Token": "x"})
        sender.close()
    assert secret not in f"{caught.value}{caught.value!r}{sender!r}{vars(caught.value)}"
    assert secret not in caplog.text


@given(st.text(alphabet=st.characters(min_codepoint=33, max_codepoint=126), min_size=8), st.text(), st.text())
def test_a_known_secret_is_never_shown(secret: str, before: str, after: str) -> None:
    """Redaction removes a secret wherever it stands, and gives one bounded, printable line."""
    shown = redact(f"{before}{secret}{after}", (secret,))
    assert secret not in shown.replace("***", "\0")
    assert len(shown) <= 401 and (shown.isprintable() or not shown)


@pytest.mark.parametrize(
    "text",
    ["Authorization: Bearer abcdef123456", "SSWS 00abcdefgh", '{"client_secret": "abcdef123456"}', "secret_id=abcdef123456",
     "eyJhbGciOiJSUzI1NiJ9.abcdef123456.xyz", "token hvs.abcdef123456abcdef123456", "s.abcdef123456abcdef123456"],
)  # fmt: skip
def test_what_looks_like_a_secret_is_not_shown(text: str) -> None:
    """Credentials that we never held are recognised by their shape."""
    assert "abcdef" not in redact(text)


def test_no_repr_shows_a_secret() -> None:
    """Clients, transports, endpoints and connections can be printed."""
    things: List[Any] = [Secret("s3cr3t-value")]
    things.append(Connection("okta", "t", "https://x", {"api_token": things[0]}, proxy="http://u:s3cr3t-value@proxy"))
    sender = transport("https://x.example", proxy="http://u:s3cr3t-value@proxy")
    things += [sender, sender.endpoint, OktaClient(sender, "t", {}, api_token="s3cr3t-value")]
    assert "s3cr3t" not in " ".join(f"{thing!r} {thing!s}" for thing in things)
