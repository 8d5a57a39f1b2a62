"""The simulated Entra tenant is hard to fool: tokens of each kind live as long as Microsoft's do."""

from __future__ import annotations

import time
from types import SimpleNamespace
from typing import Any, Dict, Iterator

import pytest
import requests

from responders.drill.simulators.graph import TENANT, GraphSimulator
from responders.drill.world import GRAPH_ROLES
from tests.drill.http import send


class Tenant(SimpleNamespace):
    """A simulator, the responder's token, and a user."""

    graph: GraphSimulator
    app: str
    token: str
    user: str

    def call(self, method: str, path: str, **more: Any) -> requests.Response:
        return send(method, self.graph.url + path, headers={"Authorization": f"Bearer {self.token}"}, **more)

    def login(self, **form: str) -> requests.Response:
        return send("POST", f"{self.graph.login}/{TENANT}/oauth2/v2.0/token", data=form)

    def sign_in(self) -> Dict[str, Any]:
        answer: Dict[str, Any] = self.login(grant_type="password", username="a@corp.example", password="pw").json()
        return answer

    def refresh_works(self, token: str) -> bool:
        return self.login(grant_type="refresh_token", refresh_token=token).status_code == 200

    def access_works(self, token: str) -> bool:
        return send("GET", f"{self.graph.url}/me", headers={"Authorization": f"Bearer {token}"}).status_code == 200

    def later(self, seconds: float) -> None:
        self.graph.clock = lambda: time.time() + seconds


@pytest.fixture
def tenant() -> Iterator[Tenant]:
    with GraphSimulator() as graph:
        app = graph.add_app("Tourniquet", secret="s3cret", roles=GRAPH_ROLES)
        found = Tenant(graph=graph, app=app, user=graph.add_user("a@corp.example"))
        client = graph.state["service_principals"][app]["appId"]
        form = {"grant_type": "client_credentials", "client_id": client, "client_secret": "s3cret"}
        found.token = found.login(**form).json()["access_token"]
        yield found


# -- who may call -----------------------------------------------------------------------------------------


def test_expired_and_foreign_tokens_are_refused(tenant: Tenant) -> None:
    """A user's own access token is no administrator's; the responder's own is dead an hour later."""
    own = tenant.graph.add_token(tenant.user, "access")
    for token in (own, "made-up"):
        answer = send("GET", f"{tenant.graph.url}/users/{tenant.user}", headers={"Authorization": f"Bearer {token}"})
        assert (answer.status_code, answer.json()["error"]["code"]) == (401, "InvalidAuthenticationToken")
    assert tenant.call("GET", f"/users/{tenant.user}").status_code == 200
    tenant.later(3601)
    assert tenant.call("GET", f"/users/{tenant.user}").status_code == 401


def test_a_missing_application_permission_is_403(tenant: Tenant) -> None:
    """Each endpoint asks for its own permission."""
    tenant.graph.state["service_principals"][tenant.app]["roles"] = ["User.Read.All"]
    assert tenant.call("GET", f"/users/{tenant.user}").status_code == 200
    answer = tenant.call("PATCH", f"/users/{tenant.user}", json={"accountEnabled": False})
    assert (answer.status_code, answer.json()["error"]["code"]) == (403, "Authorization_RequestDenied")
    assert tenant.graph.state["users"][tenant.user]["accountEnabled"] is True


def test_a_privileged_user_needs_a_role_on_the_caller(tenant: Tenant) -> None:
    """The permission alone does not disable an administrator."""
    tenant.graph.add_role(tenant.user)
    body = {"accountEnabled": False}
    assert tenant.call("PATCH", f"/users/{tenant.user}", json=body).status_code == 403
    tenant.graph.add_role(tenant.app, "privileged-authentication-administrator")
    assert tenant.call("PATCH", f"/users/{tenant.user}", json=body).status_code == 204


@pytest.mark.parametrize("wrong", [{"client_secret": "guess"}, {"client_id": "unknown"}, {"client_secret": ""}])
def test_a_wrong_client_secret_gets_no_token(tenant: Tenant, wrong: Dict[str, str]) -> None:
    """Nor does an unknown client."""
    client = tenant.graph.state["service_principals"][tenant.app]["appId"]
    form = {"grant_type": "client_credentials", "client_id": client, "client_secret": "s3cret", **wrong}
    assert tenant.login(**form).status_code in (400, 401)


def test_a_disabled_service_principal_gets_no_new_token_and_keeps_the_old_one(tenant: Tenant) -> None:
    """Workload access tokens live on to their end: disabling blocks the next one only."""
    other = tenant.graph.add_app("robot", secret="leaked", roles=("User.Read.All",))
    client = tenant.graph.state["service_principals"][other]["appId"]
    form = {"grant_type": "client_credentials", "client_id": client, "client_secret": "leaked"}
    held = tenant.login(**form).json()["access_token"]
    assert tenant.call("PATCH", f"/servicePrincipals/{other}", json={"accountEnabled": False}).status_code == 204
    assert tenant.login(**form).status_code == 400
    url = f"{tenant.graph.url}/users/{tenant.user}"
    assert send("GET", url, headers={"Authorization": f"Bearer {held}"}).status_code == 200


@pytest.mark.off_spec("values of the wrong type, on purpose")
@pytest.mark.parametrize("body", [{"accountEnabled": "false"}, {"accountEnabled": None}, {}, [], {"accountEnabled": 0}])
def test_a_body_of_the_wrong_type_changes_nothing(tenant: Tenant, body: Any) -> None:
    """400, as at Microsoft: a text "false" is not false."""
    device = tenant.graph.add_device(tenant.user)
    for path in (f"/users/{tenant.user}", f"/devices/{device}", f"/servicePrincipals/{tenant.app}"):
        assert tenant.call("PATCH", path, json=body).status_code == 400, path
    assert tenant.graph.state["users"][tenant.user]["accountEnabled"] is True
    assert tenant.graph.state["devices"][device]["accountEnabled"] is True


# -- pages and lateness -----------------------------------------------------------------------------------


def test_lists_come_in_pages(tenant: Tenant) -> None:
    """The whole list is what @odata.nextLink leads to."""
    group = tenant.graph.add_group("g")
    users = [tenant.graph.add_user(f"u{n}@corp.example") for n in range(5)]
    tenant.graph.state["groups"][group]["members"].extend(users)
    url, seen = f"/groups/{group}/members?$top=2", []
    while url:
        body = tenant.call("GET", url).json()
        seen.append([item["id"] for item in body["value"]])
        url = body.get("@odata.nextLink", "").removeprefix(tenant.graph.url)
    assert [len(page) for page in seen] == [2, 2, 1]
    assert [item for page in seen for item in page] == users


def test_a_change_is_not_visible_at_once(tenant: Tenant) -> None:
    """Eventual consistency: the next reads still show what was before, though the change holds already."""
    tenant.graph.stale_reads = 2
    tenant.call("PATCH", f"/users/{tenant.user}", json={"accountEnabled": False})
    assert "error" in tenant.sign_in()
    seen = [tenant.call("GET", f"/users/{tenant.user}").json()["accountEnabled"] for _ in range(3)]
    assert seen == [True, True, False]


def test_the_directory_sync_enables_a_synced_user_again(tenant: Tenant) -> None:
    """A user mastered on premises comes back; one of the cloud does not."""
    synced = tenant.graph.add_user("s@corp.example", synced=True)
    for user in (synced, tenant.user):
        tenant.call("PATCH", f"/users/{user}", json={"accountEnabled": False})
    tenant.graph.sync()
    enabled = [tenant.call("GET", f"/users/{user}").json()["accountEnabled"] for user in (synced, tenant.user)]
    assert enabled == [True, False]


# -- what the attacker keeps ------------------------------------------------------------------------------


def test_revoked_sessions_leave_a_re_login_race(tenant: Tenant) -> None:
    """The refresh token is dead, and who knows the password has a new one at once; a disabled user has none."""
    stolen = tenant.sign_in()["refresh_token"]
    assert tenant.refresh_works(stolen)
    assert tenant.call("POST", f"/users/{tenant.user}/revokeSignInSessions").json()["value"] is True
    assert not tenant.refresh_works(stolen)
    again = tenant.sign_in()["refresh_token"]
    assert tenant.refresh_works(again)
    tenant.call("PATCH", f"/users/{tenant.user}", json={"accountEnabled": False})
    assert not tenant.refresh_works(again)
    assert "error" in tenant.sign_in()


def test_an_access_token_outlives_a_disabled_user_until_it_expires(tenant: Tenant) -> None:
    """Without CAE neither the disabling nor the revocation reaches a token that is out."""
    access = tenant.graph.add_token(tenant.user, "access")
    tenant.call("PATCH", f"/users/{tenant.user}", json={"accountEnabled": False})
    tenant.call("POST", f"/users/{tenant.user}/revokeSignInSessions")
    assert tenant.access_works(access)
    tenant.later(3601)
    assert not tenant.access_works(access)


def test_a_cae_token_ends_with_the_revocation(tenant: Tenant) -> None:
    """With continuous access evaluation the resource refuses it at once."""
    for change in ({"accountEnabled": False}, None):
        user = tenant.graph.add_user(f"cae{change}@corp.example")
        access = tenant.graph.add_token(user, "access", cae=True)
        assert tenant.access_works(access)
        if change:
            tenant.call("PATCH", f"/users/{user}", json=change)
        else:
            tenant.call("POST", f"/users/{user}/revokeSignInSessions")
        assert not tenant.access_works(access)


def test_a_quarantine_group_does_not_reach_a_cae_token(tenant: Tenant) -> None:
    """Group membership reaches a resource after up to a day: the next sign-in is refused, the open token works."""
    access = tenant.graph.add_token(tenant.user, "access", cae=True)
    group = tenant.graph.add_group("quarantine", denies=True)
    link = {"@odata.id": f"{tenant.graph.url}/directoryObjects/{tenant.user}"}
    assert tenant.call("POST", f"/groups/{group}/members/$ref", json=link).status_code == 204
    assert "error" in tenant.sign_in()
    assert tenant.access_works(access)


def test_eligible_roles_survive_a_removed_active_one(tenant: Tenant) -> None:
    """The eligibility is another list, removed by another request."""
    role = tenant.graph.add_role(tenant.user, "role-1")
    tenant.graph.add_eligibility(tenant.user, "role-1")
    assert tenant.call("DELETE", f"/roleManagement/directory/roleAssignments/{role}").status_code == 204
    left = tenant.call("GET", "/roleManagement/directory/roleEligibilitySchedules").json()["value"]
    assert [item["principalId"] for item in left] == [tenant.user]


def test_a_tenant_without_p2_says_so(tenant: Tenant) -> None:
    """Identity Protection is 403 there, not an empty success."""
    tenant.graph.p2 = False
    body = {"userIds": [tenant.user]}
    assert tenant.call("POST", "/identityProtection/riskyUsers/confirmCompromised", json=body).status_code == 403


def test_remove_key_wants_a_proof(tenant: Tenant) -> None:
    """A key can't be removed by its id alone: the way is PATCH keyCredentials."""
    application = tenant.graph.application(tenant.app)["id"]
    body = {"keyId": tenant.graph.new_id(), "proof": "x"}
    assert tenant.call("POST", f"/applications/{application}/removeKey", json=body).status_code == 400


# -- the logs ---------------------------------------------------------------------------------------------


def test_the_audit_log_says_which_app_changed_what(tenant: Tenant) -> None:
    """A change by an app is in the log with its service principal; the log can be asked for that app's entries."""
    tenant.graph.audit("Add user", (("someone", "User"),), user=tenant.user)
    tenant.call("POST", f"/users/{tenant.user}/revokeSignInSessions")
    wanted = f"activityDateTime ge 2020-01-01T00:00:00Z and initiatedBy/app/servicePrincipalId eq '{tenant.app}'"
    (entry,) = tenant.call("GET", "/auditLogs/directoryAudits", params={"$filter": wanted}).json()["value"]
    assert entry["targetResources"] == [{"id": tenant.user, "type": "User"}]
    assert tenant.call("GET", f"/auditLogs/directoryAudits/{entry['id']}").json() == entry


def test_the_audit_log_comes_in_pages_that_keep_the_filter(tenant: Tenant) -> None:
    """A page is not the list, and the second one holds nothing that was filtered out."""
    for _ in range(3):
        tenant.graph.audit("Add user", (("someone", "User"),), user=tenant.user)
        tenant.graph.audit("Add user", (("someone", "User"),), user="another")
    wanted = f"initiatedBy/user/id eq '{tenant.user}'"
    first = tenant.call("GET", "/auditLogs/directoryAudits", params={"$filter": wanted, "$top": "2"}).json()
    path = first["@odata.nextLink"].removeprefix(tenant.graph.url)
    second = tenant.call("GET", path).json()
    assert [entry["initiatedBy"]["user"]["id"] for entry in (*first["value"], *second["value"])] == [tenant.user] * 3
    assert "@odata.nextLink" not in second


def test_the_logs_are_late(tenant: Tenant) -> None:
    """An entry is there after the lag only, in the list and by its id; a sign-in too."""
    tenant.graph.audit_lag = 60.0
    entry = tenant.graph.audit("Add user", (("someone", "User"),), user=tenant.user)
    sign_in = tenant.graph.sign_in_entry(tenant.user)
    assert tenant.call("GET", "/auditLogs/directoryAudits").json()["value"] == []
    assert tenant.call("GET", f"/auditLogs/directoryAudits/{entry}").status_code == 404
    assert tenant.call("GET", f"/auditLogs/signIns/{sign_in}").status_code == 404
    tenant.graph.audit_lag = 0.0
    assert tenant.call("GET", f"/auditLogs/directoryAudits/{entry}").status_code == 200
    assert tenant.call("GET", f"/auditLogs/signIns/{sign_in}").json()["userId"] == tenant.user
