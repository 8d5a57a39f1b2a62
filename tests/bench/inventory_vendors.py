"""A large company at four vendors that answer by rule: at once by a clock that counts, or over HTTP."""

from __future__ import annotations

import threading
import time
from typing import Any, Callable, Dict, Iterator, List, Mapping, Optional, Sequence, Tuple, cast
from urllib.parse import parse_qs, urlsplit

from responders.drill.simulators.graph import GraphSimulator
from responders.drill.simulators.server import Answer, Logged, Request, Simulator
from responders.errors import NotFound, RateLimited
from responders.vendors.client import Response
from responders.vendors.cyberark import CyberArkClient
from responders.vendors.entra import EntraClient
from responders.vendors.okta import OktaClient
from responders.vendors.vault import VaultClient

PART = 0.7
"""The part of a limit that an inventory may use: the rest is kept for containments."""
OKTA_LIMITS = (
    ("/api/v1/apps", 100), ("/oauth2/v1/clients", 100), ("/api/v1/groups", 500), ("/api/v1/users", 600), ("/api/v1", 1200),
    ("/workload-principals", 100),
)  # fmt: skip
"""Calls a minute of a Workforce org (Okta, "Management rate limits"). That of the AI agents is not told there."""
LATENCY = {"okta": 0.15, "entra": 0.3, "cyberark": 0.1, "vault": 0.005}
BATCH = 1.0
"""Seconds that Graph takes for 20 requests in one; four go side by side."""
GROUPS, EACH = 500, 600
APPS, WEB, SERVICES = 2000, 1000, 300
"""Applications; at Okta so many that people sign in through and that hold a secret, and so many services."""
CHANGED = 100
"""One of so many objects changed in an hour."""
TENANT = "11111111-1111-4111-8111-111111111111"
_PAGES: Mapping[str, Callable[..., Any]] = {
    "okta": OktaClient.page, "entra": EntraClient.page, "cyberark": CyberArkClient.page, "vault": VaultClient.page,
}  # fmt: skip
Made = Tuple[Any, Dict[str, str]]


class Clock:
    def __init__(self) -> None:
        self.now = time.time()
        self._lock = threading.Lock()

    def sleep(self, seconds: float) -> None:
        with self._lock:
            self.now += seconds


class Company:
    """Answers of one vendor for so many people. `base` stands before the next pages' paths."""

    def __init__(self, name: str, people: int, base: str = "https://org.invalid") -> None:
        self.name, self.people, self.base = name, people, base

    def answer(self, path: str, query: Mapping[str, str]) -> Made:
        """Body and headers; KeyError for what is not there."""
        return cast(Made, getattr(self, f"_{self.name}")(path, query))

    def _okta(self, path: str, query: Mapping[str, str]) -> Made:
        if "schemas" in path:
            properties = {
                n: {"permissions": [{"principal": "SELF", "action": "READ_ONLY"}]} for n in ("login", "employeeNumber")
            }
            return {"definitions": {"base": {"properties": properties}}}, {}
        if path.startswith("/api/v1/iam/"):
            return {"value": []}, {}
        if path.startswith("/workload-principals/"):
            return {"data": []}, {}
        size, start = int(query.get("limit", "200")), int(query.get("after", "0"))
        total, made = self._okta_list(path)
        total = total // CHANGED if "filter" in query else total
        kept = "&filter=x" if "filter" in query else ""
        link = f'<{self.base}{path}?limit={size}&after={start + size}{kept}>; rel="next"'
        found = [made(n) for n in range(start, min(start + size, total))]
        return found, {"link": link} if start + size < total else {}

    def _okta_list(self, path: str) -> Tuple[int, Callable[[int], Any]]:
        parts = path.split("/")
        if path == "/api/v1/users":
            return self.people, _okta_user
        if path == "/api/v1/groups":
            return GROUPS, lambda n: {
                "id": f"00g{n:017d}", "type": "OKTA_GROUP", "profile": {"name": f"g{n}"}, "lastMembershipUpdated": "x",
            }  # fmt: skip
        if parts[3] == "groups":
            first = int(parts[4][3:]) * EACH
            return min(EACH, self.people), lambda n: {"id": f"00u{(first + n) % self.people:017d}"}
        if path == "/api/v1/apps":
            return APPS, _okta_app
        if parts[3] == "apps" and parts[-1] == "secrets":
            return 2, lambda n: {"id": f"ocs{parts[4]}{n}", "created": "2024-01-01T00:00:00.000Z", "status": "ACTIVE"}
        if parts[3] == "apps" and parts[-1] == "groups":
            return 3, lambda n: {"id": f"00g{(int(parts[4][3:]) + n) % GROUPS:017d}"}
        if parts[3] == "apps" and parts[-1] == "users":
            return 40, lambda n: {"id": f"00u{(int(parts[4][3:]) * 40 + n) % self.people:017d}", "scope": "USER"}
        return 0, lambda n: {}

    def _entra(self, path: str, query: Mapping[str, str]) -> Made:
        start, size = int(query.get("$skiptoken", 0)), int(query.get("$top", 200))
        parts = path.split("/")
        number = int(parts[2][-12:]) if len(parts) > 3 and parts[2][-12:].isdigit() else 0
        total, made = {
            "/users/delta": (self.people, _entra_user), "/servicePrincipals/delta": (APPS, _principal),
            "/applications/delta": (APPS, _application),
        }.get(path, (0, _principal))  # fmt: skip
        if parts[-1] == "owners":
            total, made = 2, lambda n: {"id": _entra_id((2 * number + n) % self.people), "userPrincipalName": f"u{n}"}
        elif parts[-1] == "appRoleAssignedTo":
            total, made = 40, lambda n: {
                "id": f"a{number}-{n}", "principalId": _entra_id((40 * number + n) % self.people), "principalType": "User",
                "principalDisplayName": f"U {n}", "appRoleId": "00000000-0000-0000-0000-000000000000",
            }  # fmt: skip
        elif parts[-1] == "federatedIdentityCredentials":
            total, made = int(number % 4 == 0), lambda n: {
                "id": f"f{number}", "name": "ci", "issuer": "https://token.actions.githubusercontent.com",
                "subject": f"repo:corp/app{number}:ref:refs/heads/main",
            }  # fmt: skip
        total = min(total // CHANGED, size) if "$deltatoken" in query else total
        end = min(start + size, total)
        link = {"@odata.nextLink": f"{self.base}{path}?$skiptoken={end}"} if end < total else {}
        if path.endswith("/delta") and not link:
            link = {"@odata.deltaLink": f"{self.base}{path}?$deltatoken=1"}
        return {"value": [made(n) for n in range(start, end)], **link}, {}

    def _cyberark(self, path: str, query: Mapping[str, str]) -> Made:
        count, start = min(5000, self.people), int(query.get("offset", 0))
        if path == "/API/Users":
            users = [{"id": n, "username": f"u{n}", "source": "LDAP", "userType": "EPVUser", "enableUser": True,
                      "internet": {"businessEmail": f"u{n}@corp.example"}}
                     for n in range(start, min(start + 1000, count))]  # fmt: skip
            return {"Users": users, "Total": count}, {}
        if path == "/API/Safes":
            return {"value": [{"safeUrlId": f"s{n}", "safeName": f"s{n}"} for n in range(2000)], "count": 2000}, {}
        if path.endswith("/Members"):
            return {"value": [
                {"memberName": f"u{n}", "memberType": "User", "permissions": {"retrieveAccounts": True}} for n in range(20)
            ]}, {}  # fmt: skip
        if path == "/API/Accounts":
            end, total = start + int(query["limit"]), 2 * count // (CHANGED if "filter" in query else 1)
            body: Dict[str, Any] = {"count": total, "value": [
                {"id": f"{n}_3", "name": f"root{n}", "userName": f"root{n}", "address": "db", "safeName": f"s{n % 2000}",
                 "secretManagement": {"lastModifiedTime": 1700000000}} for n in range(start, min(end, total))
            ]}  # fmt: skip
            return {**body, **({"nextLink": f"API/Accounts?limit=1000&offset={end}"} if end < total else {})}, {}
        return {"application": []}, {}

    def _vault(self, path: str, query: Mapping[str, str]) -> Made:
        if path == "/sys/auth":
            return {"oidc/": {"type": "oidc", "accessor": "a1"}}, {}
        if path == "/identity/entity/id":
            return {"data": {"keys": [f"e{n:06d}" for n in range(min(20000, self.people))]}}, {}
        if path.startswith("/identity/entity/id/"):
            number = int(path.rpartition("/")[2][1:])
            return {"data": {"id": f"e{number:06d}", "name": f"n{number}", "policies": ["p"],
                             "metadata": {"employee_number": f"E{number}"}}}, {}  # fmt: skip
        if path.startswith("/sys/policies/acl/"):
            return {"data": {"policy": 'path "kv/*" { capabilities = ["read"] }'}}, {}
        if path == "/auth/oidc/config":
            raise KeyError(path)
        return {"data": {"keys": ["p"] if "policies" in path else []}}, {}


class Counted:
    """In the place of a client: each call takes its time by the clock, and Okta's have their limits."""

    def __init__(self, name: str, people: int, clock: Clock) -> None:
        self.vendor, self.clock, self.company = name, clock, Company(name, people)
        self.tenant = TENANT if name == "entra" else "corp"
        self.transport = self
        self.calls: Dict[str, int] = {}
        self._began: Dict[str, Tuple[float, int]] = {}

    def path(self, template: str, ids: Sequence[str]) -> str:
        for text in ids:
            template = template.replace("{}", text, 1)
        return template

    def read(self, path: str, *, name: str = "") -> Response:
        self._count(urlsplit(path).path)
        return self._answer(path)

    def call(self, method: str, template: str, *, ids: Sequence[str] = (), query: Any = None, body: Any = None) -> Response:
        if template == "/$batch":
            self.clock.sleep(BATCH / 4)
            self.calls["in a batch"] = self.calls.get("in a batch", 0) + len(body["requests"])
            return Response(200, _batch(body, lambda url: self._answer(url).body))
        return self.read(self.path(template, ids))

    def items(self, template: str, *, ids: Sequence[str] = (), query: Any = None) -> Iterator[Mapping[str, Any]]:
        following: Optional[str] = self.path(template, ids)
        while following:
            items, following = self.page(self.read(following))
            yield from items

    def page(self, answer: Response) -> Tuple[Any, Any]:
        return cast(Tuple[Any, Any], _PAGES[self.vendor](cast(Any, self), answer))

    def _answer(self, path: str) -> Response:
        parts = urlsplit(path)
        try:
            body, headers = self.company.answer(parts.path, {k: v[0] for k, v in parse_qs(parts.query).items()})
        except KeyError:
            raise NotFound(self.vendor, "404", status=404) from None
        return Response(200, body, headers)

    def _count(self, path: str) -> None:
        self.clock.sleep(LATENCY[self.vendor])
        bucket, limit = next(((n, most) for n, most in OKTA_LIMITS if path.startswith(n)), ("all", 0))
        if self.vendor == "okta":
            start, used = self._began.get(bucket, (self.clock.now, 0))
            if self.clock.now >= start + 60:
                start, used = self.clock.now, 0
            if used >= int(limit * PART):
                raise RateLimited("okta", "rate limit", retry_at=start + 60)
            self._began[bucket] = (start, used + 1)
        self.calls[bucket] = self.calls.get(bucket, 0) + 1


class _Served(Simulator):
    """A vendor over HTTP, for the memory of the real command."""

    vendor, people = "", 0

    def serve(self, request: Request) -> Answer:
        path = request.path[len(self.prefix) :]
        if path.endswith("/Logon"):
            return Answer(200, "token")
        base = self.url[: -len(self.prefix)] if self.vendor == "okta" else self.url
        company = Company(self.vendor, self.people, base)
        try:
            if path == "/$batch":
                return Answer(200, _batch(request.body, lambda url: _by_url(company, url)))
            body, headers = company.answer(path, request.query)
        except KeyError:
            return self.error(404, "no such thing")
        return Answer(200, body, headers)

    def log(self, entry: Logged) -> None:
        """Not kept: they are too many."""


class _Graph(_Served, GraphSimulator):
    prefix = "/v1.0"

    def serve(self, request: Request) -> Answer:
        served = _Served if request.path.startswith(self.prefix) else GraphSimulator
        return served.serve(self, request)


def servers(people: int) -> Dict[str, Simulator]:
    """The four vendors, not started. Entra's application to sign in with is `sync`, its secret `s3cret`."""
    made: Dict[str, Simulator] = {}
    kinds = (
        ("okta", _Served, ""),
        ("entra", _Graph, "/v1.0"),
        ("cyberark", _Served, "/PasswordVault"),
        ("vault", _Served, "/v1"),
    )
    for name, kind, prefix in kinds:
        made[name] = kind()
        made[name].prefix = prefix
        made[name].__dict__.update(vendor=name, people=people)
    return made


def _by_url(company: Company, url: str) -> Any:
    parts = urlsplit(url)
    return company.answer(parts.path, {k: v[0] for k, v in parse_qs(parts.query).items()})[0]


def _batch(body: Mapping[str, Any], answer: Callable[[str], Any]) -> Dict[str, List[Any]]:
    return {"responses": [{"id": one["id"], "status": 200, "body": answer(one["url"])} for one in body["requests"]]}


def _okta_user(n: int) -> Dict[str, Any]:
    name = f"u{n}@corp.example"
    return {
        "id": f"00u{n:017d}", "status": "ACTIVE", "created": "2024-01-01T00:00:00.000Z",
        "profile": {"login": name, "email": name, "employeeNumber": f"E{n}", "displayName": f"U {n}"},
        "credentials": {"provider": {"type": "OKTA"}},
    }  # fmt: skip


def _okta_app(n: int) -> Dict[str, Any]:
    found = {"id": f"0oa{n:017d}", "label": f"app {n}", "status": "ACTIVE", "signOnMode": "SAML_2_0", "lastUpdated": "x"}
    if n >= WEB + SERVICES:
        return found
    kind, grant = ("web", "authorization_code") if n < WEB else ("service", "client_credentials")
    return {
        **found, "signOnMode": "OPENID_CONNECT",
        "credentials": {"oauthClient": {"client_id": found["id"], "token_endpoint_auth_method": "client_secret_basic"}},
        "settings": {"oauthClient": {"application_type": kind, "grant_types": [grant]}},
    }  # fmt: skip


def _entra_id(n: int) -> str:
    return f"22222222-2222-4222-8222-{n:012d}"


def _entra_user(n: int) -> Dict[str, Any]:
    name = f"u{n}@corp.example"
    return {"id": _entra_id(n), "userPrincipalName": name, "mail": name, "employeeId": f"E{n}", "accountEnabled": True,
            "userType": "Member"}  # fmt: skip


def _principal(n: int) -> Dict[str, Any]:
    return {
        "id": f"33333333-3333-4333-8333-{n:012d}", "appId": f"44444444-4444-4444-8444-{n:012d}", "displayName": f"app {n}",
        "accountEnabled": True, "passwordCredentials": [], "keyCredentials": [], "appRoles": [],
    }  # fmt: skip


def _application(n: int) -> Dict[str, Any]:
    secret = {"keyId": f"k{n}", "startDateTime": "2024-01-01T00:00:00Z", "endDateTime": "2026-01-01T00:00:00Z"}
    return {"id": f"55555555-5555-4555-8555-{n:012d}", "appId": f"44444444-4444-4444-8444-{n:012d}",
            "displayName": f"app {n}", "passwordCredentials": [secret], "keyCredentials": []}  # fmt: skip
