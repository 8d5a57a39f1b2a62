"""Report how good the inventory is: unmapped accounts, no owner, old secrets, admin rights, what breaks when revoked.

Reads the inventory, with --alerts what past alerts, signals or events name, and what `inventory sync` saw at the vendors.
"""

from __future__ import annotations

import argparse
import json
from datetime import datetime, timezone
from pathlib import Path
from typing import Any, Dict, Iterable, Iterator, List, Sequence, Tuple

from rich.text import Text

from responders.alerts.fields import readable
from responders.codec import from_json, to_json
from responders.errors import BadInput
from responders.escalation.words import clean
from responders.inventory.compiled import read_lines
from responders.inventory.files import read_inventory
from responders.inventory.observation import Observed
from responders.inventory.reporting.collect import Collector
from responders.inventory.reporting.coverage import OLD, Breaks, Coverage, Finding, Named, Who
from responders.inventory.reporting.history import Point, as_text, read_history, with_today
from responders.inventory.reporting.lists import lists
from responders.inventory.reporting.page import render
from responders.model import Identity
from responders.surfaces.command_line import show
from responders.surfaces.command_line.past_alerts import from_file
from responders.surfaces.command_line.reading import text_of
from responders.surfaces.command_line.writing import write

_MOST = 15
_STOPPED = 12
"""Names of what stops with one identity; the page shows as many, --lists and --json all."""
_WIDE = 90
"""Columns of a terminal that the table of vendors needs."""
_PRIVATE = 0o600
"""The report says where a company is weak: for its owner's eyes only, as what the vendors showed."""


def add(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("inventory", help="compiled JSON, CSV or YAML")
    parser.add_argument("--alerts", metavar="FILE", help="alerts, signals or events with a column tq_account, JSON or CSV")
    parser.add_argument(
        "--state", metavar="FILE", help="what `inventory sync` saw; default: NAME.observed.db if it is there"
    )
    parser.add_argument("--history", metavar="FILE", help="keeps the figures of each day, for the trend")
    parser.add_argument("--html", metavar="FILE", help="write the report as one page")
    parser.add_argument("--lists", metavar="FOLDER", help="write each list in full, as CSV")
    show.add_common(parser, settings=False)


def run(options: argparse.Namespace) -> int:
    path = Path(options.inventory)
    state = _state(options.state, path)
    named, bad = _named(options.alerts) if options.alerts else ([], [])
    collector = Collector(named, datetime.now(timezone.utc))
    with show.working("looking at every account", json_wanted=options.json):
        restorers = _know(path, collector)
        found = _cover(collector, state, restorers)
    history = _history(options.history, found, path) if options.history else ()
    wrote: List[str] = []
    if options.html:
        write(Path(options.html), render(found, history), source=path, mode=_PRIVATE)
        wrote.append(options.html)
    if options.lists:
        wrote.append(f"{_write_lists(Path(options.lists), found, path)} lists into {options.lists}")
    if options.json:
        days = [{"day": point.day, **point.figures} for point in history]
        rows = [{"place": place, "why": why} for place, why in bad]
        doc: Dict[str, Any] = {**to_json(found), "figures": found.figures()}
        show.as_json({"inventory_report": 2, **doc, "history": days, "bad": rows})
        return 0
    _print(found, bad)
    for name in wrote:
        show.OUT.print(Text(clean(f"wrote {name}")))
    return 0


def _history(path: str, found: Coverage, source: Path) -> Tuple[Point, ...]:
    kept = Path(path)
    known = read_history(text_of(kept, "history"), str(kept)) if kept.exists() else ()
    history = with_today(known, found.at, found.figures())
    write(kept, as_text(history), source=source)
    return history


def _write_lists(folder: Path, found: Coverage, source: Path) -> int:
    try:
        folder.mkdir(mode=0o700, exist_ok=True)
    except OSError as error:
        raise BadInput(f"{error.strerror}", place=str(folder), remedy="name a --lists that can be written") from None
    files = dict(lists(found))
    for name, text in files.items():
        write(folder / name, text, source=source, mode=_PRIVATE)
    return len(files)


def _named(path: str) -> Tuple[List[Named], List[Tuple[str, str]]]:
    """Accounts that rows name, and rows that can't be read."""
    found: List[Named] = []
    bad: List[Tuple[str, str]] = []
    for place, row in from_file(path, "tq_account"):
        accounts, odd = readable(row, "tq_account", lambda _, key: key)
        bad.extend((place, f"{name}: {why}") for name, why in odd)
        if not accounts and not odd:
            bad.append((place, str(row.get("why", "names no account in tq_account"))))
        at = next((str(row[name]) for name in ("tq_completed_at", "_time", "@timestamp", "at") if row.get(name)), "")
        for key in accounts:
            if key.count(":") >= 2:
                found.append(Named(key, str(row.get("tq_detection", "")), at[:40]))
            else:
                bad.append((place, f"tq_account: {key[:80]!r} is not vendor:tenant:id"))
    return found, bad


def _state(given: str, inventory: Path) -> Path:
    """Where what the vendors showed is. Raises BadInput when it is named and not there."""
    path = Path(given) if given else inventory.with_suffix(".observed.db")
    if given and not path.exists():
        raise BadInput("is not there", place=str(path), remedy="name what `tourniquet inventory sync` wrote, --state")
    return path


def _know(path: Path, collector: Collector) -> int:
    """Give the collector the inventory; how many may restore. A compiled one is never held whole."""
    if path.suffix == ".json":

        def know(line: str) -> None:
            collector.know(from_json(Identity, json.loads(line)))

        try:
            return len(read_lines(path, know, collector.alias))
        except OSError as error:
            remedy = "name a file that holds the inventory"
            raise BadInput(f"{error.strerror}", place=str(path), remedy=remedy) from None
    inventory = read_inventory(text_of(path, "inventory"), str(path))
    for identity in inventory.identities:
        collector.know(identity)
    for key, name in inventory.aliases.items():
        collector.alias(key, name)
    return len(inventory.restorers)


def _cover(collector: Collector, state: Path, restorers: int) -> Coverage:
    if not state.exists():
        return collector.result(restorers)
    from responders.inventory.sync.gather import Gathered
    from responders.inventory.sync.raw import RawStore

    with RawStore(state) as store, Gathered(store, {}) as gathered:
        for place in store.places():
            collector.reading(place, store.read_at(place) or 0.0, store.refused(place))
        for one in _each(gathered):
            collector.take(one)
        for held in gathered.kept_in_things():
            collector.take_thing(held)
        return collector.result(restorers, gathered.users_of, gathered.people_of)


def _each(gathered: Any) -> Iterator[Observed]:
    for seen in gathered:
        one = gathered.observed(seen.account.key)
        if one is not None:
            yield one


def _print(found: Coverage, bad: Sequence[Tuple[str, str]]) -> None:
    kinds = ", ".join(f"{count:,} {kind}" for kind, count in found.kinds.items())
    _say(f"{found.identities:,} identities ({kinds}) with {found.accounts:,} accounts; {found.restorers} may restore")
    _vendors(found)
    for old in found.stale:
        _say(f"  ! {found.where[old.place]} was last read {old.at:%Y-%m-%d %H:%M}Z: `tourniquet inventory sync`", "yellow")
    for place, what, why in found.refused:
        _say(f"  ! {place} did not let us list {what}, so it is not known: {why}", "yellow")
    for place, why in bad[:_MOST]:
        _say(f"  ! {place}: {why}", "yellow")
    _rest(len(bad), "rows that can't be read")
    _list("unmapped accounts", ((u.who, _unmapped(u.seen, u.listed)) for u in found.unmapped), len(found.unmapped))
    title = f"identities without owner ({found.no_owner_machines:,} of them services and agents)"
    _list(title, ((i.who, f"{i.kind}, {i.criticality}") for i in found.no_owner), len(found.no_owner))
    if found.observed:
        _secrets(found)
    else:
        what = "secrets, shared credentials and admin rights at the vendors are not known"
        _say(f"{what}: `tourniquet inventory sync` reads them", "yellow")
    _shared(found)
    for title, findings in (
        ("services and agents used by people", found.people_on_services),
        ("people's accounts used by machines", found.machines_on_people),
        ("identities with standing admin rights", found.admins),
        ("identities with rights that must be activated first", found.eligible),
    ):  # fmt: skip
        _list(title, map(_pair, findings), len(findings))
    breaks = ((b.who, f"stops {', '.join(_stops(b))}") for b in found.breaks)
    _list("identities that others depend on", breaks, len(found.breaks))
    _list("identities that logs show in use", map(_pair, found.in_use), len(found.in_use))


def _vendors(found: Coverage) -> None:
    """A table, or where it has no room a line for each tenant."""
    names = ("accounts", "identities", "unmapped", "no owner", "secrets", "old", "shared", "by people", "admins")
    table = show.table("vendor", *names)
    for v in found.vendors:
        seen = (v.secrets, v.old_secrets, v.shared, v.people_on_services, v.admins)
        counts = (v.accounts, v.identities, v.unmapped, v.no_owner, *(seen if found.observed else ()))
        texts = [f"{count:,}" for count in counts] + ["?"] * (len(names) - len(counts))
        if show.OUT.width < _WIDE:
            told = [f"{name} {text}" for name, text in zip(names, texts) if text != "0"]
            _say(f"  {found.where[v.place]}: {', '.join(told)}")
        else:
            table.add_row(*show.texts(found.where[v.place], *texts))
    if table.row_count:
        show.OUT.print(table)


def _secrets(found: Coverage) -> None:
    expired = f"; expired, and not counted: {found.expired:,}" if found.expired else ""
    _say(f"secrets by age in days: {', '.join(f'{name} {count:,}' for name, count in found.ages)}{expired}")
    old = [s for s in found.secrets if s.old]
    lines = ((s.who, f"{s.what.replace('_', ' ')} {s.name} at {found.where[s.vendor]}, {s.days:,} days") for s in old)
    _list(f"secrets older than {OLD} days", lines, len(old))
    still = [s for s in found.secrets if s.managed is False]
    _list(
        "secrets that their vendor does not change",
        ((s.who, f"{s.name} at {found.where[s.vendor]}") for s in still),
        len(still),
    )
    _list(
        "ways in without a secret",
        ((s.who, f"{s.name} at {found.where[s.vendor]}") for s in found.unsecret),
        len(found.unsecret),
    )


def _shared(found: Coverage) -> None:
    lines = []
    for s in found.shared:
        kinds = ", ".join(f"{count} {kind}" for kind, count in s.kinds)
        who = ", ".join(w.name or w.id for w in s.users) + (" …" if s.people > len(s.users) else "")
        lines.append((Who(f"{s.what} at {found.where[s.vendor]}"), f"{s.count} used by {kinds}: {who}") if s.vendor else
                     (Who(s.what), "several people use it, says your file"))  # fmt: skip
    _list("shared credentials", lines, len(lines), found.shared_credentials)


def _stops(one: Breaks) -> Iterator[str]:
    if one.people:
        yield f"{one.people:,} people and groups who sign in through it"
    stopped = (*one.direct, *one.further)
    yield from (who.name or who.id for who in stopped[:_STOPPED])
    if len(stopped) > _STOPPED:
        yield f"and {len(stopped) - _STOPPED:,} more"


def _unmapped(seen: int, listed: bool) -> str:
    return f"{seen:,} rows name it" + (", its vendor lists it" if listed else "")


def _pair(finding: Finding) -> Tuple[Who, str]:
    return finding.who, "; ".join(finding.why)


def _list(title: str, items: Iterable[Tuple[Who, str]], count: int, shown: int = -1) -> None:
    _say(f"{title}: {count if shown < 0 else shown:,}")
    for number, (who, why) in enumerate(items):
        if number == _MOST:
            break
        _say(f"  {who}: {why}")
    _rest(count, "more")


def _rest(count: int, what: str) -> None:
    if count > _MOST:
        _say(f"  … {count - _MOST:,} {what}: --lists and --json have them")


def _say(text: str, style: str = "") -> None:
    show.OUT.print(Text(clean(text), style=style))
