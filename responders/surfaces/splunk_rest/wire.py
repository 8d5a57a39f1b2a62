"""What splunkd hands a persistent REST handler, and what it takes back.

Source: Splunk, restmap.conf.spec ([script:…], scripttype = persist: session, payload, system_authtoken, headers); handlers
of published apps for the names in the JSON (method, rest_path, path_info, query, form, payload, session, server). **Not
seen in a real Splunk.**
"""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import dataclass, field
from typing import Any, Dict, List, Mapping, Optional, Tuple

from responders.errors import BadInput

PREFIX = "tourniquet"
LONGEST = 8 * 1024 * 1024
"""Characters of one request's body: some thousand results at once."""
DEEPEST = 32
_HEADERS = {"Content-Type": "application/json", "Cache-Control": "no-store", "X-Content-Type-Options": "nosniff"}


class Status(Exception):
    """Raised by handlers for an answer other than 200: `status` and one sentence that says what to do."""

    def __init__(self, status: int, text: str) -> None:
        super().__init__(text)
        self.status, self.text = status, text


@dataclass(frozen=True)
class Request:
    """One request. `path` is what follows /services/tourniquet; `token` is the caller's session key, `system` the app's.

    Neither is shown by repr.
    """

    method: str
    path: Tuple[str, ...]
    query: Mapping[str, str]
    payload: str
    user: str
    server_uri: str
    content_type: str = ""
    form: bool = False
    token: str = field(default="", repr=False)
    system: str = field(default="", repr=False)

    def body(self) -> Dict[str, Any]:
        """The JSON object that was sent. Raises Status, BadInput."""
        json_said = self.content_type.lower().startswith("application/json")
        if not json_said and (self.form or self.content_type):
            # A page elsewhere can make a browser send a form with its cookies, but no JSON: this is no formality.
            raise Status(415, "send JSON with Content-Type: application/json, no form")
        if len(self.payload) > LONGEST:
            raise Status(413, f"the body has {len(self.payload)} characters, {LONGEST} at most: send fewer at once")
        try:
            found = json.loads(self.payload or "null", object_pairs_hook=_once, parse_constant=_no_number)
            _shallow(found, 0)
        except (ValueError, RecursionError) as error:
            raise BadInput(f"not JSON: {error}", place="body", remedy="send one JSON object") from None
        if not isinstance(found, dict):
            raise BadInput("is no JSON object", place="body", remedy="send one JSON object")
        return found


def read_request(in_string: str) -> Request:
    """Read splunkd's JSON. Raises ValueError when it is none: nobody but splunkd should send it."""
    given = json.loads(in_string)
    session, server = given.get("session") or {}, given.get("server") or {}
    headers = {str(name).lower(): str(value) for name, value in given.get("headers") or ()}
    return Request(
        method=str(given.get("method", "GET")).upper(),
        path=_path(given),
        query={str(name): str(value) for name, value in given.get("query") or ()},
        payload=str(given.get("payload") or ""),
        user=str(session.get("user", "")),
        server_uri=str(server.get("rest_uri") or "https://127.0.0.1:8089"),
        content_type=headers.get("content-type", ""),
        form=bool(given.get("form")),
        token=str(session.get("authtoken", "")),
        system=str(given.get("system_authtoken") or ""),
    )


def answer(status: int, body: Any) -> Dict[str, Any]:
    """splunkd's form of an answer. Names in it are an attacker's words: JSON, never sniffed for HTML, never cached."""
    if status >= 400 and isinstance(body, Mapping):
        # As splunkd tells its own errors, so that any of its clients shows the sentence.
        body = {**body, "messages": [{"type": "ERROR", "text": str(body.get("error", ""))}]}
    text = json.dumps(body, sort_keys=True).replace("<", "\\u003c").replace(">", "\\u003e").replace("&", "\\u0026")
    return {"status": status, "payload": text, "headers": dict(_HEADERS)}


def _path(given: Mapping[str, Any]) -> Tuple[str, ...]:
    """`rest_path` is the whole path below /services, in some versions without its tail, which is in `path_info`."""
    whole = [part for part in str(given.get("rest_path") or "").split("/") if part]
    tail = [part for part in str(given.get("path_info") or "").split("/") if part]
    if tail and whole[-len(tail) :] != tail:
        whole += tail
    if whole[:1] == ["servicesNS"]:
        whole = whole[3:]
    elif whole[:1] == ["services"]:
        whole = whole[1:]
    return tuple(whole[1:] if whole[:1] == [PREFIX] else whole)


def _once(pairs: List[Tuple[str, Any]]) -> Dict[str, Any]:
    twice = sorted(name for name, times in Counter(name for name, _ in pairs).items() if times > 1)
    if twice:
        raise ValueError(f"{', '.join(map(repr, twice))} stands twice")
    return dict(pairs)


def _no_number(name: str) -> Any:
    raise ValueError(f"{name} is no JSON number")


def _shallow(value: Any, depth: int) -> None:
    if depth > DEEPEST:
        raise ValueError(f"it is nested more than {DEEPEST} deep")
    inner: Optional[Any] = value.values() if isinstance(value, dict) else value if isinstance(value, list) else None
    for item in inner or ():
        _shallow(item, depth + 1)
