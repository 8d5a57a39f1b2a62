"""(c): the calls of one containment, made one after another by the clients people use."""

from __future__ import annotations

import asyncio
import os
import re
import subprocess
import sys
import time
from dataclasses import dataclass
from typing import Any, Callable, Coroutine, Dict, List, Mapping, Pattern, Tuple
from urllib.parse import unquote, urlsplit

from responders.vendors.base import BaseClient
from responders.vendors.entra import MsalHttp
from responders.vendors.open import ClientPool
from tests.bench.company import Call, Company
from tests.bench.fixture import Spread, spread
from tests.bench.warm import Warm

os.environ["OKTA_TESTING_TESTINGDISABLEHTTPSCHECK"] = "true"  # the SDK's own switch for a simulator without TLS
GRAPH = ["https://graph.microsoft.com/.default"]
Arguments = Tuple[str, ...]
Ask = Callable[[Any, Arguments, Mapping[str, str]], Coroutine[Any, Any, Any]]

OKTA: List[Tuple[str, str, Ask]] = [
    ("GET", r"/api/v1/users/([^/]+)", lambda okta, ids, _: okta.get_user(*ids)),
    ("GET", r"/api/v1/users/([^/]+)/roles", lambda okta, ids, _: okta.list_assigned_roles_for_user(*ids)),
    ("GET", r"/api/v1/users/([^/]+)/clients", lambda okta, ids, _: okta.list_user_clients(*ids)),
    ("GET", r"/api/v1/users/([^/]+)/clients/([^/]+)/tokens",
     lambda okta, ids, _: okta.list_refresh_tokens_for_user_and_client(*ids)),
    ("GET", r"/api/v1/users/([^/]+)/grants", lambda okta, ids, _: okta.list_user_grants(*ids)),
    ("GET", r"/api/v1/api-tokens", lambda okta, ids, _: okta.list_api_tokens()),
    ("GET", r"/api/v1/logs", lambda okta, _, query: okta.list_log_events(since=query["since"], filter=query["filter"])),
    ("POST", r"/api/v1/users/([^/]+)/lifecycle/suspend", lambda okta, ids, _: okta.suspend_user(*ids)),
    ("DELETE", r"/api/v1/users/([^/]+)/sessions",
     lambda okta, ids, _: okta.revoke_user_sessions(*ids, oauth_tokens=True, forget_devices=True)),
    ("DELETE", r"/api/v1/users/([^/]+)/grants", lambda okta, ids, _: okta.revoke_user_grants(*ids)),
    ("DELETE", r"/api/v1/users/([^/]+)/clients/([^/]+)/tokens",
     lambda okta, ids, _: okta.revoke_tokens_for_user_and_client(*ids)),
    ("DELETE", r"/api/v1/api-tokens/([^/]+)", lambda okta, ids, _: okta.revoke_api_token(*ids)),
]  # fmt: skip
ROUTES: List[Tuple[str, Pattern[str], Ask]] = [(method, re.compile(path + r"\Z"), ask) for method, path, ask in OKTA]


@dataclass(frozen=True)
class Compared:
    """Seconds: for the calls of one containment, for Okta's part of them, and for importing the clients."""

    took: Spread
    okta: Spread
    imports: Dict[str, float]
    calls: Dict[str, int]


def compare(company: Company, ones: List[Warm], count: int) -> Compared:
    """The calls of warm containments, each made again one after another: one containment for each of `count` runs.

    Okta by its official SDK, Graph by msal's token cache and requests, CyberArk by requests, Vault by hvac; one session a
    host, signed in and connected before the clock starts, as in (b). A call is repeated as it was, so a change answers as
    it does for what is done already.
    """
    pool = ClientPool(company.connections)
    try:
        clients = {client.vendor: client for client in pool.all()}
        for client in clients.values():
            client.warm()
        found = [asyncio.run(_once(company, clients, one)) for one in ones[-count:]]
    finally:
        pool.close()
    made = {vendor: sum(call[1] == vendor for call in ones[-1].calls) for vendor in ("okta", "entra", "cyberark")}
    return Compared(
        spread([took for took, _ in found]),
        spread([okta for _, okta in found]),
        {name: _import(name) for name in ("requests", "msal", "hvac", "okta.client")},
        {**made, "vault": len(ones[-1].vault_calls)},
    )


async def _once(company: Company, clients: Dict[str, BaseClient], one: Warm) -> Tuple[float, float]:
    import hvac
    import msal
    import requests
    from okta.client import Client

    headers = {vendor: client._headers() for vendor, client in clients.items()}
    roots = {v: "{0.scheme}://{0.netloc}".format(urlsplit(c.transport.endpoint.base)) for v, c in clients.items()}
    sessions = {vendor: requests.Session() for vendor in ("entra", "cyberark", "vault")}
    vault = hvac.Client(url=roots["vault"], token=headers["vault"]["X-Vault-Token"], session=sessions["vault"])
    application = _msal(company, clients["entra"], msal)
    async with Client(_okta_settings(company, roots["okta"])) as okta:
        await okta.list_api_tokens()  # signs in and connects
        for vendor, session in sessions.items():
            session.get(roots[vendor], timeout=10)
        began = time.monotonic()
        at_okta = 0.0
        for call in one.calls:
            start = time.monotonic()
            if call[1] == "okta":
                await _okta(okta, call)
                at_okta += time.monotonic() - start
                continue
            _, vendor, method, path, _, body, _, _ = call
            sent = dict(headers[vendor])
            if vendor == "entra":
                sent["Authorization"] = "Bearer " + application.acquire_token_for_client(GRAPH)["access_token"]
            sessions[vendor].request(method, roots[vendor] + path, json=body, headers=sent, timeout=10)
        _vault(vault, one)
        took = time.monotonic() - began
    for session in sessions.values():
        session.close()
    return took, at_okta


async def _okta(okta: Any, call: Call) -> None:
    """One call by the official SDK. It gives (result, response, error); an error of Okta's is an answer too."""
    method, path = call[2], call[3].partition("?")[0]
    for wanted, pattern, ask in ROUTES:
        match = pattern.match(path)
        if match is not None and wanted == method:
            answer = await ask(okta, tuple(unquote(part) for part in match.groups()), call[4])
            if answer[1] is None or (method == "GET" and answer[2] is not None):
                raise RuntimeError(f"okta SDK: {method} {path}: {answer[2]}")
            return
    raise RuntimeError(f"no method of the okta SDK is known for {method} {path}")


def _okta_settings(company: Company, root: str) -> Dict[str, Any]:
    """The responder's own service app. (With a ready token, SDK 3.4 would send `Bearer` and the token without a blank.)"""
    connection = next(c for c in company.connections if c.vendor == "okta")
    return {
        "orgUrl": root,
        "authorizationMode": "PrivateKey",
        "clientId": str(connection.plain["client_id"]),
        "privateKey": connection.secrets["private_key"].reveal(),
        "kid": str(connection.plain.get("key_id", "")),
        "scopes": list(connection.plain["scopes"]),
    }


def _msal(company: Company, entra: BaseClient, msal: Any) -> Any:
    """A confidential client with its token in the cache."""
    connection = next(c for c in company.connections if c.vendor == "entra")
    login = urlsplit(company.direct["login"])
    application = msal.ConfidentialClientApplication(
        str(connection.plain["client_id"]),
        client_credential=connection.secrets["client_secret"].reveal(),
        # msal takes https authorities only; MsalHttp sends to the simulator over http.
        authority=f"https://{login.netloc}{login.path}/{entra.tenant}",
        instance_discovery=False,
        http_client=MsalHttp(entra.transport, plain=True),
    )
    if "access_token" not in application.acquire_token_for_client(GRAPH):
        raise RuntimeError("msal got no token")
    return application


def _vault(vault: Any, one: Warm) -> None:
    """The same calls by hvac, on the containment's own entity; an accessor that is gone answers like any other."""
    import hvac.exceptions

    identity, tokens = vault.secrets.identity, vault.auth.token
    accessor = tokens.lookup_self()["data"]["accessor"]
    ways: Dict[Tuple[str, str], Callable[[], Any]] = {
        ("GET", "/identity/entity/id/{}"): lambda: identity.read_entity(one.entity),
        ("POST", "/identity/entity/id/{}"): lambda: identity.update_entity(one.entity, disabled=True),
        ("GET", "/auth/token/accessors"): tokens.list_accessors,
        ("POST", "/auth/token/lookup-accessor"): lambda: tokens.lookup_accessor(accessor),
        ("POST", "/auth/token/revoke-accessor"): lambda: tokens.revoke_accessor("no-such-accessor"),
    }
    for call in one.vault_calls:
        try:
            ways[call]()
        except hvac.exceptions.VaultError:
            continue


def _import(name: str) -> float:
    began = time.monotonic()
    subprocess.run([sys.executable, "-c", f"import {name}"], check=True)
    return time.monotonic() - began
