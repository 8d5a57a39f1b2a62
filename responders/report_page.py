"""Pages that are one file: escaped, with a style of their own, and with a policy that lets them load and run nothing."""

from __future__ import annotations

import base64
import hashlib
from datetime import datetime
from pathlib import Path
from typing import Any

import jinja2

from responders.escalation.words import clean

_STYLE = Path(__file__).with_suffix(".css")


def page(template: Path, *, more_style: str = "", **values: Any) -> str:
    """The template filled in. Every value is escaped; `clean` shows what no page should hold."""
    loader = jinja2.FileSystemLoader(template.parent)
    environment = jinja2.Environment(
        autoescape=True, trim_blocks=True, lstrip_blocks=True, undefined=jinja2.StrictUndefined, loader=loader
    )
    environment.filters["clean"] = lambda value: clean(str(value))
    environment.filters["minute"] = lambda at: f"{at:%Y-%m-%d %H:%M}Z" if isinstance(at, datetime) else "–"
    environment.filters["seconds"] = lambda value: "–" if value is None else f"{value:.2f} s"
    environment.filters["number"] = lambda value: f"{value:,}".replace(",", "\u2009")
    style = _STYLE.read_text(encoding="utf-8") + more_style
    return environment.get_template(template.name).render(style=style, policy=content_policy(style), **values)


def content_policy(style: str) -> str:
    """Nothing may be loaded or run; only this style, by its hash (W3C, Content Security Policy Level 3)."""
    digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
    return f"default-src 'none'; style-src 'sha256-{digest}'; base-uri 'none'; form-action 'none'"
