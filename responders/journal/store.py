"""The store interface: create-if-absent and a scan in key order, which SQLite, Splunk's KV store and Elasticsearch all give.

Insert-only, so that entries, claims and blast slots are all the same thing: create-if-absent. What is asked for together is
answered together by a store that is far away: each wait for it is time that an attacker has.
"""

from __future__ import annotations

from typing import Any, Iterator, List, Mapping, Protocol, Sequence, Tuple

Document = Mapping[str, Any]
Range = Tuple[str, str]
"""`prefix` and `after` of a scan."""


class JournalStore(Protocol):
    """Keys are printable ASCII, ordered by code point. Documents are JSON objects and never change.

    A store may count on this: below `e/CHAIN/` are only numbers of 8 digits from 0, below `use/HOUR/` of 6 digits from 0,
    below `claim/NAME/` of 6 digits from 1, some with `.released` behind; without holes, and no prefix of these is scanned
    that ends elsewhere, but for `e/` and `claim/` whole.
    """

    def create(self, key: str, doc: Document) -> bool:
        """Store durably; False (and nothing stored) when the key exists. Raises JournalError when it can't."""
        ...

    def create_all(self, docs: Sequence[Tuple[str, Document]]) -> Tuple[bool, ...]:
        """`create` for each, in this order: where one was stored, those before it were, or had been, whoever dies.

        Raises JournalError when one can't be stored; any of them may be then.
        """
        ...

    def create_and_scan(self, key: str, doc: Document, prefix: str, after: str = "") -> List[Tuple[str, Document]]:
        """`create`, then `scan`. Of two who do so at once, one sees the other's document at least."""
        ...

    def scan(self, prefix: str, after: str = "") -> Iterator[Tuple[str, Document]]:
        """Every (key, document) whose key starts with `prefix` and is greater than `after`, in key order."""
        ...

    def scan_all(self, ranges: Sequence[Range]) -> Tuple[List[Tuple[str, Document]], ...]:
        """`scan` for each, one after the other or at one time. Only of entries, claims or places in the blast radius."""
        ...


class OneByOne:
    """The calls of a store that is so near that one after the other is quick enough."""

    def create(self, key: str, doc: Document) -> bool:
        raise NotImplementedError

    def scan(self, prefix: str, after: str = "") -> Iterator[Tuple[str, Document]]:
        raise NotImplementedError

    def create_all(self, docs: Sequence[Tuple[str, Document]]) -> Tuple[bool, ...]:
        return tuple(self.create(key, doc) for key, doc in docs)

    def create_and_scan(self, key: str, doc: Document, prefix: str, after: str = "") -> List[Tuple[str, Document]]:
        self.create(key, doc)
        return list(self.scan(prefix, after))

    def scan_all(self, ranges: Sequence[Range]) -> Tuple[List[Tuple[str, Document]], ...]:
        return tuple(list(self.scan(prefix, after)) for prefix, after in ranges)
