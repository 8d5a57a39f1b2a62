"""Where an inventory is kept: in memory, in Splunk's KV store, in Elasticsearch. A few exact reads, never all of it."""

from __future__ import annotations

from typing import FrozenSet, Mapping, Optional, Protocol, Sequence, Tuple

from responders.model import Identity


class InventoryStore(Protocol):
    """Identities by exact account key (`vendor:tenant:id`) and exact alias (`vendor:tenant:alias`).

    Ids are compared as they are: no case folding, no prefix, no display name. Each call costs at most one read, whatever
    the population. Every call raises InventoryError when the store can't be read.
    """

    def names(self, keys: Sequence[str]) -> Mapping[str, Tuple[str, ...]]:
        """The ids of all identities that hold each of these account or alias keys; a key that nobody holds may be absent."""
        ...

    def identity(self, name: str) -> Optional[Identity]:
        """The identity of that id."""
        ...

    @property
    def population(self) -> int:
        """How many identities there are."""
        ...

    @property
    def restorers(self) -> FrozenSet[str]:
        """Ids of identities that may restore."""
        ...

    @property
    def break_glass(self) -> FrozenSet[str]:
        """Account keys of every break-glass identity."""
        ...
