"""HashiCorp Vault and OpenBao: AppRole or a token."""

from __future__ import annotations

import time
from typing import Any, Dict, FrozenSet, Mapping, Tuple

from responders.errors import BadAnswer, Forbidden, Unauthorized, VendorError
from responders.vendors.base import BaseClient, Page, seconds
from responders.vendors.client import Response
from responders.vendors.transport import Transport


class VaultClient(BaseClient):
    """Vault's HTTP API below /v1. Give either `token`, or `role_id` and `secret_id` (and `approle_mount`).

    Source: Vault API documentation; tried on OpenBao 2.7.2.
    """

    vendor = "vault"

    def __init__(
        self,
        transport: Transport,
        tenant: str,
        settings: Mapping[str, str],
        *,
        token: str = "",
        role_id: str = "",
        secret_id: str = "",
        approle_mount: str = "approle",
    ) -> None:
        super().__init__(transport, tenant, settings)
        transport.keep_secret((token, secret_id))
        self._token, self._role_id, self._secret_id, self._mount = token, role_id, secret_id, approle_mount
        self._expires = float("inf")

    def expired(self) -> bool:
        return time.time() > self._expires

    def sign_in(self) -> Dict[str, str]:
        namespace = self.settings.get("namespace", "")
        base = {"X-Vault-Request": "true", **({"X-Vault-Namespace": namespace} if namespace else {})}
        if self._token:
            return {**base, "X-Vault-Token": self._token}
        body = {"role_id": self._role_id, "secret_id": self._secret_id}
        path = self.transport.path("/auth/{}/login", (self._mount,))
        answer = self.transport.send("POST", path, headers=base, body=body, gated=False).body
        auth = answer.get("auth") if isinstance(answer, Mapping) else None
        if not isinstance(auth, Mapping) or not isinstance(auth.get("client_token"), str):
            raise BadAnswer(self.vendor, "the login gave no client_token")
        token = str(auth["client_token"])
        self.transport.keep_secret((token,))
        lasts = seconds(self.vendor, auth.get("lease_duration"), 0) or 3600  # 0: it does not end
        self._expires = time.time() + max(30.0, lasts - 60)
        return {**base, "X-Vault-Token": token}

    def ended(self, headers: Dict[str, str]) -> bool:
        """Vault answers 403 to a dead token as to a missing permission; every live token may look itself up."""
        try:
            self.transport.send("GET", "/auth/token/lookup-self", headers=headers)
        except (Forbidden, Unauthorized) as error:
            if self._token:
                text = "the token of the settings is not accepted any more: give a new one"
                raise Unauthorized(self.vendor, text, status=error.status) from None
            return True
        except VendorError:
            return False  # it can't be told: the 403 stands
        return False

    def page(self, answer: Response) -> Page:
        data = answer.body.get("data") if isinstance(answer.body, Mapping) else None
        keys = data.get("keys") if isinstance(data, Mapping) else None
        if not isinstance(keys, list):
            raise BadAnswer(self.vendor, "no list of keys in the answer")
        return [{"key": key} for key in keys], None

    def read_own_ids(self) -> FrozenSet[str]:
        body = self.call("GET", "/auth/token/lookup-self").body
        data = body.get("data") if isinstance(body, Mapping) else None
        if not isinstance(data, Mapping):
            raise BadAnswer(self.vendor, "lookup-self: no data in the answer")
        own = {str(data[name]) for name in ("entity_id", "accessor") if data.get(name)}
        return frozenset({*own, *_login_of(data)})


_DEFAULT_MOUNTS = ("approle", "userpass")


def _login_of(token: Mapping[str, Any]) -> FrozenSet[str]:
    """`mount/name` of the role or user that a token was issued to, and the name alone at the default mount.

    Source: Vault API, "Lookup a token (self)": `path` (`auth/approle/login`) and `meta`.
    """
    meta = token.get("meta")
    mount = str(token.get("path", "")).split("/login")[0][len("auth/") :]
    names = [str(meta[key]) for key in ("role_name", "username") if meta.get(key)] if isinstance(meta, Mapping) else []
    return frozenset(
        form for name in names for form in (f"{mount}/{name}", name) if form != name or mount in _DEFAULT_MOUNTS
    )


def explain(body: Any) -> Tuple[str, str]:
    """Vault's error body: a list of texts under `errors`."""
    return "", "; ".join(str(text) for text in body.get("errors") or ())
