"""An application behind a service principal, and its credentials."""

from __future__ import annotations

from responders.actions.entra._read import thing
from responders.errors import NotFound
from responders.model import Account
from responders.vendors.client import VendorClient


def application_of(api: VendorClient, account: Account) -> str:
    """Object id of the application: the account's own, or the one its service principal is an instance of.

    Raises NotFound for a service principal whose application lives in another tenant.
    """
    if account.kind == "application":
        return account.id
    app_id = str(thing(api, "/servicePrincipals/{}", account.id, select="appId").get("appId", ""))
    found = api.items("/applications", query={"$filter": f"appId eq '{app_id}'", "$select": "id"})
    if len(found) != 1:
        raise NotFound("entra", "the application of this service principal lives in another tenant", status=404)
    return str(found[0]["id"])
