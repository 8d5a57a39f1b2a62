"""Which path each Vault entity reads, and which leases it holds, from Vault's audit log file: only what is new in it.

Counts what the SIEM's question for Vault counts. The log is Vault's own, but paths in it are whatever was asked for: they
are counted, cut and bounded, never believed.
Source: Vault, "Audit devices", JSON format; read from an OpenBao 2.7.2.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, Dict, List, Mapping, Optional, Tuple

from responders.content.forms import parse_time
from responders.errors import BadInput
from responders.inventory.sync.usage import Usage, added, recent, usage_of
from responders.inventory.sync.usage_store import UsageStore

_PIECE = 50_000
"""Uses that are put together in memory before they are stored."""
_LINE = 1024 * 1024
_OPERATIONS = ("read", "create", "update")
_OWN = ("sys/", "auth/", "identity/", "cubbyhole/")


def read_usage(path: Path, store: UsageStore, place: str, now: float, keep_days: int = 30) -> int:
    """Add what the log says since the last time; how many uses that were. Raises BadInput when it can't be read.

    The place in the file is remembered; a file that is another one now, or shorter, is read from its beginning.
    """
    origin = f"file {place}"
    count = 0
    try:
        with path.open("rb") as file:
            mark = f"{path.stat().st_ino}:"
            before = store.mark(origin)
            at = int(before.partition(":")[2] or 0) if before.startswith(mark) else 0
            file.seek(0 if at > path.stat().st_size else at)
            ended = False
            while not ended:
                uses: List[Usage] = []
                leases: Dict[Tuple[str, str], List[str]] = {}
                while len(uses) < _PIECE:
                    line = file.readline(_LINE)
                    ended = not line or (not line.endswith(b"\n") and len(line) < _LINE)
                    if ended:
                        file.seek(-len(line), 1)  # it is still being written
                        break
                    found = _use(line, place)
                    if found is not None:
                        uses.append(found[0])
                        leases.setdefault((found[0].account, found[0].object), []).extend(found[1:2] if found[1] else ())
                new = list(recent(added(uses), now, keep_days))
                held = ((use, leases.get((use.account, use.object), ())) for use in new)
                store.add(origin, held, f"{mark}{file.tell()}")
                count += len(uses)
    except OSError as error:
        raise BadInput(f"{error.strerror}", place=str(path), remedy="name Vault's audit log, readable for us") from None
    return count


def _use(line: bytes, place: str) -> Optional[Tuple[Usage, str]]:
    """The use of an answered request, and its lease; None for any other line."""
    try:
        entry = json.loads(line)
    except (ValueError, RecursionError):
        return None
    if not isinstance(entry, Mapping) or entry.get("type") != "response" or entry.get("error"):
        return None
    auth, request, response = (entry.get(name) for name in ("auth", "request", "response"))
    if not isinstance(auth, Mapping) or not isinstance(request, Mapping) or not auth.get("entity_id"):
        return None
    path, at = request.get("path"), parse_time(entry.get("time"))
    if not isinstance(path, str) or path.startswith(_OWN) or request.get("operation") not in _OPERATIONS or at is None:
        return None
    row: Dict[str, Any] = {"tq_account": f"{place}:{auth['entity_id']}", "tq_what": "path", "tq_object": path,
                           "tq_count": 1, "tq_first": at, "tq_last": at}  # fmt: skip
    use = usage_of(row)
    secret = response.get("secret") if isinstance(response, Mapping) else None
    lease = secret.get("lease_id", "") if isinstance(secret, Mapping) else ""
    return None if use is None else (use, str(lease)[:200])
