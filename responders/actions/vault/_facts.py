"""Vault has no administrator role to read: whoever holds root or a policy on `*` or `sys/*` counts as one."""

from __future__ import annotations

from typing import FrozenSet, Sequence

from responders.model import Account
from responders.vendors.client import VendorClient


def usable_administrators(api: VendorClient, accounts: Sequence[Account], break_glass: FrozenSet[str]) -> FrozenSet[str]:
    """Always empty: a Vault without any administrator entity is opened again with its recovery or unseal keys.

    Source: Vault documentation, "Generate root tokens using unseal keys".
    """
    return frozenset()
