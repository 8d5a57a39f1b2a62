"""The drill as a user runs it: every promise kept, its report whole and safe, and red when an action does nothing."""

from __future__ import annotations

import hashlib
import html
import json
import re
import subprocess
import sys
import tempfile
import time
from base64 import b64encode
from dataclasses import replace
from datetime import datetime, timezone
from pathlib import Path
from typing import Any, Dict, List, Tuple

import pytest

from responders.actions.okta.suspend_user import SuspendUser
from responders.backtest.past import Past
from responders.backtest.replay import Assumptions, replay
from responders.codec import from_json
from responders.drill import scenes, story
from responders.drill.cast import Scene
from responders.drill.html import render
from responders.drill.wording import Task, open_in_short
from responders.escalation.report import Report
from responders.inventory.resolve import Inventory
from responders.model import Account, Alert, Decision, Identity, Outcome, Phase, Plan, Reason, Status, Step, Tier
from responders.surfaces.assemble import read_catalogue, read_policy
from responders.surfaces.command_line.main import main

BAO = pytest.mark.engine("openbao")
CHROMIUM = pytest.mark.engine("chromium")
HOSTILE = "<script>alert(1)</script>\x1b[31m\"'&"


@pytest.fixture(scope="module")
def played(tmp_path_factory: pytest.TempPathFactory) -> Tuple[int, List[Dict[str, Any]], Path]:
    """One whole drill in a process of its own: exit code, its JSON lines, its folder."""
    folder = tmp_path_factory.mktemp("drill") / "out"
    start = "import sys; from responders.surfaces.command_line.main import main; sys.exit(main())"
    command = [sys.executable, "-c", start, "drill", "--json", "--output", str(folder)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=90, check=False)
    assert done.stderr == ""
    return done.returncode, [json.loads(line) for line in done.stdout.splitlines()], folder


@BAO
def test_every_scene_keeps_what_it_promises(played: Tuple[int, List[Dict[str, Any]], Path]) -> None:
    """Eight scenes, each with promises, none broken; exit code 0; the journal verifies clean; under 90 s."""
    code, lines, _ = played
    result = lines[-1]
    assert [line for line in lines if line["kind"] == "bad"] == []
    assert {line["scene"] for line in lines if line["kind"] == "good"} == set("abcdefgh")
    assert (code, result["kind"], result["kept"], result["scenes"], result["findings"]) == (0, "result", 8, 8, [])
    assert result["seconds"] < 90


@BAO
def test_machines_get_every_step_with_its_proof(played: Tuple[int, List[Dict[str, Any]], Path]) -> None:
    """With --json each step of a containment is an object with account, status, proof and seconds."""
    steps = [line for line in played[1] if line["kind"] == "step" and line["scene"] == "a"]
    assert {step["account"].split(":")[0] for step in steps} == {"okta", "entra", "cyberark", "vault"}
    assert {step["status"] for step in steps} <= {"confirmed", "already"}  # already: there was no new device, say
    assert all(step["proof"] and step["seconds"] >= 0 for step in steps)


@BAO
def test_all_searches_run_and_what_else_fires_is_shown(played: Tuple[int, List[Dict[str, Any]], Path]) -> None:
    """Scene a streams nine real attacks: other searches fire too, are shown, and the quiet day fires none."""
    also = [line["line"] for line in played[1] if line["kind"] == "also"]
    assert any(line.startswith("aws/key_created_for_another_user") for line in also)
    assert any(line.startswith("entra/privileged_role_outside_pim") for line in also)
    assert not [line for line in also if "00u" in line], "a person of the quiet day was accused"


@BAO
def test_the_output_says_what_is_real(played: Tuple[int, List[Dict[str, Any]], Path]) -> None:
    """Each scene names the origin of its data, and only these three words are used."""
    told = [line for line in played[1] if line["kind"] == "scene"]
    assert len(told) == 8 and all(line["data"] for line in told)
    assert {item["origin"] for line in told for item in line["data"]} == {"real", "real-shaped", "synthetic"}


@BAO
def test_a_drill_folder_verifies_from_the_files_alone(played: Tuple[int, List[Dict[str, Any]], Path]) -> None:
    """Report, journal and escalations are there; the loud ones are those of scenes a, c, e and f."""
    folder = played[2]
    told = [json.loads(line) for line in (folder / "escalations.jsonl").read_text().splitlines()]
    assert (folder / "journal.db").stat().st_size > 0
    assert {report["decision"]["identity"]["id"] for report in told if report["loud"]} >= {"christophe", "maria", "dave"}
    assert len((folder / "report.html").read_text()) > 20_000


@BAO
def test_an_action_that_does_nothing_turns_the_drill_red(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """A suspension that suspends nobody leaves the attacker in: NOT KEPT, exit code 1, no control codes in a pipe."""
    monkeypatch.setattr(SuspendUser, "apply", lambda *_: None)
    monkeypatch.setattr(story, "SCENES", (scenes.leaked_key,))
    assert main(["drill", "--output", str(tmp_path / "out")]) == 1
    shown = capsys.readouterr().out
    assert "NOT KEPT" in shown and "0 of 1 scenes" in shown and "NOT proved" in shown
    assert "\x1b" not in shown and max(map(len, shown.splitlines()[:-2])) <= 100
    assert "NOT kept: every way in" in (tmp_path / "out" / "report.html").read_text()


def hostile_scene() -> Scene:
    """A scene in which every text that can come from a log is hostile. Synthetic."""
    at = datetime.now(timezone.utc)
    account = Account("okta", "default", "user", HOSTILE)
    identity = Identity(HOSTILE, "human", HOSTILE, "normal", "production", False, (account,), (HOSTILE,))
    decision = Decision(identity, Tier.REVOKE, 80, (), (Reason(HOSTILE, 80, HOSTILE),), "1", (), (("*", HOSTILE),))
    step = Step("s", "okta.suspend_user", account, Phase.BLOCK)
    outcome = Outcome(step, Status.FAILED, HOSTILE, at)
    plan = Plan("c-1", 1, decision, (step,), (replace(account, vendor="aws"),))
    report = Report("c-1", HOSTILE, True, None, decision, plan, (outcome,), (HOSTILE,), (), (HOSTILE,), HOSTILE, "", at)
    scene = Scene("a", HOSTILE, HOSTILE, (("synthetic", HOSTILE),), report=report, outcomes=(outcome,))
    scene.next, scene.notes, scene.started = [Task(HOSTILE, HOSTILE, HOSTILE)], [HOSTILE], time.time() - 1
    scene.ended = scene.told = scene.alerted = time.time()
    return scene


def test_the_report_escapes_what_comes_from_logs() -> None:
    """Markup in a name, a proof or a reason stays text, control characters are shown and not sent."""
    page = render([hostile_scene()], [HOSTILE], 1.0)
    assert "<script" not in page and "\x1b" not in page
    assert page.count("&lt;script&gt;") > 10 and "\\x1b[31m" in page


def test_open_items_are_gathered_by_vendor() -> None:
    """Three steps that fail for one reason at one vendor are one line."""
    report = hostile_scene().report
    assert report is not None
    lines = open_in_short(replace(report, outcomes=report.outcomes * 3, decision=None))
    assert [line for line in lines if line.startswith("okta:")] == [
        next(line for line in lines if line.startswith("okta: suspend_user, suspend_user, suspend_user: failed: "))
    ]


@BAO
def test_the_report_needs_nothing_from_elsewhere(played: Tuple[int, List[Dict[str, Any]], Path]) -> None:
    """No script, no source, no link out; the policy forbids loading, and its hash is the style's."""
    page = (played[2] / "report.html").read_text()
    style = re.search(r"<style>(.*?)</style>", page, re.DOTALL)
    assert style is not None
    assert b64encode(hashlib.sha256(style[1].encode()).digest()).decode() in html.unescape(page)
    assert "default-src 'none'" in html.unescape(page)
    assert not re.search(r"<script|\ssrc=|\sstyle=|\son\w+=|@import|url\(", page)
    assert all(target.startswith("#") for target in re.findall(r'href="([^"]*)"', page))
    ids = re.findall(r'\sid="([^"]*)"', page)
    assert len(ids) == len(set(ids)) and {t[1:] for t in re.findall(r'href="([^"]*)"', page)} <= set(ids)
    assert page.count("<h1") == page.count("<main") == 1


def chromium(page: Path, *more: str) -> Tuple[str, str]:
    """What a headless Chromium makes of a page: its DOM, and what its console said."""
    with tempfile.TemporaryDirectory() as profile:
        quiet = ("--disable-background-networking", "--disable-component-update", "--disable-sync", "--disable-quic")
        flags = ("--headless", "--no-sandbox", "--disable-gpu", "--no-first-run", *quiet, "--enable-logging=stderr")
        command = ["chromium", *flags, f"--user-data-dir={profile}", *more, "--dump-dom", page.as_uri()]
        done = subprocess.run(command, capture_output=True, text=True, timeout=45, check=True)
    return done.stdout, "\n".join(line for line in done.stderr.splitlines() if "CONSOLE" in line)


@BAO
@CHROMIUM
def test_a_browser_shows_the_report(played: Tuple[int, List[Dict[str, Any]], Path]) -> None:
    """Headless Chromium has the content, and its console has nothing to say: no blocked style, no refused request."""
    dom, console = chromium(played[2] / "report.html")
    assert "8 of 8" in dom and dom.count("<svg role=") == 9  # the drill, by hand, and seven scenes that changed something
    assert console == ""


@BAO
@CHROMIUM
def test_the_report_fits_a_phone(played: Tuple[int, List[Dict[str, Any]], Path], tmp_path: Path) -> None:
    """At 375 px, every part unfolded, nothing is wider than the screen; a hostile scene does not break it either."""
    for name, page in (("real", (played[2] / "report.html").read_text()), ("long", render([hostile_scene()], [], 1.0))):
        frame = tmp_path / f"{name}.html"
        frame.write_text(_FRAME.replace("PAGE", html.escape(page)))
        dom, _ = chromium(frame, "--virtual-time-budget=3000")
        measured = re.search(r'data-wide="(\d+)" data-unfolded="(\d+)" data-margin="([^"]+)"', dom)
        assert measured is not None, dom[-500:]
        assert int(measured[1]) <= 375 and int(measured[2]) > 0
        assert measured[3] == "0px", "the style was not applied"


_FRAME = """<!doctype html><body><iframe id="f" width="375" height="3000" srcdoc="PAGE"></iframe><script>
document.getElementById("f").onload = (event) => {
  const page = event.target.contentDocument, parts = page.querySelectorAll("details");
  parts.forEach((part) => { part.open = true; });
  document.body.setAttribute("data-wide", page.documentElement.scrollWidth);
  document.body.setAttribute("data-unfolded", parts.length);
  document.body.setAttribute("data-margin", event.target.contentWindow.getComputedStyle(page.body).margin);
};
</script></body>"""


COMPANY = tuple(f"colleague-{number}" for number in range(4000))
"""As many people as the drill says there are: the blast radius is a part of them."""


@BAO
def test_a_backtest_of_the_drills_alerts_decides_as_the_drill_did(played: Tuple[int, List[Dict[str, Any]], Path]) -> None:
    """Tier, confidence and guards of each alert, on simulated vendors and a real OpenBao, are those of a replay without."""
    lines = (played[2] / "escalations.jsonl").read_text(encoding="utf-8").splitlines()
    live: Dict[str, Tuple[Alert, Decision]] = {}
    for doc in map(json.loads, lines):
        if doc.get("alert") and doc.get("decision"):
            alert = from_json(Alert, doc["alert"])
            live.setdefault(f"{alert.id}|{alert.confidence}", (alert, from_json(Decision, doc["decision"])))
    known = {decision.identity.id: decision.identity for _, decision in live.values()}
    aliases = {a.key: decision.identity.id for alert, decision in live.values() for a in alert.accounts}
    held = {account.key for identity in known.values() for account in identity.accounts}
    aliases = {key: name for key, name in aliases.items() if key not in held}
    people = [Identity(name, "human", None, "normal", "production", False, (), ()) for name in ("ida", "ivo", *COMPANY)]
    inventory = Inventory([*known.values(), *people], aliases, frozenset({"ida", "ivo"}))
    seen: List[Decision] = []
    pasts = [Past(alert.id, alert.completed_at, alert) for alert, _ in live.values()]
    replay(
        pasts, inventory, read_policy(""), read_catalogue(), Assumptions(), seen=lambda _, decision: seen.append(decision)
    )  # fmt: skip
    found = [in_short(decision) for decision in seen]
    assert len(found) >= 7
    assert sorted(found) == sorted(in_short(decision) for _, decision in live.values())


def in_short(decision: Decision) -> Tuple[str, str, int, List[str]]:
    guards = sorted(reason.guard for reason in decision.reasons if reason.guard)
    return decision.identity.id, decision.tier.label, decision.confidence, guards
