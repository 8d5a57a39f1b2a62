"""Completes a row that an analyst handed in from a finding: what the search's own columns lack is taken from the finding.

Enterprise Security keeps the columns of a search with its finding (a notable before ES 8), so the account and the detection
are there. Renamed or lost are the times and, of a row that was edited by hand, smaller things. An account is never guessed.
"""

from __future__ import annotations

from typing import Any, Dict, Mapping

SEARCH = "Tourniquet - "
_LATE = " - late"
_TIMES = ("orig_time", "_time", "info_max_time")
_IDS = ("event_id", "rule_id", "event_hash", "tq_hash")


def completed(row: Mapping[str, Any], catalogue: Mapping[str, Any]) -> Dict[str, Any]:
    """The row with detection, time, finding and confidence, as far as the finding tells them."""
    found: Dict[str, Any] = dict(row)
    if not found.get("tq_detection"):
        name = _detection(found, catalogue)
        if name:
            found["tq_detection"] = name
    time = next((found[name] for name in _TIMES if found.get(name)), None)
    if not found.get("tq_completed_at") and time is not None:
        found["tq_completed_at"] = time
    if not found.get("tq_finding"):
        ident = next((found[name] for name in _IDS if found.get(name)), None)
        if ident is not None and isinstance(ident, str):
            found["tq_finding"] = f"{found.get('tq_detection', '')}|{found.get('tq_account', '')}|{ident}"[:4096]
    return found


def _detection(row: Mapping[str, Any], catalogue: Mapping[str, Any]) -> str:
    """By the name of the search that raised it, exactly: the app's searches are named after their detections."""
    for column in ("search_name", "orig_search_name", "source"):
        name = row.get(column)
        if not isinstance(name, str) or not name.startswith(SEARCH):
            continue
        title = name[len(SEARCH) :]
        title = title[: -len(_LATE)] if title.endswith(_LATE) else title
        found = [key for key, about in catalogue.items() if isinstance(about, Mapping) and about.get("name") == title]
        if len(found) == 1:
            return found[0]
    return ""
