"""How a command outside Splunk reaches splunkd: over https, with a token from a file or the environment."""

from __future__ import annotations

import argparse
import os
import ssl
import stat
from urllib.parse import urlsplit

from responders.errors import BadInput
from responders.splunk.splunkd import Splunkd

TOKEN = "TOURNIQUET_SPLUNK_TOKEN"
_LONGEST = 8192
_LOOPBACK = ("127.0.0.1", "localhost", "::1")


def add_place(parser: argparse.ArgumentParser) -> None:
    """Options that say which splunkd, and with whose rights."""
    parser.add_argument("--url", required=True, help="a search head's management port, https://SEARCH-HEAD:8089")
    parser.add_argument(
        "--token-file", default="", metavar="FILE", help=f"holds an authentication token of Splunk, mode 0600; else ${TOKEN}"
    )
    parser.add_argument("--ca", default="", metavar="FILE", help="PEM certificates of a private CA")


def open_splunkd(url: str, token_file: str, ca: str, *, option: str = "--url", file_option: str = "--token-file") -> Splunkd:
    """splunkd at its management port. The token is one of Splunk's authentication tokens, or a session key.

    `option` and `file_option` are what the command calls the URL and the token's file.

    Raises BadInput for a URL that is not https (http: to loopback only), a token that others can read, or a CA that is none.
    """
    parts = urlsplit(url)
    if parts.scheme != "https" and not (parts.scheme == "http" and parts.hostname in _LOOPBACK):
        raise BadInput(f"{url[:200]!r} is not https", place=option, remedy="give https://SEARCH-HEAD:8089")
    try:
        context = ssl.create_default_context(cafile=ca or None)
    except OSError as error:
        raise BadInput(f"{error.strerror or error}", place=f"--ca {ca}", remedy="name a file of PEM certificates") from None
    return Splunkd(url, _token(token_file, file_option), seconds=60.0, tls=context)


def _token(path: str, option: str) -> str:
    if not path:
        found = os.environ.get(TOKEN, "").strip()
        if not found:
            raise BadInput("is not set", place=f"${TOKEN}", remedy=f"set it, or name a file with {option}")
        return found
    try:
        with open(os.path.expanduser(path), encoding="ascii") as handle:
            about = os.fstat(handle.fileno())
            text = handle.read(_LONGEST + 1).strip()
    except (OSError, ValueError) as error:
        raise BadInput(f"{error}", place=path, remedy="write the token into it, mode 0600") from None
    if stat.S_IMODE(about.st_mode) & 0o077 or about.st_uid not in (os.geteuid(), 0):
        raise BadInput("can be read by others", place=path, remedy=f"chmod 600 {path}, owned by who runs this")
    if not text or len(text) > _LONGEST or any(character.isspace() for character in text):
        raise BadInput("holds no token", place=path, remedy="write the token, and nothing else, into it")
    return text
