"""What the shipped searches ask of a search head: each run's cost from what it reads, and its scheduler simulated.

No Splunk ran. A run costs its start and the events it reads, by the throughput that Splunk documents; what a source sends is
an assumption. So the figures say which searches are dear, and whether the schedule fits, not how long yours will take.
"""

from __future__ import annotations

import configparser
import heapq
import re
from collections import deque
from dataclasses import dataclass
from typing import Deque, Dict, Iterator, List, Mapping, Optional, Sequence, Tuple

from responders.content.replay import minutes_of
from responders.content.spl import Macro
from responders.content.spl.macros import expand

SLOTS = 11
"""Scheduled searches at once of a 16-core search head: max_searches_per_cpu 1 × 16 + base_max_searches 6, of which
max_searches_perc 50 are the scheduler's (Splunk, limits.conf.spec)."""
EVENTS_A_DAY = 10_000_000
START_SECONDS = 1.0
"""An assumption: to start a search's process, parse it and collect from the indexers."""
DENSE, SPARSE, PICKED = 50_000.0, 5_000.0, 0.01
"""Matching events a second of a dense and of a sparse search, and what share a sparse one matches at most (Splunk, Capacity
Planning Manual, "How search types affect Splunk Enterprise performance"), on one reference indexer."""
SHARES: Mapping[str, float] = {
    "aws:cloudtrail": 0.50, "azure:monitor:aad": 0.15, "kube:apiserver-audit": 0.12, "OktaIM2:log": 0.08,
    "hashicorp_vault_audit_log": 0.06, "cyberark:epv:cef": 0.015, "github:cloud:audit": 0.015, "tourniquet:agent": 0.009,
    "azure:aad:audit": 0.05, "sailpoint:identity:events": 0.001,
}  # fmt: skip
"""An assumption: what of all events is each source's (of Entra the sign-ins, and the audit log). Signals and journal are
too few to count."""
_SOURCETYPE = re.compile(r'"([A-Za-z0-9_]+(?::[A-Za-z0-9_]+)+|hashicorp_vault_audit_log|kube:apiserver-audit)"')
_NO_SIGN_INS = 'NOT category="*SignInLogs"'
_PHRASE = re.compile(r'(?:(?<!IN )\(|OR |AND )"[^"=]+"(?= OR| AND|\))')
_TERM = re.compile(r"[\w.{}]+\s*(?:!?=|IN\b)")
_WIDE = re.compile(r"(?:index|sourcetype|category|type|earliest|latest|properties\.userId|properties\.servicePrincipalId)$")
_LONG_TERM = re.compile(r'userIdentity\.accessKeyId"?="A[KS]IA\*"')
_EARLIEST = re.compile(r"\bearliest=-(\d+)([smhd])(?:@m)?")
_SPAN = re.compile(r"-(\d+)([smhd])")
_UNITS = {"s": 1, "m": 60, "h": 3600, "d": 86400}
_FULL = 60.0


@dataclass(frozen=True)
class Scheduled:
    """A search of savedsearches.conf: the minutes of an hour at which it runs, and seconds that a run takes."""

    name: str
    minutes: Tuple[int, ...]
    seconds: float


@dataclass(frozen=True)
class Load:
    """An hour after hours of the same: slots busy at most, runs, those that began after the next one was due, longest wait.

    With realtime_schedule = 1 the scheduler would skip the late ones. With 0, as shipped, it makes them later.
    """

    peak: int
    runs: int
    late: int
    wait: float
    busy: float


def scheduled(
    conf: str, macros: Mapping[str, Macro], factor: float = 1.0, start: float = START_SECONDS
) -> Tuple[Scheduled, ...]:
    """Every search of the conf file that has a schedule, by what it reads at `factor` times the average rate."""
    parser = configparser.RawConfigParser(delimiters=("=",), comment_prefixes=("#",), interpolation=None)
    parser.read_string(conf)
    found: List[Scheduled] = []
    for name in parser.sections():
        stanza = parser[name]
        if stanza.get("enableSched") == "1":
            seconds = start + factor * reading_seconds(stanza, macros)
            found.append(Scheduled(name, tuple(minutes_of(stanza["cron_schedule"])), seconds))
    return tuple(found)


def reading_seconds(stanza: Mapping[str, str], macros: Mapping[str, Macro]) -> float:
    """How long the indexer reads for one run at the average rate: each clause of its base search over its own time."""
    first = next(_cut(expand(stanza["search"], macros).text, "|"))
    whole = _span(stanza)
    total = 0.0
    for clause in _clauses(first):
        named = set(_SOURCETYPE.findall(clause))
        if _NO_SIGN_INS in clause:
            named -= {"azure:monitor:aad"}
        own = _EARLIEST.search(clause)
        span = min(whole, int(own[1]) * _UNITS[own[2]]) if own else whole
        events = sum(SHARES.get(name, 0.0) for name in named) * EVENTS_A_DAY / 86400 * span
        total += events / DENSE if _dense(clause) else events * PICKED / SPARSE
    return total


def _span(stanza: Mapping[str, str]) -> float:
    """Seconds of events that a run has to look through: of index time where that is what limits it."""
    if "dispatch.index_earliest" in stanza:
        begin, end = (_SPAN.match(stanza[f"dispatch.index_{key}"]) for key in ("earliest", "latest"))
        return _seconds(begin) - _seconds(end)
    return _seconds(_SPAN.match(stanza.get("dispatch.earliest_time", "")))


def _seconds(match: Optional[re.Match[str]]) -> float:
    return float(int(match[1]) * _UNITS[match[2]]) if match else 0.0


def _dense(clause: str) -> bool:
    """Whether nothing but sourcetypes and the like picks the events."""
    if _LONG_TERM.search(clause):
        return True
    if _PHRASE.search(clause):
        return False
    names = [re.split(r"\s*(?:!?=|IN\b)", term)[0].strip() for term in _TERM.findall(re.sub(r'"[^"]*"', '""', clause))]
    return all(_WIDE.search(name) for name in names)


def _clauses(text: str) -> Iterator[str]:
    """The alternatives of a base search, each with all that holds for it: `(a OR b) c` is `a c` and `b c`."""
    text = text.strip()
    while text.startswith("(") and _closing(text) == len(text) - 1:
        text = text[1:-1].strip()
    parts = list(_cut(text, " OR "))
    rest = ""
    if len(parts) == 1:
        for group in re.finditer(r"(?<!IN )\(", text):
            inner = text[group.start() : group.start() + _closing(text[group.start() :]) + 1]
            parts = list(_cut(inner[1:-1], " OR "))
            if len(parts) > 1 and "sourcetype" in inner:
                rest = f" {text[: group.start()]} {text[group.start() + len(inner) :]}"
                break
        else:
            yield text
            return
    for part in parts:
        yield from _clauses(f"({part}){rest}" if rest.strip() else part)


def _closing(text: str) -> int:
    depth = 0
    for place, letter in enumerate(text):
        depth += (letter == "(") - (letter == ")")
        if depth == 0:
            return place
    return -1


def _cut(text: str, at: str) -> Iterator[str]:
    """Pieces of the text between `at` where it stands outside quotes and parentheses."""
    depth, quoted, start, place = 0, False, 0, 0
    while place < len(text):
        letter = text[place]
        if letter == '"':
            quoted = not quoted
        elif not quoted:
            depth += (letter == "(") - (letter == ")")
            if depth == 0 and text.startswith(at, place):
                yield text[start:place]
                start = place = place + len(at)
                continue
        place += 1
    yield text[start:]


def simulate(searches: Sequence[Scheduled], slots: int = SLOTS, hours: int = 4) -> Load:
    """The last of some hours on the scheduler: due runs in order, never two of one search, so many at once."""
    by_minute: List[List[int]] = [[] for _ in range(60)]
    for number, search in enumerate(searches):
        for minute in search.minutes:
            by_minute[minute].append(number)
    waiting: Deque[Tuple[float, int]] = deque()
    running: List[Tuple[float, int]] = []
    own: Dict[int, bool] = {}
    peak, runs, late, worst, busy, now = 0, 0, 0, 0.0, 0.0, 0.0
    last = hours * 3600.0
    for minute in range(hours * 60):
        waiting.extend((minute * _FULL, number) for number in by_minute[minute % 60])
        until = (minute + 1) * _FULL
        now = max(now, minute * _FULL)
        while True:
            while running and running[0][0] <= now:
                own.pop(heapq.heappop(running)[1])
            ready = next((item for item in waiting if item[1] not in own), None) if len(running) < slots else None
            if ready is None:
                if not running or running[0][0] >= until:
                    break
                now = running[0][0]
                continue
            waiting.remove(ready)
            due, number = ready
            own[number] = True
            heapq.heappush(running, (now + searches[number].seconds, number))
            if now >= last - 3600:
                peak, busy = max(peak, len(running)), busy + searches[number].seconds
            if due >= last - 3600:
                runs, worst = runs + 1, max(worst, now - due)
                late += now - due >= 3600.0 / len(searches[number].minutes)
        now = until
    overdue = sum(due >= last - 3600 for due, _ in waiting)
    return Load(peak, runs + overdue, late + overdue, max([worst, *(last - due for due, _ in waiting)]), busy / 3600)
