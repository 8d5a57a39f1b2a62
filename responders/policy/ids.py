"""What the four vendors' immutable ids look like.

Vendors take other names where an id stands: Okta a login or `me`, Graph a user principal name or a GUID in any case,
Vault a role's name in any case. So an id in another form may be an account that the inventory knows, and protects, by its
id. Sources: Okta API, "Users", parameter id; Microsoft Graph, "Get a user"; Vault API, "AppRole" and "Userpass" (names are
folded to lower case).
"""

from __future__ import annotations

import re

from responders.model import Account

_GUID = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}\Z")
_OKTA = {"user": re.compile(r"00u[0-9A-Za-z]{17}\Z"), "app": re.compile(r"0oa[0-9A-Za-z]{17}\Z")}
_OKTA_OTHER = re.compile(r"[0-9A-Za-z]{20}\Z")
_NUMBER = re.compile(r"[1-9][0-9]{0,17}\Z")


def immutable(account: Account) -> bool:
    """True when the id is in the one form that its vendor gives it; other vendors' accounts have no form to check."""
    if account.vendor == "okta":
        return bool(_OKTA.get(account.kind, _OKTA_OTHER).match(account.id))
    if account.vendor == "entra" or (account.vendor == "vault" and account.kind == "entity"):
        return bool(_GUID.match(account.id))
    if account.vendor == "cyberark" and account.kind == "user":
        return bool(_NUMBER.match(account.id))
    return account.vendor != "vault" or account.id == account.id.lower()
