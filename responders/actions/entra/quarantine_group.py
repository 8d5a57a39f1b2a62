"""Put a user into the customer's quarantine group, which a Conditional Access policy denies."""

from __future__ import annotations

from responders.actions.action import Action
from responders.errors import BadSettings, WrongState
from responders.model import Phase, State, Step, Tier
from responders.vendors.client import VendorClient


class QuarantineGroup(Action):
    """POST /groups/{group}/members/$ref; undone by DELETE.

    Conditional Access reaches resources with continuous access evaluation only after up to a day unless sessions are
    revoked too, so the policy always pairs it with `entra.revoke_sign_in_sessions`. Source: Microsoft Graph, "Add
    members"; Microsoft Entra, "Continuous access evaluation".
    """

    vendor = "entra"
    kinds = ("user", "service_principal")
    phase = Phase.BLOCK
    least_tier = Tier.RESTRICT
    permissions = ("GroupMember.ReadWrite.All",)
    breaks = "what the quarantine group's Conditional Access policy denies"
    manual = "Entra admin center > Groups > the quarantine group > Members > Add"

    def check(self, api: VendorClient, step: Step) -> State:
        group = _group(api)
        members = api.items("/groups/{}/members", ids=(group,), query={"$select": "id"})
        member = any(item.get("id") == step.account.id for item in members)
        return State(member, {"group": group, "member": member})

    def apply(self, api: VendorClient, step: Step, before: State) -> None:
        link = api.settings.get("graph_url", "https://graph.microsoft.com/v1.0")
        body = {"@odata.id": f"{link}/directoryObjects/{step.account.id}"}
        try:
            api.call("POST", "/groups/{}/members/$ref", ids=(str(before.data["group"]),), body=body)
        except WrongState as error:
            # "One or more added object references already exist": a repeat; the read-back decides.
            if "already exist" not in error.message:
                raise

    def undo(self, api: VendorClient, step: Step, before: State) -> None:
        path = "/groups/{}/members/{}/$ref"
        api.call("DELETE", path, ids=(str(before.data["group"]), step.account.id))


def _group(api: VendorClient) -> str:
    group = api.settings.get("quarantine_group", "")
    if not group:
        raise BadSettings(
            "no quarantine group is set",
            place="entra.quarantine_group",
            remedy="give the group's id, see docs/settings.md",
        )
    return group


ACTION = QuarantineGroup()
