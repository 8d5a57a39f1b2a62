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
from dataclasses import dataclass
from datetime import datetime, timezone
from typing import (
    Any,
    Callable,
    ContextManager,
    Dict,
    Iterable,
    Iterator,
    List,
    Mapping,
    Optional,
    Protocol,
    Sequence,
    Set,
    Tuple,
)

from responders.errors import JournalError, Tampered, TourniquetError
from responders.journal.anchor import Anchor, Head
from responders.journal.store import JournalStore

GENESIS = "0" * 64
_KNOWN = 1000
"""Chains whose end is remembered; the others are read when they are asked for."""
_WIDTH = 8
Side = Tuple[str, Mapping[str, Any]]
"""A side document: its key, and what it says."""


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


class Telling(Protocol):
    """One entry on its way, as a listener sees it."""

    @property
    def notes(self) -> Sequence[Side]:
        """What must be stored before the entry is."""
        ...

    def stored(self, entry: Entry) -> None:
        """It stands in the journal."""
        ...


class Listener(Protocol):
    """Hears of every entry: see mirror.py."""

    def telling(self, chain: str, seq: int) -> ContextManager[Telling]:
        """Around the storing of an entry at this place or a later one. May raise JournalError."""
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
        self._heads: OrderedDict[str, Optional[Entry]] = OrderedDict()
        self._joints: Dict[Tuple[str, str], _Joint] = {}
        self._lock = threading.RLock()

    def append(self, chain: str, kind: str, body: Mapping[str, Any], side: Sequence[Side] = ()) -> Entry:
        """Add an entry at the end of a chain; another responder adding at the same time only moves it further.

        `side` are side documents that it vouches for: stored before it, and together with it where the store can. Raises
        JournalError when it can't be stored, or when the chain's place stays taken by an entry that can't be read.
        """
        if side:
            body = {**body, "side": [*body.get("side", ()), *(key for key, _ in side)]}
        with self._lock:
            known, last = chain in self._heads, self._heads.get(chain)
        if not known:  # else whoever wrote since it was read has the place, and is read then
            last = self.head(chain)
        docs = [self._signed(key, doc) for key, doc in side]
        listener = self.listener
        if listener is None:
            entry = self._append(chain, kind, body, last, docs)
        else:
            with listener.telling(chain, last.seq + 1 if last else 0) as telling:
                notes = [self._signed(key, doc) for key, doc in telling.notes]
                entry = self._append(chain, kind, body, last, [*notes, *docs])
                telling.stored(entry)
        if self._anchor is not None:
            self._anchor.remember(chain, entry.seq, entry.mac)
        return entry

    def _append(self, chain: str, kind: str, body: Mapping[str, Any], last: Optional[Entry], docs: Sequence[Side]) -> Entry:
        blind = 0
        while True:
            seq, prev = (last.seq + 1, last.mac) if last else (0, GENESIS)
            at = self.clock()
            text = {"chain": chain, "seq": seq, "kind": kind, "at": at.isoformat(), "body": body, "prev": prev}
            entry = Entry(chain, seq, kind, at, body, prev, self._mac(text))
            if self.store.create_all([*docs, (entry.key, {**text, "mac": entry.mac})])[-1]:
                self._know(chain, entry)
                return entry
            docs = ()  # they are stored
            before, last = last, self.head(chain)
            if last == before:  # somebody has the place, and his entry can't be read yet: a store may show it late
                blind += 1
                if blind > _BLIND:
                    raise JournalError(f"journal: {entry.key} is taken, and can't be read. Check the store, then try again")
                time.sleep(min(1.0, 0.02 * 2**blind) * random.uniform(0.5, 1.0))  # noqa: S311 - no secret

    def append_joined(self, chain: str, kind: str, body: Mapping[str, Any]) -> None:
        """`append`, together with what other threads want of that chain and kind while one is being stored.

        Values of `body` are lists or dicts, which are joined by name. Returns when it is stored; raises as `append` does.
        """
        with self._lock:
            joint = self._joints.setdefault((chain, kind), _Joint())
            joint.users += 1
            mine = _Wanted(body)
            joint.waiting.append(mine)
        try:
            with joint.busy:
                if not mine.over:
                    with self._lock:
                        batch, joint.waiting = joint.waiting, []
                    self._append_batch(chain, kind, batch)
        finally:
            with self._lock:
                joint.users -= 1
                if not joint.users:
                    del self._joints[chain, kind]
        if mine.error is not None:
            raise mine.error

    def _append_batch(self, chain: str, kind: str, batch: Sequence[_Wanted]) -> None:
        error: Optional[Exception] = JournalError(f"journal: nothing was appended to {chain}. Try again")
        try:
            self.append(chain, kind, _joined([wanted.body for wanted in batch]))
            error = None
        except TourniquetError as found:
            error = found
        finally:  # whatever happened, nobody who waits may take his entry for stored
            for wanted in batch:
                wanted.over, wanted.error = True, error

    def entries(self, chain: str, after: int = -1) -> Iterator[Entry]:
        """Entries of a chain in order, each checked. Raises Tampered at the first that does not fit."""
        return self._checked(after, self.store.scan(*_range(chain, after)))

    def tails(self, wanted: Mapping[str, int]) -> Dict[str, List[Entry]]:
        """`entries` of several chains, by chain, each after the seq that is given for it (-1 for all), as one read."""
        scans = self.store.scan_all([_range(chain, after) for chain, after in wanted.items()])
        found = {chain: list(self._checked(wanted[chain], iter(docs))) for chain, docs in zip(wanted, scans)}
        for chain, entries in found.items():
            if entries or wanted[chain] < 0:
                self._know(chain, entries[-1] if entries else None)
        return found

    def _checked(self, after: int, docs: Iterator[Side]) -> Iterator[Entry]:
        prev: Optional[str] = GENESIS if after < 0 else None
        seq = after
        for key, doc in docs:
            entry = self._read(key, doc)
            if entry.seq != seq + 1 or (prev is not None and entry.prev != prev):
                raise Tampered(f"journal: {key} does not follow entry {seq} of its chain. Run `tourniquet journal verify`")
            seq, prev = entry.seq, entry.mac
            yield entry

    def known(self, chain: str) -> Optional[Entry]:
        """The last entry of a chain that this process wrote or read; others may have gone on since. Reads nothing."""
        with self._lock:
            return self._heads.get(chain)

    def head(self, chain: str) -> Optional[Entry]:
        """The last entry of a chain, None when it has none."""
        return self.head_and_tail(chain)[0]

    def head_and_tail(self, chain: str, tail: str = "", after: int = -1) -> Tuple[Optional[Entry], List[Entry]]:
        """The last entry of a chain, None when it has none; and the entries of another one after `after`, as one read."""
        known = self.known(chain)
        wanted = {chain: known.seq if known else -1}
        found = self.tails({**wanted, tail: after} if tail else wanted)
        return (found[chain][-1] if found[chain] else known), found.get(tail, [])

    def _know(self, chain: str, entry: Optional[Entry]) -> None:
        """Remember the end of a chain, None of one that is not begun; the longest unused are forgotten, for a service
        lives for months."""
        with self._lock:
            known = self._heads.get(chain)
            if known is None or (entry is not None and known.seq < entry.seq):
                self._heads[chain] = entry
            self._heads.move_to_end(chain)
            while len(self._heads) > _KNOWN:
                self._heads.popitem(last=False)

    def put(self, key: str, doc: Mapping[str, Any]) -> bool:
        """Create-if-absent of a side document, HMACed with its key."""
        return self.store.create(*self._signed(key, doc))

    def put_all(self, docs: Sequence[Side]) -> Tuple[bool, ...]:
        """`put` for each, in this order, together where the store can."""
        return self.store.create_all([self._signed(key, doc) for key, doc in docs])

    def put_and_look(self, key: str, doc: Mapping[str, Any], prefix: str, after: str = "") -> Tuple[Side, ...]:
        """`put`, then `side`. Of two who do so at once, one sees the other's document at least."""
        return tuple(self._sound(self.store.create_and_scan(*self._signed(key, doc), prefix, after), None))

    def side(self, prefix: str, after: str = "", broken: Optional[List[str]] = None) -> Iterator[Side]:
        """Side documents by prefix, each checked. Raises Tampered, or adds the keys of bad ones to `broken`."""
        return self._sound(self.store.scan(prefix, after), broken)

    def sides(self, prefixes: Sequence[str]) -> List[Side]:
        """`side` of several prefixes, in their order, as one read: of claims, or places in the blast radius."""
        scans = self.store.scan_all([(prefix, "") for prefix in prefixes])
        return [item for docs in scans for item in self._sound(docs, None)]

    def _sound(self, docs: Iterable[Side], broken: Optional[List[str]]) -> Iterator[Side]:
        for key, doc in docs:
            body = {name: value for name, value in doc.items() if name != "mac"}
            if not hmac.compare_digest(str(doc.get("mac", "")), self._mac({"key": key, "doc": body})):
                if broken is not None:
                    broken.append(key)
                    continue
                raise Tampered(f"journal: {key} was edited or written without the key. Run `tourniquet journal verify`")
            yield key, body

    def _signed(self, key: str, doc: Mapping[str, Any]) -> Side:
        return key, {**doc, "mac": self._mac({"key": key, "doc": doc})}

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


@dataclass
class _Wanted:
    """What one thread wants appended; whether it was, or why not."""

    body: Mapping[str, Any]
    over: bool = False
    error: Optional[Exception] = None


class _Joint:
    """What threads want of one chain and kind: one of them is `busy` storing, the others wait for it."""

    def __init__(self) -> None:
        self.busy = threading.Lock()
        self.waiting: List[_Wanted] = []
        self.users = 0


def _joined(bodies: Sequence[Mapping[str, Any]]) -> Mapping[str, Any]:
    found: Dict[str, Any] = {}
    for body in bodies:
        for name, value in body.items():
            if isinstance(value, Mapping):
                found[name] = {**found.get(name, {}), **value}
            else:
                found[name] = [*found.get(name, ()), *value]
    return found


def _range(chain: str, after: int) -> Tuple[str, str]:
    return f"e/{chain}/", entry_key(chain, after) if after >= 0 else ""


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
                 "canary/", "validated/", "policy/")  # fmt: skip
"""Side documents; an entry that lists some under `side` vouches for them, so their deletion shows too."""
