"""Carries out one admitted request at the vendor, and makes the answer."""

from __future__ import annotations

import json
from typing import Any, Tuple

from responders.errors import BadAnswer, Forbidden, OutcomeUnknown, VendorError
from responders.surfaces.relay.rule import Broken, Job, Rule
from responders.surfaces.relay.rules import kept
from responders.surfaces.relay.state import State
from responders.vendors.client import VendorClient
from responders.vendors.relay_wire import ITEMS, OWN_IDS, Ask

_LARGEST = 4 * 1024 * 1024


def carry_out(ask: Ask, rule: Rule, client: VendorClient, state: State, never: Tuple[str, ...] = ()) -> Any:
    """What goes back as `ok`. Raises VendorError, Broken."""
    if rule.what == OWN_IDS:
        return sorted(client.own_ids())
    if rule.what == ITEMS:
        return _bounded(ask, kept(rule, ask.vendor, client.items(ask.template, ids=ask.ids, query=ask.query)))
    if rule.changes:
        return _change(Job(ask, client, state, never), rule)
    answer = client.call(ask.method, ask.template, ids=ask.ids, query=ask.query, body=ask.body)
    return _bounded(ask, {"status": answer.status, "body": kept(rule, ask.vendor, answer.body)})


def _change(job: Job, rule: Rule) -> Any:
    ask, client = job.ask, job.client
    if rule.guard is None:
        answer = client.call(ask.method, ask.template, ids=ask.ids, query=ask.query, body=ask.body)
        return {"status": answer.status, "body": None}
    passed = rule.guard(job)
    try:
        answer = client.call(ask.method, ask.template, ids=ask.ids, query=ask.query, body=passed.body)
    except OutcomeUnknown:
        raise
    except VendorError:
        passed.refused()
        raise
    passed.done()
    return {"status": answer.status, "body": None}


def _bounded(ask: Ask, found: Any) -> Any:
    if len(json.dumps(found)) > _LARGEST:
        raise BadAnswer(ask.vendor, f"{ask.template}: the answer is too large for a relay")
    return found


def as_refusal(vendor: str, relay: str, error: Broken) -> VendorError:
    """A broken rule, as the search head is told."""
    return Forbidden(vendor, f"relay {relay} refused: {error}", status=403, code="relay")
