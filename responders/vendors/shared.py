"""One wave of reads: what several steps ask a vendor at the same moment is asked once."""

from __future__ import annotations

import threading
from datetime import datetime
from typing import Any, Callable, Dict, FrozenSet, Hashable, List, Mapping, Optional, Sequence

from responders.vendors.client import Response, VendorClient


class _Answer:
    """What the first one to ask will get. The others wait for it, and get the same: its error too."""

    def __init__(self) -> None:
        self.ready = threading.Event()
        self.value: Any = None
        self.error: Optional[Exception] = None


class SharedReads:
    """A `VendorClient` over another one, for one wave: made anew for each, since an answer of an earlier one is old."""

    def __init__(self, client: VendorClient) -> None:
        self._client = client
        self.vendor, self.tenant, self.settings = client.vendor, client.tenant, client.settings
        self.lasting = client.lasting
        self._lock = threading.Lock()
        self._answers: Dict[Hashable, _Answer] = {}

    def call(
        self,
        method: str,
        path_template: str,
        *,
        ids: Sequence[str] = (),
        query: Optional[Mapping[str, str]] = None,
        body: Optional[Any] = None,
    ) -> Response:
        if method != "GET":
            return self._client.call(method, path_template, ids=ids, query=query, body=body)
        found: Response = self._once(
            ("call", path_template, tuple(ids), _key(query)),
            lambda: self._client.call(method, path_template, ids=ids, query=query, body=body),
        )
        return found

    def items(
        self, path_template: str, *, ids: Sequence[str] = (), query: Optional[Mapping[str, str]] = None
    ) -> Sequence[Mapping[str, Any]]:
        found: List[Mapping[str, Any]] = self._once(
            ("items", path_template, tuple(ids), _key(query)),
            lambda: self._client.items(path_template, ids=ids, query=query),
        )
        return found

    def own_ids(self) -> FrozenSet[str]:
        return self._client.own_ids()

    def now(self) -> datetime:
        return self._client.now()

    def _once(self, key: Hashable, ask: Callable[[], Any]) -> Any:
        with self._lock:
            first = key not in self._answers
            answer = self._answers.setdefault(key, _Answer())
        if first:
            try:
                answer.value = ask()
            except Exception as error:
                answer.error = error
            finally:
                answer.ready.set()
        answer.ready.wait()
        if answer.error is not None:
            raise answer.error
        return answer.value


def _key(query: Optional[Mapping[str, str]]) -> Hashable:
    return tuple(sorted(query.items())) if query else None
