"""Take a user out of the groups the alert named."""

from __future__ import annotations

from responders.actions.action import Action, each
from responders.model import Phase, State, Step, Tier
from responders.vendors.client import VendorClient


class RemoveGroup(Action):
    """DELETE /api/v1/groups/{group}/users/{id}; undone by PUT. Source: Okta API, "Groups"."""

    vendor = "okta"
    kinds = ("user",)
    phase = Phase.CUT
    least_tier = Tier.REVOKE
    permissions = ("okta.groups.manage", "okta.users.read")
    breaks = "what these groups give the user: applications, roles, policies"
    needs = ("okta.group_id",)
    manual = "Okta Admin > Directory > Groups > the group > remove the user"

    def check(self, api: VendorClient, step: Step) -> State:
        member = {str(item["id"]) for item in api.items("/api/v1/users/{}/groups", ids=(step.account.id,))}
        named = sorted(member & set(step.all("okta.group_id")))
        return State(not named, {"groups": named})

    def apply(self, api: VendorClient, step: Step, before: State) -> None:
        path = "/api/v1/groups/{}/users/{}"
        each(before.data["groups"], lambda group: api.call("DELETE", path, ids=(group, step.account.id)))

    def undo(self, api: VendorClient, step: Step, before: State) -> None:
        path = "/api/v1/groups/{}/users/{}"
        each(before.data["groups"], lambda group: api.call("PUT", path, ids=(group, step.account.id)))


ACTION = RemoveGroup()
