"""The logs that detections read in Splunk: where each is, which detections need it, and which of its fields they need.

The fields are generated: what the searches of a source's detections read, and nearly every event of their examples has.
"""

from __future__ import annotations

import json
import re
from collections import Counter
from dataclasses import dataclass, replace
from typing import Any, Dict, Mapping, Sequence, Set, Tuple

from responders.content.detection import Detection
from responders.content.forms import to_splunk
from responders.content.spl import Context, Macro, parse, run
from responders.content.splunk_stanza import HEADER, csv_text

_CALL = re.compile(r"`(tourniquet_\w+)")
_OURS = re.compile(r"\btq_\w+")
_ALMOST_ALL = 0.95
_ABSENT = (None, "", "null")
_METADATA = ("index", "sourcetype", "source", "host")
OWN_INDEX = "tourniquet_own_index"
NOT_SET = "index=tourniquet_not_set"
"""What an index macro of a customer's log ships as: no such index is there, so that nothing is read until one is named. The
setup page and health say which sources that leaves unread."""


@dataclass(frozen=True)
class Source:
    """One log. `key` names it, and its macro `tourniquet_<key>`; the others are the macros that a setup page writes.

    `normal` is a macro to apply before fields are looked at, for a log that comes in several forms. `fields` are those
    that every event has, where the examples of its detections show only one kind of event.
    """

    key: str
    title: str
    index: str
    sourcetypes: Tuple[str, ...]
    tenant: str = ""
    normal: str = ""
    fields: Tuple[str, ...] = ()

    @property
    def macro(self) -> str:
        return f"tourniquet_{self.key}"

    @property
    def search(self) -> str:
        """Its events."""
        return f"`{self.macro}`" + (f" | `{self.normal}`" if self.normal else "")


def _source(key: str, title: str, of: str = "", form: str = "", tenant: bool = True, normal: str = "") -> Source:
    of = of or key
    kind = f"tourniquet_{of}_{form}_sourcetype" if form else f"tourniquet_{of}_sourcetype"
    return Source(key, title, f"tourniquet_{of}_index", (kind,), f"tourniquet_{of}_tenant" if tenant else "", normal)


def _entra(key: str, title: str, forms: Sequence[str], normal: str) -> Source:
    """Entra's logs come by Event Hub, or by Graph; the tenant stands in the event."""
    kinds = tuple(f"tourniquet_entra_{form}_sourcetype" for form in forms)
    return Source(key, title, "tourniquet_entra_index", kinds, "", normal)


SOURCES: Tuple[Source, ...] = (
    _source("okta", "Okta System Log"),
    _entra("entra_audit", "Entra audit log", ("hub", "audit"), "tourniquet_entra_fields"),
    _entra("entra_signin", "Entra sign-ins of users", ("hub", "signin"), "tourniquet_entra_signin_fields"),
    _entra("entra_workload_signin", "Entra sign-ins of workloads", ("hub", "signin"), "tourniquet_entra_signin_fields"),
    _entra("entra_risk", "Entra ID Protection", ("hub", "risk"), ""),
    _entra("m365_signin", "Microsoft 365 unified audit log, sign-ins", ("m365",), ""),
    _source("aws", "AWS CloudTrail", tenant=False),
    _source("cyberark", "CyberArk vault audit"),
    _source("cyberark_pta", "CyberArk Privileged Threat Analytics", of="cyberark", form="pta"),
    _source("vault", "HashiCorp Vault or OpenBao audit log"),
    _source("github", "GitHub audit log"),
    _source("secret_scanning", "GitHub secret scanning alerts", of="github", form="secret_scanning"),
    _source("kubernetes", "Kubernetes audit log"),
    _source("sailpoint", "SailPoint Identity Security Cloud"),
    _source("agent", "AI agents: MCP gateway, model invocations", tenant=False, normal="tourniquet_agent_fields"),
    Source("signals", "Tourniquet's own signals", OWN_INDEX, ()),
    Source("journal", "Tourniquet's own journal", OWN_INDEX, (), fields=("kind", "time")),
)


def shipped(macros: Mapping[str, Macro]) -> Dict[str, Macro]:
    """The macros as the app ships them. In detections/ an index macro finds every index, so that examples are found."""
    names = {source.index for source in SOURCES if source.index != OWN_INDEX}
    return {**macros, **{name: replace(macros[name], definition=NOT_SET) for name in names}}


@dataclass(frozen=True)
class Need:
    """What is needed of a source: by which detections, and which fields every event should have."""

    source: Source
    detections: Tuple[Detection, ...]
    fields: Tuple[str, ...]


def needs(detections: Sequence[Detection], macros: Mapping[str, Macro]) -> Tuple[Need, ...]:
    """One for each source, in order."""
    called = {one.slug: calls(one.splunk, macros) for one in detections}
    found = []
    for source in SOURCES:
        users = tuple(one for one in detections if source.macro in called[one.slug])
        # A correlation reads many logs at once: whose field it reads can't be told from its search.
        own = [one for one in users if not one.correlation] or list(users)
        found.append(Need(source, users, source.fields or _fields(source, own, macros)))
    return tuple(found)


def calls(text: str, macros: Mapping[str, Macro]) -> Set[str]:
    """Every macro that a search uses, in itself or in another macro."""
    by_name = {name.split("(")[0]: macro for name, macro in macros.items()}
    found: Set[str] = set()
    todo = [text]
    while todo:
        for name in set(_CALL.findall(todo.pop())) - found:
            found.add(name)
            if name in by_name:
                todo.append(by_name[name].definition)
    return found


def _fields(source: Source, users: Sequence[Detection], macros: Mapping[str, Macro]) -> Tuple[str, ...]:
    events = [to_splunk(name, event, 0.0) for one in users for e in one.examples for name, event in e.events]
    rows = run(source.search, events, Context(macros, {}, 0.0))
    if source.normal:
        read = {name for one in users for name in _OURS.findall(one.splunk)} - _always(source, rows, macros)
    else:
        read = {name for one in users for name in parse(one.splunk, macros).fields_read() if name[0] != "_"}
    counts = Counter(name for row in rows for name, value in row.items() if value not in _ABSENT)
    enough = max(1.0, _ALMOST_ALL * len(rows))
    return tuple(sorted(name for name in read - {*_METADATA} if counts[name] >= enough))


def _always(source: Source, rows: Sequence[Mapping[str, Any]], macros: Mapping[str, Macro]) -> Set[str]:
    """What the macro fills in whatever the event: a default even for an empty one, keys and times, and yes or no."""
    blank = run(f"search * | `{source.normal}`", [{"_raw": "{}", "_time": 0}], Context(macros, {}, 0.0))
    values: Dict[str, Set[str]] = {}
    for row in rows:
        for name, value in row.items():
            values.setdefault(name, set()).add(str(value))
    flags = {name for name, found in values.items() if found <= {"0", "1"}}
    return {*flags, *(name for row in blank for name in row), "tq_key", "tq_events", "tq_first", "tq_last"}


def sources_json(all_needs: Sequence[Need], macros: Mapping[str, Macro]) -> str:
    """What the setup page needs: each source with its macros, what they say by default, and what the log is needed for."""
    sources = []
    for need in all_needs:
        one = need.source
        settable = [name for name in (one.index, *one.sourcetypes, one.tenant) if name]
        sources.append(
            {
                "source": one.key,
                "title": one.title,
                "macro": one.macro,
                "index_macro": one.index,
                "sourcetype_macros": list(one.sourcetypes),
                "tenant_macro": one.tenant or None,
                "defaults": {name: macros[name].definition for name in settable},
                "fields": list(need.fields),
                "detections": [detection.slug for detection in need.detections],
                "health_search": health_name(one),
            }
        )
    return json.dumps({"about": HEADER, "sources": sources}, indent=1) + "\n"


def health_name(source: Source) -> str:
    """The saved search that looks how a source is."""
    return f"Tourniquet - health {source.key}"


def source_list(all_needs: Sequence[Need]) -> str:
    """The lookup file of all sources, by which one that was never looked at shows as missing."""
    head = ["tq_source", "title", "detections", "health_search"]
    rows = [[one.source.key, one.source.title, str(len(one.detections)), health_name(one.source)] for one in all_needs]
    return csv_text([head, *rows])
