"""The scripted input `tourniquet_check`: asks the vendors each hour whether they could be worked with, and tells it.

Sourcetype `tourniquet:readiness`, in the index of the app's own events: one with `kind` connection for each credential, one
with `kind` action for each action of the policy, and what else the responder does there. All values are text, `-` for none;
`ready` is yes, no or unknown. So the dashboard *Readiness* shows them without anybody's credential in a browser. The vendors
are asked what a credential holds; nothing is tried. *Test connection* on the setup page writes the same events.

Exit codes: 0 nothing is known to be missing; 1 something is; 3 splunkd or the settings can't be used.
"""

from __future__ import annotations

from datetime import datetime, timezone
from typing import BinaryIO, Dict, List, Mapping, Optional, Sequence

from responders.errors import TourniquetError
from responders.policy.policy import Policy
from responders.readiness.ask import Found, ask
from responders.readiness.grants import of_policy
from responders.settings import Connection
from responders.splunk.events import send
from responders.splunk.local_conf import management_uri
from responders.splunk.relay_queue import KvRelayQueue
from responders.splunk.splunkd import Splunkd
from responders.surfaces import splunk_assemble, splunk_settings
from responders.surfaces.splunk_due import session_key
from responders.surfaces.splunk_log import Log, log_path, splunk_home, var_folder
from responders.vendors.open import ClientPool

NAME = "tourniquet_check"
SOURCETYPE = "tourniquet:readiness"
_LONGEST_KEY = 4096
_SECONDS = 60.0
_LONGEST = 500
"""Characters of a sentence; a vendor's own words may be in it."""
_NONE = "-"
"""Of an empty value Splunk's `latest` would show an older one."""
_WORDS: Mapping[Optional[bool], str] = {True: "yes", False: "no", None: "unknown"}


def main(app_home: str, stdin: BinaryIO) -> int:
    """Run once. `app_home` is the app's folder; `stdin` gives the session key (inputs.conf: passAuth)."""
    log = Log(log_path(app_home, f"{NAME}.log"))
    key = session_key(stdin.readline(_LONGEST_KEY))
    try:
        splunkd = splunk_assemble.connect(management_uri(splunk_home(app_home)), key, app_home)
        found = splunk_settings.load(splunkd, var_folder(app_home))
        policy = splunk_assemble.policy_in_use(splunkd, found.policy)
        rows = _ask(splunkd, found.settings.connections, policy)
        tell(splunkd, found.index, rows)
    except TourniquetError as error:
        log.say("ERROR", NAME, {"error": str(error)})
        return 3
    wrong = [row for row in rows if row["ready"] == "no"]
    for row in wrong:
        about = {name: row.get(name, "") for name in ("connection", "credential", "action", "problem", "missing")}
        log.say("WARN", NAME, about)
    return 1 if wrong else 0


def _ask(splunkd: Splunkd, connections: Sequence[Connection], policy: Policy) -> List[Dict[str, str]]:
    """Every credential, side by side; one that does not answer within a minute is not reachable."""
    pool = ClientPool(tuple(connections), queue=KvRelayQueue(splunkd))
    try:
        return [row for found in ask(pool, connections, of_policy(policy.actions), _SECONDS) for row in rows_of(found)]
    finally:
        pool.close()


def rows_of(item: Found) -> List[Dict[str, str]]:
    """What was found of one credential, as events."""
    found = item.readiness
    lacking = [need.name for need in found.needs if need.ready is False]
    unknown = [need.name for need in found.needs if need.ready is None]
    about = {"connection": f"{found.vendor}:{found.tenant}", "vendor": found.vendor, "credential": item.credential}
    ready = False if not item.ready else None if unknown else True
    whole = {
        **about, "kind": "connection", "ready": _WORDS[ready], "reachable": _WORDS[found.reachable],
        "signed_in": _WORDS[found.authenticated], "problem": found.problem[:_LONGEST] or _NONE,
        "rate_left": _NONE if item.budget is None else f"{item.budget:.2f}", "lacking": ", ".join(lacking) or _NONE,
        "notes": "; ".join(found.notes)[:_LONGEST] or _NONE,
    }  # fmt: skip
    each = [
        {
            **about, "kind": "action", "action": need.name, "ready": _WORDS[need.ready],
            "missing": ", ".join(need.missing) or _NONE, "unknown": ", ".join(need.unknown) or _NONE,
        }
        for need in found.needs
    ]  # fmt: skip
    return [whole, *each]


def tell(splunkd: Splunkd, index: str, rows: Sequence[Mapping[str, str]]) -> None:
    """Send them for indexing, with the time and the search head: one may reach what another can't.

    Source: Splunk REST API Reference, "server/info". Raises SplunkError; some may then be stored.
    """
    content = splunkd.entries("server", "info", app="search")[0].get("content") or {}
    about = {"time": datetime.now(timezone.utc).isoformat(), "search_head": str(content.get("serverName", ""))}
    send(splunkd, index, SOURCETYPE, [{**row, **about} for row in rows])
