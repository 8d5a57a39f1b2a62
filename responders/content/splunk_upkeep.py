"""Splunk's scheduled searches that keep the lookups: the watch list, and what each account did before."""

from __future__ import annotations

from typing import Dict, List, Sequence, Tuple

from responders.content.detection import Baseline, Detection
from responders.content.splunk_stanza import Settings, csv_text, line

_SEED_DAYS = 30
_DORMANT_DAYS = 180
"""A dormant account is one that the baseline knows: what accounts do at all is seeded over as long as that."""
_DATE = '"%Y-%m-%dT%H:%M:%S"'
_WATCH = f"""
`tourniquet_signals` OR (`tourniquet_journal` kind=contained)
| where isnotnull(tq_identity) AND tq_identity!=""
| stats max(_time) as tq_at latest(tq_detection) as tq_why by tq_identity
| eval _key=md5(tq_identity), until=strftime(tq_at+86400, {_DATE}), why=coalesce(tq_why, "contained")
| fields _key tq_identity until why
| outputlookup append=true key_field=_key tourniquet_watch"""
_LEARN = f"""
| where isnotnull(tq_account) AND isnotnull(tq_value)
| lookup tourniquet_accounts tq_account OUTPUT tq_identity
| eval tq_identity=coalesce(tq_identity, tq_account)
| lookup tourniquet_watch tq_identity OUTPUT until as tq_until
| eval tq_until=mvindex(mvsort(tq_until), -1)
| where isnull(tq_until) OR strptime(substr(tq_until, 1, 19), {_DATE})<now()
| eval tq_seen=mvappend("WHAT|".tq_account."|".tq_value, "WHAT|".tq_account."|*")
| stats min(_time) as tq_new max(_time) as tq_latest by tq_seen
| lookup tourniquet_seen tq_seen OUTPUT tq_first_seen tq_last_seen
| eval tq_first_seen=min(tq_new, coalesce(tonumber(tq_first_seen), tq_new)), _key=md5(tq_seen)
| eval tq_last_seen=max(tq_latest, coalesce(tonumber(tq_last_seen), tq_latest))
| fields _key tq_seen tq_first_seen tq_last_seen
| outputlookup append=true key_field=_key tourniquet_seen"""


def upkeep(detections: Sequence[Detection]) -> List[Tuple[str, Settings]]:
    """Name and settings of each search.

    The baseline learns nothing of whoever is on the watch list: an attacker would teach it that he is usual. It learns
    20 minutes late, so that the searches have seen an event, and its account is watched, before it makes itself usual: one
    that was idle for months would else be awake already when the search asks when it was seen last.
    """
    found: List[Tuple[str, Settings]] = [
        (
            "Tourniquet - watch list",
            [
                ("description", "Whoever a signal names is on the watch list for 24 hours. Correlations need it."),
                ("search", line(_WATCH)),
                *_schedule("* * * * *", "-1m@m", "@m"),
            ],
        )
    ]
    for place, baseline in enumerate(_baselines(detections)):
        about = f"Keeps the baseline {baseline.what}. Seed it first: {seed_name(baseline)}."
        search = line(baseline.splunk + _LEARN.replace("WHAT", baseline.what))
        cron = f"{place % 5}-59/5 * * * *"
        found.append(
            (
                f"Tourniquet - baseline {baseline.what}",
                [("description", about), ("search", search), *_schedule(cron, "-25m@m", "-20m@m")],
            )
        )
        found.append((seed_name(baseline), _seed(baseline, search)))
    return found


def seed_name(baseline: Baseline) -> str:
    """The search that fills a baseline from the past."""
    return f"Tourniquet - seed {baseline.what}"


def baseline_list(detections: Sequence[Detection]) -> str:
    """The lookup file of all baselines, by which one that knows nothing shows as missing."""
    users = {
        one.what: [d.name for d in detections if d.baseline is not None and d.baseline.what == one.what]
        for one in _baselines(detections)
    }
    rows = [[one.what, seed_name(one), "; ".join(users[one.what])] for one in _baselines(detections)]
    return csv_text([["what", "seed_search", "detections"], *rows])


def _seed(baseline: Baseline, search: str) -> Settings:
    """The same search over the past, started by a person: not disabled, for a disabled search can't be run, and without a
    schedule. It ends where the regular one begins, and running it twice changes nothing."""
    days = _DORMANT_DAYS if baseline.what == "account_activity" else _SEED_DAYS
    return [
        ("description", f"Fills the baseline {baseline.what} from the last {days} days. Run it once by hand."),
        ("search", search),
        ("enableSched", "0"),
        ("dispatch.earliest_time", f"-{days}d@d"),
        ("dispatch.latest_time", "-20m@m"),
        ("dispatch.max_time", "0"),
    ]


def _baselines(detections: Sequence[Detection]) -> List[Baseline]:
    """One of each kind: detections may share one."""
    found: Dict[str, Baseline] = {}
    for detection in detections:
        if detection.baseline is not None:
            found.setdefault(detection.baseline.what, detection.baseline)
    return list(found.values())


def _schedule(cron: str, earliest: str, latest: str) -> Settings:
    return [
        ("disabled", "1"),
        ("enableSched", "1"),
        ("cron_schedule", cron),
        ("realtime_schedule", "0"),
        ("dispatch.earliest_time", "-24h"),
        ("dispatch.latest_time", "+15m"),
        ("dispatch.index_earliest", earliest),
        ("dispatch.index_latest", latest),
    ]
