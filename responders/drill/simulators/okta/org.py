"""What all parts of a simulated Okta org share: errors, rate-limit headers, scopes, ids, pages, the System Log."""

from __future__ import annotations

import itertools
from datetime import datetime, timezone
from typing import Any, Dict, List, Mapping, Optional, Tuple
from urllib.parse import urlencode

from responders.drill.simulators.okta.events import EVENTS
from responders.drill.simulators.server import Answer, Refuse, Request, Simulator

_TOPICS = (
    "users", "groups", "group_policy", "sessions", "tokens", "grants", "api_tokens", "factors", "devices", "apps",
    "roles", "risk", "idps", "services", "ai_agents",
)  # fmt: skip


class OktaOrg(Simulator):
    """State and manner of an org; the parts add endpoints to it."""

    def __init__(self, *, latency: float = 0.0, connect_latency: float = 0.0) -> None:
        super().__init__(latency=latency, connect_latency=connect_latency)
        self.state = {name: {} for name in _TOPICS}
        self.state["log"] = []
        self._numbers = itertools.count(1)

    def error(self, status: int, text: str, code: str = "") -> Answer:
        known = {400: "E0000001", 401: "E0000011", 403: "E0000006", 404: "E0000007", 405: "E0000022", 429: "E0000047"}
        code = code or known.get(status, "E0000009")
        body = {
            "errorCode": code,
            "errorSummary": text,
            "errorLink": code,
            "errorId": self.new_id("oae"),
            "errorCauses": [],
        }
        return Answer(status, body)

    def limited(self) -> Answer:
        reset = str(int(self._window[0] + 60))
        return Answer(429, self.error(429, "API call exceeded rate limit due to too many requests.").body, {
            "X-Rate-Limit-Limit": str(self.per_minute), "X-Rate-Limit-Remaining": "0", "X-Rate-Limit-Reset": reset,
        })  # fmt: skip

    def headers_of(self, remaining: int, limit: int, reset: float) -> Mapping[str, str]:
        return {
            "X-Rate-Limit-Limit": str(limit),
            "X-Rate-Limit-Remaining": str(remaining),
            "X-Rate-Limit-Reset": str(int(reset)),
        }

    def refuse(self, status: int, text: str, code: str = "") -> Refuse:
        return Refuse(self.error(status, text, code))

    def guarded(self, method: str, template: str, scope: str, handler: Any) -> None:
        """A management endpoint: the caller needs the scope, or an administrator's API token."""

        def checked(request: Request) -> Answer:
            self._authorize(request, scope)
            known = len(self.state["log"])
            answer: Answer = handler(request)
            if len(self.state["log"]) == known and (method, template) in EVENTS:
                event, kinds = EVENTS[method, template]
                self._write(event, self.principal(request), tuple(zip(request.ids, kinds)))
            return answer

        self.route(method, template, checked)

    def principal(self, request: Request) -> str:
        caller = self.caller(request)
        return caller[0] if caller else ""

    def caller(self, request: Request) -> Optional[Tuple[str, Tuple[str, ...]]]:
        """(who, scopes) of a management credential; administrators by API token have every scope."""
        kind, _, value = request.headers.get("authorization", "").partition(" ")
        if kind == "SSWS":
            for token in self.state["api_tokens"].values():
                if token["value"] == value:
                    admin = any(r["type"] == "SUPER_ADMIN" for r in self.state["roles"].get(token["userId"], {}).values())
                    return token["userId"], ("*",) if admin else ()
        if kind == "Bearer" and value in self.state["tokens"]:
            token = self.state["tokens"][value]
            if token["expires"] > self.clock() and token["kind"] == "service":
                # A scope is worth nothing without an administrator role behind it.
                role = self.state["services"].get(token["client"], {"role": "none"})["role"]
                return token["client"], tuple(token["scopes"]) if role else ()
        return None

    def _authorize(self, request: Request, scope: str) -> None:
        caller = self.caller(request)
        if caller is None:
            raise self.refuse(401, "Invalid token provided")
        # manage does not imply read. Okta, "Implement OAuth for Okta": read for GET, manage for POST, PUT, DELETE.
        if scope not in caller[1] and "*" not in caller[1]:
            raise self.refuse(403, "You do not have permission to perform the requested action")

    def new_id(self, prefix: str) -> str:
        return f"{prefix}{next(self._numbers):017d}"

    def stamp(self, at: Optional[float] = None) -> str:
        moment = datetime.fromtimestamp(self.clock() if at is None else at, timezone.utc)
        return moment.strftime("%Y-%m-%dT%H:%M:%S.") + f"{moment.microsecond // 1000:03d}Z"

    def record(self, event: str, target: str, actor: str = "", kind: str = "User") -> None:
        """One System Log event with one target."""
        self._write(event, actor, ((target, kind),))

    def _write(self, event: str, actor: str, targets: Tuple[Tuple[str, str], ...]) -> None:
        kind = "PublicClientApp" if actor in self.state["services"] else "User"
        self.state["log"].append({
            "uuid": self.new_id("evt"), "published": self.stamp(), "eventType": event,
            "actor": {"id": actor, "type": kind}, "target": [{"id": name, "type": what} for name, what in targets],
            "outcome": {"result": "SUCCESS"},
        })  # fmt: skip

    def dump(self) -> Any:
        found = super().dump()
        found.pop("log")
        found["tokens"] = {key: value for key, value in found["tokens"].items() if value["kind"] != "service"}
        return found

    def user(self, request: Request, place: int = 0) -> Tuple[str, Dict[str, Any]]:
        name = request.ids[place]
        if name not in self.state["users"]:
            raise self.refuse(404, f"Not found: Resource not found: {name} (User)")
        return name, self.state["users"][name]

    def listed(self, request: Request, topic: str) -> Answer:
        name, _ = self.user(request)
        return self.paged(request, list(self.state[topic].get(name, {}).values()))

    def paged(self, request: Request, items: List[Any], most: int = 200, endless: bool = False) -> Answer:
        """One page by `limit` and `after`, the next one in a Link header; an `endless` list always has one."""
        size, start = (request.query.get(name, given) for name, given in (("limit", str(most)), ("after", "0")))
        if not (size.isdecimal() and start.isdecimal() and int(size) > 0):
            raise self.refuse(400, "Api validation failed: limit")
        return self._page(request, items, int(size), int(start), endless)

    def _page(self, request: Request, items: List[Any], size: int, start: int, endless: bool) -> Answer:
        link = {}
        if start + size < len(items) or endless:
            query = urlencode({**request.query, "after": str(min(start + size, len(items)))})
            link = {"Link": f'<{self.url}{request.path}?{query}>; rel="next"'}
        return Answer(200, items[start : start + size], link)
