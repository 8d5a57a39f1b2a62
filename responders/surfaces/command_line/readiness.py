"""Say of each connection whether the policy's actions would work there, and what is missing; drill with a canary.

The vendors are asked what each credential may do; nothing is tried. With --grants the missing rights are printed as the
vendor's own configuration, with --grants VENDOR all that the policy's actions need there.
"""

from __future__ import annotations

import argparse
import time
from dataclasses import dataclass
from functools import partial
from typing import Any, Dict, List, Mapping, Optional, Sequence, Tuple

from rich.text import Text

from responders import pipeline
from responders.actions import registry
from responders.containment.canary import Drilled
from responders.errors import BadInput
from responders.escalation.words import clean
from responders.model import Tier
from responders.parallel import run_all
from responders.readiness.check import Readiness, check
from responders.readiness.grants import configuration, of_policy, wanted
from responders.settings import Connection, Settings, load_settings
from responders.surfaces.assemble import read_policy, settings_path
from responders.surfaces.command_line import show
from responders.surfaces.command_line.reading import responder_of
from responders.vendors.client import OpenClient
from responders.vendors.open import ClientPool

_SECONDS = 30.0
_MISSING = "missing"


@dataclass(frozen=True)
class Found:
    """What was found of one credential. `budget` is the part of the tightest rate limit that is left, None when not told."""

    connection: Connection
    privileged: bool
    readiness: Readiness
    budget: Optional[float]

    @property
    def ready(self) -> bool:
        """True unless something is known to be missing. What the vendor does not tell is shown, and no failure."""
        return self.readiness.authenticated and all(need.ready is not False for need in self.readiness.needs)

    @property
    def credential(self) -> str:
        return "privileged" if self.privileged else "ordinary"


def add(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--grants", nargs="?", const=_MISSING, choices=(_MISSING, *registry.VENDORS), metavar="VENDOR",
        help="print what is missing as the vendor's configuration; with okta, entra, cyberark or vault all it needs",
    )  # fmt: skip
    parser.add_argument(
        "--canary", metavar="ID", default="",
        help="contain and restore this identity, which the inventory marks as canary: once an hour at most",
    )  # fmt: skip
    parser.add_argument(
        "--tier", choices=("restrict", "revoke"), default="revoke", help="--canary: how far to go, default revoke"
    )
    show.add_common(parser)


def run(options: argparse.Namespace) -> int:
    if options.canary:
        responder = responder_of(options)
        with show.working(f"drilling with {options.canary}", json_wanted=options.json):
            drilled = pipeline.drill_canary(options.canary, Tier[options.tier.upper()], responder)
        tell_drill(drilled, json_wanted=options.json)
        return 0 if drilled.works else 1
    path = options.settings or settings_path()
    settings = load_settings(path)
    used = of_policy(read_policy(settings.policy).actions)
    if options.grants and options.grants != _MISSING:
        return _whole(options.grants, settings, used, json_wanted=options.json)
    if not settings.connections:
        raise BadInput("names no connection", place=path, remedy="docs/settings.md shows one for each vendor")
    with show.working("asking the vendors", json_wanted=options.json):
        found = ask(settings, used)
    code = 0 if all(item.ready for item in found) else 1
    for item in found:
        if options.json:
            show.as_json({**as_row(item), "grants": missing_grants(item) if options.grants else "", "exit": code})
    if not options.json:
        tell(found)
        for item in found:
            text = missing_grants(item) if options.grants else ""
            if text:
                show.OUT.print(Text(f"\n{clean_lines(text)}"), soft_wrap=True)
    return code


def ask(settings: Settings, used: Sequence[str]) -> List[Found]:
    """Every connection with each of its credentials, side by side, and only what these actions need."""
    pool = ClientPool(settings.connections)
    asked: Dict[Tuple[str, str, bool], OpenClient] = {}
    connections = {(c.vendor, c.tenant): c for c in settings.connections}
    try:
        for vendor, tenant in connections:
            for privileged in (False, True):
                client = pool.get(vendor, tenant, privileged=privileged)
                if client is not None and client not in asked.values():
                    asked[vendor, tenant, privileged] = client
        answers: Mapping[Tuple[str, str, bool], Any] = run_all(
            {key: partial(check, client) for key, client in asked.items()}, time.monotonic() + _SECONDS
        )
        return [_found(connections[key[:2]], key, answers[key], asked[key], used) for key in asked]
    finally:
        pool.close()


def _found(
    connection: Connection, key: Tuple[str, str, bool], answer: Any, client: OpenClient, used: Sequence[str]
) -> Found:
    if not isinstance(answer, Readiness):
        answer = Readiness(key[0], key[1], False, False, f"no answer: {answer}", {}, (), ())
    names = wanted(key[0], used)
    needs = tuple(need for need in answer.needs if need.name in names)
    budget = getattr(getattr(client, "transport", None), "budget", None)
    left = budget.left(time.time()) if budget is not None else None
    readiness = Readiness(
        answer.vendor, answer.tenant, answer.reachable, answer.authenticated, answer.problem, answer.permissions, needs,
        answer.notes,
    )  # fmt: skip
    return Found(connection, key[2], readiness, left)


def missing_grants(item: Found) -> str:
    """Configuration for what this credential lacks, "" for nothing."""
    lacks = {need.name: need.missing for need in item.readiness.needs}
    return configuration(item.connection.vendor, lacks, item.connection, privileged=item.privileged)


def as_row(item: Found) -> Dict[str, Any]:
    """For machines."""
    found = item.readiness
    return {
        "vendor": found.vendor, "tenant": found.tenant, "credential": item.credential, "reachable": found.reachable,
        "authenticated": found.authenticated, "problem": found.problem, "rate_left": item.budget,
        "actions": [
            {"name": n.name, "ready": n.ready, "missing": list(n.missing), "unknown": list(n.unknown)} for n in found.needs
        ],
        "notes": list(found.notes), "ready": item.ready,
    }  # fmt: skip


def tell(found: Sequence[Found]) -> None:
    """Two tables: the connections, then each action of the policy."""
    table = show.table("connection", "credential", "reachable", "signed in", "rate left", "")
    for item in found:
        state = item.readiness
        left = "–" if item.budget is None else f"{item.budget:.0%}"
        table.add_row(
            *show.texts(
                f"{state.vendor}:{state.tenant}", item.credential, _word(state.reachable), _word(state.authenticated), left,
                state.problem,
            )
        )  # fmt: skip
    show.OUT.print(table)
    actions = show.table("action", "connection", "ready", "missing", "the vendor does not tell")
    for item in found:
        place = f"{item.readiness.vendor}:{item.readiness.tenant}{' privileged' if item.privileged else ''}"
        for need in item.readiness.needs:
            row = (need.name, place, _word(need.ready), "; ".join(need.missing), "; ".join(need.unknown))
            actions.add_row(*show.texts(*row), style="red" if need.ready is False else "")
    show.OUT.print(actions)
    for item in found:
        for note in item.readiness.notes:
            show.OUT.print(Text(clean(f"{item.readiness.vendor}:{item.readiness.tenant}: {note}")))
    lacking = sum(need.ready is False for item in found for need in item.readiness.needs)
    dead = sum(not item.readiness.authenticated for item in found)
    said = "every action of the policy has what it needs, as far as the vendors tell"
    if lacking or dead:
        said = f"NOT ready: {lacking} actions lack permissions, {dead} credentials can't be used. --grants says what to give"
    show.OUT.print(Text(said, style="bold red" if lacking or dead else "bold"))


def drill_row(found: Drilled) -> Dict[str, Any]:
    """A drill for machines. `contain` and `restore` are seconds, null where it never came to that."""
    lanes = [vars(lane) for lane in found.lanes]
    return {
        "canary": found.identity, "containment": found.containment, "at": found.at, "tier": found.tier, "works": found.works,
        "lanes": lanes, "problems": list(found.problems), "untested": list(found.untested),
    }  # fmt: skip


def tell_drill(found: Drilled, *, json_wanted: bool) -> None:
    """Seconds to contain and to restore at each vendor, and what broke."""
    if json_wanted:
        show.as_json({**drill_row(found), "exit": 0 if found.works else 1})
        return
    table = show.table("vendor", "contained after", "restored after", "")
    for lane in found.lanes:
        times = ("–" if seconds is None else f"{seconds:.2f} s" for seconds in (lane.contain, lane.restore))
        table.add_row(*show.texts(lane.vendor, *times, lane.problem), style="red" if lane.problem else "")
    show.OUT.print(table)
    for problem in found.problems:
        show.OUT.print(Text(clean(problem), style="red"))
    for place in found.untested:
        show.OUT.print(Text(clean(f"{place}: not tested, the canary has no account there")))
    said = "every path of the canary works" if found.works else "a path is BROKEN: it has been escalated"
    show.OUT.print(Text(said, style="bold" if found.works else "bold red"))


def clean_lines(text: str) -> str:
    """Configuration without control characters, line by line: names in it come from the settings."""
    return "\n".join(clean(line) for line in text.splitlines())


def _whole(vendor: str, settings: Settings, used: Sequence[str], *, json_wanted: bool) -> int:
    """All that the policy's actions need at a vendor, for each connection; no vendor is asked."""
    its = [c for c in settings.connections if c.vendor == vendor] or [_nowhere(vendor)]
    for connection in its:
        text = clean_lines(configuration(vendor, wanted(vendor, used), connection))
        if json_wanted:
            show.as_json({"vendor": vendor, "tenant": connection.tenant, "grants": text, "exit": 0})
        else:
            show.OUT.print(text, markup=False, soft_wrap=True)
    return 0


def _nowhere(vendor: str) -> Connection:
    """Before there is a connection, its own names are placeholders."""
    return Connection(vendor, "TENANT", "", {})


def _word(value: Optional[bool]) -> str:
    return "unknown" if value is None else "yes" if value else "NO"
