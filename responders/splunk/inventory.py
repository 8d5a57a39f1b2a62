"""The inventory in the KV store: exact reads by `_key`, so that 100,000 identities cost as little as ten.

Collection `tourniquet_identities` holds two halves, `a` and `b`, of which document `about` says which one is in use. A new
inventory fills the other half, then `about` is replaced: whoever reads sees the old one or the new one, never a mixture.
Keys are `HALF/i/…` (an identity) and `HALF/k/…` (an account or alias, and who holds it), hashed: ids may have any letters.
"""

from __future__ import annotations

import hashlib
import json
import secrets
import threading
from typing import Any, Dict, FrozenSet, Iterable, List, Mapping, Optional, Sequence, Tuple

from responders.codec import from_json, to_json
from responders.errors import InventoryError
from responders.inventory.resolve import Inventory
from responders.model import Identity
from responders.splunk.splunkd import Splunkd, SplunkError, patiently

COLLECTION = "tourniquet_identities"
ACCOUNTS = "tourniquet_accounts"
_DATA = ("storage", "collections", "data", COLLECTION)
_ABOUT = "about"
_HALVES = ("a", "b")
_AT_ONCE = 500
_AT_MOST = 8 * 1024 * 1024
_EMPTY: Mapping[str, Any] = {"half": "a", "population": 0, "restorers": [], "break_glass": []}


class KvInventory:
    """The `InventoryStore` inside Splunk. `patience`: seconds of trying while the KV store is starting."""

    def __init__(self, splunkd: Splunkd, *, patience: float = 5.0) -> None:
        self._splunkd, self._patience = splunkd, patience
        self._about: Optional[Mapping[str, Any]] = None
        self._lock = threading.Lock()

    def names(self, keys: Sequence[str]) -> Mapping[str, Tuple[str, ...]]:
        """The ids of all identities that hold each key."""
        found = self._read("k", keys)
        return {key: tuple(str(name) for name in doc["names"]) for key, doc in found.items()}

    def identity(self, name: str) -> Optional[Identity]:
        """The identity of that id."""
        doc = self._read("i", [name]).get(name)
        try:
            return None if doc is None else from_json(Identity, doc["identity"])
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            raise InventoryError(f"the inventory's row of {name!r} can't be read ({error}). Upload it anew") from None

    @property
    def population(self) -> int:
        return int(self._of_all()["population"])

    @property
    def restorers(self) -> FrozenSet[str]:
        return frozenset(map(str, self._of_all()["restorers"]))

    @property
    def break_glass(self) -> FrozenSet[str]:
        return frozenset(map(str, self._of_all()["break_glass"]))

    def _of_all(self) -> Mapping[str, Any]:
        with self._lock:
            about = self._about
        if about is None:
            self._read("i", [])
            about = self._about
        return about or _EMPTY

    def _read(self, kind: str, keys: Sequence[str]) -> Dict[str, Mapping[str, Any]]:
        """One query for all: what is asked, in both halves, and which of them counts."""
        wanted = {_key(half, kind, key): (half, key) for half in _HALVES for key in keys}
        rows = self._find([{"_key": key} for key in (_ABOUT, *wanted)])
        try:
            docs = {str(row["_key"]): json.loads(row["doc"]) for row in rows}
            about = docs.get(_ABOUT, _EMPTY)
            with self._lock:
                self._about = about
            found = {}
            for name, (half, key) in wanted.items():
                if half == about["half"] and name in docs:
                    if docs[name]["of"] != key:
                        raise ValueError(f"{name} is of another key")
                    found[key] = docs[name]
            return found
        except (KeyError, TypeError, ValueError) as error:
            raise InventoryError(f"collection {COLLECTION} can't be read ({error}). Upload the inventory anew") from None

    def _find(self, keys: List[Mapping[str, str]]) -> List[Mapping[str, Any]]:
        """Documents of these keys. As a body: an alert may name more accounts than a URL can hold."""
        body = [{"query": {"$or": keys}}]
        try:
            found = patiently(lambda: self._splunkd.post_json(*_DATA, "batch_find", body=body), self._patience)
        except SplunkError as error:
            raise InventoryError(f"the inventory can't be read. {error}") from error
        return found[0] if isinstance(found, list) and found and isinstance(found[0], list) else []


def push(splunkd: Splunkd, inventory: Inventory, accounts: Sequence[Mapping[str, str]] = ()) -> None:
    """Put this inventory in place of the one there is, and `accounts` into the lookup of the searches.

    Raises SplunkError: then the responder still uses the old one.
    """
    old = splunkd.get(*_DATA, query={"query": json.dumps({"_key": _ABOUT})})
    used = json.loads(old[0]["doc"])["half"] if old else _HALVES[1]
    half = _HALVES[1 - _HALVES.index(used)]
    splunkd.delete(*_DATA, query={"query": json.dumps({"_key": {"$gte": f"{half}/", "$lt": f"{half}0"}})})
    _save(splunkd, COLLECTION, _documents(half, inventory))
    push_accounts(splunkd, accounts)
    about = {
        "half": half, "population": inventory.population, "restorers": sorted(inventory.restorers),
        "break_glass": sorted(inventory.break_glass),
    }  # fmt: skip
    _save(splunkd, COLLECTION, [(_ABOUT, about)])


def push_accounts(splunkd: Splunkd, accounts: Sequence[Mapping[str, str]]) -> None:
    """Fill the lookup: first the new rows, then those that are gone are deleted, so that no search misses an account."""
    stamp = secrets.token_hex(8)
    rows = [{"_key": _hash(row["tq_account"]), **row, "push": stamp} for row in accounts]
    for start in range(0, len(rows), _AT_ONCE):
        splunkd.post_json("storage", "collections", "data", ACCOUNTS, "batch_save", body=rows[start : start + _AT_ONCE])
    if rows:
        gone = json.dumps({"push": {"$ne": stamp}})
        splunkd.delete("storage", "collections", "data", ACCOUNTS, query={"query": gone})


def _documents(half: str, inventory: Inventory) -> Iterable[Tuple[str, Mapping[str, Any]]]:
    for identity in inventory.identities:
        yield _key(half, "i", identity.id), {"of": identity.id, "identity": to_json(identity)}
    keys = [account.key for identity in inventory.identities for account in identity.accounts]
    for key, names in inventory.names(list(dict.fromkeys([*keys, *inventory.aliases]))).items():
        yield _key(half, "k", key), {"of": key, "names": list(names)}


def _save(splunkd: Splunkd, collection: str, docs: Iterable[Tuple[str, Mapping[str, Any]]]) -> None:
    batch: List[Mapping[str, str]] = []
    size = 0
    path = ("storage", "collections", "data", collection, "batch_save")
    for key, doc in docs:
        batch.append({"_key": key, "doc": json.dumps(doc, sort_keys=True)})
        size += len(batch[-1]["doc"])
        if len(batch) >= _AT_ONCE or size > _AT_MOST:
            splunkd.post_json(*path, body=batch)
            batch, size = [], 0
    if batch:
        splunkd.post_json(*path, body=batch)


def _key(half: str, kind: str, name: str) -> str:
    return f"{half}/{kind}/{_hash(name)}"


def _hash(name: str) -> str:
    return hashlib.sha256(name.encode("utf-8", "surrogatepass")).hexdigest()
