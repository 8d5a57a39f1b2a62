"""Readiness and drills in the terminal and for machines."""

from __future__ import annotations

from typing import Any, Dict, Optional, Sequence

from rich.text import Text

from responders.containment.canary_lanes import Drilled
from responders.escalation.words import clean
from responders.readiness.ask import Found
from responders.surfaces.command_line import show


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


def _word(value: Optional[bool]) -> str:
    return "unknown" if value is None else "yes" if value else "NO"
