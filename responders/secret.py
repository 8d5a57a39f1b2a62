"""Where a secret lies (environment, a file that is ours alone, Splunk's storage/passwords), and where one may be sent."""

from __future__ import annotations

import os
import re
import stat
from typing import Any, Callable, Optional
from urllib.parse import urlsplit

from responders.errors import BadInputs, BadSettings

_LONGEST = 65536
_LOOPBACK = ("127.0.0.1", "localhost", "::1")
_ENV = re.compile(r"[A-Za-z_][A-Za-z0-9_]*\Z")


class Secret:
    """A secret value whose repr and str never show it."""

    def __init__(self, value: str) -> None:
        self._value = value

    def reveal(self) -> str:
        return self._value

    def __repr__(self) -> str:
        return "***"

    __str__ = __repr__


Stored = Callable[[str], Optional[Secret]]
"""A secret by its name in Splunk's storage/passwords, None when there is none."""


def sound_url(url: str, allow_loopback_http: bool = False) -> bool:
    """True for an https URL with a host, and without credentials, query or fragment; http to loopback only if allowed."""
    try:
        parts = urlsplit(url)
        local = parts.scheme == "http" and parts.hostname in _LOOPBACK and allow_loopback_http
        plain = "@" not in parts.netloc and not parts.query and not parts.fragment
        return (parts.scheme == "https" or local) and bool(parts.hostname) and plain and parts.port != 0
    except ValueError:  # a port or an IPv6 address that is none
        return False


def read_secret(value: Any, place: str, folder: str, stored: Optional[Stored] = None) -> Secret:
    """From `{"env": NAME}` or `{"file": PATH}`, a path being relative to `folder`, the file ours alone (mode 0600).

    With `stored`, inside Splunk, `{"splunk": NAME}` is the only form. Raises BadInputs.
    """
    if stored is not None:
        return _stored(value, place, stored)
    if isinstance(value, dict) and set(value) == {"env"} and isinstance(value["env"], str):
        found = os.environ.get(value["env"]) if _ENV.match(value["env"]) else None
        if not found:
            what = f"the environment has no {value['env'][:80]}"
            raise _bad(place, what, "set it for the responder's process only")
        return Secret(found)
    if isinstance(value, dict) and set(value) == {"file"} and isinstance(value["file"], str):
        return _file(os.path.join(folder, os.path.expanduser(value["file"])), place)
    raise _bad(place, "must not be in this file", 'refer to it: {"env": NAME} or {"file": PATH}')


def _stored(value: Any, place: str, stored: Stored) -> Secret:
    if not isinstance(value, dict) or set(value) != {"splunk"} or not isinstance(value["splunk"], str):
        raise _bad(place, "must lie in Splunk's storage/passwords", "enter it on the setup page")
    found = stored(value["splunk"])
    if found is None:
        raise _bad(place, f"storage/passwords has no {value['splunk'][:80]!r}", "enter it on the setup page")
    return found


def _file(path: str, place: str) -> Secret:
    try:
        with open(path, encoding="utf-8") as handle:
            mode = os.fstat(handle.fileno())
            text = handle.read(_LONGEST + 1)
    except (OSError, ValueError) as error:
        raise _bad(place, f"{path}: {getattr(error, 'strerror', None) or error}", "create it with mode 0600") from None
    if stat.S_IMODE(mode.st_mode) & 0o077 or mode.st_uid not in (os.geteuid(), 0):
        raise _bad(place, f"{path} can be read by others", f"chmod 600 {path}, owned by the responder's user")
    if len(text) > _LONGEST:
        raise _bad(place, f"{path} is longer than {_LONGEST} characters", "put the secret alone into it")
    if not text.strip():
        raise _bad(place, f"{path} is empty", "write the secret into it")
    return Secret(text.strip() if "BEGIN" not in text else text)


def _bad(place: str, what: str, remedy: str) -> BadInputs:
    return BadInputs([BadSettings(what, place=place, remedy=remedy)])
