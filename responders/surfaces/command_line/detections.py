"""List, check, test or build the detections, or run them over raw vendor events."""

from __future__ import annotations

import argparse
import json
import sys
from functools import partial
from pathlib import Path
from typing import Iterator, Sequence

from rich.table import Table

from responders.content.build import build, write
from responders.content.chain import Search, run_chain
from responders.content.check import checked
from responders.content.detection import Detection
from responders.content.elastic import ElasticRun, run_elastic, try_elastic
from responders.content.elastic.load import load_page, measure
from responders.content.latency import latency_page
from responders.content.loader import ROOT, load_detections
from responders.content.reading import read_events
from responders.content.run import run_detections
from responders.content.trial import Trial, try_examples
from responders.content.versions import bump
from responders.errors import BadInput
from responders.inventory.files import accounts_rows, read_inventory
from responders.surfaces.command_line import show

_NAMED = 8


def add(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("what", choices=("list", "check", "test", "build", "bump", "latency", "load", "run"))
    parser.add_argument("--events", metavar="FILE", help="run: raw vendor events, one JSON object a line, - for stdin")
    parser.add_argument("--source", default="auto", help="run: okta, entra_audit, aws_cloudtrail …, or auto (default)")
    parser.add_argument("--engine", choices=("spl", "elastic"), default="spl", help="run, test: which engine")
    parser.add_argument("--url", help="run, test: the Elasticsearch; an API key goes into TOURNIQUET_ELASTIC_API_KEY")
    parser.add_argument("--inventory", metavar="FILE", help="run: inventory (CSV or YAML) that joins accounts")
    parser.add_argument("--only", metavar="SLUG", action="append", help="only these detections (aws/…)")
    parser.add_argument("--minutes", type=int, default=30, help="load: minutes of 7,000 events each to measure over")
    show.add_common(parser, settings=False)


def run(options: argparse.Namespace) -> int:
    if options.what == "check":
        show.OUT.print(f"{len(checked())} detections are sound")
        return 0
    if options.what == "build":
        files = build()
        changed = write(files, ROOT.parent)
        named = f"{len(changed)} files" if len(changed) > _NAMED else ", ".join(changed)
        show.OUT.print(f"{len(files)} files are up to date; changed: {named or 'nothing'}", markup=False)
        return 0
    found = load_detections()
    if options.only:
        unknown = sorted(set(options.only) - {detection.slug for detection in found})
        if unknown:
            raise BadInput(f"no detection {', '.join(unknown)}", place="--only", remedy="see `tourniquet detections list`")
        found = tuple(detection for detection in found if detection.slug in options.only)
    if options.what == "run":
        return _run(options, found)
    if options.what == "list":
        return _list(options, found)
    if options.what == "test":
        return _test(options, found)
    if options.what == "load":
        result = measure(_url(options), found, options.minutes, lambda said: show.OUT.print(said, markup=False))
        changed = write({"docs/elastic_load.md": load_page(result)}, ROOT.parent)
        show.OUT.print(f"{len(found)} rules measured; changed: {', '.join(changed) or 'nothing'}", markup=False)
        return 0
    if options.what == "bump":
        show.OUT.print(f"raised: {', '.join(bump(found, ROOT)) or 'nothing'}", markup=False)
        return 0
    changed = write(
        {
            "docs/latency.md": latency_page(
                found, (ROOT.parent / "splunk_app" / "default" / "savedsearches.conf").read_text("utf-8")
            )
        },
        ROOT.parent,
    )
    show.OUT.print(f"{len(found)} detections replayed; changed: {', '.join(changed) or 'nothing'}", markup=False)
    return 0


def _run(options: argparse.Namespace, found: Sequence[Detection]) -> int:
    if not options.events:
        raise BadInput("is missing", place="--events", remedy="name a file with one event a line, or -")
    accounts = []
    if options.inventory:
        path = Path(options.inventory)
        accounts = accounts_rows(read_inventory(path.read_text(encoding="utf-8"), str(path)))
    try:
        if options.events == "-":
            events = list(read_events(sys.stdin, options.source, "stdin"))
        else:
            with open(options.events, encoding="utf-8", errors="replace") as handle:
                events = list(read_events(handle, options.source, options.events))
    except OSError as error:
        raise BadInput(f"{error.strerror}", place=options.events, remedy="name a file that can be read") from None
    if options.engine == "elastic":
        search: Search = partial(run_elastic, _url(options), accounts=accounts)
    else:
        search = partial(run_detections, accounts=accounts)
    for hit in run_chain(search, found, events):
        if options.json:
            sys.stdout.write(json.dumps(hit.to_json(), sort_keys=True) + "\n")
        else:
            row = hit.to_json()
            text = f"{row['confidence']:3}  {row['detection']}  {row['account']}  {'; '.join(row['reasons'])}"
            show.OUT.print(text, markup=False)
    return 0


def _list(options: argparse.Namespace, found: Sequence[Detection]) -> int:
    table = Table(box=None, pad_edge=False)
    for name in ("detection", "layer", "confidence", "at most", "ATT&CK", "name"):
        table.add_column(name, overflow="fold")
    for detection in found:
        attack = ", ".join(detection.frameworks.get("attack", ()))
        row = (detection.slug, detection.layer, str(detection.confidence), detection.max_tier, attack, detection.name)
        if options.json:
            show.as_json(dict(zip(("detection", "layer", "confidence", "max_tier", "attack", "name"), row)))
        else:
            table.add_row(*row)
    if not options.json:
        show.OUT.print(table)
    return 0


def _test(options: argparse.Namespace, found: Sequence[Detection]) -> int:
    failed = 0
    for trial in _trials(options, found):
        failed += bool(trial.difference)
        if options.json:
            show.as_json({"detection": trial.slug, "example": trial.example, "difference": trial.difference})
        elif trial.difference:
            show.OUT.print(f"✗ {trial.slug}: {trial.example}: {trial.difference}", markup=False, style="red")
        else:
            show.OUT.print(f"✓ {trial.slug}: {trial.example}", markup=False)
    return 1 if failed else 0


def _trials(options: argparse.Namespace, found: Sequence[Detection]) -> Iterator[Trial]:
    """Each example, as it is and then renamed and shifted."""
    if options.engine == "elastic":
        with ElasticRun(_url(options), found) as elastic:
            for detection in found:
                yield from try_elastic(elastic, detection)
        return
    for renamed in (False, True):
        yield from try_examples(found, renamed=renamed)


def _url(options: argparse.Namespace) -> str:
    if not options.url:
        raise BadInput("is missing", place="--url", remedy="name the Elasticsearch, http://host:9200")
    return str(options.url)
