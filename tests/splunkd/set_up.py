"""What the app's setup page leaves behind in a Splunk: conf files, secrets, a policy and an inventory."""

from __future__ import annotations

import json
from typing import Any, Mapping, Optional, Sequence

from responders.drill.world import Person
from responders.inventory.resolve import Inventory
from responders.settings import Connection
from responders.splunk.inventory import push
from responders.splunk.policies import COLLECTION
from responders.splunk.splunkd import Splunkd as Client
from responders.splunk.tls import context_for
from responders.surfaces.splunk_settings import secret_name
from tests.splunkd.server import Splunkd


def set_up(
    splunkd: Splunkd,
    connections: Sequence[Connection],
    people: Sequence[Person],
    *,
    key: str,
    policy: Optional[Mapping[str, Any]] = None,
    timing: Optional[Mapping[str, str]] = None,
) -> None:
    """Set up the app of this splunkd for these simulated vendors and people. Without `policy` the default one holds."""
    deployment = splunkd.deployment
    for found in connections:
        name = f"{found.vendor}_{found.tenant}"
        (credential,) = found.secrets
        plain = {
            field: " ".join(value) if isinstance(value, (list, tuple)) else str(value)
            for field, value in found.plain.items()
        }
        settings = {f"settings.{field}": value for field, value in found.settings.items()}
        about = {"vendor": found.vendor, "tenant": found.tenant, "url": found.url, "credential": credential}
        deployment.configure("tourniquet_connection", name, {**about, "allow_loopback_http": "1", **plain, **settings})
        deployment.store_password(secret_name(name, credential), found.secrets[credential].reveal())
    deployment.store_password("journal_key", key)
    deployment.configure("tourniquet_settings", "timing", timing or {})
    if policy is not None:
        doc = {"policy": policy, "by": "a test", "at": "2026-01-01T00:00:00+00:00", "why": "a test"}
        deployment.put(COLLECTION, {"_key": "test", "doc": json.dumps(doc)})
        deployment.configure("tourniquet_settings", "general", {"policy": "test"})
    client = Client(splunkd.uri, splunkd.session("splunk-system-user"), tls=context_for(splunkd.uri, "/nowhere"))
    push(client, Inventory([person.identity() for person in people], {}, frozenset()))
    client.close()
