"""What the inventory covers: identities by kind, those without an owner, and accounts in alerts that no row claims."""

from __future__ import annotations

import threading
import time
from collections import Counter
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Dict, Iterable, List, Mapping, Optional, Tuple

from werkzeug.wrappers import Response

from responders.console.site import Visit
from responders.containment.responder import Responder
from responders.model import Identity

_DAYS = 7
_MOST_ALERTS, _MOST_SHOWN = 20_000, 100
_BELIEVED = 60.0
_PAGE = 500


@dataclass(frozen=True)
class Kind:
    """Identities of one kind."""

    name: str
    count: int
    ownerless: int
    privileged: int
    protected: int


@dataclass(frozen=True)
class Coverage:
    """`unmapped` are accounts of alerts of the last days that no row claims, with how many alerts named them."""

    at: datetime
    population: int
    kinds: Optional[Tuple[Kind, ...]]
    ownerless: Tuple[Identity, ...]
    unmapped: Tuple[Tuple[str, int], ...]
    named: int
    alerts: int
    cut: bool
    restorers: int


class CoveragePage:
    """Counted anew at most once a minute, whoever looks."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._found: Optional[Coverage] = None
        self._read = 0.0

    def __call__(self, visit: Visit) -> Response:
        with self._lock:
            if self._found is None or time.monotonic() > self._read + _BELIEVED:
                self._found, self._read = coverage(visit.responder), time.monotonic()
            found = self._found
        return visit.show("inventory.html", found=found, days=_DAYS)


def coverage(responder: Responder) -> Coverage:
    """Raises InventoryError, JournalError."""
    inventory = responder.inventory
    listed: Optional[Iterable[Identity]] = getattr(inventory, "identities", None)
    kinds, ownerless = (None, ()) if listed is None else _kinds(listed)
    named, alerts, cut = _named(responder)
    unmapped: List[Tuple[str, int]] = []
    keys = sorted(named)
    for start in range(0, len(keys), _PAGE):
        page = keys[start : start + _PAGE]
        known = inventory.names(page)
        unmapped += [(key, named[key]) for key in page if not known.get(key)]
    unmapped.sort(key=lambda item: (-item[1], item[0]))
    return Coverage(
        responder.now(), inventory.population, kinds, ownerless, tuple(unmapped[:_MOST_SHOWN]), len(named), alerts, cut,
        len(inventory.restorers),
    )  # fmt: skip


def _kinds(listed: Iterable[Identity]) -> Tuple[Tuple[Kind, ...], Tuple[Identity, ...]]:
    by: Dict[str, List[Identity]] = {}
    for identity in listed:
        by.setdefault(identity.kind, []).append(identity)
    kinds = tuple(
        Kind(
            name, len(found), sum(not i.owner for i in found), sum(i.privileged for i in found),
            sum(i.protected or i.break_glass for i in found),
        )
        for name, found in sorted(by.items())
    )  # fmt: skip
    without = [identity for found in by.values() for identity in found if not identity.owner]
    return kinds, tuple(sorted(without, key=lambda identity: (not identity.privileged, identity.id))[:_MOST_SHOWN])


def _named(responder: Responder) -> Tuple[Counter[str], int, bool]:
    """Accounts that alerts of the last days named: each raw alert is in the journal with its due entry, in order of time."""
    since = responder.now() - timedelta(days=_DAYS)
    found: Counter[str] = Counter()
    alerts = 0
    for _, doc in responder.journal.side("due/", f"due/{since:%Y%m%dT%H%M%S}"):
        raw = doc.get("raw")
        if doc.get("what") != "alert" or not isinstance(raw, Mapping):
            continue
        alerts += 1
        found.update(_accounts(raw.get("tq_account")))
        if alerts >= _MOST_ALERTS:
            return found, alerts, True
    return found, alerts, False


def _accounts(value: Any) -> List[str]:
    items = value if isinstance(value, list) else [value]
    return list(dict.fromkeys(item[:500] for item in items[:100] if isinstance(item, str) and item.count(":") >= 2))
