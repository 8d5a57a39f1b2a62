"""From accounts to identities, pure: which accounts are one person's, service's or agent's, each link with its evidence.

Ranks, each only where the one before left something open: the customer's file; what a vendor itself says of its own accounts
(a Vault entity's aliases); verified immutable keys; links of the last time; e-mail. All links of one rank are tried
together: a set of accounts that they would join wrongly is not joined at all by that rank, and is listed for a person. So
the order of the accounts changes nothing, and nothing is guessed.
"""

from __future__ import annotations

import enum
from dataclasses import dataclass
from typing import Container, Dict, FrozenSet, Iterable, List, Mapping, Sequence, Set, Tuple

from responders.inventory.evidence import FIXED, Evidence, Keys, clean, proofs, shown
from responders.inventory.observation import Seen
from responders.inventory.units import Units

LARGEST = 50
"""So many accounts an identity has at most, but by the file: the blast radius counts identities, not accounts."""
_IMMUTABLE = ("subject", *FIXED)
_LISTED = 20


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

    @staticmethod
    def of(what: str, names: Iterable[str], text: str, remedy: str = "") -> Conflict:
        """With the names sorted, and cut. The remedy is the usual one when none is given."""
        accounts = sorted(set(names))
        remedies = (remedy,) if remedy else ()
        return Conflict(what, tuple(accounts[:_LISTED]), len(accounts), text, *remedies)


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
    accounts: Container[str]
    """Keys of all accounts."""


def join(
    seen: Iterable[Seen],
    explicit: Sequence[Explicit] = (),
    kept: Iterable[Link] = (),
    gone: FrozenSet[str] = frozenset(),
    one_company: Sequence[FrozenSet[str]] = (),
) -> Joined:
    """Join all accounts. `kept` are the links of the last time; accounts that are `gone` bring no keys of their own.

    Two tenants of one vendor are taken for two companies that may number and name their people alike, unless a set of
    `one_company` (places, `vendor:tenant`) has both: else whoever administers the smaller one could join anybody.

    `seen` and `kept` are gone through twice (so no iterators): the values of the few keys that come to be named are looked
    for at the end, and only digests of them all are held.
    """
    if iter(seen) is seen or iter(kept) is kept:
        raise TypeError("seen and kept must be iterable twice")
    joiner = _Joiner(gone, one_company)
    for one in seen:
        joiner.take(one)
    joiner.by_file(explicit)
    joiner.by_vendor(kept)
    for name in _IMMUTABLE:
        joiner.propose(name)
    joiner.join_proposed(Rank.KEY)
    joiner.by_kept(kept)
    joiner.propose("email")
    joiner.join_proposed(Rank.EMAIL)
    return joiner.result(seen)


Proposal = Tuple[int, int, Evidence]


class _Joiner:
    def __init__(self, gone: FrozenSet[str], one_company: Sequence[FrozenSet[str]]) -> None:
        self.gone = gone
        self.units = Units(one_company)
        self.keys = {name: Keys(name) for name in (*_IMMUTABLE, "email")}
        self.references: List[Tuple[int, str]] = []
        self.proposed: List[Proposal] = []
        self.links: List[Tuple[int, int, Rank, Evidence]] = []
        self.conflicts: List[Tuple[str, List[str], Tuple[Evidence, ...], str]] = []
        self.between: Dict[Tuple[str, Tuple[str, ...]], List[List[int]]] = {}
        """A key's name, and tenants of one vendor at which values of it stand: the accounts that hold each."""

    # -- what is there ------------------------------------------------------------------------------------

    def take(self, one: Seen) -> None:
        """The account and its keys. A machine's address is its owner's."""
        key = one.account.key
        if key in self.units.index:
            return  # a vendor's ids are unique: the same account once more
        place = self.units.add(key, one.account.place, one.user)
        if key in self.gone:
            return
        for name, value in proofs(one):
            if name == "account":
                self.references.append((place, value))
            elif name in self.keys:
                self.keys[name].add(value, place)

    # -- the ranks ----------------------------------------------------------------------------------------

    def by_file(self, explicit: Sequence[Explicit]) -> None:
        units, shown = self.units, set(self.units.place_names)
        claims: Dict[str, Set[str]] = {}
        for row in explicit:
            for key in row.accounts:
                claims.setdefault(key, set()).add(row.identity)
        for key, rows in sorted(claims.items()):
            if len(rows) > 1:
                self._conflict("claimed twice", [key], f"the file gives it to {', '.join(sorted(rows))}")
        for row in explicit:
            mine = [key for key in sorted(set(row.accounts)) if len(claims[key]) == 1]
            places = [units.index[key] if key in units.index else self._unseen(key, row, shown) for key in mine]
            for place in places:
                units.rows[units.root(place)] = row.identity
                if row.closed:
                    units.closed.add(units.root(place))
            for place in places[1:]:
                self._link(places[0], place, Rank.FILE, f"your file: {row.identity}")

    def _unseen(self, key: str, row: Explicit, shown: Set[str]) -> int:
        """An account that only the file knows. Where its vendor shows others and not this one, the line does nothing."""
        place = ":".join(key.split(":")[:2])
        if place in shown:
            what = (
                f"your file gives it to {row.identity}, and no such account is there: the line protects and contains nobody"
            )
            self._conflict("not seen", [key], what, remedy="write the id as its vendor gives it, or remove the line")
        return self.units.add(key, place, None)

    def by_vendor(self, kept: Iterable[Link]) -> None:
        """Aliases that a vendor keeps of its own accounts, those of the last time first: new ones must not spoil them.

        An account that two claim, or claims that lead in a circle, join nothing.
        """
        units = self.units
        owners: Dict[int, Set[int]] = {}
        for owner, key in self.references:
            target = units.index.get(key)
            if target is None or target == owner:
                continue
            if units.placed[target] != units.placed[owner]:
                self._conflict("not its own", [key, units.names[owner]], "a vendor speaks of its own accounts only")
            else:
                owners.setdefault(target, set()).add(owner)
        claimers = {owner for found in owners.values() for owner in found}
        now: Dict[Tuple[int, int], Proposal] = {}
        for target, found in owners.items():
            names = [units.names[place] for place in (target, *found)]
            if len(found) > 1:
                self._conflict("claimed twice", names, "several accounts say that it is theirs")
                continue
            (owner,) = found
            if target in claimers:
                self._conflict("circle", names, "each says that the other is its alias")
            elif units.users[owner] | units.users[target] == units.BOTH:
                self._conflict("not joined", names, "a person's sign-in and a machine's (an alias that the vendor keeps)")
            else:
                now[min(owner, target), max(owner, target)] = (owner, target, "an alias that the vendor itself keeps")
        old: List[Proposal] = []
        for a, b, _ in self._known(kept, (Rank.VENDOR,)):
            still = now.pop((min(a, b), max(a, b)), None)
            if still is not None:
                old.append(still)
            elif a not in owners and b not in owners:  # else it is another's now
                old.append((a, b, "an alias that the vendor kept until lately"))
                self._evidence_gone(a, b, "an alias")
        self._try(old, Rank.VENDOR)
        self._try(list(now.values()), Rank.VENDOR)

    def propose(self, name: str) -> None:
        """Join whoever shares a key of this name, unless it stands at two accounts of one vendor."""
        units = self.units
        for evidence, held in self.keys[name].shared():
            roots = {units.root(place) for place in held}
            if len(roots) == 1:
                continue
            double = units.double(roots)
            if len(double) > 1:
                tenants = tuple(sorted(units.place_names[place] for place in double))
                self.between.setdefault((name, tenants), []).append(held)
                continue
            if double:
                names = {units.names[p] for p in held} | {
                    units.names[p] for root in roots for p in units.members(root) if units.placed[p] in double
                }
                (place,) = (units.place_names[place] for place in double)
                self._conflict("not unique", names, evidence, f" leads to several accounts of {place}: it proves nothing")
                continue
            ordered = sorted(held, key=units.names.__getitem__)
            self.proposed.extend((ordered[0], other, evidence) for other in ordered[1:])

    def join_proposed(self, rank: Rank) -> None:
        proposed, self.proposed = self.proposed, []
        self._try(proposed, rank)

    def by_kept(self, kept: Iterable[Link]) -> None:
        """What was joined stays joined, unless a better rank says otherwise.

        Who can take evidence away, or make it worthless (a user who changes an address, or brings a second account with the
        same one), must not split an account off with it.
        """
        units, mails = self.units, self.keys["email"]
        lost: List[Proposal] = []
        proposals: List[Proposal] = []
        for a, b, evidence in self._known(kept, (Rank.KEY, Rank.KEPT, Rank.EMAIL)):
            if units.root(a) != units.root(b):
                proposals.append((a, b, evidence))
                if not set(mails.of(a)) & set(mails.of(b)):
                    lost.append((a, b, evidence))
        self._try(proposals, Rank.KEPT)
        for a, b, gone in lost:
            if units.root(a) == units.root(b):
                self._evidence_gone(a, b, gone)

    def _known(self, kept: Iterable[Link], ranks: Tuple[Rank, ...]) -> Iterable[Tuple[int, int, str]]:
        index = self.units.index
        return (
            (index[link.a], index[link.b], link.evidence)
            for link in kept
            if link.rank in ranks and link.a in index and link.b in index and link.a != link.b
        )

    def _evidence_gone(self, a: int, b: int, evidence: Evidence) -> None:
        names = [self.units.names[a], self.units.names[b]]
        if not self.gone.intersection(names):
            what = ("they were joined by ", evidence, ", which they no longer share. They are kept together")
            self._conflict("evidence gone", names, *what)

    # -- trying -------------------------------------------------------------------------------------------

    def _try(self, proposals: Sequence[Proposal], rank: Rank) -> None:
        """Join what these links lead to, set by set; a set that would be wrong stays apart, whole."""
        units = self.units
        trial: Dict[int, int] = {}

        def root(node: int) -> int:
            while trial.setdefault(node, node) != node:
                trial[node] = trial[trial[node]]
                node = trial[node]
            return node

        apart = [number for number, (a, b, _) in enumerate(proposals) if units.root(a) != units.root(b)]
        for number in apart:
            a, b, _ = proposals[number]
            trial[root(units.root(a))] = root(units.root(b))
        sets: Dict[int, List[int]] = {}
        for number in apart:
            sets.setdefault(root(units.root(proposals[number][0])), []).append(number)
        trial.clear()
        for numbers in sets.values():
            members = [proposals[number] for number in numbers]
            why = self._wrong({units.root(node) for a, b, _ in members for node in (a, b)}, rank)
            if not why:
                for a, b, evidence in members:
                    self._link(a, b, rank, evidence)
                continue
            named = sorted(members, key=lambda member: sorted(units.names[node] for node in member[:2]))
            found = list(dict.fromkeys(evidence for *_, evidence in named))[:3]
            between: List[Evidence] = [part for evidence in found for part in ("; ", evidence)]
            self._conflict(
                "not joined", {units.names[n] for a, b, _ in members for n in (a, b)}, f"{why} (", *between[1:], ")"
            )

    def _wrong(self, roots: Set[int], rank: Rank) -> str:
        """Why these sets of accounts must not become one, "" when they may."""
        units = self.units
        rows = sorted({units.rows[root] for root in roots if root in units.rows})
        if len(rows) > 1:
            return f"your file has them apart, as {', '.join(rows[:5])}"
        if roots & units.closed:
            return f"{rows[0]} is protected, break-glass or a canary: only your file may add to it"
        size = sum(units.sizes[root] for root in roots)
        if size > LARGEST:
            return f"{size} accounts would be one identity, and all go with any of them: {LARGEST} at most"
        if units.mixed(roots):
            return "a person's sign-in and a machine's"
        for name in FIXED:
            if units.differ(roots, self.keys[name]):
                return f"they differ in {shown(name)}"
        double = sorted(units.place_names[place] for place in units.double(roots)) if rank is not Rank.VENDOR else []
        if len(double) > 1:
            return f"accounts of {' and '.join(double)}, which no `one_company` of your --rules names together"
        return f"two accounts of {double[0]}" if double else ""

    def _link(self, a: int, b: int, rank: Rank, evidence: Evidence) -> None:
        self.units.unite(a, b)
        self.links.append((a, b, rank, evidence))

    def _conflict(self, what: str, names: Iterable[str], *text: Evidence, remedy: str = "") -> None:
        self.conflicts.append((what, sorted(set(names)), text, remedy))

    # -- telling ------------------------------------------------------------------------------------------

    def result(self, seen: Iterable[Seen]) -> Joined:
        units = self.units
        said = self._values(seen)
        links = []
        while self.links:
            a, b, rank, evidence = self.links.pop()
            first, second = sorted((units.names[a], units.names[b]))
            links.append(Link(first, second, rank, _words(said, evidence)))
        links.sort(key=lambda link: (link.rank, link.a, link.b, link.evidence))
        conflicts = [
            Conflict.of(what, names, "".join(_words(said, part) for part in text), remedy)
            for what, names, text, remedy in self.conflicts
        ]
        conflicts.extend(self._between(name, tenants, held) for (name, tenants), held in self.between.items())
        groups = tuple(sorted(tuple(sorted(units.names[p] for p in units.members(root))) for root in units.roots()))
        rows = {min(units.names[p] for p in units.members(root)): row for root, row in units.rows.items()}
        conflicts.sort(key=lambda c: (c.what, c.accounts, c.text))
        return Joined(groups, rows, tuple(links), tuple(conflicts), units.index.keys())

    def _between(self, name: str, tenants: Tuple[str, ...], held: List[List[int]]) -> Conflict:
        """Told once, whatever the number of values: two orgs that number alike share thousands."""
        what = f"the same {shown(name)} stands at accounts of {' and '.join(tenants)}, {len(held)} times: it proves nothing"
        remedy = (
            f"if they are one company's, and who administers one may act for all, write `one_company: "
            f"[[{', '.join(tenants)}]]` into your --rules; else say in your inventory file whose accounts these are"
        )
        return Conflict.of("two tenants", (self.units.names[place] for each in held for place in each), what, remedy)

    def _values(self, seen: Iterable[Seen]) -> Dict[Evidence, str]:
        """What the digests in links and conflicts stand for, in words."""
        named = [evidence for *_, evidence in self.links]
        named += [part for _, _, text, _ in self.conflicts for part in text]
        wanted = {evidence for evidence in named if not isinstance(evidence, str)}
        said: Dict[Evidence, str] = {}
        for one in seen if wanted else ():
            for name, value in proofs(one):
                if name in self.keys:
                    evidence = self.keys[name].evidence(value)
                    if evidence in wanted and evidence not in said:
                        said[evidence] = f"{shown(name)} {clean(value)}"
        return said


def _words(said: Mapping[Evidence, str], evidence: Evidence) -> str:
    return evidence if isinstance(evidence, str) else said[evidence]
