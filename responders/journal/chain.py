"""Hash chains over the store: each entry is HMACed together with the one before it.

The key is held outside the store, and the anchor file beside the key remembers each entry: so an edit, a deletion, a
reordering, a truncation, an older store put back and a chain recomputed without the key all show.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import random
import threading
import time
from collections import OrderedDict
from contextlib import nullcontext
from dataclasses import dataclass
from datetime import datetime, timezone
from typing import Any, Callable, ContextManager, Dict, Iterator, List, Mapping, Optional, Protocol, Set, Tuple

from responders.errors import JournalError, Tampered
from responders.journal.anchor import Anchor, Head
from responders.journal.store import JournalStore

GENESIS = "0" * 64
_KNOWN = 1000
"""Chains whose end is remembered; the others are read when they are asked for."""
_WIDTH = 8


def utc_now() -> datetime:
    """Current time, UTC."""
    return datetime.now(timezone.utc)


@dataclass(frozen=True)
class Entry:
    """One entry: `kind` says what happened, `body` (JSON-able) the particulars, `mac` binds it to all before it."""

    chain: str
    seq: int
    kind: str
    at: datetime
    body: Mapping[str, Any]
    prev: str
    mac: str

    @property
    def key(self) -> str:
        return entry_key(self.chain, self.seq)


def entry_key(chain: str, seq: int) -> str:
    return f"e/{chain}/{seq:0{_WIDTH}d}"


class Listener(Protocol):
    """Hears of every entry: see mirror.py."""

    def telling(self, chain: str, seq: int) -> ContextManager[Callable[[Entry], None]]:
        """Entered before an entry is stored; what it gives takes the entry once it is. May raise JournalError."""
        ...

    def flush(self, seconds: float = 2.0) -> bool:
        """Wait for what is on its way, so long at most; False when something is left."""
        ...

    def catch_up(self, seconds: float = 5.0) -> Tuple[str, ...]:
        """Tell what was stored and not told; a line of what came of it, none when nothing was due."""
        ...


class Journal:
    """Chains, and side documents (claims, due entries, blast slots), over one store. Safe to share between threads."""

    def __init__(
        self,
        store: JournalStore,
        key: bytes,
        *,
        anchor: Optional[str] = None,
        clock: Callable[[], datetime] = utc_now,
    ) -> None:
        if len(key) < 16:
            raise JournalError("the journal key is shorter than 16 bytes. Make one with `tourniquet journal key`")
        self.store = store
        self.clock = clock
        self.listener: Optional[Listener] = None
        self._key = key
        self._anchor = Anchor(anchor, self._mac) if anchor else None
        self._heads: OrderedDict[str, Entry] = OrderedDict()
        self._lock = threading.RLock()

    def append(self, chain: str, kind: str, body: Mapping[str, Any]) -> Entry:
        """Add an entry at the end of a chain; another responder adding at the same time only moves it further.

        Raises JournalError when it can't be stored, or when the chain's place stays taken by an entry that can't be read.
        """
        last = self.head(chain)
        listener = self.listener
        with nullcontext(_nobody) if listener is None else listener.telling(chain, last.seq + 1 if last else 0) as tell:
            entry = self._append(chain, kind, body, last)
            tell(entry)
        if self._anchor is not None:
            self._anchor.remember(chain, entry.seq, entry.mac)
        return entry

    def _append(self, chain: str, kind: str, body: Mapping[str, Any], last: Optional[Entry]) -> Entry:
        blind = 0
        while True:
            seq, prev = (last.seq + 1, last.mac) if last else (0, GENESIS)
            at = self.clock()
            text = {"chain": chain, "seq": seq, "kind": kind, "at": at.isoformat(), "body": body, "prev": prev}
            entry = Entry(chain, seq, kind, at, body, prev, self._mac(text))
            if self.store.create(entry.key, {**text, "mac": entry.mac}):
                self._know(entry)
                return entry
            before, last = last, self.head(chain)
            if last == before:  # somebody has the place, and his entry can't be read yet: a store may show it late
                blind += 1
                if blind > _BLIND:
                    raise JournalError(f"journal: {entry.key} is taken, and can't be read. Check the store, then try again")
                time.sleep(min(1.0, 0.02 * 2**blind) * random.uniform(0.5, 1.0))  # noqa: S311 - no secret

    def entries(self, chain: str, after: int = -1) -> Iterator[Entry]:
        """Entries of a chain in order, each checked. Raises Tampered at the first that does not fit."""
        prev: Optional[str] = GENESIS if after < 0 else None
        seq = after
        for key, doc in self.store.scan(f"e/{chain}/", entry_key(chain, after) if after >= 0 else ""):
            entry = self._read(key, doc)
            if entry.seq != seq + 1 or (prev is not None and entry.prev != prev):
                raise Tampered(f"journal: {key} does not follow entry {seq} of its chain. Run `tourniquet journal verify`")
            seq, prev = entry.seq, entry.mac
            yield entry

    def head(self, chain: str) -> Optional[Entry]:
        """The last entry of a chain, None when it has none."""
        with self._lock:
            known = self._heads.get(chain)
        last = known
        for entry in self.entries(chain, known.seq if known else -1):
            last = entry
        if last is not None and last is not known:
            self._know(last)
        return last

    def _know(self, entry: Entry) -> None:
        """Remember the end of a chain; the longest unused ones are forgotten, for a service lives for months."""
        with self._lock:
            known = self._heads.get(entry.chain)
            if known is None or known.seq < entry.seq:
                self._heads[entry.chain] = entry
            self._heads.move_to_end(entry.chain)
            while len(self._heads) > _KNOWN:
                self._heads.popitem(last=False)

    def put(self, key: str, doc: Mapping[str, Any]) -> bool:
        """Create-if-absent of a side document, HMACed with its key."""
        return self.store.create(key, {**doc, "mac": self._mac({"key": key, "doc": doc})})

    def side(
        self, prefix: str, after: str = "", broken: Optional[List[str]] = None
    ) -> Iterator[Tuple[str, Mapping[str, Any]]]:
        """Side documents by prefix, each checked. Raises Tampered, or adds the keys of bad ones to `broken`."""
        for key, doc in self.store.scan(prefix, after):
            body = {name: value for name, value in doc.items() if name != "mac"}
            if not hmac.compare_digest(str(doc.get("mac", "")), self._mac({"key": key, "doc": body})):
                if broken is not None:
                    broken.append(key)
                    continue
                raise Tampered(f"journal: {key} was edited or written without the key. Run `tourniquet journal verify`")
            yield key, body

    def verify(self, heads: Mapping[str, Tuple[int, str]] = {}) -> List[str]:
        """Check everything; one line a finding, none when the journal is whole.

        `heads` are (seq, mac) by chain as escalations carried them, beside the anchor file's own.
        """
        findings: List[str] = []
        seen: Dict[str, Dict[int, str]] = {}
        promised: List[Tuple[str, str]] = []
        present: Set[str] = set()
        for key, doc in self.store.scan("e/"):
            chain, _, tail = key[2:].rpartition("/")
            macs = seen.setdefault(chain, {})
            try:
                entry = self._read(key, doc)
            except Tampered as error:
                findings.append(str(error))
                if tail.isdigit():
                    macs[int(tail)] = str(doc.get("mac", ""))
                continue
            expected = max(macs, default=-1) + 1
            if entry.seq != expected:
                findings.append(f"journal: chain {chain} lacks entries {expected} to {entry.seq - 1}: deleted")
            elif entry.prev != macs.get(entry.seq - 1, GENESIS):
                findings.append(f"journal: {key} does not follow entry {entry.seq - 1}: reordered or replaced")
            macs[entry.seq] = entry.mac
            promised.extend((key, str(name)) for name in entry.body.get("side", ()))
        for prefix in SIDE_PREFIXES:
            for key, doc in self.store.scan(prefix):
                present.add(key)
                body = {name: value for name, value in doc.items() if name != "mac"}
                if not hmac.compare_digest(str(doc.get("mac", "")), self._mac({"key": key, "doc": body})):
                    findings.append(f"journal: {key} was edited or written without the key")
        findings.extend(
            f"journal: {name}, which {key} wrote, is gone: deleted" for key, name in promised if name not in present
        )
        anchored, unreadable = self._anchor.read() if self._anchor is not None else ([], [])
        given = [(chain, seq, mac) for chain, (seq, mac) in sorted(heads.items())]
        findings.extend((*unreadable, *_against(seen, [*anchored, *given])))
        return findings

    def _read(self, key: str, doc: Mapping[str, Any]) -> Entry:
        text = {name: doc.get(name) for name in ("chain", "seq", "kind", "at", "body", "prev")}
        if not hmac.compare_digest(str(doc.get("mac", "")), self._mac(text)) or set(doc) != {*text, "mac"}:
            raise Tampered(f"journal: {key} was edited, or written without the key")
        entry = Entry(
            str(doc["chain"]), int(doc["seq"]), str(doc["kind"]), datetime.fromisoformat(str(doc["at"])),
            doc["body"], str(doc["prev"]), str(doc["mac"]),
        )  # fmt: skip
        if entry.key != key:
            raise Tampered(f"journal: {key} holds entry {entry.seq} of chain {entry.chain}: moved")
        return entry

    def _mac(self, value: Mapping[str, Any]) -> str:
        text = json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=True)
        return hmac.new(self._key, text.encode(), hashlib.sha256).hexdigest()


def _nobody(entry: Entry) -> None:
    """Nobody listens."""


_BLIND = 12
"""Tries for a place that is taken by an entry nobody can read: some seven seconds."""


def _against(seen: Mapping[str, Mapping[int, str]], once: List[Head]) -> List[str]:
    """What is not there any more of the entries that once were."""
    findings: List[str] = []
    missing: Dict[str, int] = {}
    for chain, seq, mac in once:
        found = seen.get(chain, {}).get(seq)
        if found is None:
            missing[chain] = max(seq, missing.get(chain, 0))
        elif found != mac:
            findings.append(f"journal: entry {seq} of chain {chain} is not the one that was anchored: replaced")
    ends = (f"journal: chain {chain} lacks entry {seq}, which it once had: truncated" for chain, seq in missing.items())
    return sorted({*findings, *ends})


SIDE_PREFIXES = ("alert/", "open/", "claim/", "use/", "due/", "done/", "days/", "own/", "poll/", "mirror/",
                 "canary/")  # fmt: skip
"""Side documents; an entry that lists some under `side` vouches for them, so their deletion shows too."""
