"""How a command reaches Kibana or Elasticsearch: where a key may be sent, and where it is kept."""

from __future__ import annotations

import os
import stat
from pathlib import Path
from urllib.parse import urlsplit

from responders.errors import BadInput
from responders.settings import Secret

KIBANA_KEY, ELASTIC_KEY = "TOURNIQUET_KIBANA_API_KEY", "TOURNIQUET_ELASTIC_API_KEY"
"""Environment variables with an encoded API key. A key of Elasticsearch is one of Kibana too (Elastic, "API keys")."""
_LOOPBACK = ("127.0.0.1", "localhost", "::1")
_LONGEST_KEY = 4096


def sound_url(url: str, option: str) -> str:
    """The URL without a slash at its end. Raises BadInput unless it is https (http to loopback) and holds no credential."""
    try:
        parts = urlsplit(url)
        host, _ = parts.hostname, parts.port
    except ValueError:
        host, parts = None, urlsplit("")
    if not host or parts.scheme not in ("http", "https"):
        raise BadInput(
            f"{url[:200]!r} is no http(s) URL", place=option, remedy="give https://host:port, with a base path if any"
        )
    if parts.username is not None or parts.query or parts.fragment:
        remedy = f"give host and path only; the key goes into {KIBANA_KEY}, or a file"
        raise BadInput("holds more than host and path", place=option, remedy=remedy)
    if parts.scheme == "http" and host not in _LOOPBACK:
        raise BadInput("http would send the API key in the clear", place=option, remedy="give the https address")
    return url.rstrip("/")


def api_key(variable: str, file: str = "") -> Secret:
    """The encoded key from a file that is ours alone (mode 0600), else from the environment; empty where neither has one.

    Raises BadInput for a file that can't be read, that others can read, or that holds no key.
    """
    if not file:
        return Secret(os.environ.get(variable) or os.environ.get(ELASTIC_KEY) or "")
    try:
        with open(os.path.expanduser(file), encoding="ascii") as handle:
            about = os.fstat(handle.fileno())
            text = handle.read(_LONGEST_KEY + 1).strip()
    except (OSError, ValueError) as error:
        why = error.strerror if isinstance(error, OSError) else "is not ASCII"
        raise BadInput(f"{why}", place=file, remedy="write the encoded API key into it, mode 0600") from None
    if stat.S_IMODE(about.st_mode) & 0o077 or about.st_uid not in (os.geteuid(), 0):
        raise BadInput("can be read by others", place=file, remedy=f"chmod 600 {file}, owned by who runs this")
    if not text or len(text) > _LONGEST_KEY or any(character.isspace() for character in text):
        raise BadInput("holds no API key", place=file, remedy="write the encoded key, and nothing else, into it")
    return Secret(text)


def ca_bundle(path: str) -> str:
    """A file of PEM certificates, "" for the system's own. Raises BadInput."""
    if path and not Path(path).is_file():
        raise BadInput("is no file", place=f"--ca {path}", remedy="name a file of PEM certificates")
    return path
