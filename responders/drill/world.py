"""A small company on one machine: simulated Okta, Entra and CyberArk, a real OpenBao, people, and their credentials.

Everything in it is synthetic except OpenBao, which is the real server.
"""

from __future__ import annotations

import base64
import contextlib
import functools
import secrets
from dataclasses import dataclass, field
from datetime import datetime, timezone
from pathlib import Path
from types import TracebackType
from typing import Any, Dict, List, Mapping, Optional, Tuple, Type

from responders.containment.responder import Responder, Timing
from responders.containment.signals import FileSignals
from responders.drill.openbao import OpenBao
from responders.drill.simulators.cyberark import ALL_RIGHTS, CyberArkSimulator
from responders.drill.simulators.graph import GLOBAL_ADMINISTRATOR, TENANT, GraphSimulator
from responders.drill.simulators.okta import OktaSimulator
from responders.escalation.report import Channel
from responders.inventory.resolve import Inventory
from responders.journal.chain import Journal
from responders.journal.sqlite import SqliteStore
from responders.model import Account, Identity
from responders.policy.policy import Policy
from responders.settings import Connection, Secret
from responders.surfaces.assemble import read_policy
from responders.vendors.open import ClientPool
from responders.vendors.transport import Limits

GRAPH_ROLES = (
    "User.EnableDisableAccount.All", "User.Read.All", "User.RevokeSessions.All", "GroupMember.ReadWrite.All",
    "Device.ReadWrite.All", "Application.ReadWrite.All", "DelegatedPermissionGrant.ReadWrite.All",
    "AppRoleAssignment.ReadWrite.All", "RoleManagement.ReadWrite.Directory", "UserAuthenticationMethod.ReadWrite.All",
    "IdentityRiskyUser.ReadWrite.All", "IdentityRiskyServicePrincipal.ReadWrite.All", "AuditLog.Read.All",
)  # fmt: skip
OKTA_SCOPES = (
    "okta.users.read", "okta.users.manage", "okta.groups.manage", "okta.roles.read", "okta.roles.manage",
    "okta.apiTokens.read", "okta.apiTokens.manage", "okta.apps.read", "okta.apps.manage", "okta.devices.manage",
    "okta.idps.read", "okta.idps.manage", "okta.userRisk.read", "okta.userRisk.manage", "okta.universalLogout.manage",
    "okta.logs.read",
)  # fmt: skip
VAULT_POLICY = """
path "identity/entity/id/*" { capabilities = ["read", "update"] }
path "identity/group/id/*" { capabilities = ["read"] }
path "sys/policies/acl/*" { capabilities = ["read"] }
path "sys/policies/acl/tourniquet-quarantine-*" { capabilities = ["create", "read", "update", "delete"] }
path "auth/token/accessors" { capabilities = ["list", "sudo"] }
path "auth/token/accessors/" { capabilities = ["list", "sudo"] }
path "auth/token/lookup-accessor" { capabilities = ["update"] }
path "auth/token/revoke-accessor" { capabilities = ["update"] }
path "sys/capabilities-accessor" { capabilities = ["update"] }
path "sys/leases/lookup" { capabilities = ["update"] }
path "sys/leases/revoke" { capabilities = ["update"] }
path "auth/approle/role" { capabilities = ["list"] }
path "auth/approle/role/+" { capabilities = ["read", "delete"] }
path "auth/approle/role/+/secret-id" { capabilities = ["list"] }
path "auth/approle/role/+/secret-id-accessor/destroy" { capabilities = ["update"] }
path "auth/userpass/users" { capabilities = ["list"] }
path "auth/userpass/users/+" { capabilities = ["read", "delete"] }
path "auth/userpass/users/+/password" { capabilities = ["update"] }
path "database/static-roles/+" { capabilities = ["read"] }
path "database/rotate-role/+" { capabilities = ["update"] }
path "database/config/+" { capabilities = ["read"] }
path "database/rotate-root/+" { capabilities = ["update"] }
path "pki/cert/+" { capabilities = ["read"] }
path "pki/revoke" { capabilities = ["update"] }
"""
APP_POLICY = """
path "kv/data/*" { capabilities = ["create", "read", "update"] }
path "auth/token/create" { capabilities = ["update"] }
"""


@dataclass
class Person:
    """One identity's accounts and what an attacker holds of it."""

    name: str
    accounts: List[Account] = field(default_factory=list)
    okta: str = ""
    entra: str = ""
    cyberark: str = ""
    entity: str = ""
    password: str = "correct horse"
    held: Dict[str, str] = field(default_factory=dict)

    def account(self, vendor: str) -> Account:
        return next(account for account in self.accounts if account.vendor == vendor)

    def identity(self, **more: Any) -> Identity:
        given: Dict[str, Any] = {
            "id": self.name, "kind": "human", "owner": "their manager", "criticality": "normal",
            "environment": "production", "protected": False, "accounts": tuple(self.accounts), "dependents": (),
        }  # fmt: skip
        return Identity(**{**given, **more})


class World:
    """Started on entering. `vault=False` leaves OpenBao out (quick tests)."""

    def __init__(self, folder: Path, *, latency: float = 0.0, connect_latency: float = 0.0, vault: bool = True) -> None:
        self.folder = folder
        self.okta = OktaSimulator(latency=latency, connect_latency=connect_latency)
        self.graph = GraphSimulator(latency=latency, connect_latency=connect_latency)
        self.cyberark = CyberArkSimulator(latency=latency, connect_latency=connect_latency)
        self.bao = OpenBao() if vault else None
        self.key = journal_key()
        self.people: Dict[str, Person] = {}
        self.connections: Tuple[Connection, ...] = ()
        self._stack = contextlib.ExitStack()
        self.vault_url = ""

    def __enter__(self) -> World:
        try:
            for part in (self.okta, self.graph, self.cyberark, self.bao):
                if part is not None:
                    self._stack.enter_context(part)
            self.connections = self._connect()
        except BaseException:
            self._stack.close()
            raise
        return self

    def __exit__(
        self, kind: Optional[Type[BaseException]], error: Optional[BaseException], trace: Optional[TracebackType]
    ) -> None:
        self._stack.close()

    # -- the responder ------------------------------------------------------------------------------------

    def _connect(self) -> Tuple[Connection, ...]:
        pem, jwk = _own_key()
        self.okta.add_service("0oaTourniquet", jwk, OKTA_SCOPES)
        self.okta_group = self.okta.add_group("tourniquet-quarantine", denies=True)
        self.graph_group = self.graph.add_group("tourniquet-quarantine", denies=True)
        own = self.graph.add_app("Tourniquet", secret="graph-secret-value", roles=GRAPH_ROLES)
        self.graph.add_role(own, "privileged-authentication-administrator")
        app_id = self.graph.state["service_principals"][own]["appId"]
        self.cyberark.add_user("tourniquet", password="cyberark-secret-value", rights=ALL_RIGHTS)
        found = [
            Connection(
                "okta", "default", self.okta.url, {"private_key": Secret(pem)},
                {"client_id": "0oaTourniquet", "scopes": OKTA_SCOPES}, {"quarantine_group": self.okta_group},
                allow_loopback_http=True,
            ),
            Connection(
                "entra", TENANT, self.graph.url, {"client_secret": Secret("graph-secret-value")},
                {"client_id": app_id, "login": self.graph.login}, {"quarantine_group": self.graph_group},
                allow_loopback_http=True,
            ),
            Connection(
                "cyberark", "default", self.cyberark.url, {"password": Secret("cyberark-secret-value")},
                {"username": "tourniquet"}, allow_loopback_http=True,
            ),
        ]  # fmt: skip
        if self.bao is not None:
            found.append(self._connect_vault(self.bao))
        return tuple(found)

    def _connect_vault(self, bao: OpenBao) -> Connection:
        bao.request("POST", "sys/auth/userpass", {"type": "userpass"})
        bao.request("POST", "sys/auth/approle", {"type": "approle"})
        bao.request("POST", "sys/mounts/kv", {"type": "kv", "options": {"version": "2"}})
        bao.request("PUT", "sys/policies/acl/app", {"policy": APP_POLICY})
        bao.request("PUT", "sys/policies/acl/tourniquet", {"policy": VAULT_POLICY})
        for name in ("payments", "billing", "hr", "ci"):
            bao.request("POST", f"kv/data/{name}", {"data": {"password": secrets.token_hex(6)}})
        self.vault_url = bao.url
        bao.request("POST", "auth/approle/role/tourniquet", {"token_policies": "tourniquet"})
        role = bao.request("GET", "auth/approle/role/tourniquet/role-id")["data"]["role_id"]
        secret = bao.request("POST", "auth/approle/role/tourniquet/secret-id")["data"]["secret_id"]
        return Connection(
            "vault", "default", bao.url, {"secret_id": Secret(secret)}, {"role_id": role}, allow_loopback_http=True
        )

    def responder(
        self,
        *identities: Identity,
        catalogue: Mapping[str, Any],
        channels: Tuple[Channel, ...] = (),
        timing: Optional[Timing] = None,
        limits: Optional[Limits] = None,
        policy: Optional[Policy] = None,
        restorers: Tuple[str, ...] = ("ida", "ivo"),
        clock: Any = None,
        on_call: Any = None,
        journal: Optional[Journal] = None,
    ) -> Responder:
        """A responder over this world, its journal in the world's folder."""
        kept = journal or self.journal(clock)
        pool = ClientPool(self.connections, clock=clock, limits=limits, on_call=on_call)
        self._stack.callback(pool.close)
        known = identities or tuple(person.identity() for person in self.people.values())
        people = [Identity(name, "human", None, "normal", "production", False, (), ()) for name in restorers]
        inventory = Inventory([*known, *(p for p in people if p.id not in {k.id for k in known})], {}, frozenset(restorers))
        times = timing or Timing(deadline=10.0, confirm_patience=1.0)
        return Responder(
            inventory, policy or read_policy(""), catalogue, pool, kept, channels,
            FileSignals(str(self.folder / "signals"), kept.clock), times,
        )  # fmt: skip

    def journal(self, clock: Any = None) -> Journal:
        """The journal in the world's folder."""
        store = SqliteStore(str(self.folder / "journal.db"))
        self._stack.callback(store.close)
        options = {"clock": clock} if clock else {}
        return Journal(store, self.key, anchor=str(self.folder / "journal.anchor"), **options)

    # -- people -------------------------------------------------------------------------------------------

    def add_person(self, name: str, *, vendors: Tuple[str, ...] = ("okta", "entra", "cyberark", "vault")) -> Person:
        """A person with an account at each vendor, and an attacker who holds live access to every one of them."""
        person = Person(name)
        if "okta" in vendors:
            self._okta_person(person)
        if "entra" in vendors:
            self._entra_person(person)
        if "cyberark" in vendors:
            self._cyberark_person(person)
        if "vault" in vendors and self.bao is not None:
            self._vault_person(person, self.bao)
        self.people[name] = person
        return person

    def _okta_person(self, person: Person) -> None:
        user = person.okta = self.okta.add_user(f"{person.name}@corp.example", password=person.password)
        person.accounts.append(Account("okta", "default", "user", user))
        person.held["okta session"] = self.okta.add_session(user)
        person.held["okta refresh token"] = self.okta.add_token(user, "mobile-app")
        person.held["okta api token"] = self.okta.add_api_token(user)
        self.okta.add_grant(user, "mobile-app", "okta.users.read.self")

    def _entra_person(self, person: Person) -> None:
        user = person.entra = self.graph.add_user(f"{person.name}@corp.example", password=person.password)
        person.accounts.append(Account("entra", TENANT, "user", user))
        person.held["entra refresh token"] = self.graph.add_token(user)
        person.held["entra access token"] = self.graph.add_token(user, "access", cae=True)

    def _cyberark_person(self, person: Person) -> None:
        user = person.cyberark = self.cyberark.add_user(person.name, password=person.password)
        person.accounts.append(Account("cyberark", "default", "user", user))
        account = self.cyberark.add_account(f"root-{person.name}", f"safe-{person.name}")
        self.cyberark.add_member(f"safe-{person.name}", person.name, {"retrieveAccounts": True})
        person.held["cyberark account"] = account
        person.held["cyberark password"] = self.cyberark.check_out(user, account)
        person.held["cyberark session"] = self.cyberark.add_live_session(user, account)

    def _vault_person(self, person: Person, bao: OpenBao) -> None:
        body = {"password": person.password, "token_policies": "app"}
        bao.request("POST", f"auth/userpass/users/{person.name}", body)
        auth = bao.request("POST", f"auth/userpass/login/{person.name}", {"password": person.password})["auth"]
        person.entity = auth["entity_id"]
        person.accounts.append(Account("vault", "default", "entity", person.entity))
        person.held["vault token"] = auth["client_token"]


def journal_key() -> bytes:
    """A fresh journal key."""
    return secrets.token_hex(32).encode()


def rsa_key() -> Tuple[str, Dict[str, str]]:
    """A throw-away RSA key: PEM, and the public part as a JWK (RFC 7518)."""
    from cryptography.hazmat.primitives import serialization
    from cryptography.hazmat.primitives.asymmetric import rsa

    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    pem = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    ).decode()
    numbers = key.public_key().public_numbers()
    return pem, {"kty": "RSA", "n": _number(numbers.n), "e": _number(numbers.e)}


@functools.lru_cache(maxsize=1)
def _own_key() -> Tuple[str, Dict[str, str]]:
    """The responder's key at the simulated Okta: one a process, since making one takes as long as a whole containment."""
    return rsa_key()


def _number(value: int) -> str:
    data = value.to_bytes((value.bit_length() + 7) // 8, "big")
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def now() -> datetime:
    return datetime.now(timezone.utc)


__all__ = ["GLOBAL_ADMINISTRATOR", "Person", "World", "now"]
