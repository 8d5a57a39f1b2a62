"""The commands, by name; the table is the list of what this subset evaluates."""

from __future__ import annotations

from typing import Callable, Dict

from responders.content.spl.commands import aggregating, extracting, filtering, lookups, ordering, reporting, shaping
from responders.content.spl.commands.base import Command, Run
from responders.content.spl.source import Segment

BUILDERS: Dict[str, Callable[[Segment], Command]] = {
    "search": filtering.build_search,
    "where": filtering.build_where,
    "head": filtering.build_head,
    "dedup": filtering.build_dedup,
    "eval": shaping.build_eval,
    "rename": shaping.build_rename,
    "fields": shaping.build_fields,
    "table": shaping.build_table,
    "fillnull": shaping.build_fillnull,
    "bin": shaping.build_bin,
    "bucket": shaping.build_bin,
    "stats": aggregating.build_stats,
    "eventstats": aggregating.build_eventstats,
    "streamstats": aggregating.build_streamstats,
    "sort": ordering.build_sort,
    "rex": extracting.build_rex,
    "spath": extracting.build_spath,
    "mvexpand": extracting.build_mvexpand,
    "lookup": lookups.build_lookup,
    "inputlookup": lookups.build_inputlookup,
    "outputlookup": lookups.build_outputlookup,
    "rest": reporting.build_rest,
    "timechart": reporting.build_timechart,
}

__all__ = ["BUILDERS", "Command", "Run"]
