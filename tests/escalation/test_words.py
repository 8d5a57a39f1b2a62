"""What an escalation says: all that a person needs who was not there, and nothing that acts on their terminal."""

from __future__ import annotations

import dataclasses

import pytest

from responders import pipeline
from responders.containment.responder import Timing
from responders.drill.world import World
from responders.escalation.words import as_json, summary, text
from responders.model import Account
from tests.catalogue import CATALOGUE
from tests.support import raw_alert

QUICK = Timing(deadline=1.0, confirm_patience=0.2, retry_due=30.0)


def test_a_report_says_all_that_was_promised(world: World) -> None:
    """Who, owner, dependents, use, why with points, what was done and proved, what is open, residual, undo, manual, head."""
    person = world.add_person("bob", vendors=("okta", "entra"))
    person.accounts.append(Account("aws", "123456789012", "user", "AIDAEXAMPLE"))
    who = person.identity(dependents=("checkout",), usage=("checkout calls it on 9 days", "it reads \x1b[2Jkv/billing"))
    responder = world.responder(who, catalogue=CATALOGUE, timing=QUICK)
    report = pipeline.contain(raw_alert(person), responder)
    shown = text(report)
    head = next(entry for entry in responder.journal.entries(report.containment) if entry.kind == "escalated")
    for promised in (
        "Identity: bob (human", "Owner: their manager", "Depends on it: checkout", "+95  test/strong: synthetic",
        "Logs show it in use", "  checkout calls it on 9 days\n",
        "Why tier revoke at confidence 95", "✓ okta.suspend_user", "aws:123456789012:AIDAEXAMPLE", "no responder",
        f"tourniquet restore {report.containment}", "by hand", f"{report.containment}:{head.seq - 1}:{head.prev}",
    ):  # fmt: skip
        assert promised in shown, promised
    assert shown.startswith("!!! ") and "\x1b" not in shown
    assert responder.journal.verify({report.containment: (head.seq - 1, head.prev)}) == []


def test_a_report_is_louder_when_containment_failed(world: World) -> None:
    """With a vendor down the first line says NOT, in each form."""
    person = world.add_person("bob", vendors=("okta", "entra"))
    world.graph.down = True
    report = pipeline.contain(raw_alert(person), world.responder(catalogue=CATALOGUE, timing=QUICK))
    assert text(report).startswith("!!! bob (human) NOT fully contained")
    assert summary(report).startswith("🔴 bob (human) NOT fully contained")
    assert as_json(report)["loud"] is True


def test_no_secret_of_the_responder_is_in_a_report_or_the_journal(world: World) -> None:
    """Neither what the responder signs in with, nor what the attacker held."""
    person = world.add_person("bob", vendors=("okta", "entra", "cyberark"))
    responder = world.responder(catalogue=CATALOGUE)
    report = pipeline.contain(raw_alert(person), responder)
    said = text(report) + repr(as_json(report)) + repr([doc for _, doc in responder.journal.store.scan("")])
    own = [secret.reveal() for connection in world.connections for secret in connection.secrets.values()]
    names = ("okta session", "okta refresh token", "entra refresh token", "cyberark password")
    held = [person.held[name] for name in names]
    assert not [secret for secret in (*own, *held, world.key.decode(), person.password) if secret in said]


@pytest.mark.parametrize("hostile", ["\x1b]0;owned\x07", "\x1b[2J", "a\nApproved by: ida", "\u202egnp.exe", "\x9b31m"])
def test_a_plan_shows_a_hostile_id_escaped(world: World, hostile: str) -> None:
    """An id with control characters, which should not have come so far, is shown and not obeyed."""
    person = world.add_person("bob", vendors=("okta",))
    report = pipeline.plan(raw_alert(person), world.responder(catalogue=CATALOGUE, timing=QUICK))
    assert report.plan is not None
    assert report.decision is not None
    steps = tuple(
        dataclasses.replace(step, account=dataclasses.replace(step.account, id=hostile)) for step in report.plan.steps
    )
    identity = dataclasses.replace(report.decision.identity, id=hostile, owner=hostile, dependents=(hostile,))
    shown = text(
        dataclasses.replace(
            report,
            title=hostile,
            open_items=(hostile,),
            plan=dataclasses.replace(report.plan, steps=steps),
            decision=dataclasses.replace(report.decision, identity=identity),
        )
    )
    assert hostile not in shown
