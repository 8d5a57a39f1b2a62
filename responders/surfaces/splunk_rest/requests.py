"""POST requests: what a person asks of the responder by a click, carried out as the app, with the person's name on it.

First the request is in the journal, then every row of it, due at once; then it is carried out. What is not begun when the
time ends stays due, and the next run of `tourniquet_due` takes it up.
"""

from __future__ import annotations

from typing import Any, Callable, Dict, Mapping, Optional, Tuple

from responders.containment import clicks
from responders.errors import TourniquetError
from responders.surfaces.splunk_rest import asked_contain, asked_restore
from responders.surfaces.splunk_rest.asked import ACTIONS, Asked, read_asked
from responders.surfaces.splunk_rest.context import Context
from responders.surfaces.splunk_rest.results import tell
from responders.surfaces.splunk_rest.wire import Status

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
    journal = context.responder.journal
    by, stranger = _asker(context)
    click = clicks.clicked(journal, context.caller.name, by, asked.action, asked.reason, _about(asked))
    try:
        if stranger is not None:
            raise stranger
        asked = asked.as_clicked(click)
        found = _DO[asked.action](context, asked)
    except Exception as error:
        why = str(error) if isinstance(error, (TourniquetError, Status)) else type(error).__name__
        clicks.ended(journal, click, why, refused=True)
        raise
    clicks.ended(journal, click, str(found.get("title") or f"{found['status']}: {len(asked.rows)} results"))
    answer = {"request": click.chain, "action": asked.action, **found}
    tell(context, asked, answer)
    return answer


def _asker(context: Context) -> Tuple[str, Optional[Exception]]:
    """The asker's identity id, or why there is none: what a stranger asks for is journaled, and then refused."""
    try:
        return context.person(), None
    except (Status, TourniquetError) as error:
        return "", error


def _about(asked: Asked) -> Dict[str, Any]:
    return {
        "tier": asked.tier,
        "containment": asked.containment,
        "identity": asked.identity,
        "actions": list(asked.names),
        "agree": asked.agree,
        "rows": len(asked.rows),
        "sid": asked.sid,
        "search": asked.search,
    }
