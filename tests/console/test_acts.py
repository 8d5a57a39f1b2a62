"""What people do in the console: contained, restored, approved, halted, with who did it in the journal before."""

from __future__ import annotations

import html
import re

import pytest

from responders.console.routes import console_routes, open_site
from responders.containment.clicks import WAIT
from responders.surfaces.service.app import App
from tests.console.house import House


def test_contain_at_a_tier_with_a_reason_and_restore(house: House) -> None:
    """Preview changes nothing; contain suspends; restore puts back; each click stands in the journal with its person."""
    house.person("mallory")
    nora = house.signed_in("revoke", "restorer")
    before = house.office.changes()
    shown = nora.post("/console/contain", {"who": "mallory", "tier": "revoke", "do": "preview"})
    assert "Would take mallory (human) to tier revoke" in shown.text and "okta.suspend_user" in shown.text
    assert house.office.changes() == before and not house.entries("a-", "alert")
    containment = house.contain("mallory", nora)
    assert house.suspended("mallory")
    [click] = [entry for entry in house.clicks() if entry.body["what"] == "contain" and entry.body["identity"] == "mallory"]
    assert (click.body["user"], click.body["by"], click.body["reason"]) == ("nora", "nora", "seen")
    [alert] = [e for e in house.entries("a-", "alert") if "person/asked" in str(e.body) and click.chain in str(e.body)]
    assert click.at < alert.at
    page = nora.get(f"/console/containment/{containment}")
    assert "10 of 10" in page.text and "nora asked for tier revoke" in page.text and "Restore mallory" in page.text
    assert "nora (nora) asked to contain: seen" in page.text and "recheck 24 h" in page.text
    answer = nora.post(f"/console/containment/{containment}/restore", {"reason": "a false alarm"})
    assert answer.headers["Location"] == f"/console/containment/{containment}" and not house.suspended("mallory")
    page = nora.get(f"/console/containment/{containment}")
    assert "Restored by nora" in page.text and "a false alarm" in page.text and "Restore mallory" not in page.text
    kinds = [e.kind for e in house.service.responder().journal.entries(containment)]
    assert kinds.count("click") == 2 and len(kinds) - kinds[::-1].index("click") - 1 < kinds.index(
        "restoring"
    ) < kinds.index("restored")
    assert [e.body["became"] for e in house.entries(click.chain, "click done")] != []
    assert house.service.responder().journal.verify() == []


def test_somebody_without_can_restore_restores_nobody(house: House) -> None:
    """The role of Elasticsearch is not enough: the inventory must allow it too. The attempt is in the journal."""
    containment = house.contain("trent")
    pia = house.signed_in("restorer", user="pia")
    assert "Restore trent" not in pia.get(f"/console/containment/{containment}").text
    answer = pia.post(f"/console/containment/{containment}/restore", {"reason": "let him"})
    assert answer.status_code == 403 and "can_restore" in answer.text and house.suspended("trent")
    assert any("can_restore" in entry.body["why"] for entry in house.entries("q-", "click refused"))
    assert "pia (pia) asked to restore: let him" in pia.get(f"/console/containment/{containment}").text


def test_a_privileged_restore_needs_a_second_session(house: House) -> None:
    """The first request waits; one's own agreement, a stranger's and a made-up request are refused; a colleague's counts."""
    containment = house.contain("root-ann", criticality="privileged")
    address = f"/console/containment/{containment}"
    nora, omar = house.signed_in("restorer"), house.signed_in("restorer", user="omar")
    assert nora.post(f"{address}/restore", {"reason": "checked"}).status_code == 303 and house.suspended("root-ann")
    [waits] = [e for e in house.service.responder().journal.entries(containment) if e.kind == "waits for a second person"]
    form = {"request": waits.body["request"], "reason": "checked too"}
    assert "This is your own request" in nora.get(address).text and "Agree, and restore" in omar.get(address).text
    assert "waits for a second person" in omar.get("/console/").text
    for guest, data, why in (
        (nora, form, "your own"),
        (house.signed_in("restorer"), form, "your own"),
        (house.signed_in("restorer", user="pia"), form, "can_restore"),
        (omar, {**form, "request": "q-000000000000000000000000"}, "no such request"),
        (omar, {**form, "reason": " "}, "give a reason"),
    ):
        answer = guest.post(f"{address}/agree", data)
        assert answer.status_code == 403 and why in answer.text and house.suspended("root-ann")
    assert omar.post(f"{address}/agree", form).status_code == 303 and not house.suspended("root-ann")
    assert "Restored by nora and omar" in omar.get(address).text
    assert "has ended already" in omar.post(f"{address}/agree", form).text


def test_a_colleague_may_agree_at_another_replica(house: House) -> None:
    """What waits is in the journal; a session is of the replica where it began, and opens nothing at the other."""
    containment = house.contain("root-cy", criticality="privileged")
    nora = house.signed_in("restorer")
    nora.post(f"/console/containment/{containment}/restore", {"reason": "checked"})
    service = house.service
    assert service.config.console is not None
    other = open_site(
        service.config.console, service.config.elasticsearch, service.responder, service.index, service.log,
        stopping=service.state.stopping, taken=lambda chain, space, name: None, spaces=("default",),
    )  # fmt: skip
    guest = house.guest(App(console_routes(other), service.log, 8))
    cookie = nora.client.get_cookie(house.site.cookie, domain="localhost")
    assert cookie is not None
    guest.client.set_cookie(other.cookie, cookie.value, domain="localhost")
    assert guest.get("/console/").status_code == 303
    mine, session = other.sessions.begin("omar", "omar", frozenset({"restorer"}), "realm")
    guest.client.set_cookie(other.cookie, mine, domain="localhost")
    guest.csrf = session.csrf
    page = guest.get(f"/console/containment/{containment}")
    request = re.findall(r'name="request" value="(q-[0-9a-f]{24})"', page.text)[0]
    answer = guest.post(f"/console/containment/{containment}/agree", {"request": request, "reason": "seen too"})
    assert answer.status_code == 303 and not house.suspended("root-cy")
    other.door.close()


def test_a_request_does_not_wait_for_ever(house: House) -> None:
    """After an hour nobody can agree any more; and what was agreed to for one thing is not used for another."""
    containment = house.contain("root-bob", criticality="privileged")
    address = f"/console/containment/{containment}"
    nora, omar = house.signed_in("restorer"), house.signed_in("restorer", user="omar")
    nora.post(f"{address}/close", {"reason": "as it is"})
    journal = house.service.responder().journal
    [waits] = [e for e in journal.entries(containment) if e.kind == "waits for a second person"]
    clock = journal.clock
    journal.clock = lambda: clock() + WAIT
    try:
        answer = omar.post(f"{address}/agree", {"request": waits.body["request"], "reason": "late"})
        assert answer.status_code == 403 and "no such request" in answer.text
    finally:
        journal.clock = clock
    assert "Agree, and close" in omar.get(address).text
    assert omar.post(f"{address}/agree", {"request": waits.body["request"], "reason": "in time"}).status_code == 303
    assert "Closed by nora and omar, nothing undone" in omar.get(address).text and house.suspended("root-bob")


def test_nobody_restores_themselves_and_who_is_contained_is_out(house: House) -> None:
    """A contained analyst's session ends at once, with a form and with a page; a new sign-in is refused."""
    person = house.person("quinn", can_restore="true", aliases="elastic:default:quinn")
    quinn = house.signed_in("restorer", "revoke", user="quinn")
    assert quinn.get("/console/").status_code == 200
    containment = house.contain("quinn", house.signed_in("revoke", user="omar"))
    answer = quinn.post(f"/console/containment/{containment}/restore", {"reason": "I am fine"})
    assert answer.status_code == 403 and "contained at the moment" in answer.text and house.suspended("quinn")
    assert quinn.get("/console/").status_code == 303
    assert person.okta and not [e for e in house.clicks() if e.body["by"] == "quinn"]


def test_a_responder_for_restrict_gets_no_further(house: House) -> None:
    """Whatever confidence there is: who may restrict can't revoke, neither by the tier nor by the form's other fields."""
    house.person("victor")
    guest = house.signed_in("restrict", user="pia")
    form = {"who": "victor", "reason": "seen", "do": "contain"}
    assert guest.post("/console/contain", {**form, "tier": "revoke"}).status_code == 403
    assert guest.post("/console/contain", {**form, "tier": "restrict", "wanted": "revoke"}).status_code == 303
    assert not house.suspended("victor")
    [plan] = [e for e in house.entries("c-", "plan") if "victor" in str(e.body["plan"]["decision"]["identity"]["id"])]
    assert plan.body["alert"]["requested"] == ["by=pia", "restrict", "most=restrict"]


def test_approve_takes_a_restricted_identity_to_revoke(house: House) -> None:
    """Restricted first, then approved by somebody with can_restore; what the policy does not know is refused."""
    house.person("walter")
    guest = house.signed_in("restrict", "restorer")
    answer = guest.post("/console/contain", {"who": "walter", "tier": "restrict", "reason": "odd", "do": "contain"})
    address = answer.headers["Location"]
    assert not house.suspended("walter") and "the whole tier revoke" in guest.get(address).text
    assert "choose at least one" in guest.post(f"{address}/approve", {"reason": "sure"}).text
    refused = guest.post(f"{address}/approve", {"reason": "sure", "action": "okta.delete_everything"})
    assert refused.status_code == 403 and "the policy knows no okta.delete_everything" in refused.text
    assert guest.post(f"{address}/approve", {"reason": "sure", "action": "revoke"}).status_code == 303
    assert house.suspended("walter") and "Approved by nora: sure" in guest.get(address).text


def test_halt_and_resume(house: House) -> None:
    """Role and can_restore are needed; every page says that automation is halted, and why."""
    pia, nora = house.signed_in("restorer", user="pia"), house.signed_in("restorer")
    answer = pia.post("/console/halt", {"do": "halt", "reason": "please"})
    assert answer.status_code == 403 and not house.service.responder().halted()
    assert nora.post("/console/halt", {"do": "halt", "reason": ""}).status_code == 403
    assert nora.post("/console/halt", {"do": "halt", "reason": "vendor <b>test</b>"}).status_code == 303
    try:
        page = html.unescape(pia.get("/console/policy").text)
        assert "Automation is halted by nora (Elastic user nora)" in page and "vendor <b>test</b>" in page
        assert "Halted by nora" in nora.get("/console/halt").text
    finally:
        assert nora.post("/console/halt", {"do": "resume", "reason": "over"}).status_code == 303
    assert "Automation is running" in nora.get("/console/halt").text


@pytest.mark.parametrize(
    ("who", "why"),
    [
        ("", "say who"),
        ("nobody", "no identity of exactly this id"),
        ("PIA", "no identity of exactly this id"),
        ("pia ", ""),
        ("okta:default:../x", "holds a path trick"),
    ],
)
def test_who_is_meant_must_be_exact(house: House, who: str, why: str) -> None:
    """An id in other letters, a name in part, a path trick: nobody is contained for it, and nothing is kept."""
    guest = house.signed_in("revoke")
    answer = guest.post("/console/contain", {"who": who, "tier": "restrict", "reason": "seen", "do": "preview"})
    assert (why in answer.text) if why else (answer.status_code == 200)
    if why:
        answer = guest.post("/console/contain", {"who": who, "tier": "restrict", "reason": "seen", "do": "contain"})
        assert answer.status_code in (400, 403) and why in answer.text


def test_a_stranger_is_restricted_at_most(house: House) -> None:
    """An account that no row claims stands for itself; the guard says so in the preview."""
    answer = house.signed_in("revoke").post(
        "/console/contain", {"who": "okta:default:00ustranger", "tier": "revoke", "do": "preview"}
    )
    assert "restrict" in answer.text and "guard: unmapped account" in answer.text


def test_readiness_and_the_journal_are_asked_for_and_not_too_often(house: House) -> None:
    """A click asks the vendors; a second one within half a minute is refused; what was found stays shown."""
    house.person("rupert")  # somebody with a safe, so that CyberArk can say what may be done there
    guest = house.signed_in("viewer")
    house.site.costly.forget("readiness")
    house.site.costly.forget("verify")
    assert guest.post("/console/readiness").status_code == 303
    page = guest.get("/console/readiness").text
    assert "okta.suspend_user" in page and page.count('class="tag good">ready') == 3
    assert "try again in" in guest.post("/console/readiness").text
    assert guest.post("/console/journal").status_code == 303 and "It is whole." in guest.get("/console/journal").text
    assert "try again in" in guest.post("/console/journal").text
