"""The log settings that each detection needs: docs/log_settings.md, and the same as a view of the Splunk app."""

from __future__ import annotations

from html import escape
from typing import Dict, List, Sequence, Tuple

from responders.content.coverage import HEADER, paragraph
from responders.content.detection import Detection

_ORDINARY = "Nothing beyond the source's ordinary log."
_ABOUT = """What must be switched on at a vendor so that the events of a detection arrive at all. A detection whose log is
off raises nothing and no error: look here first, then at the fields of its source."""

Settings = Dict[str, List[Tuple[str, List[Detection]]]]


def by_setting(detections: Sequence[Detection]) -> Settings:
    """Source to each of its settings, with the detections that need it."""
    found: Dict[str, Dict[str, List[Detection]]] = {}
    for one in detections:
        for text in one.logging or (_ORDINARY,):
            found.setdefault(one.source, {}).setdefault(" ".join(text.split()), []).append(one)
    return {source: sorted(found[source].items()) for source in sorted(found)}


def log_settings_page(detections: Sequence[Detection]) -> str:
    """The page of docs/."""
    lines = ["# Log settings that detections need", "", HEADER, "", *paragraph(_ABOUT)]
    for source, settings in by_setting(detections).items():
        lines += [f"## {source}", "", "| to be switched on | detections |", "|---|---|"]
        for text, its in settings:
            links = ", ".join(f"[{one.slug.partition('/')[2]}](detections/{one.slug}.md)" for one in its)
            lines.append(f"| {text.replace('|', chr(92) + '|')} | {links} |")
        lines.append("")
    return "\n".join(lines).rstrip() + "\n"


def log_settings_view(detections: Sequence[Detection]) -> str:
    """The view of the Splunk app, in Simple XML. No search, no script: text only. A dollar sign would begin a token."""
    lines = [
        '<dashboard version="1.1" theme="light">',
        "  <!-- Generated from detections/ by `tourniquet detections build`. Do not edit. -->",
        "  <label>Log settings</label>",
        f"  <description>{_text(_ABOUT)}</description>",
    ]
    for source, settings in by_setting(detections).items():
        lines += ["  <row>", "    <panel>", f"      <title>{_text(source)}</title>", "      <html>", "        <table>"]
        lines.append("          <tr><th>to be switched on</th><th>detections</th></tr>")
        for text, its in settings:
            names = ", ".join(one.name for one in its)
            lines.append(f"          <tr><td>{_text(text)}</td><td>{_text(names)}</td></tr>")
        lines += ["        </table>", "      </html>", "    </panel>", "  </row>"]
    return "\n".join([*lines, "</dashboard>"]) + "\n"


def _text(text: str) -> str:
    return escape(" ".join(text.split())).replace("$", "$$")
