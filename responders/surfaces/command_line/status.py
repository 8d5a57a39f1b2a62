"""List containments, or show one with its steps and what is due."""

from __future__ import annotations

import argparse
from dataclasses import replace
from typing import Any, Dict, List

from rich.text import Text

from responders.codec import to_json
from responders.containment import due
from responders.containment.compose import Note, of_containment
from responders.containment.record import Record, all_containments, load
from responders.containment.responder import Responder
from responders.errors import Refused
from responders.escalation.words import clean, clock
from responders.surfaces.command_line import show
from responders.surfaces.command_line.reading import responder_of
from responders.surfaces.command_line.show_report import report

_ENDED = ("restored", "closed")


def add(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("containment", nargs="?", help="its id, c-…; without it all are listed")
    parser.add_argument("--all", action="store_true", help="list ended ones too")
    show.add_common(parser)


def run(options: argparse.Namespace) -> int:
    responder = responder_of(options)
    if options.containment:
        return _one(options.containment, responder, json_wanted=options.json)
    rows = [_row(name, about, load(responder.journal, name)) for name, about in all_containments(responder.journal)]
    listed = [row for row in rows if options.all or row["state"] not in _ENDED]
    halted, now = responder.halted(), responder.now()
    waiting = list(due.pending(responder.journal))
    ripe = sum(item.at <= now for item in waiting)
    if options.json:
        show.as_json({"halted": halted, "due": ripe, "waiting": len(waiting), "containments": listed, "ended": _ended(rows)})
        return 0
    if halted:
        show.OUT.print(Text(clean(f"automation is {halted}"), style="bold red"))
    if listed:
        table = show.table("containment", "identity", "tier", "opened", "state", "steps that hold")
        for row in listed:
            held = f"{row['held']} of {row['steps']}" if row["state"] not in _ENDED else "–"
            table.add_row(*show.texts(row["containment"], row["identity"], row["tier"], _clock(row), row["state"], held))
        show.OUT.print(table)
    elif not rows or options.all:
        show.OUT.print("nobody was ever contained")
    else:
        show.OUT.print("nothing is open")
    if _ended(rows) and not options.all:
        show.OUT.print(f"{_ended(rows)} ended ones are not listed: --all")
    show.OUT.print(f"{ripe} entries are due now (`tourniquet due`), {len(waiting) - ripe} later")
    return 0


def _row(name: str, about: Any, record: Record) -> Dict[str, Any]:
    return {
        "containment": name, "identity": about["identity"], "generation": int(about["generation"]),
        "tier": record.plan.decision.tier.label if record.plan else "?", "opened": to_json(record.opened_at),
        "state": _state(record), "held": sum(found.status.holds for found in record.outcomes.values()),
        "steps": len(record.steps),
    }  # fmt: skip


def _clock(row: Dict[str, Any]) -> str:
    return str(row["opened"])[:19].replace("T", " ") + "Z" if row["opened"] else "-"


def _state(record: Record) -> str:
    if record.ended is not None:
        return record.ended.kind
    return "open" if record.restoring is None else "open, being restored"


def _ended(rows: List[Dict[str, Any]]) -> int:
    return sum(row["state"] in _ENDED for row in rows)


def _one(containment: str, responder: Responder, *, json_wanted: bool) -> int:
    record = load(responder.journal, containment)
    if record.plan is None:
        raise Refused(f"{containment} has no plan yet: it is no containment, or was interrupted; `tourniquet due` goes on")
    later = [item for item in due.pending(responder.journal) if item.about == containment]
    title = ""
    if record.ended is not None:
        by, why = record.ended.body.get("by", "?"), record.ended.body.get("reason", "")
        title = f"{record.plan.decision.identity.id}: {record.ended.kind} by {by} at {clock(record.ended.at)}: {why}"
        later = []
    found = of_containment(responder.journal, record, (), Note(title))
    if record.ended is not None:
        found = replace(found, undo="", open_items=(), loud=False)
    rows = [{"at": to_json(item.at), "what": item.what, "note": item.note} for item in later]
    code = report(found, json_wanted=json_wanted, state=_state(record), due=rows)
    if not json_wanted:
        for item in later:
            show.OUT.print(Text(f"  due {clock(item.at)}: {item.what} {clean(item.note)}"))
    return code
