"""For each action: an account, what the alert named, and the attacker's way in that the action must close."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Callable, Dict, Tuple

import requests

from responders.drill.attacker import Attacker
from responders.drill.simulators.graph import TENANT
from responders.drill.world import World
from responders.model import Account, Status

Works = Callable[[], bool]


@dataclass(frozen=True)
class Case:
    """`works` tells whether the attacker's way is open; `status` is what confirm says after apply."""

    account: Account
    works: Works
    evidence: Tuple[Tuple[str, str], ...] = ()
    status: Status = Status.CONFIRMED


def action_of(name: str) -> str:
    """The action of a case's name."""
    return name.partition("/")[0]


def _user(name: str, way: str) -> Callable[[World], Case]:
    def make(world: World) -> Case:
        person = world.add_person("alice")
        attacker = Attacker(world, person)
        return Case(person.account(name), attacker.tries()[f"{name} {way}"])

    return make


def _ok(method: str, url: str, **more: Any) -> bool:
    with requests.Session() as session:
        session.trust_env = False
        return session.request(method, url, timeout=5, **more).status_code < 300


# -- Okta -------------------------------------------------------------------------------------------------


def _okta_grants(world: World) -> Case:
    person = world.add_person("alice")
    return Case(person.account("okta"), lambda: bool(world.okta.state["grants"].get(person.okta)))


def _okta_device(world: World) -> Case:
    person = world.add_person("alice")
    device = world.okta.add_device(person.okta)
    return Case(person.account("okta"), lambda: world.okta.state["devices"][device]["status"] == "ACTIVE")


def _okta_factor(world: World) -> Case:
    person = world.add_person("alice")
    world.okta.add_factor(person.okta)
    return Case(person.account("okta"), lambda: bool(world.okta.state["factors"].get(person.okta)))


def _okta_expire(world: World) -> Case:
    person = world.add_person("alice")
    return Case(person.account("okta"), lambda: world.okta.state["users"][person.okta]["status"] == "ACTIVE")


def _okta_group(world: World) -> Case:
    person = world.add_person("alice")
    group = world.okta.add_group("admins")
    members = world.okta.state["groups"][group]["members"]
    members.append(person.okta)
    return Case(person.account("okta"), lambda: person.okta in members, (("okta.group_id", group),))


def _okta_role(world: World) -> Case:
    person = world.add_person("alice")
    world.okta.add_role(person.okta, "SUPER_ADMIN")
    token = {"Authorization": f"SSWS {person.held['okta api token']}"}
    url = f"{world.okta.url}/api/v1/users/{person.okta}"
    return Case(person.account("okta"), lambda: _ok("GET", url, headers=token))


def _okta_role_named(world: World) -> Case:
    """One of two assignments is the attacker's: the alert names it, the rightful one stays."""
    person = world.add_person("alice")
    world.okta.add_role(person.okta, "HELP_DESK_ADMIN")
    role = world.okta.add_role(person.okta, "SUPER_ADMIN")
    roles = world.okta.state["roles"][person.okta]
    evidence = (("okta.role_assignment_id", role),)
    return Case(person.account("okta"), lambda: any(item["type"] == "SUPER_ADMIN" for item in roles.values()), evidence)


def _okta_idp(world: World) -> Case:
    person = world.add_person("alice")
    idp = world.okta.add_idp("rogue")
    return Case(person.account("okta"), lambda: world.okta.state["idps"][idp]["status"] == "ACTIVE", (("okta.idp_id", idp),))


def _okta_risk(world: World) -> Case:
    person = world.add_person("alice")
    return Case(person.account("okta"), lambda: world.okta.state["risk"].get(person.okta) != "HIGH")


def _okta_universal(world: World) -> Case:
    found = _user("okta", "session")(world)
    return Case(found.account, found.works, status=Status.ACCEPTED)


def _okta_app(kind: str, evidence: str) -> Callable[[World], Case]:
    def make(world: World) -> Case:
        app = world.okta.add_app("robot")
        world.okta.add_credential(app, kind)
        leaked = world.okta.add_credential(app, kind)
        found = world.okta.state["apps"][app][kind][leaked]
        form = {"grant_type": "client_credentials", "client_id": app, "client_secret": found["value"]}

        def works() -> bool:
            if kind == "jwks":
                return bool(found["status"] == "ACTIVE" and world.okta.state["apps"][app]["status"] == "ACTIVE")
            return _ok("POST", f"{world.okta.url}/oauth2/v1/token", data=form)

        return Case(Account("okta", "default", "app", app), works, ((evidence, leaked),) if evidence else ())

    return make


def _okta_app_tokens(world: World) -> Case:
    found = _okta_app("secrets", "")(world)
    found.works()
    return Case(found.account, lambda: bool(world.okta.state["apps"][found.account.id]["tokens"]))


# -- Entra ------------------------------------------------------------------------------------------------


def _entra_device(world: World) -> Case:
    person = world.add_person("alice")
    device = world.graph.add_device(person.entra)
    return Case(person.account("entra"), lambda: bool(world.graph.state["devices"][device]["accountEnabled"]))


def _entra_method(world: World) -> Case:
    person = world.add_person("alice")
    world.graph.add_method(person.entra)
    return Case(person.account("entra"), lambda: bool(world.graph.state["methods"].get(person.entra)))


def _entra_risk(world: World) -> Case:
    person = world.add_person("alice")
    return Case(person.account("entra"), lambda: world.graph.state["risk"].get(person.entra) != "confirmedCompromised")


def _entra_held(topic: str, seed: Callable[[World, str], str], evidence: str = "") -> Callable[[World], Case]:
    def make(world: World) -> Case:
        person = world.add_person("alice")
        key = seed(world, person.entra)
        named = ((evidence, key),) if evidence else ()
        return Case(person.account("entra"), lambda: key in world.graph.state[topic], named)

    return make


def _entra_app(evidence: str) -> Callable[[World], Case]:
    def make(world: World) -> Case:
        sp = world.graph.add_app("robot", secret="first")
        key = world.graph.add_secret(sp, "leaked")
        app_id = world.graph.state["service_principals"][sp]["appId"]
        form = {"grant_type": "client_credentials", "client_id": app_id, "client_secret": "leaked"}
        url = f"{world.graph.login}/{TENANT}/oauth2/v2.0/token"
        if evidence == "":
            account = Account("entra", TENANT, "service_principal", sp)
        else:
            account = Account("entra", TENANT, "application", world.graph.application(sp)["id"])
        return Case(account, lambda: _ok("POST", url, data=form), ((evidence, key),) if evidence else ())

    return make


def _entra_key(world: World) -> Case:
    sp = world.graph.add_app("robot", secret="first")
    application = world.graph.application(sp)
    kept, leaked = world.graph.new_id(), world.graph.new_id()
    application["keyCredentials"].extend({"keyId": key, "type": "AsymmetricX509Cert"} for key in (kept, leaked))
    account = Account("entra", TENANT, "application", application["id"])
    evidence = (("entra.key_id", leaked),)
    return Case(account, lambda: any(k["keyId"] == leaked for k in application["keyCredentials"]), evidence)


def _entra_federated(world: World) -> Case:
    sp = world.graph.add_app("robot")
    key = world.graph.add_federated(sp, "https://issuer.example")
    account = Account("entra", TENANT, "service_principal", sp)
    evidence = (("entra.federated_credential_id", key),)
    return Case(account, lambda: key in world.graph.application(sp)["federated"], evidence)


def _entra_risky_app(world: World) -> Case:
    sp = world.graph.add_app("robot")
    account = Account("entra", TENANT, "service_principal", sp)
    return Case(account, lambda: world.graph.state["risk"].get(sp) != "confirmedCompromised")


def _entra_user_role(world: World) -> Case:
    person = world.add_person("alice")
    key = world.graph.add_app_role(person.entra)
    evidence = (("entra.app_role_assignment_id", key),)
    return Case(person.account("entra"), lambda: key in world.graph.state["app_roles"], evidence)


def _entra_application_federated(world: World) -> Case:
    found = _entra_federated(world)
    application = world.graph.application(found.account.id)["id"]
    return Case(Account("entra", TENANT, "application", application), found.works, found.evidence)


def _entra_app_role(world: World) -> Case:
    sp = world.graph.add_app("robot")
    key = world.graph.add_app_role(sp)
    account = Account("entra", TENANT, "service_principal", sp)
    return Case(account, lambda: key in world.graph.state["app_roles"], (("entra.app_role_assignment_id", key),))


# -- CyberArk ---------------------------------------------------------------------------------------------


def _password(world: World) -> Case:
    person = world.add_person("alice")
    works = Attacker(world, person).tries()["cyberark password"]
    return Case(person.account("cyberark"), works, (("cyberark.account_id", person.held["cyberark account"]),))


def _safe(world: World) -> Case:
    account = world.cyberark.add_account("db", "robots")
    assert account
    world.cyberark.add_member("robots", "robot-app", {"retrieveAccounts": True})
    url = f"{world.cyberark.url}/AIMWebService/api/Accounts?AppID=robot-app&Safe=robots"
    return Case(
        Account("cyberark", "default", "application", "robot-app"),
        lambda: _ok("GET", url),
        (("cyberark.safe", "robots"),),
    )


def _person_in_safe(world: World) -> Case:
    person = world.add_person("alice")
    safe = f"safe-{person.name}"
    evidence = (("cyberark.safe", safe),)
    return Case(person.account("cyberark"), lambda: "alice" in world.cyberark.state["safes"][safe], evidence)


def _group(world: World) -> Case:
    person = world.add_person("alice")
    group = world.cyberark.add_group("Vault Admins")
    world.cyberark.state["groups"][group]["members"].append("alice")
    world.cyberark.state["users"][person.cyberark]["groups"].append(group)
    members = world.cyberark.state["groups"][group]["members"]
    return Case(person.account("cyberark"), lambda: "alice" in members, (("cyberark.group_id", group),))


def _ssh(world: World) -> Case:
    person = world.add_person("alice")
    world.cyberark.state["ssh_cache"]["alice"] = "key"
    return Case(person.account("cyberark"), lambda: bool(world.cyberark.state["ssh_cache"]), status=Status.ACCEPTED)


CASES: Dict[str, Callable[[World], Case]] = {
    "okta.suspend_user": _user("okta", "sign-in"),
    "okta.deactivate_user": _user("okta", "sign-in"),
    "okta.clear_sessions": _user("okta", "session"),
    "okta.revoke_grants": _okta_grants,
    "okta.revoke_client_tokens": _user("okta", "refresh token"),
    "okta.global_token_revocation": _okta_universal,
    "okta.suspend_device": _okta_device,
    "okta.remove_factor": _okta_factor,
    "okta.expire_password": _okta_expire,
    "okta.reset_factors": _okta_factor,
    "okta.remove_group": _okta_group,
    "okta.remove_admin_role": _okta_role,
    "okta.deactivate_identity_provider": _okta_idp,
    "okta.quarantine_group": _user("okta", "sign-in"),
    "okta.set_user_risk": _okta_risk,
    "okta.revoke_api_token": _user("okta", "api token"),
    "okta.deactivate_client_secret": _okta_app("secrets", "okta.client_secret_id"),
    "okta.deactivate_client_key": _okta_app("jwks", "okta.client_key_id"),
    "okta.deactivate_app": _okta_app("secrets", ""),
    "okta.revoke_app_tokens": _okta_app_tokens,
    "entra.disable_user": _user("entra", "sign-in"),
    "entra.revoke_sign_in_sessions": _user("entra", "refresh token"),
    "entra.confirm_compromised": _entra_risk,
    "entra.quarantine_group": _user("entra", "sign-in"),
    "entra.disable_device": _entra_device,
    "entra.remove_federated_credential": _entra_federated,
    "entra.remove_role_schedules": _entra_held("eligibilities", lambda w, u: w.graph.add_eligibility(u, "role-1")),
    "entra.remove_auth_method": _entra_method,
    "entra.disable_service_principal": _entra_app(""),
    "entra.remove_password": _entra_app("entra.key_id"),
    "entra.remove_key": _entra_key,
    "entra.revoke_consent": _entra_held("grants", lambda w, u: w.graph.add_grant("client", u, "Mail.Read")),
    "entra.remove_app_role": _entra_app_role,
    "entra.remove_directory_role": _entra_held("roles", lambda w, u: w.graph.add_role(u, "role-1")),
    "cyberark.disable_user": _user("cyberark", "sign-in"),
    "cyberark.terminate_session": _user("cyberark", "session"),
    "cyberark.suspend_session": _user("cyberark", "session"),
    "cyberark.change_password": _password,
    "cyberark.reconcile_password": _password,
    "cyberark.remove_safe_member": _safe,
    "cyberark.remove_group_member": _group,
    "cyberark.clear_ssh_cache": _ssh,
    # Other kinds of account, and evidence that names one thing among several: `action/what is different`.
    "okta.remove_admin_role/named": _okta_role_named,
    "entra.confirm_compromised/service principal": _entra_risky_app,
    "entra.remove_app_role/user": _entra_user_role,
    "entra.remove_federated_credential/application": _entra_application_federated,
    "entra.revoke_consent/named": _entra_held(
        "grants", lambda w, u: w.graph.add_grant("c", u, "Mail.Read"), "entra.grant_id"
    ),
    "cyberark.remove_safe_member/user": _person_in_safe,
}
