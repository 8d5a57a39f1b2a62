"""Splunk's searches that look whether each source's events still come, how late, and with the fields that are needed.

Each looks at the events that were indexed in five minutes, once, and writes one row into the lookup tourniquet_sources,
also when there was no event. A dashboard lays the list of all sources over it, so that a source that nobody looks at shows
as missing.
"""

from __future__ import annotations

from typing import List, Sequence, Tuple

from responders.content.splunk_sources import Need, health_name
from responders.content.splunk_stanza import ONCE_FOR_ALL_ROWS, Settings, line, quoted
from responders.content.splunk_stores import STORES

SILENT = "Tourniquet - a source is silent"
EVERY = 5
_FIRST_GAP = 450
_WEEK = 604800
_COLUMNS = " ".join(("_key", *STORES["tourniquet_sources"].fields))
_HEALTH = """
SEARCH
| eval tq_lag=_indextime-_time
| stats count as events max(_time) as tq_event min(_indextime) as tq_from max(_indextime) as tq_to
  perc50(tq_lag) as tq_lag_50 perc95(tq_lag) as tq_lag_95 max(tq_lag) as tq_lag_most FILLS
| eval tq_source=SOURCE
| lookup tourniquet_sources tq_source OUTPUT last_event last_indexed lag_p50 lag_p95 lag_max longest_gap fill never told
| eval longest_gap=coalesce(tonumber(longest_gap), FIRST),
  tq_gap=if(events>0 AND isnotnull(last_indexed), tq_from-last_indexed, 0)
| eval longest_gap=if(events>0, round(max(0.9995*longest_gap, min(tq_gap, 2*longest_gap, WEEK))), longest_gap),
  _key=tq_source, checked=now(), per_minute=round(events/EVERY, 2),
  last_event=if(events>0, tq_event, last_event), last_indexed=if(events>0, tq_to, last_indexed),
  lag_p50=if(events>0, round(tq_lag_50), lag_p50), lag_p95=if(events>0, round(tq_lag_95), lag_p95),
  lag_max=if(events>0, round(tq_lag_most), lag_max),
  fill=if(events>0, mvjoin(mvappend(SHARES), "|"), fill),
  never=if(events>0, coalesce(mvjoin(mvappend(EMPTIES), ", "), "-"), never)
| fields COLUMNS
| outputlookup append=true key_field=_key tourniquet_sources"""
# A source that has always had pauses may have them; an outage that was told counts at most double, and is forgotten.
_SILENT = """
| inputlookup tourniquet_sources
| eval tq_allowed=max(60*`tourniquet_silence_minutes`, 2*tonumber(longest_gap)),
  tq_quiet=now()-tonumber(last_indexed), tq_unchecked=now()-tonumber(checked)
| eval tq_state=case(tq_unchecked>900, "unchecked since ".checked,
  isnotnull(tq_quiet) AND tq_quiet>tq_allowed, "silent since ".last_indexed)
| where isnotnull(tq_state) AND (isnull(told) OR told!=tq_state)
| eval told=tq_state
| fields COLUMNS
| outputlookup append=true key_field=_key tourniquet_sources
| lookup tourniquet_source_list tq_source OUTPUT title health_search
| eval last_event=strftime(tonumber(last_event), "%Y-%m-%dT%H:%M:%S%:z"), why=if(match(told, "^unchecked"),
  "the search ".health_search." has not run for 15 minutes: look whether it is enabled, and at the scheduler",
  "no event was indexed for longer than ever before: look at its input, its index and its sourcetype")
| table title why last_event longest_gap tq_source"""


def health(needs: Sequence[Need]) -> List[Tuple[str, Settings]]:
    """Name and settings: one search a source, and the alert."""
    found = [(health_name(need.source), _look(need, place)) for place, need in enumerate(needs)]
    return [*found, (SILENT, _alert())]


def _look(need: Need, place: int) -> Settings:
    names = list(need.fields)
    counts = [f"count(eval({_there(name)})) as tq_f{number}" for number, name in enumerate(names)]
    shares = [f"{quoted(name + '=')}.round(100*tq_f{number}/events)" for number, name in enumerate(names)]
    empties = [_empty(f"tq_f{number}", name) for number, name in enumerate(names)]
    text = _HEALTH
    for word, put in (
        ("SEARCH", need.source.search),
        ("SOURCE", quoted(need.source.key)),
        ("FILLS", " ".join(counts)),
        ("COLUMNS", _COLUMNS),
        ("SHARES", ", ".join(shares)),
        ("EMPTIES", ", ".join(empties)),
        ("FIRST", str(_FIRST_GAP)),
        ("WEEK", str(_WEEK)),
        ("EVERY", str(EVERY)),
    ):
        text = text.replace(word, put)
    about = f"How {need.source.title} is: last event, delay, events a minute, fields. One row of tourniquet_sources."
    return [
        ("description", about),
        ("search", line(text)),
        ("disabled", "1"),
        ("enableSched", "1"),
        ("cron_schedule", f"{place % EVERY}-59/{EVERY} * * * *"),
        ("realtime_schedule", "0"),
        ("dispatch.earliest_time", "-24h"),
        ("dispatch.latest_time", "+15m"),
        ("dispatch.index_earliest", f"-{EVERY + 1}m@m"),
        ("dispatch.index_latest", "-1m@m"),
    ]


def _empty(count: str, name: str) -> str:
    """The name where the field is missing. Of a few events one may well lack a field: what was there before is missing
    only when many events lack it, and from then on until one has it."""
    before = f'like(", ".never.",", {quoted("%, " + name + ",%")})'
    return f"if({count}==0 AND (events>=20 OR isnull(never) OR {before}), {quoted(name)}, null())"


def _there(name: str) -> str:
    return f"isnotnull('{name}') AND '{name}'!=\"\" AND '{name}'!=\"null\""


def _alert() -> Settings:
    return [
        ("description", "A source that sent events is silent for longer than it ever was, or is not looked at any more."),
        ("search", line(_SILENT.replace("COLUMNS", _COLUMNS))),
        ("disabled", "1"),
        ("enableSched", "1"),
        ("cron_schedule", "*/5 * * * *"),
        ("realtime_schedule", "0"),
        *ONCE_FOR_ALL_ROWS,
        ("alert.severity", "4"),
    ]
