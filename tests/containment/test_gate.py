"""The guards' last word at a vendor, right before the first change there."""

from __future__ import annotations

import threading
from dataclasses import replace

import pytest

from responders import pipeline
from responders.containment.facts import take_place
from responders.containment.responder import Timing
from responders.drill.attacker import Attacker
from responders.drill.simulators.graph import TENANT
from responders.drill.world import Person, World
from responders.inventory.resolve import Inventory
from responders.model import Account, Status, Tier, Use
from tests.catalogue import CATALOGUE
from tests.support import raw_alert

QUICK = Timing(deadline=1.0, confirm_patience=0.5, retry_due=0.0)


def test_a_dead_vendor_keeps_no_other_from_being_contained(world: World) -> None:
    """Entra does not answer, not even the guards' questions: Okta and CyberArk are contained all the same."""
    person = world.add_person("alice")
    world.graph.down = True
    report = pipeline.contain(raw_alert(person), world.responder(catalogue=CATALOGUE, timing=QUICK))
    held = {o.step.account.vendor for o in report.outcomes if o.status.holds}
    assert held == {"okta", "cyberark"}
    assert report.loud


def test_own_credentials_are_guarded_where_the_vendor_was_down_while_judging(world: World) -> None:
    """The vendor could not say who we are: once it can, the step on our own service principal is refused."""
    own = next(sp for sp, app in world.graph.state["service_principals"].items() if app["displayName"] == "Tourniquet")
    person = Person("robot", [Account("entra", TENANT, "service_principal", own)])
    responder = world.responder(
        person.identity(kind="service", environment="non-production"), catalogue=CATALOGUE, timing=QUICK
    )
    world.graph.down = True
    report = pipeline.contain(raw_alert(person, vendor="entra"), responder)
    assert not any(o.status.holds for o in report.outcomes)
    world.graph.down = False
    pipeline.take_up(responder)
    assert world.graph.state["service_principals"][own]["accountEnabled"] is True


def test_the_last_administrator_is_guarded_where_the_vendor_was_down_while_judging(world: World) -> None:
    """Okta could not be counted: once it answers, its last super administrator is not suspended by the due steps."""
    person = world.add_person("alice", vendors=("okta",))
    world.okta.add_role(person.okta, "SUPER_ADMIN")
    responder = world.responder(catalogue=CATALOGUE, timing=QUICK)
    world.okta.down = True
    pipeline.contain(raw_alert(person), responder)
    world.okta.down = False
    pipeline.take_up(responder)
    assert world.okta.state["users"][person.okta]["status"] == "ACTIVE"


@pytest.mark.parametrize(
    ("vendor", "blocks", "cuts"),
    [
        ("okta", "okta.quarantine_group", "okta.clear_sessions"),
        ("entra", "entra.quarantine_group", "entra.revoke_sign_in_sessions"),
        ("cyberark", "", "cyberark.suspend_session"),
    ],
)
def test_the_last_administrator_loses_sessions_but_never_the_way_in(
    world: World, vendor: str, blocks: str, cuts: str
) -> None:
    """Quarantine would lock the last administrator out as surely as a suspension: only live access is cut."""
    person = world.add_person("alice", vendors=(vendor,))
    if vendor == "okta":
        world.okta.add_role(person.okta, "SUPER_ADMIN")
    elif vendor == "entra":
        world.graph.add_role(person.entra)
    else:
        world.cyberark.state["users"][person.cyberark]["rights"] = ["ManageUsers"]
    report = pipeline.contain(raw_alert(person, vendor=vendor), world.responder(catalogue=CATALOGUE, timing=QUICK))
    done = {o.step.action: o.status for o in report.outcomes}
    assert done[cuts].holds
    assert not blocks or done[blocks] is Status.REFUSED
    assert Attacker(world, person).works()[f"{vendor} sign-in"]
    assert report.loud


def test_a_quarantined_administrator_is_no_usable_one(world: World) -> None:
    """One of two administrators is quarantined: the other one is the last, though both accounts are active."""
    first, last = (world.add_person(name, vendors=("okta",)) for name in ("alice", "bob"))
    for person in (first, last):
        world.okta.add_role(person.okta, "SUPER_ADMIN")
    responder = world.responder(catalogue=CATALOGUE, timing=QUICK)
    pipeline.contain(raw_alert(first, confidence=60), responder)
    assert world.okta.state["users"][first.okta]["status"] == "ACTIVE"
    pipeline.contain(raw_alert(last, tq_events=["event-2"]), responder)
    assert world.okta.state["users"][last.okta]["status"] == "ACTIVE"


def test_two_responders_never_take_the_last_two_administrators_at_once(world: World) -> None:
    """Both count two administrators before either acts: one of them is left able to sign in all the same."""
    people = [world.add_person(name, vendors=("okta",)) for name in ("alice", "bob")]
    for person in people:
        world.okta.add_role(person.okta, "SUPER_ADMIN")
    responder = world.responder(catalogue=CATALOGUE, timing=Timing(deadline=5.0, confirm_patience=0.5))
    barrier = threading.Barrier(2)

    def contain(person: Person) -> None:
        barrier.wait()
        pipeline.contain(raw_alert(person, tq_events=[person.name]), responder)

    threads = [threading.Thread(target=contain, args=(person,)) for person in people]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    status = [world.okta.state["users"][person.okta]["status"] for person in people]
    denied = world.okta.state["groups"][world.okta_group]["members"]
    assert [s for s, p in zip(status, people) if s == "ACTIVE" and p.okta not in denied]


def test_a_containment_that_is_only_just_beginning_holds_nobody_up(world: World) -> None:
    """Another responder has announced one, and not planned it yet: administrators are counted all the same."""
    first, second = (world.add_person(name, vendors=("okta",)) for name in ("alice", "bob"))
    for person in (first, second):
        world.okta.add_role(person.okta, "SUPER_ADMIN")
    responder = world.responder(catalogue=CATALOGUE, timing=QUICK)
    responder.journal.put("open/c-other", {"containment": "c-other", "identity": "other", "generation": 1})
    pipeline.contain(raw_alert(first), responder)
    assert world.okta.state["users"][first.okta]["status"] == "SUSPENDED"


def test_who_may_restore_and_is_about_to_be_contained_is_not_counted(world: World) -> None:
    """A colleague has a place in the blast radius and no plan yet: the last one who could restore stays free."""
    person = world.add_person("bob", vendors=("okta",))
    colleague = replace(person.identity(), id="ida", accounts=())
    responder = world.responder(catalogue=CATALOGUE, timing=QUICK)
    responder = replace(responder, inventory=Inventory([person.identity(), colleague], {}, frozenset({"bob", "ida"})))
    use = Use("ida", Tier.REVOKE, "d", responder.now(), False, False)
    assert take_place(responder.journal, use, ())
    report = pipeline.contain(raw_alert(person), responder)
    assert report.decision is not None
    assert report.decision.tier is Tier.OBSERVE
    assert [reason.guard for reason in report.decision.reasons if reason.guard] == ["last restorer"]
