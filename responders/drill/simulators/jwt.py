"""Verifies RS256 JWTs with the standard library alone, so that a simulator refuses a wrong signature."""

from __future__ import annotations

import base64
import hashlib
import json
import secrets
from typing import Any, Dict, Mapping, Optional

_SHA256 = bytes.fromhex("3031300d060960864801650304020105000420")


def claims_of(token: str, key: Mapping[str, str]) -> Optional[Dict[str, Any]]:
    """The claims of a JWT signed by the RSA key (`n`, `e` as in RFC 7518), None when it is not."""
    try:
        head, body, signature = token.split(".")
        if json.loads(_decode(head)).get("alg") != "RS256":
            return None
        modulus, exponent = int.from_bytes(_decode(key["n"]), "big"), int.from_bytes(_decode(key["e"]), "big")
        size = (modulus.bit_length() + 7) // 8
        opened = pow(int.from_bytes(_decode(signature), "big"), exponent, modulus).to_bytes(size, "big")
        digest = _SHA256 + hashlib.sha256(f"{head}.{body}".encode()).digest()
        if opened != b"\x00\x01" + b"\xff" * (size - len(digest) - 3) + b"\x00" + digest:
            return None
        found = json.loads(_decode(body))
    except (ValueError, KeyError, TypeError, OverflowError):
        return None
    return found if isinstance(found, dict) else None


def unsigned(claims: Mapping[str, Any]) -> str:
    """A token that looks like a JWT and that nobody can guess: its signature is chance, and only who made it knows it."""
    head, body = (json.dumps(part, default=sorted).encode() for part in ({"typ": "JWT", "alg": "RS256"}, claims))
    parts = (head, body, secrets.token_bytes(24))
    return ".".join(base64.urlsafe_b64encode(part).rstrip(b"=").decode() for part in parts)


def _decode(text: str) -> bytes:
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
