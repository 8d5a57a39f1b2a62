"""The service as its own process: started, asked, reloaded, stopped, killed."""

from __future__ import annotations

import os
import signal
import socket
import ssl
import subprocess
from pathlib import Path
from typing import Any

import pytest
import requests

from responders.drill.world import World
from tests.service.desk import Desk, until
from tests.service.front import Front
from tests.service.processes import containments

pytestmark = pytest.mark.engine("elasticsearch")


def test_it_serves_health_readiness_and_metrics_reads_settings_anew_and_stops_when_told(desk: Desk, running: Any) -> None:
    """Readiness goes when alerts can't be read. A reload takes a new inventory, and keeps the old one when it is broken."""
    alice = desk.office.person("alice")
    service = running()
    assert service.get("/healthz").text == "ok\n"
    until(lambda: service.get("/readyz").status_code == 200)
    assert "tourniquet_queue 0.0" in service.get("/metrics").text
    assert service.get("/metrics", headers={"X-Forwarded-For": "192.0.2.1"}).status_code == 403
    assert service.get("/").status_code == 404
    assert service.get("/healthz").headers["Cache-Control"] == "no-store"
    desk.raised(alice)
    until(lambda: service.said("alice (human) contained"))
    bob = desk.office.person("bob")
    service.process.send_signal(signal.SIGHUP)
    until(lambda: service.said("anew"))
    desk.raised(bob)
    until(lambda: service.said("bob (human) contained"))
    broken = desk.office.folder / "people.csv"
    broken.write_text("nonsense")
    service.process.send_signal(signal.SIGHUP)
    until(lambda: service.said("the old ones stay in force"))
    assert service.end(signal.SIGTERM) == 0
    assert service.said("stopped")[0]["in_time"] is True
    assert not [secret for secret in desk.office.secrets if secret in service.text]
    assert "Traceback" not in service.text


def test_told_to_stop_while_containing_it_ends_what_it_began(desk: Desk, running: Any) -> None:
    """The vendor is slow: the stop comes while its answer is awaited, and the containment is whole all the same."""
    person = desk.office.person("alice")
    service = running()
    until(lambda: service.get("/readyz").status_code == 200)
    desk.world.okta.latency = 0.3
    seen = len(desk.world.okta.requests)
    desk.raised(person)
    until(lambda: len(desk.world.okta.requests) > seen)
    assert service.end(signal.SIGTERM) == 0
    assert desk.suspended(person)
    assert service.said("stopped")[0]["handed_over"] == 0
    assert containments(desk) == ["alice"]


def test_killed_while_containing_the_next_one_finishes_and_contains_nobody_twice(desk: Desk, running: Any) -> None:
    """Alerts that waited, and the one at work, are in the journal; claims of a process that is gone end with it."""
    people = [desk.office.person(f"person{number}") for number in range(3)]
    desk.configure(workers=1)
    first = running()
    until(lambda: first.get("/readyz").status_code == 200)
    desk.world.okta.latency = 0.2
    desk.raise_all(*[desk.document(desk.row(person)) for person in people])
    until(lambda: desk.office.changes(("okta",)))
    first.process.kill()
    first.process.wait(20)
    desk.world.okta.latency = 0.0
    running()
    until(lambda: all(desk.suspended(person) for person in people), 30)
    assert containments(desk) == [f"person{number}" for number in range(3)]


def test_it_speaks_tls_and_a_silent_connection_keeps_nobody_out(desk: Desk, running: Any, tmp_path: Path) -> None:
    """With its own certificate; older protocols than TLS 1.2 are refused."""
    certificate, key = tmp_path / "cert.pem", tmp_path / "key.pem"
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2",
         "-subj", "/CN=localhost", "-addext", "subjectAltName=IP:127.0.0.1", "-keyout", key, "-out", certificate],
        check=True, capture_output=True,
    )  # fmt: skip
    os.chmod(key, 0o600)
    desk.configure(tls={"certificate": str(certificate), "key": str(key)})
    service = running()
    host, port = service.address.split(":")
    with socket.create_connection((host, int(port))):
        assert service.get("/healthz", "https", verify=str(certificate)).text == "ok\n"
    old = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    old.check_hostname, old.verify_mode = False, ssl.CERT_NONE
    assert old.minimum_version >= ssl.TLSVersion.TLSv1_2
    with pytest.raises(requests.RequestException):
        service.get("/healthz")


def test_check_says_all_that_is_wrong_at_once_and_what_is_well(desk: Desk, world: World, front: Front) -> None:
    """Settings first, all of them; then what can't be reached or may not be done, one line each."""
    desk.office.person("alice")
    well = desk.office.run("serve", "--check", "--json")
    found = {line["what"]: line["problem"] for line in well.lines}
    problems = {name: problem for name, problem in found.items() if problem}
    assert problems in ({}, {"privileges": "security is off: anybody may forge an alert"})  # as the engine was started
    assert "sign-in at okta:default" in found
    desk.configure(spaces=["nowhere", desk.space])
    front.down.set()
    gone = desk.office.run("serve", "--check", "--json")
    assert gone.code == 1
    assert any(line["what"] == "elasticsearch" and line["problem"] for line in gone.lines)
    desk.configure(spaces=["Nowhere"], workers=0, extra=1, settings={"odd": 1})
    wrong = desk.office.run("serve", "--check")
    assert wrong.code == 2
    for part in ("serve.spaces[1]", "serve.workers", "unknown key 'extra'", "unknown key 'odd'"):
        assert part in wrong.err, (part, wrong.err)
