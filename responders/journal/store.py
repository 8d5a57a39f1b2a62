"""The store interface: two calls that SQLite, Splunk's KV store and an Elasticsearch index can all give.

Insert-only, so that entries, claims and blast slots are all the same thing: create-if-absent.
"""

from __future__ import annotations

from typing import Any, Iterator, Mapping, Protocol, Tuple

Document = Mapping[str, Any]


class JournalStore(Protocol):
    """Keys are printable ASCII, ordered by code point. Documents are JSON objects and never change.

    A store may count on this: below `e/CHAIN/` are only numbers of 8 digits from 0, below `use/HOUR/` of 6 digits from 0,
    below `claim/NAME/` of 6 digits from 1, some with `.released` behind; without holes, and no prefix of these is scanned
    that ends elsewhere, but for `e/` and `claim/` whole.
    """

    def create(self, key: str, doc: Document) -> bool:
        """Store durably; False (and nothing stored) when the key exists. Raises JournalError when it can't."""
        ...

    def scan(self, prefix: str, after: str = "") -> Iterator[Tuple[str, Document]]:
        """Every (key, document) whose key starts with `prefix` and is greater than `after`, in key order."""
        ...
