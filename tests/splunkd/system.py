"""server/info, kvstore/status, messages, reloads.

Sources: Splunk REST API Reference, "server/info" (answers without authentication, kvStoreStatus), "kvstore/status",
"messages"; status definitions, Admin Manual, "KV store troubleshooting tools"; `_reload` of an app and of scripted inputs,
splunk-sdk-javascript (Application.reload) and the REST API Reference's list of data/inputs/script.
"""

from __future__ import annotations

from tests.splunkd.answer import Answer, Entry, Request, need, no_argument, not_found
from tests.splunkd.deployment import Deployment


def _info(deployment: Deployment, request: Request) -> Answer:
    content = {"version": deployment.version, "kvStoreStatus": deployment.kvstore, "serverName": "sh1",
               "product_type": "enterprise", "server_roles": ["search_head", "kv_store"], "guid": "0"}  # fmt: skip
    return Answer(
        entries=[Entry("server-info", content, "/services/server/info/server-info", "system")], title="server-info"
    )


def _status(deployment: Deployment, request: Request) -> Answer:
    content = {"current": {"status": deployment.kvstore, "replicationStatus": "KV store captain"}}
    return Answer(entries=[Entry("status", content, "/services/kvstore/status/status", "search")], title="kvstore-status")


def _messages(deployment: Deployment, request: Request) -> Answer:
    found = [_message(name, *what) for name, what in deployment.messages.items()]
    return Answer(entries=found, title="messages")


def _message(name: str, severity: str, text: str) -> Entry:
    return Entry(name, {"severity": severity, "message": text}, f"/services/messages/{name}", "system")


def _post(deployment: Deployment, request: Request) -> Answer:
    for name in request.arguments:
        if name not in ("name", "value", "severity", "capability", "role", "help"):
            raise no_argument(name)
    deployment.messages[request.one("name")] = (request.one("severity", "warn"), request.one("value"))
    return Answer(201, [_message(request.one("name"), *deployment.messages[request.one("name")])], title="messages")


def _remove(deployment: Deployment, request: Request) -> Answer:
    if deployment.messages.pop(request.path[1], None) is None:
        raise not_found(request.path[1])
    return Answer(entries=[], title="messages")


def _reload(deployment: Deployment, request: Request) -> Answer:
    """Read an app's conf files, or the scripted inputs, anew."""
    need(request.user, "edit_local_apps" if request.path[0] == "apps" else "edit_script")
    deployment.reloaded.append("/".join(request.path[:-1]))
    return Answer(entries=[], title="_reload")


ROUTES = (
    ("POST", ("apps", "local", "*", "_reload"), _reload),
    ("POST", ("data", "inputs", "script", "_reload"), _reload),
    ("GET", ("server", "info"), _info),
    ("GET", ("server", "info", "server-info"), _info),
    ("GET", ("kvstore", "status"), _status),
    ("GET", ("messages",), _messages),
    ("POST", ("messages",), _post),
    ("DELETE", ("messages", "*"), _remove),
)
