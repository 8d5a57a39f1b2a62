"""What `inventory sync` reads from logs: options, and where they lead. What did not answer is told, and kept as it was."""

from __future__ import annotations

import argparse
import os
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timezone
from pathlib import Path
from typing import Callable, Dict, Iterable, Iterator, List, Sequence, Tuple

from responders.content.elastic.server import ElasticError, Server
from responders.content.usage import Question, questions
from responders.elastic.access import ELASTIC_KEY, api_key, ca_bundle, sound_url
from responders.errors import BadInput, BadSettings
from responders.inventory.describing import LEAST_DAYS
from responders.inventory.sync.usage import DAY, Usage, of_tenants, recent, usage_of
from responders.inventory.sync.usage_elastic import from_elastic
from responders.inventory.sync.usage_events import Lines, from_events
from responders.inventory.sync.usage_store import UsageStore
from responders.inventory.sync.vault_audit import read_usage
from responders.settings import Connection
from responders.splunk.splunkd import Splunkd, SplunkError
from responders.surfaces.command_line.past_alerts import from_file, from_splunk
from responders.surfaces.command_line.reaching_splunk import TOKEN, open_splunkd

_AGAIN = 2
"""Days that are asked for once more: events come late."""
_MOST_ROWS = 500_000
"""Of one search, that Splunk keeps (limits.conf, [search] max_count; `from_splunk` asks for so many)."""
Day = Callable[[int], Iterable[Usage]]


@dataclass(frozen=True)
class UsageRead:
    """What became of one origin: how many uses it told of, how many rows or lines were none, and why it failed."""

    origin: str
    uses: int = 0
    bad: int = 0
    failed: str = ""


_NAME = "name a file of a vendor's events, or of answers"


def add(parser: argparse.ArgumentParser) -> None:
    group = parser.add_argument_group("usage seen in logs (docs/inventory_usage.md)")
    logs = ", ".join(question.name for question in questions())
    saved = "answers saved in Splunk from `Tourniquet - usage NAME`, CSV or JSON; may be given again"
    group.add_argument("--usage-elastic", metavar="URL", help="ask this Elasticsearch who uses what")
    group.add_argument("--usage-splunk", metavar="URL", help="ask Splunk: a search head's https://SEARCH-HEAD:8089")
    group.add_argument("--usage-rows", action="append", metavar="FILE", help=saved)
    group.add_argument("--usage-events", action="append", metavar="LOG=FILE", help=f"events, one a line; LOG is {logs}")
    group.add_argument("--vault-audit", metavar="FILE", help="Vault's audit log, read on from where it was")
    group.add_argument("--usage-key-file", default="", metavar="FILE", help=f"API key, mode 0600; else ${ELASTIC_KEY}")
    group.add_argument("--usage-token-file", default="", metavar="FILE", help=f"Splunk token, mode 0600; else ${TOKEN}")
    group.add_argument("--usage-ca", default="", metavar="FILE", help="PEM certificates of a private CA of either")
    group.add_argument("--usage-keep-days", type=int, default=30, metavar="N", help="so many days are read and kept (30)")
    group.add_argument("--usage-least-days", type=int, default=LEAST_DAYS, metavar="N",
                       help=f"what was seen on fewer days is not told ({LEAST_DAYS})")  # fmt: skip


def check(options: argparse.Namespace, connections: Sequence[Connection]) -> None:
    """Before the vendors are read, which takes minutes: numbers, files, addresses and secrets. Raises BadInput."""
    keep = options.usage_keep_days
    if not 1 <= keep <= 366 or not 1 <= options.usage_least_days <= keep:
        what = f"{keep} days kept, {options.usage_least_days} at least"
        raise BadInput(what, place="--usage-keep-days", remedy="keep 1 to 366 days, of which at least some are wanted")
    files = [_log(given, questions())[1] for given in options.usage_events or ()] + (options.usage_rows or [])
    if options.vault_audit:
        _vault(connections)
        files.append(options.vault_audit)
    for path in files:
        try:
            os.stat(path)
        except OSError as error:
            raise BadInput(str(error.strerror), place=path, remedy=_NAME) from None
        if os.path.isdir(path) or not os.access(path, os.R_OK):
            raise BadInput("is no file that can be read", place=path, remedy=_NAME)
    if options.usage_elastic:
        sound_url(options.usage_elastic, "--usage-elastic"), ca_bundle(options.usage_ca)
        api_key(ELASTIC_KEY, options.usage_key_file)
    if options.usage_splunk:
        with _splunkd(options):
            pass


def read(options: argparse.Namespace, connections: Sequence[Connection], state: Path, now: float) -> List[UsageRead]:
    """Everything that the options name. Raises BadInput for what a file holds."""
    keep = options.usage_keep_days
    with UsageStore(state) as store:
        reading = _Reading(store, _tenants(connections), keep, now)
        found = list(_origins(options, connections, reading))
        if found:
            much = store.trim(now, keep)
            found += [UsageRead("too much", bad=much)] if much else []
    return found


class _Reading:
    def __init__(self, store: UsageStore, tenants: Dict[str, str], keep: int, now: float) -> None:
        self.store, self.tenants, self.keep, self.now = store, tenants, keep, now

    def days(self, origin: str, day: Day) -> UsageRead:
        """Every day that is not read yet, and the last ones again. Each is taken in whole, before the next is asked for."""
        today = int(self.now // DAY)
        mark = self.store.mark(origin)
        begin = max(today - self.keep + 1, int(mark) - _AGAIN if mark else 0)
        uses = 0
        try:
            for number in range(begin, today + 1):
                uses += self.take(origin, day(number))
                self.store.set_mark(origin, str(number))
        except (ElasticError, SplunkError) as error:
            return UsageRead(origin, uses, failed=str(error))
        return UsageRead(origin, uses)

    def take(self, origin: str, uses: Iterable[Usage]) -> int:
        return self.store.merge(origin, recent(of_tenants(uses, self.tenants), self.now, self.keep))


def _origins(options: argparse.Namespace, connections: Sequence[Connection], reading: _Reading) -> Iterator[UsageRead]:
    asked = questions()
    events = [_log(given, asked) for given in options.usage_events or ()]
    if options.vault_audit:
        place = _vault(connections)
        count = read_usage(Path(options.vault_audit), reading.store, place, reading.now, reading.keep)
        yield UsageRead(f"file {place}", count)
    if options.usage_elastic:
        url, ca = sound_url(options.usage_elastic, "--usage-elastic"), ca_bundle(options.usage_ca)
        with Server(url, key=api_key(ELASTIC_KEY, options.usage_key_file), ca=ca) as server:
            for question in asked:
                yield reading.days(f"elastic {question.name}", _elastic_day(server, question))
    if options.usage_splunk:
        with _splunkd(options) as splunkd:
            for question in asked:
                yield reading.days(f"splunk {question.name}", _splunk_day(splunkd, question))
    for path in options.usage_rows or ():
        yield _rows(path, reading)
    for question, path in events:
        lines = Lines()
        count = reading.take(f"events {question.name}", from_events(Path(path), question, lines))
        yield UsageRead(f"events {question.name}", count, lines.bad)


def _elastic_day(server: Server, question: Question) -> Day:
    return lambda day: from_elastic(server, question, day, day)


def _splunk_day(splunkd: Splunkd, question: Question) -> Day:
    def ask(day: int) -> Iterator[Usage]:
        search = f"earliest={day * DAY} latest={(day + 1) * DAY} {question.splunk}"
        count = 0
        for _, row in from_splunk(splunkd, search, datetime.fromtimestamp(day * DAY, timezone.utc)):
            count += 1
            use = usage_of(row)
            if use is not None:
                yield use
        if count >= _MOST_ROWS:
            raise SplunkError(f"usage {question.name} gave {count} rows of one day, and may have kept some back")

    return ask


@contextmanager
def _splunkd(options: argparse.Namespace) -> Iterator[Splunkd]:
    splunkd = open_splunkd(
        options.usage_splunk, options.usage_token_file, options.usage_ca, option="--usage-splunk",
        file_option="--usage-token-file",
    )  # fmt: skip
    try:
        yield splunkd
    finally:
        splunkd.close()


def _rows(path: str, reading: _Reading) -> UsageRead:
    uses: List[Usage] = []
    bad = 0
    for _, row in from_file(path, "tq_account"):
        use = usage_of(row)
        bad += use is None
        uses += [use] if use is not None else []
    if not uses:
        remedy = "save the answer of a search `Tourniquet - usage NAME` with its columns tq_*"
        raise BadInput("holds no row of usage", place=path, remedy=remedy)
    return UsageRead(f"rows {path}", reading.take("rows", uses), bad)


def _log(given: str, asked: Sequence[Question]) -> Tuple[Question, str]:
    name, _, path = given.partition("=")
    found = next((question for question in asked if question.name == name), None)
    if found is None or not path:
        remedy = f"write LOG=FILE, with one of {', '.join(question.name for question in asked)}"
        raise BadInput(f"{given[:200]!r} names no log with a file", place="--usage-events", remedy=remedy)
    return found, path


def _tenants(connections: Sequence[Connection]) -> Dict[str, str]:
    """Of each vendor that is connected once: its tenant."""
    found: Dict[str, List[str]] = {}
    for connection in connections:
        found.setdefault(connection.vendor, []).append(connection.tenant)
    return {vendor: tenants[0] for vendor, tenants in found.items() if len(set(tenants)) == 1}


def _vault(connections: Sequence[Connection]) -> str:
    vaults = [c for c in connections if c.vendor == "vault"]
    if len(vaults) != 1:
        remedy = "read it with settings that connect the Vault it comes from, and no other"
        raise BadSettings(f"{len(vaults)} Vaults are connected", place="--vault-audit", remedy=remedy)
    return f"vault:{vaults[0].tenant}"
