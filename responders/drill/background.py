"""The quiet day behind the attacks: events of people at work, in the shape the vendors document. Every value is synthetic.

Shapes: Okta, "System Log API" (LogEvent); Microsoft, "Microsoft Entra sign-in logs schema in Azure Monitor" and
"Microsoft Entra audit logs schema in Azure Monitor", as an Event Hub delivers them. Some come close to firing on purpose:
a phone that changes networks, two mistyped passwords, a password reset by the help desk.
"""

from __future__ import annotations

from typing import Any, Dict, List, Tuple

from responders.drill.events import stamp
from responders.drill.simulators.graph import TENANT

_PEOPLE = ("nadia", "oskar", "priya", "quentin", "rosa", "stefan")
_AGENT = "Mozilla/5.0 (Macintosh; Intel Mac OS X 10.15; rv:128.0) Gecko/20100101 Firefox/128.0"
_PHONE = "Mozilla/5.0 (iPhone; CPU iPhone OS 17_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Mobile/15E148"


def background() -> List[Tuple[str, Any]]:
    """Some minutes of ordinary Okta and Entra events, each with its source."""
    found: List[Tuple[str, Any]] = []
    for place, name in enumerate(_PEOPLE):
        ago = 250.0 - 20 * place
        found += [
            ("okta", okta(name, "user.session.start", ago, "Log in to Okta")),
            ("okta", okta(name, "user.authentication.sso", ago - 6, "User single sign on to app")),
            ("entra_signin", entra_sign_in(name, ago - 12)),
        ]
    roaming = okta("rosa", "policy.evaluate_sign_on", 130, "Evaluation of sign-on policy", agent=_PHONE)
    again = okta("rosa", "policy.evaluate_sign_on", 95, "Evaluation of sign-on policy", agent=_PHONE, network=64511)
    mistyped = [
        okta("stefan", "user.session.start", 170 - n, "Log in to Okta", reason="INVALID_CREDENTIALS") for n in (0, 8)
    ]
    found += [("okta", event) for event in (roaming, again, *mistyped)]
    found.append(("entra_audit", entra_password_reset("quentin", 110)))
    return found


def okta(
    name: str, kind: str, ago: float, text: str, *, agent: str = _AGENT, network: int = 64496, reason: str = ""
) -> Dict[str, Any]:
    """One LogEvent."""
    place = {"city": "Utrecht", "state": "Utrecht", "country": "Netherlands", "postalCode": "3511"}
    place_at: Dict[str, Any] = {**place, "geolocation": {"lat": 52.09, "lon": 5.12}}
    address = f"203.0.113.{network % 200}"
    return {
        "uuid": f"quiet-{name}-{kind}-{int(ago)}",
        "version": "0",
        "published": stamp(ago),
        "eventType": kind,
        "severity": "WARN" if reason else "INFO",
        "displayMessage": text,
        "legacyEventType": "core.user_auth.login_failed" if reason else "core.user_auth.login_success",
        "actor": {
            "id": f"00u{name}",
            "type": "User",
            "alternateId": f"{name}@corp.example",
            "displayName": name.capitalize(),
            "detailEntry": None,
        },
        "client": {
            "ipAddress": address,
            "device": "Mobile" if agent is _PHONE else "Computer",
            "zone": "null",
            "userAgent": {"rawUserAgent": agent, "os": "iOS" if agent is _PHONE else "Mac OS X", "browser": "FIREFOX"},
            "geographicalContext": place_at,
        },
        "outcome": {"result": "FAILURE", "reason": reason} if reason else {"result": "SUCCESS", "reason": None},
        "securityContext": {"asNumber": network, "asOrg": "example net", "isp": "example net", "isProxy": False},
        "debugContext": {"debugData": {"requestUri": "/idp/idx/identify", "threatSuspected": "false"}},
        "authenticationContext": {
            "authenticationStep": 0,
            "externalSessionId": f"102quiet{name}{'-phone' if agent is _PHONE else ''}",
            "issuer": None,
        },
        "transaction": {"type": "WEB", "id": f"quiet-{name}-{int(ago)}", "detail": {}},
        "request": {"ipChain": [{"ip": address, "version": "V4", "source": None, "geographicalContext": place_at}]},
        "target": [{"id": "0oaMail", "type": "AppInstance", "alternateId": "Mail", "displayName": "Mail"}],
    }


def entra_sign_in(name: str, ago: float) -> Dict[str, Any]:
    """One record of category SignInLogs."""
    return {
        "time": stamp(ago),
        "resourceId": f"/tenants/{TENANT}/providers/Microsoft.aadiam",
        "operationName": "Sign-in activity",
        "operationVersion": "1.0",
        "category": "SignInLogs",
        "tenantId": TENANT,
        "resultType": "0",
        "callerIpAddress": "203.0.113.96",
        "correlationId": f"quiet-{name}",
        "Level": 4,
        "location": "NL",
        "properties": {
            "id": f"quiet-sign-in-{name}",
            "createdDateTime": stamp(ago),
            "userDisplayName": name.capitalize(),
            "userPrincipalName": f"{name}@corp.example",
            "userId": f"00000000-0000-4000-9000-{_PEOPLE.index(name):012d}",
            "appId": "00000000-0000-4000-9000-0000000000ff",
            "appDisplayName": "Mail",
            "ipAddress": "203.0.113.96",
            "status": {"errorCode": 0, "additionalDetails": "MFA requirement satisfied by claim in the token"},
            "clientAppUsed": "Browser",
            "userAgent": _AGENT,
            "deviceDetail": {"deviceId": f"device-{name}", "operatingSystem": "MacOs", "isCompliant": True},
            "location": {"city": "Utrecht", "state": "Utrecht", "countryOrRegion": "NL"},
            "conditionalAccessStatus": "success",
            "isInteractive": True,
            "authenticationRequirement": "multiFactorAuthentication",
            "riskLevelDuringSignIn": "none",
            "riskState": "none",
            "autonomousSystemNumber": 64496,
            "authenticationProtocol": "none",
        },
    }


def entra_password_reset(name: str, ago: float) -> Dict[str, Any]:
    """One record of category AuditLogs."""
    user = f"00000000-0000-4000-9000-{_PEOPLE.index(name):012d}"
    target = {"id": user, "type": "User", "userPrincipalName": f"{name}@corp.example", "modifiedProperties": []}
    by = {"id": "00000000-0000-4000-9000-0000000000aa", "userPrincipalName": "helpdesk@corp.example"}
    return {
        "time": stamp(ago),
        "resourceId": f"/tenants/{TENANT}/providers/Microsoft.aadiam",
        "operationName": "Reset user password",
        "operationVersion": "1.0",
        "category": "AuditLogs",
        "tenantId": TENANT,
        "resultSignature": "None",
        "identity": "Help desk",
        "properties": {
            "id": f"quiet-reset-{name}",
            "category": "UserManagement",
            "result": "success",
            "activityDisplayName": "Reset user password",
            "activityDateTime": stamp(ago),
            "loggedByService": "Core Directory",
            "initiatedBy": {"user": {**by, "ipAddress": "203.0.113.97"}},
            "targetResources": [target],
        },
    }
