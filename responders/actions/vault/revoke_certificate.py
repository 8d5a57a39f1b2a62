"""Revoke certificates of the pki engine that the alert named."""

from __future__ import annotations

from responders.actions.action import Action, each
from responders.actions.vault._lookup import data, mount_and_name
from responders.model import Phase, State, Step, Tier
from responders.vendors.client import VendorClient


class RevokeCertificate(Action):
    """POST pki/revoke {serial_number}. Proof: `revocation_time` is set. Source: Vault API, "PKI secrets engine"."""

    vendor = "vault"
    kinds = ("entity", "approle", "userpass")
    phase = Phase.CUT
    least_tier = Tier.REVOKE
    permissions = ("update on pki/revoke",)
    breaks = "connections that use these certificates, where the other side checks revocation"
    irreversible = "a revoked certificate stays revoked; issue a new one"
    needs = ("vault.pki_serial",)
    manual = "vault write pki/revoke serial_number=SERIAL"

    def check(self, api: VendorClient, step: Step) -> State:
        revoked = {serial: self._revoked(api, serial) for serial in step.all("vault.pki_serial")}
        return State(bool(revoked) and all(revoked.values()), {"revoked": revoked})

    def apply(self, api: VendorClient, step: Step, before: State) -> None:
        todo = [mount_and_name(serial, "pki") for serial, done in sorted(before.data["revoked"].items()) if not done]
        each(todo, lambda item: api.call("POST", "/{}/revoke", ids=item[:1], body={"serial_number": item[1]}))

    @staticmethod
    def _revoked(api: VendorClient, serial: str) -> bool:
        return int(data(api, "/{}/cert/{}", *mount_and_name(serial, "pki")).get("revocation_time") or 0) > 0


ACTION = RevokeCertificate()
