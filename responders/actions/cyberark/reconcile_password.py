"""Have the CPM reconcile passwords that the identity checked out."""

from __future__ import annotations

from responders.actions.cyberark._passwords import Passwords


class ReconcilePassword(Passwords):
    """POST /API/Accounts/{id}/Reconcile for each account the alert named.

    It only marks the account: `accepted` until the CPM has done it. Source: CyberArk, "Reconcile credentials".
    """

    manual = "PVWA > Accounts > each account > Reconcile"
    verb = "Reconcile"


ACTION = ReconcilePassword()
