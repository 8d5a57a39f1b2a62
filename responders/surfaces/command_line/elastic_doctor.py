"""Say what is wrong with the rules and what they need in Elasticsearch, worst first, and what to do about it.

Exit code 1 when an attack could pass unseen (a rule fails or is silent, a lookup is broken …). Run it each minute with
--escalate: whoever takes Tourniquet's escalations learns of it.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import time
from datetime import datetime, timezone
from pathlib import Path
from typing import Any, Dict, List, Sequence

from rich.text import Text

from responders.elastic.doctor.examine import examine
from responders.elastic.doctor.finding import ERROR, LEVELS, NOTE, OK, WARNING, Finding
from responders.elastic.indices import read_requests
from responders.errors import BadInput
from responders.escalation.channels import open_channels
from responders.escalation.report import Report
from responders.escalation.send import send
from responders.escalation.words import clean
from responders.settings import load_settings
from responders.surfaces.assemble import settings_path
from responders.surfaces.command_line import show
from responders.surfaces.command_line.elastic_import import (
    add_connections,
    open_elasticsearch,
    open_kibana,
    shipped_rules,
)
from responders.surfaces.command_line.reading import text_of

_STYLES = {ERROR: "bold red", WARNING: "yellow", NOTE: "", OK: "green"}
_SECONDS = 20.0
_AGAIN = 3600.0
"""After this long, the same errors are escalated once more."""


def add(parser: argparse.ArgumentParser) -> None:
    add_connections(parser)
    parser.add_argument("--all", action="store_true", help="show what is well, too")
    parser.add_argument("--escalate", action="store_true", help="send errors by the escalation channels of --settings")
    parser.add_argument(
        "--state", metavar="FILE", default="", help="with --escalate: remembers what was sent, to send it again hourly only"
    )
    show.add_common(parser)


def run(options: argparse.Namespace) -> int:
    rules = shipped_rules(options)
    path = Path(options.rules) / "indices.json"
    requests = read_requests(text_of(path, "indices"), str(path))
    channels = open_channels(load_settings(options.settings or settings_path()).escalation) if options.escalate else ()
    if options.escalate and not channels:
        remedy = "add one, docs/settings.md has examples"
        raise BadInput("has no channel to escalate by", place="escalation", remedy=remedy)
    now = datetime.now(timezone.utc)
    with open_kibana(options) as kibana, open_elasticsearch(options) as server:
        with show.working("looking", json_wanted=options.json):
            found = examine(server, kibana, rules, requests, now)
        place = kibana.place
    _say(found, options)
    errors = [finding for finding in found if finding.level == ERROR]
    undelivered: Sequence[Any] = ()
    if errors and options.escalate and _is_news(errors, options.state):
        undelivered = send(channels, _report(errors, place, now), _SECONDS)
        for name, why in undelivered:
            show.error(f"{name}: the findings were not delivered: {why}", 1, json_wanted=options.json)
    if options.escalate and not undelivered:
        _remember(errors, options.state)
    return 1 if errors else 0


def _say(found: Sequence[Finding], options: argparse.Namespace) -> None:
    shown = [finding for finding in found if options.all or options.json or finding.level != OK]
    if options.json:
        for finding in shown:
            show.as_json({
                "level": finding.level, "check": finding.check, "about": finding.about, "what": finding.what,
                "remedy": finding.remedy,
            })  # fmt: skip
        return
    table = show.table("", "check", "about", "what", "what to do")
    for finding in shown:
        cells = list(show.texts(finding.level, finding.check, finding.about, finding.what, finding.remedy))
        cells[0].stylize(_STYLES[finding.level])
        table.add_row(*cells)
    if shown:
        show.OUT.print(table)
    counts = ", ".join(f"{sum(one.level == level for one in found)} {level}" for level in reversed(LEVELS))
    show.OUT.print(Text(clean(counts)))


def _report(errors: List[Finding], place: str, now: datetime) -> Report:
    lines = tuple(f"{one.check}, {one.about}: {one.what}. {one.remedy}" for one in errors)
    title = f"Elastic rules of {place}: {len(errors)} errors, an attack can pass unseen"
    return Report(
        containment="", title=title, loud=True, alert=None, decision=None, plan=None, outcomes=(), open_items=lines,
        created=(), manual=(), undo="", head="", at=now,
    )  # fmt: skip


def _is_news(errors: Sequence[Finding], state: str) -> bool:
    """True unless the same findings were sent within the hour. Ages in the words change and don't count."""
    held = _held(state)
    at = held.get("at")
    age = time.time() - at if isinstance(at, (int, float)) else _AGAIN
    return held.get("errors") != _mark(errors) or not 0 <= age < _AGAIN


def _remember(errors: Sequence[Finding], state: str) -> None:
    if not state or (errors and not _is_news(errors, state)):
        return
    text = json.dumps({"errors": _mark(errors), "at": time.time()})
    new = f"{state}.new"
    try:
        with open(os.open(new, os.O_CREAT | os.O_WRONLY | os.O_TRUNC, 0o600), "w", encoding="ascii") as handle:
            handle.write(text)
        os.replace(new, state)
    except OSError as error:
        raise BadInput(f"{error.strerror}", place=state, remedy="name a file that may be written") from None


def _held(state: str) -> Dict[str, Any]:
    """What was remembered; nothing where the file is not there or was damaged: then it is sent again."""
    try:
        found = json.loads(Path(state).read_text(encoding="ascii")) if state else {}
    except (OSError, ValueError):
        return {}
    return found if isinstance(found, dict) else {}


def _mark(errors: Sequence[Finding]) -> str:
    words = sorted(f"{one.check}|{one.about}|{''.join(c for c in one.what if not c.isdigit())}" for one in errors)
    return hashlib.sha256("\n".join(words).encode()).hexdigest() if words else ""
