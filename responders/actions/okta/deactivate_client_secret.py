"""Deactivate a client's secret the alert named, when another is active."""

from __future__ import annotations

from responders.actions.okta._client_credentials import ClientCredentials


class DeactivateClientSecret(ClientCredentials):
    """POST /api/v1/apps/{app}/credentials/secrets/{secret}/lifecycle/deactivate; undone by activate.

    Source: Okta API, "Application SSO Credentials".
    """

    breaks = "whatever signs in with this secret; the client's other credentials stay"
    needs = ("okta.client_secret_id",)
    manual = "Okta Admin > Applications > the app > General > Client Credentials > deactivate the secret"
    sort = "secret"
    listed = "secrets"


ACTION = DeactivateClientSecret()
