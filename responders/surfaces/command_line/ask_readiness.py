"""Asks every credential of the settings what it may do, and for what it lacks: `readiness` and `validate` show it."""

from __future__ import annotations

from typing import List, Mapping, Sequence

from responders.readiness import ask as asking
from responders.readiness.ask import Found
from responders.readiness.check import needed
from responders.readiness.grants import configuration
from responders.settings import Settings
from responders.vendors.open import ClientPool

_SECONDS = 30.0


def ask(settings: Settings, used: Sequence[str]) -> List[Found]:
    """Every connection with each of its credentials, and only what these actions need.

    Raises BadSettings for one that can't even be opened.
    """
    pool = ClientPool(settings.connections)
    try:
        for connection in settings.connections:
            for privileged in asking.credentials(connection):
                pool.get(connection.vendor, connection.tenant, privileged=privileged)
        return asking.ask(pool, settings.connections, used, _SECONDS)
    finally:
        pool.close()


def missing_grants(item: Found) -> str:
    """Configuration for what this credential lacks, "" for nothing.

    A policy of Vault is written as a whole, and would take away the rest if it held what is missing alone.
    """
    vendor = item.connection.vendor
    lacks: Mapping[str, Sequence[str]] = {need.name: need.missing for need in item.readiness.needs}
    if vendor == "vault" and any(lacks.values()):
        lacks = {name: permissions for name, permissions in needed(vendor).items() if name in lacks}
    return configuration(vendor, lacks, item.connection, privileged=item.privileged)
