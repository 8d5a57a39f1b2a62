"""Escalation over real channels: delivered, escaped, without secrets; a dead channel delays nobody and is tried again."""

from __future__ import annotations

import contextlib
import http.server
import importlib.util
import json
import os
import socket
import stat
import threading
import time
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any, Callable, Dict, Iterator, List, Optional, Sequence, Tuple

import pytest

from responders import pipeline
from responders.codec import to_json
from responders.drill.world import World
from responders.errors import BadInputs, BadSettings, Unavailable
from responders.escalation.channels import Apprise, File, Slack, Stdout, Webhook, open_channels
from responders.escalation.report import Channel, Report
from responders.escalation.send import send
from responders.settings import Secret
from tests.catalogue import CATALOGUE
from tests.support import raw_alert
from tests.vendors.servers import Certificates, Server, always, answer, certificates, drip

NOW = datetime(2026, 11, 24, 12, 0, tzinfo=timezone.utc)
EVIL = "<!channel> <script>alert(1)</script> & \x1b[2J\u202e @here"


def report(**more: Any) -> Report:
    given: Dict[str, Any] = {
        "containment": "c-1", "title": "alice is contained", "loud": False, "alert": None, "decision": None, "plan": None,
        "outcomes": (), "open_items": (), "created": (), "manual": (), "undo": "tourniquet restore c-1", "head": "c:1:ab",
        "at": NOW, **more,
    }  # fmt: skip
    return Report(**given)


class Receiver:
    """An HTTP endpoint that keeps what it is sent and answers `status`."""

    def __init__(self, status: int = 200) -> None:
        self.status = status
        self.got: List[Tuple[str, Any]] = []
        receiver = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                receiver.got.append((self.path, json.loads(body)))
                self.send_response(receiver.status)
                self.send_header("Content-Length", "0")
                if receiver.status == 302:
                    self.send_header("Location", "/elsewhere")
                self.end_headers()

            def log_message(self, format: str, *args: Any) -> None:
                """Quiet."""

        self._server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}/hook/s3cr3t"

    def __enter__(self) -> Receiver:
        threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()
        return self

    def __exit__(self, *args: object) -> None:
        self._server.shutdown()
        self._server.server_close()


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with Receiver() as found:
        yield found


def soon(seconds: float = 2.0) -> float:
    return time.monotonic() + seconds


def test_a_webhook_gets_the_whole_report(receiver: Receiver) -> None:
    """Machines get every field, as JSON."""
    Webhook("w", receiver.url).send(report(open_items=("vault is down",)), soon())
    [(path, body)] = receiver.got
    assert path == "/hook/s3cr3t"
    assert body["tourniquet"] == 1 and body["open_items"] == ["vault is down"] and body["undo"] == "tourniquet restore c-1"


def test_slack_gets_escaped_text(receiver: Receiver) -> None:
    """Nothing from a log mentions a channel, makes a link, or reaches a terminal raw."""
    Slack("s", receiver.url).send(report(title=EVIL, loud=True), soon())
    [(_, body)] = receiver.got
    assert set(body) == {"text"}
    assert "<" not in body["text"] and "&lt;!channel&gt;" in body["text"]
    assert "\x1b" not in body["text"] and "\u202e" not in body["text"]


def test_a_file_gets_a_line_for_each_report(tmp_path: Path) -> None:
    """Appended, readable by its owner only, one JSON object a line even when a title has line breaks."""
    channel = File("f", str(tmp_path / "out.jsonl"))
    for title in ("one", "two\n{}"):
        channel.send(report(title=title), soon())
    lines = (tmp_path / "out.jsonl").read_text().splitlines()
    assert [json.loads(line)["title"] for line in lines] == ["one", "two\n{}"]
    assert stat.S_IMODE((tmp_path / "out.jsonl").stat().st_mode) == 0o600


def test_a_file_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    """A missing folder is told with its path."""
    with pytest.raises(Unavailable, match="nowhere"):
        File("f", str(tmp_path / "nowhere" / "x")).send(report(), soon())


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="no /dev/full")
def test_a_full_disk_is_an_error() -> None:
    """What could not be written was not delivered."""
    with pytest.raises(Unavailable, match="No space"):
        File("f", "/dev/full").send(report(), soon())


def test_stdout_gets_escaped_text(capsys: pytest.CaptureFixture[str]) -> None:
    """A terminal shows control characters, it does not obey them."""
    Stdout().send(report(title=EVIL, open_items=(EVIL,), manual=(EVIL,), loud=True), soon())
    shown = capsys.readouterr().out
    assert shown.startswith("!!! ") and "\x1b" not in shown and "\u202e" not in shown
    assert "Undo: tourniquet restore c-1" in shown
    assert "in Splunk: the action Restore identity" in shown


@pytest.mark.skipif(importlib.util.find_spec("apprise") is None, reason="apprise is not installed")
@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_apprise_delivers(receiver: Receiver) -> None:
    """apprise's own JSON target gets title and text."""
    target = receiver.url.replace("http://", "json://")
    Apprise("a", (target,)).send(report(), soon())
    assert receiver.got[0][1]["title"] == "alice is contained"


@pytest.mark.skipif(importlib.util.find_spec("apprise") is None, reason="apprise is not installed")
@pytest.mark.filterwarnings("ignore::DeprecationWarning")
@pytest.mark.parametrize("urls", [("nonsense://x/s3cr3t",), ("json://127.0.0.1:9/s3cr3t",)])
def test_apprise_says_when_it_did_not_deliver(receiver: Receiver, urls: Tuple[str, ...]) -> None:
    """A target that apprise does not know, or can't reach, is no success beside one that works; no URL is shown."""
    with pytest.raises(Unavailable) as caught:
        Apprise("a", (*urls, receiver.url.replace("http://", "json://"))).send(report(), soon())
    assert "s3cr3t" not in str(caught.value)


@pytest.mark.parametrize("make", [Webhook, Slack])
@pytest.mark.parametrize("status", [302, 400, 404, 429, 500, 503])
def test_only_2xx_is_delivered(receiver: Receiver, make: Callable[..., Channel], status: int) -> None:
    """A refusal or a redirect is no delivery; the URL, which is a secret, is not told."""
    receiver.status = status
    with pytest.raises(Unavailable, match=str(status)) as caught:
        make("w", receiver.url).send(report(), soon())
    assert len(receiver.got) == 1 and "s3cr3t" not in repr(caught.value)


def test_webhooks_verify_tls(tmp_path: Path) -> None:
    """A self-signed receiver gets nothing; one signed by the private CA of the settings does."""
    tls: Certificates = certificates(tmp_path)
    with Server(always(answer()), tls.self_signed) as false, Server(always(answer()), tls.signed) as true:
        with pytest.raises(Unavailable):
            Webhook("w", false.url, ca=tls.ca).send(report(), soon())
        Webhook("w", true.url, ca=tls.ca).send(report(), soon())
        assert not false.heads and len(true.heads) == 1


class Slow:
    """A channel that hangs until it is let go."""

    name = "slow"

    def __init__(self) -> None:
        self.let_go = threading.Event()

    def send(self, report: Report, deadline: float) -> None:
        self.let_go.wait(20)


class Broken:
    """A channel with a bug."""

    name = "broken"

    def send(self, report: Report, deadline: float) -> None:
        raise KeyError("https://hooks.example/?token=s3cr3t-value")


def test_a_dead_channel_delays_nobody(receiver: Receiver, tmp_path: Path) -> None:
    """Hung, dripping, refused and broken channels: the others get it at once, and all ends by the deadline."""
    slow = Slow()
    with Server(drip(b"HTTP/1.1 2")) as dripping:
        dead: List[Channel] = [slow, Broken(), Webhook("drip", dripping.url), Webhook("refused", "http://127.0.0.1:9/x")]
        live: List[Channel] = [Webhook("live", receiver.url), File("file", str(tmp_path / "f"))]
        start = time.monotonic()
        failed = dict(send([*dead, *live], report(), 0.6))
        assert time.monotonic() - start < 1.2
    slow.let_go.set()
    assert set(failed) == {"slow", "broken", "drip", "refused"}
    assert all(failed.values())
    assert "s3cr3t" not in str(failed)
    assert len(receiver.got) == 1 and (tmp_path / "f").exists()


def test_channels_that_end_late_are_told() -> None:
    """Channels that are let go only after the deadline are all told as too late."""
    channels: List[Any] = []
    for number in range(20):
        one = Slow()
        one.name = f"slow{number}"
        channels.append(one)
    result: List[Sequence[Tuple[str, str]]] = []
    thread = threading.Thread(target=lambda: result.append(send(channels, report(), 0.1)))
    thread.start()
    thread.join(5)
    for one in channels:
        one.let_go.set()
    assert len(result[0]) == 20


def test_an_undelivered_report_is_retried_later(world: World, tmp_path: Path) -> None:
    """Containment goes on without the dead channel, which gets the same report once it is back."""
    person = world.add_person("alice", vendors=("okta",))
    now = [datetime.now(timezone.utc)]
    with Receiver(503) as hook:
        channels = (Webhook("hook", hook.url), File("file", str(tmp_path / "out.jsonl")))
        responder = world.responder(catalogue=CATALOGUE, channels=channels, clock=lambda: now[0])
        told = pipeline.contain(raw_alert(person), responder)
        assert len(hook.got) == 1 and len((tmp_path / "out.jsonl").read_text().splitlines()) >= 1
        hook.status = 200
        now[0] += timedelta(minutes=2)
        pipeline.take_up(responder)
        same = [body for _, body in hook.got if body["title"] == to_json(told)["title"]]
        assert len(same) == 2 and same[0] == same[1]
        lines = [json.loads(line) for line in (tmp_path / "out.jsonl").read_text().splitlines()]
        assert sum(line["title"] == told.title for line in lines) == 1, "a channel that took it must not get it twice"


def test_no_secret_is_in_an_escalation(world: World, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Neither the responder's credentials nor what the attacker holds stands in any channel's text."""
    person = world.add_person("alice")
    with Receiver() as hook:
        channels = (Webhook("w", hook.url), Slack("s", hook.url), File("f", str(tmp_path / "f")), Stdout())
        pipeline.contain(raw_alert(person), world.responder(catalogue=CATALOGUE, channels=channels))
        said = json.dumps(hook.got) + (tmp_path / "f").read_text() + capsys.readouterr().out
    assert len(hook.got) == 2
    for connection in world.connections:
        for secret in connection.secrets.values():
            assert secret.reveal() not in said
    held = [
        person.held[name]
        for name in ("okta refresh token", "entra refresh token", "entra access token", "cyberark password")
    ]
    for value in (*held, person.password, world.key.decode()):
        assert value not in said


WRONG: List[Tuple[Any, Optional[str]]] = [
    ({"type": "pigeon"}, "escalation[1]: unknown type 'pigeon'. use one of webhook, slack, file, stdout, apprise"),
    ({}, "escalation[1]: unknown type ''"),
    ("stdout", "escalation[1]: is no object"),
    ({"type": "webhook"}, "escalation[1].url: is missing"),
    ({"type": "webhook", "url": 5}, "escalation[1].url: must be text"),
    ({"type": "webhook", "url": "http://hooks.example/s3cr3t"}, "escalation[1].url: must be https"),
    ({"type": "slack", "url": "ftp://x/s3cr3t"}, "escalation[1].url: must be https"),
    ({"type": "slack", "url": "https://[x/s3cr3t"}, "escalation[1].url: must be https"),
    ({"type": "webhook", "url": "https://x", "ca": "/nowhere.pem"}, "escalation[1].ca: /nowhere.pem is no file"),
    ({"type": "webhook", "url": "https://x", "colour": 1}, "escalation[1]: unknown key 'colour'"),
    ({"type": "file"}, "escalation[1].path: is missing"),
    ({"type": "file", "path": "f", "name": 5}, "escalation[1].name: must be text"),
    ({"type": "apprise", "urls": "mailto://x"}, "escalation[1].urls: must be a list of texts"),
    ({"type": "apprise", "urls": []}, "escalation[1].urls: is missing"),
]


@pytest.mark.parametrize(("entry", "said"), WRONG)
def test_a_wrong_channel_is_told_when_the_responder_starts(entry: Any, said: str) -> None:
    """Not when the first escalation fails: each error names place, key and remedy, and shows no URL."""
    with pytest.raises(BadInputs) as caught:
        open_channels([entry])
    [error] = caught.value.errors
    assert isinstance(error, BadSettings) and said in str(error) and error.remedy and "s3cr3t" not in str(error)


def test_all_wrong_channels_are_told_at_once() -> None:
    """One run shows them all, two channels of one name among them."""
    with pytest.raises(BadInputs) as caught:
        open_channels([{"type": "x"}, {"type": "webhook"}, {"type": "stdout", "name": "a"}, {"type": "stdout", "name": "a"}])
    assert len(caught.value.errors) == 3


def test_good_channels_open_and_hide_their_urls() -> None:
    """A URL that is a secret may be referred to, and is never shown."""
    entries: List[Any] = [
        {"type": "slack", "url": Secret("https://hooks.example/s3cr3t")},
        {"type": "webhook", "url": "https://siem.example/s3cr3t", "name": "siem"},
        {"type": "apprise", "urls": ["mailto://u:s3cr3t@x", Secret("json://x/s3cr3t")]},
        {"type": "stdout"},
    ]
    found = open_channels(entries)
    assert [channel.name for channel in found] == ["slack-1", "siem", "apprise-3", "stdout-4"]
    assert isinstance(found[0], Slack) and found[0].url == "https://hooks.example/s3cr3t"
    assert "s3cr3t" not in repr(found)


def test_no_time_left_is_not_delivered() -> None:
    """A deadline that has passed opens no connection."""
    with contextlib.closing(socket.create_server(("127.0.0.1", 0))) as server:
        server.settimeout(0.1)
        with pytest.raises(Unavailable, match="no time"):
            Webhook("w", f"http://127.0.0.1:{server.getsockname()[1]}/").send(report(), time.monotonic() - 1)
        with pytest.raises(TimeoutError):
            server.accept()
