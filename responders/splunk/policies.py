"""Versions of the policy in collection `tourniquet_policy`: each is written once; the settings say which one is in use."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from datetime import datetime
from typing import Any, List, Mapping, Optional

from responders.splunk.splunkd import Splunkd, patiently

COLLECTION = "tourniquet_policy"
_DATA = ("storage", "collections", "data", COLLECTION)


@dataclass(frozen=True)
class Version:
    """One version of the policy: its compiled form, who uploaded it, when, and why."""

    version: str
    policy: Mapping[str, Any]
    by: str
    at: str
    why: str


def add(splunkd: Splunkd, policy: Mapping[str, Any], *, by: str, why: str, at: datetime) -> str:
    """Store a compiled policy, and return the version's name. It is not in use yet. Raises SplunkError."""
    text = json.dumps(policy, sort_keys=True, separators=(",", ":"))
    version = f"{at:%Y%m%dT%H%M%S}-{hashlib.sha256(text.encode()).hexdigest()[:12]}"
    doc = {"policy": policy, "by": by, "at": at.isoformat(), "why": why}
    splunkd.post_json(*_DATA, body={"_key": version, "doc": json.dumps(doc, sort_keys=True)})
    return version


def find(splunkd: Splunkd, version: str, *, patience: float = 0.0) -> Optional[Version]:
    """One version; None when there is no such, or it can't be read. Raises SplunkError."""
    query = {"query": json.dumps({"_key": version}), "limit": "1"}
    found = _versions(patiently(lambda: splunkd.get(*_DATA, query=query), patience))
    return found[0] if found else None


def versions(splunkd: Splunkd) -> List[Version]:
    """The latest 100 versions, newest first. Raises SplunkError."""
    return _versions(splunkd.get(*_DATA, query={"sort": "_key:-1", "limit": "100"}))


def _versions(rows: Any) -> List[Version]:
    found = []
    for row in rows if isinstance(rows, list) else []:
        try:
            doc = json.loads(row["doc"])
            found.append(Version(row["_key"], dict(doc["policy"]), str(doc["by"]), str(doc["at"]), str(doc["why"])))
        except (KeyError, TypeError, ValueError):
            continue  # what nobody can use is no version
    return found
