"""What an Okta credential may do: the scopes of its token, and the administrator roles behind them."""

from __future__ import annotations

from typing import List, Optional, Sequence

from responders.errors import Forbidden, NotFound
from responders.readiness.held import Held
from responders.vendors.okta import OktaClient

_ALL = "SUPER_ADMIN"
_UNREAD = "the administrator roles behind it can't be read (okta.roles.read): Okta refuses a scope that no role covers"
_NONE = "no administrator role is assigned to it: Okta refuses every call, whatever its scopes"


def held(client: OktaClient, wanted: Sequence[str]) -> Held:
    """A scope counts as held when the token has it and the super administrator role stands behind it.

    Under a smaller role Okta allows of a scope only what the role covers, and no API says what that is: unknown.
    Source: Okta, "Implement OAuth for Okta with a service app" (scopes and roles); API, "Client Role Assignments".
    """
    scopes, roles = client.granted(), _roles(client)
    covered: Optional[bool] = None if roles is None else _ALL in roles or (None if roles else False)
    lacks = [name for name in wanted if scopes is not None and name not in scopes]
    notes: List[str] = []
    if roles is None:
        notes.append(_UNREAD)
    elif not roles:
        notes.append(_NONE)
    elif _ALL not in roles:
        notes.append(f"it holds {', '.join(sorted(roles))}: Okta allows of a scope only what a role covers")
    return Held({name: False if name in lacks else covered for name in wanted}, tuple(notes))


def _roles(client: OktaClient) -> Optional[List[str]]:
    """Types of the roles assigned to the app or to the token's user; None when they can't be read."""
    path = "/oauth2/v1/clients/{}/roles" if client.granted() is not None else "/api/v1/users/{}/roles"
    own = sorted(client.own_ids())
    if not own:
        return None
    try:
        found = client.items(path, ids=(own[0],))
    except (Forbidden, NotFound):
        return None
    return [str(role.get("type", "CUSTOM")) for role in found if role.get("status", "ACTIVE") == "ACTIVE"]
