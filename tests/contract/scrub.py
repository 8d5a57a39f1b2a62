"""Takes secrets out of what is recorded: by name, by place and by shape. What is left may be committed."""

from __future__ import annotations

import copy
import json
import re
from typing import Any, Dict, List, Mapping
from urllib.parse import parse_qsl, urlencode, urlsplit, urlunsplit

HOST = "127.0.0.1:9"
"""Stands for every host: the discard port, where nothing listens, so that a replay can reach nobody."""
MARK = "scrubbed"

SECRET_NAMES = frozenset(
    {
        "password", "newpassword", "secret", "client_secret", "secret_id", "secret_key", "secretkey", "private_key",
        "privatekey", "client_assertion", "client_token", "token", "access_token", "refresh_token", "id_token",
        "sessiontoken", "credentials", "key", "value", "secrettext", "wrapping_token", "wrap_info", "role_id", "content",
        "sid", "client_info",
    }
)  # fmt: skip
"""Members of JSON objects and fields of forms that hold a secret, in lower case. Their texts are replaced."""

SHAPES = tuple(
    map(
        re.compile,
        (
            r"\b(?:hvs|hvb|hvr|s|b|r)\.[A-Za-z0-9_-]{20,}",  # Vault and OpenBao tokens
            r"\beyJ[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]*",  # JWTs
            r"-----BEGIN [A-Z ]*PRIVATE KEY-----",
            r"\bSSWS\s+\S+",
            r"\b00[A-Za-z0-9_-]{40}\b",  # Okta API tokens
            r"\b[A-Za-z0-9_~.-]{3}8Q~[A-Za-z0-9_~.-]{30,}",  # Entra client secrets
        ),
    )
)
"""What a secret looks like wherever it stands; tests look for the same in what is committed."""

_KEPT_HEADERS = ("content-type", "link", "retry-after", "x-rate-limit-limit", "x-rate-limit-remaining", "x-rate-limit-reset")


def secret_shapes(text: str) -> List[str]:
    """Everything in a text that looks like a secret."""
    return [found.group(0) for shape in SHAPES for found in shape.finditer(text)]


def request(given: Any) -> Any:
    """A vcr request without secrets and without its host. Used alike when recording and when replaying."""
    made = copy.copy(given)
    parts = urlsplit(given.uri)
    query = urlencode([(name, _text(name, value)) for name, value in parse_qsl(parts.query, keep_blank_values=True)])
    made.uri = urlunsplit(("http", HOST, parts.path, query, ""))
    kind = str(given.headers.get("Content-Type", given.headers.get("content-type", "")))
    made.headers = {"Content-Type": kind} if kind else {}
    made.body = _body(given.body, kind, parts.netloc)
    return made


def response(given: Mapping[str, Any], host: str) -> Dict[str, Any]:
    """A vcr response without secrets; `host` in it becomes HOST."""
    made = copy.deepcopy(dict(given))
    kind = "".join(made["headers"].get("Content-Type", made["headers"].get("content-type", [""])))
    made["headers"] = {
        name: [_hostless(value, host) for value in values]
        for name, values in made["headers"].items()
        if name.lower() in _KEPT_HEADERS
    }
    made["body"]["string"] = _body(made["body"]["string"], kind, host) or b""
    return made


def _body(raw: Any, kind: str, host: str) -> Any:
    if not raw:
        return raw
    text = raw.decode("utf-8", "replace") if isinstance(raw, bytes) else str(raw)
    if "x-www-form-urlencoded" in kind:
        fields = sorted((name, _text(name, value)) for name, value in parse_qsl(text, keep_blank_values=True))
        return urlencode(fields).encode()
    try:
        value = json.loads(text)
    except ValueError:
        return _hostless(_shapeless(text), host).encode()
    # A bare text is the answer to a CyberArk logon: the session token.
    value = MARK if isinstance(value, str) else _value(value)
    return _hostless(json.dumps(value, sort_keys=True), host).encode()


def _value(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _text(name, item) if isinstance(item, str) else _value(item) for name, item in value.items()}
    if isinstance(value, list):
        return [_shapeless(item) if isinstance(item, str) else _value(item) for item in value]
    return value


def _text(name: str, value: str) -> str:
    if value and name.lower() in SECRET_NAMES:
        return MARK
    return _shapeless(value)


def _shapeless(text: str) -> str:
    for shape in SHAPES:
        text = shape.sub(MARK, text)
    return text


def _hostless(text: str, host: str) -> str:
    return text.replace(host, HOST) if host else text
