"""Report how good the inventory is: unmapped accounts, no owner, old secrets, admin rights, what breaks when revoked.

Reads the inventory, with --alerts what past alerts, signals or events name, and what `inventory sync` saw at the vendors.
"""

from __future__ import annotations

import argparse
from datetime import datetime, timezone
from pathlib import Path
from typing import Any, Dict, Iterator, List, Mapping, Sequence, Tuple

from rich.text import Text

from responders.alerts.fields import readable
from responders.codec import to_json
from responders.errors import BadInput
from responders.escalation.words import clean
from responders.inventory.files import read_inventory
from responders.inventory.observation import Observed
from responders.inventory.reporting.coverage import OLD, Coverage, Finding, Named, cover
from responders.inventory.reporting.history import Point, as_text, read_history, with_today
from responders.inventory.reporting.page import render
from responders.inventory.resolve import from_compiled
from responders.surfaces.command_line import show
from responders.surfaces.command_line.past_alerts import from_file
from responders.surfaces.command_line.reading import text_of
from responders.surfaces.command_line.writing import write

_MOST = 15


def add(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("inventory", help="compiled JSON, CSV or YAML")
    parser.add_argument("--alerts", metavar="FILE", help="alerts, signals or events with a column tq_account, JSON or CSV")
    parser.add_argument(
        "--state", metavar="FILE", help="what `inventory sync` saw; default: NAME.observed.db if it is there"
    )
    parser.add_argument("--history", metavar="FILE", help="keeps the figures of each day, for the trend")
    parser.add_argument("--html", metavar="FILE", help="write the report as one page")
    show.add_common(parser, settings=False)


def run(options: argparse.Namespace) -> int:
    path = Path(options.inventory)
    text = text_of(path, "inventory")
    inventory = from_compiled(text, str(path)) if path.suffix == ".json" else read_inventory(text, str(path))
    now = datetime.now(timezone.utc)
    named, bad = _named(options.alerts) if options.alerts else ([], [])
    with show.working("reading what the vendors showed", json_wanted=options.json):
        observed = _observed(options.state, path)
    found = cover(inventory, named, observed, now)
    history: Tuple[Point, ...] = ()
    if options.history:
        kept = Path(options.history)
        known = read_history(text_of(kept, "history"), str(kept)) if kept.exists() else ()
        history = with_today(known, now, found.figures())
        write(kept, as_text(history), source=path)
    if options.html:
        write(Path(options.html), render(found, history), source=path)
    if options.json:
        days = [{"day": point.day, **point.figures} for point in history]
        rows = [{"place": place, "why": why} for place, why in bad]
        owners = [{"identity": i.id, "kind": i.kind, "criticality": i.criticality} for i in found.no_owner]
        doc: Dict[str, Any] = {**to_json(found), "no_owner": owners, "figures": found.figures()}
        show.as_json({"inventory_report": 1, **doc, "history": days, "bad": rows})
        return 0
    _print(found, bad)
    if options.html:
        show.OUT.print(Text(f"wrote {options.html}"))
    return 0


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


def _observed(given: str, inventory: Path) -> Sequence[Observed]:
    path = Path(given) if given else inventory.with_suffix(".observed.db")
    if not path.exists():
        if given:
            raise BadInput("is not there", place=str(path), remedy="name what `tourniquet inventory sync` wrote, --state")
        return ()
    from responders.inventory.sync.gather import Gathered
    from responders.inventory.sync.raw import RawStore

    with RawStore(path) as store, Gathered(store, {}) as gathered:
        return tuple(_each(gathered))


def _each(gathered: Any) -> Iterator[Observed]:
    for seen in gathered:
        one = gathered.observed(seen.account.key)
        if one is not None:
            yield one


def _print(found: Coverage, bad: Sequence[Tuple[str, str]]) -> None:
    kinds = ", ".join(f"{count} {kind}" for kind, count in found.kinds.items())
    _say(f"{found.identities} identities ({kinds}) with {found.accounts} accounts; {found.restorers} may restore")
    for place, why in bad[:_MOST]:
        _say(f"  ! {place}: {why}", "yellow")
    _rest(len(bad), "rows that can't be read")
    unmapped = [
        (u.account, f"{u.seen} rows name it" + (", its vendor lists it" if u.listed else "")) for u in found.unmapped
    ]
    _list("unmapped accounts", unmapped)
    _list("identities without owner", [(i.id, f"{i.kind}, {i.criticality}") for i in found.no_owner])
    if found.observed:
        ages: Mapping[str, int] = dict(found.ages)
        _say(f"secrets by age: {', '.join(f'{name} {count}' for name, count in ages.items())}")
        old = [s for s in found.secrets if s.days is not None and s.days > OLD]
        lines = [(s.identity, f"{s.what} {s.name} at {s.vendor}, {s.days} days") for s in old]
        _list(f"secrets older than {OLD} days", lines)
    else:
        what = "secrets, shared credentials and admin rights at the vendors are not known"
        _say(f"{what}: `tourniquet inventory sync` reads them", "yellow")
    for title, findings in (
        ("shared accounts and credentials", found.shared), ("service identities used by people", found.people_on_services),
        ("standing admin rights", found.admins),
    ):  # fmt: skip
        _list(title, [_pair(finding) for finding in findings])
    _list("identities on which something depends", [(b.identity, ", ".join((*b.direct, *b.further))) for b in found.breaks])
    table = show.table("vendor", "accounts", "identities", "unmapped", "without owner", "old secrets", "admins")
    for v in found.vendors:
        numbers = (v.accounts, v.identities, v.unmapped, v.no_owner, v.old_secrets, v.admins)
        table.add_row(*show.texts(v.place, *map(str, numbers)))
    show.OUT.print(table)


def _pair(finding: Finding) -> Tuple[str, str]:
    return finding.who, finding.why


def _list(title: str, items: Sequence[Tuple[str, str]]) -> None:
    _say(f"{len(items)} {title}")
    for name, why in items[:_MOST]:
        _say(f"  {name}: {why}")
    _rest(len(items), "more")


def _rest(count: int, what: str) -> None:
    if count > _MOST:
        _say(f"  … {count - _MOST} {what}: --json lists them")


def _say(text: str, style: str = "") -> None:
    show.OUT.print(Text(clean(text), style=style))
