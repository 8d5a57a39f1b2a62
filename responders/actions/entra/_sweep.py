"""What an Entra account made since the compromise."""

from __future__ import annotations

from datetime import datetime
from typing import List, Tuple

from responders.actions.entra._read import newer, parse_time
from responders.model import Account, Created
from responders.vendors.client import VendorClient


def created_since(api: VendorClient, account: Account, since: datetime) -> Tuple[Created, ...]:
    """Devices and authentication methods a user registered since. Source: Microsoft Graph, "registeredDevices"."""
    if account.kind != "user":
        return ()
    found: List[Created] = []
    devices = api.items("/users/{}/registeredDevices", ids=(account.id,))
    for item in newer(devices, "registrationDateTime", since.isoformat()):
        at = parse_time(str(item["registrationDateTime"]))
        found.append(Created("entra", "device", str(item["id"]), at, "disable it"))
    methods = api.items("/users/{}/authentication/methods", ids=(account.id,))
    for item in newer(methods, "createdDateTime", since.isoformat()):
        at = parse_time(str(item["createdDateTime"]))
        what = str(item.get("@odata.type", "method")).rpartition(".")[2]
        found.append(Created("entra", what, str(item["id"]), at, "remove it after a confirmed block"))
    return tuple(found)
