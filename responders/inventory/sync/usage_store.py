"""What logs showed in use, kept beside the raw observations: one row for each account, thing and origin, with its days.

An answer takes the place of what the same origin said of that day only where it counts more, so that windows may overlap
and files may be read twice: nothing counts twice, and the order changes nothing. Days are forgotten after some time, and
each account keeps so many things and no more, those that are used on most days: a flood of names is of one day.
"""

from __future__ import annotations

import json
import sqlite3
from dataclasses import dataclass
from datetime import datetime, timezone
from pathlib import Path
from typing import Any, Dict, Iterable, Iterator, Optional, Sequence, Tuple

from responders.errors import InventoryError
from responders.inventory.observation import Reaches
from responders.inventory.sync.usage import ACCOUNTS, DAY, THINGS, Usage
from responders.sqlite_file import SqliteFile, open_wal

THINGS_OF_ONE = 200
"""Things of one account that are kept."""
ALL = 300_000
"""Rows that are kept."""
_USERS = 1000
"""Users of one account that are looked at."""
_LEASES = 20
_BUSY = 60.0
_TABLES = """
create table if not exists used (account text, what text, object text, origin text, days text, first real, last real,
  leases text, spread int, primary key (account, what, object, origin)) without rowid;
create index if not exists used_object on used (object);
create table if not exists used_until (origin text primary key, mark text) without rowid;
"""
_SELECT = "select account, what, object, days, first, last, leases from used "
_ORDER = "order by account, what, object"
_ONE = "select days, first, last, leases from used where account=? and what=? and object=? and origin=?"
_SHORTEN = """
update used set days=?, spread=?, first=max(first, ?) where account=? and what=? and object=? and origin=?
"""
_FORGET = "delete from used where account=? and what=? and object=? and origin=?"
_TOO_MANY = """
delete from used where (account, what, object, origin) in (select account, what, object, origin from used
  order by spread desc, last desc, account, object limit -1 offset ?)
"""
_TOO_MANY_OF_ONE = """
delete from used where (account, what, object, origin) in (select account, what, object, origin from (select *,
  row_number() over (partition by account, origin order by spread desc, last desc, object) as place from used) where place>?)
"""


@dataclass(frozen=True)
class Used:
    """Everything known of one account's use of one thing. `days` is how often on each day; times are epoch seconds."""

    account: str
    what: str
    object: str
    days: Tuple[Tuple[int, int], ...]
    first: float
    last: float
    leases: int = 0

    @property
    def reaches(self) -> Reaches:
        """This as an observation of the account, beside what its vendor says that it reaches."""
        count = sum(count for _, count in self.days)
        name = f"{self.object} ({self.leases} leases)" if self.leases else self.object
        what = "path" if self.what == "path" else "used"
        return Reaches(self.account, what, self.object, name, False, count, day_text(self.last))


class UsageStore(SqliteFile):
    """One connection. Raises InventoryError when the file can't be used."""

    def __init__(self, path: Path) -> None:
        try:
            self._db = open_wal(path, _BUSY)
            self._db.executescript(_TABLES)
        except sqlite3.Error as error:
            raise InventoryError(f"{path}: the store of what is in use can't be used ({error})") from None

    def merge(self, origin: str, uses: Iterable[Usage]) -> int:
        """Take in what an origin says of whole days; how many uses that were."""
        return self._take(origin, ((use, ()) for use in uses), max)

    def add(self, origin: str, uses: Iterable[Tuple[Usage, Sequence[str]]], mark: str) -> int:
        """Take in what comes on top of what the origin said before, with leases, and how far it was read: all or nothing."""
        return self._take(origin, uses, lambda old, new: old + new, mark)

    def mark(self, origin: str) -> str:
        """How far an origin was read, "" when it never was."""
        found = self._db.execute("select mark from used_until where origin=?", (origin,)).fetchone()
        return str(found[0]) if found else ""

    def set_mark(self, origin: str, mark: str) -> None:
        self._db.execute("insert or replace into used_until values (?,?)", (origin, mark))

    def trim(self, now: float, keep_days: int) -> int:
        """Forget days that are older, and what is too much; how many rows were too much."""
        oldest = int(now // DAY) - keep_days
        with self._transaction():
            old = ((oldest + 1) * DAY,)
            rows = self._db.execute("select account, what, object, origin, days from used where first<?", old).fetchall()
            for *key, text in rows:
                days = {day: count for day, count in _days(text).items() if day > oldest}
                if days:
                    self._db.execute(_SHORTEN, (_text(days), len(days), min(days) * DAY, *key))
                else:
                    self._db.execute(_FORGET, key)
            much = self._db.execute(_TOO_MANY_OF_ONE, (THINGS_OF_ONE,)).rowcount
            much += self._db.execute(_TOO_MANY, (ALL,)).rowcount
        return much

    # -- what is known ------------------------------------------------------------------------------------

    def everything(self) -> Iterator[Used]:
        """All of it, by account."""
        return _joined(self._db.execute(_SELECT + _ORDER))

    def by_account(self, key: str) -> Tuple[Used, ...]:
        """What an account uses, what is used on most days first."""
        return _ordered(_joined(self._db.execute(f"{_SELECT} where account=? {_ORDER}", (key,))))

    def users_of(self, key: str) -> Tuple[Tuple[Used, ...], int]:
        """Who uses the account of that key, or the thing (`vendor:tenant:sort:name`), on most days; and how many in all.

        An application that a whole company signs in to has more users than anybody reads of.
        """
        marks = ",".join("?" * len(ACCOUNTS))
        found, count = self._using(f"object=? and what in ({marks})", (key, *ACCOUNTS))
        vendor, tenant, what, name = [*key.split(":", 3), "", "", ""][:4]
        if what in THINGS:
            place = f"{vendor}:{tenant}:"
            more, others = self._using("object=? and what=? and substr(account, 1, ?)=?", (name, what, len(place), place))
            found, count = (*found, *more), count + others
        return _ordered(found), count

    def _using(self, which: str, values: Tuple[Any, ...]) -> Tuple[Tuple[Used, ...], int]:
        rows = self._db.execute(f"{_SELECT} where {which} order by spread desc, last desc limit ?", (*values, _USERS))
        found = tuple(_joined(sorted(rows)))
        if len(found) < _USERS:
            return found, len({used.account for used in found})
        (count,) = self._db.execute(f"select count(distinct account) from used where {which}", values).fetchone()  # noqa: S608
        return found, int(count)

    def sessions(self, least_days: int, most: int) -> Tuple[Used, ...]:
        """Sessions of roles, those of most days first."""
        wanted = f"{_SELECT} where what='session' and spread>=? {_ORDER}"
        return _ordered(_joined(self._db.execute(wanted, (least_days,))))[:most]

    def empty(self) -> bool:
        return self._db.execute("select 1 from used limit 1").fetchone() is None

    def _take(self, origin: str, uses: Iterable[Tuple[Usage, Sequence[str]]], merged: Any, mark: str = "") -> int:
        taken = 0
        with self._transaction():
            for use, leases in uses:
                taken += 1
                key = (use.account, use.what, use.object, origin)
                old = self._db.execute(_ONE, key).fetchone() or ("{}", use.first, use.last, "[]")
                days, held = _days(old[0]), list(dict.fromkeys([*json.loads(old[3]), *leases]))[-_LEASES:]
                days[use.day] = merged(days.get(use.day, 0), use.count)
                self._db.execute("insert or replace into used values (?,?,?,?,?,?,?,?,?)",
                                 (*key, _text(days), min(old[1], use.first), max(old[2], use.last), json.dumps(held),
                                  len(days)))  # fmt: skip
            if mark:
                self.set_mark(origin, mark)
        return taken


def _joined(rows: Iterable[Sequence[Any]]) -> Iterator[Used]:
    """Rows of one account and thing, which differ in their origin, as one: of each day what counts most."""
    held: Optional[Tuple[str, str, str]] = None
    days: Dict[int, int] = {}
    first = last = 0.0
    leases = 0
    for account, what, name, text, begun, ended, leased in rows:
        if held != (account, what, name):
            if held is not None:
                yield Used(*held, tuple(sorted(days.items())), first, last, leases)
            held, days, first, last, leases = (account, what, name), {}, begun, ended, 0
        for day, count in _days(text).items():
            days[day] = max(days.get(day, 0), count)
        first, last, leases = min(first, begun), max(last, ended), max(leases, len(json.loads(leased)))
    if held is not None:
        yield Used(*held, tuple(sorted(days.items())), first, last, leases)


def _ordered(found: Iterable[Used]) -> Tuple[Used, ...]:
    return tuple(sorted(found, key=lambda used: (-len(used.days), -used.last, used.account, used.what, used.object)))


def _days(text: str) -> Dict[int, int]:
    return {int(day): int(count) for day, count in json.loads(text).items()}


def _text(days: Dict[int, int]) -> str:
    return json.dumps({str(day): days[day] for day in sorted(days)}, separators=(",", ":"))


def day_text(at: float) -> str:
    """The day of a time in epoch seconds, as ISO 8601 in UTC."""
    return datetime.fromtimestamp(at, timezone.utc).strftime("%Y-%m-%d")
