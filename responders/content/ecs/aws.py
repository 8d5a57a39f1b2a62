"""CloudTrail events as the integration `aws` (cloudtrail) indexes them."""

from __future__ import annotations

from typing import Any, Dict, Mapping

from responders.content.ecs.document import Doc, get

_IGNORE_ABOVE = 8191
"""The mapping ignores longer texts: a query can't see them, so they are left out here as well."""

_SAME = (
    ("aws.cloudtrail.user_identity.type", "userIdentity.type"), ("aws.cloudtrail.user_identity.arn", "userIdentity.arn"),
    ("aws.cloudtrail.user_identity.access_key_id", "userIdentity.accessKeyId"),
    ("aws.cloudtrail.user_identity.invoked_by", "userIdentity.invokedBy"),
    ("aws.cloudtrail.user_identity.session_context.session_issuer.principal_id",
     "userIdentity.sessionContext.sessionIssuer.principalId"),
    ("aws.cloudtrail.user_identity.session_context.session_issuer.arn", "userIdentity.sessionContext.sessionIssuer.arn"),
    ("aws.cloudtrail.user_identity.session_context.session_issuer.account_id",
     "userIdentity.sessionContext.sessionIssuer.accountId"),
    ("aws.cloudtrail.error_code", "errorCode"), ("aws.cloudtrail.error_message", "errorMessage"),
    ("aws.cloudtrail.recipient_account_id", "recipientAccountId"), ("aws.cloudtrail.event_type", "eventType"),
    ("event.action", "eventName"), ("event.provider", "eventSource"), ("event.id", "eventID"),
    ("user.id", "userIdentity.principalId"), ("user.name", "userIdentity.userName"), ("source.address", "sourceIPAddress"),
    ("user_agent.original", "userAgent"), ("cloud.region", "awsRegion"),
)  # fmt: skip

FIELDS: Dict[str, str] = {
    **dict.fromkeys([name for name, _ in _SAME], "keyword"),
    "aws.cloudtrail.request_parameters": "keyword", "aws.cloudtrail.response_elements": "keyword",
    "aws.cloudtrail.flattened.request_parameters": "flattened",
    "aws.cloudtrail.flattened.response_elements": "flattened",
    "cloud.account.id": "keyword", "event.outcome": "keyword", "source.ip": "ip",
}  # fmt: skip


def fill(event: Mapping[str, Any], document: Doc) -> str:
    """Fill a document from a CloudTrail record (AWS, "CloudTrail record contents"); its eventID."""
    for name, path in _SAME:
        document.put(name, get(event, path))
    document.put("cloud.account.id", event.get("recipientAccountId") or get(event, "userIdentity.accountId"))
    document.put("event.outcome", "failure" if event.get("errorCode") else "success")
    document.put_ip("source.ip", event.get("sourceIPAddress"))
    for name, raw in (("request_parameters", "requestParameters"), ("response_elements", "responseElements")):
        value = event.get(raw)
        if isinstance(value, Mapping) and value:
            text = as_text(value)
            if len(text) <= _IGNORE_ABOVE:
                document.put(f"aws.cloudtrail.{name}", text)
            document.put_object(f"aws.cloudtrail.flattened.{name}", value)
    found = event.get("eventID")
    return found if isinstance(found, str) else ""


def as_text(value: Any) -> str:
    """The text form the pipeline's convert processor gives an object: Java's `{a=b, c=[d, e]}`."""
    if isinstance(value, Mapping):
        return "{" + ", ".join(f"{key}={as_text(item)}" for key, item in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(as_text(item) for item in value) + "]"
    if isinstance(value, bool):
        return "true" if value else "false"
    return "null" if value is None else str(value)
