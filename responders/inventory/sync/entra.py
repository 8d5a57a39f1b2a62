"""Entra: users, service principals, agent identities, applications with credentials, directory roles, grants.

What changed since the last time comes by delta queries. Least application permissions: User.Read.All, Application.Read.All,
RoleManagement.Read.Directory, GroupMember.Read.All, Directory.Read.All (for oauth2PermissionGrants).
Sources: Microsoft Graph v1.0, "Use delta query to track changes", "user: delta", "servicePrincipal: delta", "application:
delta", "List agentIdentities", "List unifiedRoleAssignments", "List appRoleAssignedTo", "List oauth2PermissionGrants".
"""

from __future__ import annotations

from typing import Any, Dict, Iterator, List, Mapping, Sequence, Tuple
from urllib.parse import urlsplit

from responders.errors import BadAnswer, NotFound
from responders.inventory.observation import Holds, Key, Reaches, Seen
from responders.inventory.sync.source import At, Listing, Observation, Page, Row
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
        Listing("app_roles", of="service_principals", batch=50),
        Listing("grants"),
    )

    def __init__(self, client: EntraClient) -> None:
        self.place = f"entra:{client.tenant}"
        self._client = client

    def close(self) -> None:
        """Nothing: the client is the pool's."""

    def page(self, listing: Listing, at: At) -> Page:
        if listing.of:
            read = self._app_roles if listing.name == "app_roles" else self._members
            return Page(tuple(row for parent in at.parents for row in read(parent)))
        path = at.cursor or at.delta or _FIRST[listing.name]
        answer = self._client.read(path, name=urlsplit(path).path)
        items, following = self._client.page(answer)
        delta = answer.body.get("@odata.deltaLink")
        if listing.delta and not following and not isinstance(delta, str):
            raise BadAnswer("entra", f"{listing.name}: a last page without a deltaLink is half a list")
        return Page(tuple(_row(listing.name, item) for item in items), following or "", delta or "")

    def _members(self, assignment: Row) -> Iterator[Row]:
        """Members of a group that holds a role. Such groups can't be nested (Microsoft, "role-assignable groups")."""
        group = assignment.body.get("principalId", "")
        if assignment.body.get("principal") != "group" or not group:
            return
        for member in self._items("/groups/{}/members", group):
            yield Row(f"{assignment.id}/{_id(member)}", {"role": assignment.body.get("role", "")}, assignment.id)

    def _app_roles(self, principal: Row) -> Iterator[Row]:
        """Which applications hold this one's application permissions; only asked for where there are any."""
        if principal.body.get("appRoles"):
            for item in self._items("/servicePrincipals/{}/appRoleAssignedTo", principal.id):
                if item.get("principalType") == "ServicePrincipal":
                    yield Row(f"{principal.id}/{_id(item)}", _cut(item, "principalId", "appRoleId"), principal.id)

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
        "agents", "service_principals", "applications", "users", "roles", "eligible", "role_members", "eligible_members",
        "app_roles", "grants",
    )  # fmt: skip

    def __init__(self, place: str, issuer: str = "") -> None:
        self._place, self._tenant = place, place.partition(":")[2]
        self._agents: Dict[str, None] = {}
        self._principals: Dict[str, str] = {}
        self._names: Dict[str, str] = {}
        self._permissions: Dict[str, str] = {}

    def observe(self, listing: str, row: Row) -> Iterator[Observation]:
        body = row.body
        if listing == "agents":
            self._agents[row.id] = None
        elif listing == "service_principals":
            yield from self._principal(row)
        elif listing == "applications":
            holder = self._principals.get(str(body.get("appId", "")))
            if holder:
                yield from _credentials(f"{self._place}:{holder}", row)
        elif listing == "users":
            yield self._user(row)
        elif listing in ("roles", "eligible"):
            yield self._role(body.get("principalId", ""), body["role"], listing)
        elif listing in ("role_members", "eligible_members"):
            yield self._role(row.id.partition("/")[2], body["role"], listing.partition("_")[0])
        elif listing == "app_roles":
            value = self._permissions.get(f"{row.parent}/{body.get('appRoleId', '')}", "")
            resource = self._names.get(row.parent, row.parent)
            yield Reaches(f"{self._place}:{body.get('principalId', '')}", "permission", f"{row.parent}/{value}",
                          f"{value} of {resource}", admin=value in _STRONG)  # fmt: skip
        elif listing == "grants":
            who = f"{self._place}:{body.get('clientId', '')}"
            resource = str(body.get("resourceId", ""))
            scope = str(body.get("scope", "")).strip()
            name = f"{scope} of {self._names.get(resource, resource)} for {body.get('principalId') or 'everybody'}"
            yield Reaches(who, "grant", f"{resource}/{body.get('principalId', '')}", name)

    def _role(self, principal: str, role: str, how: str) -> Reaches:
        name = "eligible" if how == "eligible" else "assigned"
        return Reaches(f"{self._place}:{principal}", "role", role, name, admin=role not in _READERS)

    def _user(self, row: Row) -> Seen:
        body = row.body
        name = str(body.get("userPrincipalName", ""))
        outside = body.get("userType") == "Guest" or body.get("creationType") == "Invitation" or "#EXT#" in name.upper()
        writer = "outside" if outside else "administrator"
        keys = (
            Key("subject", f"https://login.microsoftonline.com/{self._tenant}/v2.0|{row.id}", "vendor"),
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
        self._principals[str(body.get("appId", ""))] = row.id
        agent = row.id in self._agents
        tags: List[Tuple[str, str]] = [("agent", "true")] if agent else []
        # Only whoever may change the application writes its tags: an owner or an administrator.
        for tag in body.get("tags", ()):
            name, _, value = tag.partition(":")
            if name in ("owner", "criticality", "environment") and value:
                tags.append((name, value))
        kind = str(body.get("servicePrincipalType", "Application"))
        yield Seen(
            Account("entra", self._tenant, "service_principal", row.id), self._names[row.id],
            body.get("accountEnabled") is not False, False,
            "an Entra agent identity" if agent else f"an Entra service principal ({kind})", (), tuple(tags),
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
