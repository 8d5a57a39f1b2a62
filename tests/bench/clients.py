"""(c): the calls of one containment, made one after another by the clients people use."""

from __future__ import annotations

import time
from urllib.parse import urlsplit

import hvac
import requests

from responders.vendors.open import ClientPool
from tests.bench.company import Company
from tests.bench.fixture import Spread, spread
from tests.bench.warm import Warm


def compare(company: Company, one: Warm, count: int) -> Spread:
    """Seconds for the calls of `one`, `count` times. Sign-ins are not counted: (b) has its tokens ready as well.

    Okta, Graph and CyberArk by requests with one session a host, Vault by hvac. A call is repeated as it was, so a change
    answers as it does for what is done already; Vault's are repeated as as many look-ups. The round trips are the same.
    """
    pool = ClientPool(company.connections)
    try:
        for client in pool.all():
            client.warm()
        return spread([_once(company, pool, one) for _ in range(count)])
    finally:
        pool.close()


def _once(company: Company, pool: ClientPool, one: Warm) -> float:
    known = {client.vendor: client for client in pool.all()}
    sessions = {vendor: requests.Session() for vendor in known}
    headers = {vendor: client._headers() for vendor, client in known.items()}
    roots = {v: "{0.scheme}://{0.netloc}".format(urlsplit(c.transport.endpoint.base)) for v, c in known.items()}
    vault = hvac.Client(url=roots["vault"], token=headers["vault"]["X-Vault-Token"], session=sessions["vault"])
    try:
        for vendor, session in sessions.items():  # connections are ready, as in (b)
            session.get(roots[vendor], timeout=10)
        began = time.monotonic()
        for _, vendor, method, path, _, body, _, _ in one.calls:
            sessions[vendor].request(method, roots[vendor] + path, json=body, headers=headers[vendor], timeout=10)
        for _ in range(one.vault_calls):
            vault.auth.token.lookup_self()
        return time.monotonic() - began
    finally:
        for session in sessions.values():
            session.close()
