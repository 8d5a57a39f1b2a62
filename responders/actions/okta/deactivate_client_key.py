"""Deactivate a client's key the alert named, when another is active."""

from __future__ import annotations

from responders.actions.okta._client_credentials import ClientCredentials


class DeactivateClientKey(ClientCredentials):
    """POST /api/v1/apps/{app}/credentials/jwks/{key}/lifecycle/deactivate; undone by activate.

    Source: Okta API, "Application SSO Credentials".
    """

    breaks = "whatever signs in with this key; the client's other credentials stay"
    needs = ("okta.client_key_id",)
    manual = "Okta Admin > Applications > the app > General > Client Credentials > deactivate the key"
    sort = "key"
    listed = "jwks"


ACTION = DeactivateClientKey()
