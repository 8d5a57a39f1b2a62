"""The inventory that was there: whose each account was, and what would be worse now. In a temporary SQLite file."""

from __future__ import annotations

import hashlib
import json
import sqlite3
from pathlib import Path
from typing import Collection, Container, FrozenSet, Iterator, List, Mapping, NamedTuple, Optional, Set, Tuple

from responders.inventory.compiled import read_lines
from responders.model import Account, Identity

ORDER = ("okta", "entra", "cyberark", "vault")
_NAMED = 20
_FEW = 5
"""So many accounts may move whatever the share: in a small company one is many per cent."""


class Was(NamedTuple):
    """What one identity was."""

    digest: str
    guarded: bool


class Before:
    """Read once; `note` every identity of the new inventory, then ask what is lost, moved and worse."""

    def __init__(self, target: Path) -> None:
        self._target = target
        self._db = sqlite3.connect("", isolation_level=None)
        self._db.executescript(
            "create table was (key text primary key, identity text) without rowid;"
            "create table one (identity text primary key, digest text, glass int, closed int, now int) without rowid;"
        )
        self._db.execute("begin")
        self.restorers = read_lines(target, self._take) if target.exists() else ()
        self._db.execute("create index whose on was (identity)")
        self._db.execute("commit")
        self._db.execute("begin")
        (self.count,) = self._db.execute("select count(*) from one").fetchone()
        (self._accounts,) = self._db.execute("select count(*) from was").fetchone()
        self.new: List[str] = []
        self.changed: List[str] = []
        self.counts = [0, 0]
        self._moved: List[str] = []
        self._joins: Set[str] = set()
        """Places with an account in an identity to which others moved."""
        self.guarded: List[str] = []
        """Accounts that are protected or break-glass now, were not before, and that no row of the file names."""
        self._glass: Set[str] = set()
        self._closed: Set[str] = set()

    def _take(self, line: str) -> None:
        doc = json.loads(line)
        name = str(doc["id"])
        values = (name, _digest(line), bool(doc.get("break_glass")), bool(doc["protected"]))
        self._db.execute("insert or ignore into one values (?,?,?,?,0)", values)
        keys = [f"{a['vendor']}:{a['tenant']}:{a['id']}" for a in doc["accounts"]]
        self._db.executemany("insert or ignore into was values (?,?)", [(key, name) for key in keys])

    # -- ids ----------------------------------------------------------------------------------------------

    def owners(self, accounts: Collection[Account]) -> Mapping[str, str]:
        """Which identity each of these accounts was of; those that are new are left out."""
        found = {account.key: self._owner(account.key) for account in accounts}
        return {key: name for key, name in found.items() if name is not None}

    def _owner(self, key: str) -> Optional[str]:
        row = self._db.execute("select identity from was where key=?", (key,)).fetchone()
        return row[0] if row else None

    def heir(self, name: str, there: Container[str]) -> Optional[str]:
        """The account that takes an identity's id along when it is split: the one it is called by, else its first one.

        `there` are the accounts that there are now.
        """
        if name in there:
            return name
        keys = [key for (key,) in self._db.execute("select key from was where identity=?", (name,)) if key in there]
        return min(keys, key=rank) if keys else None

    # -- comparing ----------------------------------------------------------------------------------------

    def note(self, identity: Identity, line: str, owners: Mapping[str, str], said: Container[str]) -> None:
        """Compare one identity with what it was. `owners` is whose its accounts were, `said` those that the file names."""
        was = self._was(identity.id)
        if was is None:
            self.counts[0] += 1
            self.new.extend([identity.id] if len(self.new) < _NAMED else [])
        elif was.digest != _digest(line):
            self.counts[1] += 1
            self.changed.extend([identity.id] if len(self.changed) < _NAMED else [])
        for name in set(owners.values()):
            self._db.execute("update one set now=1 where identity=?", (name,))
        if was is not None:
            moved = [key for key, name in owners.items() if name != identity.id and key not in said]
            self._moved += moved
            if moved:
                self._joins.update(account.place for account in identity.accounts)
        if identity.break_glass or identity.protected:
            self.guarded += [
                key for key, name in owners.items() if key not in said and not (self._was(name) or _NOBODY).guarded
            ]
        self.keep_marks(identity)

    def keep_marks(self, identity: Identity) -> None:
        keys = [account.key for account in identity.accounts]
        if identity.break_glass:
            self._glass.update(keys)
        if identity.protected:
            self._closed.update(keys)

    def _was(self, name: str) -> Optional[Was]:
        row = self._db.execute("select digest, glass or closed from one where identity=?", (name,)).fetchone()
        return Was(row[0], bool(row[1])) if row else None

    def lost(self) -> Tuple[int, Tuple[str, ...]]:
        """Identities that are gone with all their accounts: how many, and the first."""
        (count,) = self._db.execute("select count(*) from one where not now").fetchone()
        found = self._db.execute("select identity from one where not now order by identity limit ?", (_NAMED,))
        return count, tuple(name for (name,) in found)

    def lines_of_lost(self) -> Iterator[str]:
        """They themselves, as they were."""
        found: List[str] = []

        def take(line: str) -> None:
            name = str(json.loads(line)["id"])
            if self._db.execute("select 1 from one where identity=? and not now", (name,)).fetchone():
                found.append(line)

        if self.lost()[0]:
            read_lines(self._target, take)
        return iter(found)

    def worse(self, restorers: FrozenSet[str], most: float) -> Tuple[str, ...]:
        """Why the new inventory must not take the place of this one."""
        found = []
        if len(self._moved) > max(_FEW, self._accounts * most / 100.0):
            some = ", ".join(sorted(self._moved)[:_FEW])
            what = f"{len(self._moved)} of {self._accounts} accounts would move to an identity that was another's"
            new = ", ".join(sorted(place for place in self._joins if not self._was_at(place)))
            why = f". {new} was not in the inventory before: what it joins was apart until now" if new else ""
            found.append(f"{what} ({some} …): each would be contained with it{why}")
        for column, kept, what in (("glass", self._glass, "break-glass"), ("closed", self._closed, "protected")):
            wanted = f"select key from was join one using (identity) where {column} order by key"  # noqa: S608 - two columns
            lost = [key for (key,) in self._db.execute(wanted) if key not in kept]
            if lost:
                found.append(f"{len(lost)} accounts would lose the mark {what}: {', '.join(lost[:5])}")
        gone = sorted(set(self.restorers) - restorers)
        if gone:
            found.append(f"{len(gone)} people could not restore any more: {', '.join(gone[:5])}")
        return tuple(found)

    def _was_at(self, place: str) -> bool:
        wanted = "select 1 from was where key >= ? and key < ? limit 1"
        return self._db.execute(wanted, (f"{place}:", f"{place};")).fetchone() is not None


_NOBODY = Was("", False)


def rank(key: str) -> Tuple[int, str]:
    """By vendor, then by key."""
    vendor = key.partition(":")[0]
    return ORDER.index(vendor) if vendor in ORDER else len(ORDER), key


def _digest(line: str) -> str:
    """Of what an identity is. What logs show in use, its last field, grows each day and is no change of it."""
    line = line.partition(', "usage": ')[0]
    return hashlib.sha256(line.encode()).hexdigest()[:32]
