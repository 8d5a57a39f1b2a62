"""Every page for every role, what browsers are told with each, and what attackers put into names."""

from __future__ import annotations

import html
import re
from typing import Any, Dict, List, Tuple

import pytest

from responders import pipeline
from responders.console.headers import CSP
from responders.console.settings import ROLES
from responders.console.static_files import read_all
from responders.inventory.resolve import Inventory
from tests.console.house import HOSTILE, House

PAGES = ("", "inventory", "readiness", "policy", "halt", "journal")
EVERYBODY = frozenset(ROLES)
RESPONDERS = frozenset({"restrict", "revoke"})
RESTORERS = frozenset({"restorer"})
ACTS: List[Tuple[str, Dict[str, str], frozenset[str]]] = [
    ("contain", {"who": "zoe", "tier": "restrict", "do": "preview"}, RESPONDERS),
    ("contain", {"who": "zoe", "tier": "revoke", "do": "preview"}, frozenset({"revoke"})),
    ("halt", {"do": "resume", "reason": "it was never halted"}, RESTORERS),
    ("containment/{}/restore", {"reason": ""}, RESTORERS),
    ("containment/{}/approve", {"reason": "seen"}, RESTORERS),
    ("containment/{}/close", {"reason": ""}, RESTORERS),
    ("containment/{}/agree", {"reason": "seen", "request": "q-none"}, RESTORERS),
    ("policy", {"draft": "version: x"}, frozenset({"policy_editor"})),
    ("journal", {}, EVERYBODY),
]
"""Forms, and who may send them: the others hear which role is missing. None of these changes anybody."""


@pytest.fixture(scope="module")
def zoe(house: House) -> str:
    """Somebody who is contained; the containment's id."""
    return house.contain("zoe")


@pytest.mark.parametrize("role", ROLES)
def test_every_role_sees_every_page(house: House, zoe: str, role: str) -> None:
    """Each role may look; the page to contain is for those who may contain, and no other page leads there."""
    guest = house.signed_in(role)
    for path in (*PAGES, f"containment/{zoe}"):
        answer = guest.get(f"/console/{path}")
        assert answer.status_code == 200, path
        assert ('href="/console/contain"' in answer.text) == (role in RESPONDERS)
    answer = guest.get("/console/contain")
    assert answer.status_code == (200 if role in RESPONDERS else 403)


@pytest.mark.parametrize("role", ROLES)
def test_every_form_needs_its_role(house: House, zoe: str, role: str) -> None:
    """Who lacks the role is refused, and hears which one it is."""
    for path, data, allowed in ACTS:
        house.site.costly.forget("verify")
        house.site.posts.forget("nora")
        answer = house.signed_in(role).post("/console/" + path.format(zoe), data)
        lacks = "lacks the console role" in html.unescape(answer.text)
        assert lacks == (role not in allowed), (path, answer.status_code)
        assert not lacks or answer.status_code == 403


def test_nobody_sees_anything_before_signing_in(house: House, zoe: str) -> None:
    """Every page and every form of a stranger ends at the sign-in; nothing of a containment is in the answer."""
    assert house.guest().get("/console/live").status_code == 401
    for path in (*PAGES, "contain", f"containment/{zoe}"):
        answer = house.guest().get(f"/console/{path}")
        assert answer.status_code == 303 and answer.headers["Location"].startswith("/console/sign-in?next=")
        assert "zoe" not in answer.text
    for path, data, _ in ACTS:
        assert house.guest().post("/console/" + path.format(zoe), data).headers["Location"].startswith("/console/sign-in")


def test_what_browsers_are_told(house: House, zoe: str) -> None:
    """Pages, refusals, redirects, scripts: each with the policy, never kept, never framed."""
    guest = house.signed_in("viewer")
    paths = [f"/console/{path}" for path in (*PAGES, "contain", "sign-in", "containment/none", f"containment/{zoe}")]
    answers = [guest.get(path) for path in paths]
    answers += [house.guest().get("/console/"), guest.post("/console/halt", Origin="https://evil.example")]
    for answer in answers:
        assert answer.headers["Content-Security-Policy"] == CSP
        assert (answer.headers["X-Frame-Options"], answer.headers["Cache-Control"]) == ("DENY", "no-store")
        assert (answer.headers["X-Content-Type-Options"], answer.headers["Referrer-Policy"]) == ("nosniff", "same-origin")
    for token in (
        "default-src 'none'",
        "script-src 'self'",
        "frame-ancestors 'none'",
        "base-uri 'none'",
        "form-action 'self'",
    ):
        assert token in CSP
    assert "unsafe" not in CSP


def test_no_page_holds_a_script_a_style_or_a_foreign_address(house: House, zoe: str) -> None:
    """What the policy would block is not there to begin with, so that the policy never has to be loosened."""
    guest = house.signed_in(*ROLES)
    for path in (*PAGES, "contain", "sign-in", f"containment/{zoe}"):
        text = guest.get(f"/console/{path}").text
        assert not re.search(r"<script(?![^>]*src=\"/console/static/)|<style|\sstyle=|\son\w+=|javascript:", text)
        assert not re.search(r"(?:src|href|action)=\"(?!/console/|#)", text)
    for name, data in read_all().items():
        assert not re.search(
            rb"https?://(?!www\.w3\.org/2000/svg)|innerHTML|eval\(|document\.write|insertAdjacentHTML", data
        ), name


def test_links_lead_to_pages_and_ids_are_unique(house: House, zoe: str) -> None:
    """Every address on a page is one that the service answers."""
    guest = house.signed_in(*ROLES)
    for path in (*PAGES, "contain", f"containment/{zoe}"):
        text = guest.get(f"/console/{path}").text
        for address in set(re.findall(r"(?:href|src)=\"(/console/[^\"#]*)\"", text)):
            assert guest.get(html.unescape(address)).status_code == 200, address
        ids = re.findall(r"\sid=\"([^\"]*)\"", text)
        assert len(ids) == len(set(ids))
        labelled = re.findall(r"aria-labelledby=\"([^\"]*)\"|<label for=\"([^\"]*)\"", text)
        assert {one or other for one, other in labelled} <= set(ids)
        assert text.count("<h1") == text.count("<main") == 1 and '<html lang="en">' in text


def test_hostile_names_are_shown_and_do_nothing(house: House) -> None:
    """Markup in an identity, an owner, an account and an alert's reasons is text on every page that shows it."""
    person = house.world.add_person("<b>eve</b>")
    accounts = ";".join(f"{account.key}|{account.kind}" for account in person.accounts)
    hostile = HOSTILE.replace('"', "'")
    house.office.inventory_row(hostile, accounts=accounts, owner=hostile)
    house.service.reload()
    responder = house.service.responder()
    assert isinstance(responder.inventory, Inventory) and responder.inventory.identity(hostile) is not None
    raw = house.office.alert(person, tq_reasons=[HOSTILE, "\x1b[31mred\u202e"], tq_events=["e-hostile"])
    report = pipeline.contain(raw, responder)
    house.site.board.soon()
    guest = house.signed_in(*ROLES)
    pages = [guest.get(f"/console/{path}") for path in ("", f"containment/{report.containment}", "inventory")]
    pages.append(guest.post("/console/contain", {"who": hostile, "tier": "revoke", "do": "preview"}))
    pages.append(guest.post("/console/contain", {"who": HOSTILE, "tier": "revoke", "do": "preview"}))
    pages.append(guest.get("/console/contain?who=" + "%3Cscript%3Ealert(1)%3C/script%3E\"'"))
    pages.append(guest.get("/console/sign-in?next=" + "javascript:alert(1)"))
    for page in pages:
        assert "<script>alert" not in page.text and "<img" not in page.text and "\x1b" not in page.text
        assert "\u202e" not in page.text
    assert html.escape(hostile, quote=False).replace("'", "&#39;") in pages[0].text
    assert "Left out of the alert: tq_reasons" in pages[1].text


def test_an_identity_is_found_by_a_part_of_its_id(house: House, zoe: str) -> None:
    """Whatever the case; what is asked for is shown as text."""
    guest = house.signed_in("viewer")
    assert "zoe</a>" in guest.get("/console/?find=ZO").text and "zoe</a>" in guest.get(f"/console/?find={zoe}").text
    answer = guest.get("/console/?find=%3Cscript%3Ealert(9)")
    assert "zoe</a>" not in answer.text and "<script>alert" not in answer.text and "Nobody of that name" in answer.text


def test_strange_addresses(house: House) -> None:
    """A containment that is none, a file that is none, a path that climbs: refused, and no page breaks."""
    guest = house.signed_in("viewer")
    for name in ("c-0000000000000000", "c-../../halt", "halt", "q-000000000000000000000000", HOSTILE.replace("/", "")):
        answer: Any = guest.get(f"/console/containment/{name}")
        assert answer.status_code in (403, 404) and "<script>alert" not in answer.text, name
    for name in ("nothing.js", "..%2fboard.py", "../board.py", "console.css%00"):
        assert guest.get(f"/console/static/{name}").status_code == 404
    assert not [line for line in house.said() if line["message"] == "internal error"]
