"""From accounts to identities, pure: which accounts are one person's, service's or agent's, each link with its evidence.

Ranks, each only where the one before left something open: the customer's file; what a vendor itself says of its own accounts
(a Vault entity's aliases); verified immutable keys; links of the last time; e-mail. All links of one rank are tried
together: a set of accounts that they would join wrongly is not joined at all by that rank, and is listed for a person. So
the order of the accounts changes nothing, and nothing is guessed.
"""

from __future__ import annotations

import enum
import hashlib
from dataclasses import dataclass
from typing import Dict, FrozenSet, Iterable, Iterator, List, Mapping, NamedTuple, Optional, Sequence, Set, Tuple, Union

from responders.inventory.observation import Seen

IMMUTABLE = ("subject", "immutable_id", "employee_number")
_LISTED = 20
"""A conflict names so many accounts at most; it says how many there are."""


class Rank(enum.IntEnum):
    """What a link rests on; the smaller wins."""

    FILE = 1
    VENDOR = 2
    KEY = 3
    KEPT = 4
    EMAIL = 5


@dataclass(frozen=True)
class Link:
    """Two accounts of one identity, by their keys, and why."""

    __slots__ = ("a", "b", "evidence", "rank")
    a: str
    b: str
    rank: Rank
    evidence: str


@dataclass(frozen=True)
class Conflict:
    """What a person must decide. `what` is a short name of the reason; at most 20 of `count` accounts are named."""

    what: str
    accounts: Tuple[str, ...]
    count: int
    text: str
    remedy: str = "say in your inventory file whose accounts these are"


@dataclass(frozen=True)
class Explicit:
    """One row of the customer's file. `closed`: protected, break-glass or canary; only the file adds to it."""

    identity: str
    accounts: Tuple[str, ...]
    closed: bool = False


@dataclass(frozen=True)
class Joined:
    """`groups` are the accounts of each identity, sorted; `rows` is the file row of a group, by its first account."""

    groups: Tuple[Tuple[str, ...], ...]
    rows: Mapping[str, str]
    links: Tuple[Link, ...]
    conflicts: Tuple[Conflict, ...]


def join(
    seen: Iterable[Seen], explicit: Sequence[Explicit] = (), kept: Iterable[Link] = (), gone: FrozenSet[str] = frozenset()
) -> Joined:
    """Join all accounts. `kept` are the links of the last time; accounts that are `gone` bring no keys of their own.

    `seen` is gone through twice (so no iterator): the keys of one rank at a time need half the memory.
    """
    if iter(seen) is seen:
        raise TypeError("seen must be iterable twice")
    joiner = _Joiner()
    for one in seen:
        joiner.take(one, with_keys=one.account.key not in gone)
    joiner.by_file(explicit)
    joiner.by_vendor()
    joiner.by_keys(IMMUTABLE, Rank.KEY)
    joiner.take_mail(seen, gone)
    joiner.by_kept(kept, gone)
    joiner.by_keys(("email",), Rank.EMAIL)
    joiner.holders.clear()
    return joiner.result()


class _Unit(NamedTuple):
    """What is known of a set of joined accounts. `rows` are file rows, `users` whether they are a person's sign-ins.

    `fixed` are digests of keys that differ from one identity to another (employee number, immutable id), even for the first
    of them and odd for the second. Small, for there is one an account.
    """

    places: Tuple[str, ...]
    users: FrozenSet[bool]
    fixed: Tuple[int, ...] = ()
    rows: Tuple[str, ...] = ()
    closed: bool = False


_FIXED = ("employee_number", "immutable_id")
_USERS = {None: frozenset[bool](), True: frozenset((True,)), False: frozenset((False,))}
Proposal = Tuple[int, int, str]


class _Shared:
    """A key that several accounts hold. Of those that one account holds only the digest is kept: they are the most."""

    __slots__ = ("name", "places", "value")

    def __init__(self, name: str, value: str, places: List[int]) -> None:
        self.name, self.value, self.places = name, value, places


class _Joiner:
    def __init__(self) -> None:
        self.names: List[str] = []
        self.index: Dict[str, int] = {}
        self.parent: List[int] = []
        self.units: Dict[int, _Unit] = {}
        self.holders: Dict[bytes, Union[int, _Shared]] = {}
        self.references: List[Tuple[int, str]] = []
        self._tuples: Dict[str, Tuple[str, ...]] = {}
        self.links: List[Link] = []
        self.conflicts: List[Conflict] = []

    # -- what is there ------------------------------------------------------------------------------------

    def take(self, one: Seen, *, with_keys: bool) -> None:
        account = one.account
        if account.key in self.index:
            return  # a vendor's ids are unique: the same account once more
        keys = [key for key in one.keys if key.evidence] if with_keys else []
        fixed = tuple(sorted({_digest(k.value, _FIXED.index(k.name)) for k in keys if k.name in _FIXED}))
        where = self._tuples.setdefault(f"{account.vendor}:{account.tenant}", (f"{account.vendor}:{account.tenant}",))
        place = self._add(account.key, _Unit(where, _USERS[one.user], fixed))
        for key in keys:
            if key.name == "account":
                self.references.append((place, key.value))
            elif key.name in IMMUTABLE:
                self._hold(key.name, key.value, place)

    def take_mail(self, seen: Iterable[Seen], gone: FrozenSet[str]) -> None:
        """The addresses, in the place of the keys that were dealt with. A machine's is its owner's."""
        self.holders.clear()
        for one in seen:
            if one.user is not False and one.account.key not in gone:
                for key in one.keys:
                    value = _mail(key.value) if key.name == "email" and key.evidence else None
                    if value is not None:
                        self._hold("email", value, self.index[one.account.key])

    def _hold(self, name: str, value: str, place: int) -> None:
        digest = hashlib.blake2b(f"{name}\0{value}".encode("utf-8", "surrogatepass"), digest_size=16).digest()
        found = self.holders.setdefault(digest, place)
        if isinstance(found, int) and found != place:
            self.holders[digest] = _Shared(name, value, [found, place])
        elif isinstance(found, _Shared) and place not in found.places:
            found.places.append(place)

    def _shared(self, names: Sequence[str]) -> Iterator[_Shared]:
        return (found for found in self.holders.values() if isinstance(found, _Shared) and found.name in names)

    def _add(self, key: str, unit: _Unit) -> int:
        place = len(self.names)
        self.names.append(key)
        self.index[key] = place
        self.parent.append(place)
        self.units[place] = unit
        return place

    # -- the ranks ----------------------------------------------------------------------------------------

    def by_file(self, explicit: Sequence[Explicit]) -> None:
        claims: Dict[str, Set[str]] = {}
        for row in explicit:
            for key in row.accounts:
                claims.setdefault(key, set()).add(row.identity)
        for key, rows in sorted(claims.items()):
            if len(rows) > 1:
                self._conflict("claimed twice", [key], f"the file gives it to {', '.join(sorted(rows))}")
        for row in explicit:
            mine = [key for key in sorted(set(row.accounts)) if len(claims[key]) == 1]
            for key in mine:
                if key not in self.index:
                    self._add(key, _Unit((":".join(key.split(":")[:2]),), _USERS[None]))
                root = self._root(self.index[key])
                self.units[root] = self.units[root]._replace(rows=(row.identity,), closed=row.closed)
            for key in mine[1:]:
                self._unite(self.index[mine[0]], self.index[key])
                self.links.append(Link(mine[0], key, Rank.FILE, f"your file: {row.identity}"))

    def by_vendor(self) -> None:
        """Aliases that a vendor keeps. An account that two claim, or claims that lead in a circle, join nothing."""
        owners: Dict[int, Set[int]] = {}
        for owner, key in self.references:
            if key in self.index and self.index[key] != owner:
                owners.setdefault(self.index[key], set()).add(owner)
        claimers = {owner for found in owners.values() for owner in found}
        proposals: List[Proposal] = []
        for target, found in owners.items():
            names = [self.names[owner] for owner in found]
            if len(found) > 1:
                self._conflict("claimed twice", [self.names[target], *names], "several accounts say that it is theirs")
            elif target in claimers:
                self._conflict("circle", [self.names[target], *names], "each says that the other is its alias")
            else:
                proposals.append((next(iter(found)), target, "an alias that the vendor itself keeps"))
        self._try(proposals, Rank.VENDOR)

    def by_keys(self, names: Sequence[str], rank: Rank) -> None:
        proposals: List[Proposal] = []
        for shared in self._shared(names):
            name, value, held = shared.name, shared.value, shared.places
            roots = {self._root(place) for place in held}
            places = [place for root in roots for place in self.units[root].places]
            if len(roots) > 1 and len(set(places)) < len(places):
                what = f"{_shown(name)} {value} stands at several accounts of one vendor: it proves nothing"
                self._conflict("not unique", [self.names[place] for place in held], what)
                continue
            ordered = sorted(held, key=self.names.__getitem__)
            proposals.extend((ordered[0], other, f"{_shown(name)} {value}") for other in ordered[1:])
        self._try(proposals, rank)

    def by_kept(self, kept: Iterable[Link], gone: FrozenSet[str]) -> None:
        """What was joined stays joined, unless a better rank says otherwise.

        Who can take evidence away, or make it worthless (a user who changes an address, or brings a second account with the
        same one), must not split an account off with it.
        """
        mails: Dict[int, Set[str]] = {}
        for shared in self._shared(("email",)):
            for place in shared.places:
                mails.setdefault(place, set()).add(shared.value)
        lost: List[Proposal] = []
        proposals: List[Proposal] = []
        for link in kept:
            a, b = self.index.get(link.a), self.index.get(link.b)
            if link.rank in (Rank.KEY, Rank.KEPT, Rank.EMAIL) and a is not None and b is not None:
                proposals.append((a, b, link.evidence))
                if not mails.get(a, set()) & mails.get(b, set()) and self._root(a) != self._root(b):
                    lost.append((a, b, link.evidence))
        self._try(proposals, Rank.KEPT)
        for a, b, evidence in lost:
            names = {self.names[a], self.names[b]}
            if self._root(a) == self._root(b) and not names & gone:
                what = f"they were joined by {evidence}, which they no longer share. They are kept together"
                self._conflict("evidence gone", sorted(names), what)

    # -- trying -------------------------------------------------------------------------------------------

    def _try(self, proposals: Sequence[Proposal], rank: Rank) -> None:
        """Join what these links lead to, set by set; a set that would be wrong stays apart, whole."""
        trial: Dict[int, int] = {}

        def root(node: int) -> int:
            while trial.setdefault(node, node) != node:
                trial[node] = trial[trial[node]]
                node = trial[node]
            return node

        apart = [number for number, (a, b, _) in enumerate(proposals) if self._root(a) != self._root(b)]
        for number in apart:
            a, b, _ = proposals[number]
            trial[root(self._root(a))] = root(self._root(b))
        sets: Dict[int, List[int]] = {}
        for number in apart:
            sets.setdefault(root(self._root(proposals[number][0])), []).append(number)
        trial.clear()
        for numbers in sets.values():
            members = [proposals[number] for number in numbers]
            units = {self._root(node) for a, b, _ in members for node in (a, b)}
            why = self._wrong([self.units[unit] for unit in units], rank)
            if why:
                names = [self.names[node] for a, b, _ in members for node in (a, b)]
                evidence = "; ".join(sorted({found for *_, found in members})[:3])
                self._conflict("not joined", names, f"{why} ({evidence})")
                continue
            for a, b, evidence in members:
                self._unite(a, b)
                first, second = sorted((self.names[a], self.names[b]))
                self.links.append(Link(first, second, rank, evidence))

    def _wrong(self, units: Sequence[_Unit], rank: Rank) -> str:
        """Why these sets of accounts must not become one, "" when they may."""
        rows = {row for unit in units for row in unit.rows}
        if len(rows) > 1:
            return f"your file has them apart, as {', '.join(sorted(rows)[:5])}"
        if any(unit.closed for unit in units):
            return f"{next(iter(rows))} is protected, break-glass or a canary: only your file may add to it"
        if {user for unit in units for user in unit.users} == {True, False}:
            return "a person's sign-in and a machine's"
        for odd, name in enumerate(_FIXED):
            if len({tuple(v for v in unit.fixed if v % 2 == odd) for unit in units} - {()}) > 1:
                return f"they differ in {_shown(name)}"
        places = [place for unit in units for place in set(unit.places)]
        double = sorted({place for place in places if places.count(place) > 1}) if len(places) > len(set(places)) else []
        if double and rank is not Rank.VENDOR:
            return f"two accounts of {double[0]}"
        return ""

    def _root(self, node: int) -> int:
        parent = self.parent
        while parent[node] != node:
            parent[node] = parent[parent[node]]
            node = parent[node]
        return node

    def _unite(self, a: int, b: int) -> None:
        first, second = self._root(a), self._root(b)
        if first == second:
            return
        one, other = self.units[first], self.units.pop(second)
        self.parent[second] = first
        self.units[first] = _Unit(
            self._tuples.setdefault("+".join(one.places + other.places), one.places + other.places),
            one.users | other.users,
            one.fixed if one.fixed == other.fixed else tuple(sorted({*one.fixed, *other.fixed})),
            one.rows or other.rows,
            one.closed or other.closed,
        )

    def _conflict(self, what: str, names: Sequence[str], text: str) -> None:
        accounts = sorted(set(names))
        self.conflicts.append(Conflict(what, tuple(accounts[:_LISTED]), len(accounts), text))

    def result(self) -> Joined:
        groups: Dict[int, List[str]] = {}
        for place, name in enumerate(self.names):
            groups.setdefault(self._root(place), []).append(name)
        rows = {min(found): self.units[root].rows[0] for root, found in groups.items() if self.units[root].rows}
        return Joined(
            tuple(sorted(tuple(sorted(found)) for found in groups.values())),
            rows,
            tuple(sorted(self.links, key=lambda link: (link.rank, link.a, link.b, link.evidence))),
            tuple(sorted(self.conflicts, key=lambda c: (c.what, c.accounts, c.text))),
        )


def _digest(text: str, odd: int) -> int:
    """63 bits of a digest, the last one says which key it is."""
    found = hashlib.blake2b(text.encode("utf-8", "surrogatepass"), digest_size=8).digest()
    return (int.from_bytes(found, "big") >> 1) & ~1 | odd


def _mail(text: str) -> Optional[str]:
    """An address as it is compared: letters of any case are one, and only ASCII, in which nothing looks like another."""
    text = text.strip()
    whole = text.isascii() and text.isprintable() and text.count("@") == 1 and " " not in text and len(text) <= 254
    return text.lower() if whole and not text.startswith("@") and not text.endswith("@") else None


def _shown(name: str) -> str:
    return {"email": "e-mail", "subject": "federated subject"}.get(name, name.replace("_", " "))
