"""Makes observations of the raw rows, and finds all of one account: it, what it holds and reaches, groups followed.

They lie in a temporary SQLite file, so that 100,000 accounts with a million memberships need little memory.
"""

from __future__ import annotations

import json
import sqlite3
import tempfile
from dataclasses import replace
from pathlib import Path
from types import TracebackType
from typing import Any, Callable, Dict, FrozenSet, Iterator, List, Mapping, Optional, Set, Tuple, Type, Union

from responders.inventory.observation import Holds, Key, Observed, Reaches, Seen
from responders.inventory.sync.cyberark import CyberArkObserver
from responders.inventory.sync.entra import EntraObserver
from responders.inventory.sync.okta import OktaObserver
from responders.inventory.sync.raw import RawStore
from responders.inventory.sync.source import Named, Observer
from responders.inventory.sync.usage_store import UsageStore
from responders.inventory.sync.vault import VaultObserver
from responders.model import Account

OBSERVERS: Mapping[str, Callable[[str, str], Observer]] = {
    "okta": OktaObserver,
    "entra": EntraObserver,
    "cyberark": CyberArkObserver,
    "vault": VaultObserver,
}
_TABLES = """
create table seen (key text primary key, body text, gone real) without rowid;
create table alias (alias text, key text, primary key (alias, key)) without rowid;
create table facts (holder text, body text, power int);
create table uses (resource text, key text, needs int, primary key (resource, key, needs)) without rowid;
create table called (key text primary key, name text) without rowid;
"""
_ADMIN, _INDIRECT = 2, 1
"""Power of a fact: over other accounts, and through an account that has it (its owner, whoever it trusts)."""
_THROUGH = ("owner", "federated")
_MOST = 500
"""Facts of one holder that are told: those that give power, then credentials, so that none can be hidden behind others."""


class Gathered:
    """Every observation of every vendor. Read-only once made; close it to remove the file."""

    def __init__(self, store: RawStore, issuers: Mapping[str, str]) -> None:
        self._folder = tempfile.TemporaryDirectory(dir=store.path.parent, prefix=".tourniquet-sync-")
        self._db = sqlite3.connect(Path(self._folder.name) / "gathered.db", isolation_level=None)
        for text in ("pragma journal_mode = off", "pragma synchronous = off", "pragma temp_store = file"):
            self._db.execute(text)
        self._db.executescript(_TABLES)
        for place in store.places():
            self._db.execute("begin")
            self._gather(store, place, OBSERVERS[place.partition(":")[0]](place, issuers.get(place, "")))
            self._db.execute("commit")
        self.usage = UsageStore(store.path)
        self._db.execute("begin")
        for used in self.usage.everything():
            self._db.execute("insert into facts values (?,?,0)", (used.account, _packed_fact(used.reaches)))
        self._db.execute("commit")
        self._db.execute("create index facts_of on facts (holder, power desc)")

    def __enter__(self) -> Gathered:
        return self

    def __exit__(
        self, kind: Optional[Type[BaseException]], error: Optional[BaseException], trace: Optional[TracebackType]
    ) -> None:
        self._db.close()
        self.usage.close()
        self._folder.cleanup()

    def _gather(self, store: RawStore, place: str, observer: Observer) -> None:
        for listing in observer.listings:
            for row, gone in store.rows(place, listing):
                for found in observer.observe(listing, row):
                    if isinstance(found, Seen):
                        self._db.execute("insert or ignore into seen values (?,?,?)",
                                         (found.account.key, _packed(found), gone))  # fmt: skip
                        self._db.executemany("insert or ignore into alias values (?,?)",
                                             [(alias, found.account.key) for alias in found.aliases])  # fmt: skip
                    elif isinstance(found, Named):
                        self._db.execute("insert or ignore into called values (?,?)", (found.key, found.name))
                    elif gone is None:
                        power = _power(found)
                        self._db.execute("insert into facts values (?,?,?)", (found.holder, _packed_fact(found), power))
                        needs = isinstance(found, Reaches) and _needs(place, found)
                        if isinstance(found, Reaches) and (needs or found.what == "app"):
                            self._db.execute("insert or ignore into uses values (?,?,?)",
                                             (f"{place}:{found.target.partition('/')[0]}", found.holder, needs))  # fmt: skip

    def __iter__(self) -> Iterator[Seen]:
        """Every account, by key; as often as it is asked for."""
        for (body,) in self._db.execute("select body from seen order by key"):
            yield _unpacked(body)

    def gone(self) -> FrozenSet[str]:
        """Keys of accounts that their vendors list no more."""
        return frozenset(key for (key,) in self._db.execute("select key from seen where gone is not null"))

    def observed(self, key: str) -> Optional[Observed]:
        """All of one account, None for one that no vendor showed."""
        row = self._db.execute("select body, gone from seen where key=?", (key,)).fetchone()
        if row is None:
            return None
        seen = _unpacked(row[0])
        holds: List[Holds] = []
        reaches: List[Reaches] = []
        waiting: List[str] = [*self._names_of(seen), *(f"subject:{k.value}" for k in seen.keys if k.name == "subject")]
        done: Set[str] = set()
        while waiting:
            holder = waiting.pop()
            if holder in done:  # groups may lead in a circle
                continue
            done.add(holder)
            for (body,) in self._db.execute(
                "select body from facts where holder=? order by power desc, body limit ?", (holder, _MOST)
            ):
                fact = _unpacked_fact(key, body)
                if isinstance(fact, Holds):
                    holds.append(fact)
                elif fact.what in _THROUGH:
                    reaches.append(self._through(fact))
                else:
                    reaches.append(fact)
                    if fact.what == "group" and ":group:" in fact.target:
                        waiting.append(fact.target)
        return Observed(seen, tuple(holds), tuple(reaches), row[1])

    def kept_in_things(self) -> Iterator[Holds]:
        """Credentials that no account holds, but a thing that accounts reach: a safe."""
        wanted = "select holder, body from facts where holder like '%:safe:%' order by holder"
        for holder, body in self._db.execute(wanted):
            fact = _unpacked_fact(holder, body)
            if isinstance(fact, Holds):
                yield fact

    def _names_of(self, seen: Seen) -> List[str]:
        """Under which holders facts of this account stand."""
        return [seen.account.key, *self.clear_aliases(seen)]

    def _through(self, fact: Reaches) -> Reaches:
        """Owner of an account, or trusted by it: it reaches what that one does."""
        key = self.owner(fact.target) or fact.target
        return replace(fact, target=key, name=self.name(key), admin=self._powerful(key, set()))

    def _powerful(self, key: str, done: Set[str]) -> bool:
        row = self._db.execute("select body from seen where key=?", (key,)).fetchone()
        if row is None or key in done:
            return False
        done.add(key)
        for holder in self._names_of(_unpacked(row[0])):
            for power, body in self._db.execute(
                "select power, body from facts where holder=? and power>0 order by power desc limit ?", (holder, _MOST)
            ).fetchall():
                target = _unpacked_fact(holder, body).target
                if power == _ADMIN or self._powerful(self.owner(target) or target, done):
                    return True
        return False

    def clear_aliases(self, seen: Seen) -> Tuple[str, ...]:
        """The aliases of an account that name nobody else: neither an account, nor another one's alias."""
        return tuple(alias for alias in seen.aliases if self.owner(alias) == seen.account.key)

    def users_of(self, key: str) -> Tuple[str, ...]:
        """Keys of the accounts that were granted something of this one: they stop when it is taken out."""
        wanted = "select key from uses where resource=? and key<>? and needs order by key limit 50"
        return tuple(user for (user,) in self._db.execute(wanted, (key, key)))

    def people_of(self, key: str) -> int:
        """How many people and groups may sign in through this application, beside those that `users_of` names.

        To be told, never to be decided by: an owner of the application assigns whom he likes.
        """
        found = self._db.execute("select count(*) from uses where resource=? and not needs", (key,)).fetchone()
        return int(found[0])

    def name(self, key: str) -> str:
        row = self._db.execute("select body from seen where key=?", (key,)).fetchone()
        called = row or self._db.execute("select name from called where key=?", (key,)).fetchone()
        return str((_unpacked(row[0]).name if row else called[0]) or key) if called else key

    def knows(self, key: str) -> bool:
        """True for the key of an account that a vendor showed."""
        return self._db.execute("select 1 from seen where key=?", (key,)).fetchone() is not None

    def owner(self, alias: str) -> Optional[str]:
        """The one account that this alias means, None when it is an account's own key or several have it."""
        if self._db.execute("select 1 from seen where key=?", (alias,)).fetchone():
            return None
        found = self._db.execute(
            "select key, gone is null from alias join seen using (key) where alias=? order by 2 desc limit 2", (alias,)
        ).fetchall()
        # A name that was given anew is no longer that of the account that is gone.
        return str(found[0][0]) if found and (len(found) == 1 or found[0][1] > found[1][1]) else None


def _needs(place: str, reach: Reaches) -> bool:
    """True for what only an administrator grants. What a user consents to for himself, and whom the owner of an Entra
    application assigns to it, makes nobody depend on anything: it would be an easy way to be spared."""
    assigned = reach.what == "app" and place.startswith("okta:")
    return assigned or reach.what == "permission" or (reach.what == "grant" and reach.target.endswith("/"))


def _power(fact: Union[Holds, Reaches]) -> int:
    if isinstance(fact, Holds):
        return 0
    return _ADMIN if fact.admin else _INDIRECT if fact.what in _THROUGH else 0


def _packed(one: Seen) -> str:
    a = one.account
    keys = [[key.name, key.value, key.writer] for key in one.keys]
    values = [a.vendor, a.tenant, a.kind, a.id, a.mastered, one.name, one.live, one.user, one.why, keys, one.tags]
    return json.dumps([*values, one.aliases, one.created])


def _unpacked(text: str) -> Seen:
    vendor, tenant, kind, name, mastered, shown, live, user, why, keys, tags, aliases, created = json.loads(text)
    return Seen(
        Account(vendor, tenant, kind, name, mastered), shown, live, user, why, tuple(Key(*key) for key in keys),
        tuple((tag, value) for tag, value in tags), tuple(aliases), created,
    )  # fmt: skip


def _packed_fact(fact: Any) -> str:
    if isinstance(fact, Holds):
        values = ["h", fact.what, fact.id, fact.name, fact.created, fact.expires, fact.changed, fact.live, fact.managed]
        return json.dumps(values)
    return json.dumps(["r", fact.what, fact.target, fact.name, fact.admin, fact.count, fact.last])


def _unpacked_fact(holder: str, text: str) -> Any:
    kind, *values = json.loads(text)
    made: Dict[str, Any] = {"h": Holds, "r": Reaches}
    return made[kind](holder, *values)
