"""The raw observations, a SQLite file beside the inventory: what each vendor showed, and how far a reading came.

Pages go to `staged`, with the cursor that leads on, in one transaction each: a reading that was killed goes on there. Only
when every list of a vendor was read to its end do they take the place of what was known, all in one transaction. What a
complete list does not hold any more is marked gone, and is kept for some days.
"""

from __future__ import annotations

import hashlib
import json
import os
import sqlite3
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Dict, Iterator, List, Optional, Sequence, Tuple

from responders.errors import InventoryError
from responders.inventory.sync.source import Listing, Row
from responders.sqlite_file import SqliteFile, open_wal

_TABLES = """
create table if not exists rows (place text, listing text, id text, parent text, body text, seen real, gone real,
  primary key (place, listing, id)) without rowid;
create table if not exists staged (place text, listing text, id text, parent text, body text, removed int,
  primary key (place, listing, id)) without rowid;
create table if not exists progress (place text, listing text, mode text, cursor text, started real, done int, delta text,
  base text, since real, primary key (place, listing)) without rowid;
create table if not exists cursors (place text, listing text, cursor text, primary key (place, listing, cursor))
  without rowid;
create table if not exists state (place text, listing text, began real, full real, delta text, refused text,
  primary key (place, listing)) without rowid;
"""
_NO_MARK = "(s.parent='' or s.id<>s.parent||'/')"
"""A row `parent/` of a daily listing says that the parent's list was read: `seen` when, `stamp` what the parent was then."""
_PARTS = 500
_BUSY = 60.0
"""Seconds that another thread or process may hold the file."""


@dataclass(frozen=True)
class Progress:
    """How far a listing came. `mode` is full, delta or part (of a daily listing: some parents' lists, each whole); `base`
    is the delta it began with.

    `since` is when the last complete one began.
    """

    mode: str
    cursor: str
    done: bool
    resumed: bool
    started: float
    base: str
    since: float


@dataclass(frozen=True)
class Taken:
    """What publishing one vendor changed, in rows."""

    new: int = 0
    changed: int = 0
    gone: int = 0
    forgotten: int = 0


class RawStore(SqliteFile):
    """One connection; each thread opens its own. Raises InventoryError when the file can't be used."""

    def __init__(self, path: Path) -> None:
        self.path = path
        try:
            # Names and addresses of all people: for the owner's eyes only.
            os.close(os.open(path, os.O_CREAT | os.O_RDWR, 0o600))
            self._db = open_wal(path, _BUSY)
            self._db.execute("pragma synchronous = normal")
            self._db.executescript(_TABLES)
        except (OSError, sqlite3.Error) as error:
            raise InventoryError(
                f"{path}: the store of raw observations can't be used ({error}). Name another --state"
            ) from None

    # -- reading a listing --------------------------------------------------------------------------------

    def begin(self, place: str, listing: Listing, now: float, *, full: bool, full_every: float, stale: float) -> Progress:
        """Take up a listing where it was left, or begin it anew when it was left more than `stale` seconds ago."""
        row = self._one("select mode, cursor, done, started, base, since from progress where place=? and listing=?",
                        place, listing.name)  # fmt: skip
        if row is not None and now - row[3] <= stale and not (full and row[0] == "delta"):
            return Progress(row[0], row[1], bool(row[2]), True, row[3], row[4], row[5])
        self.drop(place, listing.name)
        state = self._one("select began, full, delta from state where place=? and listing=?", place, listing.name)
        # Without a time it was refused so far, and never read.
        old = state is None or state[1] is None or now - state[1] >= full_every
        whole = full or old or not (listing.delta or listing.stamp)
        base, since = ("", 0.0) if whole or state is None else (state[2], state[0])
        mode = "full" if whole or (listing.delta and not base and not since) else "delta"
        mode = "part" if listing.daily else mode
        self._db.execute("insert into progress values (?,?,?,?,?,?,?,?,?)",
                         (place, listing.name, mode, "", now, 0, "", base, since))  # fmt: skip
        return Progress(mode, "", False, False, now, base, since)

    def add(self, place: str, listing: str, rows: Sequence[Row], *, cursor: str, done: bool, delta: str) -> int:
        """Stage a page and where it leads to; how many of its rows were not staged before."""
        mode = self._mode(place, listing)
        with self._transaction():
            known = self._known(place, listing, [row.id for row in rows])
            self._db.executemany(
                "insert into staged values (?,?,?,?,?,?) on conflict do update set parent=excluded.parent, body=case when "
                "?<>'delta' or staged.removed or excluded.removed then excluded.body "
                "else json_patch(staged.body, excluded.body) end, removed=excluded.removed",
                [(place, listing, row.id, row.parent, _text(row.body), int(row.removed), mode) for row in rows],
            )
            self._db.execute("update progress set cursor=?, done=?, delta=? where place=? and listing=?",
                             (cursor, int(done), delta, place, listing))  # fmt: skip
            if cursor:
                self._db.execute("insert or ignore into cursors values (?,?,?)", (place, listing, _hash(cursor)))
        return len({row.id for row in rows} - known)

    def was_at(self, place: str, listing: str, cursor: str) -> bool:
        """True when this reading was led to that cursor before."""
        wanted = "select 1 from cursors where place=? and listing=? and cursor=?"
        return self._one(wanted, place, listing, _hash(cursor)) is not None

    def drop(self, place: str, listing: str) -> None:
        """Forget what was staged of a listing."""
        with self._transaction():
            for table in ("staged", "progress", "cursors"):
                self._db.execute(f"delete from {table} where place=? and listing=?", (place, listing))  # noqa: S608 - ours

    def staged_count(self, place: str, listing: str) -> int:
        text = f"select count(*) from staged s where place=? and listing=? and not removed and {_NO_MARK}"  # noqa: S608 - ours
        found = self._one(text, place, listing)
        return int(found[0]) if found else 0

    def parents(self, place: str, listing: str, after: str, count: int) -> List[Row]:
        """Rows of a listing as they will be once it is published, by id."""
        return self._future(place, listing, ">", after, count)

    def parent(self, place: str, listing: str, name: str) -> Optional[Row]:
        """One of these rows, None when it is gone."""
        return next(iter(self._future(place, listing, "=", name, 1)), None)

    def _future(self, place: str, listing: str, how: str, name: str, count: int) -> List[Row]:
        at = {"p": place, "l": listing, "a": name, "n": count}
        if self._mode(place, listing) == "full":
            found = self._db.execute(
                f"select id, body, parent from staged where place=:p and listing=:l and id{how}:a and not removed "  # noqa: S608
                "order by id limit :n", at,
            )  # fmt: skip
        else:
            # A delta may leave out what did not change: it is laid over what is known.
            found = self._db.execute(
                "select id, body, parent from (select s.id, s.parent, s.removed, case when r.gone is null and r.body is not "  # noqa: S608
                "null then json_patch(r.body, s.body) else s.body end as body from staged s left join rows r on "
                f"r.place=s.place and r.listing=s.listing and r.id=s.id where s.place=:p and s.listing=:l and s.id{how}:a "
                f"union all select id, parent, 0, body from rows where place=:p and listing=:l and id{how}:a "
                "and gone is null and id not in (select id from staged where place=:p and listing=:l)) "
                "where not removed order by id limit :n", at,
            )  # fmt: skip
        return [Row(name, json.loads(body), parent) for name, body, parent in found]

    def due(self, place: str, listing: Listing, before: float) -> List[str]:
        """Ids of the parents whose list is to be read: new and changed ones, then those read before `before` (epoch
        seconds), the oldest first. What this reading has staged already is left out."""
        found: List[Tuple[float, str]] = []
        after = ""
        while True:
            parents = self.parents(place, listing.of, after, _PARTS)
            if not parents:
                return [name for _, name in sorted(found)]
            names = [f"{parent.id}/" for parent in parents]
            staged, marks = self._known(place, listing.name, names), self._marks(place, listing.name, names)
            for parent, name in zip(parents, names):
                seen, stamp = marks.get(name, (0.0, ""))
                if name not in staged and (stamp != stamp_of(listing, parent) or seen < before):
                    found.append((seen if stamp == stamp_of(listing, parent) else 0.0, parent.id))
            after = parents[-1].id

    def _marks(self, place: str, listing: str, names: Sequence[str]) -> Dict[str, Tuple[float, str]]:
        marks = ",".join("?" * len(names))
        found = self._db.execute(
            f"select id, seen, body from rows where place=? and listing=? and gone is null and id in ({marks})",  # noqa: S608
            (place, listing, *names),
        )
        return {name: (seen, json.loads(body).get("stamp", "")) for name, seen, body in found}

    def known(self, place: str, listing: str, name: str) -> Optional[Row]:
        """A row as it was published last."""
        found = self._one("select body, parent from rows where place=? and listing=? and id=? and gone is null",
                          place, listing, name)  # fmt: skip
        return None if found is None else Row(name, json.loads(found[0]), found[1])

    def children(self, place: str, listing: str, parent: str) -> List[str]:
        """Ids of the published rows below a parent."""
        found = self._db.execute("select id from rows where place=? and listing=? and parent=? and id>=? and id<?",
                                 (place, listing, parent, parent + "/", parent + "0"))  # fmt: skip
        return [name for (name,) in found]

    # -- taking it over -----------------------------------------------------------------------------------

    def publish(self, place: str, listings: Sequence[Listing], refused: Dict[str, str], now: float, keep: float) -> Taken:
        """Let what was read of a vendor take the place of what was known, all at once. `keep`: seconds for what is gone."""
        new = changed = gone = forgotten = 0
        with self._transaction():
            for listing in listings:
                if listing.name in refused:
                    self._state(place, listing.name, refused=refused[listing.name])
                    continue
                row = self._one("select mode, started, delta, done from progress where place=? and listing=?",
                                place, listing.name)  # fmt: skip
                if row is None or not row[3]:
                    raise InventoryError(f"{place}: {listing.name} was not read to its end: nothing is taken over")
                mode, started, delta, _ = row
                at = {"p": place, "l": listing.name, "n": now, "m": mode}
                new += self._count(
                    f"select count(*) from staged s where place=:p and listing=:l and not removed and {_NO_MARK} and "  # noqa: S608
                    "not exists "
                    "(select 1 from rows r where r.place=s.place and r.listing=s.listing and r.id=s.id and r.gone is null)",
                    at,
                )
                changed += self._count(
                    "select count(*) from staged s join rows r using (place, listing, id) where s.place=:p and s.listing=:l "  # noqa: S608
                    f"and not s.removed and r.gone is null and {_NO_MARK} and "
                    "case when :m='delta' then json_patch(r.body, s.body) else s.body end <> r.body",
                    at,
                )
                self._db.execute(
                    "insert into rows select place, listing, id, parent, body, :n, null from staged where place=:p and "
                    "listing=:l and not removed on conflict do update set parent=excluded.parent, seen=excluded.seen, "
                    "body=case when :m='delta' and rows.gone is null then json_patch(rows.body, excluded.body) "
                    "else excluded.body end, gone=null",
                    at,
                )
                gone += self._db.execute(
                    "update rows set gone=:n where place=:p and listing=:l and gone is null and case when :m='full' "
                    "then id not in (select id from staged where place=:p and listing=:l) "
                    "else id in (select id from staged where place=:p and listing=:l and removed) end",
                    at,
                ).rowcount
                if listing.of:
                    gone += self._db.execute(
                        "update rows set gone=:n where place=:p and listing=:l and gone is null and parent in "
                        "(select id from rows where place=:p and listing=:o and gone is not null)",
                        {**at, "o": listing.of},
                    ).rowcount
                self._state(place, listing.name, began=started, delta=delta, full=started if mode == "full" else None)
            forgotten = self._db.execute("delete from rows where place=? and gone<?", (place, now - keep)).rowcount
            for table in ("staged", "progress", "cursors"):
                self._db.execute(f"delete from {table} where place=?", (place,))  # noqa: S608 - ours
        return Taken(new, changed, gone, forgotten)

    def put(self, place: str, listing: str, rows: Sequence[Row], mark: str, now: float) -> None:
        """Let these rows be a listing that comes from no vendor's API; `mark` is how far its source was read."""
        with self._transaction():
            self._db.execute("delete from rows where place=? and listing=?", (place, listing))
            self._db.executemany(
                "insert into rows values (?,?,?,?,?,?,null)",
                [(place, listing, row.id, row.parent, _text(row.body), now) for row in rows],
            )
            self._state(place, listing, began=now, delta=mark)

    def mark(self, place: str, listing: str) -> str:
        """How far the source of a listing was read, "" when it never was."""
        found = self._one("select delta from state where place=? and listing=?", place, listing)
        return str(found[0]) if found and found[0] else ""

    # -- what is known ------------------------------------------------------------------------------------

    def places(self) -> Tuple[str, ...]:
        """Every `vendor:tenant` of which something was taken over."""
        return tuple(place for (place,) in self._db.execute("select distinct place from rows order by place"))

    def rows(self, place: str, listing: str) -> Iterator[Tuple[Row, Optional[float]]]:
        """Every published row of a listing, by id, with since when it is gone."""
        reader = self._db.execute("select id, parent, body, gone from rows where place=? and listing=? order by id",
                                  (place, listing))  # fmt: skip
        for name, parent, body, gone in reader:
            if not parent or name != f"{parent}/":
                yield Row(name, json.loads(body), parent), gone

    def read_at(self, place: str) -> Optional[float]:
        """When the oldest list of a place that was taken over began, None when there is none."""
        found = self._one("select min(began) from state where place=? and began is not null", place)
        return found[0] if found else None

    def refused(self, place: str) -> Dict[str, str]:
        """What the place did not let us list the last time, and why."""
        return dict(
            self._db.execute("select listing, refused from state where place=? and refused<>'' order by 1", (place,))
        )

    def _known(self, place: str, listing: str, names: Sequence[str]) -> frozenset[str]:
        found: List[str] = []
        for start in range(0, len(names), _PARTS):
            part = names[start : start + _PARTS]
            marks = ",".join("?" * len(part))
            found.extend(
                name
                for (name,) in self._db.execute(
                    f"select id from staged where place=? and listing=? and id in ({marks})",  # noqa: S608 - marks
                    (place, listing, *part),
                )
            )
        return frozenset(found)

    def _mode(self, place: str, listing: str) -> str:
        found = self._one("select mode from progress where place=? and listing=?", place, listing)
        return found[0] if found else "delta"

    def _state(self, place: str, listing: str, *, began: Optional[float] = None, full: Optional[float] = None,
               delta: Optional[str] = None, refused: str = "") -> None:  # fmt: skip
        self._db.execute(
            "insert into state values (?,?,?,?,?,?) on conflict do update set began=coalesce(excluded.began, began), "
            "full=coalesce(excluded.full, full), delta=coalesce(excluded.delta, delta), refused=excluded.refused",
            (place, listing, began, full, delta, refused),
        )

    def _count(self, text: str, values: Dict[str, Any]) -> int:
        return int(self._db.execute(text, values).fetchone()[0])

    def _one(self, text: str, *values: Any) -> Any:
        return self._db.execute(text, values).fetchone()


def stamp_of(listing: Listing, parent: Row) -> str:
    """What changes when the parent does: the field that its listing names, else all of it."""
    return str(parent.body.get(listing.stamp, "")) if listing.stamp else _hash(_text(parent.body))


def mark(listing: Listing, parent: Row) -> Row:
    """The row that says that a parent's list was read."""
    return Row(f"{parent.id}/", {"stamp": stamp_of(listing, parent)}, parent.id)


def _text(body: Any) -> str:
    return json.dumps(body, sort_keys=True, separators=(",", ":"), ensure_ascii=True)


def _hash(cursor: str) -> str:
    return hashlib.sha256(cursor.encode("utf-8", "surrogatepass")).hexdigest()[:32]
