"""What all parts of a simulated Entra tenant share: errors, application roles, ids, pages, plain lists."""

from __future__ import annotations

import itertools
import re
from datetime import datetime, timezone
from typing import Any, Callable, Dict, List, Mapping, Optional, Tuple
from urllib.parse import quote

from responders.drill.simulators.server import Answer, Refuse, Request, Simulator

TENANT = "11111111-1111-4111-8111-111111111111"
_TOPICS = (
    "users", "groups", "denied_groups", "service_principals", "applications", "devices", "methods", "grants",
    "app_roles", "roles", "assignments", "eligibilities", "risk", "tokens", "agents",
)  # fmt: skip
_NEEDED = {
    "grants": ("clientId", "consentType", "resourceId", "scope"),
    "app_roles": ("principalId", "resourceId", "appRoleId"),
    "roles": ("principalId", "roleDefinitionId", "directoryScopeId"),
}
"""What a body must hold to create one."""
_FILTER = re.compile(r"\A(\w+) eq '([^']*)'\Z")


class GraphTenant(Simulator):
    """State and manner of a tenant; the parts add endpoints to it. Permissions are application roles of the caller."""

    prefix = "/v1.0"

    def __init__(self, *, latency: float = 0.0, connect_latency: float = 0.0) -> None:
        super().__init__(latency=latency, connect_latency=connect_latency)
        self.state = {name: {} for name in _TOPICS}
        self.audits: List[Dict[str, Any]] = []
        self._numbers = itertools.count(1)

    def error(self, status: int, text: str, code: str = "") -> Answer:
        known = {400: "Request_BadRequest", 401: "InvalidAuthenticationToken", 403: "Authorization_RequestDenied",
                 404: "Request_ResourceNotFound", 405: "Request_BadRequest", 429: "TooManyRequests"}  # fmt: skip
        found = code or known.get(status, "UnknownError")
        headers = {"Retry-After": "1"} if status in (429, 503) else {}
        return Answer(status, {"error": {"code": found, "message": text, "innerError": {}}}, headers)

    def limited(self) -> Answer:
        return self.error(429, "Too many requests")

    def refuse(self, status: int, text: str, code: str = "") -> Refuse:
        return Refuse(self.error(status, text, code))

    def guarded(self, method: str, template: str, roles: Tuple[str, ...], handler: Callable[[Request], Answer]) -> None:
        """An endpoint that an app with one of `roles` may call."""

        def checked(request: Request) -> Answer:
            token = self.token_of(request)
            if token is None or token["kind"] != "app":
                raise self.refuse(401, "Access token is empty or has expired.")
            app = self.state["service_principals"][token["subject"]]
            if not any(role in app["roles"] for role in roles):
                raise self.refuse(403, "Insufficient privileges to complete the operation.")
            answer = handler(request)
            if method != "GET":
                self.changed(method, template, request)
            return answer

        self.route(method, template, checked)

    def changed(self, method: str, template: str, request: Request) -> None:
        """A change by an app went through: the audit log takes it down."""

    def may(self, request: Request, *roles: str) -> bool:
        """True when the calling app has one of these application permissions."""
        token = self.token_of(request)
        held = self.state["service_principals"][token["subject"]]["roles"] if token and token["kind"] == "app" else ()
        return any(role in held for role in roles)

    def token_of(self, request: Request) -> Optional[Dict[str, Any]]:
        token: Optional[Dict[str, Any]]
        token = self.state["tokens"].get(request.headers.get("authorization", "").partition(" ")[2])
        if token is None or token["expires"] <= self.clock():
            return None
        return token

    def principal(self, request: Request) -> str:
        token = self.token_of(request)
        return str(token["subject"]) if token else ""

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
        found = super().dump()
        found["tokens"] = {key: value for key, value in found["tokens"].items() if value["kind"] != "app"}
        return found

    def thing(self, topic: str, key: str) -> Dict[str, Any]:
        found = self.state[topic].get(key)
        if found is None:
            raise self.refuse(404, f"Resource '{key}' does not exist or one of its queried references is not present.")
        item: Dict[str, Any] = found
        return item

    def paged(self, request: Request, items: List[Any]) -> Answer:
        size, start = (request.query.get(name, given) for name, given in (("$top", "100"), ("$skiptoken", "0")))
        if not (size.isdecimal() and start.isdecimal() and int(size) > 0):
            raise self.refuse(400, "Invalid value for $top")
        return self._page(request, items, int(size), int(start))

    def _page(self, request: Request, items: List[Any], size: int, start: int) -> Answer:
        body: Dict[str, Any] = {"value": items[start : start + size]}
        if start + size < len(items):
            wanted = "".join(f"&$filter={quote(value)}" for key, value in request.query.items() if key == "$filter")
            body["@odata.nextLink"] = f"{self.login}{request.path}?$top={size}&$skiptoken={start + size}{wanted}"
        return Answer(200, body)

    def shown(self, item: Mapping[str, Any]) -> Dict[str, Any]:
        found = {key: value for key, value in item.items() if key not in ("roles", "jwk", "federated", "owners")}
        if "passwordCredentials" in found:
            found["passwordCredentials"] = [{**c, "value": None} for c in found["passwordCredentials"]]
            found["passwordCredentials"] = [
                {k: v for k, v in c.items() if k != "value"} for c in found["passwordCredentials"]
            ]
        return found

    def find(self, topic: str) -> Callable[[Request], Answer]:
        def listed(request: Request) -> Answer:
            match = _FILTER.match(request.query.get("$filter", ""))
            if request.query.get("$filter") and match is None:
                raise self.refuse(400, "Invalid filter clause")
            items = [self.shown(item) for item in self.state[topic].values()]
            return self.paged(request, [i for i in items if match is None or str(i.get(match[1])) == match[2]])

        return listed

    def create(self, topic: str) -> Callable[[Request], Answer]:
        def create(request: Request) -> Answer:
            if not isinstance(request.body, dict) or not all(isinstance(request.body.get(f), str) for f in _NEEDED[topic]):
                raise self.refuse(400, "Invalid body")
            key = self.new(topic, request.body)
            return Answer(201, self.state[topic][key])

        return create

    def delete_one(self, topic: str, place: int = 0) -> Callable[[Request], Answer]:
        def delete(request: Request) -> Answer:
            if self.state[topic].pop(request.ids[place], None) is None:
                raise self.refuse(404, f"Resource '{request.ids[place]}' does not exist")
            return Answer(204)

        return delete

    def new(self, topic: str, body: Mapping[str, Any]) -> str:
        key = self.new_id()
        self.state[topic][key] = {"id": key, **body}
        return key
