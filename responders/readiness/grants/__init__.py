"""Least privilege as the vendor's own configuration, ready to paste: what a credential needs for some actions, no more."""

from __future__ import annotations

import importlib
import re
from dataclasses import replace
from typing import Iterable, Mapping, Sequence, Tuple

from responders.errors import BadSettings
from responders.policy.policy import Actions
from responders.readiness.check import needed
from responders.settings import Connection

_PLAIN = re.compile(r"[\w.:/@ -]*\Z")
"""What may stand between quotes in a shell: names of the settings are pasted with the rest."""


def wanted(vendor: str, used: Iterable[str]) -> Mapping[str, Tuple[str, ...]]:
    """Permissions by action, of these actions at this vendor, and by what else the responder does there."""
    names = set(used)
    return {name: found for name, found in needed(vendor).items() if "." not in name or name in names}


def configuration(
    vendor: str, needs: Mapping[str, Sequence[str]], connection: Connection, *, privileged: bool = False
) -> str:
    """Text for an administrator to read and paste. `needs` are permissions by action; "" for none. Holds no secret.

    Raises BadSettings for a tenant or URL that a shell would take for more than a name.
    """
    found = {name: permissions for name, permissions in needs.items() if permissions}
    if not found:
        return ""
    chosen = connection.privileged if privileged and connection.privileged is not None else connection
    plain = {name: value for name, value in chosen.plain.items() if _PLAIN.match(str(value))}
    if not _PLAIN.match(f"{chosen.tenant}{chosen.url}"):
        raise BadSettings("holds characters of a shell", place=f"{vendor}: tenant or url", remedy="correct the settings")
    chosen = replace(chosen, plain=plain)
    text: str = importlib.import_module(f"responders.readiness.grants.{vendor}").configuration(found, chosen)
    return text


def of_policy(actions: Mapping[str, Actions]) -> Tuple[str, ...]:
    """Every action that a policy knows, also those that wait for a person. `actions` are a policy's, by kind."""
    return tuple(sorted({name for its in actions.values() for name in (*its.restrict, *its.revoke, *its.approval)}))
