"""CloudTrail events as the integration `aws` (cloudtrail) indexes them.

Read in elastic/integrations: packages/aws/data_stream/cloudtrail fields/fields.yml (0b97ab0) and
ingest_pipeline/default.yml (0046748). Parameters are there twice: as text, in the form of Java's Map.toString with keys in
no promised order, and `flattened`. cloud.account.id is the caller's account, recipient_account_id the trail's.
"""

from __future__ import annotations

from typing import Any, Mapping

from responders.content.ecs.common import Doc, get, pruned

TIMES = ("eventTime",)
_IDENTITY = "aws.cloudtrail.user_identity"
_ISSUER = f"{_IDENTITY}.session_context.session_issuer"
_LONGEST_TEXT, _LONGEST_FLATTENED = 8191, 32765
"""The mapping's `ignore_above` of the text form; from 32766 characters on the pipeline makes no flattened one."""
_SAME = (
    (f"{_IDENTITY}.type", "userIdentity.type"), (f"{_IDENTITY}.arn", "userIdentity.arn"),
    (f"{_IDENTITY}.access_key_id", "userIdentity.accessKeyId"), (f"{_IDENTITY}.invoked_by", "userIdentity.invokedBy"),
    (f"{_IDENTITY}.session_context.mfa_authenticated", "userIdentity.sessionContext.attributes.mfaAuthenticated"),
    (f"{_IDENTITY}.session_context.creation_date", "userIdentity.sessionContext.attributes.creationDate"),
    (f"{_ISSUER}.type", "userIdentity.sessionContext.sessionIssuer.type"),
    (f"{_ISSUER}.principal_id", "userIdentity.sessionContext.sessionIssuer.principalId"),
    (f"{_ISSUER}.arn", "userIdentity.sessionContext.sessionIssuer.arn"),
    (f"{_ISSUER}.account_id", "userIdentity.sessionContext.sessionIssuer.accountId"),
    ("aws.cloudtrail.error_code", "errorCode"), ("aws.cloudtrail.error_message", "errorMessage"),
    ("aws.cloudtrail.recipient_account_id", "recipientAccountId"), ("aws.cloudtrail.event_type", "eventType"),
    ("aws.cloudtrail.event_category", "eventCategory"), ("aws.cloudtrail.event_version", "eventVersion"),
    ("aws.cloudtrail.request_id", "requestID"), ("aws.cloudtrail.read_only", "readOnly"),
    ("aws.cloudtrail.management_event", "managementEvent"), ("aws.cloudtrail.shared_event_id", "sharedEventID"),
    ("aws.cloudtrail.vpc_endpoint_id", "vpcEndpointId"),
    ("user.name", "userIdentity.sessionContext.sessionIssuer.userName"), ("user.name", "userIdentity.userName"),
    ("user.id", "userIdentity.principalId"), ("cloud.account.id", "userIdentity.accountId"), ("cloud.region", "awsRegion"),
    ("event.action", "eventName"), ("event.provider", "eventSource"), ("event.id", "eventID"),
    ("source.address", "sourceIPAddress"), ("source.ip", "sourceIPAddress"), ("user_agent.original", "userAgent"),
    ("user.target.id", "responseElements.user.userId"), ("user.target.name", "requestParameters.userName"),
    ("group.name", "requestParameters.groupName"),
)  # fmt: skip
_PARAMETERS = (
    ("request_parameters", "requestParameters"), ("response_elements", "responseElements"),
    ("additional_eventdata", "additionalEventData"),
)  # fmt: skip


def fill(event: Mapping[str, Any], document: Doc) -> str:
    """Fill a document from a CloudTrail record (AWS CloudTrail User Guide, "Record contents"); its eventID."""
    for name, path in _SAME:
        document.put(name, get(event, path))
    failed = event.get("errorCode") or event.get("errorMessage")
    login = get(event, "responseElements.ConsoleLogin")
    if event.get("eventName") == "ConsoleLogin" and isinstance(login, str):
        document.put("event.outcome", login.lower())
        used = {"yes": True, "no": False}.get(str(get(event, "additionalEventData.MFAUsed")).lower())
        document.put("aws.cloudtrail.console_login.additional_eventdata.mfa_used", used)
    else:
        document.put("event.outcome", "failure" if failed else "success")
    document.put("actor.entity.id", get(event, "userIdentity.arn") or get(event, "userIdentity.onBehalfOf.userId"))
    for name, raw in _PARAMETERS:
        value = pruned(event.get(raw))
        if isinstance(value, Mapping):
            text = as_text(value)
            document.put(f"aws.cloudtrail.{name}", text, longest=_LONGEST_TEXT if name != "additional_eventdata" else 1024)
            if len(text) <= _LONGEST_FLATTENED:
                document.put(f"aws.cloudtrail.flattened.{name}", value)
    return str(event.get("eventID", ""))


def as_text(value: Any) -> str:
    """The text form the pipeline gives an object, Java's `{a=b, c=[d, e]}`."""
    if isinstance(value, Mapping):
        return "{" + ", ".join(f"{key}={as_text(item)}" for key, item in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(as_text(item) for item in value) + "]"
    if isinstance(value, bool):
        return "true" if value else "false"
    return "null" if value is None else str(value)
