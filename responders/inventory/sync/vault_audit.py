"""Which path each Vault entity reads, and which leases it holds, from Vault's audit log: Vault has no query for it.

The log is Vault's own, but paths in it are whatever was asked for: they are counted, cut and bounded, never believed.
Source: Vault, "Audit devices", JSON format; read from an OpenBao 2.7.2.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, Dict, List, Mapping, Optional, Tuple

from responders.errors import BadInput
from responders.inventory.sync.raw import RawStore
from responders.inventory.sync.source import Row

LISTING = "usage"
_PATHS = 200
"""Paths an entity; those that it uses most are kept."""
_ENTITIES = 200_000
_LEASES = 20
_LINE = 1024 * 1024
Use = Dict[str, Any]


def read_usage(path: Path, store: RawStore, place: str, now: float) -> int:
    """Add what the log says since the last time; how many requests that were. Raises BadInput when it can't be read.

    The place in the file is remembered; a file that is another one now, or shorter, is read from its beginning.
    """
    kept: Dict[str, Use] = {row.id: dict(row.body) for row, _ in store.rows(place, LISTING)}
    count = 0
    try:
        with path.open("rb") as file:
            mark = f"{path.stat().st_ino}:"
            before = store.mark(place, LISTING)
            at = int(before.partition(":")[2] or 0) if before.startswith(mark) else 0
            file.seek(0 if at > path.stat().st_size else at)
            for line in iter(lambda: file.readline(_LINE), b""):
                if not line.endswith(b"\n") and len(line) < _LINE:
                    file.seek(-len(line), 1)  # it is still being written
                    break
                found = _use(line)
                if found is not None:
                    count += 1
                    _add(kept, *found)
            end = f"{mark}{file.tell()}"
    except OSError as error:
        raise BadInput(f"{error.strerror}", place=str(path), remedy="name Vault's audit log, readable for us") from None
    store.put(place, LISTING, [Row(name, body, name.partition("/")[0]) for name, body in _most(kept).items()], end, now)
    return count


def _use(line: bytes) -> Optional[Tuple[str, str, str, str]]:
    """Entity, path, time and lease of an answered request, None for any other line."""
    try:
        entry = json.loads(line)
    except (ValueError, RecursionError):
        return None
    if not isinstance(entry, Mapping) or entry.get("type") != "response" or entry.get("error"):
        return None
    auth, request, response = (entry.get(name) for name in ("auth", "request", "response"))
    if not isinstance(auth, Mapping) or not isinstance(request, Mapping):
        return None
    entity, path = auth.get("entity_id"), request.get("path")
    if not isinstance(entity, str) or not entity or not isinstance(path, str):
        return None
    secret = response.get("secret") if isinstance(response, Mapping) else None
    lease = secret.get("lease_id", "") if isinstance(secret, Mapping) else ""
    clean = "".join(letter for letter in path if letter.isprintable())[:200]
    return entity, clean, str(entry.get("time", ""))[:40], str(lease)[:200]


def _add(kept: Dict[str, Use], entity: str, path: str, at: str, lease: str) -> None:
    name = f"{entity}/{path}"
    if name not in kept and len(kept) >= _ENTITIES:
        return
    use = kept.setdefault(name, {"count": 0, "last": "", "leases": []})
    use["count"] += 1
    use["last"] = max(use["last"], at)
    if lease and lease not in use["leases"]:
        use["leases"] = [*use["leases"], lease][-_LEASES:]


def _most(kept: Dict[str, Use]) -> Dict[str, Use]:
    by_entity: Dict[str, List[str]] = {}
    for name in kept:
        by_entity.setdefault(name.partition("/")[0], []).append(name)
    return {
        name: kept[name]
        for names in by_entity.values()
        for name in sorted(names, key=lambda name: -kept[name]["count"])[:_PATHS]
    }
