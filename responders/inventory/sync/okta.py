"""Okta: users, groups, administrators, applications with credentials and who is assigned to them, AI agents, API tokens.

Least scopes: okta.users.read, okta.groups.read, okta.roles.read, okta.apps.read, okta.apiTokens.read, okta.schemas.read,
okta.aiAgents.read. All calls below /api/v1/apps share 100 a minute (Okta, "Management rate limits"): what is asked of each
application is asked once a day.
Sources: Okta API reference, "Users", "Groups", "Applications", "Application Users", "Application Groups", "OAuth 2.0 client
credentials", "Role Assignments", "API Tokens", "Schemas"; "Okta for AI Agents", Workload Principals (a beta, which the SDK
lacks); the official SDK's method names. `search` is not used: it is only eventually consistent.
"""

from __future__ import annotations

from datetime import datetime, timezone
from functools import partial
from typing import Any, Callable, Dict, FrozenSet, Iterator, List, Mapping, Optional, Sequence, Tuple
from urllib.parse import urlsplit

from responders.errors import BadAnswer, Forbidden, NotFound, Permanent, Retryable
from responders.inventory.observation import Holds, Key, Reaches, Seen
from responders.inventory.sync.okta_sdk import Call, OktaSdk
from responders.inventory.sync.source import At, Listing, Named, Observation, Page, Row
from responders.model import Account
from responders.vendors.client import Response
from responders.vendors.okta import OktaClient

_SINCE = 600.0
"""Seconds that a list of what changed reaches back before the last one: clocks differ, and changes come late."""
_PROFILE = ("login", "email", "employeeNumber", "displayName", "userType", "manager", "managerId", "department")
_TAGS = ("tq_owner", "tq_criticality", "tq_environment", "tq_agent")
"""Custom profile attributes that administrators may give a user; ignored where users may write them themselves."""


class OktaSource:
    """Reads one org through the official SDK."""

    vendor = "okta"
    listings = (
        Listing("schema"),
        Listing("users", needed=True, delta=True),
        Listing("groups", needed=True),
        Listing("members", of="groups", batch=5, stamp="lastMembershipUpdated"),
        Listing("admins"),
        Listing("roles", of="admins", batch=10),
        Listing("api_tokens"),
        Listing("ai_agents"),
        Listing("ai_agent_keys", of="ai_agents", batch=10),
        Listing("apps", needed=True),
        Listing("app_credentials", of="apps", batch=10, stamp="lastUpdated", daily=True),
        Listing("app_people", of="apps", batch=10, stamp="lastUpdated", daily=True),
    )

    def __init__(self, client: OktaClient) -> None:
        self.place = f"okta:{client.tenant}"
        self._client, self._sdk = client, OktaSdk(client)
        self._had: Dict[Tuple[str, str], Optional[Response]] = {}

    def close(self) -> None:
        self._sdk.close()

    def page(self, listing: Listing, at: At) -> Page:
        if listing.of:
            found = Page(tuple(getattr(self, f"_{listing.name}")(at.parents)))
            self._had.clear()
            return found
        if listing.name == "ai_agents":
            return self._ai_agents(at.cursor or _AGENTS)
        if at.cursor:
            answer = self._client.read(at.cursor, name=urlsplit(at.cursor).path)
        else:
            answer = self._sdk.ask(_first(listing.name, at.since))
        if listing.name == "schema":
            return Page((_schema_row(answer.body),))
        items, following = self._client.page(answer)
        return Page(tuple(_ROWS[listing.name](item) for item in _objects(items)), following or "")

    def _ai_agents(self, path: str) -> Page:
        """A beta that most orgs lack: however it refuses, or answers otherwise than described, costs only this list."""
        try:
            return _agents_page(self._client.read(path, name=urlsplit(path).path).body)
        except Permanent as error:
            raise Forbidden("okta", error.message, status=error.status, code=error.code) from None

    def _members(self, parents: Sequence[Row]) -> Iterator[Row]:
        # Everybody is in a BUILT_IN group, which says nothing of anybody.
        for group in (p for p in parents if p.body.get("type") != "BUILT_IN"):
            for user in self._all(partial(_list_group_users, group.id)):
                yield Row(f"{group.id}/{_id(user)}", {}, group.id)

    def _roles(self, parents: Sequence[Row]) -> Iterator[Row]:
        for user, answer in self._each(parents, "roles", lambda okta, u: okta.list_assigned_roles_for_user(u)):
            for role in _objects(answer.body):
                yield Row(f"{user}/{_id(role)}", _cut(role, "type", "label", "status", "assignmentType"), user)

    def _app_credentials(self, parents: Sequence[Row]) -> Iterator[Row]:
        clients = [p for p in parents if p.body.get("auth") in _CONFIDENTIAL]
        services = [p for p in clients if "client_credentials" in p.body.get("grants", ())]
        asks: Tuple[Tuple[str, Any], ...] = (
            ("secret", lambda okta, a: okta.list_o_auth2_client_secrets(a)),
            ("key", lambda okta, a: okta.list_jwk(a)),
        )
        for kind, ask in asks:
            for app, answer in self._each(clients, kind, ask):
                for item in _objects(answer.body):
                    # Secret values and hashes stay behind.
                    yield Row(f"{app}/{kind}:{_id(item)}", _cut(item, "created", "lastUpdated", "status", "kid"), app)
        # Without that grant a client never acts as itself, and its roles are worth nothing.
        for app, answer in self._each(services, "role", lambda okta, a: okta.list_roles_for_client(a)):
            for role in _objects(answer.body):
                yield Row(f"{app}/role:{_id(role)}", _cut(role, "type", "label", "status"), app)

    def _app_people(self, parents: Sequence[Row]) -> Iterator[Row]:
        """Groups of an application, and those of its first 500 users that are in it by themselves.

        Only of applications that are identities here and that people sign in through.
        """
        wanted = [p for p in parents if p.body.get("auth") in _CONFIDENTIAL and p.body.get("type") != "service"]
        for app, answer in self._each(wanted, "group", _app_groups):
            for group in _objects(answer.body):
                yield Row(f"{app}/group:{_id(group)}", {}, app)
        for app, answer in self._each(wanted, "user", _app_users):
            for user in _objects(answer.body):
                if user.get("scope", "USER") == "USER":
                    yield Row(f"{app}/user:{_id(user)}", {}, app)

    def _ai_agent_keys(self, parents: Sequence[Row]) -> Iterator[Row]:
        for agent in parents:
            path = self._client.transport.path(_AGENT_KEYS, (agent.id,))
            try:
                items = self._client.read(path, name=_AGENT_KEYS).body
            except NotFound:
                continue  # it was deleted meanwhile
            for item in _objects(items):
                yield Row(f"{agent.id}/key:{_id(item)}", _cut(item, "created", "lastUpdated", "status", "kid"), agent.id)

    def _each(self, parents: Sequence[Row], what: str, ask: Any) -> Iterator[Tuple[str, Response]]:
        """One call for each parent, side by side. A parent that was deleted meanwhile has nothing.

        What was answered is kept until the page is whole: after a refusal only the rest is asked again.
        """
        missing = [parent.id for parent in parents if (what, parent.id) not in self._had]
        errors: List[BaseException] = []
        for name, found in zip(missing, self._sdk.answers([partial(_of, ask, name) for name in missing])):
            if isinstance(found, BaseException) and not isinstance(found, NotFound):
                errors.append(found)
            else:
                self._had[what, name] = None if isinstance(found, BaseException) else found
        if errors:
            # What forbids or breaks goes before what only asks to wait.
            raise min(errors, key=lambda error: isinstance(error, Retryable))
        for parent in parents:
            answer = self._had[what, parent.id]
            if answer is not None:
                yield parent.id, answer

    def _all(self, first: Call) -> Iterator[Mapping[str, Any]]:
        """Every page of one parent's list. Raises BadAnswer when pages lead in a circle."""
        try:
            answer = self._sdk.ask(first)
        except NotFound:
            return
        seen = set()
        while True:
            items, following = self._client.page(answer)
            yield from _objects(items)
            if not following:
                return
            if following in seen:
                raise BadAnswer("okta", "a next page leads back to one that was read")
            seen.add(following)
            answer = self._client.read(following, name="/api/v1/groups/{}/users")


_AGENTS = "/workload-principals/api/v1/ai-agents?limit=200"
_AGENT_KEYS = "/workload-principals/api/v1/ai-agents/{}/credentials/jwks"
_CONFIDENTIAL = ("client_secret_basic", "client_secret_post", "client_secret_jwt", "private_key_jwt")


def _app_groups(okta: Any, app: str) -> Any:
    return okta.list_application_group_assignments(app, limit=200)


def _app_users(okta: Any, app: str) -> Any:
    return okta.list_application_users(app, limit=500)


def _list_group_users(group: str, okta: Any) -> Any:
    return okta.list_group_users(group, limit=200)


def _of(ask: Any, name: str, okta: Any) -> Any:
    return ask(okta, name)


def _first(listing: str, since: float) -> Call:
    if listing == "users":
        stamp = datetime.fromtimestamp(max(0.0, since - _SINCE), timezone.utc).strftime("%Y-%m-%dT%H:%M:%S.000Z")
        changed = f'lastUpdated ge "{stamp}"' if since else None
        return lambda okta: okta.list_users(limit=200, filter=changed)
    calls: Dict[str, Call] = {
        "schema": lambda okta: okta.get_user_schema("default"),
        "groups": lambda okta: okta.list_groups(limit=200),
        "admins": lambda okta: okta.list_users_with_role_assignments(limit=100),
        "apps": lambda okta: okta.list_applications(limit=200),
        "api_tokens": lambda okta: okta.list_api_tokens(),
    }
    return calls[listing]


def _objects(items: Any) -> List[Mapping[str, Any]]:
    if not isinstance(items, list) or not all(isinstance(item, Mapping) for item in items):
        raise BadAnswer("okta", "a list of objects was expected")
    return items


def _id(item: Mapping[str, Any]) -> str:
    found = item.get("id") or item.get("kid")
    if not isinstance(found, str) or not found:
        raise BadAnswer("okta", "an entry without an id")
    return found


def _cut(item: Mapping[str, Any], *names: str) -> Dict[str, Any]:
    return {name: item[name] for name in names if isinstance(item.get(name), (str, bool, int))}


def _under(item: Mapping[str, Any], *names: str) -> Mapping[str, Any]:
    for name in names:
        found = item.get(name)
        item = found if isinstance(found, Mapping) else {}
    return item


def _user_row(item: Mapping[str, Any]) -> Row:
    profile = _cut(_under(item, "profile"), *_PROFILE, *_TAGS)
    provider = _under(item, "credentials", "provider").get("type", "")
    return Row(_id(item), {**_cut(item, "status", "created", "lastUpdated"), "profile": profile, "provider": provider})


def _app_row(item: Mapping[str, Any]) -> Row:
    client, settings = _under(item, "credentials", "oauthClient"), _under(item, "settings", "oauthClient")
    grants = settings.get("grant_types")
    return Row(_id(item), {
        **_cut(item, "label", "status", "signOnMode", "created", "lastUpdated"),
        "auth": client.get("token_endpoint_auth_method", ""),
        "client": client.get("client_id", ""), "type": settings.get("application_type", ""),
        "grants": [g for g in grants if isinstance(g, str)] if isinstance(grants, list) else [],
    })  # fmt: skip


def _agents_page(body: Any) -> Page:
    """Okta, "List all AI agents": `data`, and the next page by `_links.next`."""
    if not isinstance(body, Mapping):
        raise BadAnswer("okta", "the list of AI agents is no object")
    rows = tuple(
        Row(_id(item), {**_cut(item, "status", "created", "appId"), "name": str(_under(item, "profile").get("name", ""))})
        for item in _objects(body.get("data"))
    )
    return Page(rows, str(_under(body, "_links", "next").get("href") or ""))


def _schema_row(body: Any) -> Row:
    """Which profile attributes users may write themselves. Source: Okta, "Schemas": `permissions`, principal SELF."""
    if not isinstance(body, Mapping):
        raise BadAnswer("okta", "the user schema is no object")
    found = set()
    for part in ("base", "custom"):
        for name, item in _under(body, "definitions", part, "properties").items():
            rights = item.get("permissions") if isinstance(item, Mapping) else None
            known = [r for r in rights if isinstance(r, Mapping)] if isinstance(rights, list) else []
            if not known or any(r.get("principal") == "SELF" and r.get("action") == "READ_WRITE" for r in known):
                found.add(str(name))
    names = sorted(n for part in ("base", "custom") for n in _under(body, "definitions", part, "properties"))
    return Row("default", {"known": names, "self": sorted(found)})


_ROWS: Mapping[str, Callable[[Mapping[str, Any]], Row]] = {
    "users": _user_row,
    "groups": lambda item: Row(
        _id(item), {**_cut(item, "type", "lastMembershipUpdated"), "name": str(_under(item, "profile").get("name", ""))}
    ),
    "admins": lambda item: Row(_id(item), {}),
    "apps": _app_row,
    "api_tokens": lambda item: Row(_id(item), _cut(item, "name", "userId", "created", "expiresAt", "lastUpdated")),
}


class OktaObserver:
    """An Okta user's `login` is unique in its org; `email` is not, and users may often write it themselves."""

    listings = (
        "schema", "users", "groups", "members", "roles", "apps", "app_credentials", "app_people", "ai_agents",
        "ai_agent_keys", "api_tokens",
    )  # fmt: skip

    def __init__(self, place: str, issuer: str = "") -> None:
        self._place, self._issuer = place, issuer.rstrip("/")
        self._known: FrozenSet[str] = frozenset()
        self._self: FrozenSet[str] = frozenset()
        self._groups: Dict[str, str] = {}
        self._apps: Dict[str, str] = {}

    def observe(self, listing: str, row: Row) -> Iterator[Observation]:
        body, key = row.body, f"{self._place}:"
        if listing == "schema":
            self._known, self._self = frozenset(body["known"]), frozenset(body["self"])
        elif listing == "users":
            yield self._user(row)
        elif listing == "groups":
            self._groups[row.id] = body["name"]
        elif listing == "members":
            user = row.id.partition("/")[2]
            yield Reaches(key + user, "group", row.parent, self._groups.get(row.parent, ""))
        elif listing == "roles" and body.get("status", "ACTIVE") == "ACTIVE":
            yield Reaches(key + row.parent, "role", str(body.get("type", "")), str(body.get("label", "")), admin=True)
        elif listing == "apps" and (body["auth"] in _CONFIDENTIAL or body["type"] == "service"):
            self._apps[row.id] = str(body.get("label", ""))
            yield self._app(row)
        elif listing in ("app_credentials", "ai_agent_keys"):
            yield from _credential(key + row.parent, row)
        elif listing == "app_people" and row.parent in self._apps:
            kind, _, name = row.id.partition("/")[2].partition(":")
            if kind == "group":
                yield Named(key + name, f"group {self._groups.get(name, name)}")
            yield Reaches(key + name, "app", row.parent, self._apps[row.parent])
        elif listing == "ai_agents":
            yield from self._agent(row)
        elif listing == "api_tokens" and body.get("userId"):
            # Its secret never changes; `lastUpdated` moves with each use, as `expiresAt` does (Okta, "API Tokens").
            yield Holds(key + body["userId"], "api_token", row.id, body.get("name", ""), body.get("created", ""),
                        body.get("expiresAt", ""))  # fmt: skip

    def _writer(self, name: str) -> str:
        """Unknown means the user: what nobody vouches for is no evidence."""
        return "administrator" if name in self._known and name not in self._self else "self"

    def _user(self, row: Row) -> Seen:
        profile, provider = row.body["profile"], row.body["provider"]
        mastered = {"ACTIVE_DIRECTORY": "ad", "LDAP": "ad", "FEDERATION": "federated", "SOCIAL": "guest"}
        keys = [Key("employee_number", str(profile.get("employeeNumber", "")), self._writer("employeeNumber"))]
        if row.body.get("status") not in ("STAGED", "PROVISIONED"):  # else nobody has shown yet that the address is theirs
            keys.extend(Key("email", str(profile.get(name, "")), self._writer(name)) for name in ("login", "email"))
        if self._issuer:
            keys.append(Key("subject", f"{self._issuer}|{row.id}", "vendor"))
        tags = [(name[3:], str(profile[name])) for name in _TAGS if name in profile and self._writer(name) != "self"]
        if profile.get("manager") and self._writer("manager") != "self":
            tags.append(("manager", str(profile["manager"])))
        return Seen(
            Account("okta", self._place.partition(":")[2], "user", row.id, mastered.get(provider, "cloud")),
            str(profile.get("login", "")),
            row.body.get("status") not in ("DEPROVISIONED", "SUSPENDED", "STAGED"),
            True,
            "an Okta user",
            tuple(key for key in keys if key.value),
            tuple(tags),
            created=str(row.body.get("created", "")),
        )

    def _app(self, row: Row) -> Seen:
        return Seen(
            Account("okta", self._place.partition(":")[2], "app", row.id),
            str(row.body.get("label", "")),
            row.body.get("status") == "ACTIVE",
            False,
            "an Okta application that signs in with a credential of its own",
            (),
            (("client_credentials", "true"),) if "client_credentials" in row.body["grants"] else (),
            created=str(row.body.get("created", "")),
        )

    def _agent(self, row: Row) -> Iterator[Observation]:
        """An AI agent; people reach it through the application that it is linked to, which several may share."""
        body = row.body
        account = Account("okta", self._place.partition(":")[2], "ai_agent", row.id)
        yield Seen(account, body["name"], body.get("status") == "ACTIVE", False, "an Okta AI agent", (),
                   (("agent", "true"),), created=str(body.get("created", "")))  # fmt: skip
        if body.get("appId"):
            yield Reaches(account.key, "app", str(body["appId"]), self._apps.get(str(body["appId"]), ""))


def _credential(holder: str, row: Row) -> Iterator[Observation]:
    kind, _, name = row.id.partition("/")[2].partition(":")
    body = row.body
    if kind == "role":
        yield Reaches(holder, "role", str(body.get("type", "")), str(body.get("label", "")), admin=True)
        return
    what = "client_secret" if kind == "secret" else "client_key"
    live = body.get("status", "ACTIVE") == "ACTIVE"
    # `lastUpdated` moves when it is switched on or off: the secret itself is as old as its creation.
    yield Holds(holder, what, name, str(body.get("kid", "")), str(body.get("created", "")), live=live)
