"""Put a user into the customer's quarantine group, whose sign-on policy denies, or steps up without push."""

from __future__ import annotations

from responders.actions.action import Action
from responders.errors import BadSettings
from responders.model import Phase, State, Step, Tier
from responders.vendors.client import VendorClient


class QuarantineGroup(Action):
    """PUT /api/v1/groups/{group}/users/{id}; undone by DELETE. Source: Okta API, "Groups".

    The group's policy must not admit push approval: whoever stole a session can make somebody tap.
    """

    vendor = "okta"
    kinds = ("user",)
    phase = Phase.BLOCK
    least_tier = Tier.RESTRICT
    permissions = ("okta.groups.manage", "okta.users.read")
    breaks = "what the quarantine group's sign-on policy denies"
    manual = "Okta Admin > Directory > Groups > the quarantine group > add the user"

    def check(self, api: VendorClient, step: Step) -> State:
        group = _group(api)
        member = any(item["id"] == group for item in api.items("/api/v1/users/{}/groups", ids=(step.account.id,)))
        return State(member, {"group": group, "member": member})

    def apply(self, api: VendorClient, step: Step, before: State) -> None:
        api.call("PUT", "/api/v1/groups/{}/users/{}", ids=(str(before.data["group"]), step.account.id))

    def undo(self, api: VendorClient, step: Step, before: State) -> None:
        api.call("DELETE", "/api/v1/groups/{}/users/{}", ids=(str(before.data["group"]), step.account.id))


def _group(api: VendorClient) -> str:
    group = api.settings.get("quarantine_group", "")
    if not group:
        raise BadSettings(
            "no quarantine group is set",
            place="okta.quarantine_group",
            remedy="give the group's id, see docs/settings.md",
        )
    return group


ACTION = QuarantineGroup()
