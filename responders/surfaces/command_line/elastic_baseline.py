"""Keep the lookup tourniquet-seen, which first-seen rules compare with. Runs each 5 minutes until it is stopped."""

from __future__ import annotations

import argparse
import re
import time
from datetime import datetime, timedelta, timezone
from typing import Optional

from responders.content.elastic.baseline import learn
from responders.content.elastic.server import Server
from responders.errors import BadInput, BadInputs
from responders.surfaces.command_line import show

_EVERY = 300.0
_SPAN = re.compile(r"(\d{1,4})([mhd])")
_UNITS = {"m": "minutes", "h": "hours", "d": "days"}


def add(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--url", required=True, help="the Elasticsearch; an API key goes into TOURNIQUET_ELASTIC_API_KEY")
    parser.add_argument("--since", metavar="SPAN", help="begin that far back once more: 30d, 12h, 90m")
    parser.add_argument("--once", action="store_true", help="one run, for a scheduler of yours")
    show.add_common(parser, settings=False)


def run(options: argparse.Namespace) -> int:
    since = _span(options.since)
    with Server(options.url) as server:
        if options.once:
            _learn(server, since, options.json)
            return 0
        while True:
            try:
                _learn(server, since, options.json)
                since = None
            except (BadInput, BadInputs) as found:
                # It goes on where it ended: what was missed now is learned when the server is back.
                show.error(found, 2, json_wanted=options.json)
            time.sleep(_EVERY)


def _learn(server: Server, since: Optional[timedelta], json_wanted: bool) -> None:
    for one in learn(server, datetime.now(timezone.utc), since=since):
        said = f"{one.what}: {one.pairs} pairs from {one.since:%Y-%m-%d %H:%M} to {one.until:%Y-%m-%d %H:%M}"
        show.say(
            said, json_wanted=json_wanted, what=one.what, pairs=one.pairs, since=one.since.isoformat(),
            until=one.until.isoformat(),
        )  # fmt: skip


def _span(text: Optional[str]) -> Optional[timedelta]:
    if text is None:
        return None
    match = _SPAN.fullmatch(text)
    if match is None or not int(match[1]):
        raise BadInput(f"{text!r} is no span of time", place="--since", remedy="write 30d, 12h or 90m")
    return timedelta(**{_UNITS[match[2]]: int(match[1])})
