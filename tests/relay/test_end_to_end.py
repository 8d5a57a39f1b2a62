"""From an alert in a Splunk that can't reach CyberArk and Vault, through relays, to the proof and back."""

from __future__ import annotations

import json
import math
import signal
import subprocess
import sys
import threading
import time
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any, Iterator, List, Set

import pytest

from responders import pipeline
from responders.drill.attacker import Attacker
from responders.drill.simulators.server import Fault
from responders.drill.world import Person, World
from responders.errors import Forbidden, OutcomeUnknown, Unavailable, VendorError
from responders.model import Account
from responders.splunk.relay_queue import KvRelayQueue
from responders.surfaces.relay.check import check
from responders.surfaces.splunk_assemble import open_splunk_responder
from responders.vendors.open import ClientPool
from responders.vendors.transport import Limits
from tests.relay.premises import NAME, Premises, relayed
from tests.splunk_rest.test_requests import click
from tests.support import raw_alert, step_of

pytestmark = pytest.mark.engine("openbao")


@pytest.fixture(scope="module")
def company(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    with World(tmp_path_factory.mktemp("world")) as found:
        yield found


@pytest.fixture
def premises(company: World, tmp_path: Path) -> Iterator[Premises]:
    found = Premises(company, tmp_path)
    office = found.office
    office.user("rita", "view_journal", "preview", "contain_restrict", "contain_revoke", identity="rita")
    office.user("ida", "view_journal", "contain_revoke", "restore", identity="ida", restorer=True)
    office.user("carl", "view_journal", "configure")
    yield found
    found.close()


@pytest.fixture
def person(premises: Premises, company: World) -> Person:
    found = company.add_person(f"eva{len(company.people)}", vendors=("cyberark", "vault"))
    premises.office.people.append(found)
    premises.office.inventory()
    return found


def row(person: Person) -> Any:
    return raw_alert(person, vendor="cyberark", tq_detection="cyberark/bulk_retrieval", tq_events=[person.name])


def ways_in(company: World, person: Person) -> Set[bool]:
    """Whether the attacker's ways in work; the password that they checked out the alert did not name."""
    return {works for name, works in Attacker(company, person).works().items() if name != "cyberark password"}


def pool_of(premises: Premises, seconds: float = 4.0) -> ClientPool:
    queue = KvRelayQueue(premises.office.client())
    return ClientPool((relayed("cyberark"), relayed("vault")), limits=Limits(total=seconds), queue=queue)


def disables(company: World, user: str) -> int:
    return sum(r.method == "POST" and f"/Users/{user}/disable" in r.path for r in company.cyberark.requests)


def test_contained_proved_and_restored(premises: Premises, company: World, person: Person) -> None:
    """An analyst's click shuts the attacker out of CyberArk and Vault, with proof; restore gives it back."""
    premises.start()
    assert ways_in(company, person) == {True}
    reply = click(premises.office, "rita", "contain_tier", row(person), tier="revoke")
    assert reply.status == 200, reply
    (found,) = reply.body["results"]
    assert found["status"] == "done", found
    proofs = {(o["step"]["account"]["vendor"], o["status"]) for o in found["report"]["outcomes"]}
    assert {("cyberark", "confirmed"), ("vault", "confirmed")} <= proofs
    assert ways_in(company, person) == {False}
    body = {"action": "restore", "reason": "cleared", "identity": person.name}
    reply = premises.office.ask("ida", "POST", "requests", body)
    assert (reply.status, reply.body["status"]) == (200, "done"), reply
    again = Attacker(company, person).works()
    assert (again["cyberark sign-in"], again["vault sign-in"], again["vault token"]) == (True, True, False), (
        "tokens stay dead"
    )
    assert not premises.told.people()


def test_no_credential_of_a_vendor_is_in_splunk(premises: Premises, company: World, person: Person) -> None:
    """Neither in storage/passwords, nor in the queue, the journal, or what the relay sends."""
    premises.start()
    click(premises.office, "rita", "contain_tier", row(person), tier="revoke")
    held = [
        secret.reveal() for c in company.connections if c.vendor in ("cyberark", "vault") for secret in c.secrets.values()
    ]
    deployment = premises.office.deployment
    everything = json.dumps(
        [[v.doc for v in versions] for docs in deployment.documents.values() for versions in docs.values()]
    )
    everything += "".join(premises.office.secrets()) + premises.told.log.getvalue()
    assert len(held) == 2 and not [secret for secret in held if secret in everything]
    assert person.held["vault token"] not in everything and person.held["cyberark password"] not in everything


def test_away_then_due_then_done(premises: Premises, company: World, person: Person) -> None:
    """No relay: the report says what is open and what to do; once one is there, what is due is done."""
    reply = click(premises.office, "rita", "contain_tier", row(person), tier="revoke")
    (found,) = reply.body["results"]
    assert found["status"] == "open", found
    said = json.dumps(found["report"])
    assert f"relay {NAME} has not asked Splunk for work" in said and "tourniquet serve --relay --check" in said
    assert ways_in(company, person) == {True}
    health = premises.office.ask("carl", "GET", "health").body
    assert [c["relay_seen"] for c in health["connections"] if c.get("relay")] == [[], []]
    assert any(f"relay {NAME}" in problem for problem in health["problems"])
    premises.start()
    health = premises.office.ask("carl", "GET", "health").body
    assert [c["relay_seen"] for c in health["connections"] if c.get("relay")] == [["one"], ["one"]]
    office = premises.office
    responder = open_splunk_responder(
        office.splunkd.uri, "", str(office.app), splunkd=office.client(),
        clock=lambda: datetime.now(timezone.utc) + timedelta(seconds=40),
    )  # fmt: skip
    pipeline.take_up(responder)
    assert ways_in(company, person) == {False}


def test_two_relays_do_each_request_once(premises: Premises, company: World) -> None:
    """Two poll one queue, and the search head's reads are behind: every change is made exactly once."""
    premises.start("one")
    premises.start("two")
    users = [company.cyberark.add_user(f"u{number}") for number in range(24)]
    client = pool_of(premises, 8.0).get("cyberark", "default")
    assert client is not None
    client.warm()
    premises.office.splunkd.lag = 0.15

    def disable(user: str) -> None:
        client.call("POST", "/API/Users/{}/disable/", ids=(user,))

    threads = [threading.Thread(target=disable, args=(user,)) for user in users]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [disables(company, user) for user in users] == [1] * len(users)
    claims = {json.loads(row["doc"])["by"] for row in premises.rows() if row["_key"].startswith("c/")}
    assert claims == {"one", "two"}, "both took work"
    assert "REFUSED" not in premises.told.log.getvalue()


def test_what_one_relay_took_it_gives_back_itself(premises: Premises, company: World) -> None:
    """The other one leaves the request to it; what neither took, one of them refuses in time."""
    users = [company.cyberark.add_user(f"back{number}") for number in range(4)]
    api = pool_of(premises, 8.0).get("cyberark", "default")
    assert api is not None
    first = premises.start("one")
    for user in users:
        api.call("POST", "/API/Users/{}/disable/", ids=(user,))
    premises.start("two")._busy_until = math.inf  # it looks four times as often, so it sees each request first
    for user in users:
        first._busy_until = 0.0
        api.call("POST", "/API/Users/{}/enable/", ids=(user,))
    assert all(company.cyberark.state["users"][user]["enabled"] for user in users)
    with pytest.raises(Forbidden, match="not done by this relay"):
        api.call("POST", "/API/Users/{}/enable/", ids=(users[0],))


def test_killed_in_the_middle_of_a_call(premises: Premises, company: World) -> None:
    """SIGKILL after CyberArk was asked: the outcome is unknown, the next relay reads what is true, nothing is done twice."""
    user = company.cyberark.add_user("midway")
    action, step = step_of("cyberark.disable_user", Account("cyberark", "default", "user", user))
    program = str(Path(sys.executable).parent / "tourniquet")
    started = [program, "serve", "--relay", "--settings", str(premises.file())]
    process = subprocess.Popen(started, stderr=subprocess.DEVNULL)
    try:
        premises.seen("one")
        client = pool_of(premises, 3.0).get("cyberark", "default")
        assert client is not None
        before = action.check(client, step)
        company.cyberark.faults.append(Fault("POST", "disable", "lost"))
        failed: List[Exception] = []

        def apply() -> None:
            try:
                action.apply(client, step, before)
            except VendorError as error:
                failed.append(error)

        thread = threading.Thread(target=apply)
        thread.start()
        until = time.monotonic() + 5.0
        while not disables(company, user) and time.monotonic() < until:
            time.sleep(0.01)
        process.send_signal(signal.SIGKILL)
        thread.join()
        assert [type(error) for error in failed] == [OutcomeUnknown], failed
    finally:
        process.kill()
        process.wait()
        company.cyberark.faults.clear()
    premises.start()
    assert action.check(client, step).contained
    assert disables(company, user) == 1
    action.undo(client, step, before)  # the relay's file knows that it was its own doing
    assert not action.check(client, step).contained


def test_what_nobody_took_is_certain_not_to_be_done(premises: Premises, company: World) -> None:
    """A relay that stops asking: the request is taken back, so it is retryable, and no later relay does it."""
    relay = premises.start()
    user = company.cyberark.add_user("later")
    client = pool_of(premises, 1.0).get("cyberark", "default")
    assert client is not None
    client.warm()
    premises.stop(relay)
    with pytest.raises(Unavailable, match=f"relay {NAME}"):
        client.call("POST", "/API/Users/{}/disable/", ids=(user,))
    premises.start("two")
    client.warm()
    assert client.call("GET", "/API/Users/{}", ids=(user,)).body["enableUser"] is True
    assert disables(company, user) == 0


def test_a_forged_answer_is_no_success(premises: Premises, company: World) -> None:
    """Who may write the collection can keep an answer from arriving; it never passes for one."""
    premises.seen_without_relay()
    user = company.cyberark.add_user("forged")
    client = pool_of(premises, 3.0).get("cyberark", "default")
    assert client is not None

    def forge() -> None:
        queue = KvRelayQueue(premises.office.client())
        until = time.monotonic() + 5.0
        while time.monotonic() < until:
            for key, _ in queue.scan(f"r/{NAME}/"):
                text = json.dumps({"id": key.rpartition("/")[2], "to": "x", "ok": {"status": 200, "body": None}})
                queue.create(f"a/{NAME}/{key.rpartition('/')[2]}", {"doc": text, "mac": "0" * 64})
                return
            time.sleep(0.01)

    thread = threading.Thread(target=forge)
    thread.start()
    with pytest.raises(OutcomeUnknown, match="not signed with its key"):
        client.call("POST", "/API/Users/{}/disable/", ids=(user,))
    thread.join()


def test_another_key_in_the_connection_is_said(premises: Premises) -> None:
    """Both sides say it: the responder's error, and the relay's alarm."""
    premises.start()
    queue = KvRelayQueue(premises.office.client())
    pool = ClientPool((relayed("cyberark", "e" * 64),), limits=Limits(total=4.0), queue=queue)
    with pytest.raises(VendorError, match="Compare the keys"):
        pool.get("cyberark", "default").warm()  # type: ignore[union-attr]
    assert any("not made with this relay's key" in title for title in premises.told.people())


def test_a_token_opens_two_endpoints(premises: Premises) -> None:
    """Without the capability no work is shown; with it, nothing but work is."""
    office = premises.office
    for path, method in (("relay_poll/dc1?instance=x&wait=0", "GET"), ("relay_work/dc1/claims", "POST")):
        assert office.ask("rita", method, path, {}).status == 403
        assert office.ask("rita", method, path, {}, past_splunkd=True).status == 403
    assert office.ask("relay-dc1", "GET", "relay_poll/dc1?instance=x&wait=0").body == {"requests": []}
    for path in ("containments", "connections", "settings", "health", "policy", "halt", "searches", "setup"):
        assert office.ask("relay-dc1", "GET", path).status == 403, path
    assert office.ask("relay-dc1", "GET", "relay_poll/..?instance=x&wait=0").status in (400, 404)
    assert office.ask("relay-dc1", "GET", "relay_poll/dc1?instance=a/b&wait=0").status == 400
    bad = {"id": "../e", "doc": "{}", "mac": "x"}
    assert office.ask("relay-dc1", "POST", "relay_work/dc1/answers", bad).status == 400
    assert office.ask("relay-dc1", "POST", "relay_work/dc1/claims", {"ids": ["../e"], "instance": "x"}).status == 400


def test_the_setup_page_tests_it(premises: Premises) -> None:
    """The readiness check goes through the relay, and says which relays were seen."""
    away = premises.office.ask("carl", "POST", "connections/test", {"name": "vault_main"}).body
    assert (away["reachable"], away["relay_seen"]) == (False, []) and NAME in away["problem"]
    premises.start()
    found = premises.office.ask("carl", "POST", "connections/test", {"name": "vault_main"}).body
    assert (found["authenticated"], found["ready"], found["relay_seen"]) == (True, True, ["one"]), found


def test_the_relays_own_check(premises: Premises, tmp_path: Path) -> None:
    """Before it is started: Splunk and vendors are asked; a token that opens nothing is named with its remedy."""
    assert [item for item in check(str(premises.file())) if item.problem] == []
    premises.office.deployment.user("nobody-relay")
    premises.token = premises.office.deployment.token("nobody-relay")
    (wrong,) = [item for item in check(str(premises.file("three"))) if item.problem]
    assert "role tourniquet_relay" in wrong.problem and wrong.what.startswith("Splunk")
