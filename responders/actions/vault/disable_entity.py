"""Disable an entity: its logins and tokens are refused."""

from __future__ import annotations

from responders.actions.action import Action
from responders.actions.vault._lookup import data
from responders.model import Phase, State, Step, Tier
from responders.vendors.client import VendorClient


class DisableEntity(Action):
    """POST identity/entity/id/{id} {disabled: true}.

    Its tokens answer 403 but work again once it is enabled, so they are cut as well (`vault.revoke_token_accessor`).
    Source: Vault API, "Identity: entity"; behaviour tried on OpenBao 2.7.2.
    """

    vendor = "vault"
    kinds = ("entity",)
    phase = Phase.BLOCK
    least_tier = Tier.REVOKE
    permissions = ("read, update on identity/entity/id/*",)
    breaks = "every login and token of this entity, through every auth method"
    manual = "vault write identity/entity/id/ID disabled=true (and, to undo, disabled=false)"

    def check(self, api: VendorClient, step: Step) -> State:
        found = data(api, "/identity/entity/id/{}", step.account.id)
        disabled = found.get("disabled") is True
        return State(disabled, {"disabled": disabled})

    def apply(self, api: VendorClient, step: Step, before: State) -> None:
        api.call("POST", "/identity/entity/id/{}", ids=(step.account.id,), body={"disabled": True})

    def undo(self, api: VendorClient, step: Step, before: State) -> None:
        api.call("POST", "/identity/entity/id/{}", ids=(step.account.id,), body={"disabled": before.data["disabled"]})


ACTION = DisableEntity()
