"""Verify the journal, show a chain, or make a journal key."""

from __future__ import annotations

import argparse
import os
import secrets
from typing import Tuple

from responders.errors import BadInput
from responders.escalation.words import clean, clock
from responders.surfaces.command_line import show
from responders.surfaces.command_line.reading import responder_of


def add(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("what", choices=("verify", "show", "key"))
    parser.add_argument("name", nargs="?", help="show: a chain (c-…, a-…); key: the file to write it to")
    parser.add_argument("--head", action="append", default=[], metavar="CHAIN:SEQ:MAC", help="from an escalation")
    show.add_common(parser)


def run(options: argparse.Namespace) -> int:
    if options.what == "key":
        return _key(options.name or "journal.key")
    journal = responder_of(options).journal
    if options.what == "show":
        for entry in journal.entries(options.name or ""):
            if options.json:
                show.as_json({"seq": entry.seq, "kind": entry.kind, "at": entry.at, "body": entry.body})
            else:
                show.OUT.print(f"{entry.seq:4} {clock(entry.at)} {entry.kind}", markup=False)
        return 0
    findings = journal.verify(dict(_head(text) for text in options.head))
    for finding in findings:
        if options.json:
            show.as_json({"finding": finding})
        else:
            show.OUT.print(clean(finding), markup=False, style="red")
    if not findings and not options.json:
        show.OUT.print("the journal is whole")
    return 1 if findings else 0


def _head(text: str) -> Tuple[str, Tuple[int, str]]:
    parts = text.rsplit(":", 2)
    if len(parts) != 3 or not parts[1].isdigit():
        raise BadInput(f"{text!r} is no journal head", place="--head", remedy="copy chain:seq:mac from an escalation")
    return parts[0], (int(parts[1]), parts[2])


def _key(path: str) -> int:
    try:
        handle = os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600)
    except OSError as error:
        raise BadInput(f"{error.strerror}", place=path, remedy="name a file that does not exist yet") from None
    with os.fdopen(handle, "w", encoding="utf-8") as file:
        file.write(secrets.token_hex(32) + "\n")
    show.OUT.print(f"wrote {path} (mode 0600); keep it away from the journal", markup=False)
    return 0
