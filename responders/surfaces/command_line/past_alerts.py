"""Past alerts for a backtest: from a file, from Splunk, from Elasticsearch; each with the place to name when it is bad."""

from __future__ import annotations

import csv
import gzip
import io
import time
import zlib
from codecs import BOM_UTF8
from datetime import datetime
from pathlib import Path
from typing import Any, BinaryIO, Dict, Iterator, List, Mapping, Optional, Tuple, cast

from responders.backtest.unwrap import rows_of
from responders.content.elastic.server import ElasticError, Server
from responders.errors import BadAlert
from responders.splunk.splunkd import Splunkd, SplunkError
from responders.surfaces.command_line.reading import MAX_INPUT, MAX_LINE, Raw, complete, raw_of, raws
from responders.surfaces.splunk_results import multivalues

Placed = Tuple[str, Mapping[str, Any]]
"""A row, and where it stands. One that can't be read has `unreadable` and `why`."""
SIGNALS = "`tourniquet_signals` | table _time tq_*"
"""What Splunk is searched for unless --search says otherwise: the signals that the responder wrote."""
_PAGE = 10_000
_KEPT = 500_000
"""Results that Splunk keeps of a search at most (limits.conf, [search] max_count)."""
_HITS = 2_000
_RULE = "kibana.alert.rule.rule_id"
_FIELDS = [
    "tq_*", "@timestamp", _RULE, "kibana.alert.workflow_status", "kibana.alert.workflow_reason",
    "kibana.alert.workflow_tags",
]  # fmt: skip


def from_file(path: str, needed: str = "tq_detection") -> Iterator[Placed]:
    """Rows of CSV (.csv, .csv.gz) or JSON, a document or one object a line, as either SIEM exports them.

    `needed` is the column without which a CSV is no export of alerts.
    Raises BadAlert for a file that can't be opened or is empty; a bad row is a row of its own.
    """
    if path.lower().endswith((".csv", ".csv.gz")):
        yield from _csv(Path(path), needed)
        return
    for raw in _lines(Path(path)) if path != "-" and _one_a_line(Path(path)) else raws(path):
        if "unreadable" in raw.row:
            yield raw.place, raw.row
            continue
        found = list(rows_of(raw.row))
        for number, row in enumerate(found, 1):
            yield (raw.place if len(found) == 1 else f"{raw.place}, alert {number}"), row


def _one_a_line(path: Path) -> bool:
    """Whether it is one JSON object a line: such a file is read line by line, however long it is."""
    try:
        with _opened(path) as data:
            first, second = data.readline(MAX_LINE), data.readline(MAX_LINE)
    except (OSError, EOFError, zlib.error):
        return False  # whoever reads it whole says what is wrong
    return bool(second.strip()) and first.lstrip(b"\xef\xbb\xbf \t")[:1] == b"{" and complete(first.removeprefix(BOM_UTF8))


def _lines(path: Path) -> Iterator[Raw]:
    number = 0
    try:
        with _opened(path) as data:
            for number, line in enumerate(iter(lambda: data.readline(MAX_INPUT), b""), 1):
                if line.strip():
                    yield raw_of(line.removeprefix(BOM_UTF8) if number == 1 else line, f"{path}:{number}")
    except (EOFError, zlib.error, gzip.BadGzipFile) as error:
        why = f"the gzip file breaks off or is damaged: {error}"
        yield Raw(f"{path}:{number + 1}", {"unreadable": "", "why": why})


def _opened(path: Path) -> BinaryIO:
    with path.open("rb") as data:
        packed = data.read(2) == b"\x1f\x8b"
    return cast(BinaryIO, gzip.open(path, "rb")) if packed else path.open("rb")


def _csv(path: Path, needed: str) -> Iterator[Placed]:
    csv.field_size_limit(MAX_LINE)
    number, size = 1, 0
    try:
        with gzip.open(path, "rb") if path.suffix == ".gz" else open(path, "rb") as data:
            text = io.TextIOWrapper(data, encoding="utf-8-sig", errors="replace", newline="")
            reader = csv.DictReader(line.replace("\0", "\ufffd") for line in text)
            if not reader.fieldnames or needed not in reader.fieldnames:
                remedy = "export the columns tq_* of the alerts, with their names in line 1"
                raise BadAlert(f"has no column {needed}", place=f"{path}:1", remedy=remedy)
            while True:
                try:
                    row = next(reader)
                except StopIteration:
                    break
                except csv.Error as error:
                    yield f"{path}:{reader.line_num}", {"unreadable": "", "why": f"is not CSV: {error}"}
                    continue
                number = reader.line_num
                place = f"{path}:{number}"
                size += sum(len(value) for value in row.values() if isinstance(value, str))
                if size > MAX_INPUT:
                    raise BadAlert(f"is longer than {MAX_INPUT} bytes", place=place, remedy="split it")
                if None in row or None in row.values():
                    yield place, {"unreadable": "", "why": f"has not {len(reader.fieldnames)} fields"}
                else:
                    yield place, multivalues(row)
    except (EOFError, zlib.error, gzip.BadGzipFile) as error:
        yield f"{path}:{number + 1}", {"unreadable": "", "why": f"the gzip file breaks off or is damaged: {error}"}
    except OSError as error:
        raise BadAlert(f"{error.strerror or error}", place=str(path), remedy="name a file of past alerts") from None


def from_splunk(splunkd: Splunkd, search: str, since: datetime) -> Iterator[Placed]:
    """Results of a search over the time since then, page by page.

    Source: Splunk REST API Reference, "search/jobs" and "search/v2/jobs/{search_id}/results". Raises SplunkError.
    """
    text = search if search.lstrip().startswith("|") else f"search {search}"
    form = {"search": text, "earliest_time": str(int(since.timestamp())), "latest_time": "now", "max_count": str(_KEPT)}
    sid = str(splunkd.post("search", "jobs", form=form)["sid"])
    try:
        count = _finished(splunkd, sid)
        offset = 0
        while True:
            page = {"count": str(_PAGE), "offset": str(offset)}
            answer = splunkd.get("search", "v2", "jobs", sid, "results", query=page) or {}
            found = answer.get("results", ())
            for number, row in enumerate(found, offset + 1):
                yield f"Splunk, result {number}", next(rows_of(row))
            if not found:
                break
            offset += len(found)
        if count is not None and offset != count:
            raise SplunkError(f"{offset} of {count} results came. Ask again, or for less by --since")
        if offset >= _KEPT:
            raise SplunkError(f"{offset} results came, and Splunk keeps no more. Ask for less by --since or --search")
    finally:
        splunkd.delete("search", "jobs", sid)


def _finished(splunkd: Splunkd, sid: str) -> Optional[int]:
    """Wait until it is done; how many results it has, None when it does not say. A part of them is no export."""
    pause = 0.2
    while True:
        entry = next(iter(splunkd.entries("search", "jobs", sid)), {})
        content = entry.get("content", {})
        if content.get("isFailed"):
            messages = content.get("messages") or ()
            said = " ".join(str(item.get("text", "")) for item in messages if isinstance(item, Mapping))[:300]
            raise SplunkError(f"the search failed: {said or 'no reason given'}")
        if content.get("isDone") and content.get("isFinalized"):
            what = "the search was ended before it was through. Ask for less by --since, or raise its user's limits"
            raise SplunkError(what)
        if content.get("isDone"):
            return int(content["resultCount"]) if "resultCount" in content else None
        time.sleep(pause)
        pause = min(2.0, pause * 1.5)


def from_elastic(server: Server, space: str, since: datetime, catalogue: Mapping[str, Any]) -> Iterator[Placed]:
    """Alerts of our rules since then, the oldest first, with what the workflow says of them.

    Raises ElasticError, and BadAlert for a space without alerts.

    Source: Elasticsearch, "Paginate search results", search after with a point in time.
    """
    index = f"/.alerts-security.alerts-{space}"
    rules = [str(entry["id"]) for entry in catalogue.values() if entry.get("id")]
    try:
        pit = server.call("POST", f"{index}/_pit", query={"keep_alive": "2m"})["id"]
    except ElasticError as error:
        if error.type != "index_not_found_exception":
            raise
        remedy = "name the space whose rules made alerts with --space: Kibana makes the index with the first rule"
        raise BadAlert(f"the space has no alerts ({error.message})", place=server.url, remedy=remedy) from None
    after: Optional[List[Any]] = None
    filters = [{"terms": {_RULE: rules}}, {"range": {"@timestamp": {"gte": since.isoformat()}}}]
    try:
        while True:
            body: Dict[str, Any] = {
                "size": _HITS, "_source": _FIELDS, "track_total_hits": False, "query": {"bool": {"filter": filters}},
                "pit": {"id": pit, "keep_alive": "2m"}, "sort": [{"@timestamp": "asc"}, {"_shard_doc": "asc"}],
            }  # fmt: skip
            if after is not None:
                body["search_after"] = after
            answer = server.call("POST", "/_search", body)
            if answer.get("timed_out") or answer.get("_shards", {}).get("failed"):
                raise ElasticError("a search gave a part only", place=server.url, remedy="try again when it is green")
            pit = answer.get("pit_id", pit)
            hits = answer["hits"]["hits"]
            for hit in hits:
                yield f"Elasticsearch, alert {str(hit.get('_id'))[:80]}", next(rows_of(hit))
            if len(hits) < _HITS:
                return
            after = hits[-1]["sort"]
    finally:
        server.call("DELETE", "/_pit", {"id": pit})
