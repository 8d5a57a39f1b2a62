"""Runs every check. One that can't be made is a finding itself: what nobody can look at may be broken."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Callable, Iterator, List, Mapping, Sequence, Tuple

from responders.content.elastic.server import Server
from responders.elastic.doctor import integrations, keys, lag, licence, lookups, rules, schema, versions
from responders.elastic.doctor.finding import ERROR, LEVELS, Finding, Scene
from responders.elastic.kibana import Kibana
from responders.elastic.merge import Rule
from responders.errors import BadInput

Check = Callable[[Scene], Iterator[Finding]]
_OF_CLUSTER: Tuple[Tuple[str, Check], ...] = (
    ("version", versions.check), ("licence", licence.check), ("key", keys.check), ("lookup", lookups.check),
)  # fmt: skip
_OF_RULES: Tuple[Tuple[str, Check], ...] = (
    ("rule", rules.check), ("schema", schema.check), ("integration", integrations.check), ("lag", lag.check),
)  # fmt: skip


def examine(
    server: Server, kibana: Kibana, shipped: Sequence[Rule], requests: Sequence[Mapping[str, Any]], now: datetime
) -> List[Finding]:
    """Every finding, the worst first."""
    scene = Scene(server, kibana, shipped, {}, requests, now)
    found = [finding for name, check in _OF_CLUSTER for finding in _made(name, check, scene)]
    try:
        there = kibana.rules([rule["rule_id"] for rule in shipped])
    except BadInput as error:
        found.append(Finding(ERROR, "rule", "Kibana", f"its rules can't be read: {error.message}", error.remedy))
    else:
        scene = Scene(server, kibana, shipped, there, requests, now)
        found += [finding for name, check in _OF_RULES for finding in _made(name, check, scene)]
    return sorted(found, key=lambda finding: -LEVELS.index(finding.level))


def _made(name: str, check: Check, scene: Scene) -> List[Finding]:
    found: List[Finding] = []
    try:
        found.extend(check(scene))
    except BadInput as error:
        found.append(Finding(ERROR, name, error.place, f"could not be checked: {error.message}", error.remedy))
    except (KeyError, TypeError, ValueError, AttributeError, StopIteration) as error:
        what = f"could not be checked: an answer of another shape ({type(error).__name__})"
        found.append(Finding(ERROR, name, "answer", what, "is this Elasticsearch, and Kibana, of a version that is known?"))
    return found
