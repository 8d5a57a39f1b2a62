"""Attacks on the real OpenBao, and its audit log."""

from __future__ import annotations

import json
from typing import Any, Dict, List, Tuple

from responders.drill.cast import Cast


def steal(cast: Cast, login: Dict[str, str], paths: int) -> str:
    """Log in with stolen AppRole credentials and read secrets, for real; the attacker's token."""
    for number in range(paths):
        cast.bao.request("POST", f"kv/data/secret-{number}", {"data": {"value": str(number)}})
    token = str(cast.bao.request("POST", "auth/approle/login", login)["auth"]["client_token"])
    if paths >= 30:
        cast.bao.request("PUT", "sys/policies/acl/app", {"policy": _LISTING})
        cast.bao.request("GET", "kv/metadata/?list=true", token=token)
    for number in range(paths):
        cast.bao.request("GET", f"kv/data/secret-{number}", token=token)
    return token


_LISTING = """
path "kv/data/*" { capabilities = ["create", "read", "update"] }
path "kv/metadata/*" { capabilities = ["list"] }
path "auth/token/create" { capabilities = ["update"] }
"""


def audit(cast: Cast) -> List[Tuple[str, Any]]:
    """What OpenBao itself wrote; the work of root, which set the drill up, left out."""
    lines = [json.loads(line) for line in cast.bao.audit_log.read_text().splitlines()]
    kept = [line for line in lines if "root" not in (line.get("auth", {}).get("policies") or ())]
    return [("vault", line) for line in kept]


def works(cast: Cast, token: str) -> bool:
    try:
        cast.bao.request("GET", "kv/data/secret-1", token=token)
    except Exception:  # any refusal
        return False
    return True


def logs_in(cast: Cast, login: Dict[str, str]) -> bool:
    try:
        cast.bao.request("POST", "auth/approle/login", login)
    except Exception:  # any refusal
        return False
    return True
