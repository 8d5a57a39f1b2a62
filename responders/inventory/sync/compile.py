"""From what was gathered to the compiled inventory and the report of its joins; never to one that is worse than before."""

from __future__ import annotations

import hashlib
import json
import sqlite3
from dataclasses import dataclass, field
from pathlib import Path
from typing import Dict, FrozenSet, Iterator, List, Mapping, Optional, Set, TextIO, Tuple

from responders.codec import to_json
from responders.errors import BadInventory, Refused
from responders.inventory.compiled import Whole, read_identities, write_end, write_identities
from responders.inventory.describing import GroupRule, describe
from responders.inventory.joining import Conflict, Explicit, Joined, Link, Rank, join
from responders.inventory.resolve import Inventory
from responders.inventory.sync.gather import Gathered
from responders.model import Account, Identity

_ORDER = ("okta", "entra", "cyberark", "vault")
_NAMED = 20


@dataclass(frozen=True)
class Difference:
    """Against the inventory that was there: how many identities, and the first names of each sort."""

    identities: int = 0
    accounts: int = 0
    before: int = 0
    new: Tuple[int, Tuple[str, ...]] = (0, ())
    changed: Tuple[int, Tuple[str, ...]] = (0, ())
    lost: Tuple[int, Tuple[str, ...]] = (0, ())
    worse: Tuple[str, ...] = ()
    conflicts: Tuple[Conflict, ...] = field(default=())
    links: int = 0


def compile_inventory(
    gathered: Gathered,
    file: Optional[Inventory],
    target: Path,
    *,
    groups: Mapping[str, GroupRule] = {},
    most_lost: float = 5.0,
    accept: bool = False,
    dry_run: bool = False,
) -> Difference:
    """Write `target` and beside it NAME.joins.jsonl. Raises Refused when it would be worse than what is there.

    Worse: more than `most_lost` per cent of the identities would be gone with all their accounts, or an account would lose
    a break-glass or protected mark, or somebody the right to restore. `accept` writes it all the same.
    """
    report = joins_file(target)
    before = _Before(target)
    rows = {identity.id: identity for identity in file.identities} if file else {}
    joined = join(gathered, _explicit(gathered, file), KeptLinks(report), gathered.gone())
    builder = _Builder(gathered, joined, rows, before, groups)
    whole, joins = Whole(target), Whole(report)
    with whole as out, joins as told:
        write_identities(out, builder.identities(told))
        aliases = {**builder.aliases, **(dict(file.aliases) if file else {})}
        written = {account.key for row in rows.values() for account in row.accounts}
        aliases = {alias: name for alias, name in aliases.items() if alias not in written}
        restorers = sorted(file.restorers) if file else []
        write_end(out, aliases, restorers)
        _tell(told, joined)
        found = before.compare(builder, frozenset(restorers), most_lost, joined)
        if found.worse and not accept and not dry_run:
            what = "; ".join(found.worse)
            raise Refused(f"the new inventory would be worse: {what}. Nothing was written. Look, then say --accept")
        if not dry_run:
            joins.keep()
            whole.keep()
    return found


def joins_file(target: Path) -> Path:
    """The report of the joins of an inventory."""
    return target.with_suffix(".joins.jsonl")


class KeptLinks:
    """The links of the last time, none when there was none; as often as they are asked for. Raises BadInventory."""

    def __init__(self, report: Path) -> None:
        self._report = report

    def __iter__(self) -> Iterator[Link]:
        if not self._report.exists():
            return
        with self._report.open(encoding="utf-8") as lines:
            for line in lines:
                if line.startswith('{"link"'):
                    try:
                        a, b, rank, evidence = json.loads(line)["link"]
                        yield Link(str(a), str(b), Rank[rank], str(evidence))
                    except (ValueError, KeyError, TypeError):
                        remedy = "restore it, or remove it: then links whose evidence is gone are lost"
                        raise BadInventory("holds a line that is no link", place=str(self._report), remedy=remedy) from None


def _explicit(gathered: Gathered, file: Optional[Inventory]) -> List[Explicit]:
    """The rows of the file; an alias there that names one account of a vendor means that account."""
    aliases: Dict[str, List[str]] = {}
    for alias, name in (file.aliases if file else {}).items():
        owner = gathered.owner(alias)
        if owner is not None:
            aliases.setdefault(name, []).append(owner)
    return [
        Explicit(
            identity.id,
            tuple(dict.fromkeys([*(account.key for account in identity.accounts), *aliases.get(identity.id, ())])),
            identity.protected or identity.break_glass or identity.canary,
        )
        for identity in (file.identities if file else ())
    ]


class _Builder:
    """Makes the identities one after another, and counts them."""

    def __init__(
        self,
        gathered: Gathered,
        joined: Joined,
        rows: Mapping[str, Identity],
        before: _Before,
        groups: Mapping[str, GroupRule],
    ) -> None:
        self._gathered, self._joined, self._rows, self._before, self._groups = gathered, joined, rows, before, groups
        self.aliases: Dict[str, str] = {}
        self.accounts = 0
        self._used: Set[str] = set(rows)
        self.closed: Set[str] = set()
        self.glass: Set[str] = set()
        self.count = 0

    def identities(self, told: TextIO) -> Iterator[Identity]:
        done: Set[str] = set()
        for group in self._joined.groups:
            row = self._rows.get(self._joined.rows.get(group[0], ""))
            found = [one for one in map(self._gathered.observed, group) if one is not None]
            accounts = _accounts(group, {one.seen.account.key: one.seen.account for one in found}, row)
            dependents = sorted(
                {self._gathered.name(user) for key in group for user in self._gathered.users_of(key) if user not in group}
            )
            name = row.id if row is not None else self._name(accounts)
            done.add(name)
            described = describe(name, accounts, found, row, dependents, self._groups)
            for one in found:
                self.aliases.update(dict.fromkeys(self._gathered.clear_aliases(one.seen), name))
            if described.reasons:
                told.write(json.dumps({"identity": name, "why": dict(described.reasons)}) + "\n")
            yield self._counted(described.identity)
        for name, row in self._rows.items():
            if name not in done:  # its accounts are claimed twice: the file is asked for, not guessed
                yield self._counted(row)

    def _counted(self, identity: Identity) -> Identity:
        self.count += 1
        keys = [account.key for account in identity.accounts]
        self.accounts += len(keys)
        if identity.break_glass:
            self.glass.update(keys)
        if identity.protected:
            self.closed.update(keys)
        self._before.note(identity)
        return identity

    def _name(self, accounts: List[Account]) -> str:
        """The id that it had before, so that containments know it again; else the key of its first account."""
        known = [self._before.identity(account.key) for account in accounts]
        for name in [*(name for name in known if name), *(account.key for account in accounts)]:
            if name not in self._used:
                self._used.add(name)
                return name
        raise Refused(f"two identities would both be called {accounts[0].key}. Give one of them a row in your file")


def _accounts(group: Tuple[str, ...], seen: Mapping[str, Account], row: Optional[Identity]) -> List[Account]:
    """The accounts of a group as the file writes them, else as they were seen; the first vendor's first."""
    known = {**seen, **({account.key: account for account in row.accounts} if row else {})}
    found = [known[key] for key in group if key in known]
    return sorted(found, key=lambda a: (_ORDER.index(a.vendor) if a.vendor in _ORDER else len(_ORDER), a.key))


class _Before:
    """The inventory that was there, in a temporary SQLite file."""

    def __init__(self, target: Path) -> None:
        self._db = sqlite3.connect("", isolation_level=None)
        self._db.executescript(
            "create table was (key text primary key, identity text) without rowid;"
            "create table one (identity text primary key, digest text, glass int, closed int, now text) without rowid;"
        )
        self._db.execute("begin")
        self._restorers = read_identities(target, self._take) if target.exists() else ()
        self._db.execute("commit")
        self._db.execute("begin")
        self._new: List[str] = []
        self._changed: List[str] = []
        self._counts = [0, 0]

    def _take(self, identity: Identity) -> None:
        values = (identity.id, _digest(identity), identity.break_glass, identity.protected)
        self._db.execute("insert or ignore into one values (?,?,?,?,null)", values)
        self._db.executemany("insert or ignore into was values (?,?)", [(a.key, identity.id) for a in identity.accounts])

    def identity(self, key: str) -> Optional[str]:
        found = self._db.execute("select identity from was where key=?", (key,)).fetchone()
        return found[0] if found else None

    def note(self, identity: Identity) -> None:
        """Compare one identity with what it was, and remember that its accounts are still somebody's."""
        row = self._db.execute("select digest from one where identity=?", (identity.id,)).fetchone()
        if row is None:
            self._counts[0] += 1
            self._new.extend([identity.id] if len(self._new) < _NAMED else [])
        elif row[0] != _digest(identity):
            self._counts[1] += 1
            self._changed.extend([identity.id] if len(self._changed) < _NAMED else [])
        for account in identity.accounts:
            self._db.execute("update one set now='1' where identity=(select identity from was where key=?)", (account.key,))

    def compare(self, builder: _Builder, restorers: FrozenSet[str], most_lost: float, joined: Joined) -> Difference:
        names = [n for (n,) in self._db.execute("select identity from one where now is null order by identity")]
        (count,) = self._db.execute("select count(*) from one").fetchone()
        worse = []
        if count and 100.0 * len(names) / count > most_lost:
            worse.append(f"{len(names)} of {count} identities would be gone with all their accounts")
        for column, kept, what in (("glass", builder.glass, "break-glass"), ("closed", builder.closed, "protected")):
            wanted = f"select key from was join one using (identity) where {column} order by key"  # noqa: S608 - two columns
            lost = [key for (key,) in self._db.execute(wanted) if key not in kept]
            if lost:
                worse.append(f"{len(lost)} accounts would lose the mark {what}: {', '.join(lost[:5])}")
        gone = sorted(set(self._restorers) - restorers)
        if gone:
            worse.append(f"{len(gone)} people could not restore any more: {', '.join(gone[:5])}")
        self._db.execute("commit")
        return Difference(
            builder.count, builder.accounts, count, (self._counts[0], tuple(self._new)),
            (self._counts[1], tuple(self._changed)), (len(names), tuple(names[:_NAMED])), tuple(worse), joined.conflicts,
            len(joined.links),
        )  # fmt: skip


def _digest(identity: Identity) -> str:
    return hashlib.sha256(json.dumps(to_json(identity), sort_keys=True).encode()).hexdigest()[:32]


def _tell(told: TextIO, joined: Joined) -> None:
    for conflict in joined.conflicts:
        told.write(json.dumps({"conflict": to_json(conflict)}, sort_keys=True) + "\n")
    for link in joined.links:
        told.write(json.dumps({"link": [link.a, link.b, link.rank.name, link.evidence]}) + "\n")
