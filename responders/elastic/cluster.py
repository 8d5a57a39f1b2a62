"""One connection to Elasticsearch, as the journal, the inventory and the signals use it: bounded retries, errors in words.

Never shipped to Splunk. The client is the official one (extra `elastic`); its own retries are off, since whether a create
may be repeated is known only to the caller.
"""

from __future__ import annotations

import random
import time
import warnings
from typing import Any, Callable, Optional, TypeVar

from elastic_transport import SecurityWarning
from elasticsearch import ApiError, ConnectionTimeout, Elasticsearch, ElasticsearchWarning, TransportError

from responders.errors import ElasticFailed
from responders.settings import ElasticSettings

T = TypeVar("T")
_AGAIN = (429, 502, 503, 504)
_CONNECTIONS = 20
_LONGEST_ANSWER = 5.0  # seconds of one try
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
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", SecurityWarning)
            self._client = Elasticsearch(
                list(settings.urls), api_key=settings.api_key.reveal() if settings.api_key else None, max_retries=0,
                connections_per_node=_CONNECTIONS, request_timeout=_LONGEST_ANSWER, dead_node_backoff_factor=0.0, **more,
            )  # fmt: skip

    def call(self, do: Callable[[Elasticsearch], T], *, patience: Optional[float] = None) -> T:
        """What `do` gives, tried again while Elasticsearch is busy, restarting or out of reach. Raises ElasticFailed.

        A call that is tried again may have been carried out before: `do` must give the same then.
        """
        until = time.monotonic() + (self.patience if patience is None else patience)
        tries = 0
        while True:
            try:
                with warnings.catch_warnings():
                    warnings.simplefilter("ignore", ElasticsearchWarning)
                    left = max(0.5, until - time.monotonic())
                    return do(self._client.options(request_timeout=min(_LONGEST_ANSWER, left)))
            except (ApiError, TransportError) as error:
                failed = _failed(self.url, error)
                wait = min(1.0, 0.05 * 2**tries) * random.uniform(0.5, 1.0)  # noqa: S311 - no secret
                if not failed.again or time.monotonic() + wait >= until:
                    raise failed from None
            tries += 1
            time.sleep(wait)

    def close(self) -> None:
        """Close all connections."""
        self._client.close()


def _failed(url: str, error: Exception) -> ElasticFailed:
    """In words that hold no header and no body that we sent."""
    if isinstance(error, ApiError):
        status = error.status_code
        found = error.body.get("error") if isinstance(error.body, dict) else None
        kind, reason = (str(found.get("type", "")), str(found.get("reason", ""))) if isinstance(found, dict) else ("", "")
        again = status in _AGAIN
    else:
        status, kind, again = 0, type(error).__name__, True
        reason = "no answer in time" if isinstance(error, ConnectionTimeout) else "no connection"
    if kind == "cluster_block_exception":
        remedy = "it refuses to write: free its disk, or take the block off the index"
    else:
        remedy = _REMEDIES.get(status, "see the reason")
    what = f"{status} " if status else ""
    return ElasticFailed(
        f"Elasticsearch {url}: {what}{kind}: {reason[:300]}. {remedy[:1].upper()}{remedy[1:]}",
        status=status, kind=kind, again=again,
    )  # fmt: skip
