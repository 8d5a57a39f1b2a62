"""Okta's official SDK over our transport: its calls, our rate-limit budget, deadlines, TLS, proxy and kept secrets.

The SDK builds each request; what it sends goes through the `OktaClient` of the settings instead of aiohttp, and only reads
go. Its models are not used for the answers: they refuse a whole page for one value that is newer than the SDK
(okta-sdk-python, strict enums of its pydantic models), and take longer than the network. Importing it takes seconds.
"""

from __future__ import annotations

import asyncio
import contextvars
import re
from typing import Any, Callable, Coroutine, List, Mapping, Optional, Sequence, Tuple, Union
from urllib.parse import urlsplit

from responders.errors import Permanent
from responders.vendors.client import Response
from responders.vendors.okta import OktaClient

Call = Callable[[Any], Coroutine[Any, Any, Any]]
"""Takes the SDK's client and makes one of its calls."""
_ANSWER: contextvars.ContextVar[List[Response]] = contextvars.ContextVar("tourniquet_okta_answer")
_ID = re.compile(r"/(?:[0-9A-Za-z_-]{17,24})(?=/|\Z)")
_ORG = "https://org.invalid"
"""The SDK wants an https URL of an org; ours is in the transport, which also knows a relay's and a drill's."""


class OktaSdk:
    """The SDK's client. asyncio stays in here. Raises VendorError."""

    def __init__(self, client: OktaClient) -> None:
        from okta.client import Client

        self._okta = Client(
            {
                "orgUrl": _ORG,
                "authorizationMode": "SSWS",
                "token": "signed-in-by-the-transport",
                "cache": {"enabled": False},
                "logging": {"enabled": False},
                "httpClient": lambda config: _Http(client),
            }
        )
        self._loop = asyncio.new_event_loop()

    def ask(self, call: Call) -> Response:
        """Make one call."""
        (found,) = self.answers([call])
        if isinstance(found, BaseException):
            raise found
        return found

    def answers(self, calls: Sequence[Call]) -> List[Union[Response, BaseException]]:
        """Make these calls side by side; the answer or the error of each, in the same order."""

        async def together() -> List[Union[Response, BaseException]]:
            return list(await asyncio.gather(*(self._one(call) for call in calls), return_exceptions=True))

        return self._loop.run_until_complete(together())

    def close(self) -> None:
        self._loop.run_until_complete(self._loop.shutdown_default_executor())
        self._loop.close()

    async def _one(self, call: Call) -> Response:
        holder: List[Response] = []
        _ANSWER.set(holder)  # each call of a gather runs in a context of its own
        _, _, error = await call(self._okta)
        if error is not None or not holder:
            raise Permanent("okta", f"the okta SDK refused to send ({type(error).__name__}). Report it")
        return holder[0]


class _Http:
    """In the place of the SDK's HTTP client (its setting `httpClient`)."""

    def __init__(self, client: OktaClient) -> None:
        self._client = client

    async def send_request(self, request: Mapping[str, Any]) -> Tuple[None, _Details, str, Optional[Exception]]:
        """Send a read. The body is handed over beside the SDK, which takes "" for an answer without one."""
        if request["method"] != "GET":
            raise Permanent("okta", "the inventory only reads")
        parts = urlsplit(request["url"])
        path = parts.path + (f"?{parts.query}" if parts.query else "")
        answer = await asyncio.to_thread(self._client.read, path, name=_ID.sub("/{}", parts.path))
        _ANSWER.get().append(answer)
        return None, _Details(answer.status, request["url"], answer.headers), "", None

    @staticmethod
    def check_response_for_error(url: str, details: object, body: str) -> Tuple[None, None]:
        """Errors are raised by the transport."""
        return None, None


class _Details:
    """What the SDK asks of an answer."""

    content_type, reason = "application/json", ""

    def __init__(self, status: int, url: str, headers: Mapping[str, str]) -> None:
        self.status, self.url, self.headers = status, url, headers
