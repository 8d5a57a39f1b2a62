"""Plain HTTP to a simulator, with no client of ours between."""

from __future__ import annotations

from typing import Any

import requests


def send(method: str, url: str, **more: Any) -> requests.Response:
    """One request; proxies of the environment are left out."""
    with requests.Session() as session:
        session.trust_env = False
        return session.request(method, url, timeout=5, **more)
