"""Revoke the leases the alert named, one by one."""

from __future__ import annotations

from responders.actions.action import Action, each
from responders.actions.vault._lookup import alive
from responders.model import Phase, State, Step, Tier
from responders.vendors.client import VendorClient


class RevokeLeases(Action):
    """PUT sys/leases/revoke with one lease id each.

    Never a prefix: prefixes are per role path and hit everybody. Never revoke-force: it leaves live credentials at
    the backend. Database sessions outlive the dropped role. Source: Vault API, "/sys/leases"; tried on OpenBao 2.7.2.
    """

    vendor = "vault"
    kinds = ("entity", "approle", "userpass")
    phase = Phase.CUT
    least_tier = Tier.REVOKE
    permissions = ("update on sys/leases/lookup", "update on sys/leases/revoke")
    breaks = "whatever uses these dynamic credentials; open database sessions go on until they end"
    irreversible = "a revoked lease can't be brought back; the application asks for a new one"
    needs = ("vault.lease_id",)
    manual = "vault lease revoke LEASE-ID for each lease of the alert"

    def check(self, api: VendorClient, step: Step) -> State:
        left = alive(api, step.all("vault.lease_id"))
        return State(not left, {"leases": left})

    def apply(self, api: VendorClient, step: Step, before: State) -> None:
        each(before.data["leases"], lambda lease: api.call("PUT", "/sys/leases/revoke", body={"lease_id": lease}))


ACTION = RevokeLeases()
