"""The one dispatcher of the app's REST interface: routes, rights, errors as sentences, and the entry in the journal.

`ROUTES` is the table of contents. splunkd checks the capabilities of restmap.conf first; here they are checked again,
against what splunkd says of the session's own user, so that a mistake in a conf file opens nothing. Names and capabilities
in a request's body count for nothing.
"""

from __future__ import annotations

import sys
from dataclasses import dataclass
from typing import Any, Callable, Dict, Mapping, Optional, Tuple

from responders.errors import BadInput, BadInputs, InventoryError, JournalError, Refused, TourniquetError, VendorError
from responders.splunk.splunkd import SplunkError
from responders.surfaces import splunk_assemble
from responders.surfaces.splunk_log import Log, log_path
from responders.surfaces.splunk_rest import (
    connections,
    containments,
    halting,
    health,
    policy,
    readiness,
    relays,
    requests,
    searches,
    setting_up,
    settings,
)
from responders.surfaces.splunk_rest.caller import (
    CONFIGURE,
    EXECUTE,
    POLICY,
    PREVIEW,
    RELAY,
    RESTORE,
    RESTRICT,
    REVOKE,
    VIEW,
    Caller,
    caller_of,
)
from responders.surfaces.splunk_rest.context import Context, closed
from responders.surfaces.splunk_rest.wire import Request, Status, answer, read_request

NAME = "tourniquet_rest"
Handle = Callable[[Context, Tuple[str, ...]], Any]


@dataclass(frozen=True)
class Route:
    """`path` with `{}` for one name; any one of `capabilities` is enough to enter. `audited`: it changes something."""

    method: str
    path: Tuple[str, ...]
    capabilities: Tuple[str, ...]
    handle: Handle
    audited: bool = False

    def names(self, path: Tuple[str, ...]) -> Optional[Tuple[str, ...]]:
        """The names in a path that this route is for, None for another path."""
        if len(path) != len(self.path) or any(want not in ("{}", have) for want, have in zip(self.path, path)):
            return None
        return tuple(have for want, have in zip(self.path, path) if want == "{}")


def _route(method: str, path: str, capabilities: Tuple[str, ...], handle: Handle, audited: bool = False) -> Route:
    return Route(method, tuple(path.split("/")), capabilities, handle, audited)


ROUTES: Tuple[Route, ...] = (
    _route("POST", "requests", (PREVIEW, RESTRICT, REVOKE, RESTORE), requests.post, True),
    _route("GET", "containments", (VIEW,), containments.listed),
    _route("GET", "containments/{}", (VIEW,), containments.one),
    _route("GET", "connections", (CONFIGURE,), connections.listed),
    _route("POST", "connections", (CONFIGURE,), connections.create, True),
    _route("POST", "connections/test", (CONFIGURE,), readiness.test, True),
    _route("POST", "connections/{}", (CONFIGURE,), connections.update, True),
    _route("PUT", "connections/{}", (CONFIGURE,), connections.update, True),
    _route("DELETE", "connections/{}", (CONFIGURE,), connections.delete, True),
    _route("POST", "connections/{}/delete", (CONFIGURE,), connections.delete, True),
    _route("GET", "settings", (CONFIGURE,), settings.get),
    _route("POST", "settings", (CONFIGURE,), settings.post, True),
    _route("POST", "settings/test_escalation", (CONFIGURE,), setting_up.send_test, True),
    _route("GET", "setup", (VIEW, CONFIGURE, POLICY, RESTORE), setting_up.get),
    _route("POST", "setup", (CONFIGURE,), setting_up.post, True),
    _route("GET", "policy", (VIEW, POLICY), policy.get),
    _route("POST", "policy", (POLICY,), policy.propose, True),
    _route("PUT", "policy", (POLICY,), policy.activate, True),
    _route("POST", "policy/activate", (POLICY,), policy.activate, True),
    _route("GET", "searches", (CONFIGURE,), searches.get),
    _route("POST", "searches", (CONFIGURE,), searches.post, True),
    _route("GET", "health", (VIEW, CONFIGURE), health.get),
    _route("GET", "halt", (VIEW,), halting.get),
    _route("POST", "halt", (RESTORE,), halting.post, True),
    _route("GET", "relay_poll/{}", (RELAY,), relays.poll),
    _route("POST", "relay_work/{}/claims", (RELAY,), relays.claim),
    _route("POST", "relay_work/{}/answers", (RELAY,), relays.answer),
)
assert EXECUTE not in {name for route in ROUTES for name in route.capabilities}, (
    "the app's own right opens nothing to people"
)


def handle(in_string: str, app_home: str) -> Dict[str, Any]:
    """Answer one request of splunkd. Raises nothing: the persistent process serves all others too."""
    log = Log(log_path(app_home, f"{NAME}.log"))
    try:
        request = read_request(in_string)
    except (ValueError, TypeError, AttributeError, RecursionError):
        return _error(500, "splunkd's request can't be read")
    try:
        return _answered(request, app_home, log)
    except Exception as error:  # a mistake of ours; its text might hold what nobody should read, its kind does not
        log.say("ERROR", NAME, {"user": request.user, "path": "/".join(request.path), "error": type(error).__name__})
        sys.stderr.write(f"{NAME}: {type(error).__name__}\n")
        return _error(500, f"internal error {type(error).__name__}. Nothing more is known; please report this")


def _answered(request: Request, app_home: str, log: Log) -> Dict[str, Any]:
    known = [(route, names) for route in ROUTES for names in [route.names(request.path)] if names is not None]
    if not known:
        return _error(404, f"there is no {'/'.join(request.path)[:200]}: docs/splunk_rest.md lists what there is")
    found = next(((route, names) for route, names in known if route.method == request.method), None)
    if found is None:
        allowed = ", ".join(sorted({route.method for route, _ in known}))
        return _error(405, f"{request.method[:10]} is not taken here: use {allowed}")
    route, names = found
    if not request.token:
        return _error(401, "sign in first")
    if not request.system:
        return _error(500, "restmap.conf of the app lacks passSystemAuth = true: install the app anew")
    caller: Optional[Caller] = None
    context: Optional[Context] = None
    status, body = 200, None
    try:
        mine = splunk_assemble.connect(request.server_uri, request.token, app_home)
        try:
            caller = caller_of(mine)
        finally:
            mine.close()
        caller.need(*route.capabilities)
        context = Context(caller, request, splunk_assemble.connect(request.server_uri, request.system, app_home), app_home)
        body = route.handle(context, names)
    except Exception as error:
        refusal = refused(error)
        if refusal is None:
            raise
        status, body = refusal
    finally:
        if context is not None:
            closed(context)
    if route.audited or status in (401, 403):
        who = caller.name if caller else request.user
        said = "" if status == 200 else str(body.get("error", ""))
        log.say(
            "INFO" if status == 200 else "WARN", NAME,
            {"user": who, "method": request.method, "path": "/".join(request.path), "status": str(status), "error": said},
        )  # fmt: skip
    return answer(status, body)


def refused(error: Exception) -> Optional[Tuple[int, Mapping[str, Any]]]:
    """Status and body for an error that says what to do; None for one that is a mistake of ours."""
    if isinstance(error, Status):
        return error.status, {"error": error.text}
    if isinstance(error, BadInputs):
        return 400, {
            "error": str(error.errors[0]) if error.errors else "refused",
            "errors": [_place(e) for e in error.errors],
        }
    if isinstance(error, BadInput):
        return 400, {"error": str(error), "errors": [_place(error)]}
    if isinstance(error, Refused):
        return 409, {"error": str(error)}
    if isinstance(error, SplunkError):
        return 503 if error.passing else 502, {"error": f"{error}. Try again; if it stays so, look at splunkd.log"}
    if isinstance(error, (JournalError, InventoryError)):
        return 503, {"error": str(error)}
    if isinstance(error, VendorError):
        return 502, {"error": str(error)}
    if isinstance(error, TourniquetError):
        return 500, {"error": str(error)}
    return None


def _place(error: BadInput) -> Mapping[str, str]:
    return {"place": error.place, "what": error.message, "remedy": error.remedy}


def _error(status: int, text: str) -> Dict[str, Any]:
    return answer(status, {"error": text})
