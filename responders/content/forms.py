"""A vendor's raw event as Splunk indexes it: raw text, times, sourcetype, and for CEF the fields that its add-on extracts.

Sourcetypes are those of the vendors' add-ons (docs/detections.md lists them); nothing here was run in a real Splunk.
"""

from __future__ import annotations

import json
import re
from datetime import datetime, timezone
from typing import Any, Dict, Mapping, Optional, Tuple

from responders.content.agent_log.shape import shape

SOURCETYPES: Dict[str, str] = {
    "okta": "OktaIM2:log",
    "entra_signin": "azure:monitor:aad",
    "entra_audit": "azure:monitor:aad",
    "entra_risk": "azure:monitor:aad",
    "m365_audit": "o365:management:activity",
    "aws_cloudtrail": "aws:cloudtrail",
    "cyberark": "cyberark:epv:cef",
    "vault": "hashicorp_vault_audit_log",
    "github": "github:cloud:audit",
    "github_secret_scanning": "github:cloud:secret:scanning:alerts",
    "kubernetes_audit": "kube:apiserver-audit",
    "sailpoint": "sailpoint:identity:events",
    "agent": "tourniquet:agent",
    "signal": "tourniquet:signal",
    "journal": "tourniquet:journal",
}
"""Source name to sourcetype; SailPoint's has no settled name, this one is ours.
Entra events in Graph's flat form get azure:aad:signin or azure:aad:audit."""

_OF_AGENTS = {"mcp": "mcp:jsonrpc", "bedrock": "aws:bedrock:invocation"}
"""What products log of agents has the product's sourcetype (agent_log/shape.py tells which). Neither name is settled."""

_OURS = ("signal", "journal")
"""What the app writes itself: into main, until the setup page names an index."""

TIMES: Dict[str, Tuple[str, ...]] = {
    "okta": ("published",),
    "entra_signin": ("time", "createdDateTime"),
    "entra_audit": ("time", "activityDateTime"),
    "entra_risk": ("time", "riskLastUpdatedDateTime", "lastUpdatedDateTime", "detectedDateTime", "activityDateTime"),
    "m365_audit": ("CreationTime",),
    "aws_cloudtrail": ("eventTime",),
    "cyberark": ("iso_timestamp", "IsoTimestamp", "rt", "deviceCustomDate1"),
    "vault": ("time",),
    "github": ("@timestamp", "created_at"),
    "github_secret_scanning": ("resolved_at", "updated_at", "created_at"),
    "kubernetes_audit": ("requestReceivedTimestamp", "stageTimestamp"),
    "sailpoint": ("created",),
    "agent": ("time", "timestamp", "createdDateTime"),
    "signal": ("tq_completed_at", "time"),
    "journal": ("contained_at", "time"),
}
_AMERICAN = re.compile(r"(\d{1,2})/(\d{1,2})/(\d{4}) (\d{1,2}):(\d\d:\d\d) ([AP]M)$", re.IGNORECASE)
_STAMP = re.compile(r"(\d{4})-(\d\d)-(\d\d)[T ](\d\d):(\d\d):(\d\d)(\.\d+)?\s*(Z|[+-]\d\d:?\d\d)?")


def to_splunk(source: str, event: Any, index_time: float) -> Dict[str, Any]:
    """The event as Splunk holds it. Never raises on an odd event: without a readable time it has the index time.

    `source` is one of SOURCETYPES; `event` the vendor's own JSON object, or for CyberArk a CEF line.
    """
    fields: Dict[str, Any] = {}
    if source == "cyberark":
        raw, fields = _cef(event)
    else:
        raw = json.dumps(event, ensure_ascii=False, separators=(",", ":"), default=str)
    found = _time(source, event, fields)
    if found is None and source == "cyberark":
        found = parse_time(header_time(raw))
    return {
        **fields,
        "_raw": raw,
        "_time": index_time if found is None else found,
        "_indextime": index_time,
        "index": "main" if source in _OURS else source,
        "sourcetype": _sourcetype(source, event),
        "source": source,
        "host": "drill",
    }


def _sourcetype(source: str, event: Any) -> str:
    if source == "cyberark" and is_pta(event):
        return "cyberark:pta:cef"
    if source == "agent":
        found = shape(event)
        return _sourcetype(found, event) if found == "entra_signin" else _OF_AGENTS.get(found, SOURCETYPES["agent"])
    flat = isinstance(event, Mapping) and "properties" not in event
    if source == "entra_audit" and flat:
        return "azure:aad:audit"
    if source == "entra_risk" and flat:
        return "azure:aad:identity_protection:risk_detection"
    if source == "entra_signin" and flat:
        return "azure:aad:signin"
    return SOURCETYPES[source]


def parse_time(value: Any) -> Optional[float]:
    """Epoch seconds of a time as the vendors write it (ISO 8601 in several dialects, or epoch), None when unreadable."""
    if isinstance(value, bool) or value is None:
        return None
    if isinstance(value, (int, float)):
        number = float(value)
        return number / 1000 if number > 1e11 else number
    match = _STAMP.match(_from_american(str(value)))
    if match is None:
        return parse_time(float(value)) if re.fullmatch(r"\d{9,16}(\.\d+)?", str(value)) else None
    year, month, day, hour, minute, second = (int(part) for part in match.groups()[:6])
    try:
        at = datetime(year, month, day, hour, minute, second, tzinfo=timezone.utc).timestamp()
    except ValueError:
        return None
    offset = match.group(8)
    shift = 0
    if offset and offset != "Z":
        digits = offset[1:].replace(":", "")
        shift = (int(digits[:2]) * 3600 + int(digits[2:]) * 60) * (-1 if offset[0] == "-" else 1)
    return at + float(match.group(7) or 0) - shift


def _from_american(text: str) -> str:
    """`8/22/2022 6:11:52 PM`, as ID Protection's events by Event Hub have it, with the year first."""
    match = _AMERICAN.match(text)
    if match is None:
        return text
    month, day, year, hour, rest, half = match.groups()
    of_day = int(hour) % 12 + (12 if half.upper() == "PM" else 0)
    return f"{year}-{int(month):02}-{int(day):02}T{of_day:02}:{rest}"


def _time(source: str, event: Any, fields: Mapping[str, Any]) -> Optional[float]:
    places = [fields, event if isinstance(event, Mapping) else {}]
    for place in places:
        for name in TIMES[source]:
            found = parse_time(place.get(name))
            if found is not None:
                return found
    return None


# -- CyberArk: CEF ----------------------------------------------------------------------------------------

CEF_KEYS = (
    ("suser", "Issuer"), ("duser", "TargetUser"), ("fname", "File"), ("shost", "Station"), ("cs2", "Safe"),
    ("reason", "Reason"), ("act", "Message"), ("rt", "IsoTimestamp"), ("cs1", "SourceUser"), ("msg", "ExtraDetails"),
    ("cs4", "Category"),
)  # fmt: skip
_PTA = re.compile(r"CEF:\d+\|CyberArk\|PTA\|")


def is_pta(event: Any) -> bool:
    """Whether a CyberArk event is one of Privileged Threat Analytics: a CEF line, bare or below "cef"."""
    text = event.get("cef") if isinstance(event, Mapping) else event
    return isinstance(text, str) and _PTA.search(text) is not None


def header_time(text: str) -> Optional[str]:
    """The time in an RFC 5424 syslog header before a CEF record, which has no time of its own."""
    found = _STAMP.search(text[: max(0, text.find("CEF:"))])
    return found[0] if found else None


def _cef(event: Any) -> Tuple[str, Dict[str, Any]]:
    """CEF text and its fields, from a CEF line or from the JSON form of the vault's syslog translator."""
    if isinstance(event, Mapping):
        record = event.get("syslog", event)
        record = record.get("audit_record", record) if isinstance(record, Mapping) else {}
        if isinstance(event.get("cef"), str):
            text = str(event["cef"])
        else:
            given: Mapping[str, Any] = record if isinstance(record, Mapping) else {}
            parts = [f"{key}={_escape(str(given[name]))}" for key, name in CEF_KEYS if given.get(name) not in (None, "")]
            if given.get("Category"):
                # Where a translator passes the property's name on; Arcsight.sample.xsl does not.
                parts.append('cs4Label="Property Name"')
            head = f"CEF:0|Cyber-Ark|Vault|12.6|{given.get('MessageID', '')}|{_escape_head(str(given.get('Desc', '')))}|5|"
            text = head + " ".join(parts)
    else:
        text = str(event)
    return text, read_cef(text)


def _escape(value: str) -> str:
    return value.replace("\\", "\\\\").replace("=", "\\=").replace("\n", "\\n")


def _escape_head(value: str) -> str:
    return value.replace("\\", "\\\\").replace("|", "\\|")


def read_cef(text: str) -> Dict[str, Any]:
    """Fields of a CEF line: the header's as cef_signature and cef_name, the extension's by key (ArcSight CEF, rev. 25)."""
    start = text.find("CEF:")
    parts = re.split(r"(?<!\\)\|", text[start:], maxsplit=7) if start >= 0 else []
    if len(parts) < 8:
        return {}
    found: Dict[str, Any] = {
        "cef_vendor": parts[1],
        "cef_signature": parts[4],
        "cef_name": parts[5].replace("\\|", "|"),
        "cef_severity": parts[6],
    }
    keys = list(re.finditer(r"(?:^|\s)([A-Za-z][A-Za-z0-9_]*)=", parts[7]))
    for place, key in enumerate(keys):
        end = keys[place + 1].start() if place + 1 < len(keys) else len(parts[7])
        value = parts[7][key.end() : end].strip()
        found[key.group(1)] = value.replace("\\=", "=").replace("\\n", "\n").replace("\\\\", "\\")
    return found
