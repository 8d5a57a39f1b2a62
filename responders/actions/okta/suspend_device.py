"""Suspend devices a user enrolled since the compromise."""

from __future__ import annotations

from typing import Dict

from responders.actions.action import Action, each
from responders.actions.okta._read import since_filter, status_of
from responders.model import Phase, State, Step, Tier
from responders.vendors.client import VendorClient


class SuspendDevice(Action):
    """POST /api/v1/devices/{id}/lifecycle/suspend; undone by unsuspend. Source: Okta API, "Devices"."""

    vendor = "okta"
    kinds = ("user",)
    phase = Phase.CUT
    least_tier = Tier.REVOKE
    permissions = ("okta.users.read", "okta.devices.manage")
    breaks = "sign-ins from devices enrolled since the compromise; older devices stay"
    manual = "Okta Admin > Directory > Devices > each new device > Suspend"

    def check(self, api: VendorClient, step: Step) -> State:
        listed = api.items("/api/v1/users/{}/devices", ids=(step.account.id,))
        new = since_filter(listed, "created", step.get("since"))
        states: Dict[str, str] = {str(item["device"]["id"]): status_of(item["device"]) for item in new}
        return State(all(status != "ACTIVE" for status in states.values()), {"devices": states})

    def apply(self, api: VendorClient, step: Step, before: State) -> None:
        active = [device for device, status in sorted(before.data["devices"].items()) if status == "ACTIVE"]
        each(active, lambda device: api.call("POST", "/api/v1/devices/{}/lifecycle/suspend", ids=(device,)))

    def undo(self, api: VendorClient, step: Step, before: State) -> None:
        active = [device for device, status in sorted(before.data["devices"].items()) if status == "ACTIVE"]
        each(active, lambda device: api.call("POST", "/api/v1/devices/{}/lifecycle/unsuspend", ids=(device,)))

    def restored(self, before: State, now: State) -> bool:
        # Only those that were there: one enrolled since then is not this containment's.
        return all(now.data["devices"].get(device) == was for device, was in before.data["devices"].items())


ACTION = SuspendDevice()
