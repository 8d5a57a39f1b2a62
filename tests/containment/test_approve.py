"""A person says yes to what the policy only does after approval."""

from __future__ import annotations

import pytest

from responders import pipeline
from responders.containment.approve import approve
from responders.drill.simulators.graph import TENANT
from responders.drill.world import Person, World
from responders.errors import Refused
from responders.model import Account, Status, Tier
from tests.catalogue import CATALOGUE
from tests.support import raw_alert


def _writes(world: World) -> int:
    ours = [r for s in (world.okta, world.graph, world.cyberark) for r in s.requests if r.method != "GET"]
    return sum("oken" not in r.path and "ogon" not in r.path.lower() for r in ours)


def test_an_approved_action_is_carried_out_and_proved(world: World) -> None:
    """Factors are reset only after a person approved it, and only on an account whose block is confirmed."""
    person = world.add_person("alice")
    world.okta.add_factor(person.okta)
    responder = world.responder(catalogue=CATALOGUE)
    report = pipeline.contain(raw_alert(person), responder)
    assert report.decision is not None
    assert "okta.reset_factors" in report.decision.approval
    assert not [o for o in report.outcomes if o.step.action == "okta.reset_factors"]
    after = approve(responder, report.containment, ("okta.reset_factors",), by="ida", reason="attacker enrolled a phone")
    done = {o.step.action: o.status for o in after.outcomes}
    assert done["okta.reset_factors"] is Status.CONFIRMED
    assert after.decision is not None
    assert "okta.reset_factors" not in after.decision.approval
    assert "ida approved okta.reset_factors: attacker enrolled a phone" in [r.text for r in after.decision.reasons]
    assert responder.journal.verify() == []


@pytest.mark.parametrize(
    ("names", "by", "reason", "says"),
    [
        (("okta.reset_factors",), "mallory", "why not", "can_restore"),
        (("okta.reset_factors",), "ida", " ", "needs a reason"),
        (("okta.no_such_action",), "ida", "why not", "the policy knows no"),
        (("vault.rotate_root",), "ida", "why not", "the policy knows no"),
        (("okta.remove_group",), "ida", "why not", "no evidence"),
    ],
)
def test_what_may_not_be_approved_changes_nothing(
    world: World, names: tuple[str, ...], by: str, reason: str, says: str
) -> None:
    """Strangers, empty reasons, actions unknown to the policy or without evidence: refused, and no vendor is written to."""
    person = world.add_person("alice", vendors=("okta",))
    responder = world.responder(catalogue=CATALOGUE)
    report = pipeline.contain(raw_alert(person), responder)
    writes = _writes(world)
    with pytest.raises(Refused, match=says):
        approve(responder, report.containment, names, by=by, reason=reason)
    assert _writes(world) == writes


def test_nobody_approves_for_themselves(world: World) -> None:
    """The contained identity can't approve, even when the inventory lets it restore."""
    person = world.add_person("ida", vendors=("okta",))
    responder = world.responder(catalogue=CATALOGUE, restorers=("ida", "ivo"))
    report = pipeline.contain(raw_alert(person), responder)
    with pytest.raises(Refused, match="themselves"):
        approve(responder, report.containment, ("okta.reset_factors",), by="ida", reason="mine")


def test_a_privileged_identity_needs_a_second_person(world: World) -> None:
    """One person can't take the last step on a privileged identity alone."""
    person = world.add_person("alice", vendors=("okta",))
    responder = world.responder(person.identity(criticality="privileged"), catalogue=CATALOGUE)
    report = pipeline.contain(raw_alert(person), responder)
    with pytest.raises(Refused, match="second person"):
        approve(responder, report.containment, ("okta.reset_factors",), by="ida", reason="sure", approved_by="ida")
    found = approve(responder, report.containment, ("okta.reset_factors",), by="ida", reason="sure", approved_by="ivo")
    assert found.outcomes


def test_a_revoke_held_back_for_dependents_is_approved_as_a_whole(world: World) -> None:
    """A production service with dependents is restricted; `revoke` approved by a person takes it to revoke."""
    app = Person("shop", [Account("entra", TENANT, "service_principal", world.graph.add_app("shop", secret="stolen"))])
    identity = app.identity(kind="service", dependents=("checkout",))
    responder = world.responder(identity, catalogue=CATALOGUE)
    report = pipeline.contain(raw_alert(app, vendor="entra", confidence=92), responder)
    assert report.decision is not None
    assert report.decision.tier is Tier.RESTRICT
    found = approve(responder, report.containment, ("revoke",), by="ida", reason="checkout team agrees")
    assert found.decision is not None
    assert found.decision.tier is Tier.REVOKE
    assert {o.step.action: o.status for o in found.outcomes}["entra.disable_service_principal"] is Status.CONFIRMED


def test_a_guard_outlives_approval(world: World) -> None:
    """Approval lifts the wait for a person, no guard: an identity that became protected meanwhile stays as it is."""
    person = world.add_person("alice", vendors=("okta",))
    responder = world.responder(person.identity(shared=True), catalogue=CATALOGUE)
    report = pipeline.contain(raw_alert(person), responder)
    writes = _writes(world)
    with pytest.raises(Refused, match="shared account"):
        approve(responder, report.containment, ("revoke",), by="ida", reason="sure")
    assert _writes(world) == writes
