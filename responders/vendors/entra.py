"""Microsoft Graph with tokens by msal: client secret or certificate."""

from __future__ import annotations

import base64
import json
import time
import uuid
from dataclasses import dataclass
from typing import Any, Dict, FrozenSet, Mapping, Tuple
from urllib.parse import urlsplit

import requests

from responders.errors import BadAnswer, BadSettings, RateLimited, TourniquetError, Unauthorized, Unavailable
from responders.vendors.base import BaseClient, Page, listed, seconds
from responders.vendors.client import Response
from responders.vendors.deadline import Watch, WatchedAdapter
from responders.vendors.redact import redact
from responders.vendors.signing import rs256
from responders.vendors.transport import Transport, retry_at

_MAX_ANSWER = 1024 * 1024


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
        self._expires = float("inf")
        self._granted: FrozenSet[str] = frozenset()

    def granted(self) -> FrozenSet[str]:
        """Application permissions in the `roles` of the token after sign-in; empty when they can't be read there.

        Only for telling people what is missing: nothing is allowed or refused by it.
        """
        return self._granted

    def expired(self) -> bool:
        return time.time() > self._expires

    def sign_in(self) -> Dict[str, str]:
        found = self._token()
        token = found.get("access_token")
        if not isinstance(token, str):
            code = redact(str(found.get("error", "")), limit=60)
            if code in ("temporarily_unavailable", "server_error"):
                raise Unavailable(self.vendor, f"no token: {code}", code=code)
            raise Unauthorized(
                self.vendor, f"no token: {code}: check client id, secret or certificate, and tenant", code=code
            )
        self.transport.keep_secret((token,))
        self._expires = time.time() + seconds(self.vendor, found.get("expires_in"), 3600) - 60
        self._granted = _roles_in(token)
        return {"Authorization": f"Bearer {token}", "ConsistencyLevel": "eventual"}

    def _token(self) -> Mapping[str, Any]:
        """What msal says. A new application each time: the old one's cache would give a refused token again.

        msal is imported here: only a responder that talks to Entra pays for it.
        """
        import msal

        given = self._credential
        secret: Any = given.secret
        if given.private_key:
            secret = {"client_assertion": self._assertion}
        parts = urlsplit(self._login)
        try:
            application = msal.ConfidentialClientApplication(
                given.client_id,
                client_credential=secret,
                # msal takes https authorities only; a drill's loopback one is sent over http by MsalHttp.
                authority=f"https://{parts.netloc}{parts.path}/{self.tenant}",
                instance_discovery=False,
                http_client=MsalHttp(self.transport, plain=parts.scheme == "http"),
            )
            found = application.acquire_token_for_client(
                scopes=[self.settings.get("scope", "https://graph.microsoft.com/.default")]
            )
        except TourniquetError:
            raise
        except (requests.RequestException, msal.exceptions.MsalServiceError) as error:
            raise Unavailable(self.vendor, f"the login endpoint did not answer ({type(error).__name__})") from None
        except Exception as error:  # msal raises whatever an unexpected answer makes it stumble over
            raise BadAnswer(self.vendor, f"the login endpoint's answer can't be read ({type(error).__name__})") from None
        if not isinstance(found, Mapping):
            raise BadAnswer(self.vendor, "the login endpoint's answer is no object")
        return found

    def _assertion(self) -> str:
        """A JWT by the certificate's key. Ours, not msal's, which needs `cryptography`; Splunk's interpreter lacks it.

        Source: Microsoft identity platform, "Application authentication certificate credentials".
        """
        given, now = self._credential, int(time.time())
        try:
            thumbprint = base64.urlsafe_b64encode(bytes.fromhex(given.thumbprint.replace(":", ""))).rstrip(b"=").decode()
        except ValueError:
            remedy = "give the certificate's SHA-1 thumbprint in hexadecimal"
            raise BadSettings("is no thumbprint", place="entra.thumbprint", remedy=remedy) from None
        claims = {
            "iss": given.client_id, "sub": given.client_id, "aud": f"{self._login}/{self.tenant}/oauth2/v2.0/token",
            "jti": str(uuid.uuid4()), "nbf": now - 60, "iat": now, "exp": now + 300,
        }  # fmt: skip
        return rs256(given.private_key, {"typ": "JWT", "x5t": thumbprint}, claims)

    def page(self, answer: Response) -> Page:
        items = listed(self.vendor, answer.body, "value")
        following = answer.body.get("@odata.nextLink")
        return items, str(following) if following else None

    def read_own_ids(self) -> FrozenSet[str]:
        query = {"$filter": f"appId eq '{self._credential.client_id}'", "$select": "id"}
        return frozenset(str(item["id"]) for item in self.items("/servicePrincipals", query=query))


def _roles_in(token: str) -> FrozenSet[str]:
    """The `roles` claim of an access token, unverified: the login endpoint gave it to us over TLS."""
    parts = token.split(".")
    try:
        text = parts[1] if len(parts) == 3 else ""
        claims = json.loads(base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)))
        roles = claims.get("roles")
    except (ValueError, RecursionError, AttributeError):
        return frozenset()
    return frozenset(role for role in roles if isinstance(role, str)) if isinstance(roles, list) else frozenset()


@dataclass(frozen=True)
class MsalAnswer:
    """What msal reads of an answer."""

    status_code: int
    text: str
    headers: Mapping[str, str]

    def raise_for_status(self) -> None:
        """msal calls this for 5xx, which never come so far."""


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
        with Watch(limits.attempt) as watch, requests.Session() as session:
            session.trust_env = False
            session.mount("https://", WatchedAdapter())
            session.mount("http://", WatchedAdapter())
            proxy = self._endpoint.proxy
            session.proxies = {"https": proxy, "http": proxy} if proxy else {}
            answer = session.request(
                method, url, allow_redirects=False, verify=self._endpoint.ca or True, stream=True, **options
            )
            with answer:
                text = b""
                for part in answer.iter_content(65536):
                    text += part
                    if len(text) > _MAX_ANSWER:
                        raise BadAnswer("entra", "the login endpoint answered more than 1 MiB")
            if watch.late:
                raise requests.ReadTimeout("the answer came too slowly")
        if answer.status_code == 429:
            raise RateLimited(
                "entra",
                "the login endpoint's rate limit",
                retry_at=retry_at({k.lower(): v for k, v in answer.headers.items()}),
            )
        if answer.status_code >= 500:
            raise Unavailable("entra", f"the login endpoint answered {answer.status_code}", status=answer.status_code)
        return MsalAnswer(answer.status_code, text.decode("utf-8", "replace"), dict(answer.headers))


def explain(body: Any) -> Tuple[str, str]:
    """Graph's error body: error.code, error.message; the token endpoint's: error, error_description."""
    error = body.get("error")
    if isinstance(error, Mapping):
        return str(error.get("code", "")), str(error.get("message", ""))
    return str(error or ""), str(body.get("error_description", ""))
