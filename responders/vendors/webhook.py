"""One JSON POST to a webhook: TLS verified, no redirects, answer size bounded, the URL never shown (it is a secret)."""

from __future__ import annotations

import time
from typing import Any, Mapping
from urllib.parse import urlsplit

import requests

from responders.errors import BadSettings, Unavailable

_LOOPBACK = ("127.0.0.1", "localhost", "::1")


def post_json(url: str, body: Mapping[str, Any], deadline: float, *, ca: str = "") -> None:
    """POST `body` before `deadline` (time.monotonic() seconds). Raises Unavailable when it was not taken.

    `ca` is a private CA bundle. Raises BadSettings for a URL that is not https (http only to loopback).
    """
    parts = urlsplit(url)
    where = parts.hostname or "?"
    if parts.scheme != "https" and not (parts.scheme == "http" and where in _LOOPBACK):
        raise BadSettings("a webhook must be https", place=f"escalation to {where}", remedy="use its https address")
    seconds = deadline - time.monotonic()
    if seconds <= 0:
        raise Unavailable(where, "no time was left to deliver")
    try:
        with requests.Session() as session:
            session.trust_env = False
            answer = session.post(url, json=body, timeout=seconds, allow_redirects=False, verify=ca or True, stream=True)
            with answer:
                status = answer.status_code
    except requests.RequestException as error:
        raise Unavailable(where, f"{type(error).__name__}: not delivered. Check the address and the network") from None
    if not 200 <= status < 300:
        raise Unavailable(where, f"answered {status}: not delivered", status=status)
