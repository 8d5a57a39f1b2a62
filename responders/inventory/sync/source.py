"""What `run` needs to know of a vendor, and what a vendor gives it: pages of rows."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Iterator, Mapping, Optional, Protocol, Tuple, Union

from responders.inventory.observation import Holds, Reaches, Seen


@dataclass(frozen=True)
class Named:
    """How a thing that is no account is called, for people: a group by its key."""

    key: str
    name: str


Observation = Union[Seen, Holds, Reaches, Named]


@dataclass(frozen=True)
class Row:
    """One object as the vendor showed it, cut to what is used and without secrets. `removed`: a delta says it is gone."""

    id: str
    body: Mapping[str, Any]
    parent: str = ""
    removed: bool = False


@dataclass(frozen=True)
class Listing:
    """A list that a vendor gives, or with `of` one list for each row of another listing, `batch` of them a page.

    `needed`: without it nothing of this vendor is taken over. `delta`: it can give what changed only. `stamp` names the
    field of the parent that changes whenever the parent's list does. `daily`: nothing tells when the parent's list changes,
    and there are too many to read all each time: it is read when the parent is new or changed, and once a day.
    """

    name: str
    of: str = ""
    batch: int = 20
    needed: bool = False
    delta: bool = False
    stamp: str = ""
    daily: bool = False


@dataclass(frozen=True)
class At:
    """Where to read on. `cursor` is "" at the beginning; `delta` what the last complete listing left, "" for all of it.

    `since` is when that listing began (epoch seconds); `parents` are the rows to list for, with `of`.
    """

    cursor: str = ""
    delta: str = ""
    since: float = 0.0
    parents: Tuple[Row, ...] = ()


@dataclass(frozen=True)
class Page:
    """`cursor` leads to the next page, "" when this was the last; `delta` to what changes from now on.

    `total` is how many rows the vendor says there are in all, where it says so.
    """

    rows: Tuple[Row, ...]
    cursor: str = ""
    delta: str = ""
    total: Optional[int] = None


class Source(Protocol):
    """One tenant of one vendor. `place` is `vendor:tenant`. `page` raises VendorError."""

    vendor: str
    place: str

    @property
    def listings(self) -> Tuple[Listing, ...]: ...

    def page(self, listing: Listing, at: At) -> Page: ...

    def close(self) -> None: ...


class Observer(Protocol):
    """Makes observations of a vendor's rows, which may have been stored long ago. Pure.

    `listings` in the order in which they are wanted: what the others need to be understood comes first.
    """

    @property
    def listings(self) -> Tuple[str, ...]: ...

    def observe(self, listing: str, row: Row) -> Iterator[Observation]: ...
