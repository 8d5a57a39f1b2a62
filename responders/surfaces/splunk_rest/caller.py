"""Who is calling, by the session's own key; and who that is in the inventory."""

from __future__ import annotations

from dataclasses import dataclass
from typing import FrozenSet

from responders.containment.askers import person_of
from responders.containment.responder import Responder
from responders.errors import Refused
from responders.splunk.splunkd import Splunkd, SplunkError
from responders.surfaces.splunk_rest.wire import Status

VIEW = "tourniquet_view_journal"
PREVIEW = "tourniquet_preview"
RESTRICT = "tourniquet_contain_restrict"
REVOKE = "tourniquet_contain_revoke"
RESTORE = "tourniquet_restore"
POLICY = "tourniquet_edit_policy"
CONFIGURE = "tourniquet_configure"
EXECUTE = "tourniquet_execute"
RELAY = "tourniquet_relay"


@dataclass(frozen=True)
class Caller:
    """A Splunk user. The name and the capabilities are splunkd's answer about the session key, never the request's words."""

    name: str
    capabilities: FrozenSet[str]

    def may(self, *capabilities: str) -> bool:
        """True when they have one of these."""
        return bool(self.capabilities & set(capabilities))

    def need(self, *capabilities: str) -> None:
        """Raises Status 403 when they have none of these."""
        if not self.may(*capabilities):
            raise Status(
                403, f"Splunk user {self.name} lacks the capability {' or '.join(capabilities)}: ask a Splunk administrator"
            )


def caller_of(splunkd: Splunkd) -> Caller:
    """Whose session this is. `splunkd` is the connection with the caller's own key.

    Source: Splunk REST API Reference, "authentication/current-context". Raises Status 401, SplunkError.
    """
    try:
        content = splunkd.entries("authentication", "current-context")[0]["content"]
        return Caller(str(content["username"]), frozenset(map(str, content["capabilities"])))
    except SplunkError as error:
        if error.status in (401, 403):
            raise Status(401, "the session has ended: sign in again") from None
        raise
    except (LookupError, TypeError):
        raise Status(503, "splunkd did not say whose session this is: try again") from None


def person(caller: Caller, responder: Responder, tenant: str) -> str:
    """The identity id of the caller: the one whose accounts or aliases say `splunk:TENANT:USER`, exactly.

    Raises Status 403 when there is none, or when they are contained at the moment.
    """
    try:
        return person_of(responder, "splunk", tenant, caller.name)
    except Refused as error:
        raise Status(403, str(error)) from None
