"""What commands print: people get rich text, machines get JSON."""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import sys
from typing import Any, Dict, Iterator

from rich.console import Console
from rich.table import Table
from rich.text import Text

from responders.codec import to_json
from responders.errors import BadInput, BadInputs
from responders.escalation.words import clean


def reader_gone() -> None:
    """Whoever read the output has gone (`| head`): that ends the printing, never the work, nor its exit code."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


class _Out(Console):
    def on_broken_pipe(self) -> None:
        reader_gone()


OUT = _Out(highlight=False, soft_wrap=True, width=None if sys.stdout.isatty() else 160)
ERR = Console(stderr=True, highlight=False)


def error(found: object, code: int, *, json_wanted: bool = False) -> int:
    """Print to stderr, a line for each wrong place, and return the exit code."""
    parts = found.errors if isinstance(found, BadInputs) else (found,)
    for part in parts:
        if json_wanted:
            where = {"place": part.place, "remedy": part.remedy} if isinstance(part, BadInput) else {}
            said = part.message if isinstance(part, BadInput) else str(part)
            sys.stderr.write(json.dumps({"error": said, "exit": code, **where}, sort_keys=True) + "\n")
        else:
            sys.stderr.write(f"tourniquet: {clean(str(part))}\n")
    return code


def add_common(parser: argparse.ArgumentParser, *, settings: bool = True) -> None:
    """--json, and --settings where the command needs a responder."""
    parser.add_argument("--json", action="store_true", help="one JSON object a line, for machines")
    if settings:
        parser.add_argument(
            "--settings",
            metavar="FILE",
            help="default: $TOURNIQUET_SETTINGS, then ~/.config/tourniquet/settings.json",
        )


def as_json(value: Any) -> None:
    """One JSON object on one line."""
    try:
        sys.stdout.write(json.dumps(to_json(value), sort_keys=True) + "\n")
        sys.stdout.flush()
    except BrokenPipeError:
        reader_gone()


def say(text: str, *, json_wanted: bool, **values: Any) -> None:
    """One sentence for people, or the values for machines."""
    if json_wanted:
        as_json(values)
    else:
        OUT.print(Text(clean(text)))


def table(*names: str) -> Table:
    """An empty table whose cells fold."""
    found = Table(box=None, pad_edge=False)
    for name in names:
        found.add_column(name, overflow="fold")
    return found


def texts(*values: str) -> Iterator[Text]:
    """Cells that no markup and no control character of a log can change."""
    return (Text(clean(value)) for value in values)


@contextlib.contextmanager
def working(what: str, *, json_wanted: bool) -> Iterator[None]:
    """A moving line on stderr while something runs, on a terminal only."""
    if json_wanted or not ERR.is_terminal:
        yield
        return
    with ERR.status(Text(clean(what))):
        yield


def undo_of(irreversible: str) -> Dict[str, str]:
    """How an action is undone, for machines: by `restore`, or why not."""
    return {"undo": "no" if irreversible else "yes", "irreversible": irreversible}
