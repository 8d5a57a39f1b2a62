"""Replay past alerts through policy and inventory: what would have been contained, and was it right.

Alerts come from a FILE (JSON or CSV, as either SIEM exports them), from --splunk or from --elastic. Nothing is changed
anywhere. With --policy the policy as it is and the one proposed are compared.
"""

from __future__ import annotations

import argparse
import gc
import json
import os
import re
from contextlib import contextmanager
from dataclasses import replace
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any, Iterator, List, Mapping, Optional, Tuple

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from responders.backtest.page import render
from responders.backtest.past import Past, past
from responders.backtest.replay import Assumptions
from responders.backtest.result import Bad, as_record, compare
from responders.content.elastic.server import Server
from responders.elastic.access import ELASTIC_KEY, api_key, ca_bundle, sound_url
from responders.errors import BadAlert, BadInput
from responders.inventory.resolve import Inventory
from responders.policy.policy import from_compiled
from responders.policy.proof import digest, sign
from responders.settings import ELASTIC, Settings, load_settings
from responders.surfaces.assemble import open_cluster, read_catalogue, settings_path
from responders.surfaces.command_line import show
from responders.surfaces.command_line.backtest_jobs import Job, Steps, both
from responders.surfaces.command_line.backtest_report import print_result
from responders.surfaces.command_line.past_alerts import SIGNALS, Placed, from_elastic, from_file, from_splunk
from responders.surfaces.command_line.policies import DEFAULT, compiled_policy
from responders.surfaces.command_line.reaching_splunk import TOKEN, open_splunkd
from responders.surfaces.command_line.reading import inventory_of
from responders.surfaces.command_line.writing import write

MOST = 1_000_000
"""Rows of one backtest: each takes about a kilobyte of memory."""
_SPAN = re.compile(r"([0-9]{1,5})([mhdw])\Z")
_UNITS = {"m": timedelta(minutes=1), "h": timedelta(hours=1), "d": timedelta(days=1), "w": timedelta(weeks=1)}


def add(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("alerts", nargs="?", metavar="FILE", help="past alerts, JSON or CSV, gzipped or not; - reads stdin")
    parser.add_argument("--since", default="30d", metavar="SPAN", help="so far back: 12h, 30d (default), 8w")
    parser.add_argument("--policy", metavar="FILE", help="the policy proposed, YAML or compiled")
    parser.add_argument(
        "--as-is", metavar="FILE", help="the policy as it is; default: that of the settings, or the shipped one"
    )
    parser.add_argument("--inventory", metavar="FILE", help="CSV, YAML or compiled; default: that of the settings")
    parser.add_argument("--new-inventory", metavar="FILE", help="the inventory proposed, for the second run")
    parser.add_argument("--splunk", metavar="URL", help="a search head's management port, https://SEARCH-HEAD:8089")
    parser.add_argument("--search", default=SIGNALS, metavar="SPL", help="what to search Splunk for, default: %(default)s")
    parser.add_argument("--token-file", default="", metavar="FILE", help=f"Splunk token, mode 0600; else ${TOKEN}")
    parser.add_argument("--elastic", metavar="URL", help="an Elasticsearch that holds Elastic Security's alerts")
    parser.add_argument("--space", default="default", metavar="NAME", help="Kibana space of the alerts")
    parser.add_argument(
        "--api-key-file", default="", metavar="FILE", help=f"encoded API key, mode 0600; else ${ELASTIC_KEY}"
    )
    parser.add_argument("--ca", default="", metavar="FILE", help="PEM certificates of a private CA")
    parser.add_argument("--closed-as", default="", metavar="COLUMN", help="holds as what an alert was closed")
    parser.add_argument(
        "--closed-after", default="24h", metavar="SPAN", help="a containment is over so long after its last alert"
    )
    parser.add_argument("--html", metavar="FILE", help="write the report as one page")
    parser.add_argument(
        "--record",
        metavar="FILE",
        help="write the record that `policy build` asks for; signed with the journal's key where the settings are used",
    )
    show.add_common(parser)


def run(options: argparse.Namespace) -> int:
    with _no_search_for_cycles():
        return _run(options)


@contextmanager
def _no_search_for_cycles() -> Iterator[None]:
    """Python looks again and again at all the alerts that are held, for garbage that is none: a quarter of the time."""
    was = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was:
            gc.enable()


def _run(options: argparse.Namespace) -> int:
    began = datetime.now(timezone.utc)
    since, closed_after = span(options.since, "--since"), span(options.closed_after, "--closed-after")
    settings = _settings(options)
    _check_targets(options, settings)
    catalogue = read_catalogue()
    old = compiled_policy(Path(options.as_is or (settings.policy if settings else "") or DEFAULT.with_suffix(".json")))
    new = compiled_policy(Path(options.policy)) if options.policy else None
    held = inventory_of(Path(options.inventory)) if options.inventory else _known(settings)
    proposed = inventory_of(Path(options.new_inventory)) if options.new_inventory else held
    unauthenticated = frozenset(settings.unauthenticated_ingest) if settings else frozenset()
    assumed = Assumptions(closed_after, unauthenticated)
    with _progress(options.json) as progress:
        pasts, bad, early, total = _read(
            _source(options, began - since, catalogue), catalogue, began, since, options, progress
        )
    if not pasts:
        where = bad[0].place if bad else "alerts"
        why = f"no alert can be judged: {bad[0].why}" if bad else "there is no alert to judge"
        raise BadAlert(why, place=where, remedy="see docs/backtest.md for what an export must hold")
    job = Job(pasts, held, from_compiled(old), catalogue, assumed)
    second = replace(job, inventory=proposed, policy=from_compiled(new or old)) if new or options.new_inventory else None
    runs = both(job, second, lambda: _progress(options.json))
    result = compare(
        runs, bad=bad, early=early, total=total, made=began, inventory=held, assumed=assumed,
        seconds=(datetime.now(timezone.utc) - began).total_seconds(),
    )  # fmt: skip
    wrote: List[str] = []
    if options.html:
        write(Path(options.html), render(result), source=Path(options.alerts or ""))
        wrote.append(options.html)
    if options.record:
        source = "splunk" if options.splunk else "elastic" if options.elastic else "file"
        proved, against = digest(from_compiled(new or old)), digest(from_compiled(old))
        record = as_record(result, proved, against, source, since / timedelta(days=1))
        if settings is not None:
            record = sign(record, settings.journal_key.reveal().encode())
        text = json.dumps(record, indent=1, sort_keys=True) + "\n"
        write(Path(options.record), text, source=Path(options.policy or ""))
        wrote.append(options.record)
    print_result(result, wrote, json_wanted=options.json)
    return 0


def span(text: str, place: str) -> timedelta:
    """A span of time as people write it. Raises BadInput."""
    found = _SPAN.match(text)
    if found is None or int(found.group(1)) == 0:
        raise BadInput(f"{text[:40]!r} is no span of time", place=place, remedy="write 90m, 12h, 30d or 8w")
    return int(found.group(1)) * _UNITS[found.group(2)]


def _settings(options: argparse.Namespace) -> Optional[Settings]:
    """The settings where there are any: the policy as it is, the inventory, detections whose events anybody could send."""
    path = options.settings or settings_path()
    if options.settings or os.path.exists(path):
        return load_settings(path)
    if not options.inventory:
        raise BadInput("is not given", place="--inventory", remedy="name the inventory's file, or --settings")
    return None


def _check_targets(options: argparse.Namespace, settings: Optional[Settings]) -> None:
    """Before anything is judged: what is written can be, and is no file that is read. Raises BadInput."""
    named = [options.alerts, options.policy, options.as_is, options.inventory, options.new_inventory, options.settings]
    named += [settings.policy, settings.inventory] if settings else []
    taken = {os.path.realpath(path) for path in named if path}
    for option, path in (("--html", options.html), ("--record", options.record)):
        if not path:
            continue
        if os.path.realpath(path) in taken:
            raise BadInput(f"{path} is named for something else, too", place=option, remedy="name another file to write")
        if not os.access(os.path.dirname(os.path.realpath(path)), os.W_OK):
            raise BadInput(f"the folder of {path} can't be written", place=option, remedy="make it, or name another file")
        taken.add(os.path.realpath(path))


def _known(settings: Optional[Settings]) -> Inventory:
    """The inventory that the settings name, from wherever it is kept."""
    cluster = open_cluster(settings) if settings and settings.inventory == ELASTIC else None
    if cluster is None:
        return inventory_of(Path(settings.inventory if settings else ""))
    from responders.inventory.elasticsearch import ElasticInventory  # its library is an extra

    try:
        return ElasticInventory(cluster).whole()
    finally:
        cluster.close()


def _source(options: argparse.Namespace, since: datetime, catalogue: Mapping[str, Any]) -> Iterator[Placed]:
    given = [name for name in ("alerts", "splunk", "elastic") if getattr(options, name)]
    if len(given) != 1:
        what = "give one of FILE, --splunk and --elastic"
        raise BadInput(f"{len(given)} sources of alerts are named", place="policy backtest", remedy=what)
    if options.splunk:
        splunkd = open_splunkd(options.splunk, options.token_file, options.ca, option="--splunk")
        try:
            yield from from_splunk(splunkd, options.search, since)
        finally:
            splunkd.close()
    elif options.elastic:
        if not re.fullmatch(r"[a-z0-9_-]{1,100}", options.space):
            raise BadInput(f"{options.space[:40]!r} is no id of a space", place="--space", remedy="see Kibana, Spaces")
        key = api_key(ELASTIC_KEY, options.api_key_file)
        with Server(sound_url(options.elastic, "--elastic"), key=key, ca=ca_bundle(options.ca)) as server:
            yield from from_elastic(server, options.space, since, catalogue)
    else:
        yield from from_file(options.alerts)


def _read(
    source: Iterator[Placed], catalogue: Mapping[str, Any], now: datetime, since: timedelta, options: argparse.Namespace,
    progress: Progress,
) -> Tuple[List[Past], List[Bad], int, int]:  # fmt: skip
    """Alerts that can be judged, rows that can't, how many are older than `since`, and how many rows there were."""
    task = progress.add_task("reading alerts", total=None)
    done = Steps(progress, task)
    found: List[Past] = []
    bad: List[Bad] = []
    total = 0
    for place, row in source:
        total += 1
        done()
        if total > MOST:
            remedy = "take a shorter time: --since, or a part of the file"
            raise BadAlert(f"there are more than {MOST} rows", place=place, remedy=remedy)
        try:
            found.append(past(place, row, catalogue, now, options.closed_as))
        except BadAlert as error:
            bad.append(Bad(place, f"{error.place}: {error.message}" if error.place != place else error.message))
    progress.update(task, total=total, completed=total)
    newest = max((item.at for item in found), default=now)
    kept = [item for item in found if item.at >= newest - since]
    return kept, bad, len(found) - len(kept), total


def _progress(json_wanted: bool) -> Progress:
    console = Console(stderr=True)
    columns = (TextColumn("{task.description}", markup=False), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    return Progress(*columns, console=console, disable=json_wanted or not console.is_terminal, transient=True)
