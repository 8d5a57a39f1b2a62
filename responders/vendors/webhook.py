"""One JSON POST to a webhook: TLS verified, no redirects, answer size bounded, the URL never shown (it is a secret)."""

from __future__ import annotations

import time
from typing import Any, Mapping
from urllib.parse import urlsplit

import requests

from responders.errors import BadSettings, Unavailable
from responders.vendors.deadline import Watch, WatchedAdapter

_LOOPBACK = ("127.0.0.1", "localhost", "::1")


def may_post_to(url: str) -> bool:
    """True for an https URL, and for http to loopback. It may hold a query: some receivers keep their key there."""
    try:
        parts = urlsplit(url)
        return bool(parts.hostname) and (parts.scheme == "https" or (parts.scheme == "http" and parts.hostname in _LOOPBACK))
    except ValueError:
        return False


def post_json(url: str, body: Mapping[str, Any], deadline: float, *, ca: str = "") -> None:
    """POST `body` before `deadline` (time.monotonic() seconds). Raises Unavailable when it was not taken.

    `ca` is a private CA bundle. Raises BadSettings for a URL that is not https (http only to loopback).
    """
    if not may_post_to(url):
        raise BadSettings("a webhook must be https", place="escalation", remedy="use its https address")
    where = urlsplit(url).hostname or ""
    seconds = deadline - time.monotonic()
    if seconds <= 0:
        raise Unavailable(where, "no time was left to deliver")
    try:
        with Watch(seconds), requests.Session() as session:
            session.trust_env = False
            session.mount("https://", WatchedAdapter())
            session.mount("http://", WatchedAdapter())
            answer = session.post(url, json=body, timeout=seconds, allow_redirects=False, verify=ca or True, stream=True)
            with answer:
                status = answer.status_code
    except OSError as error:  # RequestException is one, and so is a CA file that can't be read
        raise Unavailable(where, f"{type(error).__name__}: not delivered. Check the address and the network") from None
    if not 200 <= status < 300:
        raise Unavailable(where, f"answered {status}: not delivered", status=status)
