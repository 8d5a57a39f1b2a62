"""Splunk's alerts about Tourniquet itself: a check that failed, checks that do not come any more, a drill that failed.

They read what `tourniquet validate`, drills and the hourly check of the vendors write into the app's own index, and start no
action of ours: nothing in such an event names whom to contain, whoever wrote it. No column is named tq_, as an alert's are.

Who may write into that index could say that all is sound. Of that an alert takes little: whether checks come is judged by
the time of indexing, which no sender sets, and a check, or a drill, that ever failed is told whatever else is said of it.
"""

from __future__ import annotations

from typing import List, Tuple

from responders.content.splunk_stanza import ONCE_FOR_ALL_ROWS, Settings, line

FAILED = "Tourniquet - a check failed"
ABSENT = "Tourniquet - checks do not come"
DRILL = "Tourniquet - a canary drill failed"
NAMES = (FAILED, ABSENT, DRILL)
_TELL_AGAIN = "6h"
_EVERY = 5
_OWN = '`tourniquet_own_index` sourcetype="tourniquet:readiness" kind="connection"'
_SLICE = f'{{at}}>=relative_time(now(), "-{_EVERY + 1}m@m") AND {{at}}<relative_time(now(), "-1m@m")'
# Told once a day, and at once when its problems are others. A check of which nothing can be read counts as failed: the body
# of one that is too long is not sent.
_FAILED = f"""
(`tourniquet_journal` kind="entry" entry="check") OR ({_OWN})
| spath path=body.check output=tq_check
| spath path=body.result output=tq_result
| spath path=body.problems{{}} output=tq_problems
| eval tq_words=if(kind=="entry", coalesce(tq_result, "unreadable: see the journal"), ready),
  check=if(kind=="entry", coalesce(tq_check, "of ".chain), connection." (".credential.")"),
  problems=if(kind=="entry", coalesce(mvjoin(tq_problems, "; "), "-"), if(problem=="-", "lacks ".lacking, problem)),
  found_at=_indextime
| where NOT in(tq_words, "sound", "not checked", "yes", "unknown")
| eval tq_same=strftime(found_at, "%F")."|".check."|".problems
| sort 0 found_at
| streamstats count as tq_nth by tq_same
| where tq_nth==1 AND {_SLICE.format(at="found_at")}
| eval found=strftime(found_at, "%F %T %z"), result=if(kind=="entry", tq_words, "the vendor's credential can't do its work")
| table check result problems found"""
# Of validate and of the hourly check only what came within 30 days is missed; without either, that is said.
_ABSENT = f"""
(`tourniquet_journal` kind="entry" entry="validation") OR ({_OWN})
| eval tq_validated=if(kind=="entry", _indextime, null()), tq_asked=if(kind=="connection", _indextime, null())
| stats count as tq_events max(tq_validated) as tq_validated max(tq_asked) as tq_asked
| eval tq_missing=mvappend(if(now()-tq_validated>7200, "validate", null()), if(now()-tq_asked>7200, "check", null()),
  if(tq_events==0, "both", null()))
| where isnotnull(tq_missing)
| mvexpand tq_missing
| eval missing=case(tq_missing=="validate", "tourniquet validate has told nothing for two hours",
  tq_missing=="check", "the hourly check of the vendors (input tourniquet_check) has told nothing for two hours",
  true(), "for 30 days nothing has looked whether Tourniquet would work: switch on the hourly check, or run validate"),
  last=coalesce(strftime(case(tq_missing=="validate", tq_validated, tq_missing=="check", tq_asked), "%F %T %z"), "never")
| table missing last"""
# A drill's chain begins with `drill` and ends with `drilled`, within a minute or two.
_DRILL = f"""
`tourniquet_journal` kind="entry" entry IN ("drill", "drilled")
| spath path=body.works output=tq_works
| spath path=body.identity output=tq_canary
| spath path=body.problems{{}} output=tq_problems
| spath path=body.lanes{{}}.problem output=tq_lanes
| eval tq_begun=if(entry=="drill", _indextime, null()), tq_ended=if(entry=="drilled", _indextime, null()),
  tq_broken=if(entry=="drilled" AND coalesce(tq_works, "")!="true", _indextime, null()),
  tq_said=mvappend(tq_problems, tq_lanes), tq_said=mvfilter(tq_said!="")
| stats min(tq_begun) as tq_begun min(tq_ended) as tq_ended min(tq_broken) as tq_broken values(tq_said) as tq_said
  values(tq_canary) as canary by chain
| eval tq_at=case(isnotnull(tq_broken), tq_broken, isnull(tq_ended), tq_begun+1800),
  result=if(isnotnull(tq_broken), "a path is BROKEN", "begun half an hour ago, and not ended")
| where isnotnull(tq_at) AND {_SLICE.format(at="tq_at")}
| eval problems=coalesce(mvjoin(tq_said, "; "), "-"), begun=coalesce(strftime(tq_begun, "%F %T %z"), "unknown")
| table canary result problems begun chain"""


def readiness_alerts() -> List[Tuple[str, Settings]]:
    """Name and settings of each."""
    return [
        (
            FAILED,
            [
                ("description", "A check of `tourniquet validate`, or the hourly check of a vendor, failed: containment may "
                 "not work. Told once a day, and at once when it is another problem. docs/readiness.md."),
                ("search", line(_FAILED)),
                *_schedule(f"*/{_EVERY} * * * *", "-7d"),
                # All of the day's, by which the first is known.
                ("dispatch.index_earliest", "-25h"),
                ("dispatch.index_latest", "-1m@m"),
            ],
        ),
        (
            ABSENT,
            [
                ("description", "For two hours nothing has looked whether containment would work. Told each six hours. "
                 "docs/readiness.md."),
                ("search", line(_ABSENT)),
                *_schedule("4-59/15 * * * *", "-30d"),
                # One sentence about one thing: nothing else is hidden by it.
                ("alert.suppress", "1"),
                ("alert.suppress.period", _TELL_AGAIN),
            ],
        ),
        (
            DRILL,
            [
                ("description", "A canary drill found a broken path, or did not end: containment may not work. "
                 "docs/readiness.md."),
                ("search", line(_DRILL)),
                *_schedule(f"2-59/{_EVERY} * * * *", "-7d"),
            ],
        ),
    ]  # fmt: skip


def _schedule(cron: str, earliest: str) -> Settings:
    return [
        ("disabled", "1"),
        ("enableSched", "1"),
        ("cron_schedule", cron),
        ("realtime_schedule", "0"),
        ("dispatch.earliest_time", earliest),
        ("dispatch.latest_time", "+1d"),
        *ONCE_FOR_ALL_ROWS,
        ("alert.severity", "4"),
    ]
