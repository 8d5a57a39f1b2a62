"""Many small lists of Microsoft Graph in few requests: 20 in one, some requests side by side.

Sources: Microsoft Graph, "Combine multiple HTTP requests using JSON batching" (20 requests; each has a status and headers of
its own), "Throttling and batching" (each counts by itself, and may be refused with 429 while the others are answered).
"""

from __future__ import annotations

import contextvars
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Dict, List, Mapping, Optional, Sequence, Tuple

from responders.errors import BadAnswer, Forbidden, OutcomeUnknown, Permanent, RateLimited, Unauthorized, Unavailable
from responders.vendors.client import Response
from responders.vendors.entra import EntraClient
from responders.vendors.transport import retry_at

_EACH = 20
Found = Tuple[List[Mapping[str, Any]], bool]
"""Items of a list, and whether there are more than was asked for."""


class GraphBatch:
    """Only GET goes into it. What was answered is kept until all of one `lists` is there: a retry asks for the rest."""

    def __init__(self, client: EntraClient, workers: int = 4) -> None:
        self._client = client
        self._pool = ThreadPoolExecutor(workers)
        self._had: Dict[str, Optional[Mapping[str, Any]]] = {}

    def close(self) -> None:
        self._pool.shutdown()

    def lists(self, paths: Sequence[str], most: int) -> List[Found]:
        """The list at each path, at most `most` pages of it; empty when its object is gone. Raises VendorError."""
        self._had = {path: self._had[path] for path in paths if path in self._had}
        missing = [path for path in dict.fromkeys(paths) if path not in self._had]
        parts = [missing[start : start + _EACH] for start in range(0, len(missing), _EACH)]
        tasks = [self._pool.submit(contextvars.copy_context().run, self._ask, part) for part in parts]
        errors = [error for error in (task.exception() for task in tasks) if error is not None]
        if errors:
            # What forbids or breaks goes before what only asks to wait.
            raise min(errors, key=lambda error: isinstance(error, (RateLimited, Unavailable)))
        found = [self._rest(path, self._had[path], most) for path in paths]
        self._had = {}
        return found

    def _ask(self, paths: Sequence[str]) -> None:
        requests = [{"id": str(number), "method": "GET", "url": path} for number, path in enumerate(paths)]
        try:
            body = self._client.call("POST", "/$batch", body={"requests": requests}).body
        except OutcomeUnknown as error:  # it only reads: it may be asked again
            raise Unavailable("entra", error.message) from None
        answers = body.get("responses") if isinstance(body, Mapping) else None
        by_id = {str(one.get("id")): one for one in answers if isinstance(one, Mapping)} if isinstance(answers, list) else {}
        refusal: Optional[Exception] = None
        for number, path in enumerate(paths):
            try:
                self._had[path] = _body(path, by_id.get(str(number)))
            except (RateLimited, Unavailable) as error:
                refusal = error
        if refusal is not None:
            raise refusal

    def _rest(self, path: str, body: Optional[Mapping[str, Any]], most: int) -> Found:
        if body is None:
            return [], False
        items, following = self._client.page(Response(200, body))
        found = list(items)
        for _ in range(most - 1):
            if not following:
                break
            items, following = self._client.page(self._client.read(following, name=path.partition("?")[0]))
            found.extend(items)
        if not all(isinstance(item, Mapping) for item in found):
            raise BadAnswer("entra", f"{path}: a list of something else than objects")
        return found, bool(following)


def _body(path: str, answer: Any) -> Optional[Mapping[str, Any]]:
    """The body of one answer of a batch, None when its object is gone. Raises VendorError for any other refusal."""
    status = answer.get("status") if isinstance(answer, Mapping) else None
    if not isinstance(status, int):
        raise BadAnswer("entra", f"{path}: the batch holds no answer to it")
    given, body = answer.get("headers"), answer.get("body")
    if status == 200 and isinstance(body, Mapping):
        return body
    text = f"{path.partition('?')[0]}: {status} in a batch"
    if status == 404:
        return None
    if status in (429, 503):
        headers = {str(k).lower(): str(v) for k, v in given.items()} if isinstance(given, Mapping) else {}
        raise RateLimited("entra", text, retry_at=retry_at(headers), status=status)
    if status >= 500:
        raise Unavailable("entra", text, status=status)
    kinds = {200: BadAnswer, 401: Unauthorized, 403: Forbidden}
    raise kinds.get(status, Permanent)("entra", text, status=status)
