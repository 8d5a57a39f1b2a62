"""Records a vendor client's exchanges to a cassette, or replays them with no vendor there."""

from __future__ import annotations

import contextlib
import json
import os
from pathlib import Path
from typing import Any, Callable, Dict, Iterable, Iterator, Mapping
from urllib.parse import urlsplit

import vcr
from vcr.stubs.requests_stubs import VCRRequestsHTTPConnection, VCRRequestsHTTPSConnection

from responders.vendors import deadline
from tests.contract import scrub

FOLDER = Path(__file__).parent / "cassettes"
SWITCH = "TOURNIQUET_RECORD"
MATCH = ("method", "path", "query", "body")
_PATCHES = (
    (deadline._PlainPool, "ConnectionCls", VCRRequestsHTTPConnection),
    (deadline._TlsPool, "ConnectionCls", VCRRequestsHTTPSConnection),
)
"""The transport has connection classes of its own, which vcrpy does not know."""


def recording(vendor: str) -> bool:
    """True when TOURNIQUET_RECORD names this vendor. Raises in CI, where a cassette is checked and never made anew."""
    wanted = os.environ.get(SWITCH, "") == vendor
    if wanted and os.environ.get("CI") == "true":
        raise RuntimeError(f"{SWITCH}={vendor} in CI: cassettes are recorded by hand, looked at, and committed")
    return wanted


@contextlib.contextmanager
def recorded(path: Path, *urls: str, secrets: Iterable[str] = ()) -> Iterator[Any]:
    """Record everything sent in here to `path`, scrubbed, and only keep it if none of `secrets` is in it.

    `urls` are what the vendor's own addresses begin with.
    """
    path.unlink(missing_ok=True)
    hosts = sorted({urlsplit(url).netloc for url in urls}, key=len, reverse=True)

    def answer(given: Mapping[str, Any]) -> Dict[str, Any]:
        made: Dict[str, Any] = dict(given)
        for host in hosts:
            made = scrub.response(made, host)
        return made

    try:
        with _tape("all", answer).use_cassette(str(path)) as cassette:
            yield cassette
    finally:
        if path.exists():
            _no_secrets_in(path, secrets)


@contextlib.contextmanager
def replayed(path: Path) -> Iterator[Any]:
    """Answer from `path`. A request that is not in it raises; one in it that was not sent fails at the end."""
    with _tape("none", None).use_cassette(str(path)) as cassette:
        yield cassette
    left = [entry.uri for entry, count in zip(cassette.requests, map(cassette.play_counts.__getitem__, range(len(cassette))))
            if not count]  # fmt: skip
    assert not left, f"recorded and not sent: {left}"


class Tape:
    """One contract test's cassette, and the facts (ids) that its set-up found out when it was recorded."""

    def __init__(self, name: str, live: bool) -> None:
        self.path = FOLDER / f"{name}.yaml"
        self._facts = FOLDER / f"{name}.facts.json"
        self.live = live

    def facts(self, make: Callable[[], Mapping[str, str]]) -> Mapping[str, str]:
        """Set up on the live server and keep the ids, or read what was kept."""
        if self.live:
            found = dict(make())
            self._facts.parent.mkdir(parents=True, exist_ok=True)
            self._facts.write_text(json.dumps(found, indent=1, sort_keys=True) + "\n")
        loaded: Mapping[str, str] = json.loads(self._facts.read_text())
        return loaded

    @contextlib.contextmanager
    def playing(self, *urls: str, secrets: Iterable[str] = ()) -> Iterator[Any]:
        """Record or replay what is sent in here."""
        with recorded(self.path, *urls, secrets=secrets) if self.live else replayed(self.path) as cassette:
            yield cassette


def _tape(mode: str, answer: Any) -> Any:
    return vcr.VCR(
        record_mode=mode,
        match_on=MATCH,
        before_record_request=scrub.request,
        before_record_response=answer,
        decode_compressed_response=True,
        custom_patches=_PATCHES,
    )


def _no_secrets_in(path: Path, secrets: Iterable[str]) -> None:
    text = path.read_text()
    found = scrub.secret_shapes(text) + [secret for secret in secrets if secret and secret in text]
    if found:
        path.unlink()
        raise AssertionError(f"{path.name} would have held {len(found)} secrets and was not kept")
