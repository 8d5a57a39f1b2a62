"""Reads shared by the CyberArk actions. The API description was not checked against a real vault."""

from __future__ import annotations

import time
from functools import partial
from typing import Any, List, Mapping

from responders.errors import BadAnswer
from responders.parallel import Running
from responders.vendors.client import VendorClient

_LIST_SECONDS = 15.0


def thing(api: VendorClient, path: str, *ids: str) -> Mapping[str, Any]:
    """The JSON object of a GET. Raises NotFound, BadAnswer."""
    body = api.call("GET", path, ids=ids).body
    if not isinstance(body, Mapping):
        raise BadAnswer("cyberark", f"GET {path}: no JSON object in the answer")
    return body


def user_name(api: VendorClient, user: str) -> str:
    """The user name of a user id: sessions and safe members are listed by name."""
    return str(thing(api, "/API/Users/{}", user).get("username", ""))


def sessions_of(api: VendorClient, user: str) -> List[Mapping[str, Any]]:
    """Live PSM sessions of a user, by exact name. Source: CyberArk, "Get live sessions".

    The list can't be asked for by user id, so the name and the list are read side by side.
    """
    listed = Running(partial(api.items, "/API/LiveSessions"))
    name = user_name(api, user)
    found = listed.result(time.monotonic() + _LIST_SECONDS)
    if isinstance(found, Exception):
        raise found
    return [item for item in found if item.get("User") == name]
