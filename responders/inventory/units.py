"""Accounts joined into sets, in a few bytes each: hundreds of thousands of them lie in memory at once."""

from __future__ import annotations

from array import array
from typing import Dict, FrozenSet, Iterable, Iterator, List, Optional, Set

from responders.inventory.evidence import Keys


class Units:
    """Accounts by number, joined into sets. Of a set its root tells: vendors' places, whether people or machines, size."""

    PERSON, MACHINE, BOTH = 1, 2, 3

    def __init__(self) -> None:
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
        """Places at which two of these sets have an account each."""
        found: Set[int] = set()
        seen: Set[int] = set()
        for root in roots:
            places = self._sets[self._set[root]]
            found |= seen & places
            seen |= places
        return found

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
