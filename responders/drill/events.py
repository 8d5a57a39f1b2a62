"""Events of the drill: real CloudTrail with its times shifted, and synthetic ones in the vendors' own shape."""

from __future__ import annotations

import json
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any, Dict, List

from responders.drill.simulators.graph import TENANT

DATA = Path(__file__).with_name("data")


def as_list(value: Any) -> List[str]:
    if value is None:
        return []
    return list(value) if isinstance(value, list) else [str(value)]


def stamp(seconds_ago: float) -> str:
    at = datetime.now(timezone.utc) - timedelta(seconds=seconds_ago)
    return at.strftime("%Y-%m-%dT%H:%M:%S.%f")[:-3] + "Z"


def aws_events() -> List[Dict[str, Any]]:
    """The real CloudTrail events, their times shifted so that the last one is a minute old."""
    events: List[Dict[str, Any]] = json.loads((DATA / "aws.persistence.iam-create-admin-user.json").read_text())
    events.sort(key=lambda event: str(event["eventTime"]))
    for event in events:
        event["eventTime"] = stamp(60)
    return events


def okta_event(
    kind: str, user: str, uuid: str, ago: float, *, network: int = 64500, agent: str = "Firefox", result: str = "SUCCESS"
) -> Dict[str, Any]:
    return {
        "uuid": uuid,
        "published": stamp(ago),
        "eventType": kind,
        "actor": {"id": user, "type": "User", "alternateId": f"{user}@corp.example"},
        "authenticationContext": {"externalSessionId": f"session-{user}"},
        "client": {"ipAddress": f"198.51.100.{network % 200}", "userAgent": {"rawUserAgent": agent}},
        "securityContext": {"asNumber": network, "isProxy": False},
        "outcome": {"result": result},
    }


def grant_event(user: str) -> Dict[str, Any]:
    change = [{"displayName": "Role.DisplayName", "newValue": '"Global Administrator"'}]
    return {
        "time": stamp(60),
        "operationName": "Add member to role",
        "category": "AuditLogs",
        "tenantId": TENANT,
        "properties": {
            "id": "drill-grant",
            "activityDisplayName": "Add member to role",
            "result": "success",
            "initiatedBy": {"user": {"id": "someone", "userPrincipalName": "someone@corp.example"}},
            "targetResources": [{"id": user, "type": "User", "modifiedProperties": change}],
        },
    }
