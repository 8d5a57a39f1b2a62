"""Have the CPM change passwords that the identity checked out."""

from __future__ import annotations

from responders.actions.cyberark._passwords import Passwords


class ChangePassword(Passwords):
    """POST /API/Accounts/{id}/Change for each account the alert named.

    It only marks the account: `accepted` until the CPM has done it. Source: CyberArk, "Change credentials".
    """

    manual = "PVWA > Accounts > each account > Change"
    verb = "Change"


ACTION = ChangePassword()
