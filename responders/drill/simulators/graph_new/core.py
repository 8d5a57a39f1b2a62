"""What all parts of the simulated tenant share: state, errors, permissions, tokens, ids, time.

Source: Microsoft Graph, "Microsoft Graph error responses and resource types"; error texts are Graph's as far as they
are public.
"""

from __future__ import annotations

import itertools
import re
from datetime import datetime, timezone
from typing import Any, Callable, Dict, List, Mapping, Optional, Tuple

from responders.drill.simulators.server import Answer, Handler, Refuse, Request, Simulator

TENANT = "11111111-1111-4111-8111-111111111111"
GLOBAL_ADMINISTRATOR = "62e90394-69f5-4237-9190-012177145e10"
"""Role template id. Source: Microsoft Entra, "built-in roles"."""
TOPICS = (
    "users", "groups", "denied_groups", "service_principals", "applications", "devices", "methods", "grants",
    "app_roles", "roles", "assignments", "eligibilities", "risk", "tokens",
)  # fmt: skip
_CODES = {
    400: "Request_BadRequest", 401: "InvalidAuthenticationToken", 403: "Authorization_RequestDenied",
    404: "Request_ResourceNotFound", 405: "Request_BadRequest", 409: "Request_MultipleObjectsWithSameKeyValue",
    429: "TooManyRequests", 503: "ServiceUnavailable", 504: "UnknownError",
}  # fmt: skip
_ID = re.compile(r"00000000-0000-4000-8000-(\d{12})")


class GraphCore(Simulator):
    """State and manners of the tenant. Parts register their endpoints with `guarded`.

    `p2`: licensed for ID Protection. `stale_reads`: so many reads of a user after a revocation still show the old
    session start. `cae_delay`: seconds until resources with continuous access evaluation learn of an event;
    `cae_misses`: they never do. `devices_for_apps`: Learn says an application can't list a user's registeredDevices,
    though tenants have been seen to answer; False refuses as documented.
    """

    prefix = "/v1.0"

    def __init__(self, *, latency: float = 0.0, connect_latency: float = 0.0) -> None:
        super().__init__(latency=latency, connect_latency=connect_latency)
        self.state = {name: {} for name in TOPICS}
        self.p2 = True
        self.stale_reads = 0
        self.cae_delay = 0.0
        self.cae_misses = False
        self.devices_for_apps = True
        self.sign_ins: List[Dict[str, Any]] = []
        """The sign-in log: history, not state, so not in `dump()`."""
        self.issuers: Dict[str, Dict[str, str]] = {}
        """Public keys of outside token issuers, for federated credentials."""
        self.permissions: Dict[Tuple[str, str], Tuple[str, ...]] = {}
        """What each endpoint accepts, by method and template."""
        self._numbers = itertools.count(1)
        self._last = 0.0

    # -- the vendor's manner ------------------------------------------------------------------------------

    def error(self, status: int, text: str, code: str = "") -> Answer:
        found = code or _CODES.get(status, "UnknownError")
        headers = {"Retry-After": "1"} if status in (429, 503) else {}
        return Answer(status, {"error": {"code": found, "message": text, "innerError": {}}}, headers)

    def limited(self) -> Answer:
        return self.error(429, "Too many requests")

    def refuse(self, status: int, text: str, code: str = "") -> Refuse:
        return Refuse(self.error(status, text, code))

    def serve(self, request: Request) -> Answer:
        if not any(pattern.match(request.path) for _, pattern, _ in self._routes):
            # Graph knows no 404 for a path that does not exist: the OData parser refuses the segment.
            segment = request.path.rpartition("/")[2]
            return self.error(400, f"Resource not found for the segment '{segment}'.", "BadRequest")
        return super().serve(request)

    def guarded(self, method: str, template: str, needs: Tuple[str, ...], handler: Handler) -> None:
        """An endpoint for apps that hold one of `needs`; `A+B` means both."""
        self.permissions[method, template] = needs

        def checked(request: Request) -> Answer:
            self.require(request, needs)
            return handler(request)

        self.route(method, template, checked)

    def require(self, request: Request, needs: Tuple[str, ...]) -> None:
        """Refuse a caller who holds none of `needs`."""
        app = self.caller(request)
        if not any(all(role in app["roles"] for role in need.split("+")) for need in needs):
            raise self.refuse(403, "Insufficient privileges to complete the operation.")

    def caller(self, request: Request) -> Dict[str, Any]:
        """The calling app's service principal. An app disabled meanwhile goes on until its token ends, without CAE."""
        token = self.token_of(request)
        if token is None or token["kind"] != "app":
            raise self.refuse(401, "Access token is empty or has expired.")
        found: Optional[Dict[str, Any]] = self.state["service_principals"].get(token["subject"])
        if found is None or (token["cae"] and not found["accountEnabled"] and not self.cae_misses):
            raise self.refuse(401, "Continuous access evaluation resulted in challenge.")
        return found

    # -- tokens -------------------------------------------------------------------------------------------

    def token_of(self, request: Request) -> Optional[Dict[str, Any]]:
        """The unexpired bearer token of a request."""
        kind, _, value = request.headers.get("authorization", "").partition(" ")
        token: Optional[Dict[str, Any]] = self.state["tokens"].get(value) if kind == "Bearer" else None
        return None if token is None or token["expires"] <= self.clock() else token

    def principal(self, request: Request) -> str:
        token = self.token_of(request)
        return str(token["subject"]) if token else ""

    def fresh(self, token: Mapping[str, Any]) -> bool:
        """True when the token was issued after the user's sessions were last revoked.

        A guest's session lives in the home tenant (`home`): a revocation here does not end it.
        """
        start = self.state["users"][token["subject"]].get("revoked_at", 0.0)
        return bool(token.get("home") or token["issued"] > start)

    def moment(self) -> float:
        """Now, never twice the same, so that what was issued before a revocation is older than it on any clock."""
        self._last = max(self.clock(), self._last + 1e-6)
        return self._last

    def denied(self, user: str) -> bool:
        """True when the user can't sign in anew: disabled, or in a group that Conditional Access denies."""
        return not self.state["users"][user]["accountEnabled"] or self.quarantined(user)

    def quarantined(self, principal: str) -> bool:
        return any(principal in self.state["groups"][g]["members"] for g in self.state["denied_groups"])

    # -- ids, time, state ---------------------------------------------------------------------------------

    def new_id(self) -> str:
        return f"00000000-0000-4000-8000-{next(self._numbers):012d}"

    def stamp(self, at: Optional[float] = None) -> str:
        moment = datetime.fromtimestamp(self.clock() if at is None else at, timezone.utc)
        return moment.strftime("%Y-%m-%dT%H:%M:%SZ")

    @property
    def login(self) -> str:
        """The authority without the tenant."""
        return self.url[: -len(self.prefix)]

    def dump(self) -> Any:
        """All state but the apps' own access tokens: the responder's sign-ins change no tenant."""
        found = super().dump()
        found["tokens"] = {key: value for key, value in found["tokens"].items() if value["kind"] != "app"}
        return found

    def load(self, state: Mapping[str, Any]) -> None:
        """Take over a state as `dump` gives it; missing topics are empty. Raises ValueError for unknown ones."""
        unknown = sorted(set(state) - set(TOPICS))
        if unknown:
            raise ValueError(f"unknown topics in the seed: {', '.join(unknown)}; known are {', '.join(TOPICS)}")
        super().load({**{name: {} for name in TOPICS}, **state})
        used = [int(number) for number in _ID.findall(repr(self.state))]
        self._numbers = itertools.count(max(used, default=0) + 1)

    def thing(self, topic: str, key: str) -> Dict[str, Any]:
        """An object of the state, or a 404."""
        found = self.state[topic].get(key)
        if found is None:
            raise self.refuse(404, f"Resource '{key}' does not exist or one of its queried references is not present.")
        item: Dict[str, Any] = found
        return item

    def new(self, topic: str, body: Mapping[str, Any]) -> str:
        """Store an object under a new id; the id."""
        key = self.new_id()
        self.state[topic][key] = {"id": key, **body}
        return key

    def body(self, request: Request, required: Mapping[str, type], optional: Mapping[str, type]) -> Dict[str, Any]:
        """The JSON object of a request; unknown, missing and wrongly typed properties are refused."""
        body = request.body
        if request.form or not isinstance(body, dict):
            raise self.refuse(400, "Empty Payload. JSON content expected.", "BadRequest")
        for name, value in body.items():
            kind = required.get(name) or optional.get(name)
            if kind is None:
                raise self.refuse(400, f"Invalid property '{name}'.")
            if not (isinstance(value, kind) or (value is None and name in optional)):
                raise self.refuse(400, f"Invalid value specified for property '{name}' of the resource.")
        for name in required:
            if name not in body:
                raise self.refuse(400, f"A value is required for property '{name}' of the resource.")
        return dict(body)


Part = Callable[[GraphCore], Any]
