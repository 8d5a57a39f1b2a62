"""What Splunk hands a custom alert action: JSON on stdin, and a gzipped CSV of the search's results.

Source: Splunk, "Custom alert action logs and search results"; multivalue columns are `__mv_NAME` holding
`$value$;$value$` with each `$` of a value doubled.
"""

from __future__ import annotations

import csv
import gzip
import io
import json
import math
import re
import zlib
from dataclasses import dataclass, field
from typing import Any, Dict, List, Mapping, Tuple

from responders.alerts.row import from_siem
from responders.errors import BadAlert

MAX_PAYLOAD = 16 * 1024 * 1024
MAX_RESULTS = 256 * 1024 * 1024
_MAX_ROWS = 50_000
_VALUE = re.compile(r"\$([^$]*(?:\$\$[^$]*)*)\$(?:;|\Z)")


@dataclass(frozen=True)
class Payload:
    """One start of the alert action. `rows` are raw alerts; `broken` says why rows may be missing, "" if none are.

    `owner` owns the search; the session at `server_uri` is of whoever ran it.
    """

    search: str
    sid: str
    configuration: Mapping[str, str]
    rows: Tuple[Mapping[str, Any], ...]
    broken: str = ""
    owner: str = ""
    server_uri: str = ""
    session_key: str = field(default="", repr=False)


def read_payload(text: str) -> Payload:
    """Read stdin. Raises BadAlert when it is not the JSON object that Splunk sends."""
    if len(text) > MAX_PAYLOAD:
        raise BadAlert(f"{len(text)} characters", place="stdin", remedy=f"Splunk sends at most {MAX_PAYLOAD}")
    try:
        given = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise BadAlert(f"not JSON: {error}", place="stdin", remedy="start it from a Splunk alert with --execute") from None
    if not isinstance(given, dict):
        raise BadAlert("not a JSON object", place="stdin", remedy="start it from a Splunk alert with --execute")
    configuration = given.get("configuration")
    settings = {str(k): str(v) for k, v in configuration.items()} if isinstance(configuration, dict) else {}
    rows, broken = _rows(given)
    return Payload(
        search=str(given.get("search_name") or "ad hoc"),
        sid=str(given.get("sid") or ""),
        configuration=settings,
        rows=rows,
        broken=broken,
        owner=str(given.get("owner") or ""),
        server_uri=str(given.get("server_uri") or "https://127.0.0.1:8089"),
        session_key=str(given.get("session_key") or ""),
    )


def recheck_seconds(payload: Payload) -> float:
    """How long to wait before looking whether the containment still holds; 0 for not at all. Raises BadAlert."""
    given = payload.configuration.get("recheck_seconds", "10")
    try:
        seconds = float(given)
    except ValueError:
        seconds = math.nan
    if not 0 <= seconds < math.inf:
        raise BadAlert(
            f"{given[:40]!r} is no number of seconds, 10 is taken",
            place="param.recheck_seconds",
            remedy="correct it in the alert's action Contain identity",
        )
    return seconds


def _rows(given: Mapping[str, Any]) -> Tuple[Tuple[Mapping[str, Any], ...], str]:
    single = given.get("result")
    only: Tuple[Mapping[str, Any], ...] = (from_siem(multivalues(single)),) if isinstance(single, dict) and single else ()
    path = given.get("results_file")
    if not isinstance(path, str) or not path:
        return only, "" if only else _lost("stdin", "neither results_file nor result names a row")
    rows, broken = read_results(path)
    if not rows and not broken and not only:
        broken = _lost(path, "holds no row")
    return rows or only, broken


def read_results(path: str) -> Tuple[Tuple[Mapping[str, Any], ...], str]:
    """Rows of a results file, and why it ended early ("" when it did not): what could be read is kept."""
    rows: List[Mapping[str, Any]] = []
    csv.field_size_limit(MAX_PAYLOAD)
    try:
        with gzip.open(path, "rb") as packed:
            bounded = io.BufferedReader(_Bounded(packed))
            text = io.TextIOWrapper(bounded, encoding="utf-8", errors="replace", newline="")
            # Python 3.9's csv gives up at a NUL: one planted in a field must not hide the rows behind it.
            for row in csv.DictReader(line.replace("\0", "\ufffd") for line in text):
                if len(rows) >= _MAX_ROWS:
                    return tuple(rows), _lost(path, f"more than {_MAX_ROWS} rows")
                rows.append(from_siem(multivalues(row)))
    except (OSError, EOFError, zlib.error, csv.Error, ValueError) as error:
        return tuple(rows), _lost(path, f"read {len(rows)} rows, then: {error}")
    return tuple(rows), ""


def _lost(place: str, what: str) -> str:
    remedy = "look at the results of this search in Splunk, and contain by hand whom the missing rows name"
    return str(BadAlert(what, place=place, remedy=remedy))


class _Bounded(io.RawIOBase):
    """Stops a results file that unpacks without end."""

    def __init__(self, inner: Any) -> None:
        self._inner = inner
        self._left = MAX_RESULTS

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        data = self._inner.read1(min(len(buffer), 65536))  # read() would drop what came before a cut
        self._left -= len(data)
        if self._left < 0:
            raise ValueError(f"unpacks to more than {MAX_RESULTS} bytes")
        buffer[: len(data)] = data
        return len(data)


def multivalues(row: Mapping[Any, Any]) -> Dict[str, Any]:
    """A row with its `__mv_` columns turned into lists; columns without a name are dropped by csv as None.

    A column whose `__mv_` is empty holds one value: a line break in it is part of a name, and adds no second one.
    """
    found: Dict[str, Any] = {}
    for name, value in row.items():
        if not isinstance(name, str) or name.startswith("__mv_"):
            continue
        packed = row.get(f"__mv_{name}")
        if isinstance(packed, str) and packed.startswith("$"):
            found[name] = unpack(packed)
        elif packed is None and isinstance(value, str) and "\n" in value and name.startswith("tq_"):
            found[name] = value.split("\n")  # this row can't say what is several values: Splunk writes one a line
        else:
            found[name] = value
    return found


def unpack(packed: str) -> List[str]:
    """Values of `$a$;$b$`; a doubled `$` is one of the value itself. A text of another form is one value."""
    found: List[str] = []
    at = 0
    while at < len(packed):
        value = _VALUE.match(packed, at)
        if value is None:
            return [packed]
        found.append(value.group(1).replace("$$", "$"))
        at = value.end()
    return found
