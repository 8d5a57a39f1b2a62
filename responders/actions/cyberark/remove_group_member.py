"""Take a user out of the vault groups the alert named."""

from __future__ import annotations

from responders.actions.action import Action, each
from responders.actions.cyberark._read import thing
from responders.errors import BadAnswer
from responders.model import Phase, State, Step, Tier
from responders.vendors.client import VendorClient


class RemoveGroupMember(Action):
    """DELETE /API/UserGroups/{group}/members/{user}/; undone by POST. Source: CyberArk, "Remove user from group"."""

    vendor = "cyberark"
    kinds = ("user",)
    phase = Phase.CUT
    least_tier = Tier.REVOKE
    permissions = ("Audit users", "Manage users (Add/Update users)")
    breaks = "what these groups give the user"
    needs = ("cyberark.group_id",)
    manual = "PVWA > User Provisioning > Users > the user > Groups > remove"

    def check(self, api: VendorClient, step: Step) -> State:
        user = thing(api, "/API/Users/{}", step.account.id)
        groups = user.get("groupsMembership")
        if not isinstance(groups, list):  # missing is not "in no group"
            raise BadAnswer("cyberark", "the user is shown without groupsMembership")
        member = {str(group["groupID"]) for group in groups}
        named = sorted(member & set(step.all("cyberark.group_id")))
        return State(not named, {"user": str(user.get("username", "")), "groups": named})

    def apply(self, api: VendorClient, step: Step, before: State) -> None:
        path, user = "/API/UserGroups/{}/members/{}/", str(before.data["user"])
        each(before.data["groups"], lambda group: api.call("DELETE", path, ids=(group, user)), gone_is_fine=True)

    def undo(self, api: VendorClient, step: Step, before: State) -> None:
        body = {"memberId": before.data["user"], "memberType": "vault"}
        each(before.data["groups"], lambda group: api.call("POST", "/API/UserGroups/{}/Members", ids=(group,), body=body))


ACTION = RemoveGroupMember()
