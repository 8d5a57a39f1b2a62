"""Entra: users, service principals, agent identities, applications with credentials, directory roles, grants, owners, and
who may sign in through which application.

What changed since the last time comes by delta queries; a change of owners or assignments shows in none of them. Least
application permissions: User.Read.All, Application.Read.All, RoleManagement.Read.Directory, GroupMember.Read.All,
Directory.Read.All (for oauth2PermissionGrants).
Sources: Microsoft Graph v1.0, "Use delta query to track changes", "user: delta", "servicePrincipal: delta", "application:
delta", "List agentIdentities", "List unifiedRoleAssignments", "List appRoleAssignedTo", "List oauth2PermissionGrants", "List
owners", "List federatedIdentityCredentials".
"""

from __future__ import annotations

from typing import Any, Callable, Dict, Iterator, List, Mapping, Sequence, Tuple
from urllib.parse import urlsplit

from responders.errors import BadAnswer, NotFound
from responders.inventory.observation import Holds, Key, Reaches, Seen
from responders.inventory.sync.entra_batch import GraphBatch
from responders.inventory.sync.source import At, Listing, Named, Observation, Page, Row
from responders.model import Account
from responders.vendors.entra import EntraClient

_MICROSOFT = "f8cdef31-a31e-4b4a-93e4-5f571e91255a"
"""The tenant that owns Microsoft's own applications; theirs are no identities of the customer."""
_READERS = ("88d8e3e3-8f55-4a1e-953a-9b9898b8876b",)
"""Directory Readers: the one common role that gives no power. Source: Microsoft Entra built-in roles."""
_STRONG = frozenset(
    {
        "RoleManagement.ReadWrite.Directory", "AppRoleAssignment.ReadWrite.All", "Application.ReadWrite.All",
        "Directory.ReadWrite.All", "User.ReadWrite.All", "UserAuthenticationMethod.ReadWrite.All",
        "GroupMember.ReadWrite.All", "Policy.ReadWrite.ConditionalAccess", "Domain.ReadWrite.All",
    }
)  # fmt: skip
"""Application permissions that lead to others' accounts. Source: Microsoft Graph permissions reference."""
_USER = (
    "id,userPrincipalName,mail,employeeId,accountEnabled,userType,creationType,onPremisesImmutableId,onPremisesSyncEnabled,"
    "createdDateTime"
)
_PRINCIPAL = (
    "id,appId,displayName,accountEnabled,servicePrincipalType,appOwnerOrganizationId,tags,appRoles,passwordCredentials,"
    "keyCredentials"
)
_APPLICATION = "id,appId,displayName,tags,createdDateTime,serviceManagementReference,passwordCredentials,keyCredentials"
_ROLES = "/roleManagement/directory"
_PEOPLE = 200
"""People and groups of one application that are kept; whatever else holds its permissions is kept whole."""
_OWNERS = 5
"""Owners of one application that are named; each reaches it."""
_FIRST: Mapping[str, str] = {
    "users": f"/users/delta?$select={_USER}",
    "service_principals": f"/servicePrincipals/delta?$select={_PRINCIPAL}",
    "applications": f"/applications/delta?$select={_APPLICATION}",
    "agents": "/servicePrincipals/microsoft.graph.agentIdentity?$select=id&$top=999",
    "roles": f"{_ROLES}/roleAssignments?$expand=principal",
    "eligible": f"{_ROLES}/roleEligibilitySchedules?$expand=principal",
    "grants": "/oauth2PermissionGrants?$top=999",
}


class EntraSource:
    """Reads one tenant by the client of the settings."""

    vendor = "entra"
    listings = (
        Listing("users", needed=True, delta=True),
        Listing("service_principals", needed=True, delta=True),
        Listing("applications", needed=True, delta=True),
        Listing("agents"),
        Listing("roles"),
        Listing("eligible"),
        Listing("role_members", of="roles", batch=20),
        Listing("eligible_members", of="eligible", batch=20),
        Listing("app_roles", of="service_principals", batch=80),
        Listing("grants"),
        Listing("federated", of="applications", batch=80),
        Listing("app_owners", of="applications", batch=80, daily=True),
        Listing("owners", of="service_principals", batch=80, daily=True),
        Listing("assigned", of="service_principals", batch=80, daily=True),
    )

    def __init__(self, client: EntraClient) -> None:
        self.place = f"entra:{client.tenant}"
        self._client, self._batch = client, GraphBatch(client)

    def close(self) -> None:
        self._batch.close()  # the client is the pool's

    def page(self, listing: Listing, at: At) -> Page:
        if listing.of:
            read: Callable[[Sequence[Row]], Iterator[Row]] = getattr(self, f"_{listing.name}", self._members)
            return Page(tuple(read(at.parents)))
        path = at.cursor or at.delta or _FIRST[listing.name]
        answer = self._client.read(path, name=urlsplit(path).path)
        items, following = self._client.page(answer)
        delta = answer.body.get("@odata.deltaLink")
        if listing.delta and not following and not isinstance(delta, str):
            raise BadAnswer("entra", f"{listing.name}: a last page without a deltaLink is half a list")
        return Page(tuple(_row(listing.name, item) for item in items), following or "", delta or "")

    def _members(self, assignments: Sequence[Row]) -> Iterator[Row]:
        """Members of a group that holds a role. Such groups can't be nested (Microsoft, "role-assignable groups")."""
        for assignment in assignments:
            group = assignment.body.get("principalId", "")
            if assignment.body.get("principal") == "group" and group:
                for member in self._items("/groups/{}/members", group):
                    yield Row(f"{assignment.id}/{_id(member)}", {"role": assignment.body.get("role", "")}, assignment.id)

    def _app_roles(self, principals: Sequence[Row]) -> Iterator[Row]:
        """Who holds application permissions of these; only asked for where there are any."""
        wanted = [p for p in principals if p.body.get("appRoles")]
        for principal, (items, more) in self._lists(wanted, "/servicePrincipals/{}/appRoleAssignedTo?$top=999", 200):
            if more:
                raise BadAnswer("entra", f"{principal.id} is assigned to more than can be listed: half a list is no list")
            yield from _assignments(principal, items)

    def _assigned(self, principals: Sequence[Row]) -> Iterator[Row]:
        """Who may sign in through these; those with permissions of their own are listed by `app_roles`."""
        wanted = [p for p in principals if _ours(p) and not p.body.get("appRoles")]
        for principal, (items, _) in self._lists(wanted, f"/servicePrincipals/{{}}/appRoleAssignedTo?$top={_PEOPLE}", 1):
            yield from _assignments(principal, items)

    def _federated(self, applications: Sequence[Row]) -> Iterator[Row]:
        for application, (items, _) in self._lists(applications, "/applications/{}/federatedIdentityCredentials", 10):
            for item in items:
                body = {**_cut(item, "name", "issuer", "subject"), "appId": application.body.get("appId", "")}
                yield Row(f"{application.id}/{_id(item)}", body, application.id)

    def _app_owners(self, applications: Sequence[Row]) -> Iterator[Row]:
        for application, (items, _) in self._lists(applications, "/applications/{}/owners", 10):
            for item in items:
                yield Row(f"{application.id}/{_id(item)}", {**_owner(item), "of": application.body.get("appId", "")},
                          application.id)  # fmt: skip

    def _owners(self, principals: Sequence[Row]) -> Iterator[Row]:
        for principal, (items, _) in self._lists([p for p in principals if _ours(p)], "/servicePrincipals/{}/owners", 10):
            for item in items:
                yield Row(f"{principal.id}/{_id(item)}", {**_owner(item), "of": principal.id}, principal.id)

    def _lists(self, parents: Sequence[Row], template: str, most: int) -> Iterator[Tuple[Row, Tuple[Sequence[Any], bool]]]:
        """The list of each of these, at most `most` pages of it, and whether there are more."""
        path, mark, query = template.partition("?")
        paths = [self._client.transport.path(path, (parent.id,)) + mark + query for parent in parents]
        return zip(parents, self._batch.lists(paths, most))

    def _items(self, template: str, name: str) -> Sequence[Mapping[str, Any]]:
        try:
            return self._client.items(template, ids=(name,))
        except NotFound:
            return ()  # it was deleted meanwhile


def _id(item: Mapping[str, Any]) -> str:
    found = item.get("id") if isinstance(item, Mapping) else None
    if not isinstance(found, str) or not found:
        raise BadAnswer("entra", "an entry without an id")
    return found


def _ours(principal: Row) -> bool:
    """True for one of the customer's that people may own and sign in to."""
    body = principal.body
    return body.get("appOwnerOrganizationId") != _MICROSOFT and body.get("servicePrincipalType") != "ManagedIdentity"


def _assignments(principal: Row, items: Sequence[Mapping[str, Any]]) -> Iterator[Row]:
    people = 0
    for item in items:
        people += item.get("principalType") != "ServicePrincipal"
        if people <= _PEOPLE or item.get("principalType") == "ServicePrincipal":
            yield Row(f"{principal.id}/{_id(item)}", _cut(item, "principalId", "principalType", "principalDisplayName",
                                                          "appRoleId"), principal.id)  # fmt: skip


def _owner(item: Mapping[str, Any]) -> Dict[str, Any]:
    """Who owns it, for people: an application may be called like anybody."""
    name = item.get("userPrincipalName") or f"application {item.get('displayName') or _id(item)}"
    return {"name": str(name)}


def _cut(item: Mapping[str, Any], *names: str) -> Dict[str, Any]:
    return {name: item[name] for name in names if isinstance(item.get(name), (str, bool, int))}


def _row(listing: str, item: Mapping[str, Any]) -> Row:
    name = _id(item)
    if "@removed" in item:
        return Row(name, {}, removed=True)
    if listing in ("roles", "eligible"):
        principal = item.get("principal")
        kind = str(principal.get("@odata.type", "")) if isinstance(principal, Mapping) else ""
        return Row(name, {**_cut(item, "principalId", "directoryScopeId"), "role": str(item.get("roleDefinitionId", "")),
                          "principal": kind.rpartition(".")[2]})  # fmt: skip
    fields = {"users": _USER, "service_principals": _PRINCIPAL, "applications": _APPLICATION}.get(listing, "")
    body = _cut(item, *(fields.split(",") if fields else ("clientId", "resourceId", "principalId", "consentType", "scope")))
    body.pop("id", None)
    # In a delta what did not change may be left out: then it is left out here too, and keeps what it was.
    for kind in ("passwordCredentials", "keyCredentials"):
        if isinstance(item.get(kind), list):
            body[kind] = [_cut(c, "keyId", "displayName", "startDateTime", "endDateTime") for c in item[kind] if _is(c)]
    if isinstance(item.get("tags"), list):
        body["tags"] = [tag for tag in item["tags"] if isinstance(tag, str)][:50]
    if isinstance(item.get("appRoles"), list):
        roles = [r for r in item["appRoles"] if _is(r) and "Application" in (r.get("allowedMemberTypes") or ())]
        body["appRoles"] = [_cut(r, "id", "value") for r in roles]
    return Row(name, body)


def _is(value: Any) -> bool:
    return isinstance(value, Mapping)


class EntraObserver:
    """Users can't write `mail`, `userPrincipalName` or `employeeId` of their own. A guest's come from another organisation,
    whose administrators may write what they like ("nOAuth": an unverified e-mail is no identity)."""

    listings = (
        "agents", "applications", "app_owners", "owners", "service_principals", "users", "roles", "eligible", "role_members",
        "eligible_members", "app_roles", "assigned", "federated", "grants",
    )  # fmt: skip

    def __init__(self, place: str, issuer: str = "") -> None:
        self._place, self._tenant = place, place.partition(":")[2]
        self._issuer = f"https://login.microsoftonline.com/{self._tenant}/v2.0"
        self._agents: Dict[str, None] = {}
        self._owners: Dict[str, List[str]] = {}
        self._names: Dict[str, str] = {}
        self._permissions: Dict[str, str] = {}

    def observe(self, listing: str, row: Row) -> Iterator[Observation]:
        body = row.body
        if listing == "agents":
            self._agents[row.id] = None
        elif listing == "service_principals":
            yield from self._principal(row)
        elif listing == "applications":
            # Its service principal is called by the appId, too.
            yield from _credentials(f"{self._place}:{body.get('appId', '')}", row)
        elif listing in ("app_owners", "owners"):
            # Who owns an application may give it a credential, and so sign in as it.
            self._owners.setdefault(body["of"], []).append(body["name"])
            yield Reaches(f"{self._place}:{row.id.partition('/')[2]}", "owner", f"{self._place}:{body['of']}")
        elif listing == "federated":
            yield from self._federated(row)
        elif listing == "users":
            yield self._user(row)
        elif listing in ("roles", "eligible"):
            yield self._role(body.get("principalId", ""), body["role"], listing)
        elif listing in ("role_members", "eligible_members"):
            yield self._role(row.id.partition("/")[2], body["role"], listing.partition("_")[0])
        elif listing in ("app_roles", "assigned"):
            yield from self._assigned(row)
        elif listing == "grants":
            who = f"{self._place}:{body.get('clientId', '')}"
            resource = str(body.get("resourceId", ""))
            scope = str(body.get("scope", "")).strip()
            name = f"{scope} of {self._names.get(resource, resource)} for {body.get('principalId') or 'everybody'}"
            yield Reaches(who, "grant", f"{resource}/{body.get('principalId', '')}", name)

    def _assigned(self, row: Row) -> Iterator[Observation]:
        body, who = row.body, str(row.body.get("principalId", ""))
        resource = self._names.get(row.parent, row.parent)
        if body.get("principalType", "ServicePrincipal") == "ServicePrincipal":
            value = self._permissions.get(f"{row.parent}/{body.get('appRoleId', '')}", "")
            yield Reaches(f"{self._place}:{who}", "permission", f"{row.parent}/{value}", f"{value} of {resource}",
                          admin=value in _STRONG)  # fmt: skip
        elif body["principalType"] == "Group":
            yield Named(f"{self._place}:group:{who}", f"group {body.get('principalDisplayName', who)}")
            yield Reaches(f"{self._place}:group:{who}", "app", row.parent, resource)
        else:
            yield Reaches(f"{self._place}:{who}", "app", row.parent, resource)

    def _federated(self, row: Row) -> Iterator[Observation]:
        """A credential without a secret: whoever is this subject of this issuer signs in as the application.

        No evidence that both are one identity: an owner of the application writes it, of anybody.
        """
        body, holder = row.body, f"{self._place}:{row.body['appId']}"
        subject = f"{str(body.get('issuer', '')).rstrip('/')}|{body.get('subject', '')}"
        yield Holds(holder, "federated_credential", row.id.partition("/")[2], f"{body.get('name', '')} for {subject}")
        yield Reaches(f"subject:{subject}", "federated", holder)

    def _role(self, principal: str, role: str, how: str) -> Reaches:
        name = "eligible" if how == "eligible" else "assigned"
        return Reaches(f"{self._place}:{principal}", "role", role, name, admin=role not in _READERS)

    def _user(self, row: Row) -> Seen:
        body = row.body
        name = str(body.get("userPrincipalName", ""))
        outside = body.get("userType") == "Guest" or body.get("creationType") == "Invitation" or "#EXT#" in name.upper()
        writer = "outside" if outside else "administrator"
        keys = (
            Key("subject", f"{self._issuer}|{row.id}", "vendor"),
            Key("employee_number", str(body.get("employeeId", "")), writer),
            Key("immutable_id", str(body.get("onPremisesImmutableId", "")), writer),
            Key("email", str(body.get("mail", "")), writer),
            Key("email", name, writer),
        )
        mastered = "guest" if outside else "ad" if body.get("onPremisesSyncEnabled") is True else "cloud"
        return Seen(
            Account("entra", self._tenant, "user", row.id, mastered), name, body.get("accountEnabled") is not False, True,
            "an Entra guest" if outside else "an Entra user", tuple(key for key in keys if key.value),
            created=str(body.get("createdDateTime", "")),
        )  # fmt: skip

    def _principal(self, row: Row) -> Iterator[Observation]:
        body = row.body
        self._names[row.id] = str(body.get("displayName", ""))
        for role in body.get("appRoles", ()):
            self._permissions[f"{row.id}/{role.get('id', '')}"] = str(role.get("value", ""))
        credentials = tuple(_credentials(f"{self._place}:{row.id}", row))
        if body.get("appOwnerOrganizationId") == _MICROSOFT and not credentials:
            return
        agent = row.id in self._agents
        tags: List[Tuple[str, str]] = [("agent", "true")] if agent else []
        # Only whoever may change the application writes its tags: an owner or an administrator.
        for tag in body.get("tags", ()):
            name, _, value = tag.partition(":")
            if name in ("owner", "criticality", "environment") and value:
                tags.append((name, value))
        owners = sorted({*self._owners.get(row.id, ()), *self._owners.get(str(body.get("appId", "")), ())})
        if owners:  # behind the tag, which says more
            tags.append(("owner", ", ".join(owners[:_OWNERS])))
        kind = str(body.get("servicePrincipalType", "Application"))
        yield Seen(
            Account("entra", self._tenant, "service_principal", row.id), self._names[row.id],
            body.get("accountEnabled") is not False, False,
            "an Entra agent identity" if agent else f"an Entra service principal ({kind})",
            # A managed identity or agent that signs in elsewhere with its token is this subject there.
            (Key("subject", f"{self._issuer}|{row.id}", "vendor"),), tuple(tags),
            # Logs name an application by its appId as often as by its service principal.
            (f"{self._place}:{body['appId']}",) if body.get("appId") else (),
        )  # fmt: skip
        yield from credentials


def _credentials(holder: str, row: Row) -> Iterator[Holds]:
    for kind, what in (("passwordCredentials", "client_secret"), ("keyCredentials", "certificate")):
        for item in row.body.get(kind, ()):
            yield Holds(holder, what, str(item.get("keyId", "")), str(item.get("displayName", "")),
                        str(item.get("startDateTime", "")), str(item.get("endDateTime", "")),
                        str(item.get("startDateTime", "")))  # fmt: skip
