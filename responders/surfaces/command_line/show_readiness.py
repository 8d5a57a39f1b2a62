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
    """Each connection with each action of the policy, and what to do next."""
    for item in found:
        state = item.readiness
        place = f"{state.vendor}:{state.tenant}{' privileged' if item.privileged else ''}"
        if not state.authenticated:
            what = "sign-in REFUSED" if state.reachable else "NOT reachable"
            said = f"{place}: {what}: {state.problem}. Whether its {len(state.needs)} actions would work is not known"
            show.OUT.print(Text(clean(said), style="red"))
            continue
        left = "not told" if item.budget is None else f"{item.budget:.0%} left"
        show.OUT.print(Text(clean(f"{place}: signed in, rate limit {left}"), style="bold"))
        actions = show.table("  ready", "action", "")
        actions.columns[1].no_wrap = True
        for need in state.needs:
            why = [f"lacks {'; '.join(need.missing)}"] if need.missing else []
            why += [f"not told: {'; '.join(need.unknown)}"] if need.unknown else []
            row = (f"  {_word(need.ready)}", need.name, ". ".join(why))
            actions.add_row(*show.texts(*row), style="red" if need.ready is False else "")
        show.OUT.print(actions)
        for note in state.notes:
            show.OUT.print(Text(clean(f"  {note}")))
    verdict = _verdict(found)
    show.OUT.print(Text(verdict, style="bold red" if verdict.startswith("NOT") else "bold"))


def _verdict(found: Sequence[Found]) -> str:
    lacking = sum(need.ready is False for item in found for need in item.readiness.needs)
    refused = sum(item.readiness.reachable and not item.readiness.authenticated for item in found)
    silent = sum(not item.readiness.reachable for item in found)
    wrong = [f"{lacking} actions lack permissions (--grants says what to give)"] if lacking else []
    wrong += (
        [f"{refused} credentials are refused (a wrong secret, or not granted: --grants VENDOR prints all that one needs)"]
        if refused
        else []
    )
    wrong += [f"{silent} connections do not answer (their URL, the network)"] if silent else []
    if wrong:
        return f"NOT ready: {', '.join(wrong)}"
    return "every action of the policy has what it needs, as far as the vendors tell"


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
