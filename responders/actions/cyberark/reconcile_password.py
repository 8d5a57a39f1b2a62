"""Have the CPM reconcile passwords that the identity checked out."""

from __future__ import annotations

from responders.actions.action import Action
from responders.actions.cyberark._passwords import Passwords
from responders.model import Phase, Tier


class ReconcilePassword(Passwords, Action):
    """POST /API/Accounts/{id}/Reconcile for each account the alert named.

    It only marks the account: `accepted` until the CPM has done it. Source: CyberArk, "Reconcile credentials".
    """

    vendor = "cyberark"
    kinds = ("user", "application")
    phase = Phase.CUT
    least_tier = Tier.REVOKE
    permissions = ("List accounts", "Initiate CPM password management operations")
    breaks = "whoever else uses the old password of these accounts"
    irreversible = "the old password is gone; who needs it checks the new one out"
    needs = ("cyberark.account_id",)
    manual = "PVWA > Accounts > each account > Reconcile"
    verb = "Reconcile"


ACTION = ReconcilePassword()
