"""Events of the drill: real CloudTrail with its times shifted, and synthetic ones in the vendors' own shape."""

from __future__ import annotations

import json
from datetime import datetime, timedelta, timezone
from typing import Any, Dict, List

from responders.content.forms import parse_time
from responders.content.loader import ROOT
from responders.drill.simulators.graph import TENANT

SAMPLES = ROOT / "samples"


def as_list(value: Any) -> List[str]:
    if value is None:
        return []
    return list(value) if isinstance(value, list) else [str(value)]


def stamp(seconds_ago: float) -> str:
    at = datetime.now(timezone.utc) - timedelta(seconds=seconds_ago)
    return at.strftime("%Y-%m-%dT%H:%M:%S.%f")[:-3] + "Z"


def aws_attack(name: str, ago: float) -> List[Dict[str, Any]]:
    """One real attack run in AWS, its CloudTrail shifted so that the last event is `ago` seconds old."""
    events: List[Dict[str, Any]] = json.loads((SAMPLES / "aws_stratus" / f"{name}.json").read_text(encoding="utf-8"))
    times = [parse_time(event["eventTime"]) or 0.0 for event in events]
    for event, at in zip(events, times):
        event["eventTime"] = stamp(ago + max(times) - at)
    return sorted(events, key=lambda event: str(event["eventTime"]))


def attack_runs() -> int:
    """How many real attack runs in AWS there are."""
    return len(list((SAMPLES / "aws_stratus").glob("*.json")))


def aws_attacks(first: str, ago: float) -> List[Dict[str, Any]]:
    """Every real attack run there is; `first` ends `ago` seconds ago, the others are spread over the minutes before."""
    names = sorted(path.stem for path in (SAMPLES / "aws_stratus").glob("*.json"))
    names.remove(first)
    found = aws_attack(first, ago)
    for place, name in enumerate(names):
        found += aws_attack(name, ago + 30.0 + 20.0 * place)
    return found


def lab_grant(ago: float) -> Dict[str, Any]:
    """A real Global Administrator grant of a lab tenant, as Microsoft 365's unified audit log has it."""
    text = (SAMPLES / "m365_audit" / "t1098.003_add_role_global_admin.json").read_text(encoding="utf-8")
    event: Dict[str, Any] = json.JSONDecoder().raw_decode(text)[0]
    return {**event, "CreationTime": stamp(ago)[:19]}


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


def checkout_event(user: str, safe: str, file: str) -> Dict[str, Any]:
    """A retrieval as the vault's syslog translator writes it (CyberArk, "Vault audit action codes": 295)."""
    record = {"MessageID": "295", "Desc": "Retrieve password", "IsoTimestamp": stamp(0), "Issuer": user, "Safe": safe}
    record.update(File=f"Root\\{file}", Station="203.0.113.9", Reason="drill", Severity="Info")
    return {"syslog": {"audit_record": record}}


def assume_role_event(account: str, principal: str, ago: float) -> Dict[str, Any]:
    return {
        "eventVersion": "1.08",
        "eventID": "drill-assume-role",
        "eventTime": stamp(ago),
        "eventSource": "sts.amazonaws.com",
        "eventName": "AssumeRole",
        "awsRegion": "us-east-1",
        "sourceIPAddress": "203.0.113.9",
        "recipientAccountId": account,
        "userIdentity": {
            "type": "AssumedRole",
            "principalId": f"{principal}:alice",
            "arn": f"arn:aws:sts::{account}:assumed-role/deploy/alice",
            "accountId": account,
            "accessKeyId": "ASIADRILL",
        },
    }


def secret_read_event(entity: str, path: str, ago: float) -> Dict[str, Any]:
    return {
        "time": stamp(ago),
        "type": "response",
        "auth": {"accessor": "drill", "entity_id": entity, "display_name": "userpass-alice", "policies": ["app"]},
        "request": {"id": "drill-read", "operation": "read", "path": path, "remote_address": "203.0.113.9"},
    }
