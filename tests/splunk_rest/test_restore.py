"""Restore, approve, close, halt: people with can_restore, never for themselves; two sessions for a privileged identity."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from responders.containment.clicks import AGREED, WAITS
from responders.drill.world import Person
from responders.journal import chain
from responders.surfaces.splunk_rest.context import audit_chain
from tests.splunk_rest.office import Office, Reply
from tests.splunk_rest.test_requests import click, row, status_of


@pytest.fixture
def alice(office: Office, request: pytest.FixtureRequest) -> Person:
    return office.person(f"r-{request.node.name}"[:40])


def contained(office: Office, person: Person, **facts: Any) -> str:
    office.inventory(**{person.name: facts})
    reply = click(office, "rita", "contain", row(person))
    assert status_of(office, person) == "SUSPENDED", reply
    return str(reply.body["results"][0]["containment"])


def ask(office: Office, user: str, action: str, **body: Any) -> Reply:
    return office.ask(user, "POST", "requests", {"action": action, "reason": "cleared with HR", **body})


def test_restore_by_containment_or_by_identity(office: Office, alice: Person) -> None:
    """Undone and proved; the journal names the person."""
    name = contained(office, alice)
    reply = ask(office, "ida", "restore", identity=alice.name)
    assert (reply.status, reply.body["status"]) == (200, "done"), reply
    assert status_of(office, alice) == "ACTIVE"
    assert "CONFIRMED" in {o["status"].upper() for o in reply.body["outcomes"]}
    again = ask(office, "ida", "restore", containment=name)
    assert (again.status, "ended already" in again.error) == (409, True)


def test_who_may_not_restore(office: Office, alice: Person) -> None:
    """A capability alone is not enough: the inventory must say can_restore; and nobody restores herself."""
    name = contained(office, alice)
    office.user("rob", "contain_revoke", "restore", identity="rob")
    office.user("alice", "restore", identity=alice.name, restorer=True)
    office.inventory()
    reply = ask(office, "rob", "restore", containment=name)
    assert (reply.status, "can_restore" in reply.error) == (409, True)
    assert ask(office, "alice", "restore", containment=name).status == 403  # contained herself
    assert ask(office, "rita", "restore", containment=name).by == "app"
    assert status_of(office, alice) == "SUSPENDED"


def test_a_privileged_identity_needs_a_second_session(office: Office, alice: Person) -> None:
    """The first request waits; a colleague agrees to it by its id, from a session of his own; once."""
    name = contained(office, alice, criticality="privileged")
    first = ask(office, "ida", "restore", containment=name)
    assert (first.status, first.body["status"]) == (200, "waits")
    assert first.body["request"] in first.body["title"]
    assert "escalated" in office.kinds(first.body["request"])  # colleagues hear of it
    (waits,) = [e.body for e in office.journal().entries(name) if e.kind == WAITS]  # as the console writes it
    assert (waits["request"], waits["user"], waits["by"], waits["what"]) == (first.body["request"], "ida", "ida", "restore")
    assert status_of(office, alice) == "SUSPENDED"
    own = ask(office, "ida", "restore", containment=name, agree=first.body["request"])
    assert (own.status, "second person" in own.error) == (403, True)
    second = ask(office, "ivo", "restore", containment=name, agree=first.body["request"])
    assert (second.status, second.body["status"]) == (200, "done"), second
    assert status_of(office, alice) == "ACTIVE"
    restored = [e for e in office.journal().entries(name) if e.kind == "restored"]
    assert (restored[0].body["by"], restored[0].body["approved_by"]) == ("ida", "ivo")
    kinds = [e.kind for e in office.journal().entries(name)]
    assert kinds.index(WAITS) < kinds.index(AGREED) < kinds.index("restored")
    third = ask(office, "ivo", "restore", containment=name, agree=first.body["request"])
    assert third.status == 409


def test_two_accounts_of_one_person_are_one_person(office: Office, alice: Person) -> None:
    """A second Splunk user of ida's does not make her two."""
    office.user("ida-admin", "restore", identity="ida", restorer=True)
    name = contained(office, alice, criticality="privileged")
    first = ask(office, "ida", "restore", containment=name)
    reply = ask(office, "ida-admin", "restore", containment=name, agree=first.body["request"])
    assert (reply.status, "second person" in reply.error) == (403, True)
    assert status_of(office, alice) == "SUSPENDED"


def test_a_colleague_agrees_to_what_was_asked_and_to_nothing_else(office: Office, alice: Person) -> None:
    """Another action, another containment, or a request that is none: refused."""
    bob = office.person("r-bob-agree")
    name = contained(office, alice, criticality="privileged")
    office.inventory(**{alice.name: {"criticality": "privileged"}, bob.name: {"criticality": "privileged"}})
    other = click(office, "rita", "contain", row(bob)).body["results"][0]["containment"]
    first = ask(office, "ida", "restore", containment=name).body["request"]
    assert ask(office, "ivo", "close", containment=name, agree=first).status == 409
    assert ask(office, "ivo", "restore", containment=other, agree=first).status == 409
    assert ask(office, "ivo", "restore", containment=name, agree="q-nothing").status == 409
    assert ask(office, "ivo", "restore", containment=name, agree=audit_chain(office.journal())).status == 409
    assert status_of(office, alice) == "SUSPENDED"


def test_a_request_does_not_wait_for_ever(office: Office, alice: Person, monkeypatch: pytest.MonkeyPatch) -> None:
    """After an hour it is asked anew: an old one must not be agreed to by mistake."""
    name = contained(office, alice, criticality="privileged")
    first = ask(office, "ida", "restore", containment=name).body["request"]
    later = chain.utc_now() + timedelta(minutes=61)
    monkeypatch.setattr("responders.surfaces.splunk_assemble.utc_now", lambda: later)
    reply = ask(office, "ivo", "restore", containment=name, agree=first)
    assert (reply.status, "ask anew" in reply.error) == (409, True)


def test_approve_what_waits_for_a_person(office: Office, alice: Person) -> None:
    """Restricted by a click, then taken to revoke by somebody who may restore."""
    office.inventory()
    name = click(office, "ana", "contain", row(alice)).body["results"][0]["containment"]
    assert status_of(office, alice) == "ACTIVE"
    assert ask(office, "rita", "approve", containment=name, actions=["revoke"]).status == 403
    reply = ask(office, "ida", "approve", containment=name, actions=["revoke"])
    assert reply.status == 200, reply
    assert status_of(office, alice) == "SUSPENDED"


def test_close_leaves_everything_as_it_is(office: Office, alice: Person) -> None:
    """Ended, not undone."""
    name = contained(office, alice)
    assert ask(office, "ida", "close", containment=name).body["status"] == "done"
    assert status_of(office, alice) == "SUSPENDED"
    assert office.ask("vic", "GET", f"containments/{name}").body["ended"] == "closed"


def test_a_vendor_that_is_down_leaves_the_restore_due(office: Office, alice: Person) -> None:
    """Told as open, and due: the next run goes on with it."""
    name = contained(office, alice)
    office.deployment.configure("tourniquet_settings", "timing", {"deadline": "1"})
    office.world.okta.down = True
    try:
        reply = ask(office, "ida", "restore", containment=name)
    finally:
        office.world.okta.down = False
    assert (reply.status, reply.body["status"]) == (200, "open")
    assert "due" in reply.body["title"]


def test_halt_and_resume(office: Office) -> None:
    """By people with can_restore only; who and why is shown, and in the journal twice: the halt itself and the audit."""
    office.user("rob", "restore", identity="rob")
    office.inventory()
    assert office.ask("rob", "POST", "halt", {"halt": True, "reason": "x"}).status == 403
    assert office.ask("rita", "POST", "halt", {"halt": True, "reason": "x"}).by == "splunkd"
    reply = office.ask("ida", "POST", "halt", {"halt": True, "reason": "a false alarm storm"})
    assert "ida (Splunk user ida)" in reply.body["halted"]
    assert "false alarm" in office.ask("vic", "GET", "halt").body["halted"]
    assert office.ask("ivo", "POST", "halt", {"halt": False, "reason": "over"}).body["halted"] == ""
    assert office.kinds("audit") == ["audit", "escalated", "audit", "escalated"]


def test_containments_are_shown_with_timeline_and_proof(office: Office, alice: Person) -> None:
    """The list, its filters, and one with every entry of its chain."""
    name = contained(office, alice)
    listed = office.ask("vic", "GET", "containments?open=1").body
    assert name in [item["containment"] for item in listed["containments"]]
    (mine,) = office.ask("vic", "GET", f"containments?identity={alice.name}").body["containments"]
    assert (mine["tier"], mine["open"], mine["vendors"]) == ("revoke", True, ["okta"])
    assert mine["outcomes"].get("confirmed")
    found = office.ask("vic", "GET", f"containments/{name}").body
    kinds = [entry["kind"] for entry in found["timeline"]]
    assert kinds.index("intent") < kinds.index("outcome") < kinds.index("escalated")
    assert all(entry["mac"] for entry in found["timeline"])
    assert any("SUSPENDED" in outcome["proof"] for outcome in found["report"]["outcomes"])
    ask(office, "ida", "restore", containment=name)
    assert office.ask("vic", "GET", f"containments?open=1&identity={alice.name}").body["total"] == 0
    assert office.ask("vic", "GET", "containments/c-0000").status == 404


@pytest.mark.parametrize("query", ["limit=0", "limit=x", "limit=201", "offset=-1", "sort=up"])
def test_a_query_with_a_mistake(query: str, office: Office) -> None:
    """400 with what is taken."""
    assert office.ask("vic", "GET", f"containments?{query}").status == 400


def test_a_forged_journal_is_not_shown_as_the_truth(office: Office, alice: Person) -> None:
    """A document that somebody edited in the KV store: refused with what to run."""
    name = contained(office, alice)
    for doc in office.deployment.rows("tourniquet_journal"):
        if doc["_key"].startswith(f"e/{name}/") and "outcome" in doc["doc"]:
            office.deployment.put("tourniquet_journal", {**doc, "doc": doc["doc"].replace("SUSPENDED", "ACTIVE")})
    reply = office.ask("vic", "GET", f"containments/{name}")
    assert (reply.status, "edited" in reply.error) == (503, True)
