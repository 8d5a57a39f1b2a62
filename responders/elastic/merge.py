"""What is sent for a rule: ours, with what a customer set in Kibana kept. Pure.

An import with `overwrite` replaces a rule whole: a field that is not sent falls back to Kibana's default
(apply_rule_update.ts), so that exceptions and actions which are not sent are lost.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from difflib import ndiff
from typing import Any, Dict, FrozenSet, List, Mapping, Optional, Tuple

Rule = Mapping[str, Any]
CONSOLE = "{{tourniquet_console}}"
"""Stands in `note` for the console's address, until the import knows it."""
_ALWAYS_KEPT = ("enabled", "actions", "exceptions_list", "response_actions")
RESETTABLE = ("interval", "tags")
_LINK = re.compile(r"^\[Open Tourniquet's console\]\(([^)\s]+)\)", re.M)
_SECONDS = {"s": 1, "m": 60, "h": 3600, "d": 86400}
_TELLING = ("query", "note", "setup", "description")
"""Texts too long to be shown whole."""
_MOST_LINES = 20


@dataclass(frozen=True)
class Change:
    """One rule: what is sent for it, how that differs from what is there, and what of the customer's is kept."""

    rule: Rule
    existing: Optional[Rule]
    fields: Tuple[Tuple[str, Any, Any], ...]
    """(Name, there, sent) of each field that changes."""
    kept: Tuple[str, ...]

    @property
    def what(self) -> str:
        """new, changed or unchanged."""
        return "new" if self.existing is None else "changed" if self.fields else "unchanged"


def merged(
    ours: Rule, existing: Optional[Rule], *, console: str = "", enable: bool = False, reset: FrozenSet[str] = frozenset()
) -> Change:
    """Our rule as it is to be sent.

    Kept of an existing one: enabled, actions, exceptions, response actions; its interval, with the look-back made as much
    longer, and tags of the customer's own, unless `reset` names them; and the console's address where none is given.
    """
    sent: Dict[str, Any] = dict(ours)
    kept: List[str] = []
    if existing is not None:
        for name in _ALWAYS_KEPT:
            if name in existing:
                sent[name] = existing[name]
                if existing[name] and existing[name] != ours.get(name):
                    kept.append(f"{len(existing[name])} {name}" if isinstance(existing[name], list) else name)
        theirs = str(existing.get("interval", ""))
        if "interval" not in reset and theirs != ours["interval"] and _is_interval(theirs):
            sent["interval"] = theirs
            sent["from"] = _longer(str(ours["from"]), seconds(theirs) - seconds(str(ours["interval"])))
            kept.append(f"interval {theirs}")
        held = existing.get("tags")
        own = [tag for tag in held if isinstance(tag, str)] if isinstance(held, list) else []
        own = [tag for tag in dict.fromkeys(own) if tag not in ours["tags"] and not _ours(tag)]
        if own and "tags" not in reset:
            sent["tags"] = [*ours["tags"], *own]
            kept.append(f"tags {', '.join(own)}")
    sent["note"] = _with_console(str(ours.get("note", "")), console or _console_of(existing))
    if enable:
        sent["enabled"] = True
    return Change(sent, existing, _differences(sent, existing), tuple(kept))


def seconds(interval: str) -> int:
    """`5m` → 300. Raises ValueError for anything else than a number and one of s, m, h, d."""
    number, unit = interval[:-1], interval[-1:]
    if not (number.isascii() and number.isdigit()) or unit not in _SECONDS:
        raise ValueError(f"{interval!r} is no interval")
    return int(number) * _SECONDS[unit]


def _is_interval(text: str) -> bool:
    try:
        return seconds(text) > 0
    except ValueError:
        return False


def _longer(start: str, by: int) -> str:
    """`now-960s`, so many seconds earlier; a shorter interval leaves it as it is."""
    return f"now-{seconds(start[4:]) + max(0, by)}s"


def _ours(tag: str) -> bool:
    """One that an older version of ours may have set."""
    return tag == "Tourniquet" or tag.startswith(("Source: ", "Layer: ", "Detection: "))


def _with_console(note: str, console: str) -> str:
    if console:
        return note.replace(CONSOLE, console)
    return "\n".join(line for line in note.split("\n") if CONSOLE not in line)


def _console_of(existing: Optional[Rule]) -> str:
    found = _LINK.search(str((existing or {}).get("note", "")))
    return found[1] if found and CONSOLE not in found[1] else ""


def _differences(sent: Rule, existing: Optional[Rule]) -> Tuple[Tuple[str, Any, Any], ...]:
    """Of the fields that are sent: Kibana adds others of its own."""
    if existing is None:
        return ()
    return tuple(
        (name, existing.get(name), value) for name, value in sorted(sent.items()) if not _covers(existing.get(name), value)
    )


def _covers(there: Any, sent: Any) -> bool:
    """True when Kibana's value holds all that is sent; it adds keys (`ecs` to each required field)."""
    if isinstance(sent, dict):
        return isinstance(there, dict) and all(_covers(there.get(key), value) for key, value in sent.items())
    if isinstance(sent, list):
        return isinstance(there, list) and len(there) == len(sent) and all(map(_covers, there, sent))
    return bool(there == sent)


def told(change: Change) -> List[str]:
    """The changes in words, a line each; of a long text the lines that go and come."""
    lines: List[str] = []
    for name, old, new in change.fields:
        lines.append(f"{name}: {_short(name, old)} → {_short(name, new)}")
        if name in _TELLING:
            found = [line for line in ndiff(str(old or "").splitlines(), str(new or "").splitlines()) if line[0] in "+-"]
            lines += found[:_MOST_LINES] + (
                [f"… and {len(found) - _MOST_LINES} more lines"] if len(found) > _MOST_LINES else []
            )
    return lines


def _short(name: str, value: Any) -> str:
    if name in _TELLING:
        return f"{len(str(value or ''))} characters"
    if isinstance(value, list) and any(isinstance(item, dict) for item in value):
        return f"{len(value)} entries"
    text = str(value)
    return text if len(text) <= 80 else text[:77] + "…"
