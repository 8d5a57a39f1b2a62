"""Many requests in one.

Source: Microsoft Graph, "Combine multiple HTTP requests using JSON batching": at most 20, each answered by itself.
"""

from __future__ import annotations

import time
from typing import Any, Dict
from urllib.parse import parse_qsl, urlsplit

from responders.drill.simulators.graph.delta import Delta
from responders.drill.simulators.server import Answer, Logged, Request

_MOST = 20


class Batch(Delta):
    """Each request inside is logged, and may have a fault of its own, as if it came alone."""

    def routes_of_batch(self) -> None:
        self.route("POST", "/$batch", self._batch)

    def _batch(self, request: Request) -> Answer:
        if self.token_of(request) is None:
            raise self.refuse(401, "Access token is empty or has expired.")
        parts = request.body.get("requests") if isinstance(request.body, dict) else None
        if not isinstance(parts, list) or not 0 < len(parts) <= _MOST:
            raise self.refuse(400, "Number of batch request steps exceeds the maximum value of 20.")
        return Answer(200, {"responses": [self._one_of_batch(request, part) for part in parts]})

    def _one_of_batch(self, outer: Request, part: Any) -> Dict[str, Any]:
        url = urlsplit(self.prefix + str(part["url"]))
        inner = Request(part["method"], url.path, (), dict(parse_qsl(url.query)), outer.headers, part.get("body"))
        fault = self.fault(inner.method, inner.path)
        answer = self.error(fault.status, "injected fault") if fault is not None else self.serve(inner)
        headers = {**answer.headers, **(fault.headers if fault is not None else {})}
        self.log(Logged(time.monotonic(), 0, inner.method, url.geturl(), inner.query, {"authorization": "Bearer ***"},
                        inner.body, answer.status, answer.body, self.principal(outer), headers,
                        fault.kind if fault is not None else ""))  # fmt: skip
        return {"id": part["id"], "status": answer.status, "headers": headers, "body": answer.body}
