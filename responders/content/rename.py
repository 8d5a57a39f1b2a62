"""Renames all principals, ids and addresses of an example and shifts its times, so that no search can lean on them."""

from __future__ import annotations

import json
import re
from datetime import datetime, timedelta, timezone
from functools import lru_cache
from pathlib import Path
from typing import Any, FrozenSet, Iterable, Iterator, Sequence, Set

from responders.content.detection import Example

_TIME = re.compile(r"(\d{4}-\d\d-\d\d)T(\d\d:\d\d:\d\d)")
_ADDRESS = re.compile(r"\b(\d{1,3})\.(\d{1,3})\.(\d{1,3})\.(\d{1,3})\b")
_PRIVATE = re.compile(r"(10|127|192\.168|169\.254|172\.(1[6-9]|2\d|3[01])|100\.(6[4-9]|[7-9]\d|1[01]\d|12[0-7]))\.")
_GUID = re.compile(r"(?<![0-9a-fA-F-])[0-9a-fA-F]{8}-(?:[0-9a-fA-F]{4}-){3}[0-9a-fA-F]{12}(?![0-9a-fA-F-])")
_AWS_ACCOUNT = re.compile(r"(?<![\d-])\d{12}(?!\d)")
_AWS_ID = re.compile(r"\b(AKIA|ASIA|AIDA|AROA|ASCA|ABIA)([A-Z0-9]+)\b")
_PRINCIPALS = frozenset(
    ("alternateId", "userName", "userPrincipalName", "UserId", "display_name", "Issuer", "suser", "duser", "TargetUser",
     "SourceUser", "actor", "username", "entity_id", "accessor", "tq_identity")
)  # fmt: skip
"""Keys whose values name somebody in one vendor's log or another."""
ROLES = frozenset(
    ("root", "passwordmanager", "administrator", "administrators", "anonymous", "system", "unknown", "null", "token",
     "approle", "vault admins", "psmmaster", "pvwagwaccounts")
)  # fmt: skip
"""Names that say what somebody is and not who: a search may rest on them."""
_LAST = re.compile(r"^(.*[_/:])?([^_/:@]+)(@.*)?$", re.DOTALL)
TURNS = 8
"""So many times everybody can be renamed without a name that was there before."""
_SHORTEST = 4
"""Letters of a literal: a shorter one is a part of words."""
_MACROS = Path(__file__).resolve().parent.parent.parent / "detections" / "macros.yaml"


def rename(events: Sequence[Any], fires: Sequence[str], lookups: Any, turn: int = 1) -> Any:
    """[events, fires, lookups] with everybody renamed alike everywhere, and every time ten days and an hour later.

    Each `turn`, 1 to TURNS, gives other names, addresses and ids, and times ten days later than the turn before.

    Vendors' own constants that macros.yaml names (template ids of roles, application ids) stay, for they are no example's.
    """
    text = json.dumps([events, fires, lookups])
    for name in sorted(set(_names(events, fires, lookups)), key=lambda item: (-len(item), item)):
        text = re.sub(rf"(?<![A-Za-z0-9]){re.escape(name)}(?![A-Za-z0-9])", _other(name, turn), text)
    text = _GUID.sub(lambda m: m[0] if m[0].lower() in _constants() else _shift_hex(m[0], turn), text)
    text = _AWS_ID.sub(lambda m: m[1] + m[2][::-1] + "QRSTUVWX"[turn - 1], text)
    text = _AWS_ACCOUNT.sub(lambda m: _turned(m[0], turn), text)
    text = _ADDRESS.sub(lambda m: _other_address(m, turn), text)
    return json.loads(_TIME.sub(lambda m: _later(m, turn), text))


def literals(example: Example) -> Set[str]:
    """What of an example is its own: addresses, ids, keys, account numbers and names. A search may hold none of them."""
    lookups = dict(example.lookups)
    text = json.dumps([example.events, lookups])
    found = {match[0] for pattern in (_ADDRESS, _AWS_ID, _AWS_ACCOUNT) for match in pattern.finditer(text)}
    found |= {match for match in _GUID.findall(text) if match.lower() not in _constants()}
    return {name for name in (*found, *_names(example.events, example.fires, lookups)) if len(name) >= _SHORTEST}


def _names(events: Sequence[Any], fires: Iterable[str], lookups: Any) -> Iterator[str]:
    keys = [*fires, *(str(row.get("tq_account", "")) for rows in lookups.values() for row in rows)]
    told = json.dumps(events)
    # A name that no event holds is the detection's own, such as that of a root token being generated.
    ids = [found for found in (key.split(":", 2)[-1] for key in keys) if found in told]
    for found in (*ids, *_said([events, lookups])):
        match = _LAST.match(found)
        if match is None or match[2].lower() in ROLES:
            continue
        if len(match[2]) > 1 and not any(kind.search(found) for kind in (_GUID, _AWS_ID, _ADDRESS)):
            yield match[2]


def _said(value: Any) -> Iterator[str]:
    """Every text below a key that names a principal."""
    if isinstance(value, dict):
        for key, item in value.items():
            if key in _PRINCIPALS and isinstance(item, str):
                yield item
            yield from _said(item)
    elif isinstance(value, (list, tuple)):
        for item in value:
            yield from _said(item)


def _other(name: str, turn: int) -> str:
    """Another name of the same shape, as the replacement of a regex."""
    first = name[0]
    if name.isascii() and name.isdigit() and first != "0":  # a number must not begin with a 0
        return str((int(first) - 1 + 4 * turn) % 9 + 1) + _turned(name[1:], turn)
    return "".join(_letter(c, 12 + turn) for c in _turned(name, turn)).replace("\\", r"\\")


def _turned(text: str, turn: int) -> str:
    """With other digits."""
    return "".join(str((int(c) + 3 * turn) % 10) if c.isascii() and c.isdigit() else c for c in text)


def _letter(letter: str, places: int) -> str:
    for first in "aA":
        if first <= letter <= chr(ord(first) + 25):
            return chr(ord(first) + (ord(letter) - ord(first) + places) % 26)
    return letter


def _other_address(match: re.Match[str], turn: int) -> str:
    """Another address; a private one stays within its network, for a search may rest on that it is private. A network's
    (last number 0) becomes the network of its renamed addresses."""
    last = (int(match[4]) + 11 * turn) % 250 if int(match[4]) else 0
    if _PRIVATE.match(match[0]):
        return f"{match[1]}.{match[2]}.{match[3]}.{last}"
    return f"{(int(match[1]) + 7 * turn) % 200 + 1}.{match[3]}.{match[2]}.{last}"


@lru_cache(maxsize=1)
def _constants() -> FrozenSet[str]:
    return frozenset(found.lower() for found in _GUID.findall(_MACROS.read_text(encoding="utf-8")))


def _shift_hex(text: str, turn: int) -> str:
    return "".join(f"{(int(c, 16) + 5 * turn) % 16:x}" if c != "-" else c for c in text)


def _later(match: re.Match[str], turn: int) -> str:
    at = datetime.strptime(match[0], "%Y-%m-%dT%H:%M:%S").replace(tzinfo=timezone.utc)
    return (at + timedelta(days=10 * turn, hours=1)).strftime("%Y-%m-%dT%H:%M:%S")
