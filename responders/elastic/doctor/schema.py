"""The schema index maps every field that a rule in Kibana names, with a type that ES|QL reads alike."""

from __future__ import annotations

import re
from typing import Any, Dict, Iterator, Mapping, Set, Tuple

from responders.content.elastic.server import ElasticError
from responders.elastic.doctor.finding import ERROR, OK, WARNING, Finding, Scene
from responders.elastic.merge import Rule

_SCHEMA = re.compile(r"\bFROM [^\n|]*?(tourniquet-schema[a-z0-9-]*)")
_OTHER = {"constant_keyword": "keyword", "wildcard": "keyword", "match_only_text": "text"}
_IMPORT = "run `tourniquet elastic import`: it adds the fields"


def check(scene: Scene) -> Iterator[Finding]:
    lacking: Dict[Tuple[str, str], Set[str]] = {}
    seen: Dict[str, Mapping[str, str]] = {}
    for rule in scene.there.values():
        name = schema_of(rule)
        if not name:
            what = "its query does not name tourniquet-schema: one absent source fails it whole"
            yield Finding(WARNING, "schema", str(rule.get("name")), what, "import it again, or copy its FROM from ours")
            continue
        if name not in seen:
            seen[name] = _types(scene, name)
        for field in rule.get("required_fields") or ():
            wanted, has = str(field.get("type")), seen[name].get(str(field.get("name")))
            if has is None or _OTHER.get(has, has) != _OTHER.get(wanted, wanted):
                lacking.setdefault((name, f"{field.get('name')} ({wanted})"), set()).add(str(rule.get("name")))
    for (name, wanted), rules in sorted(lacking.items())[:20]:
        yield Finding(ERROR, "schema", name, f"lacks {wanted}: {_few(rules)} may fail", _IMPORT)
    if len(lacking) > 20:
        yield Finding(ERROR, "schema", "tourniquet-schema", f"lacks {len(lacking) - 20} more fields", _IMPORT)
    if seen and not lacking:
        yield Finding(OK, "schema", ", ".join(seen), f"maps every field of {len(scene.there)} rules")


def schema_of(rule: Rule) -> str:
    """The schema index of a rule's query, "" where it names none."""
    found = _SCHEMA.search(str(rule.get("query", "")))
    return found[1] if found else ""


def _types(scene: Scene, name: str) -> Mapping[str, str]:
    try:
        answer = scene.server.call("GET", f"/{name}/_mapping")
    except ElasticError as error:
        if error.status != 404:
            raise
        return {}
    return {} if not answer else dict(_leaves(next(iter(answer.values()))["mappings"].get("properties") or {}))


def _leaves(properties: Mapping[str, Any], prefix: str = "") -> Iterator[Tuple[str, str]]:
    for name, about in properties.items():
        if "type" in about:
            yield prefix + name, str(about["type"])
        yield from _leaves(about.get("properties") or {}, f"{prefix}{name}.")


def _few(names: Set[str]) -> str:
    some = sorted(names)
    return some[0] if len(some) == 1 else f"{some[0]} and {len(some) - 1} more rules"
