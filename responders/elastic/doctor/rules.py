"""Each rule: in Kibana, ours, enabled, without an error, and run to its end within the last minutes."""

from __future__ import annotations

from collections import Counter
from datetime import datetime, timedelta
from typing import Any, Iterator, List, Mapping, Optional

from responders.elastic.doctor.finding import ERROR, NOTE, OK, WARNING, Finding, Scene
from responders.elastic.import_rules import source_of
from responders.elastic.merge import Rule, seconds

LONGEST_SILENCE = timedelta(minutes=3)
"""Without a success this long, a rule that runs each minute is taken for dead; a slower one two minutes after it was due."""
_SLACK = timedelta(minutes=2)
_TRUNCATED = "maximum alert limit"
"""Of Kibana's warning when a run found more than max_signals (rule_types/utils, getMaxSignalsWarning)."""
_IMPORT = "run `tourniquet elastic import`"


def check(scene: Scene) -> Iterator[Finding]:
    absent = [rule for rule in scene.shipped if rule["rule_id"] not in scene.there]
    if absent:
        what = f"{len(absent)} of {len(scene.shipped)} rules are not in this space: {_few(absent)}"
        yield Finding(ERROR if len(absent) == len(scene.shipped) else WARNING, "rule", "import", what, _IMPORT)
    off = [rule for rule in scene.there.values() if not rule.get("enabled")]
    if off:
        told = ", ".join(f"{source} {n}" for source, n in sorted(Counter(map(source_of, off)).items()))
        everything = len(off) == len(scene.there)
        what = f"{len(off)} of {len(scene.there)} are disabled and see nothing ({told})"
        remedy = "enable those whose source you have: `tourniquet elastic import --enable SOURCE`, or in Kibana"
        yield Finding(ERROR if everything else NOTE, "rule", "disabled", what, remedy)
    for ours in scene.shipped:
        rule = scene.there.get(ours["rule_id"])
        if rule is not None:
            yield from _ours(ours, rule)
            if rule.get("enabled"):
                yield from _ran(rule, scene.now)


def _ours(ours: Rule, rule: Rule) -> Iterator[Finding]:
    name = str(rule.get("name"))
    if int(rule.get("version", 0)) < int(ours["version"]):
        yield Finding(WARNING, "rule", name, f"is version {rule.get('version')}, ours is {ours['version']}", _IMPORT)
    elif rule.get("query") != ours["query"]:
        what = "its query was edited in Kibana: no test of ours speaks for it"
        yield Finding(WARNING, "rule", name, what, "change detections/ instead and import; an import puts ours back")
    if rule.get("exceptions_list"):
        what = "has exceptions: they see only fields of the source event, and an attacker may come to match one"
        yield Finding(NOTE, "rule", name, what, "leave identities out in tourniquet-accounts instead")


def _ran(rule: Rule, now: datetime) -> Iterator[Finding]:
    name = str(rule.get("name"))
    last: Mapping[str, Any] = (rule.get("execution_summary") or {}).get("last_execution") or {}
    status, at = str(last.get("status", "")), _time(last.get("date"))
    limit = longest_silence(str(rule.get("interval", "1m")))
    said = str(last.get("message", ""))[:300]
    if at is None:
        since = _time(rule.get("updated_at"))
        if since is not None and now - since <= limit:
            yield Finding(NOTE, "rule", name, "has not run yet; it was changed just now")
        else:
            remedy = "disable and enable it; see Kibana's log, and that its API key still exists"
            yield Finding(ERROR, "rule", name, "is enabled and never ran", remedy)
        return
    ago = f"{int((now - at).total_seconds())} s ago"
    if status == "failed":
        what = f"failed {ago}, its last success is older: {said}"
        yield Finding(ERROR, "rule", name, what, _remedy(said))
    elif now - at > limit:
        what = f"last ran {ago} ({status}), at most {int(limit.total_seconds())} s are allowed"
        yield Finding(ERROR, "rule", name, what, "see Kibana's task manager health (/api/task_manager/_health) and its log")
    elif _TRUNCATED in said:
        what = f"found more than its {rule.get('max_signals')} alerts {ago}: the weaker ones were dropped, nobody sees them"
        yield Finding(ERROR, "rule", name, what, "look at its strongest alerts now; then narrow the detection")
    elif status == "partial failure":
        yield Finding(WARNING, "rule", name, f"ran {ago} with a warning: {said}", _remedy(said))
    else:
        yield Finding(OK, "rule", name, f"{status} {ago}")


def longest_silence(interval: str) -> timedelta:
    """How long a rule may go without a success. A broken interval counts as a minute."""
    try:
        every = timedelta(seconds=seconds(interval))
    except ValueError:
        every = timedelta(minutes=1)
    return max(LONGEST_SILENCE, every + _SLACK)


def _remedy(said: str) -> str:
    for word, remedy in (
        ("unknown index", _IMPORT + ": it makes the indices"),
        ("unknown column", _IMPORT + ": it adds the fields"),
        ("lookup", "see the finding on its lookup; " + _IMPORT),
        ("security_exception", "edit or import it with a user or key that may read its indices"),
        ("unauthorized", "edit or import it with a user or key that may read its indices"),
        ("circuit_breaking", "give the cluster more memory, or narrow the detection"),
        ("timeout", "look at the cluster's load"),
    ):
        if word in said.lower():
            return remedy
    return "open it in Kibana, Execution results; correct what the message names"


def _time(value: Any) -> Optional[datetime]:
    try:
        found = datetime.fromisoformat(str(value).replace("Z", "+00:00"))
    except ValueError:
        return None
    return found if found.tzinfo else None


def _few(rules: List[Rule]) -> str:
    names = ", ".join(str(rule["name"]) for rule in rules[:3])
    return names if len(rules) <= 3 else names + ", …"
