"""The compiled inventory as a file of one identity a line, written and read without holding all of it."""

from __future__ import annotations

import json
import os
import tempfile
from pathlib import Path
from typing import Callable, Dict, List, TextIO, Tuple

from responders.errors import BadInput, BadInventory
from responders.inventory.lines import OPENING, line_of
from responders.inventory.resolve import from_compiled

_REMEDY = "name another --output"


class Whole:
    """A file that takes its place only when it is written to its end. Raises BadInput when it can't be written."""

    def __init__(self, target: Path) -> None:
        self._target = target
        self._files: List[TextIO] = []
        self._name = ""

    def __enter__(self) -> TextIO:
        try:
            handle, self._name = tempfile.mkstemp(prefix=f".{self._target.name}.", dir=self._target.parent)
        except OSError as error:
            raise BadInput(f"{error.strerror}", place=str(self._target), remedy=_REMEDY) from None
        self._files.append(os.fdopen(handle, "w", encoding="utf-8"))
        return self._files[0]

    def __exit__(self, *_: object) -> None:
        """What was not kept is removed."""
        self._files[0].close()
        if self._name:
            os.unlink(self._name)

    def keep(self) -> None:
        """Let it take its place."""
        self._files[0].flush()
        os.fsync(self._files[0].fileno())
        try:
            os.replace(self._name, self._target)
        except OSError as error:
            raise BadInput(f"{error.strerror}", place=str(self._target), remedy=_REMEDY) from None
        self._name = ""


def read_lines(
    path: Path, take: Callable[[str], None], alias: Callable[[str, str], None] = lambda key, name: None
) -> Tuple[str, ...]:
    """Give every identity of a compiled inventory to `take`, as its line, and every alias with its identity to `alias`.

    Who may restore. Raises BadInventory.

    A file that `write_identities` wrote is read line by line, another one whole.
    """
    with path.open(encoding="utf-8-sig") as file:
        if [file.readline(), file.readline()] == OPENING:
            try:
                for line in iter(file.readline, "],\n"):
                    if not line:
                        raise ValueError("it breaks off")
                    if line.strip():
                        take(line.rstrip().rstrip(","))
                rest: Dict[str, object] = json.loads("{" + file.read())
                restorers, aliases = rest["restorers"], rest["aliases"]
                for key, name in aliases.items() if isinstance(aliases, dict) else ():
                    alias(key, str(name))
                return tuple(str(name) for name in restorers) if isinstance(restorers, list) else ()
            except (ValueError, KeyError, TypeError) as error:
                what = f"not a compiled inventory ({error})"
                remedy = "restore it, or make it anew by `inventory sync` or `inventory build`"
                raise BadInventory(what, place=str(path), remedy=remedy) from None
        file.seek(0)
        found = from_compiled(file.read(), str(path))
    for identity in found.identities:
        take(line_of(identity))
    for key, name in found.aliases.items():
        alias(key, name)
    return tuple(sorted(found.restorers))
