"""Delete the cached SSH keys of all users. Approval only: it is not one user's."""

from __future__ import annotations

from responders.actions.action import Action, outcome
from responders.actions.cyberark._read import thing
from responders.model import Outcome, Phase, State, Status, Step, Tier
from responders.vendors.client import VendorClient


class ClearSshCache(Action):
    """DELETE /API/Users/Secret/SSHKeys/ClearCache. Live PVWA tokens and the Credential Provider's cache remain.

    Source: CyberArk, "Delete cached SSH keys".
    """

    vendor = "cyberark"
    kinds = ("user",)
    phase = Phase.CUT
    least_tier = Tier.REVOKE
    permissions = ("Audit users", "Reset users passwords")
    breaks = "cached SSH keys of every user: they are made anew at the next use"
    irreversible = "cached keys are gone; they are made anew at the next use"
    manual = "DELETE /PasswordVault/API/Users/Secret/SSHKeys/ClearCache"

    def check(self, api: VendorClient, step: Step) -> State:
        thing(api, "/API/Users/{}", step.account.id)
        return State(False, {})

    def apply(self, api: VendorClient, step: Step, before: State) -> None:
        api.call("DELETE", "/API/Users/Secret/SSHKeys/ClearCache")

    def confirm(self, api: VendorClient, step: Step, before: State) -> Outcome:
        return outcome(api, step, Status.ACCEPTED, "PVWA accepted it; the cache can't be read")


ACTION = ClearSshCache()
