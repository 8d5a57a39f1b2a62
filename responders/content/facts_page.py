"""docs/facts.md: the names and values in the logs that the detections rest on, each with the document it is from."""

from __future__ import annotations

from typing import Dict, List, Mapping, Sequence, Set, Tuple

from responders.content.compared import event_names, origin_of
from responders.content.coverage import HEADER, paragraph
from responders.content.detection import Detection
from responders.content.facts import NAMES, Origin, all_facts
from responders.content.raw_fields import families_of, fields_of, raw_fields
from responders.content.spl import Macro, parse
from responders.content.values import esql_values, spl_values


def facts_page(detections: Sequence[Detection], macros: Mapping[str, Macro], elastic: Mapping[str, str]) -> str:
    """Names of events, then fields, then values, by the vendor's logs."""
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
        {owned} are in no document that was found, {len(fields)} fields, and the values that fields are compared with. The
        lists are `responders/content/facts/`; `tourniquet detections check` refuses a name or a field that is in none of
        them and that the detection does not own up to in `not_verified`, and a value, or an alternative of a regex, of the
        SPL or the ES|QL, that is in none of them."""
    )
    lines += _verified(detections, macros, elastic)
    lines += ["## Names of events", "", "| name | kind | verified | from | detections |", "|---|---|---|---|---|"]
    for (kind, name), users in sorted(names.items()):
        source = sources[(kind, name)]
        who = ", ".join(sorted(users)) if len(users) < 4 else f"{len(users)} detections"
        lines.append(f"| `{_cell(name)}` | {kind} | {'yes' if source else 'no'} | {_cell(source)} | {who} |")
    lines += ["", "## Fields", "", "| field | log | verified | from | detections |", "|---|---|---|---|---|"]
    for (family, field), count in sorted(fields.items()):
        origin = all_facts()[family].fields[field]
        lines.append(f"| `{field}` | {family} | {'yes' if origin.verified else 'no'} | {_cell(origin.source)} | {count} |")
    return "\n".join([*lines, *_values()]) + "\n"


def _verified(detections: Sequence[Detection], macros: Mapping[str, Macro], elastic: Mapping[str, str]) -> Sequence[str]:
    asked: Dict[str, Dict[Tuple[str, ...], Origin]] = {"SPL": {}, "ES|QL": {}}
    for one in detections:
        for language, found in (("SPL", spl_values(one, macros)), ("ES|QL", esql_values(one, elastic, macros))):
            for value in found:
                if value.origin:
                    key = (*sorted(value.fields), value.text)
                    # Where two searches know it from two documents it counts as the worse, whichever comes first.
                    held = asked[language].get(key)
                    if held is None or held.verified:
                        asked[language][key] = value.origin
    counts = [
        f"{len(found)} in the {language}, of which {sum(not origin.verified for origin in found.values())} are not verified"
        for language, found in asked.items()
    ]
    return paragraph(
        f"""Values that are compared: {"; ".join(counts)}. Not verified means that no document of the vendor was found, or
        that the one named was not opened. A choice of this project (words in the names of tools, hosts, browsers) is no fact
        about a log and named as such. What is compared with own columns, sizes and counts, and forms such as addresses and
        ids are not values. What GROK and DISSECT take texts apart at is not checked."""
    )


def _values() -> Sequence[str]:
    lines = ["", "## Values", "", "| field | log | verified | from | values |", "|---|---|---|---|---|"]
    for family, facts in sorted(all_facts().items()):
        for field, values in sorted(facts.values.items()):
            groups: Dict[Origin, List[str]] = {}
            for value, origin in values.items():
                groups.setdefault(origin, []).append(f"`{' '.join(value.split())}`")
            for origin, listed in groups.items():
                said = "yes" if origin.verified else "no"
                lines.append(f"| `{field}` | {family} | {said} | {_cell(origin.source)} | {_cell(', '.join(listed))} |")
    return lines


def _cell(text: str) -> str:
    return text.replace("|", "\\|")
