"""The console in a real Chromium over TLS, its people in a real Elasticsearch, its vendors simulated."""

from __future__ import annotations

import json
import secrets
import socket
import subprocess
from pathlib import Path
from typing import Any, Iterator, List, Mapping

import pytest

from responders.console.settings import ROLES
from responders.drill.world import World
from tests.console.browser import Browser
from tests.console.house import HOSTILE
from tests.service.desk import Desk, until
from tests.service.front import Front

pytestmark = [pytest.mark.engine("elasticsearch"), pytest.mark.engine("chromium")]
PASSWORD = "correct-horse-battery"
CONTRAST = (Path(__file__).parent / "contrast.js").read_text()
PAGES = ("", "contain", "inventory", "readiness", "policy", "halt", "journal")


class Room:
    """A desk whose service has a console, with one browser before it."""

    def __init__(self, desk: Desk, page: Browser, user: str, origin: str) -> None:
        self.desk, self.page, self.user, self.origin = desk, page, user, origin

    def go(self, path: str) -> None:
        self.page.open(f"{self.origin}/console/{path}")

    def sign_in(self) -> None:
        """By the keyboard, unless somebody is signed in already."""
        self.go("")
        if "Sign in" not in str(self.page.run("document.title")):
            return
        self.page.wait_for("User")
        self.page.type(self.user)
        self.page.press("Tab")
        self.page.type(PASSWORD)
        self.page.press("Enter")
        self.page.until("document.title.startsWith('Containments')")

    def live(self) -> None:
        self.page.until("document.getElementById('live').textContent === 'Live'")


def certificate(folder: Path) -> Mapping[str, str]:
    """A certificate and its key, for localhost."""
    found = {"certificate": str(folder / "cert.pem"), "key": str(folder / "key.pem")}
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "1", "-subj",
         "/CN=localhost", "-addext", "subjectAltName=DNS:localhost", "-keyout", found["key"], "-out", found["certificate"]],
        check=True, capture_output=True, timeout=30,
    )  # fmt: skip
    (folder / "key.pem").chmod(0o600)
    return found


def free_port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])


@pytest.fixture(scope="module")
def room(elasticsearch_url: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Room]:
    with World(tmp_path_factory.mktemp("room"), vault=False) as world, Front(elasticsearch_url) as front, Browser() as page:
        desk = Desk(world, front)
        user = f"tq{secrets.token_hex(4)}-nora"
        desk.server.call("PUT", "/_security/role/soc-console", {"cluster": []})
        desk.server.call("PUT", f"/_security/user/{user}", {"password": PASSWORD, "roles": ["soc-console"]})
        desk.office.inventory_row(
            "nora", can_restore="true", accounts="okta:default:00unora", aliases=f"elastic:default:{user}"
        )
        for name in ("mallory", "trent", "peggy", "a-very-long-name-of-a-service-identity.with-no-space@corp.example"):
            desk.office.person(name)
        port = free_port()
        origin = f"https://localhost:{port}"
        desk.configure(
            console={"roles": {role: ["soc-console"] for role in ROLES}, "origin": origin},
            tls=certificate(world.folder), listen=f"127.0.0.1:{port}", threads=16,
        )  # fmt: skip
        desk.start()
        try:
            yield Room(desk, page, user, origin)
        finally:
            desk.server.call("DELETE", f"/_security/user/{user}")
            desk.close()


@pytest.fixture(autouse=True)
def _quiet(room: Room) -> Iterator[None]:
    """Nothing was blocked, refused, missing or thrown in any page of a test."""
    room.page.complaints.clear()
    room.page.size(1280, 900)
    yield
    assert room.page.complaints == []


def test_contain_and_restore_by_the_keyboard_alone(room: Room) -> None:
    """Sign in, preview, contain, see it, restore: Tab, Enter and typing; what has the focus can be seen each time."""
    page, okta = room.page, room.desk.world.okta
    room.sign_in()
    page.tab_to("Skip to the content")
    page.press("Enter")
    assert page.run("document.activeElement.id") == "main"
    room.go("")
    page.tab_to("Contain")
    page.tab_to("Inventory")
    page.press("Tab", shift=True)
    page.press("Enter")
    page.until("document.title.startsWith('Contain ')")
    page.wait_for("Identity")
    page.type("mallory")
    page.tab_to("restrict")
    page.press("ArrowDown")
    assert page.focus() == "revoke"
    page.tab_to("Preview")
    page.press("Enter")
    page.until("document.getElementById('plan')")
    assert "Would take mallory (human) to tier revoke" in page.text()
    page.tab_to("Reason")
    page.type("a laptop was stolen")
    page.tab_to("Contain mallory")
    page.press("Enter")
    page.until("document.title.startsWith('mallory')")
    assert "10 of 10" in page.text() and "nora asked for tier revoke" in page.text()
    person = room.desk.world.people["mallory"]
    assert okta.state["users"][person.okta]["status"] == "SUSPENDED"
    page.tab_to("Reason")
    page.type("it was found")
    page.press("Tab")
    assert page.focus() == "Restore mallory"
    page.press("Enter")
    page.until("document.body.innerText.includes('Restored by nora')")
    [cookie] = page.call("Network.getCookies")["cookies"]
    assert cookie["name"] == "__Host-tourniquet" and cookie["secure"] and cookie["httpOnly"]
    assert cookie["sameSite"] == "Strict" and cookie["value"] not in str(page.run("document.cookie"))
    assert okta.state["users"][person.okta]["status"] == "ACTIVE"


def test_an_alert_shows_by_itself(room: Room) -> None:
    """The list is open; an alert comes, its identity is contained, and the row is there without a click; so is a halt."""
    page = room.page
    room.sign_in()
    room.go("")
    room.live()
    page.run("window.mark = 'the same page'")
    room.desk.raised(room.desk.world.people["trent"])
    page.until("[...document.querySelectorAll('tr')].some(r => /trent/.test(r.innerText) && /10 of 10/.test(r.innerText))")
    assert room.desk.service is not None
    responder = room.desk.service.responder()
    responder.halt("nora", "a drill")
    try:
        page.until("document.body.innerText.includes('Automation is halted by nora')")
    finally:
        responder.lift_halt("nora", "over")
    page.until("!document.body.innerText.includes('Automation is halted')")
    assert page.run("window.mark") == "the same page"


def test_a_stream_that_broke_off_comes_back(room: Room) -> None:
    """The service ends the stream; the page says that it is not live, connects anew, and shows what came meanwhile."""
    page = room.page
    room.sign_in()
    room.go("")
    room.live()
    assert room.desk.service is not None and room.desk.service.site is not None
    site = room.desk.service.site
    for over in [over for found in site.streams.values() for over in found]:
        over.set()
    page.until("document.getElementById('live').textContent.startsWith('Not live')")
    room.desk.raised(room.desk.world.people["peggy"])
    room.live()
    page.until("[...document.querySelectorAll('tr')].some(r => /peggy/.test(r.innerText))")


def test_a_page_whose_session_ended_goes_to_the_sign_in(room: Room) -> None:
    """What is live stops being so; nothing of the company stays on the screen once the page hears of it."""
    room.sign_in()
    room.go("")
    room.live()
    assert room.desk.service is not None and room.desk.service.site is not None
    site = room.desk.service.site
    for name in list(site.streams):
        session = site.sessions.again(name)
        if session is not None:
            site.sessions.end(session)
    room.page.until("document.title.startsWith('Sign in')")
    room.page.complaints.clear()  # the refused stream is told of there


def test_without_scripts_everything_works(room: Room) -> None:
    """Scripts off: sign-in, list, preview, halt page are the same pages; only nothing moves by itself."""
    room.page.call("Emulation.setScriptExecutionDisabled", value=True)
    try:
        room.go("sign-in")
        room.page.wait_for("User")
        room.page.type(room.user)
        room.page.press("Tab")
        room.page.type(PASSWORD)
        room.page.press("Enter")
        room.page.until("document.title.startsWith('Containments')")
        room.go("contain")
        room.page.wait_for("Identity")
        room.page.type("trent")
        room.page.tab_to("Preview")
        room.page.press("Enter")
        room.page.until("document.getElementById('plan')")
        assert room.page.run("document.getElementById('live')") is None
    finally:
        room.page.call("Emulation.setScriptExecutionDisabled", value=False)


def _contained(room: Room) -> List[str]:
    """Addresses of containments, one of them with hostile and over-long words in it."""
    assert room.desk.service is not None
    name = "a-very-long-name-of-a-service-identity.with-no-space@corp.example"
    if name not in room.desk.contained():
        room.desk.raised(room.desk.world.people[name], tq_reasons=[HOSTILE, "x" * 300])
        until(lambda: name in room.desk.contained())
    rows, _ = room.desk.service.site.board.rows()  # type: ignore[union-attr]
    return [f"containment/{row.containment}" for row in rows]


@pytest.mark.parametrize("dark", [False, True])
@pytest.mark.parametrize("width", [375, 1280])
def test_every_page_fits_and_can_be_read(room: Room, tmp_path: Path, width: int, dark: bool) -> None:
    """No page is wider than the screen, a phone's too; every text has the contrast of WCAG 2.2 AA, light and dark."""
    page = room.page
    room.sign_in()
    addresses = [*PAGES, *_contained(room)[:2]]
    page.size(width, 800, dark=dark)
    for path in addresses:
        room.go(path)
        page.run("document.querySelectorAll('details').forEach(part => { part.open = true; })")
        assert page.wide() <= width, path
        assert page.run("getComputedStyle(document.body).margin") == "0px", "the style was not applied"
        low: List[Mapping[str, Any]] = json.loads(page.run(CONTRAST))
        assert low == [], path
    assert page.picture(tmp_path / "page.png").stat().st_size > 5_000
