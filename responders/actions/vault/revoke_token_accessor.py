"""Revoke an entity's live tokens by accessor, their children and exactly their leases with them."""

from __future__ import annotations

from functools import partial

from responders.actions.action import Action, outcome
from responders.actions.vault._lookup import gone, side_by_side, tokens_of
from responders.errors import VendorError
from responders.model import Outcome, Phase, State, Status, Step, Tier
from responders.vendors.client import VendorClient


class RevokeTokenAccessor(Action):
    """POST auth/token/revoke-accessor for each live token of the entity.

    A repeated or unknown accessor answers 200 with a warning, so proof is the look-up, never the status. Batch
    tokens have no accessor: the disabled entity refuses them. Source: Vault API, "Token auth method".
    """

    vendor = "vault"
    kinds = ("entity",)
    phase = Phase.CUT
    least_tier = Tier.REVOKE
    permissions = (
        "list, sudo on auth/token/accessors",
        "update on auth/token/lookup-accessor",
        "update on auth/token/revoke-accessor",
    )
    breaks = "running sessions and applications of this entity: they must log in again"
    irreversible = "a revoked token can't be brought back; its owner logs in again"
    uses = ("vault.accessor",)
    manual = "vault token revoke -accessor ACCESSOR for each accessor of the entity"

    def check(self, api: VendorClient, step: Step) -> State:
        found = tokens_of(api, step.account.id, step.all("vault.accessor"))
        return State(not found, {"accessors": sorted(found)})

    def apply(self, api: VendorClient, step: Step, before: State) -> None:
        accessors = [str(accessor) for accessor in before.data["accessors"]]
        side_by_side({accessor: partial(self._revoke, api, accessor) for accessor in accessors})

    def confirm(self, api: VendorClient, step: Step, before: State) -> Outcome:
        left = tokens_of(api, step.account.id, (*step.all("vault.accessor"), *before.data["accessors"]))
        if left:
            return outcome(api, step, Status.FAILED, f"{len(left)} tokens are still alive: {', '.join(sorted(left))}")
        gone = len(before.data["accessors"])
        return outcome(api, step, Status.CONFIRMED, f"no live token is left, {gone} looked up and gone")

    @staticmethod
    def _revoke(api: VendorClient, accessor: str) -> None:
        try:
            api.call("POST", "/auth/token/revoke-accessor", body={"accessor": accessor})
        except VendorError as error:
            if not gone(error):
                raise


ACTION = RevokeTokenAccessor()
