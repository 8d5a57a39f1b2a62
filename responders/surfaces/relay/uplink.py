"""The relay's way to splunkd: always outwards, over TLS, with a token that opens two endpoints."""

from __future__ import annotations

from typing import Any, List, Mapping, Sequence, Type

from responders.errors import BadAnswer
from responders.surfaces.relay.config import Config
from responders.vendors.transport import Endpoint, Limits, Transport

_PATH = "/servicesNS/nobody/tourniquet/tourniquet"
WAIT = 20.0
"""Seconds that splunkd may hold a question for work."""


class Uplink:
    """Safe to share between threads. Raises VendorError (of vendor "splunk")."""

    def __init__(self, config: Config) -> None:
        self._config = config
        self._headers = {"Authorization": f"Bearer {config.token.reveal()}"}
        self._polls, self._posts = self._transport(WAIT + 10.0), self._transport(10.0)

    def poll(self, *, busy: bool, wait: float = WAIT) -> List[Mapping[str, Any]]:
        """Requests that wait for somebody to claim them, as they were signed; none after `wait` seconds."""
        query = {"wait": str(wait), "busy": str(int(busy)), "instance": self._config.instance, "output_mode": "json"}
        path = self._polls.path(f"{_PATH}/relay_poll/{{}}", (self._config.name,))
        return _list(self._polls.send("GET", path, headers=self._headers, query=query).body, "requests", Mapping)

    def claim(self, ids: Sequence[str]) -> List[str]:
        """Those of these requests that nobody else has."""
        return _list(self._work("claims", {"ids": list(ids), "instance": self._config.instance}), "mine", str)

    def answer(self, ask_id: str, doc: str, mac: str) -> None:
        """Hand in an answer. One that is there already is left as it is, so it may be sent again."""
        self._work("answers", {"id": ask_id, "doc": doc, "mac": mac})

    def _work(self, what: str, body: Mapping[str, Any]) -> Any:
        path = self._posts.path(f"{_PATH}/relay_work/{{}}/{what}", (self._config.name,))
        return self._posts.send("POST", path, headers=self._headers, query={"output_mode": "json"}, body=body).body

    def close(self) -> None:
        self._polls.close()
        self._posts.close()

    def _transport(self, seconds: float) -> Transport:
        limits = Limits(connect=5.0, attempt=seconds, total=seconds, retries=0)
        config = self._config
        endpoint = Endpoint("splunk", config.splunk, config.ca, config.proxy, config.allow_loopback_http, limits)
        transport = Transport(endpoint, _explain)
        transport.keep_secret((config.token.reveal(),))
        return transport


def _list(body: Any, name: str, kind: Type[Any]) -> List[Any]:
    found = body.get(name) if isinstance(body, Mapping) else None
    if not isinstance(found, list) or not all(isinstance(item, kind) for item in found):
        raise BadAnswer("splunk", f"the answer has no {name}: is the app installed there, in this version?")
    return found


def _explain(body: Any) -> Any:
    """splunkd's errors: a list of messages."""
    return "", " ".join(str(message.get("text", "")) for message in body["messages"])
