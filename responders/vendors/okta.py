"""Okta: OAuth 2.0 service app with private-key JWT, or an API token (SSWS)."""

from __future__ import annotations

import re
import time
import uuid
from typing import Any, Dict, FrozenSet, Mapping, Optional, Tuple

from responders.errors import BadAnswer, Forbidden
from responders.vendors.base import BaseClient, Page, seconds
from responders.vendors.client import Response
from responders.vendors.signing import rs256
from responders.vendors.transport import Transport

_NEXT = re.compile(r'<([^>]+)>\s*;\s*rel="next"')
_ASSERTION = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"


class OktaClient(BaseClient):
    """Okta's management API. Give either `api_token`, or `client_id` with `private_key` (PEM) and `scopes`.

    Source: Okta, "Implement OAuth for Okta with a service app"; "Create an API token"; pagination by Link headers.
    """

    vendor = "okta"

    def __init__(
        self,
        transport: Transport,
        tenant: str,
        settings: Mapping[str, str],
        *,
        api_token: str = "",
        client_id: str = "",
        private_key: str = "",
        key_id: str = "",
        scopes: Tuple[str, ...] = (),
    ) -> None:
        super().__init__(transport, tenant, settings)
        transport.keep_secret((api_token, private_key))
        self._api_token, self._client_id, self._private_key = api_token, client_id, private_key
        self._key_id, self._scopes = key_id, scopes
        self._expires = float("inf")
        self._granted: FrozenSet[str] = frozenset()

    def granted(self) -> Optional[FrozenSet[str]]:
        """Scopes of the token after sign-in; None for an API token, which has no scopes.

        Source: RFC 6749, 5.1: the answer may leave `scope` out when all that was asked for is granted.
        """
        return None if self._api_token else self._granted

    def expired(self) -> bool:
        return time.time() > self._expires

    def sign_in(self) -> Dict[str, str]:
        base = {"Accept": "application/json"}
        if self._api_token:
            return {**base, "Authorization": f"SSWS {self._api_token}"}
        now = int(time.time())
        claims = {
            "iss": self._client_id,
            "sub": self._client_id,
            "aud": f"{self.transport.endpoint.base.rstrip('/')}/oauth2/v1/token",
            "iat": now,
            "exp": now + 300,
            "jti": str(uuid.uuid4()),
        }
        form = {
            "grant_type": "client_credentials",
            "scope": " ".join(self._scopes),
            "client_assertion_type": _ASSERTION,
            "client_assertion": rs256(self._private_key, {"kid": self._key_id} if self._key_id else {}, claims),
        }
        body = self.transport.send("POST", "/oauth2/v1/token", headers=base, form=form, gated=False).body
        if not isinstance(body, Mapping) or not isinstance(body.get("access_token"), str):
            raise BadAnswer(self.vendor, "the token endpoint gave no access_token")
        token = str(body["access_token"])
        self.transport.keep_secret((token,))
        self._expires = now + seconds(self.vendor, body.get("expires_in"), 3600) - 60
        self._granted = frozenset(str(body["scope"]).split()) if body.get("scope") else frozenset(self._scopes)
        return {**base, "Authorization": f"Bearer {token}"}

    def page(self, answer: Response) -> Page:
        body = answer.body
        if isinstance(body, Mapping) and isinstance(body.get("value"), list):
            # Okta API, "List all users with role assignments": the lists below /iam come as value and _links.next.
            links = body.get("_links")
            after = links.get("next") if isinstance(links, Mapping) else None
            return body["value"], str(after["href"]) if isinstance(after, Mapping) and "href" in after else None
        if not isinstance(body, list):
            raise BadAnswer(self.vendor, "a list was expected")
        found = _NEXT.search(answer.headers.get("link", ""))
        return body, found.group(1) if found else None

    def read_own_ids(self) -> FrozenSet[str]:
        if self._client_id:
            return frozenset({self._client_id})
        try:
            body = self.call("GET", "/api/v1/users/me").body
        except Forbidden:
            return frozenset()
        return frozenset({str(body["id"])}) if isinstance(body, Mapping) and "id" in body else frozenset()


def explain(body: Any) -> Tuple[str, str]:
    """Okta's error body: errorCode, errorSummary, errorCauses."""
    causes: Optional[Any] = body.get("errorCauses")
    details = "; ".join(str(cause.get("errorSummary", "")) for cause in causes) if isinstance(causes, list) else ""
    code = str(body.get("errorCode", body.get("error", "")))
    return code, f"{body.get('errorSummary', body.get('error_description', ''))} {details}".strip()
