"""What a person asks for, read from a request's body and held against what the session's user may do."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, Mapping, Tuple

from responders.alerts.row import from_siem
from responders.containment.clicks import Click
from responders.surfaces.splunk_rest.caller import PREVIEW, RESTORE, RESTRICT, REVOKE
from responders.surfaces.splunk_rest.context import Context
from responders.surfaces.splunk_rest.fields import Fields

ACTIONS = ("preview", "contain", "contain_tier", "restore", "approve", "close")
TIERS = ("restrict", "revoke")
MOST_ROWS = 500
IDS = ("rid", "orig_sid", "orig_rid")
"""What ties a request that is about no row to the result it was started from."""
_KEYS = ("action", "tier", "reason", "rows", "containment", "identity", "actions", "agree", "sid", "search", *IDS)
_NOBODYS = Click("", "", "", "", "")


@dataclass(frozen=True)
class Asked:
    """One request. `click` is the asker and the request's place in the journal: ours, never the body's.

    `agree` is the request of a colleague that the asker agrees to. `most` says how far the asker may go, "" for all the way.
    """

    action: str
    tier: str
    reason: str
    rows: Tuple[Mapping[str, Any], ...]
    containment: str
    identity: str
    names: Tuple[str, ...]
    agree: str
    sid: str
    search: str
    most: str
    ids: Mapping[str, str]
    click: Click = _NOBODYS

    def as_clicked(self, click: Click) -> Asked:
        """The request of this person."""
        return replace(self, click=click)


def read_asked(context: Context) -> Asked:
    """Read and check. Raises BadInputs with all that is wrong, Status 403 without the right for it."""
    fields = Fields(context.request.body(), _KEYS)
    action = fields.choice("action", ACTIONS, needed=True)
    tier = fields.choice("tier", TIERS, needed=action == "contain_tier")
    about_rows = action in ("preview", "contain", "contain_tier")
    reason = fields.text("reason", needed=action not in ("", "preview"))
    rows = fields.items("rows", most=MOST_ROWS)
    for number, row in enumerate(rows, 1):
        if not isinstance(row, Mapping):
            fields.error(f"rows[{number}]", "is no object", "send each result as an object of its fields")
    if action and about_rows and not rows:
        fields.error("rows", "holds no result", "run the action on at least one result of a search")
    containment, identity, agree = fields.text("containment"), fields.text("identity"), fields.text("agree")
    names = tuple(str(name) for name in fields.items("actions", most=50) if isinstance(name, str))
    if action == "contain" and tier:
        fields.error("tier", "belongs to contain_tier", "leave it out: contain goes by policy")
    if action and not about_rows:
        for name in ("rows", "tier"):
            if fields.given.get(name):
                fields.error(name, f"has no meaning with {action}", "leave it out")
        if bool(containment) == bool(identity):
            fields.error("containment", "or identity must be given, and only one of them", "give the id, c-…")
    if action == "approve" and not names:
        fields.error("actions", "is missing", 'name actions that wait for approval, or ["revoke"] for the whole tier')
    sid, search = fields.text("sid"), fields.text("search")
    ids = {name: fields.text(name) for name in IDS if fields.given.get(name)}
    fields.done()
    caller = context.caller
    if action == "preview":
        caller.need(PREVIEW)
    elif action == "contain":
        caller.need(RESTRICT, REVOKE)
    elif action == "contain_tier":
        caller.need(*((REVOKE,) if tier == "revoke" else (RESTRICT, REVOKE)))
    else:
        caller.need(RESTORE)
    most = "" if caller.may(REVOKE) else "restrict"
    taken = tuple(dict(from_siem(row)) for row in rows)
    return Asked(action, tier, reason, taken, containment, identity, names, agree, sid, search, most, ids)
