"""Writes what the command line compiles: whole or not at all, and never over its own source."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

from responders.errors import BadInput


def write(target: Path, text: str, *, source: Path, mode: int = 0o644) -> None:
    """Replace `target` by `text`; `mode` says who may read it. Raises BadInput, and leaves nothing half written."""
    try:
        if target.exists() and target.samefile(source):
            raise BadInput("would overwrite its own source", place=str(target), remedy="name another file to write")
        handle, name = tempfile.mkstemp(prefix=f".{target.name}.", dir=target.parent)
        try:
            with os.fdopen(handle, "w", encoding="utf-8") as file:
                file.write(text)
            os.chmod(name, mode)
            os.replace(name, target)
        except BaseException:
            os.unlink(name)
            raise
    except OSError as error:
        raise BadInput(f"{error.strerror}", place=str(target), remedy="name a file that can be written") from None
