"""Disable devices a user registered since the compromise."""

from __future__ import annotations

from typing import Dict

from responders.actions.action import Action, each
from responders.actions.entra._read import newer
from responders.actions.entra._visible import flag
from responders.model import Phase, State, Step, Tier
from responders.vendors.client import VendorClient


class DisableDevice(Action):
    """PATCH /devices/{id} {accountEnabled: false}; undone by true.

    With application permissions Graph updates Windows devices only. Source: Microsoft Graph, "Update device".
    """

    vendor = "entra"
    kinds = ("user",)
    phase = Phase.CUT
    least_tier = Tier.REVOKE
    permissions = ("Device.ReadWrite.All", "User.Read.All")
    breaks = "sign-ins from devices registered since the compromise; older devices stay"
    manual = "Entra admin center > Devices > each new device > Disable"

    def check(self, api: VendorClient, step: Step) -> State:
        listed = api.items("/users/{}/registeredDevices", ids=(step.account.id,))
        enabled_by_id = {str(item["id"]): flag(item, "accountEnabled") for item in listed}
        new = newer(listed, "registrationDateTime", step.get("since"))
        enabled: Dict[str, bool] = {str(item["id"]): enabled_by_id[str(item["id"])] for item in new}
        return State(not any(enabled.values()), {"devices": enabled})

    def apply(self, api: VendorClient, step: Step, before: State) -> None:
        self._set(api, before, False)

    def undo(self, api: VendorClient, step: Step, before: State) -> None:
        self._set(api, before, True)

    def restored(self, before: State, now: State) -> bool:
        # Only those that were there: one enrolled since then is not this containment's.
        return all(now.data["devices"].get(device) == was for device, was in before.data["devices"].items())

    @staticmethod
    def _set(api: VendorClient, before: State, enabled: bool) -> None:
        devices = [device for device, was in sorted(before.data["devices"].items()) if was]
        each(devices, lambda device: api.call("PATCH", "/devices/{}", ids=(device,), body={"accountEnabled": enabled}))


ACTION = DisableDevice()
