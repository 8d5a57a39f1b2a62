"""docs/facts.md: the names in the logs that the detections rest on, each with the document it is from."""

from __future__ import annotations

from typing import Dict, Mapping, Sequence, Set, Tuple

from responders.content.compared import event_names, origin_of
from responders.content.coverage import HEADER, paragraph
from responders.content.detection import Detection
from responders.content.facts import NAMES, all_facts
from responders.content.raw_fields import families_of, fields_of, raw_fields
from responders.content.spl import Macro, parse


def facts_page(detections: Sequence[Detection], macros: Mapping[str, Macro]) -> str:
    """Names of events, then fields, by the vendor's logs."""
    names: Dict[Tuple[str, str], Set[str]] = {}
    fields: Dict[Tuple[str, str], int] = {}
    sources: Dict[Tuple[str, str], str] = {}
    for one in detections:
        search = parse(one.splunk, macros)
        for field, name in event_names(search):
            kind = NAMES[field]
            names.setdefault((kind, name), set()).add(one.slug)
            origin = origin_of(kind, name, families_of(one.splunk, macros))
            sources[(kind, name)] = origin.source if origin else ""
        known = fields_of(one.splunk, macros)
        for field in raw_fields(search):
            fields[(known[field], field)] = fields.get((known[field], field), 0) + 1
    owned = sum(not source for source in sources.values())
    lines = ["# Facts about the logs", "", HEADER, ""]
    lines += paragraph(
        f"""What the searches take for granted: {len(names)} names of events (types, operations, calls, codes), of which
        {owned} are in no document that was found, and {len(fields)} fields. The lists are `responders/content/facts/`;
        `tourniquet detections check` refuses a name or a field that is in none of them and that the detection does not own
        up to in `not_verified`. Paths in Vault's log and values of other fields are not in this table."""
    )
    lines += ["## Names of events", "", "| name | kind | verified | from | detections |", "|---|---|---|---|---|"]
    for (kind, name), users in sorted(names.items()):
        source = sources[(kind, name)]
        who = ", ".join(sorted(users)) if len(users) < 4 else f"{len(users)} detections"
        lines.append(f"| `{_cell(name)}` | {kind} | {'yes' if source else 'no'} | {_cell(source)} | {who} |")
    lines += ["", "## Fields", "", "| field | log | verified | from | detections |", "|---|---|---|---|---|"]
    for (family, field), count in sorted(fields.items()):
        origin = all_facts()[family].fields[field]
        lines.append(f"| `{field}` | {family} | {'yes' if origin.verified else 'no'} | {_cell(origin.source)} | {count} |")
    return "\n".join(lines) + "\n"


def _cell(text: str) -> str:
    return text.replace("|", "\\|")
