"""The transport against real servers: reuse, deadlines, retries, unreadable answers. TLS and hosts: test_trust.py."""

from __future__ import annotations

import gzip
import socket
import threading
import time
from typing import Any, List

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from responders.drill.simulators.server import Fault
from responders.errors import BadAnswer, BadSettings, OutcomeUnknown, Permanent, Unavailable, VendorError
from responders.vendors.transport import MAX_ANSWER, Endpoint, Limits
from tests.vendors.servers import Certificates, Echo, Server, always, answer, drip, transport

CHANGES = ("POST", "PUT", "PATCH", "DELETE")


def test_many_calls_use_one_connection() -> None:
    """Calls made one after another go over one connection."""
    with Echo() as vendor:
        sender = transport(vendor.url)
        for method in ("GET", *CHANGES) * 4:
            sender.send(method, "/thing", headers={})
        sender.close()
        assert {entry.connection for entry in vendor.requests} == {1}


def test_threads_share_the_connections() -> None:
    """A connection that one thread gave back is taken by the next thread."""
    with Echo() as vendor:
        sender = transport(vendor.url)
        for _ in range(5):
            thread = threading.Thread(target=sender.send, args=("GET", "/thing"), kwargs={"headers": {}})
            thread.start()
            thread.join()
        sender.close()
        assert {entry.connection for entry in vendor.requests} == {1}


HEAD = b"HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n"
CHUNKED = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"


@pytest.mark.parametrize("first", [HEAD, CHUNKED, b"HTTP/1.1 200 OK\r\nX-Slow: "], ids=["body", "chunk size", "header"])
@pytest.mark.parametrize("method", ["GET", "POST"])
def test_a_dripping_answer_ends_at_the_deadline(method: str, first: bytes) -> None:
    """A vendor that sends a byte now and then holds nobody longer than the deadline; a change's outcome is unknown."""
    with Server(drip(first)) as vendor:
        sender = transport(vendor.url, Limits(attempt=0.3, total=0.6, retries=1))
        start = time.monotonic()
        with pytest.raises(Unavailable if method == "GET" else OutcomeUnknown):
            sender.send(method, "/thing", headers={})
        assert time.monotonic() - start < 1.5
        sender.close()
        assert method == "GET" or len(vendor.heads) == 1


def test_a_dripping_answer_over_tls_ends_at_the_deadline(tls: Certificates) -> None:
    """The deadline holds inside TLS as well."""
    with Server(drip(HEAD), tls.signed) as vendor:
        sender = transport(vendor.url, Limits(attempt=0.4, total=0.6, retries=0), ca=tls.ca)
        start = time.monotonic()
        with pytest.raises(OutcomeUnknown):
            sender.send("POST", "/thing", headers={})
        assert time.monotonic() - start < 1.5
        sender.close()


def test_a_silent_host_is_given_up_after_the_connect_timeout() -> None:
    """A host that takes no connection is given up after `connect`, and since nothing was sent, a change may be repeated."""
    with socket.socket() as full:
        full.bind(("127.0.0.1", 0))
        full.listen(0)
        waiting: List[socket.socket] = []
        for _ in range(4):  # fill the queue: Linux then drops further handshakes
            one = socket.socket()
            one.setblocking(False)
            one.connect_ex(full.getsockname())
            waiting.append(one)
        sender = transport(f"http://127.0.0.1:{full.getsockname()[1]}", Limits(connect=0.2, attempt=5, total=10, retries=1))
        start = time.monotonic()
        with pytest.raises(Unavailable):
            sender.send("POST", "/thing", headers={})
        assert 0.3 < time.monotonic() - start < 2
        sender.close()
        for one in waiting:
            one.close()


def test_a_refused_connection_is_no_unknown_outcome() -> None:
    """Nothing can have arrived where nobody listens: the change may be repeated."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    sender = transport(f"http://127.0.0.1:{port}", Limits(retries=1))
    with pytest.raises(Unavailable):
        sender.send("DELETE", "/thing", headers={})


@pytest.mark.parametrize("kind", ["drop", "status"])
def test_a_read_is_repeated(kind: str) -> None:
    """A read that was dropped, or answered 500, is tried again."""
    with Echo() as vendor:
        vendor.faults.append(Fault("GET", "/thing", kind, times=2))
        sender = transport(vendor.url)
        assert sender.send("GET", "/thing", headers={}).status == 200
        sender.close()


@pytest.mark.parametrize("method", CHANGES)
@pytest.mark.parametrize("kind", ["lost", "status"])
def test_a_change_is_never_repeated_blindly(method: str, kind: str) -> None:
    """A change whose answer is lost, or a 500, is sent once: its outcome is unknown and must be read."""
    with Echo() as vendor:
        vendor.faults.append(Fault(method, "/thing", kind, times=9))
        sender = transport(vendor.url)
        with pytest.raises(OutcomeUnknown):
            sender.send(method, "/thing", headers={}, body={"a": 1})
        sender.close()
        assert len(vendor.requests) == 1


def test_a_change_answered_503_is_repeated() -> None:
    """503 says that the vendor did not take the request (sealed, overloaded)."""
    with Echo() as vendor:
        vendor.faults.append(Fault("POST", "/thing", "status", status=503, times=2))
        sender = transport(vendor.url)
        assert sender.send("POST", "/thing", headers={}).status == 200
        sender.close()


@pytest.mark.parametrize("body", [b"<html>", b'{"a": ', b"\xff\xfe", b"[" * 100_000, b"NaN?"])
def test_an_answer_that_is_no_json_is_a_bad_answer(body: bytes) -> None:
    """An answer that can't be read is an error, never an empty success."""
    with Server(always(answer(body))) as vendor:
        sender = transport(vendor.url)
        with pytest.raises(BadAnswer, match="not JSON"):
            sender.send("GET", "/thing", headers={})
        sender.close()


def test_a_huge_answer_is_cut_off() -> None:
    """No more than the limit is ever read."""
    with Server(always(answer(b'"' + b"x" * (MAX_ANSWER + 1) + b'"'))) as vendor:
        sender = transport(vendor.url)
        with pytest.raises(BadAnswer, match="cut off"):
            sender.send("GET", "/thing", headers={})
        sender.close()


def test_a_gzip_bomb_is_cut_off() -> None:
    """What a compressed answer unpacks to is bounded, not what comes over the wire."""
    bomb = gzip.compress(b'"' + b"\0" * (20 * MAX_ANSWER) + b'"')
    assert len(bomb) < MAX_ANSWER
    with Server(always(answer(bomb, "200 OK", "Content-Encoding: gzip"))) as vendor:
        sender = transport(vendor.url)
        with pytest.raises(BadAnswer, match="cut off"):
            sender.send("GET", "/thing", headers={})
        sender.close()


def test_a_truncated_gzip_is_an_error() -> None:
    """Half a compressed answer is no answer: a change's outcome is unknown."""
    half = gzip.compress(b'{"a": "' + bytes(range(48, 90)) * 50 + b'"}')[:-20]
    with Server(always(answer(half, "200 OK", "Content-Encoding: gzip"))) as vendor:
        sender = transport(vendor.url)
        with pytest.raises((OutcomeUnknown, BadAnswer)):
            sender.send("POST", "/thing", headers={})
        sender.close()


@pytest.mark.parametrize(
    "headers", [{"X-Bad": "a\nb"}, {"Authorization": "Bearer \u20ac"}], ids=["line break", "not latin-1"]
)
def test_a_request_that_cannot_be_sent_is_no_unknown_outcome(headers: dict[str, str]) -> None:
    """What never left this machine has a known outcome, and is not tried again."""
    with Echo() as vendor:
        sender = transport(vendor.url)
        with pytest.raises(Permanent):
            sender.send("POST", "/thing", headers=headers)
        sender.close()
        assert not vendor.requests


def test_a_body_that_is_no_json_is_not_sent() -> None:
    """NaN has no JSON form: the change never left, so its outcome is known."""
    with Echo() as vendor:
        sender = transport(vendor.url)
        with pytest.raises(Permanent, match="not sent"):
            sender.send("POST", "/thing", headers={}, body={"a": float("nan")})
        sender.close()
        assert not vendor.requests


def test_after_a_late_answer_the_next_call_works() -> None:
    """A connection that was cut is not given to the next call, and calls going on at the same time are left alone."""
    answers = [drip(HEAD), always(answer())]

    def script(connection: socket.socket, request: bytes) -> None:
        answers[request.startswith(b"GET")](connection, request)

    with Server(script) as vendor:
        sender = transport(vendor.url, Limits(attempt=0.3, total=0.6, retries=0))
        late: List[Exception] = []

        def change() -> None:
            try:
                sender.send("POST", "/thing", headers={})
            except OutcomeUnknown as error:
                late.append(error)

        threads = [threading.Thread(target=change) for _ in range(4)]
        for thread in threads:
            thread.start()
        end = time.monotonic() + 0.6
        while time.monotonic() < end:
            assert sender.send("GET", "/thing", headers={}).body == {}
        for thread in threads:
            thread.join()
        assert len(late) == 4
        assert sender.send("GET", "/thing", headers={}).body == {}
        sender.close()


@pytest.mark.parametrize("given", [["a"], {"a": 1}, 5, None, True])
def test_an_id_that_is_no_text_is_refused(given: Any) -> None:
    """A JSON list never becomes a user's name (mistake 9 of others)."""
    with pytest.raises(Permanent, match="can't be an id"):
        transport("http://127.0.0.1:1").path("/users/{}", (given,))


TRICKS = [
    "../x",
    "%2f",
    "%2e%2e%2fx",
    "a?b=c",
    "a#b",
    "a;b",
    "\x00",
    "a\r\nX: y",
    "Ünï ⛔",
    "\ud800",
    ".",
    "..",
    "/",
    "\\",
    "",
]


@given(st.one_of(st.text(), st.text(alphabet="./%2fF\\?#&;:@ e")))
def test_an_id_stays_in_its_path_segment(text: str) -> None:
    """Whatever an id holds, the vendor sees it in exactly one path segment, unchanged; or nothing is sent at all."""
    _one_segment(text)


@pytest.mark.parametrize("text", TRICKS)
def test_a_trick_stays_in_its_path_segment(text: str) -> None:
    """The known path tricks, each."""
    _one_segment(text)


def _one_segment(text: str) -> None:
    vendor = _echo()
    vendor.requests.clear()
    sender = transport(vendor.url)
    try:
        path = sender.path("/users/{}/sessions", (text,))
    except VendorError:
        assert not text or text in (".", "..") or len(text) > 2048 or any(ord(c) < 32 or ord(c) == 127 for c in text)
        return
    found = sender.send("DELETE", path, headers={}, query={"q": "1"})
    sender.close()
    seen = vendor.requests[0].path.partition("?")[0].split("/")
    assert len(seen) == 4 and (seen[1], seen[3]) == ("users", "sessions")
    assert vendor.requests[0].query == {"q": "1"}
    assert found.body == {"ids": [text.encode("utf-8", "surrogatepass").decode("utf-8", "replace")]}


_ECHO: List[Echo] = []


def _echo() -> Echo:
    if not _ECHO:
        _ECHO.append(Echo("/users/{id}/sessions"))
        _ECHO[0].start()
    return _ECHO[0]


@pytest.fixture(scope="module", autouse=True)
def _stop_echo() -> object:
    yield
    while _ECHO:
        _ECHO.pop().stop()


@pytest.mark.parametrize("ids", [(), ("a", "b")])
def test_a_template_takes_as_many_ids_as_it_has_places(ids: tuple[str, ...]) -> None:
    """A missing id never makes a call to the whole collection."""
    with pytest.raises(Permanent, match="ids"):
        transport("http://127.0.0.1:1").path("/users/{}", ids)


@example("https://[bad")
@example("https://:secret@127.0.0.1")
@example("https://127.0.0.1:99999")
@example("https://h/#f")
@given(st.text(max_size=12).map(lambda text: f"http://{text}"))
def test_only_https_urls_without_credentials_are_endpoints(url: str) -> None:
    """Any other URL is an error in the settings that says so, when the responder starts."""
    with pytest.raises(BadSettings, match=r"okta\.url"):
        Endpoint("okta", url)
