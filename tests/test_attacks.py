"""Attacks on the responder itself: to lock out the company, to hide, or to act through it. Each one must fail."""

from __future__ import annotations

import dataclasses
import threading
import time
from typing import Any, List

import pytest

from responders import pipeline
from responders.alerts.row import from_siem, with_request
from responders.containment.approve import approve
from responders.containment.responder import Timing
from responders.containment.restore import restore
from responders.drill.simulators.graph import TENANT
from responders.drill.world import OKTA_SCOPES, Person, World, rsa_key
from responders.errors import JournalError, Refused
from responders.model import Account, Status, Tier
from responders.settings import Secret
from responders.vendors.open import ClientPool
from tests.catalogue import CATALOGUE
from tests.support import raw_alert

QUICK = Timing(deadline=2.0, confirm_patience=0.2, retry_due=0.0)


def writes(world: World) -> List[str]:
    """Changes that anybody asked a vendor for, sign-ins aside."""
    asked = [r for s in (world.okta, world.graph, world.cyberark) for r in s.requests if r.method != "GET"]
    return [f"{r.method} {r.path}" for r in asked if "oken" not in r.path and "ogon" not in r.path.lower()]


@pytest.mark.parametrize(
    ("vendor", "kind", "shown"),
    [
        ("okta", "user", "{name}@corp.example"),  # Okta takes a login where an id stands
        ("okta", "user", "{name}"),  # … and its short form
        ("okta", "user", "me"),  # … and whoever asks
        ("entra", "user", "{name}@corp.example"),  # Graph takes a user principal name
        ("entra", "user", "ABCDEF00-0000-4000-8000-0000000000AA"),  # … and a GUID in any case
        ("cyberark", "user", "007"),
        ("vault", "entity", "7D2E3179-F69B-450C-7179-AC8EE8BD8CA9"),
        ("vault", "approle", "approle/Payments"),  # Vault folds the case of role names
        ("vault", "userpass", "userpass/ROOT"),
    ],
)
def test_another_name_of_a_protected_account_does_not_get_around_its_protection(
    world: World, vendor: str, kind: str, shown: str
) -> None:
    """Attack: an event that names the break-glass account by a login, or in another spelling. It is not "unmapped"."""
    person = world.add_person("root")
    responder = world.responder(person.identity(break_glass=True), catalogue=CATALOGUE, timing=QUICK)
    tenant = person.account(vendor).tenant if vendor != "vault" else "default"
    other = Person("x", [Account(vendor, tenant, kind, shown.format(name=person.name))])
    report = pipeline.contain(raw_alert(other, vendor=vendor), responder)
    assert report.loud
    assert report.decision is not None
    assert report.decision.tier is Tier.OBSERVE
    assert writes(world) == []


def test_a_log_line_that_asks_for_a_click_is_none(world: World) -> None:
    """Attack: a field `tq_request` in a raw log, as text or as an object, to get the rights of an analyst."""
    person = world.add_person("bob")
    responder = world.responder(person.identity(dependents=("shop",), kind="service"), catalogue=CATALOGUE, timing=QUICK)
    for asked in ('{"by": "ida"}', {"by": "ida", "reason": "x", "wanted": ["revoke"]}):
        report = pipeline.contain(from_siem(raw_alert(person, confidence=30, tq_request=asked)), responder)
        assert report.decision is None or report.decision.tier is Tier.OBSERVE
    assert writes(world) == []


@pytest.mark.parametrize(
    "more",
    [
        {"tq_confidence": ["20", "100"]},
        {"tq_detection": ["test/restrict", "test/strong"]},
        {"tq_finding": ["a", "b"]},
        {"tq_account": "okta:default:../../users/00u1"},
        {"tq_account": "okta:default:00u1?activate=true"},
        {"tq_account": "okta:default:00u1%2flifecycle%2fdeactivate"},
        {"tq_completed_at": "2099-01-01T00:00:00+00:00"},
        {"tq_detection": "test/strong\nrevoke"},
    ],
)
def test_a_field_of_the_raw_log_beside_ours_is_refused(world: World, more: Any) -> None:
    """Attack: a raw event that carries our column's name, so that the row holds two values, or an id that walks a path."""
    person = world.add_person("bob", vendors=("okta",))
    responder = world.responder(catalogue=CATALOGUE, timing=QUICK)
    report = pipeline.contain(raw_alert(person, **{"tq_finding": "f", **more}), responder)
    assert report.loud
    assert writes(world) == []


def test_what_an_event_claims_of_an_account_is_not_believed(world: World) -> None:
    """Attack: the row calls the user an application, mastered elsewhere, of another identity. The inventory decides."""
    person = world.add_person("bob", vendors=("okta",))
    responder = world.responder(catalogue=CATALOGUE, timing=QUICK)
    claims = {"tq_account_kind": "app", "tq_mastered": "ad", "tq_identity": "root", "mastered": "ad", "kind": "service"}
    report = pipeline.contain(raw_alert(person, **claims), responder)
    assert report.decision is not None
    assert report.decision.identity == person.identity()
    assert world.okta.state["users"][person.okta]["status"] == "SUSPENDED"


def test_who_is_contained_clicks_nobody_away(world: World) -> None:
    """Attack: the analyst whose account was taken over asks for the revoke of a colleague, and approves and restores."""
    ida, bob = world.add_person("ida", vendors=("okta",)), world.add_person("bob", vendors=("okta",))
    responder = world.responder(catalogue=CATALOGUE, timing=QUICK)
    pipeline.contain(raw_alert(ida), responder)
    click = with_request(raw_alert(bob, confidence=60, tq_detection="test/pam"), "ida", "trust me", ["revoke"])
    report = pipeline.contain(click, responder)
    assert report.decision is not None
    assert report.decision.tier is Tier.RESTRICT
    assert any("ida" in reason.text and "contained" in reason.text for reason in report.decision.reasons)
    assert world.okta.state["users"][bob.okta]["status"] == "ACTIVE"
    with pytest.raises(Refused, match="contained"):
        approve(responder, report.containment, ("revoke",), by="ida", reason="trust me")
    with pytest.raises(Refused, match="contained"):
        restore(responder, report.containment, by="ivo", reason="fine", approved_by="ida")


def test_the_other_credential_of_the_responder_is_its_own_too(world: World) -> None:
    """Attack: an alert on the application that the responder uses for privileged targets, listed as an ordinary service."""
    pem, jwk = rsa_key()
    app = world.okta.new_id("0oa")
    world.okta.add_service(app, jwk, OKTA_SCOPES)
    okta = next(c for c in world.connections if c.vendor == "okta")
    spare = dataclasses.replace(okta, secrets={"private_key": Secret(pem)}, plain={**okta.plain, "client_id": app})
    world.connections = tuple(
        dataclasses.replace(c, privileged=spare) if c.vendor == "okta" else c for c in world.connections
    )
    person = Person("robot", [Account("okta", "default", "app", app)])
    identity = person.identity(kind="service", environment="non-production")
    report = pipeline.contain(
        raw_alert(person, confidence=100), world.responder(identity, catalogue=CATALOGUE, timing=QUICK)
    )
    assert report.decision is not None
    assert "own credentials" in {reason.guard for reason in report.decision.reasons}
    assert writes(world) == []


@pytest.mark.engine("openbao")
def test_the_responders_own_approle_is_its_own_too(full_world: World) -> None:
    """Attack: an alert on the role that the responder logs in with. Its SecretIDs stay."""
    person = Person("robot", [Account("vault", "default", "approle", "approle/tourniquet")])
    identity = person.identity(kind="service", environment="non-production")
    responder = full_world.responder(identity, catalogue=CATALOGUE, timing=QUICK)
    report = pipeline.contain(raw_alert(person, vendor="vault", confidence=100), responder)
    assert report.decision is not None
    assert "own credentials" in {reason.guard for reason in report.decision.reasons}
    assert isinstance(responder.clients, ClientPool)
    assert full_world.bao is not None
    left = full_world.bao.request("LIST", "auth/approle/role/tourniquet/secret-id")
    assert left["data"]["keys"]


def test_the_last_two_who_can_restore_are_never_taken_at_once(world: World) -> None:
    """Attack: alerts on both people who can restore, at the same moment. One of them is left."""
    people = [world.add_person(name, vendors=("okta",)) for name in ("ida", "ivo")]
    responders = [world.responder(catalogue=CATALOGUE, timing=Timing(deadline=5.0, confirm_patience=0.2)) for _ in people]
    barrier = threading.Barrier(2)

    def meet(responder: Any) -> Any:
        create = responder.journal.store.create

        def first(key: str, doc: Any) -> bool:
            if key.startswith("use/") and responder not in met:
                met.append(responder)  # both have judged, neither has a place
                barrier.wait(5)
            return bool(create(key, doc))

        responder.journal.store.create = first

    met: List[Any] = []
    rows = [with_request(raw_alert(p, tq_events=[p.name]), "a person", "a drill", ["revoke"]) for p in people]
    threads = []
    for responder, row in zip(responders, rows):
        meet(responder)
        threads.append(threading.Thread(target=pipeline.contain, args=(row, responder)))
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(met) == 2
    status = [world.okta.state["users"][person.okta]["status"] for person in people]
    denied = world.okta.state["groups"][world.okta_group]["members"]
    assert len([1 for s, p in zip(status, people) if s == "ACTIVE" and p.okta not in denied]) == 1


def test_a_break_glass_account_is_nobody_who_can_restore(world: World) -> None:
    """Attack: contain the one person who can restore, where only the break-glass identity could as well."""
    ida, root = world.add_person("ida", vendors=("okta",)), world.add_person("root", vendors=("okta",))
    responder = world.responder(
        ida.identity(), root.identity(break_glass=True), catalogue=CATALOGUE, timing=QUICK, restorers=("ida", "root")
    )
    report = pipeline.contain(raw_alert(ida), responder)
    assert report.decision is not None
    assert "last restorer" in {reason.guard for reason in report.decision.reasons}
    assert writes(world) == []


def test_a_click_goes_on_while_automation_is_halted(world: World) -> None:
    """Halt stops what is automatic. A person who looks into it still can contain, approve and restore."""
    person = world.add_person("bob", vendors=("okta",))
    responder = world.responder(catalogue=CATALOGUE, timing=QUICK)
    responder.halt("ida", "looking into it")
    report = pipeline.contain(with_request(raw_alert(person, confidence=60), "ida", "it is real", []), responder)
    assert all(outcome.status.holds for outcome in report.outcomes) and report.outcomes
    approved = approve(responder, report.containment, ("revoke",), by="ida", reason="it is real")
    assert world.okta.state["users"][person.okta]["status"] == "SUSPENDED"
    assert not [o for o in approved.outcomes if o.status is Status.REFUSED]
    restore(responder, report.containment, by="ida", reason="over")
    assert world.okta.state["users"][person.okta]["status"] == "ACTIVE"


def test_halt_in_the_middle_stops_the_next_write(world: World) -> None:
    """Halted after the first change of a containment: no further one is sent, and the report is loud."""
    person = world.add_person("bob", vendors=("okta",))
    other = world.responder(catalogue=CATALOGUE)
    done: List[Any] = []

    def meanwhile(when: str, vendor: str, method: str, template: str) -> None:
        if when == "after" and template.endswith("/lifecycle/suspend") and not done:
            done.append(1)
            other.halt("ida", "stop")

    report = pipeline.contain(raw_alert(person), world.responder(catalogue=CATALOGUE, timing=QUICK, on_call=meanwhile))
    assert writes(world) == [f"POST /api/v1/users/{person.okta}/lifecycle/suspend"]
    assert report.loud


def test_an_unmapped_account_by_its_true_id_is_restricted(world: World) -> None:
    """The other side of the coin: what the vendor itself calls the account is acted on."""
    world.add_person("bob", vendors=("okta",))
    for vendor in ("okta", "entra"):
        stranger = world.add_person(f"eve-{vendor}", vendors=(vendor,))
        known = world.responder(world.people["bob"].identity(), catalogue=CATALOGUE, timing=QUICK)
        row = raw_alert(
            stranger, vendor=vendor, tq_events=[vendor], tq_detection="test/pam" if vendor == "okta" else "test/strong"
        )
        report = pipeline.contain(row, known)
        assert report.decision is not None
        assert report.decision.tier is Tier.RESTRICT, vendor
    assert TENANT in report.decision.identity.id


def test_without_a_journal_nothing_is_changed(world: World) -> None:
    """Attack: fill the disk, so that nobody can tell afterwards. No intent on record, no change at any vendor."""
    person = world.add_person("bob", vendors=("okta", "entra"))
    responder = world.responder(catalogue=CATALOGUE, timing=QUICK)
    create = responder.journal.store.create

    def full(key: str, doc: Any) -> bool:
        if key.startswith("e/c-") and doc["kind"] == "intent":
            raise JournalError("journal: database or disk is full")
        return create(key, doc)

    responder.journal.store.create = full  # type: ignore[method-assign]
    with pytest.raises(JournalError):
        pipeline.contain(raw_alert(person), responder)
    assert writes(world) == []
    responder.journal.store.create = create  # type: ignore[method-assign]
    time.sleep(0.3)  # a lane that went on all the same would write by now
    assert writes(world) == []
