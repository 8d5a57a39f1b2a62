"""What a CyberArk account made since the compromise: PVWA's API shows no creator, the vault's audit log does."""

from __future__ import annotations

from datetime import datetime
from typing import Tuple

from responders.model import Account, Created
from responders.vendors.client import VendorClient


def created_since(api: VendorClient, account: Account, since: datetime) -> Tuple[Created, ...]:
    """Always empty: search the audit log for the codes of added users, owners and safes instead."""
    return ()
