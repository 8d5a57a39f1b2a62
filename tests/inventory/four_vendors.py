"""A company at all four vendors with a case for each part of the report; Vault is a real OpenBao."""

from __future__ import annotations

import json
import time
from datetime import datetime, timezone
from pathlib import Path
from typing import Any, Dict, List

from responders.drill.openbao import OpenBao
from responders.surfaces.command_line.main import main
from tests.inventory_sync.company import Company

DOCS = Path(__file__).parents[2] / "docs" / "inventory_sync.md"
HELPDESK = "729827e3-9c14-49f7-bb1b-9608f156bbb8"
USE = {"retrieveAccounts": True, "useAccounts": True}


def ago(days: float) -> str:
    """That many days ago, as vendors write it."""
    return datetime.fromtimestamp(time.time() - 86400.0 * days, timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")


class FourVendors:
    """`keys` are the accounts by a short name. `state` and `inventory` are what a sync wrote, after `sync`."""

    def __init__(self, company: Company, bao: OpenBao) -> None:
        self.company, self.bao = company, bao
        self.tenant = company.connections["entra"].tenant
        self.keys: Dict[str, str] = {}
        self.state = company.folder / "inventory.observed.db"
        self.inventory = company.folder / "inventory.json"
        self._okta()
        self._entra()
        self._cyberark()
        self._vault()

    def _okta(self) -> None:
        okta = self.company.okta
        for name in ("alice", "bob", "reports"):
            user = okta.add_user(f"{name}@corp.example")
            okta.set_profile(user, manager="the boss" if name != "bob" else "")
            self.keys[name] = f"okta:corp:{user}"
        alice = self.keys["alice"].split(":")[2]
        okta.add_role(alice, "SUPER_ADMIN")
        okta.add_api_token(alice, "nightly export")
        token = next(t for t in okta.state["api_tokens"].values() if t["name"] == "nightly export")
        token.update(created=ago(200), lastUpdated=ago(1), expiresAt=ago(-29))
        group = okta.add_group("service accounts")
        okta.join_group(group, self.keys["reports"].split(":")[2])
        self.service_group = f"okta:corp:{group}"
        app = okta.add_app("Orders API")
        self.keys["orders"] = f"okta:corp:{app}"
        for kind, days, status in (("secrets", 400, "ACTIVE"), ("secrets", 500, "INACTIVE")):
            key = okta.add_credential(app, kind)
            okta.state["apps"][app][kind][key].update(created=ago(days), lastUpdated=ago(2), status=status)

    def _entra(self) -> None:
        graph = self.company.graph
        for name in ("alice", "carol", "dora"):
            user = graph.add_user(f"{name}@corp.example")
            self.keys[f"{name}@entra"] = f"entra:{self.tenant}:{user}"
        graph.add_role(self._id("carol@entra"), HELPDESK)
        graph.add_eligibility(self._id("dora@entra"), HELPDESK)
        for name in ("Payroll", "Portal", "Time sheets"):
            self.keys[name] = f"entra:{self.tenant}:{graph.add_app(name)}"
        payroll = graph.application(self._id("Payroll"))
        payroll["passwordCredentials"] = [
            {"keyId": "k-old", "displayName": "old", "startDateTime": ago(300), "endDateTime": ago(-300)},
            {"keyId": "k-over", "displayName": "over", "startDateTime": ago(800), "endDateTime": ago(70)},
        ]
        certificate = {"keyId": "k-cert", "displayName": "CN=payroll", "startDateTime": ago(40), "endDateTime": ago(-700)}
        payroll["keyCredentials"] = [certificate]
        graph.state["service_principals"][self._id("Payroll")]["keyCredentials"] = [certificate]
        for client, resource in (("Portal", "Payroll"), ("Time sheets", "Portal")):
            graph.new("grants", {"clientId": self._id(client), "consentType": "AllPrincipals", "principalId": None,
                                 "resourceId": self._id(resource), "scope": "all"})  # fmt: skip
        graph.add_federated(self._id("Payroll"), "https://ci.example")
        tool = graph.add_app("Directory tool", roles=("RoleManagement.ReadWrite.Directory",))
        self.keys["Directory tool"] = f"entra:{self.tenant}:{tool}"
        graph.add_owner(tool, self._id("dora@entra"))
        self.keys["helper"] = f"entra:{self.tenant}:{graph.add_agent('helper')}"

    def _cyberark(self) -> None:
        pam = self.company.cyberark
        for name in ("alice", "bob", "erin"):
            user = pam.add_user(name)
            pam.state["users"][user].update(source="LDAP", email=f"{name}@corp.example")
            self.keys[f"{name}@pam"] = f"cyberark:pam:{user}"
        self.keys["billing"] = f"cyberark:pam:{pam.add_application('billing', 'billing@corp.example')}"
        now = int(time.time())
        for name, safe, changed, managed in (
            ("root", "prod-db", 400, True), ("sa", "prod-db", 5, True), ("own", "erin-own", 10, True),
            ("legacy", "old-unix", 1000, False),
        ):  # fmt: skip
            account = pam.state["accounts"][pam.add_account(name, safe, address=f"{safe}.corp")]
            account.update(changed=now - 86400 * changed, created=now - 86400 * 1200, managed=managed)
        pam.add_member("prod-db", "alice", {**USE, "manageSafeMembers": True})
        pam.add_member("prod-db", "bob", USE)
        pam.add_member("prod-db", "billing", USE)
        pam.add_member("erin-own", "erin", USE)
        pam.add_member("old-unix", "erin", {"listAccounts": True})

    def _vault(self) -> None:
        bao = self.bao
        for kind in ("approle", "userpass"):
            bao.request("POST", f"sys/auth/{kind}", {"type": kind})
        bao.request("POST", "sys/mounts/kv", {"type": "kv"})
        bao.request("PUT", "sys/policies/acl/reader", {"policy": 'path "kv/*" { capabilities = ["read", "create"] }'})
        bao.request("PUT", "sys/policies/acl/power", {"policy": 'path "sys/policies/acl/*" { capabilities = ["update"] }'})
        tokens = []
        for role in ("billing-job", "backup-job"):
            bao.request("POST", f"auth/approle/role/{role}", {"token_policies": "reader", "secret_id_ttl": "0"})
            name = bao.request("GET", f"auth/approle/role/{role}/role-id")["data"]["role_id"]
            secret = bao.request("POST", f"auth/approle/role/{role}/secret-id")["data"]["secret_id"]
            login = bao.request("POST", "auth/approle/login", {"role_id": name, "secret_id": secret})["auth"]
            tokens.append(login["client_token"])
            self.keys[role] = f"vault:prod:{role}"
            self.keys[f"{role} entity"] = f"vault:prod:{login['entity_id']}"
        bao.request("POST", "kv/shared", {"a": "b"}, tokens[0])
        for token in tokens:
            bao.request("GET", "kv/shared", None, token)
        bao.request("POST", "kv/own", {"a": "b"}, tokens[1])
        bao.request("POST", "auth/userpass/users/al", {"password": "x", "token_policies": "power"})
        bao.request("POST", "auth/userpass/login/al", {"password": "x"})
        self.keys["al"] = "vault:prod:al"
        policy = DOCS.read_text().partition("```hcl\n")[2].partition("```")[0]
        bao.request("PUT", "sys/policies/acl/sync", {"policy": policy})
        made = bao.request("POST", "auth/token/create", {"policies": ["sync"], "no_parent": True})
        self.vault_token = made["auth"]["client_token"]

    def _id(self, name: str) -> str:
        return self.keys[name].split(":", 2)[2]

    def sync(self, *more: str) -> None:
        """Read all vendors and compile: the command as a user gives it."""
        folder = self.company.folder
        secrets = {"okta": "api_token", "entra": "client_secret", "cyberark": "password", "vault": "token"}
        connections: List[Dict[str, Any]] = [
            {"vendor": c.vendor, "tenant": c.tenant, "url": c.url, **c.plain} for c in self.company.connections.values()
        ]
        connections.append({"vendor": "vault", "tenant": "prod", "url": self.bao.url})
        held = {name: c.secrets[secrets[name]].reveal() for name, c in self.company.connections.items()}
        for name, value in {**held, "vault": self.vault_token, "key": "k" * 64}.items():
            (folder / name).touch(mode=0o600)
            (folder / name).write_text(value)
        for one in connections:
            one.update({secrets[one["vendor"]]: {"file": str(folder / one["vendor"])}, "allow_loopback_http": True})
        settings = {"connections": connections, "inventory": str(self.inventory),
                    "journal": {"path": str(folder / "j"), "key": {"file": str(folder / "key")}}}  # fmt: skip
        (folder / "settings.json").write_text(json.dumps(settings))
        (folder / "rules.yaml").write_text(f'groups:\n  "{self.service_group}": {{kind: service, owner: data team}}\n')
        command = [
            "inventory",
            "sync",
            "--settings",
            str(folder / "settings.json"),
            "--vault-audit",
            str(self.bao.audit_log),
        ]
        assert main([*command, "--rules", str(folder / "rules.yaml"), *more]) == 0
