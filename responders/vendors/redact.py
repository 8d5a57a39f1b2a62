"""Keeps secrets and control characters out of messages."""

from __future__ import annotations

import re
from typing import Iterable

_BEARER = re.compile(r"(?i)\b(bearer|ssws|basic)\s+[A-Za-z0-9._~+/=-]{6,}")
_PAIR = re.compile(
    r"(?i)([\"']?(?:password|secret|client_secret|client_assertion|token|access_token|refresh_token|secret_id|"
    r"authorization|x-vault-token|api_key|private_key)[\"']?\s*[=:]\s*[\"']?)[^\"'&\s,;}]{3,}"
)
_KNOWN_SHAPES = re.compile(r"\b(eyJ[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_.-]+|(?:hv)?[sbr]\.[A-Za-z0-9_-]{20,})")


def redact(text: str, secrets: Iterable[str] = (), limit: int = 400) -> str:
    """`text` on one line, at most `limit` characters, without `secrets` and without what looks like one."""
    for secret in secrets:
        if len(secret) >= 4:
            text = text.replace(secret, "***")
    text = _KNOWN_SHAPES.sub("***", _PAIR.sub(r"\1***", _BEARER.sub(r"\1 ***", text)))
    shown = "".join(c if c.isprintable() else " " for c in text)
    return shown if len(shown) <= limit else shown[:limit] + "…"
