"""What deactivating a client's key and its secret share."""

from __future__ import annotations

from typing import ClassVar, Dict

from responders.actions.action import Action, each
from responders.actions.okta._read import status_of
from responders.model import Phase, State, Step, Tier
from responders.vendors.client import VendorClient


class ClientCredentials(Action):
    """A client's only active credential of its sort can't be deactivated: the app is, or a new one is added first."""

    vendor = "okta"
    kinds = ("app",)
    phase = Phase.BLOCK
    least_tier = Tier.RESTRICT
    permissions = ("okta.apps.read", "okta.apps.manage")
    sort: ClassVar[str]
    """`key` or `secret`."""
    listed: ClassVar[str]
    """The part of Okta's path that lists them."""

    def check(self, api: VendorClient, step: Step) -> State:
        listed = api.items(f"/api/v1/apps/{{}}/credentials/{self.listed}", ids=(step.account.id,))
        states: Dict[str, str] = {str(item["id"]): status_of(item) for item in listed}
        named = {key: states[key] for key in step.all(self.needs[0]) if key in states}
        active = {key for key, status in states.items() if status == "ACTIVE"}
        only = bool(active) and active <= set(named)
        wrong = f"it is the client's only active {self.sort}: add a new one first, or deactivate the app" if only else ""
        return State(all(status != "ACTIVE" for status in named.values()), {f"{self.sort}s": named}, wrong)

    def apply(self, api: VendorClient, step: Step, before: State) -> None:
        self._all(api, step, before, "deactivate")

    def undo(self, api: VendorClient, step: Step, before: State) -> None:
        self._all(api, step, before, "activate")

    def _all(self, api: VendorClient, step: Step, before: State, verb: str) -> None:
        active = [key for key, status in sorted(before.data[f"{self.sort}s"].items()) if status == "ACTIVE"]
        path = f"/api/v1/apps/{{}}/credentials/{self.listed}/{{}}/lifecycle/{verb}"
        each(active, lambda key: api.call("POST", path, ids=(step.account.id, key)))
