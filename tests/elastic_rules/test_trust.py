"""Whom the key is sent to, and where it never shows: TLS verified, no redirect followed, no secret in words."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import Any, List

import pytest

from responders.content.elastic.server import ElasticError, Server
from responders.elastic.access import sound_url
from responders.elastic.kibana import Kibana, KibanaError
from responders.errors import BadInput
from responders.settings import Secret
from tests.kibana.server import SmallKibana
from tests.vendors.servers import Certificates, certificates

KEY = "key-of-everything"


@pytest.fixture(scope="module")
def tls(tmp_path_factory: pytest.TempPathFactory) -> Certificates:
    return certificates(tmp_path_factory.mktemp("tls"))


def test_a_private_ca_is_trusted_and_only_that(tls: Certificates, monkeypatch: pytest.MonkeyPatch) -> None:
    """With --ca it works; without, self-signed, or by another name nothing is sent, and the message says what to give."""
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", tls.ca)
    with SmallKibana(tls=tls.signed) as kibana:
        with Kibana(kibana.url, key=Secret(KEY), ca=tls.ca) as client:
            assert client.status()["version"]["number"] == "8.19.0"
        for url, ca in ((kibana.url, ""), (kibana.url.replace("127.0.0.1", "localhost"), tls.ca)):
            before = len(kibana.requests)
            with Kibana(url, key=Secret(KEY), ca=ca) as client, pytest.raises(KibanaError, match=r"not trusted.*--ca"):
                client.status()
            assert len(kibana.requests) == before
    with SmallKibana(tls=tls.self_signed) as kibana:
        with Kibana(kibana.url, key=Secret(KEY), ca=tls.ca) as client, pytest.raises(KibanaError, match="not trusted"):
            client.status()
        assert kibana.requests == []


def test_a_redirect_is_not_followed_and_a_netrc_not_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The key goes to the address that was given, and no other credential in its place."""
    (tmp_path / "netrc").write_text("machine 127.0.0.1 login evil password evil\n")
    monkeypatch.setenv("NETRC", str(tmp_path / "netrc"))
    with SmallKibana() as kibana, Kibana(kibana.url, key=Secret(KEY)) as client:
        assert client.rules(["r1"]) == {}
        kibana.answer_instead.append(("/api/status", 302, "<html>"))
        with pytest.raises(KibanaError, match="redirects"):
            client.status()
        assert len(kibana.requests) == 2


def test_elasticsearch_gets_the_key_that_was_given(
    tls: Certificates, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Over TLS of a private CA; no .netrc replaces it, no redirect takes it elsewhere."""
    (tmp_path / "netrc").write_text("machine 127.0.0.1 login evil password evil\n")
    monkeypatch.setenv("NETRC", str(tmp_path / "netrc"))
    with SmallKibana(tls=tls.signed) as kibana, Server(kibana.url, key=Secret(KEY), ca=tls.ca) as server:
        server.call("GET", "/api/status")
        assert kibana.requests[0].principal == "everything"
    with SmallKibana() as kibana, Server(kibana.url, key=Secret(KEY)) as server:
        server.call("GET", "/api/status")
        assert kibana.requests[0].principal == "everything"
        kibana.answer_instead.append(("/api/status", 307, "<html>"))
        with pytest.raises(ElasticError, match="gave no JSON"):
            server.call("GET", "/api/status")
        assert len(kibana.requests) == 2


def test_the_key_is_in_no_word_and_no_log(caplog: pytest.LogCaptureFixture) -> None:
    """Neither when it is refused, nor when nobody answers, nor in the client's own repr."""
    said: List[str] = []
    caplog.set_level(logging.DEBUG)
    with SmallKibana() as kibana:
        for url in (kibana.url, "http://127.0.0.1:9"):
            with Kibana(url, key=Secret("s3cr3t-key")) as client, pytest.raises(KibanaError) as caught:
                client.rules(["r1"])
            said += [str(caught.value), repr(caught.value), repr(client), str(vars(caught.value))]
    assert "s3cr3t-key" not in "".join(said) + caplog.text


@pytest.mark.parametrize(
    ("url", "sound"),
    [
        ("https://kibana.example:5601/base/", True), ("http://127.0.0.1:5601", True), ("http://localhost", True),
        ("http://[::1]:1", True), ("http://kibana.example", False), ("http://127.0.0.1.evil.example", False),
        ("http://localhost@evil.example", False), ("https://u:p@kibana.example", False), ("", False),
        ("https://kibana.example?x=1", False), ("https://kibana.example#x", False), ("ftp://kibana.example", False),
        ("https://", False), ("https://kibana.example:x", False), ("//kibana.example", False),
    ],
)  # fmt: skip
def test_where_a_key_may_be_sent(url: Any, sound: bool) -> None:
    """https with a host and a path; http to this machine alone."""
    if sound:
        assert sound_url(url, "--url") == url.rstrip("/")
    else:
        with pytest.raises(BadInput):
            sound_url(url, "--url")
