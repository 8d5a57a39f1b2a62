"""Policy: the one in use, its versions, a new one proposed, a proposed one activated by somebody else.

Two people, always: whoever could change alone what is contained without asking could lock the company out, or switch
containment off and then attack.
"""

from __future__ import annotations

import dataclasses
import threading
from typing import Any, Dict, List, Mapping, Optional, Tuple

from responders.actions import registry
from responders.errors import BadInputs
from responders.journal.newest import document, newest
from responders.policy import proof
from responders.policy.bounds import out_of_bounds
from responders.policy.cases import run_source
from responders.policy.compile import ActionFacts, compile_source
from responders.policy.policy import Policy, from_compiled
from responders.source import from_json_value
from responders.splunk import policies
from responders.surfaces import splunk_settings
from responders.surfaces.assemble import read_policy
from responders.surfaces.splunk_rest import stores
from responders.surfaces.splunk_rest.context import Context
from responders.surfaces.splunk_rest.fields import Fields
from responders.surfaces.splunk_rest.wire import Status

_LOCK = threading.Lock()
_PREFIX = "policy/"
"""Of side documents: which version was activated, the default aside."""
_MOST_CASES = 500


def get(context: Context, _: Tuple[str, ...]) -> Mapping[str, Any]:
    """The policy in use, in the form that POST takes, and the versions there are. Query `version` shows another one.

    `backtest` of a version: it is activated only with the record of its backtest.
    """
    used = _used(context)
    wanted = context.request.query.get("version", used)
    now = _stored(context, used)
    asks = proof.required(now, _before(context))
    return {
        "used": used,
        "version": wanted,
        "policy": _source_form(now if wanted == used else _stored(context, wanted)),
        "versions": [
            {"version": v.version, "by": v.by, "at": v.at, "why": v.why, "used": v.version == used,
             "backtest": asks or v.policy.get("require_backtest") is True}
            for v in policies.versions(context.splunkd)
        ],
    }  # fmt: skip


def propose(context: Context, _: Tuple[str, ...]) -> Mapping[str, Any]:
    """{"policy": …, "cases": […], "why": …, "dry_run": bool}: every error at once, the difference, and what the cases say.

    It is stored when nothing is wrong and every case decides as it expects. It is in use once somebody else activates it.
    What `tourniquet policy build` wrote is taken as well: its `hands_over` is worked out anew, from the actions there are.
    """
    fields = Fields(context.request.body(), ("policy", "cases", "why", "dry_run"))
    dry_run = bool(fields.flag("dry_run"))
    why = fields.text("why", needed=not dry_run)
    cases = list(fields.items("cases", most=_MOST_CASES))
    if not isinstance(fields.given.get("policy"), Mapping):
        fields.error("policy", "is no object", "start from what GET policy shows")
    fields.done()
    compiled = _compiled(fields.given["policy"])
    results = run_source(from_json_value({"cases": cases}, "body"), from_compiled(compiled)) if cases else []
    found: Dict[str, Any] = {
        "diff": difference(_compiled_form(_stored(context, _used(context))), compiled),
        "cases": [{"name": name, "difference": wrong, "passed": not wrong} for name, wrong in results],
        "stored": False,
    }
    if dry_run:
        return found
    failed = [name for name, wrong in results if wrong]
    if failed:
        raise Status(409, f"not stored: {len(failed)} of {len(results)} cases decide otherwise, first {failed[0][:80]!r}")
    by = context.person()
    context.audit("policy proposed", by=by, why=why, diff=found["diff"][:200])
    version = policies.add(context.splunkd, compiled, by=by, why=why, at=context.responder.now())
    return {**found, "stored": True, "version": version, "by": by}


def activate(context: Context, _: Tuple[str, ...]) -> Mapping[str, Any]:
    """{"version": a proposed one, or "" for the default that ships, "why": …}, by another person than who proposed it.

    Where the policy in use, or the new one, says `require_backtest`, "record" is that of its backtest; the default needs
    none, so that there is always a way back.
    """
    fields = Fields(context.request.body(), ("version", "why", "record"))
    version, why = fields.text("version"), fields.text("why", needed=True)
    if "version" not in fields.given:
        fields.error("version", "is missing", 'send one that GET policy lists, or ""')
    fields.done()
    by = context.person()
    with _LOCK:
        policy = _stored(context, version)
        if version:
            found = policies.find(context.splunkd, version)
            proposed_by = found.by if found is not None else ""
            if proposed_by == by:
                raise Status(403, f"{by} proposed version {version}: another person must activate it")
        compiled = _compiled_form(policy)
        wrong = out_of_bounds(compiled, "policy")
        if wrong:
            raise BadInputs(wrong)
        used = _stored(context, _used(context))
        if version and proof.required(used, policy, _before(context)):
            proof.check(policy, fields.given.get("record"), context.responder.now(), "body.record")
        diff = difference(_compiled_form(used), compiled)
        marks = [document(_PREFIX, context.responder.now(), {"version": version})] if version else []
        context.audit("policy activated", *marks, by=by, version=version, why=why, diff=diff[:200])
        before = stores.stanzas(context.splunkd, splunk_settings.SETTINGS)
        stores.write(context.splunkd, splunk_settings.SETTINGS, "general", {"policy": version}, new="general" not in before)
    context.tell(f"the policy {version or 'that ships'} was activated by {by}, {len(diff)} values differ: {why}")
    return {"used": version, "diff": diff}


def difference(old: Any, new: Any, path: str = "") -> List[str]:
    """One line for each value that differs."""
    if isinstance(old, Mapping) and isinstance(new, Mapping):
        lines: List[str] = []
        for key in sorted({*old, *new}):
            lines += difference(old.get(key), new.get(key), f"{path}.{key}" if path else str(key))
        return lines
    if isinstance(old, (list, tuple)) and isinstance(new, (list, tuple)):
        gone = [f"{path}: {item} is taken out" for item in old if item not in new]
        return [*gone, *(f"{path}: {item} is put in" for item in new if item not in old)]
    return [] if old == new or path in ("version", "hands_over") else [f"{path}: {old} becomes {new}"]


def _compiled(given: Mapping[str, Any]) -> Dict[str, Any]:
    """Compile and check the bounds. Raises BadInputs with all that is wrong."""
    known = {name: registry.load(name) for name in registry.names()}
    facts = {name: ActionFacts(action.least_tier, action.hands_over) for name, action in known.items()}
    source = {name: value for name, value in given.items() if name != "hands_over"}
    compiled = compile_source(from_json_value(source, "body.policy"), facts)
    wrong = out_of_bounds(compiled, "body.policy")
    if wrong:
        raise BadInputs(wrong)
    return compiled


def _used(context: Context) -> str:
    return stores.stanzas(context.splunkd, splunk_settings.SETTINGS).get("general", {}).get("policy", "")


def _before(context: Context) -> Optional[Policy]:
    """The policy that was activated last, the default aside: on a way round by the default its rule is not dropped."""
    journal = context.journal()
    mark = newest(journal, _PREFIX) if journal is not None else None
    found = policies.find(context.splunkd, str(mark["version"])) if mark is not None else None
    return from_compiled(found.policy) if found is not None else None


def _stored(context: Context, version: str) -> Policy:
    if not version:
        return read_policy("")
    found = policies.find(context.splunkd, version)
    if found is None:
        raise Status(404, f"there is no policy version {version[:80]}")
    return from_compiled(found.policy)


def _compiled_form(policy: Policy) -> Dict[str, Any]:
    return dataclasses.asdict(policy)


def _source_form(policy: Policy) -> Dict[str, Any]:
    """As POST takes it: without what the compiler adds."""
    found = _compiled_form(policy)
    found.pop("hands_over")
    return found
