"""The indices that rules read beside their sources: there, of the right kind, and each key once."""

from __future__ import annotations

from typing import Any, Iterator, Mapping

from responders.content.elastic.mappings import LOOKUPS
from responders.elastic.doctor.finding import ERROR, NOTE, OK, WARNING, Finding, Scene
from responders.elastic.indices import ensure

_IMPORT = "run `tourniquet elastic import`: it makes what is absent"
_FILL = "fill it anew, `tourniquet elastic inventory FILE` for accounts: a new index, then the alias moves"
_EMPTY = {
    "tourniquet-accounts": (
        WARNING, "is empty: no account is joined to its owner, nobody is known as break-glass",
        "fill it: `tourniquet elastic inventory FILE`",
    ),
    "tourniquet-watch": (OK, "is empty: nobody is watched now", ""),
    "tourniquet-seen": (
        NOTE, "is empty: what is first seen counts for no more than observe", "let `tourniquet elastic baseline` fill it",
    ),
}  # fmt: skip


def check(scene: Scene) -> Iterator[Finding]:
    for request, made in zip(scene.requests, ensure(scene.server, scene.requests, dry_run=True)):
        name = made.path.rpartition("/")[2]
        if made.what == "made":
            yield Finding(ERROR, "index", name, "is not there: the rules that read it fail", _IMPORT)
        elif made.differs:
            level = ERROR if made.breaks_rules else WARNING
            remedy = "delete it while it is empty and import again" if made.breaks_rules else "is that yours? Else delete it"
            yield Finding(level, "index", name, f"differs: {'; '.join(made.differs[:3])}", remedy)
        elif made.what != "there":
            yield Finding(ERROR, "index", name, f"would be {made.what}: rules that name one of them fail", _IMPORT)
        else:
            yield from _contents(scene, request, name)


def _contents(scene: Scene, request: Mapping[str, Any], name: str) -> Iterator[Finding]:
    alias = next(iter((request.get("body") or {}).get("aliases") or ()), "")
    kind = next((own for own in LOOKUPS if alias.startswith(own)), "")
    if not kind:
        yield Finding(OK, "index", name, "is as it should be")
        return
    key = next(iter(LOOKUPS[kind]))
    count = f"COUNT(*), lost = SUM(CASE({key} IS NULL, 1, 0)), many = SUM(CASE(MV_COUNT({key}) > 1, 1, 0))"
    row = next(iter(scene.server.esql(f"FROM {alias} | STATS n = {count}", {"match_all": {}})), {})
    rows, lost, many = (int(row.get(column) or 0) for column in ("n", "lost", "many"))
    query = f"FROM {alias} | STATS n = COUNT(*) BY {key} | WHERE n > 1 AND {key} IS NOT NULL | SORT n DESC | LIMIT 5"
    twice = scene.server.esql(query, {"match_all": {}})
    if twice:
        named = ", ".join(f"{one[key]} ({one['n']} times)" for one in twice)
        what = f"holds a key more than once: {named}. Each such row doubles findings"
        yield Finding(ERROR, "lookup", alias, what, _FILL)
    if lost or many:
        what = f"{lost} rows without {key}, {many} with several: a join never finds them"
        yield Finding(ERROR, "lookup", alias, what, _FILL)
    if not rows:
        level, what, remedy = _EMPTY[kind]
        yield Finding(level, "lookup", alias, what, remedy)
    elif not (twice or lost or many):
        yield Finding(OK, "lookup", alias, f"holds {rows} rows, each key once")
