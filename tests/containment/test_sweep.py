"""What the identity made since the compromise is listed; what can't be read, or is nowhere to be read, is said."""

from __future__ import annotations

import time
from datetime import timedelta
from typing import Set, Tuple

import pytest

from responders import pipeline
from responders.containment.responder import Timing
from responders.drill.world import World
from responders.escalation.report import Report
from tests.catalogue import CATALOGUE
from tests.support import raw_alert

QUICK = Timing(deadline=1.0, confirm_patience=0.2, retry_due=0.0)


def _made(report: Report) -> Set[Tuple[str, str]]:
    return {(item.thing, item.id) for item in report.created}


def _swept(world: World, vendor: str) -> Report:
    return pipeline.contain(
        raw_alert(world.people["bob"], vendor=vendor), world.responder(catalogue=CATALOGUE, timing=QUICK)
    )


def test_entra_lists_what_the_audit_log_ascribes_to_the_identity(world: World) -> None:
    """Users, credentials, roles, consents, federation, devices; what it only removed is no creation."""
    bob = world.add_person("bob", vendors=("entra",))
    for activity, target, kind in (
        ("Add user", "u1", "User"), ("Add service principal credentials", "s1", "ServicePrincipal"),
        ("Add member to role", "u2", "User"), ("Set federation settings on domain", "d1", "Domain"),
        ("Consent to application", "s2", "ServicePrincipal"), ("Add something of next year", "x1", "Other"),
        ("Remove member from group", "g1", "Group"),
    ):  # fmt: skip
        world.graph.audit(activity, ((target, kind),), user=bob.entra)
    device = world.graph.add_device(bob.entra)
    world.graph.audit("Add user", (("u9", "User"),), user="somebody else")
    assert _made(_swept(world, "entra")) == {
        ("user", "u1"), ("credential of a service principal", "s1"), ("role", "u2"), ("federation of a domain", "d1"),
        ("consent", "s2"), ("Add something of next year", "x1"), ("device", device),
    }  # fmt: skip


def test_an_entry_from_before_the_compromise_is_not_listed(world: World) -> None:
    """The alert's earliest event is where it begins."""
    bob = world.add_person("bob", vendors=("entra",))
    world.graph.clock = lambda: time.time() - 3600
    world.graph.audit("Add user", (("u1", "User"),), user=bob.entra)
    world.graph.clock = time.time
    assert _made(_swept(world, "entra")) == set()


def test_without_the_audit_log_devices_are_still_listed(world: World) -> None:
    """One question that is refused takes nothing away from the others; it is said."""
    bob = world.add_person("bob", vendors=("entra",))
    device = world.graph.add_device(bob.entra)
    for app in world.graph.state["service_principals"].values():
        app["roles"] = [role for role in app["roles"] if role != "AuditLog.Read.All"]
    report = _swept(world, "entra")
    assert ("device", device) in _made(report)
    assert any(item.startswith("sweep of entra:") and "not read" in item for item in report.open_items)


def test_okta_lists_every_page_of_the_log(world: World) -> None:
    """More creations than one page holds; a question without an end would never come to one."""
    bob = world.add_person("bob", vendors=("okta",))
    for number in range(1100):
        world.okta.record("user.lifecycle.create", f"u{number}", bob.okta)
    world.okta.record("app.oauth2.credentials.lifecycle.create", "0oa1", bob.okta, "AppInstance")
    made = _made(_swept(world, "okta"))
    assert len([thing for thing, _ in made if thing == "user"]) == 1100
    assert ("client secret or key", "0oa1") in made


def test_cyberark_says_that_its_api_shows_no_creator(world: World) -> None:
    """An empty list would read as: nothing was made."""
    world.add_person("bob", vendors=("cyberark",))
    report = _swept(world, "cyberark")
    assert any(item.startswith("sweep of cyberark:") and "audit log" in item for item in report.open_items)


@pytest.mark.engine("openbao")
def test_vault_lists_minted_tokens_and_says_what_it_cannot(full_world: World) -> None:
    """A token that the attacker minted with the stolen one, while it is only restricted; policies have no creator."""
    bob = full_world.add_person("bob", vendors=("vault",))
    bao = full_world.bao
    assert bao is not None
    minted = bao.request("POST", "auth/token/create", {"ttl": "1h"}, token=bob.held["vault token"])["auth"]
    row = raw_alert(bob, vendor="vault", confidence=60)
    report = pipeline.contain(row, full_world.responder(catalogue=CATALOGUE))
    assert ("token", minted["accessor"]) in _made(report)
    assert any(item.startswith("sweep of vault:") and "audit log" in item for item in report.open_items)


def test_a_vendor_that_was_down_is_not_waited_for_again_but_asked_later(world: World) -> None:
    """It has cost the containment its deadline: the report goes out, and what it shows later is escalated on its own."""
    bob = world.add_person("bob", vendors=("okta", "entra"))
    world.graph.audit("Add user", (("u1", "User"),), user=bob.entra)
    world.graph.down = True
    responder = world.responder(catalogue=CATALOGUE, timing=QUICK)
    report = pipeline.contain(raw_alert(bob), responder)
    assert any("sweep of entra:" in item and "asked again later" in item for item in report.open_items)
    assert not any("/auditLogs" in request.path for request in world.graph.requests)
    world.graph.down = False
    at = responder.now() + timedelta(minutes=2)
    lines = pipeline.take_up(world.responder(catalogue=CATALOGUE, timing=QUICK, clock=lambda: at))
    assert any(line.endswith("1 things found at entra") for line in lines), lines
