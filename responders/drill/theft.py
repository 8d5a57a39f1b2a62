"""Attacks on the real OpenBao, and its audit log."""

from __future__ import annotations

import json
from typing import Any, Dict, List, Mapping, Tuple

from responders.content.forms import parse_time
from responders.drill.cast import Cast
from responders.drill.openbao import OpenBaoMissing
from responders.drill.watcher import Try


def steal(cast: Cast, login: Mapping[str, str], paths: int) -> str:
    """Log in with stolen AppRole credentials and read secrets, for real; the attacker's token."""
    for number in range(paths):
        cast.bao.request("POST", f"kv/data/secret-{number}", {"data": {"value": str(number)}})
    token = _log_in(cast, login)
    if paths >= 30:
        cast.bao.request("PUT", "sys/policies/acl/app", {"policy": _LISTING})
        cast.bao.request("GET", "kv/metadata/?list=true", token=token)
    for number in range(paths):
        cast.bao.request("GET", f"kv/data/secret-{number}", token=token)
    return token


def ways_in(cast: Cast, login: Mapping[str, str], token: str) -> Dict[str, Try]:
    """What the thief keeps trying: the token, and a new login that reads a secret."""
    return {"vault token": lambda: _reads(cast, token), "vault new login": lambda: _reads_after_login(cast, login)}


def audit(cast: Cast, since: float) -> List[Tuple[str, Any]]:
    """What OpenBao itself wrote from `since` on; the work of root, which set the drill up, left out."""
    lines = [json.loads(line) for line in cast.bao.audit_log.read_text().splitlines()]
    kept = [line for line in lines if "root" not in (line.get("auth", {}).get("policies") or ())]
    return [("vault", line) for line in kept if (parse_time(line.get("time")) or 0.0) >= since]


def secrets_read(cast: Cast, entity: str, since: float) -> List[str]:
    """Paths that this entity read with success from `since` on, as OpenBao's audit log has it."""
    found = []
    for _, line in audit(cast, since):
        request = line.get("request", {})
        mine = line.get("type") == "response" and line.get("auth", {}).get("entity_id") == entity
        if mine and not line.get("error") and str(request.get("path", "")).startswith("kv/data/"):
            found.append(str(request["path"]))
    return found


def may_read(cast: Cast, token: str, path: str) -> bool:
    """Would OpenBao let this token read a path? Asked as root, so that nothing is read. False for a dead token."""
    try:
        answer = cast.bao.request("POST", "sys/capabilities", {"token": token, "paths": [path]})
    except OpenBaoMissing:  # 400, the token is not known any more
        return False
    return "read" in answer["data"][path]


_LISTING = """
path "kv/data/*" { capabilities = ["create", "read", "update"] }
path "kv/metadata/*" { capabilities = ["list"] }
path "auth/token/create" { capabilities = ["update"] }
"""


def _log_in(cast: Cast, login: Mapping[str, str]) -> str:
    return str(cast.bao.request("POST", "auth/approle/login", dict(login))["auth"]["client_token"])


def _reads(cast: Cast, token: str) -> bool:
    try:
        cast.bao.request("GET", "kv/data/secret-1", token=token)
    except OpenBaoMissing:  # any refusal
        return False
    return True


def _reads_after_login(cast: Cast, login: Mapping[str, str]) -> bool:
    try:
        return _reads(cast, _log_in(cast, login))
    except OpenBaoMissing:
        return False
