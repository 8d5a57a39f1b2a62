"""Read accounts from the vendors, join them, and write the inventory unless it would be worse than before."""

from __future__ import annotations

import argparse
import time
from pathlib import Path
from typing import Any, Dict, List, Optional

from rich.progress import Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

from responders.codec import to_json
from responders.errors import BadInput, BadSettings
from responders.inventory.files import read_inventory
from responders.inventory.resolve import Inventory
from responders.inventory.rules import NO_RULES, read_rules
from responders.inventory.sync.apart import read_apart
from responders.inventory.sync.compile import Difference, compile_inventory, joins_file
from responders.inventory.sync.gather import Gathered
from responders.inventory.sync.raw import RawStore
from responders.inventory.sync.run import Read, Told
from responders.inventory.sync.vendors import alone, issuers
from responders.settings import ELASTIC, VENDORS, Connection, load_settings
from responders.surfaces.assemble import settings_path
from responders.surfaces.command_line import inventory_usage, show
from responders.surfaces.command_line.inventory_usage import UsageRead
from responders.surfaces.command_line.reading import text_of

_DAY = 86400.0


def add(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--vendor", action="append", choices=sorted(VENDORS), help="only this one; may be given again")
    parser.add_argument("--file", metavar="FILE", help="your inventory file, which wins over all: CSV or YAML")
    parser.add_argument("--rules", metavar="FILE", help="what groups say, and which tenants are one company's: YAML")
    parser.add_argument("--output", metavar="FILE", help="the compiled inventory; default: that of the settings")
    parser.add_argument("--state", metavar="FILE", help="the raw observations; default: NAME.observed.db beside the output")
    parser.add_argument("--full", action="store_true", help="list everything anew; else so once a day")
    parser.add_argument("--keep-days", type=float, default=30.0, metavar="N", help="for so long what is gone is kept (30)")
    parser.add_argument("--most-lost", type=float, default=5.0, metavar="PERCENT", help="that may be lost or move (5)")
    parser.add_argument("--accept", action="store_true", help="write it even if it is worse than before")
    parser.add_argument("--dry-run", action="store_true", help="read and compare, write no inventory")
    inventory_usage.add(parser)
    show.add_common(parser)


def run(options: argparse.Namespace) -> int:
    settings = load_settings(options.settings or settings_path())
    _check_numbers(options)
    output = _output(options.output, settings.inventory)
    state = Path(options.state) if options.state else output.with_suffix(".observed.db")
    file = _file(options.file)
    rules = read_rules(text_of(Path(options.rules), "rules"), options.rules) if options.rules else NO_RULES
    wanted = [c for c in settings.connections if not options.vendor or c.vendor in options.vendor]
    if not wanted:
        raise BadSettings("no such vendor is connected", place="--vendor", remedy="add a connection to the settings")
    inventory_usage.check(options, settings.connections)
    with alone(state):
        reads = _read(wanted, state, options)
        with RawStore(state) as store:
            usage = inventory_usage.read(options, settings.connections, state, time.time())
            with Gathered(store, issuers(settings.connections)) as gathered:
                found = compile_inventory(
                    gathered, file, output, rules=rules, most_lost=options.most_lost, accept=options.accept,
                    dry_run=options.dry_run, usage_days=options.usage_least_days,
                )  # fmt: skip
    _tell(reads, usage, found, output, options)
    failed = [what for what in (*(r.failed for r in reads), *(u.failed for u in usage)) if what]
    return 4 if found.kept or failed else 0


def _output(given: Optional[str], inventory: str) -> Path:
    path = given or inventory
    if path == ELASTIC or not path.endswith(".json"):
        remedy = "give --output NAME.json: a compiled inventory, never your own file"
        what = f"{given} is no .json" if given else f"the settings name {path or 'none'}"
        raise BadSettings(what, place="--output", remedy=remedy)
    return Path(path)


def _check_numbers(options: argparse.Namespace) -> None:
    if not 0 <= options.keep_days <= 36_500:
        raise BadInput(
            "is no number of days", place="--keep-days", remedy="give 0 or more: 0 lets go at once of what is gone"
        )
    if not 0 <= options.most_lost <= 100:
        raise BadInput("is no percentage", place="--most-lost", remedy="give 0 to 100, or --accept")


def _file(path: Optional[str]) -> Optional[Inventory]:
    return read_inventory(text_of(Path(path), "inventory"), path) if path else None


def _read(connections: List[Connection], state: Path, options: argparse.Namespace) -> List[Read]:
    how: Dict[str, Any] = {"full": options.full, "keep": options.keep_days * _DAY}
    if options.json or not show.ERR.is_terminal:
        return read_apart(connections, state, **how, tell=lambda told: None)
    columns = (SpinnerColumn(), TextColumn("{task.fields[place]}"), TextColumn("{task.description}"), TimeElapsedColumn())
    with Progress(*columns, console=show.ERR, transient=True) as progress:
        tasks = {f"{c.vendor}:{c.tenant}": progress.add_task("", total=None, place=f"{c.vendor}:{c.tenant}")
                 for c in connections}  # fmt: skip

        def tell(told: Told) -> None:
            waiting = f", rate limit: waiting {told.waiting:.0f} s" if told.waiting else ""
            progress.update(tasks[told.place], description=f"{told.listing}: {told.rows}{waiting}")

        return read_apart(connections, state, **how, tell=tell)


def _tell(reads: List[Read], usage: List[UsageRead], found: Difference, output: Path, options: argparse.Namespace) -> None:
    written = not options.dry_run
    if options.json:
        values: Dict[str, Any] = to_json(found)
        told = {"vendors": [to_json(read) for read in reads], "usage": [to_json(read) for read in usage]}
        show.as_json({**told, "inventory": values, "wrote": str(output) if written else ""})
        return
    table = show.table("vendor", "rows", "new", "changed", "gone", "calls", "")
    for read in reads:
        notes = [f"{name}: not listed ({why})" for name, why in read.refused.items()]
        notes += [f"{name}: {count} left to the next run" for name, count in read.left.items()]
        what = "failed" if read.failed else "; ".join(notes)
        taken = read.taken
        table.add_row(*show.texts(read.place, str(sum(read.rows.values())), str(taken.new), str(taken.changed),
                                  str(taken.gone), str(read.calls), what))  # fmt: skip
    show.OUT.print(table)
    for read in reads:
        if read.failed:
            kept = "What was known of it is used; run it again, it goes on where it was"
            show.say(f"! {read.place} was not read to its end: {read.failed}. {kept}", json_wanted=False)
    for one in usage:
        left = f", {one.bad} left out" if one.bad else ""
        show.say(f"usage, {one.origin}: {one.uses} uses{left}{'; ' if one.failed else ''}{one.failed}", json_wanted=False)
    for name, (count, names) in (("new", found.new), ("changed", found.changed), ("lost", found.lost)):
        if count:
            show.say(f"{count} {name}: {', '.join(names)}{' …' if count > len(names) else ''}", json_wanted=False)
    for conflict in found.conflicts[:20]:
        accounts = ", ".join(conflict.accounts)
        show.say(f"! {conflict.what}: {accounts}: {conflict.text}. {conflict.remedy}", json_wanted=False)
    if len(found.conflicts) > 20:
        show.say(f"! {len(found.conflicts) - 20} conflicts more: see {joins_file(output)}", json_wanted=False)
    if found.kept:
        said = f"! {found.kept} of {found.before} identities are gone with all their accounts: so many are kept as they were"
        show.say(f"{said}. Look, then say --accept to let them go", json_wanted=False)
    for worse in found.worse:
        show.say(f"! worse than before: {worse}", json_wanted=False)
    did = f"wrote {output}" if written else "dry run, nothing was written"
    said = f"{found.identities} identities with {found.accounts} accounts ({found.before} before), {found.links} links"
    show.say(f"{said}; {did}", json_wanted=False)
