"""Import the rules into Kibana: first the indices that they need, then what is new or changed.

What a customer set stays: enabled, actions, exceptions, a changed interval, tags of their own.
"""

from __future__ import annotations

import argparse
import re
from pathlib import Path
from typing import Any, Sequence

from rich.text import Text

from responders.content.elastic.server import Server
from responders.content.loader import ROOT
from responders.elastic.access import ELASTIC_KEY, KIBANA_KEY, api_key, ca_bundle, sound_url
from responders.elastic.import_rules import Outcome, changes, read_rules, send, source_of
from responders.elastic.indices import Made, ensure, read_requests
from responders.elastic.kibana import Kibana
from responders.elastic.merge import RESETTABLE, Change, Rule, told
from responders.errors import BadInput
from responders.escalation.words import clean
from responders.surfaces.command_line import show
from responders.surfaces.command_line.reading import text_of

RULES = ROOT.parent / "elastic_rules"
_LINKABLE = re.compile(r"[A-Za-z0-9._~:/%?#@!$&'*+,;=-]+\Z")


def add(parser: argparse.ArgumentParser) -> None:
    add_connections(parser)
    parser.add_argument("--console-url", default="", metavar="URL", help="of Tourniquet's console, linked in each rule")
    parser.add_argument(
        "--enable", nargs="+", default=[], metavar="SOURCE", help="switch on the rules of these sources; all"
    )
    parser.add_argument(
        "--reset", nargs="+", default=[], choices=RESETTABLE, help="take these from us again, not as changed"
    )
    parser.add_argument("--dry-run", action="store_true", help="show what would change, and change nothing")
    show.add_common(parser, settings=False)


def add_connections(parser: argparse.ArgumentParser) -> None:
    """Options that say where Kibana and Elasticsearch are, and who asks."""
    parser.add_argument("--url", required=True, help="of Kibana, with its base path")
    parser.add_argument("--elasticsearch", required=True, metavar="URL")
    parser.add_argument("--space", default="default", metavar="ID", help="Kibana space (default: default)")
    parser.add_argument(
        "--api-key-file", default="", metavar="FILE",
        help=f"holds an encoded API key for both, mode 0600; else ${KIBANA_KEY} and ${ELASTIC_KEY}",
    )  # fmt: skip
    parser.add_argument("--ca", default="", metavar="FILE", help="PEM certificates of a private CA")
    parser.add_argument(
        "--rules", default=str(RULES), metavar="FOLDER", help="with rules.ndjson, health.ndjson and indices.json"
    )


def open_kibana(options: argparse.Namespace) -> Kibana:
    """Kibana as these options say."""
    key = api_key(KIBANA_KEY, options.api_key_file)
    return Kibana(options.url, space=options.space, key=key, ca=ca_bundle(options.ca))


def open_elasticsearch(options: argparse.Namespace) -> Server:
    """Elasticsearch as these options say."""
    url = sound_url(options.elasticsearch, "--elasticsearch")
    return Server(url, key=api_key(ELASTIC_KEY, options.api_key_file), ca=ca_bundle(options.ca))


def shipped_rules(options: argparse.Namespace) -> Sequence[Rule]:
    """The rules of --rules: those of detections, and those about Tourniquet itself."""
    paths = (Path(options.rules) / "rules.ndjson", Path(options.rules) / "health.ndjson")
    return [rule for path in paths for rule in read_rules(text_of(path, "rules"), str(path))]


def run(options: argparse.Namespace) -> int:
    rules = shipped_rules(options)
    indices = Path(options.rules) / "indices.json"
    requests = read_requests(text_of(indices, "indices"), str(indices))
    sources = sorted({source_of(rule) for rule in rules})
    strange = sorted(set(options.enable) - {*sources, "all"})
    if strange:
        remedy = f"use all, or some of {', '.join(sources)}"
        raise BadInput(f"there is no source {', '.join(strange)}", place="--enable", remedy=remedy)
    enable = frozenset(sources if "all" in options.enable else options.enable)
    with open_kibana(options) as kibana, open_elasticsearch(options) as server:
        found = changes(kibana, rules, console=_console(options.console_url), enable=enable, reset=frozenset(options.reset))
        with show.working("making what the rules need", json_wanted=options.json):
            made = ensure(server, requests, dry_run=options.dry_run)
        _say_indices(made, options)
        if any(one.breaks_rules for one in made):
            show.say(
                "no rule was imported: rules fail on an index that differs. Correct what is named above, then import again",
                json_wanted=options.json, imported=0, stopped="indices differ",
            )  # fmt: skip
            return 1
        if options.dry_run:
            return _say_changes(found, options)
        with show.working("importing", json_wanted=options.json):
            outcomes = send(kibana, found)
    return _say_outcomes(found, outcomes, options)


def _console(url: str) -> str:
    """An address that can stand in a Markdown link."""
    if url and not _LINKABLE.match(url):
        raise BadInput("can't stand in a link", place="--console-url", remedy="give the address without blanks and brackets")
    return sound_url(url, "--console-url") if url else ""


def _say_indices(made: Sequence[Made], options: argparse.Namespace) -> None:
    for one in made:
        what = f"would be {one.what}" if options.dry_run and one.what != "there" else one.what
        if options.json:
            show.as_json({"index": one.path[1:], "what": one.what, "differs": list(one.differs), "dry_run": options.dry_run})
            continue
        show.OUT.print(Text(f"{one.path[1:]}: {what}"))
        for place in one.differs:
            show.OUT.print(Text(clean(f"  ! {place}"), style="yellow"))
    if any(one.differs for one in made) and not options.json:
        show.OUT.print(
            "  ! delete what is empty and import again; fill anew what is not (`fill` in elastic_rules/README.md)"
        )


def _say_changes(found: Sequence[Change], options: argparse.Namespace) -> int:
    for change in found:
        if options.json:
            show.as_json({**_row(change), "dry_run": True})
        elif change.what != "unchanged":
            show.OUT.print(Text(clean(f"{change.what}: {change.rule['name']}"), style="bold"))
            for line in (*told(change), *(f"kept: {kept}" for kept in change.kept)):
                show.OUT.print(Text(clean(f"    {line}")))
    if not options.json:
        show.OUT.print(f"{_counts(found)}; nothing was changed (--dry-run)")
    return 0


def _say_outcomes(found: Sequence[Change], outcomes: Sequence[Outcome], options: argparse.Namespace) -> int:
    failed = [outcome for outcome in outcomes if outcome.error]
    errors = {outcome.change.rule["rule_id"]: outcome.error for outcome in failed}
    if options.json:
        for change in found:
            show.as_json({**_row(change), "error": errors.get(change.rule["rule_id"], ""), "dry_run": False})
    else:
        for outcome in failed:
            show.OUT.print(Text(clean(f"! {outcome.change.rule['name']}: {outcome.error}"), style="bold red"))
        for change in found:
            if change.kept:
                show.OUT.print(Text(clean(f"kept of {change.rule['name']}: {', '.join(change.kept)}")))
        on = sum(bool(change.rule["enabled"]) for change in found)
        show.OUT.print(f"{_counts(found)}; {len(failed)} failed; {on} of {len(found)} are enabled")
        if not failed:
            show.OUT.print("next: `tourniquet elastic doctor`, with the same options")
    return 1 if failed else 0


def _row(change: Change) -> Any:
    return {
        "rule": change.rule["rule_id"], "name": change.rule["name"], "what": change.what, "changes": told(change),
        "kept": list(change.kept), "enabled": bool(change.rule["enabled"]),
    }  # fmt: skip


def _counts(found: Sequence[Change]) -> str:
    return ", ".join(f"{sum(change.what == what for change in found)} {what}" for what in ("new", "changed", "unchanged"))
