"""Raw alerts from a file or stdin, texts of other files, and the responder that handles them."""

from __future__ import annotations

import argparse
import gzip
import hashlib
import io
import json
import sys
import zlib
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO, Iterator, List, Mapping, Optional

from responders.containment.responder import Responder
from responders.errors import BadAlert, BadInput
from responders.inventory.files import read_inventory
from responders.inventory.resolve import Inventory, from_compiled
from responders.surfaces.assemble import open_responder, settings_path

MAX_LINE = 1024 * 1024
MAX_INPUT = 256 * 1024 * 1024
MAX_FILE = 64 * 1024 * 1024
MAX_COMPILED = 1024 * 1024 * 1024
"""A compiled inventory, which this program wrote: of 100,000 identities it has 58 MB."""
_KEPT = 16 * 1024
_REMEDY = "give one JSON object a line, docs/command_line.md has an example"


@dataclass(frozen=True)
class Raw:
    """A raw alert and where it stands. One that can't be read holds the start of its text under `unreadable`."""

    place: str
    row: Mapping[str, Any]


def responder_of(options: argparse.Namespace) -> Responder:
    """The responder that --settings names."""
    return open_responder(options.settings or settings_path(), read_inventory=read_inventory)


def canary_of(options: argparse.Namespace) -> Optional[str]:
    """Whom --canary names, None when it is not given. Raises BadInput for nobody, as of a variable that is empty."""
    if options.canary == "":
        raise BadInput("names nobody", place="--canary", remedy="name an identity that the inventory marks as canary")
    name: Optional[str] = options.canary
    return name


def inventory_of(path: Path) -> Inventory:
    """The inventory of a compiled JSON, CSV or YAML file. Raises BadInput, BadInputs."""
    compiled = path.suffix == ".json"
    text = text_of(path, "inventory", MAX_COMPILED if compiled else MAX_FILE)
    return from_compiled(text, str(path)) if compiled else read_inventory(text, str(path))


def text_of(path: Path, what: str, most: int = MAX_FILE) -> str:
    """A whole text file (inventory, policy, cases). Raises BadInput with the line of the first byte that is not UTF-8."""
    try:
        data = path.read_bytes()
    except OSError as error:
        raise BadInput(f"{error.strerror}", place=str(path), remedy=f"name a file that holds the {what}") from None
    if len(data) > most:
        raise BadInput(f"is longer than {most} bytes", place=str(path), remedy=f"name the file of the {what}")
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise BadInput(f"is not UTF-8 (byte {error.start})", place=f"{path}:{line}", remedy="save it as UTF-8") from None


def raws(path: str) -> List[Raw]:
    """Raw alerts, one JSON object a line ("-" reads stdin), gzipped or not; or one JSON document, an object or a list.

    Nothing is dropped: a line that can't be read, and the end of a file that breaks off, become raw alerts of their
    own, for the journal to hold and to escalate. Raises BadAlert for a file that can't be opened, is empty or is far
    too long: then nothing was done.
    """
    try:
        if path == "-":
            return _raws(sys.stdin.buffer, "stdin")
        with open(path, "rb") as handle:
            return _raws(handle, path)
    except OSError as error:
        raise BadAlert(f"{error.strerror or error}", place=path, remedy="name a file with one alert a line") from None


def strongest_first(found: List[Raw]) -> List[Raw]:
    """By confidence, the highest first: decoys must not use up the blast radius. Unreadable ones come last."""
    return sorted(found, key=_confidence, reverse=True)


def _raws(handle: BinaryIO, name: str) -> List[Raw]:
    source = io.BufferedReader(handle) if isinstance(handle, io.RawIOBase) else handle
    head = source.peek(2)[:2] if isinstance(source, io.BufferedReader) else b""
    packed = head == b"\x1f\x8b"
    lines: List[bytes] = []
    broken = ""
    size = 0
    try:
        for line in _lines(gzip.GzipFile(fileobj=source) if packed else source):
            size += len(line)
            if size > MAX_INPUT:
                raise BadAlert(f"is longer than {MAX_INPUT} bytes", place=name, remedy="split it: nothing was done yet")
            lines.append(line)
    except (EOFError, zlib.error, gzip.BadGzipFile) as error:
        broken = f"the gzip file breaks off or is damaged: {error}"
    found = list(_parsed(lines, name))
    if broken:
        found.append(_unreadable(f"{name}:{len(lines) + 1}", broken, b""))
    if not found:
        raise BadAlert("holds no alert", place=name, remedy=_REMEDY)
    return found


def _lines(source: Any) -> Iterator[bytes]:
    """Lines, the over-long ones whole: as long as the whole input may be they are told apart later."""
    while True:
        line = source.readline(MAX_INPUT + 1)
        if not line:
            return
        yield line


def _parsed(lines: List[bytes], name: str) -> Iterator[Raw]:
    if lines and lines[0].startswith(b"\xef\xbb\xbf"):
        lines[0] = lines[0][3:]
    whole = _document(lines)
    if whole is not None:
        for number, item in enumerate(whole, 1):
            place = f"{name}: alert {number}"
            if isinstance(item, dict):
                yield Raw(place, item)
            else:
                yield _unreadable(place, "is no JSON object", json.dumps(item).encode())
        return
    for number, line in enumerate(lines, 1):
        if line.strip():
            yield raw_of(line, f"{name}:{number}")


def raw_of(line: bytes, place: str) -> Raw:
    """The raw alert of one line of JSON."""
    if len(line) > MAX_LINE:
        return _unreadable(place, f"is {len(line)} bytes long, {MAX_LINE} at most", line)
    try:
        value = json.loads(line.decode("utf-8"))
    except UnicodeDecodeError:
        return _unreadable(place, "is not UTF-8", line)
    except (ValueError, RecursionError) as error:
        return _unreadable(place, f"is not JSON: {error}", line)
    return Raw(place, value) if isinstance(value, dict) else _unreadable(place, "is no JSON object", line)


def _document(lines: List[bytes]) -> Any:
    """The alerts of a file that is one JSON list, or one object over several lines; None when it is neither."""
    filled = [line for line in lines if line.strip()]
    if not filled or filled[0].strip()[:1] not in (b"[", b"{") or (len(filled) == 1 and filled[0].strip()[:1] == b"{"):
        return None
    if len(filled) > 1 and complete(filled[0]):
        return None
    if sum(map(len, filled)) > 64 * MAX_LINE:
        return None
    try:
        value = json.loads(b"".join(lines).decode("utf-8"))
    except (ValueError, RecursionError):
        return None
    return value if isinstance(value, list) else [value]


def complete(line: bytes) -> bool:
    """True when this is JSON by itself: then the file is one object a line."""
    try:
        json.loads(line)
    except (ValueError, RecursionError):
        return False
    return True


def _unreadable(place: str, why: str, line: bytes) -> Raw:
    kept = line[:_KEPT].decode("utf-8", errors="replace")
    whole = hashlib.sha256(line).hexdigest()
    return Raw(place, {"unreadable": kept, "place": place, "why": why, "bytes": len(line), "sha256": whole})


def _confidence(raw: Raw) -> float:
    try:
        found = float(str(raw.row.get("tq_confidence")))
    except ValueError:
        return -1.0
    return found if found == found else -1.0
