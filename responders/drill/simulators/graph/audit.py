"""The audit and sign-in logs, which come late.

Source: Microsoft Graph v1.0, "directoryAudit resource type" (what can be filtered), "signIn resource type"; Microsoft Entra,
"Audit log activity reference" (the activities' names).
"""

from __future__ import annotations

import re
from typing import Any, Dict, List, Mapping, Tuple

from responders.drill.simulators.graph.tenant import GraphTenant
from responders.drill.simulators.server import Answer, Request

_READ = ("AuditLog.Read.All",)
_CLAUSE = re.compile(r"\A(activityDateTime) (ge|le) (\S+)\Z|\A(initiatedBy/\w+/\w+) eq '([^']*)'\Z")
_APP = "/servicePrincipals/{id}"
ACTIVITIES: Mapping[Tuple[str, str], Tuple[str, Tuple[str, ...]]] = {
    ("POST", "/users/{id}/revokeSignInSessions"): ("Update StsRefreshTokenValidFrom Timestamp", ("User",)),
    ("PATCH", "/devices/{id}"): ("Update device", ("Device",)),
    ("POST", "/groups/{g}/members/$ref"): ("Add member to group", ("Group", "User")),
    ("DELETE", "/groups/{g}/members/{m}/$ref"): ("Remove member from group", ("Group", "User")),
    ("PATCH", _APP): ("Update service principal", ("ServicePrincipal",)),
    ("POST", f"{_APP}/removePassword"): ("Remove service principal credentials", ("ServicePrincipal",)),
    ("PATCH", "/applications/{id}"): ("Update application", ("Application",)),
    ("POST", "/applications/{id}/removePassword"): ("Update application", ("Application",)),
    ("POST", "/applications/{id}/federatedIdentityCredentials"): ("Update application", ("Application",)),
    ("DELETE", "/applications/{id}/federatedIdentityCredentials/{f}"): ("Update application", ("Application", "Other")),
    ("POST", "/oauth2PermissionGrants"): ("Add delegated permission grant", ("ServicePrincipal",)),
    ("DELETE", "/oauth2PermissionGrants/{id}"): ("Remove delegated permission grant", ("Other",)),
    ("POST", f"{_APP}/appRoleAssignments"): ("Add app role assignment to service principal", ("ServicePrincipal",)),
    ("DELETE", f"{_APP}/appRoleAssignments/{{a}}"): (
        "Remove app role assignment from service principal",
        ("ServicePrincipal", "Other"),
    ),
    ("POST", "/users/{id}/appRoleAssignments"): ("Add app role assignment grant to user", ("User",)),
    ("DELETE", "/users/{id}/appRoleAssignments/{a}"): ("Remove app role assignment from user", ("User", "Other")),
    ("POST", "/roleManagement/directory/roleAssignments"): ("Add member to role", ("User", "Role")),
    ("DELETE", "/roleManagement/directory/roleAssignments/{id}"): ("Remove member from role", ("Other",)),
}
"""Method and path to the activity, and to the types of its targets: of the path's ids, then of the body's."""
_BODY = ("principalId", "roleDefinitionId", "clientId", "resourceId")


class Audit(GraphTenant):
    """Entries are seen `audit_lag` seconds after they happened."""

    audit_lag = 0.0

    def routes_of_audit(self) -> None:
        self.sign_ins: Dict[str, Dict[str, Any]] = {}
        self.guarded("GET", "/auditLogs/directoryAudits", _READ, self._entries)
        self.guarded("GET", "/auditLogs/directoryAudits/{id}", _READ, self._entry)
        self.guarded("GET", "/auditLogs/signIns/{id}", _READ, self._sign_in)

    def audit(self, activity: str, targets: Tuple[Tuple[str, str], ...], *, user: str = "", app: str = "") -> str:
        """Write one entry, of a user or of an app's service principal; its id."""
        key = f"Directory_{self.new_id()}"
        who = {"user": {"id": user}} if user else {"app": {"servicePrincipalId": app, "appId": None}}
        self.audits.append({
            "id": key, "activityDateTime": self.stamp(), "activityDisplayName": activity, "category": "",
            "result": "success", "initiatedBy": {"user": None, "app": None, **who},
            "targetResources": [{"id": name, "type": kind} for name, kind in targets],
        })  # fmt: skip
        return key

    def sign_in_entry(self, user: str) -> str:
        """Write one sign-in; its id."""
        key = self.new_id()
        self.sign_ins[key] = {"id": key, "createdDateTime": self.stamp(), "userId": user}
        return key

    def changed(self, method: str, template: str, request: Request) -> None:
        kinds: Tuple[str, ...]
        if template.startswith("/users/{id}/authentication/"):
            activity, kinds = "Admin deleted security info", ("User",)
        elif (method, template) == ("PATCH", "/users/{id}"):
            enabled = isinstance(request.body, dict) and request.body.get("accountEnabled")
            activity, kinds = "Enable account" if enabled else "Disable account", ("User",)
        elif (method, template) in ACTIVITIES:
            activity, kinds = ACTIVITIES[method, template]
        else:
            return
        body = request.body if isinstance(request.body, dict) else {}
        link = str(body.get("@odata.id", "")).rpartition("/")[2]
        given = [str(body[name]) for name in _BODY if body.get(name)]
        ids = [*request.ids, *([link] if link else []), *given]
        self.audit(activity, tuple(zip(ids, kinds)), app=self.principal(request))

    def _seen(self) -> List[Dict[str, Any]]:
        until = self.stamp(self.clock() - self.audit_lag)
        return [entry for entry in reversed(self.audits) if entry["activityDateTime"] <= until]

    def _entries(self, request: Request) -> Answer:
        wanted = request.query.get("$filter", "")
        clauses = [_CLAUSE.match(part) for part in wanted.split(" and ")] if wanted else []
        if not all(clauses):
            raise self.refuse(400, "Invalid filter clause")
        return self.paged(request, [e for e in self._seen() if all(_fits(e, clause) for clause in clauses)])

    def _entry(self, request: Request) -> Answer:
        found = [entry for entry in self._seen() if entry["id"] == request.ids[0]]
        if not found:
            raise self.refuse(404, "Resource not found")
        return Answer(200, found[0])

    def _sign_in(self, request: Request) -> Answer:
        found = self.sign_ins.get(request.ids[0])
        if found is None or found["createdDateTime"] > self.stamp(self.clock() - self.audit_lag):
            raise self.refuse(404, "Resource not found")
        return Answer(200, found)


def _fits(entry: Mapping[str, Any], clause: Any) -> bool:
    if clause[1]:
        later = entry["activityDateTime"] >= clause[3]
        return bool(later if clause[2] == "ge" else entry["activityDateTime"] <= clause[3])
    found: Any = entry
    for part in clause[4].split("/"):
        found = found.get(part) if isinstance(found, Mapping) else None
    return bool(found == clause[5])
