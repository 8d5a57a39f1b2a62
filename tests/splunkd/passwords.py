"""storage/passwords.

Sources: Splunk REST API Reference, "storage/passwords"; the 403's words as solnlib's tests have them (requires capability:
list_storage_passwords OR edit_storage_passwords OR admin_all_objects); the stanza's name, passwords.conf.spec; read access
counts beside the capability: Splunk, "Manage credentials used by apps and data inputs", and default.meta.conf.spec.
"""

from __future__ import annotations

from typing import Tuple

from tests.splunkd.answer import Answer, Entry, Refuse, Request, need, no_argument, not_found
from tests.splunkd.deployment import Deployment, Password

_READ = ("list_storage_passwords", "edit_storage_passwords")


def stanza(password: Password) -> str:
    """`realm:name:`, with each colon of its parts escaped."""
    return ":".join((password.realm.replace(":", "\\:"), password.name.replace(":", "\\:"), ""))


def _entry(password: Password) -> Entry:
    content = {
        "clear_password": password.clear, "encr_password": "$7$…", "password": "********",
        "realm": password.realm or None, "username": password.name,
    }  # fmt: skip
    name = stanza(password)
    path = f"/servicesNS/nobody/{password.app}/storage/passwords/{name.replace('/', '%2F')}"
    return Entry(name, content, path, password.app)


def _all(deployment: Deployment, request: Request) -> Answer:
    need(request.user, *_READ)
    shown = deployment.may(request.user, "read", "passwords")
    found = [p for p in deployment.passwords.values() if shown and request.app in ("-", p.app)]
    wanted = request.one("search")
    entries = [_entry(p) for p in found]
    if wanted:  # `name=value` terms or a bare word, over the entry's fields (REST: filtering parameters)
        entries = [entry for entry in entries if _matches(entry, wanted)]
    return Answer(entries=entries, title="passwords")


def _matches(entry: Entry, wanted: str) -> bool:
    for term in wanted.split():
        name, equals, value = term.partition("=")
        value = value.strip('"')
        if equals and str(entry.content.get(name, "")) != value:
            return False
        if not equals and term.strip("*") not in entry.name:
            return False
    return True


def _key(deployment: Deployment, request: Request) -> Tuple[str, str, str]:
    name = request.path[2]
    if not deployment.may(request.user, "read" if request.method == "GET" else "write", "passwords"):
        raise not_found(name)
    for key, password in deployment.passwords.items():
        if key[0] == request.app and name in (stanza(password), stanza(password).rstrip(":")):
            return key
    raise not_found(name)


def _one(deployment: Deployment, request: Request) -> Answer:
    need(request.user, *_READ)
    return Answer(entries=[_entry(deployment.passwords[_key(deployment, request)])], title="passwords")


def _create(deployment: Deployment, request: Request) -> Answer:
    need(request.user, "edit_storage_passwords")
    given = request.arguments
    for name in given:
        if name not in ("name", "password", "realm"):
            raise no_argument(name)
    if request.app == "-":
        raise Refuse(400, "Wildcards are not allowed in the namespace.")
    for name in ("name", "password"):
        if not given.get(name):
            raise Refuse(400, f"The following required arguments are missing: {name}.")
    made = Password(request.app, given.get("realm", ""), given["name"], given["password"])
    key = (made.app, made.realm, made.name)
    if key in deployment.passwords:
        raise Refuse(409, f"An object with name={stanza(made)} already exists")
    deployment.passwords[key] = made
    return Answer(201, [_entry(made)], title="passwords")


def _update(deployment: Deployment, request: Request) -> Answer:
    need(request.user, "edit_storage_passwords")
    key = _key(deployment, request)
    given = request.arguments
    for name in given:
        if name != "password":
            raise no_argument(name)
    old = deployment.passwords[key]
    deployment.passwords[key] = Password(old.app, old.realm, old.name, given["password"])
    return Answer(entries=[_entry(deployment.passwords[key])], title="passwords")


def _delete(deployment: Deployment, request: Request) -> Answer:
    need(request.user, "edit_storage_passwords")
    del deployment.passwords[_key(deployment, request)]
    return Answer(entries=[], title="passwords")


_PATH = ("storage", "passwords")
ROUTES = (
    ("GET", _PATH, _all),
    ("POST", _PATH, _create),
    ("GET", (*_PATH, "*"), _one),
    ("POST", (*_PATH, "*"), _update),
    ("DELETE", (*_PATH, "*"), _delete),
)
