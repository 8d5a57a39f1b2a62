"""Accounts joined into sets, in a few bytes each: hundreds of thousands of them lie in memory at once."""

from __future__ import annotations

from array import array
from typing import Dict, FrozenSet, Iterable, Iterator, List, Optional, Sequence, Set

from responders.inventory.evidence import Keys


class Units:
    """Accounts by number, joined into sets. Of a set its root tells: vendors' places, whether people or machines, size.

    `one_company` are sets of places, `vendor:tenant`, of each of which an identity may have an account.
    """

    PERSON, MACHINE, BOTH = 1, 2, 3

    def __init__(self, one_company: Sequence[FrozenSet[str]] = ()) -> None:
        self._company = {place: number for number, places in enumerate(one_company) for place in places}
        self.names: List[str] = []
        self.index: Dict[str, int] = {}
        self.placed, self.users = array("I"), bytearray()
        """Of each account: the number of its place, and PERSON, MACHINE or 0."""
        self.place_names: List[str] = []
        self.sizes = array("I")
        self.rows: Dict[int, str] = {}
        self.closed: Set[int] = set()
        self._parent, self._next = array("I"), array("I")
        self._places: Dict[str, int] = {}
        self._vendors: List[str] = []
        self._sets: List[FrozenSet[int]] = []
        self._numbers: Dict[FrozenSet[int], int] = {}
        self._set, self._kinds = array("I"), bytearray()

    def add(self, key: str, place: str, user: Optional[bool]) -> int:
        number = len(self.names)
        self.names.append(key)
        self.index[key] = number
        at = self._places.setdefault(place, len(self._places))
        if at == len(self.place_names):
            self.place_names.append(place)
            self._vendors.append(place.partition(":")[0])
        self.placed.append(at)
        self._set.append(self._numbered(frozenset((at,))))
        self.users.append(0 if user is None else self.PERSON if user else self.MACHINE)
        self._kinds.append(self.users[-1])
        self.sizes.append(1)
        self._parent.append(number)
        self._next.append(number)
        return number

    def root(self, node: int) -> int:
        parent = self._parent
        while parent[node] != node:
            parent[node] = parent[parent[node]]
            node = parent[node]
        return node

    def roots(self) -> Iterator[int]:
        return (node for node, parent in enumerate(self._parent) if node == parent)

    def members(self, root: int) -> Iterator[int]:
        node = root
        while True:
            yield node
            node = self._next[node]
            if node == root:
                return

    def unite(self, a: int, b: int) -> None:
        first, second = self.root(a), self.root(b)
        if first == second:
            return
        if self.sizes[first] < self.sizes[second]:
            first, second = second, first
        self._set[first] = self._numbered(self._sets[self._set[first]] | self._sets[self._set[second]])
        self._kinds[first] |= self._kinds[second]
        self.sizes[first] += self.sizes[second]
        self._parent[second] = first
        self._next[first], self._next[second] = self._next[second], self._next[first]
        row = self.rows.pop(second, None)
        if row is not None:
            self.rows.setdefault(first, row)
        if second in self.closed:
            self.closed.discard(second)
            self.closed.add(first)

    def double(self, roots: Iterable[int]) -> Set[int]:
        """Places of accounts that stand in two of these sets and must not come into one: of one tenant, or of two tenants
        of one vendor that are not said to be one company's."""
        found: Set[int] = set()
        seen: Dict[str, Set[int]] = {}
        for root in roots:
            places = self._sets[self._set[root]]
            for place in places:
                for other in seen.get(self._vendors[place], ()):
                    if place == other or not self._together(place, other):
                        found |= {place, other}
            for place in places:
                seen.setdefault(self._vendors[place], set()).add(place)
        return found

    def _together(self, one: int, other: int) -> bool:
        company = self._company.get(self.place_names[one])
        return company is not None and company == self._company.get(self.place_names[other])

    def mixed(self, roots: Iterable[int]) -> bool:
        """True when a person's sign-in and a machine's would come together that are not together yet."""
        return {self.PERSON, self.MACHINE} <= {self._kinds[root] for root in roots}

    def differ(self, roots: Iterable[int], keys: Keys) -> bool:
        """True when two of these sets have values of that key, and none in common."""
        values = [found for root in roots for found in [{v for p in self.members(root) for v in keys.of(p)}] if found]
        return any(not one & other for number, one in enumerate(values) for other in values[:number])

    def _numbered(self, places: FrozenSet[int]) -> int:
        """There are few different sets of places, and one number for each."""
        if places not in self._numbers:
            self._numbers[places] = len(self._sets)
            self._sets.append(places)
        return self._numbers[places]
