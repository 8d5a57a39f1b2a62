"""Reads all lists of a vendor, page by page, within its rate limits, and takes them over when each came to its end."""

from __future__ import annotations

import math
import time
from dataclasses import dataclass, field
from typing import Callable, Dict, List, Mapping, Tuple

from responders.errors import BadAnswer, Forbidden, NotFound, Permanent, RateLimited, Unavailable, VendorError
from responders.inventory.sync.raw import Progress, RawStore, Taken, mark
from responders.inventory.sync.source import At, Listing, Page, Row, Source
from responders.model import Tier
from responders.vendors.budget import calling_for

_STALE = 86400.0
"""Seconds: a reading that was left longer ago is begun anew; what it staged is too old to be believed."""
_STORM = 20
"""So many 429 for one page: the vendor is left for now."""
_SILENCE = 5
_LONGEST = 300.0
_TOO_LONG = 900.0
"""Seconds: a vendor that makes us wait longer is left for now, so that the others are joined."""
_NOTHING_NEW = 50
"""Pages in a row without a new row: the vendor leads in a circle."""
_RESTART = (400, 410)
"""Statuses by which vendors refuse a cursor or delta link that is too old. Source: Microsoft Graph, "Use delta query":
410, and 400 `syncStateNotFound` for directory objects; Okta answers 400 to an `after` that it does not know."""


@dataclass(frozen=True)
class Told:
    """How a reading goes: for the progress shown. `waiting` is how many seconds the vendor makes us wait, 0 for none."""

    place: str
    listing: str
    rows: int
    waiting: float = 0.0


@dataclass(frozen=True)
class Read:
    """What became of one vendor. `failed` is why nothing of it was taken over, `refused` what it does not let us list.

    `left` is for how many parents a daily listing (of `Listing`) is left to the next run, which goes on with them.
    """

    place: str
    rows: Mapping[str, int] = field(default_factory=dict)
    taken: Taken = field(default_factory=Taken)
    refused: Mapping[str, str] = field(default_factory=dict)
    failed: str = ""
    calls: int = 0
    seconds: float = 0.0
    left: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True)
class How:
    """`full` reads everything anew; else so much as `full_every` seconds ago. `keep`: seconds for what is gone.

    `patience`: after so many seconds no further list of a daily listing is begun, but with `full`.
    """

    full: bool = False
    full_every: float = 86400.0
    keep: float = 30 * 86400.0
    patience: float = 480.0
    now: Callable[[], float] = time.time
    sleep: Callable[[float], None] = time.sleep
    tell: Callable[[Told], None] = lambda told: None


def read(source: Source, store: RawStore, how: How) -> Read:
    """Read one vendor. A vendor's failure is told, not raised: the others go on, and this one is taken up where it was."""
    began = how.now()
    reader = _Reader(source, store, how)
    # The last part of each rate limit is a containment's: the sync waits first.
    with calling_for(Tier.OBSERVE):
        try:
            for listing in source.listings:
                reader.listing(listing)
            taken = store.publish(source.place, source.listings, reader.refused, how.now(), how.keep)
        except VendorError as error:
            return Read(source.place, reader.rows, refused=reader.refused, failed=str(error), calls=reader.pages,
                        seconds=how.now() - began)  # fmt: skip
    return Read(source.place, reader.rows, taken, reader.refused, "", reader.pages, how.now() - began, reader.left)


class _Reader:
    def __init__(self, source: Source, store: RawStore, how: How) -> None:
        self.source, self.store, self.how = source, store, how
        self.rows: Dict[str, int] = {}
        self.refused: Dict[str, str] = {}
        self.left: Dict[str, int] = {}
        self.pages = 0
        self._until = math.inf if how.full else how.now() + how.patience

    def listing(self, listing: Listing) -> None:
        if listing.of in self.refused:
            self.refused[listing.name] = f"{listing.of} could not be listed"
            return
        try:
            self._from(listing, full=self.how.full)
        except (Forbidden, NotFound) as error:
            self.store.drop(self.source.place, listing.name)
            if listing.needed:
                raise
            self.refused[listing.name] = str(error)

    def _from(self, listing: Listing, *, full: bool, again: bool = True) -> None:
        place, how = self.source.place, self.how
        at = self.store.begin(place, listing, how.now(), full=full, full_every=how.full_every, stale=_STALE)
        try:
            if not at.done:
                self._pages(listing, at)
        except Permanent as error:
            if again and error.status in _RESTART and (at.resumed or at.mode == "delta"):
                self.store.drop(place, listing.name)
                self._from(listing, full=True, again=False)
                return
            raise
        self.rows[listing.name] = self.store.staged_count(place, listing.name)

    def _pages(self, listing: Listing, at: Progress) -> None:
        place, how, cursor, idle, done = self.source.place, self.how, at.cursor, 0, False
        told, begun = 0, False
        # With `full` all of a daily listing is due, whenever it was read.
        due = self.store.due(place, listing, math.inf if how.full else how.now() - how.full_every) if listing.daily else []
        while not done:
            if listing.of:
                parents = self._due(listing, due, begun=begun) if listing.daily else self._parents(listing, at, cursor)
                page = self._patiently(listing, At(cursor, at.base, at.since, tuple(p for p, _ in parents)))
                rows = (*(row for _, old in parents for row in old), *page.rows)
                following, done = (parents[-1][0].id, False) if parents else ("", True)
                if listing.daily:
                    rows = (*rows, *(mark(listing, parent) for parent, _ in parents))
            else:
                page = self._patiently(listing, At(cursor, at.base, at.since))
                rows, following, done = page.rows, page.cursor, not page.cursor
            _sound(place, listing, page)
            if following and self.store.was_at(place, listing.name, following):
                raise BadAnswer(self.source.vendor, f"{listing.name}: a next page leads back to one that was read")
            new = self.store.add(place, listing.name, rows, cursor=following, done=False, delta="")
            idle = 0 if new or listing.of else idle + 1
            if idle >= _NOTHING_NEW:
                raise BadAnswer(self.source.vendor, f"{listing.name}: {idle} pages without anything new")
            told, begun = told + len(page.rows), True
            how.tell(Told(place, listing.name, told))
            cursor = following
            if done:
                count = self.store.staged_count(place, listing.name)
                if page.total is not None and at.mode == "full" and count < page.total:
                    self.store.drop(place, listing.name)  # to be read anew: nobody knows which ones are missing
                    what = f"{listing.name}: {count} of {page.total} came: half a list is no list"
                    raise BadAnswer(self.source.vendor, what)
                self.store.add(place, listing.name, (), cursor="", done=True, delta=page.delta)

    def _parents(self, listing: Listing, at: Progress, cursor: str) -> List[Tuple[Row, Tuple[Row, ...]]]:
        """The next parents that must be asked for, each with the removal of what is known below it."""
        found: List[Tuple[Row, Tuple[Row, ...]]] = []
        while len(found) < listing.batch:
            parents = self.store.parents(self.source.place, listing.of, cursor, listing.batch)
            if not parents:
                break
            for parent in parents:
                cursor = parent.id
                if at.mode == "full":
                    found.append((parent, ()))
                    continue
                known = self.store.known(self.source.place, listing.of, parent.id)
                if known is not None and listing.stamp and known.body.get(listing.stamp) == parent.body.get(listing.stamp):
                    continue
                names = self.store.children(self.source.place, listing.name, parent.id)
                found.append((parent, tuple(Row(name, {}, parent.id, removed=True) for name in names)))
            if at.mode == "full":
                break
        return found

    def _due(self, listing: Listing, due: List[str], *, begun: bool) -> List[Tuple[Row, Tuple[Row, ...]]]:
        """The next parents of a daily listing, taken from `due`; none when the time is over. One page is always read."""
        found: List[Tuple[Row, Tuple[Row, ...]]] = []
        if begun and self.how.now() >= self._until:
            self.left[listing.name] = len(due)
            return found
        while due and len(found) < listing.batch:
            parent = self.store.parent(self.source.place, listing.of, due.pop(0))
            if parent is not None:
                names = self.store.children(self.source.place, listing.name, parent.id)
                found.append((parent, tuple(Row(name, {}, parent.id, removed=True) for name in names)))
        return found

    def _patiently(self, listing: Listing, at: At) -> Page:
        """One page, waiting out rate limits and short silences."""
        if listing.of and not at.parents:
            return Page(())
        refused = silent = 0
        while True:
            try:
                self.pages += 1
                return self.source.page(listing, at)
            except RateLimited as error:
                refused += 1
                seconds = error.retry_at - self.how.now() if error.retry_at is not None else min(60.0, 2.0**refused)
                if refused >= _STORM or seconds > _TOO_LONG:
                    raise
                self._wait(listing, min(max(seconds, 0.05), _LONGEST))
            except Unavailable:
                silent += 1
                if silent >= _SILENCE:
                    raise
                self._wait(listing, 2.0**silent / 2)

    def _wait(self, listing: Listing, seconds: float) -> None:
        self.how.tell(Told(self.source.place, listing.name, self.rows.get(listing.name, 0), seconds))
        self.how.sleep(seconds)


def _sound(place: str, listing: Listing, page: Page) -> None:
    """Raise BadAnswer for a row without an id: it is a page of something else, or half of one."""
    for row in page.rows:
        if not isinstance(row.id, str) or not row.id or len(row.id) > 2048:
            raise BadAnswer(place.partition(":")[0], f"{listing.name}: an entry without an id")
