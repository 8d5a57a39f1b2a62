"""POST requests: what a person asks of the responder by a click, carried out as the app, with the person's name on it.

First the request is in the journal, then every row of it, due at once; then it is carried out. What is not begun when the
time ends stays due, and the next run of `tourniquet_due` takes it up.
"""

from __future__ import annotations

import secrets
from typing import Any, Callable, Dict, Mapping, Tuple

from responders.errors import TourniquetError
from responders.surfaces.splunk_rest import asked_contain, asked_restore
from responders.surfaces.splunk_rest.asked import ACTIONS, Asked, read_asked
from responders.surfaces.splunk_rest.context import Context
from responders.surfaces.splunk_rest.results import tell

_DO: Mapping[str, Callable[[Context, Asked], Mapping[str, Any]]] = {
    "preview": asked_contain.preview,
    "contain": asked_contain.contain,
    "contain_tier": asked_contain.contain,
    "restore": asked_restore.restore,
    "approve": asked_restore.approve,
    "close": asked_restore.close,
}
assert set(_DO) == set(ACTIONS)


def post(context: Context, _: Tuple[str, ...]) -> Mapping[str, Any]:
    """One request. The answer has `request`, its id in the journal, and what became of each row or of the containment."""
    asked = read_asked(context)
    if asked.action == "preview":
        return {"action": asked.action, **_DO[asked.action](context, asked)}
    chain = f"q-{secrets.token_hex(12)}"
    journal = context.responder.journal
    journal.append(chain, "request", _recorded(context, asked))
    try:
        asked = asked.as_person(context.person(), chain)
        found = _DO[asked.action](context, asked)
    except Exception as error:
        why = str(error) if isinstance(error, TourniquetError) or hasattr(error, "text") else type(error).__name__
        journal.append(chain, "request refused", {"why": why})
        raise
    journal.append(chain, "request done", {"status": found.get("status", "")})
    answer = {"request": chain, "action": asked.action, **found}
    tell(context, asked, answer)
    return answer


def _recorded(context: Context, asked: Asked) -> Dict[str, Any]:
    return {
        "user": context.caller.name,
        "action": asked.action,
        "tier": asked.tier,
        "reason": asked.reason,
        "containment": asked.containment,
        "identity": asked.identity,
        "actions": list(asked.names),
        "agree": asked.agree,
        "rows": len(asked.rows),
        "sid": asked.sid,
        "search": asked.search,
    }
