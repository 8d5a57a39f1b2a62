"""One connection to Elasticsearch, as the journal, the inventory and the signals use it: bounded retries, errors in words.

Never shipped to Splunk. The client is the official one (extra `elastic`); its own retries are off, since whether a create
may be repeated is known only to the caller.
"""

from __future__ import annotations

import random
import time
from typing import Any, Callable, List, Optional, Sequence, Tuple, TypeVar
from urllib.parse import urlsplit, urlunsplit

from elasticsearch import ApiError, ConnectionTimeout, Elasticsearch, TransportError

from responders.errors import ElasticFailed
from responders.settings import ElasticSettings

T = TypeVar("T")
_AGAIN = (429, 502, 503, 504)
_CONNECTIONS = 20
_LONGEST_ANSWER = 5.0  # seconds of one try
_WAIT = "4s"  # that a create waits for a shard: it must not be carried out after we gave it up
_REMEDIES = {
    0: "check that it runs, its address, and the network",
    401: "make a new API key, and put it where the settings say",
    403: "give the API key the role of elastic_rules/role.json",
    404: "make the indices with `tourniquet elastic import`",
    413: "raise http.max_content_length",
    429: "free its disk and its queues",
    503: "look at its health: a shard is not allocated, or it is starting",
}


class Cluster:
    """Elasticsearch for one process; safe to share between threads. `patience`: seconds until a call is given up."""

    def __init__(self, settings: ElasticSettings, *, patience: float = 10.0) -> None:
        self.url = settings.urls[0]
        self.patience = patience
        more: Any = {"ca_certs": settings.ca} if settings.ca else {}
        self._client = Elasticsearch(
            [_with_port(url) for url in settings.urls], max_retries=0, connections_per_node=_CONNECTIONS,
            api_key=settings.api_key.reveal() if settings.api_key else None, request_timeout=_LONGEST_ANSWER,
            dead_node_backoff_factor=0.0, **more,
        )  # fmt: skip

    def call(self, do: Callable[[Elasticsearch], T], *, patience: Optional[float] = None) -> T:
        """What `do` gives, tried again while Elasticsearch is busy, restarting or out of reach. Raises ElasticFailed.

        A call that is tried again may have been carried out before: `do` must give the same then.
        """
        until = time.monotonic() + (self.patience if patience is None else patience)
        tries = 0
        while True:
            try:
                left = max(0.5, until - time.monotonic())
                return do(self._client.options(request_timeout=min(_LONGEST_ANSWER, left)))
            except (ApiError, TransportError, _ItemFailed) as error:
                failed = _failed(self.url, error)
                wait = min(1.0, 0.05 * 2**tries) * random.uniform(0.5, 1.0)  # noqa: S311 - no secret
                if not failed.again or time.monotonic() + wait >= until:
                    raise failed from None
            tries += 1
            time.sleep(wait)

    def close(self) -> None:
        """Close all connections."""
        self._client.close()


def _with_port(url: str) -> str:
    """The client asks for a port in each URL; a cluster behind a proxy is often given without."""
    parts = urlsplit(url)
    if parts.port is not None:
        return url
    port = 443 if parts.scheme == "https" else 80
    return urlunsplit(parts._replace(netloc=f"{parts.netloc}:{port}"))


class _ItemFailed(Exception):
    """One line of a bulk request was refused: status, Elasticsearch's name for why, and why."""

    def __init__(self, status: int, kind: str, reason: str) -> None:
        super().__init__(kind)
        self.status, self.kind, self.reason = status, kind, reason


def create(client: Elasticsearch, index: str, name: str, document: Any) -> bool:
    """Store a document under an id that is free; False when it is taken. For `Cluster.call`."""
    return create_all(client, index, [(name, document)])[0]


def create_all(
    client: Elasticsearch, index: str, documents: Sequence[Tuple[str, Any]], *, refresh: bool = False
) -> Tuple[bool, ...]:
    """`create` for each (id, document), in this order where the index has one shard. For `Cluster.call`.

    By the bulk API: a role may allow `op_type/create` alone there, while the index API asks for a privilege that goes with
    overwriting, or with changing mappings (Elastic, "Security privileges", create_doc). What is of one shard is carried out
    one after the other, in order, and one that fails stops none (elastic/elasticsearch pull 22550). With `refresh` a search
    sees them, and all that was stored before, once this returns ("?refresh").
    """
    lines: List[Any] = [line for name, document in documents for line in ({"create": {"_id": name}}, document)]
    more: Any = {"refresh": "true"} if refresh else {}
    items = [item["create"] for item in client.bulk(index=index, operations=lines, timeout=_WAIT, **more)["items"]]
    for item in items:
        if item["status"] not in (201, 409):
            error = item.get("error") or {}
            raise _ItemFailed(item["status"], str(error.get("type", "")), str(error.get("reason", "")))
    return tuple(item["status"] == 201 for item in items)


def _failed(url: str, error: Exception) -> ElasticFailed:
    """In words that hold no header and no body that we sent."""
    if isinstance(error, _ItemFailed):
        status, kind, reason = error.status, error.kind, error.reason
    elif isinstance(error, ApiError):
        found = error.body.get("error") if isinstance(error.body, dict) else None
        status, kind, reason = error.status_code, "", ""
        if isinstance(found, dict):
            kind, reason = str(found.get("type", "")), str(found.get("reason", ""))
    else:
        status, kind = 0, type(error).__name__
        reason = "no answer in time" if isinstance(error, ConnectionTimeout) else "no connection"
    if kind == "cluster_block_exception":
        remedy = "it refuses to write: free its disk, or take the block off the index"
    else:
        remedy = _REMEDIES.get(status, "see the reason")
    what = f"{status} " if status else ""
    return ElasticFailed(
        f"Elasticsearch {url}: {what}{kind}: {reason[:300]}. {remedy[:1].upper()}{remedy[1:]}",
        status=status, kind=kind, again=status in (0, *_AGAIN),
    )  # fmt: skip
