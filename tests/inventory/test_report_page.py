"""The report's page in a real Chromium: wide and narrow, light and dark, by keyboard, with hostile names, and of a crowd."""

from __future__ import annotations

import os
from datetime import timedelta
from pathlib import Path
from typing import Iterator, List

import pytest

from responders.inventory.observation import Holds, Observed, Reaches, Seen
from responders.inventory.reporting.coverage import Coverage, Named
from responders.inventory.reporting.history import Point, with_today
from responders.inventory.reporting.page import render
from responders.inventory.resolve import Inventory
from responders.model import Account
from tests.console.browser import Browser
from tests.inventory.test_report import NOW, cover, hostile, identity, secret, user

pytestmark = pytest.mark.engine("chromium")
BRIGHT = """
(() => {
  const light = (color) => { const [r, g, b] = color.match(/[\\d.]+/g).map(Number).map((v) => v / 255)
      .map((v) => v <= 0.03928 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4); return 0.2126 * r + 0.7152 * g + 0.0722 * b; };
  const behind = (e) => { for (; e; e = e.parentElement) { const c = getComputedStyle(e).backgroundColor;
      if (!/, 0\\)$/.test(c) && c !== 'transparent') return c; } return 'rgb(255, 255, 255)'; };
  return [...document.querySelectorAll('h1, h2, h3, p, dd, dt a, td, th, li, caption, .id, nav a, code')]
    .filter((e) => e.textContent.trim()).map((e) => {
      const pair = [light(getComputedStyle(e).color), light(behind(e))].sort((a, b) => a - b);
      return (pair[1] + 0.05) / (pair[0] + 0.05); })
    .reduce((a, b) => Math.min(a, b));
})()
"""
"""The weakest contrast of a text with what is behind it (WCAG 2.2, 1.4.3: 4.5 at least)."""


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with Browser() as found:
        yield found


def crowd(people: int = 3000) -> Coverage:
    """So many people, each with a finding of every sort, and a hub on which hundreds depend."""
    machine = Account("entra", "corp", "service_principal", "hub")
    everyone = [identity(f"okta:corp:u{n}", user(f"u{n}"), owner=None) for n in range(people)]
    hub = identity("hub", machine, kind="service", owner=None, dependents=tuple(f"okta:corp:u{n}" for n in range(500)))
    role = Reaches("x", "role", "r", "Super Administrator", admin=True)
    safe = Reaches("x", "safe", "cyberark:corp:safe:all", "all")
    observed = [
        Observed(Seen(user(f"u{n}"), f"person{n}@corp.example", True, True, "x"), (secret(f"s{n}", n),), (role, safe))
        for n in range(people)
    ]
    things = [Holds("cyberark:corp:safe:all", "privileged_account", f"a{n}", f"root@host{n}") for n in range(people)]
    return cover(Inventory([*everyone, hub]), [Named(f"okta:corp:z{n}", "d", "") for n in range(people)], observed, things)


def days() -> List[Point]:
    found: List[Point] = []
    for number in range(0, 60, 7):
        found = list(with_today(found, NOW - timedelta(days=60 - number), {"unmapped": 60 - number, "admins": 4}))
    return found


@pytest.fixture(scope="module")
def pages(tmp_path_factory: pytest.TempPathFactory) -> List[Path]:
    folder = tmp_path_factory.mktemp("pages")
    for name, found in (("crowd", crowd()), ("hostile", hostile()), ("none", cover(Inventory([])))):
        (folder / f"{name}.html").write_text(render(found, with_today(days(), NOW, found.figures())))
    return sorted(folder.iterdir())


@pytest.mark.parametrize("dark", [False, True])
@pytest.mark.parametrize("width", [1100, 375])
def test_it_fits_and_can_be_read(browser: Browser, pages: List[Path], width: int, dark: bool) -> None:
    """Nothing is wider than the screen, every text stands out from its ground, and the console has nothing to say."""
    for page in pages:
        browser.size(width, 900, dark)
        browser.open(page.as_uri())
        assert browser.wide() <= width, page.name
        assert browser.run(BRIGHT) >= 4.5, page.name
        shots = os.environ.get("TOURNIQUET_SCREENSHOTS")
        if shots:
            browser.picture(Path(shots) / f"inventory-{page.stem}-{width}-{'dark' if dark else 'light'}.png")
    assert browser.complaints == []


def test_a_crowd_is_a_short_page(browser: Browser, pages: List[Path]) -> None:
    """3,000 findings of every sort: 25 rows each and how many more, a picture of 40 boxes, a fifth of a megabyte."""
    page = next(path for path in pages if path.stem == "crowd")
    assert page.stat().st_size < 200_000
    browser.size(1100, 900)
    browser.open(page.as_uri())
    assert browser.run("Math.max(...[...document.querySelectorAll('tbody')].map((t) => t.rows.length))") == 25
    assert browser.run("document.querySelectorAll('svg .node').length") <= 50
    words = browser.text()
    assert words.count("and 2\u2009975 more") >= 3 and "and 492 more" in words  # the hub's box says the rest


def test_by_keyboard(browser: Browser, pages: List[Path]) -> None:
    """The skip link comes first and works, the contents lead where they say, and the picture takes the focus to be scrolled;
    each shows that it has it."""
    page = next(path for path in pages if path.stem == "crowd").as_uri()
    browser.size(375, 900)
    browser.open(page)
    browser.press("Tab")
    browser.wait_for("Skip to the content")
    browser.press("Enter")
    browser.until("location.hash === '#main'")
    browser.open(page)
    browser.tab_to("Secrets")
    browser.press("Enter")
    browser.until("location.hash === '#secrets'")
    browser.open(page)
    browser.tab_to("What depends on which identity")
    assert browser.run("document.activeElement.scrollWidth > document.activeElement.clientWidth")


def test_hostile_names_do_nothing(browser: Browser, pages: List[Path]) -> None:
    """No element, no script, no change of direction comes of a name."""
    browser.open(next(path for path in pages if path.stem == "hostile").as_uri())
    assert browser.run("document.querySelectorAll('script, img, iframe, object, form').length") == 0
    assert browser.run("[...document.querySelectorAll('bdi')].some((e) => /[\\u202a-\\u202e]/.test(e.textContent))") is False
    assert "<script>alert(1)</script>" in browser.text()
    assert browser.complaints == []
