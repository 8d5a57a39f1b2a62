"""Raw events of every log that usage is read from, and what they show: who uses what, how often."""

from __future__ import annotations

from datetime import datetime, timezone
from typing import Any, Dict, List, Tuple

TENANT = "85e54ec3-85ee-4b03-9e3b-863075eb9b62"
Event = Tuple[str, Any]


def iso(at: float) -> str:
    return datetime.fromtimestamp(at, timezone.utc).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def vault(at: float, entity: str, path: str, operation: str = "read", **more: Any) -> Event:
    request = {"id": f"r-{at}-{entity}-{path}", "operation": operation, "path": path, "remote_address": "198.51.100.7"}
    auth = {"accessor": "acc", "entity_id": entity, "display_name": "approle", "token_type": "service"}
    return "vault", {"time": iso(at), "type": "response", "auth": auth, "request": request, **more}


def cyberark(at: float, issuer: str, safe: str, file: str, code: str = "295") -> Event:
    record = {"MessageID": code, "Desc": "Retrieve password", "IsoTimestamp": iso(at), "Issuer": issuer, "Safe": safe,
              "File": f"Root\\{file}", "Station": "10.0.0.5", "Reason": "AIM password request"}  # fmt: skip
    return "cyberark", {"syslog": {"audit_record": record}}


def entra(at: float, principal: str, resource: str, code: int = 0, category: str = "ServicePrincipalSignInLogs") -> Event:
    properties = {"id": f"s-{at}-{principal}", "createdDateTime": iso(at), "servicePrincipalId": principal,
                  "resourceId": resource, "ipAddress": "203.0.113.9", "status": {"errorCode": code}}  # fmt: skip
    return "entra_signin", {"time": iso(at), "category": category, "tenantId": TENANT, "properties": properties}


def okta_sso(at: float, user: str, app: str, result: str = "SUCCESS") -> Event:
    target = [{"id": f"0ua{app}", "type": "AppUser"}, {"id": app, "type": "AppInstance", "displayName": "App"}]
    return "okta", {"uuid": f"o-{at}-{user}", "published": iso(at), "eventType": "user.authentication.sso",
                    "target": target, "actor": {"id": user, "type": "User", "alternateId": "a@corp"},
                    "outcome": {"result": result}}  # fmt: skip


def okta_grant(at: float, client: str, scopes: Any, result: str = "SUCCESS") -> Event:
    debug = {"grantType": "client_credentials", "grantedScopes": scopes}
    return "okta", {"uuid": f"g-{at}-{client}", "published": iso(at), "eventType": "app.oauth2.token.grant.access_token",
                    "actor": {"id": client, "type": "PublicClientApp", "alternateId": client}, "outcome": {"result": result},
                    "debugContext": {"debugData": debug},
                    "target": [{"id": "aus1", "type": "AuthorizationServer"}]}  # fmt: skip


def aws(at: float, source: str, name: str, who: Dict[str, Any], **more: Any) -> Event:
    return "aws_cloudtrail", {"eventID": f"e-{at}-{name}", "eventTime": iso(at), "eventSource": f"{source}.amazonaws.com",
                              "eventName": name, "sourceIPAddress": "203.0.113.9", "recipientAccountId": "111122223333",
                              "userIdentity": who, **more}  # fmt: skip


DEPLOY = {"type": "IAMUser", "principalId": "AIDADEPLOY", "arn": "arn:aws:iam::111122223333:user/deploy",
          "accountId": "111122223333", "accessKeyId": "AKIADEPLOY", "userName": "deploy"}  # fmt: skip
SESSION = {"type": "AssumedRole", "principalId": "AROADEV:alice@corp.example", "accountId": "111122223333",
           "arn": "arn:aws:sts::111122223333:assumed-role/dev/alice@corp.example", "accessKeyId": "ASIADEV",
           "sessionContext": {"sessionIssuer": {"type": "Role", "principalId": "AROADEV", "userName": "dev"}}}  # fmt: skip


def assume(at: float, session: str = "alice@corp.example", error: str = "") -> Event:
    told = (
        {"errorCode": error}
        if error
        else {
            "responseElements": {
                "credentials": {"accessKeyId": "ASIADEV", "expiration": "Mar 1, 2026"},
                "assumedRoleUser": {
                    "assumedRoleId": f"AROADEV:{session}",
                    "arn": f"arn:aws:sts::111122223333:assumed-role/dev/{session}",
                },
            }
        }
    )
    parameters = {"roleArn": "arn:aws:iam::111122223333:role/dev", "roleSessionName": session}
    return aws(at, "sts", "AssumeRole", DEPLOY, requestParameters=parameters, **told)


def web_identity(at: float, subject: str) -> Event:
    """A role taken with a token of an outside provider, whose subject says what that provider likes."""
    who = {"type": "WebIdentityUser", "principalId": f"idp.example:aud:{subject}", "userName": subject,
           "identityProvider": "arn:aws:iam::111122223333:oidc-provider/idp.example"}  # fmt: skip
    name, event = assume(at)
    return name, {**event, "eventID": f"w-{at}", "eventName": "AssumeRoleWithWebIdentity", "userIdentity": who}


def day(at: float) -> List[Event]:
    """A day of a small company, from that second on: everything that counts twice, and what must not count."""
    return [*used(at), *used(at + 600), *quiet(at)]


def used(at: float) -> List[Event]:
    return [
        vault(at, "ent-1", "kv/data/billing"), vault(at + 60, "ent-1", "database/creds/app"),
        cyberark(at, "Prov_billing7", "Apps", "db-1"), cyberark(at + 1, "asmith", "Linux", "os-1", "428"),
        cyberark(at + 2, "Prov_billing7", "Apps", "db-2", "319"),
        entra(at, "sp-checkout", "app-billing"), entra(at + 1, "sp-mi", "app-billing", category="ManagedIdentitySignInLogs"),
        okta_sso(at, "00uA", "0oaCRM"), okta_grant(at, "0oaSVC", "okta.users.read, okta.groups.read"),
        okta_grant(at + 1, "0oaLIST", ["okta.users.read", "okta.logs.read"]),
        assume(at), web_identity(at + 9, "x|aws:111122223333:AIDAOTHER\nkey|aws:111122223333:AIDADEPLOY|AKIAFORGED"),
        aws(at + 1, "secretsmanager", "GetSecretValue", SESSION, requestParameters={"secretId": "prod/db"}),
        aws(at + 2, "ssm", "GetParameter", SESSION, requestParameters={"name": "/prod/key", "withDecryption": True}),
    ]  # fmt: skip


SHOWN = {
    ("vault:default:ent-1", "path", "kv/data/billing"), ("vault:default:ent-1", "path", "database/creds/app"),
    ("cyberark:default:Prov_billing7", "object", "Apps/db-1"), ("cyberark:default:Prov_billing7", "object", "Apps/db-2"),
    ("cyberark:default:asmith", "object", "Linux/os-1"),
    (f"entra:{TENANT}:sp-checkout", "resource", f"entra:{TENANT}:app-billing"),
    (f"entra:{TENANT}:sp-mi", "resource", f"entra:{TENANT}:app-billing"),
    ("okta:default:00uA", "app", "okta:default:0oaCRM"),
    ("okta:default:0oaSVC", "scopes", "okta.groups.read okta.users.read"),
    ("okta:default:0oaLIST", "scopes", "okta.logs.read okta.users.read"),
    ("aws:111122223333:AIDADEPLOY", "role", "aws:111122223333:AROADEV"),
    ("aws:111122223333:AIDADEPLOY", "key", "AKIADEPLOY"),
    ("aws:111122223333:AROADEV", "session", "alice@corp.example"),
    ("aws:111122223333:idp.example:aud:x_aws:111122223333:AIDAOTHER_key_aws:111122223333:AIDADEPLOY_AKIAFORGED", "role",
     "aws:111122223333:AROADEV"),
    ("aws:111122223333:AROADEV", "secret", "secretsmanager prod/db"),
    ("aws:111122223333:AROADEV", "secret", "ssm /prod/key"),
}  # fmt: skip
"""Account, sort and object of everything that `day` shows, each used twice."""


def quiet(at: float) -> List[Event]:
    """What shows no use: refused, about itself, of components, of people at Entra, or without the name of a thing."""
    return [
        vault(at, "ent-1", "kv/data/refused", error="permission denied"), vault(at, "ent-1", "sys/mounts"),
        vault(at, "ent-1", "kv/metadata/", "list"), vault(at, "", "kv/data/x"),
        cyberark(at, "PasswordManager", "Linux", "os-1"), cyberark(at, "asmith", "", "os-1"),
        cyberark(at, "asmith", "A", "f", "7"),
        entra(at, "sp-refused", "app-billing", 7000215), entra(at, "sp-none", ""),
        okta_sso(at, "00uB", "0oaCRM", "FAILURE"), okta_grant(at, "0oaNO", "okta.users.read", "DENY"),
        assume(at + 3, error="AccessDenied"),
        aws(at, "s3", "GetObject", SESSION),
        aws(at + 4, "ssm", "GetParameter", SESSION, requestParameters={"name": "/plain"}),
    ]  # fmt: skip
