"""The readiness check of one connection: reachable, authenticated, and what is missing, action by action.

The vendor is asked what the credential holds. No action is tried: a permission that shows only by a change stays unknown.
"""

from __future__ import annotations

import importlib
from dataclasses import dataclass
from typing import Dict, Mapping, Optional, Sequence, Tuple

from responders.actions import registry
from responders.actions.action import told
from responders.errors import OutcomeUnknown, RateLimited, TourniquetError, Unauthorized, Unavailable, VendorError
from responders.readiness.held import Held
from responders.vendors.client import OpenClient

BESIDE: Mapping[str, Mapping[str, Tuple[str, ...]]] = {
    "okta": {
        "last administrator (guard)": ("okta.roles.read", "okta.users.read"),
        "sweep, confirmation of events, watch": ("okta.logs.read",),
    },
    "entra": {
        "last administrator (guard)": ("RoleManagement.Read.Directory", "User.Read.All"),
        "sweep, confirmation of events, watch": ("AuditLog.Read.All",),
    },
    "cyberark": {"last administrator (guard)": ("Audit users",)},
    "vault": {},
}
"""What the responder asks beside its actions, and the permissions for that (docs/settings.md)."""


@dataclass(frozen=True)
class Need:
    """An action, or what else the responder does: what it lacks, and what the vendor does not tell."""

    name: str
    missing: Tuple[str, ...]
    unknown: Tuple[str, ...]

    @property
    def ready(self) -> Optional[bool]:
        """True when all is held, False when something is missing, None when the vendor does not say."""
        return False if self.missing else None if self.unknown else True


@dataclass(frozen=True)
class Readiness:
    """What is known of one connection. `problem` says why it can't be used, "" when it can."""

    vendor: str
    tenant: str
    reachable: bool
    authenticated: bool
    problem: str
    permissions: Mapping[str, Optional[bool]]
    needs: Tuple[Need, ...]
    notes: Tuple[str, ...]


def check(client: OpenClient) -> Readiness:
    """Ask one vendor. Raises nothing of the vendor's: what went wrong is in the result."""
    try:
        client.warm()
    except (Unavailable, RateLimited, OutcomeUnknown) as error:  # a sign-in to which no answer came
        return _not(client, False, error)
    except Unauthorized as error:
        return _not(client, True, error)
    except VendorError:
        pass  # signed in; it may only not say who it is
    except TourniquetError as error:
        return _not(client, False, error)
    wanted = needed(client.vendor)
    asked = tuple(dict.fromkeys(name for names in wanted.values() for name in names))
    held = _held(client, asked)
    return Readiness(
        client.vendor,
        client.tenant,
        True,
        True,
        "",
        held.permissions,
        tuple(_need(name, names, held) for name, names in wanted.items()),
        held.notes,
    )


def needed(vendor: str) -> Mapping[str, Tuple[str, ...]]:
    """Permissions by action of a vendor, and by what else the responder does there."""
    found: Dict[str, Tuple[str, ...]] = {
        name: registry.load(name).permissions for name in registry.names() if name.startswith(f"{vendor}.")
    }
    return {**found, **BESIDE[vendor]}


def _held(client: OpenClient, asked: Sequence[str]) -> Held:
    module = importlib.import_module(f"responders.readiness.{client.vendor}")
    try:
        found: Held = module.held(client, asked)
    except TourniquetError as error:
        return Held(dict.fromkeys(asked), (f"what the credential may do can't be read: {error}",))
    except (LookupError, TypeError, ValueError, AttributeError) as error:
        # The vendor's answers are input like any other.
        action = registry.load(next(name for name in registry.names() if name.startswith(f"{client.vendor}.")))
        return Held(dict.fromkeys(asked), (f"what the credential may do can't be read: {told(action, error)}",))
    return found


def _need(name: str, permissions: Sequence[str], held: Held) -> Need:
    missing = tuple(item for item in permissions if held.permissions.get(item) is False)
    return Need(name, missing, tuple(item for item in permissions if held.permissions.get(item) is None))


def _not(client: OpenClient, reachable: bool, error: Exception) -> Readiness:
    wanted = needed(client.vendor)
    asked = dict.fromkeys(name for names in wanted.values() for name in names)
    needs = tuple(Need(name, (), names) for name, names in wanted.items())
    return Readiness(client.vendor, client.tenant, reachable, False, str(error), dict.fromkeys(asked), needs, ())
