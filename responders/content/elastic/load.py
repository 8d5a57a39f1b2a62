"""Measures the rules' queries on a real Elasticsearch that holds some minutes of ordinary events: docs/elastic_load.md.

The events are those of the examples that stay quiet, in a mix of sources, of many identities, spread over the minutes. What
a rule looks back further than the minutes that are there is not measured, and the page says how far each looks.
"""

from __future__ import annotations

import copy
import os
import platform
import random
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from statistics import median
from typing import Any, Callable, Dict, Iterator, List, Mapping, Sequence, Tuple

from responders.content.coverage import HEADER, paragraph
from responders.content.detection import Detection
from responders.content.ecs import to_ecs
from responders.content.elastic.query import in_namespace, queries
from responders.content.elastic.runner import MAX_SIGNALS, ElasticRun
from responders.content.elastic.server import ElasticError, Server
from responders.content.lag import look_back_seconds
from responders.content.schedule import minutes_between_runs

A_MINUTE = 7000
"""10 million a day."""
TASKS = 10
"""Of a default Kibana: xpack.task_manager.capacity, each 3 s up to 8.x, each 0.5 s since (Elastic, "Task Manager settings in
Kibana"; "By default, Kibana polls for tasks at a rate of 10 tasks every 3 seconds", "Task Manager troubleshooting")."""
POLL_SECONDS = 3
NO_ANSWER = -1
"""Rows of a query that the client gave up waiting for, after a minute."""
_FULL = (
    "dormant_account_active and leaked_secret_then_use 22 s each, credential_on_many_hosts 14, token_on_many_networks 9 to "
    "10, login_without_sso 6 to 7, key_from_new_network 5, from_new_network of agents 3 to 4"
)
"""CPU seconds of the server's process, two runs each by hand: they don't depend on what else the machine does."""
_TIMES = 3
_CHUNK = 5000
_IDENTITIES = 3000
_SHARES: Mapping[str, float] = {
    "aws_cloudtrail": 0.52, "entra_signin": 0.15, "entra_audit": 0.05, "kubernetes_audit": 0.12, "okta": 0.08, "vault": 0.06,
    "cyberark": 0.01, "github": 0.01,
}  # fmt: skip
_PLAIN: Mapping[str, Mapping[str, str]] = {
    "logs-aws.cloudtrail": {"action": "DescribeInstances", "provider": "ec2.amazonaws.com"},
    "logs-okta.system": {"action": "policy.evaluate_sign_on"},
    "logs-azure.auditlogs": {"action": "Update device"},
}
_PLAIN_SHARE = 0.9
"""Examples hold what detections look for: most of what these logs hold in life is something else."""
_NAMES = (
    "okta.actor.id", "user.id", "aws.cloudtrail.user_identity.access_key_id", "aws.cloudtrail.user_identity.arn",
    "aws.cloudtrail.user_identity.session_context.session_issuer.principal_id", "azure.signinlogs.properties.user_id",
    "azure.auditlogs.properties.initiated_by.user.id", "hashicorp_vault.audit.auth.entity_id", "cyberarkpas.audit.issuer",
    "github.actor_id", "kubernetes.audit.user.username",
)  # fmt: skip
"""Who acted, by data stream: each event is one of some thousand identities'."""


@dataclass(frozen=True)
class Measured:
    """A rule's query: median seconds of some runs by itself, and rows."""

    detection: Detection
    seconds: float
    rows: int


@dataclass(frozen=True)
class Result:
    """`together`: seconds in which all rules of one minute were done, ten at a time, as Kibana runs them."""

    events: int
    minutes: int
    rules: Tuple[Measured, ...]
    together: float


def measure(url: str, detections: Sequence[Detection], minutes: int, say: Callable[[str], None]) -> Result:
    """Index `minutes` of events in a namespace of its own, run every query, and delete them. Raises ElasticError."""
    with ElasticRun(url, detections) as run, Server(url) as server:
        now = datetime.now(timezone.utc).replace(microsecond=0)
        templates = _templates(detections, now)
        run.make_streams(sorted({stream for found in templates.values() for stream, _ in found}))
        count = minutes * A_MINUTE
        say(f"indexing {count} events of {minutes} minutes")
        chunk: List[Tuple[str, str, Mapping[str, Any]]] = []
        for number, (stream, document) in enumerate(_documents(templates, count, now, minutes)):
            chunk.append((f"{stream}-{run.namespace}", str(number), document))
            if len(chunk) == _CHUNK:
                server.bulk(chunk)
                chunk = []
        server.bulk(chunk)
        searches = [
            (one, f"{in_namespace(query, run.namespace)}\n| LIMIT {MAX_SIGNALS + 1}") for one, query in queries(detections)
        ]
        rules = []
        for one, query in searches:
            taken = [_run(server, one, query, now) for _ in range(_TIMES)]
            rules.append(Measured(one, median(seconds for seconds, _ in taken), taken[0][1]))
            say(f"{one.slug}: {rules[-1].seconds:.2f} s, {rules[-1].rows} rows")
        begun = time.perf_counter()
        with ThreadPoolExecutor(TASKS) as pool:
            list(pool.map(lambda item: _run(Server(url), item[0], item[1], now), searches))
        return Result(count, minutes, tuple(rules), time.perf_counter() - begun)


def _run(server: Server, detection: Detection, query: str, now: datetime) -> Tuple[float, int]:
    since = now - timedelta(seconds=look_back_seconds(detection))
    window = {"gt": since.isoformat(), "lte": now.isoformat()}
    begun = time.perf_counter()
    try:
        rows = len(server.esql(query, {"range": {"event.ingested": window}}))
    except ElasticError as error:
        if error.status:
            raise
        rows = NO_ANSWER
    return time.perf_counter() - begun, rows


def _templates(detections: Sequence[Detection], now: datetime) -> Dict[str, List[Tuple[str, Dict[str, Any]]]]:
    """Documents of quiet examples by source, with the data stream of each."""
    found: Dict[str, List[Tuple[str, Dict[str, Any]]]] = {source: [] for source in _SHARES}
    for detection in detections:
        for example in detection.examples:
            for source, event in example.events if not example.fires else ():
                if source in found:
                    for made in to_ecs(source, event, now, untimed=now):
                        found[source].append((made.index.rpartition("-")[0], dict(made.document)))
    return found


def _documents(
    templates: Mapping[str, Sequence[Tuple[str, Dict[str, Any]]]], count: int, now: datetime, minutes: int
) -> Iterator[Tuple[str, Dict[str, Any]]]:
    """So many documents, always the same ones, of the minutes before `now`."""
    dice = random.Random(1)  # noqa: S311 - a load, and no secret
    sources, weights = list(_SHARES), list(_SHARES.values())
    for source in dice.choices(sources, weights, k=count):
        stream, model = dice.choice(templates[source])
        document = copy.deepcopy(model)
        at = (now - timedelta(seconds=dice.random() * 60 * minutes)).isoformat(timespec="milliseconds")
        document["@timestamp"] = at
        document.setdefault("event", {})["ingested"] = at
        if dice.random() < _PLAIN_SHARE:
            document["event"].update(_PLAIN.get(stream, {}))
        who = dice.randrange(_IDENTITIES)
        for name in _NAMES:
            _rename(document, name.split("."), who)
        yield stream, document


def _rename(document: Dict[str, Any], path: Sequence[str], who: int) -> None:
    place: Any = document
    for part in path[:-1]:
        place = place.get(part) if isinstance(place, dict) else None
    if isinstance(place, dict) and isinstance(place.get(path[-1]), str):
        place[path[-1]] += f"{who:04}"


def load_page(result: Result) -> str:
    """docs/elastic_load.md."""
    minutely = [one for one in result.rules if minutes_between_runs(one.detection) == 1]
    total = sum(one.seconds for one in minutely)
    lines = ["# Search load on Elastic", "", HEADER.replace("build", "load --url URL"), ""]
    lines += [
        *paragraph(
            f"""Measured once, on {time.strftime("%Y-%m-%d")}: every rule's query in a real Elasticsearch of one node that
            held {result.events:,} events of {result.minutes} minutes ({A_MINUTE:,} a minute, as 10 million a day are), of
            {_IDENTITIES:,} identities, in a mix of sources ({_shares()}: an assumption; {_PLAIN_SHARE:.0%} of CloudTrail,
            Okta's and Entra's audit events are of an ordinary kind). Machine: {platform.machine()},
            {os.cpu_count()} cores with a load of {os.getloadavg()[1]:.0f} by other work, so the figures are far too high.
            Kibana was not there."""
        ),
        "| figure | |",
        "|---|---|",
        f"| rules that run each minute, all others each five | {len(minutely)} |",
        f"| their queries one after the other | {total:.1f} s |",
        f"| all {len(result.rules)} queries, {TASKS} at a time | {result.together:.1f} s |",
        f"| slowest query | {max(one.seconds for one in result.rules):.2f} s |",
        f"| median | {median(one.seconds for one in result.rules):.2f} s |",
        "",
        *paragraph(
            f"""A default Kibana runs {TASKS} tasks at once and takes up to {TASKS} new ones each {POLL_SECONDS} s (8.x;
            since 9.x each half second): {60 // POLL_SECONDS * TASKS} a minute, and the bundle needs {len(minutely)} and a
            few more. If all come due together, the last is taken up {(len(minutely) - 1) // TASKS * POLL_SECONDS} s after
            the first, as long as a query with what Kibana does around it takes under {POLL_SECONDS} s. Other rules and
            tasks of that Kibana come on top: give it a second instance, or raise `xpack.task_manager.capacity`, when
            *Stack Management → Rules* shows drift. A rule that is late looks back over what it missed."""
        ),
        *paragraph(
            f"""Rules at the top read the activity of everybody: their cost grows with their look-back. At full look-back (78
            minutes, 546,000 events, on 2026-11-26) one run of each took so much CPU time: {_FULL}. As they run each
            minute, these seven keep about one and a half cores busy. A default Kibana's ten tasks are no limit then, the
            data nodes' cores are: give them four or more at 10 million events a day, measure there (`tourniquet detections
            load --url URL --minutes 78`), and leave out or give five minutes to what takes over 30 s."""
        ),
        *paragraph(
            """What a rule looks back beyond the minutes that were there costs more than here: those are marked. The rules
            over a day read of that day only signals, the journal, leaks and switched accounts, and of all else 35
            minutes."""
        ),
        "| rule | seconds | rows | looks back |",
        "|---|---|---|---|",
    ]
    for one in sorted(result.rules, key=lambda item: (-item.seconds, item.detection.slug)):
        back = look_back_seconds(one.detection)
        mark = " (more than was there)" if back > 60 * result.minutes else ""
        rows = "no answer" if one.rows == NO_ANSWER else str(one.rows)
        lines.append(f"| {one.detection.slug} | {one.seconds:.2f} | {rows} | {back} s{mark} |")
    return "\n".join(lines) + "\n"


def _shares() -> str:
    return ", ".join(f"{share:.0%} {name}" for name, share in _SHARES.items())
