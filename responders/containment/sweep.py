"""What the identity made since the compromise: listed with the containment; removing it needs approval."""

from __future__ import annotations

import importlib
import time
from functools import partial
from typing import Callable, Dict, List, Tuple

from responders.containment.facts import client_for
from responders.containment.responder import Responder
from responders.model import Account, Created, Plan
from responders.parallel import run_all
from responders.vendors.budget import calling_for

_AT_LEAST = 2.0


def sweep(responder: Responder, plan: Plan, deadline: float) -> Tuple[Tuple[Created, ...], Tuple[str, ...]]:
    """Things created at each vendor since the compromise, and in words where that could not be read in time.

    A vendor that is down has used up the containment's deadline: the others still get a moment of their own.
    """
    deadline = max(deadline, time.monotonic() + _AT_LEAST)
    tasks: Dict[Account, Callable[[], Tuple[Created, ...]]] = {}
    for account in plan.decision.identity.accounts:
        client = client_for(responder, plan.decision.identity, account)
        if client is None or plan.since is None or account in plan.unsupported:
            continue
        reader = importlib.import_module(f"responders.actions.{account.vendor}._sweep")
        tasks[account] = partial(reader.created_since, client, account, plan.since)
    created: List[Created] = []
    unread: List[str] = []
    with calling_for(plan.decision.tier):
        answers = run_all(tasks, deadline)
    for account, found in answers.items():
        if isinstance(found, Exception):
            unread.append(f"sweep of {account.key}: not read: {found}")
        else:
            created.extend(found)
    return tuple(created), tuple(unread)
