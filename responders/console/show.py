"""Templates: every text is escaped, an unknown name is an error, and what does not print is shown as its code."""

from __future__ import annotations

import re
from datetime import datetime, timezone
from functools import lru_cache
from pathlib import Path
from typing import Any, Optional

import jinja2

from responders.console.settings import POLICY, RESTORER, RESTRICT, REVOKE
from responders.escalation.words import clean, clock

_HERE = Path(__file__).parent


@lru_cache(maxsize=1)
def _environment() -> jinja2.Environment:
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(_HERE / "templates"), autoescape=True, trim_blocks=True, lstrip_blocks=True,
        undefined=jinja2.StrictUndefined,
    )  # fmt: skip
    environment.filters["clean"] = lambda value: clean(str(value))
    environment.filters["clock"] = clock
    environment.filters["ago"] = ago
    environment.filters["spelt"] = lambda value: _SECONDS.sub(_spelt, clean(str(value)))
    environment.filters["words"] = lambda value: str(value).replace("_", " ")
    environment.globals.update(RESPOND=(RESTRICT, REVOKE), REVOKE=REVOKE, RESTORER=RESTORER, POLICY=POLICY)
    return environment


def page(template: str, **values: Any) -> str:
    """A page of somebody who is signed in."""
    return _environment().get_template(template).render(**values)


def bare(template: str, **values: Any) -> str:
    """A page of nobody in particular."""
    return _environment().get_template(template).render(session=None, halted="", **values)


def alone(title: str, text: str) -> str:
    """A page with one sentence."""
    return bare("alone.html", title=title, text=text)


_SECONDS = re.compile(r"\b([0-9]{3,7}) s\b")


def _spelt(found: re.Match[str]) -> str:
    """Many seconds as minutes or hours."""
    seconds = int(found[1])
    return f"{seconds // 3600} h" if seconds % 3600 == 0 else f"{seconds // 60} min" if seconds % 60 == 0 else found[0]


def ago(at: Optional[datetime], now: Optional[datetime] = None) -> str:
    """How long ago, in the largest unit that fits."""
    if at is None:
        return "–"
    seconds = ((now or datetime.now(timezone.utc)) - at).total_seconds()
    for unit, length in (("d", 86400), ("h", 3600), ("min", 60)):
        if seconds >= 2 * length:
            return f"{int(seconds // length)} {unit} ago"
    return f"{max(0, int(seconds))} s ago"
