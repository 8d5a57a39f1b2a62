"""Microsoft Graph with tokens by msal: client secret or certificate."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import Any, Dict, FrozenSet, Mapping, Optional, Tuple
from urllib.parse import urlsplit

import requests

from responders.errors import BadAnswer, BadSettings, Unauthorized
from responders.vendors.base import BaseClient, Page, listed
from responders.vendors.client import Response
from responders.vendors.transport import Transport


@dataclass(frozen=True)
class Credential:
    """`secret`, or `certificate` (thumbprint, private key PEM). repr shows neither."""

    client_id: str
    secret: str = ""
    thumbprint: str = ""
    private_key: str = ""

    def __repr__(self) -> str:
        return f"<Credential {self.client_id}>"


class EntraClient(BaseClient):
    """Microsoft Graph v1.0. `login` is the authority's URL without the tenant; sovereign clouds have their own.

    Source: Microsoft Graph, "Get access without a user"; msal for Python, ConfidentialClientApplication.
    """

    vendor = "entra"

    def __init__(
        self, transport: Transport, tenant: str, settings: Mapping[str, str], *, login: str, credential: Credential
    ) -> None:
        super().__init__(transport, tenant, settings)
        transport.keep_secret((credential.secret, credential.private_key))
        self._login, self._credential = login.rstrip("/"), credential
        self._application: Optional[Any] = None
        self._expires = float("inf")

    def expired(self) -> bool:
        return time.time() > self._expires

    def sign_in(self) -> Dict[str, str]:
        scope = self.settings.get("scope", "https://graph.microsoft.com/.default")
        found = self._msal().acquire_token_for_client(scopes=[scope])
        if "access_token" not in found:
            code = str(found.get("error", ""))
            raise Unauthorized(
                self.vendor, f"no token: {code}: check client id, secret or certificate, and tenant", code=code
            )
        self.transport.keep_secret((str(found["access_token"]),))
        self._expires = time.time() + float(found.get("expires_in", 3600)) - 60
        return {"Authorization": f"Bearer {found['access_token']}", "ConsistencyLevel": "eventual"}

    def page(self, answer: Response) -> Page:
        items = listed(self.vendor, answer.body, "value")
        following = answer.body.get("@odata.nextLink")
        return items, str(following) if following else None

    def read_own_ids(self) -> FrozenSet[str]:
        query = {"$filter": f"appId eq '{self._credential.client_id}'", "$select": "id"}
        return frozenset(str(item["id"]) for item in self.items("/servicePrincipals", query=query))

    def _msal(self) -> Any:
        """msal is imported here: only a responder that talks to Entra pays for it."""
        if self._application is None:
            import msal

            given = self._credential
            secret: Any = given.secret
            if given.thumbprint:
                secret = {"thumbprint": given.thumbprint, "private_key": given.private_key}
            parts = urlsplit(self._login)
            self._application = msal.ConfidentialClientApplication(
                given.client_id,
                client_credential=secret,
                # msal takes https authorities only; a drill's loopback one is sent over http by MsalHttp.
                authority=f"https://{parts.netloc}{parts.path}/{self.tenant}",
                instance_discovery=False,
                http_client=MsalHttp(self.transport, plain=parts.scheme == "http"),
            )
        return self._application


class MsalHttp:
    """The http client msal uses: our TLS, proxy and time limits. `plain` sends to loopback over http (the drill)."""

    def __init__(self, transport: Transport, *, plain: bool) -> None:
        endpoint = transport.endpoint
        if plain and not endpoint.allow_loopback_http:
            raise BadSettings("the login URL must be https", place="entra.login", remedy="correct it")
        self._endpoint, self._plain = endpoint, plain

    def get(self, url: str, **options: Any) -> Any:
        return self._request("GET", url, options)

    def post(self, url: str, **options: Any) -> Any:
        return self._request("POST", url, options)

    def close(self) -> None:
        """msal calls this; sessions are closed after each request."""

    def _request(self, method: str, url: str, options: Dict[str, Any]) -> Any:
        if self._plain and urlsplit(url).hostname in ("127.0.0.1", "localhost", "::1"):
            url = "http://" + url.partition("://")[2]
        limits = self._endpoint.limits
        options.setdefault("timeout", (limits.connect, limits.attempt))
        with requests.Session() as session:
            session.trust_env = False
            proxy = self._endpoint.proxy
            session.proxies = {"https": proxy, "http": proxy} if proxy else {}
            answer = session.request(method, url, allow_redirects=False, verify=self._endpoint.ca or True, **options)
        if len(answer.content) > 1024 * 1024:
            raise BadAnswer("entra", "the token endpoint answered more than 1 MiB")
        return answer


def explain(body: Any) -> Tuple[str, str]:
    """Graph's error body: error.code, error.message; the token endpoint's: error, error_description."""
    error = body.get("error")
    if isinstance(error, Mapping):
        return str(error.get("code", "")), str(error.get("message", ""))
    return str(error or ""), str(body.get("error_description", ""))
