"""Verify the journal, list its chains, show one, or make a journal key."""

from __future__ import annotations

import argparse
import os
import secrets
from typing import Any, Dict, Mapping, Tuple

from rich.text import Text

from responders.errors import BadInput
from responders.escalation.words import clean, clock
from responders.journal.chain import Entry, Journal
from responders.surfaces.command_line import show
from responders.surfaces.command_line.reading import responder_of


def add(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("what", choices=("verify", "list", "show", "key"))
    parser.add_argument("name", nargs="?", help="show: a chain (c-…, a-…, halt); key: the file to write it to")
    parser.add_argument("--head", action="append", default=[], metavar="CHAIN:SEQ:MAC", help="from an escalation")
    show.add_common(parser)


def run(options: argparse.Namespace) -> int:
    if options.what == "key":
        return _key(options.name or "journal.key", json_wanted=options.json)
    check(options)
    return tell(responder_of(options).journal, options)


def check(options: argparse.Namespace) -> None:
    """Raises BadInput for options that can't be meant, before anything is opened."""
    for text in options.head:
        _head(text)
    if options.what == "show" and not options.name:
        raise BadInput("names no chain", place="journal show", remedy="`tourniquet journal list` lists them")


def tell(journal: Journal, options: argparse.Namespace) -> int:
    """Verify, list or show a journal, wherever it is kept; the exit code."""
    if options.what == "list":
        return _list(journal, json_wanted=options.json)
    if options.what == "show":
        return _show(journal, options.name, json_wanted=options.json)
    findings = journal.verify(dict(_head(text) for text in options.head))
    if options.json:
        show.as_json({"whole": not findings, "findings": findings, "exit": 1 if findings else 0})
    else:
        for finding in findings:
            show.OUT.print(Text(clean(finding), style="red"))
        show.OUT.print("the journal is whole" if not findings else f"{len(findings)} findings: the journal is NOT whole")
    return 1 if findings else 0


def _list(journal: Journal, *, json_wanted: bool) -> int:
    chains: Dict[str, Dict[str, Any]] = {}
    for _, doc in journal.store.scan("e/"):
        at, kind = str(doc.get("at")), str(doc.get("kind"))
        row = chains.setdefault(str(doc.get("chain")), {"chain": str(doc.get("chain")), "opened": at, "entries": 0})
        row.update(entries=row["entries"] + 1, last=at, kind=kind)
    rows = sorted(chains.values(), key=lambda row: str(row["opened"]))
    table = show.table("chain", "entries", "opened", "last entry", "kind")
    for row in rows:
        if json_wanted:
            show.as_json(row)
        times = (f"{row[name][:19].replace('T', ' ')}Z" for name in ("opened", "last"))
        table.add_row(*show.texts(row["chain"], str(row["entries"]), *times, row["kind"]))
    if not json_wanted:
        show.OUT.print(table if rows else "the journal is empty")
    return 0


def _show(journal: Journal, chain: str, *, json_wanted: bool) -> int:
    entries = list(journal.entries(chain))
    if not entries:
        raise BadInput("there is no such chain", place=chain, remedy="`tourniquet journal list` lists them")
    for entry in entries:
        if json_wanted:
            show.as_json(
                {"chain": chain, "seq": entry.seq, "kind": entry.kind, "at": entry.at, "body": entry.body, "mac": entry.mac}
            )
        else:
            show.OUT.print(Text(f"{entry.seq:4} {clock(entry.at)} {entry.kind:16} {clean(_summary(entry))}"))
    return 0


def _summary(entry: Entry) -> str:
    """What an entry says, in a line; `--json` shows all of it."""
    body = entry.body
    if entry.kind == "alert":
        raw = body["raw"]
        return f"{raw.get('tq_detection', 'unreadable')} {raw.get('tq_account', raw.get('place', ''))}"
    if entry.kind == "plan":
        decision = body["plan"]["decision"]
        return f"{decision['identity']['id']}: {len(body['plan']['steps'])} steps, confidence {decision['confidence']}"
    if entry.kind == "intent":
        return f"state before of {len(body['before'])} steps"
    if entry.kind in ("outcome", "undone"):
        return ", ".join(f"{item['step']['action']} {item['status']}" for item in body["outcomes"])
    if entry.kind == "escalated":
        return str(body["report"].get("title", ""))
    return _words(body)


def _words(body: Mapping[str, Any]) -> str:
    plain = {name: value for name, value in body.items() if isinstance(value, (str, int)) and value != ""}
    return ", ".join(f"{name}: {value}" for name, value in plain.items())


def _head(text: str) -> Tuple[str, Tuple[int, str]]:
    parts = text.rsplit(":", 2)
    if len(parts) != 3 or not parts[1].isdecimal():
        raise BadInput(f"{text[:80]!r} is no journal head", place="--head", remedy="copy chain:seq:mac from an escalation")
    return parts[0], (int(parts[1]), parts[2])


def _key(path: str, *, json_wanted: bool) -> int:
    try:
        handle = os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600)
    except OSError as error:
        raise BadInput(f"{error.strerror}", place=path, remedy="name a file that does not exist yet") from None
    with os.fdopen(handle, "w", encoding="utf-8") as file:
        file.write(secrets.token_hex(32) + "\n")
    show.say(f"wrote {path} (mode 0600); keep it away from the journal", json_wanted=json_wanted, wrote=path)
    return 0
