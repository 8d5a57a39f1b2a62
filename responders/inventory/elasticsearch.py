"""The inventory in Elasticsearch, one document an identity, behind the alias `tourniquet-identities`.

`tourniquet elastic inventory` fills it. Who may write there decides who is contained, so the responder's own key only reads
it. Never shipped to Splunk.
"""

from __future__ import annotations

import contextlib
import threading
import time
from datetime import datetime, timezone
from typing import Any, Dict, FrozenSet, Iterator, List, Mapping, Optional, Sequence, Tuple

from elasticsearch import Elasticsearch, NotFoundError

from responders.codec import from_json
from responders.elastic.cluster import Cluster
from responders.elastic.ids import document_id
from responders.errors import ElasticFailed, InventoryError
from responders.inventory.resolve import Inventory
from responders.model import Identity

ALIAS = "tourniquet-identities"
STAMP = "%Y%m%d%H%M%S%f"
"""In the name of each index behind it: when it was filled, UTC."""
ABOUT = "about"
"""Id of the one document that is no identity: population, restorers, break-glass accounts."""
_MOST = 1000
_KEEP = "1m"
"""Identities that are read of one alert: if there are more, it names several, and nobody is meant."""
_SECONDS = 5.0
"""For so long the document `about` is believed; a containment asks for it several times."""


class ElasticInventory:
    """An `InventoryStore`. Raises InventoryError when nothing was pushed, or Elasticsearch can't answer."""

    def __init__(self, cluster: Cluster, alias: str = ALIAS) -> None:
        self._cluster, self._alias = cluster, alias
        self._lock = threading.Lock()
        self._about: Mapping[str, Any] = {}
        self._read_at = 0.0

    def names(self, keys: Sequence[str]) -> Mapping[str, Tuple[str, ...]]:
        """Ids of the identities that hold each key: one search, besides what `about` costs."""
        self._read_about()  # an empty index is no inventory: it would make a stranger of everybody
        wanted = dict.fromkeys(keys)

        def do(client: Elasticsearch) -> Any:
            return client.search(
                index=self._alias, query={"bool": {"filter": [{"terms": {"keys": list(wanted)}}]}}, size=_MOST,
                source_includes=["keys", "identity.id"], allow_partial_search_results=False, track_total_hits=False,
            )  # fmt: skip

        found: Dict[str, List[str]] = {}
        for hit in self._ask(do)["hits"]["hits"]:
            for key in dict.fromkeys(hit["_source"]["keys"]):
                if key in wanted:
                    found.setdefault(key, []).append(str(hit["_source"]["identity"]["id"]))
        return {key: tuple(names) for key, names in found.items()}

    def identity(self, name: str) -> Optional[Identity]:
        """The identity of that id: one read by id."""
        found = self._get(document_id(name))
        return None if found is None else self._identity(name, found)

    def _identity(self, name: str, found: Mapping[str, Any]) -> Identity:
        try:
            return from_json(Identity, found["identity"])
        except (KeyError, TypeError, ValueError) as error:
            raise InventoryError(
                f"inventory {self._alias}: {name!r} can't be read ({error}). Push the inventory anew"
            ) from None

    @property
    def identities(self) -> Iterator[Identity]:
        """Every identity, in no order: many reads, for a page that counts them and nothing that must be quick."""
        for found in self._documents():
            yield self._identity(str(found["identity"].get("id")), found)

    def whole(self) -> Inventory:
        """All of it in memory, for work that asks for everybody again and again: a backtest."""
        identities: List[Identity] = []
        aliases: Dict[str, str] = {}
        for found in self._documents():
            identity = self._identity(str(found["identity"].get("id")), found)
            identities.append(identity)
            own = {account.key for account in identity.accounts}
            for key in found["keys"]:
                if key not in own and aliases.setdefault(str(key), identity.id) != identity.id:
                    raise InventoryError(f"inventory {self._alias}: several identities hold {key}. Push the inventory anew")
        if len(identities) != self.population:
            what = f"{len(identities)} identities came, {self.population} are there. Try again, it was filled anew meanwhile"
            raise InventoryError(f"inventory {self._alias}: {what}")
        return Inventory(identities, aliases, self.restorers)

    def _documents(self) -> Iterator[Mapping[str, Any]]:
        self._read_about()
        pit = self._ask(lambda client: client.open_point_in_time(index=self._alias, keep_alive=_KEEP)["id"])
        after: Optional[List[Any]] = None
        try:
            while True:
                hits = self._ask(lambda client, pit=pit, after=after: self._page(client, pit, after))
                for hit in hits:
                    if "identity" in hit["_source"]:
                        yield hit["_source"]
                if len(hits) < _MOST:
                    return
                after = hits[-1]["sort"]
        finally:
            with contextlib.suppress(InventoryError):
                self._ask(lambda client: client.close_point_in_time(id=pit))

    @staticmethod
    def _page(client: Elasticsearch, pit: str, after: Optional[List[Any]]) -> Any:
        return client.search(
            pit={"id": pit, "keep_alive": _KEEP}, size=_MOST, sort=[{"_shard_doc": "asc"}], search_after=after,
            source_includes=["identity", "keys"], allow_partial_search_results=False,
        )["hits"]["hits"]  # fmt: skip

    @property
    def population(self) -> int:
        """How many identities there are."""
        return int(self._read_about()["population"])

    @property
    def restorers(self) -> FrozenSet[str]:
        """Ids of identities that may restore."""
        return frozenset(self._read_about()["restorers"])

    @property
    def break_glass(self) -> FrozenSet[str]:
        """Account keys of every break-glass identity."""
        return frozenset(self._read_about()["break_glass"])

    @property
    def pushed(self) -> datetime:
        """When its content was put there (UTC), as the name says that `push` gives an index."""
        index = str(self._ask(lambda client: client.get(index=self._alias, id=ABOUT, source=False))["_index"])
        try:
            return datetime.strptime(index.rpartition("-")[2], STAMP).replace(tzinfo=timezone.utc)
        except ValueError:
            raise InventoryError(f"inventory {self._alias}: {index} does not say when it was filled") from None

    def _read_about(self) -> Mapping[str, Any]:
        with self._lock:
            if self._about and time.monotonic() < self._read_at + _SECONDS:
                return self._about
        found = self._get(ABOUT)
        if found is None:
            raise InventoryError(f"inventory {self._alias}: nothing was pushed. Fill it with `tourniquet elastic inventory`")
        with self._lock:
            self._about, self._read_at = found["about"], time.monotonic()
            return self._about

    def _get(self, name: str) -> Optional[Mapping[str, Any]]:
        def do(client: Elasticsearch) -> Optional[Mapping[str, Any]]:
            try:
                found: Mapping[str, Any] = client.get(index=self._alias, id=name)["_source"]
            except NotFoundError as error:
                if isinstance(error.body, dict) and error.body.get("found") is False:
                    return None
                raise
            return found

        found: Optional[Mapping[str, Any]] = self._ask(do)
        return found

    def _ask(self, do: Any) -> Any:
        try:
            return self._cluster.call(do)
        except ElasticFailed as error:
            raise InventoryError(f"inventory {self._alias}: {error}") from error
