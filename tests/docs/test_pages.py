"""Generated pages are those that the code says, and links lead somewhere."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from responders.surfaces.command_line.actions import markdown

ROOT = Path(__file__).resolve().parents[2]
PAGES = sorted([ROOT / "README.md", *ROOT.glob("docs/*.md"), *ROOT.glob("*/README.md")])


def test_the_page_of_actions_is_up_to_date() -> None:
    """docs/actions.md is what `tourniquet actions --markdown` writes."""
    assert (ROOT / "docs" / "actions.md").read_text(encoding="utf-8") == markdown(), "run `make build`"


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_links_between_pages_lead_somewhere(page: Path) -> None:
    """Every relative link of a page names a file that is there."""
    text = page.read_text(encoding="utf-8")
    assert text.strip(), "an empty page tells nobody anything"
    targets = [link.split("#")[0] for link in re.findall(r"\]\(([^)\s]+)\)", text) if "://" not in link]
    assert [target for target in targets if target and not (page.parent / target).exists()] == []


def test_commands_that_the_readme_names_exist() -> None:
    """Every `tourniquet COMMAND` of the README and docs is a command."""
    from responders.surfaces.command_line.main import COMMANDS

    named = {name for page in PAGES for name in re.findall(r"tourniquet ([a-z]+) ", page.read_text(encoding="utf-8"))}
    assert named <= set(COMMANDS)
