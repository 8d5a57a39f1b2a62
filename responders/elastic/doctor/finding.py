"""What a check finds, and what all checks work with."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any, Mapping, Sequence

from responders.content.elastic.server import Server
from responders.elastic.kibana import Kibana
from responders.elastic.merge import Rule

OK, NOTE, WARNING, ERROR = "ok", "note", "warning", "error"
LEVELS = (OK, NOTE, WARNING, ERROR)
"""From good to bad. A note is as it should be, but good to know; an error means that an attack can pass unseen."""


@dataclass(frozen=True)
class Finding:
    """`about` is what it is about: a rule, an index, a package. `remedy` is "" only where nothing is to be done."""

    level: str
    check: str
    about: str
    what: str
    remedy: str = ""


def rules_counted(number: int) -> str:
    """`1 enabled rule`, `3 enabled rules`."""
    return f"{number} enabled rule{'' if number == 1 else 's'}"


@dataclass(frozen=True)
class Scene:
    """One cluster at one moment. `shipped` are our rules, `there` those that Kibana has, by rule_id."""

    server: Server
    kibana: Kibana
    shipped: Sequence[Rule]
    there: Mapping[str, Rule]
    requests: Sequence[Mapping[str, Any]]
    now: datetime

    @property
    def enabled(self) -> Sequence[Rule]:
        """Those of our rules that run."""
        return [rule for rule in self.there.values() if rule.get("enabled")]
