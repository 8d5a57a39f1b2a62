"""configs/conf-NAME, saved/searches, properties.

Sources: Splunk REST API Reference, "configs/conf-{file}" and "saved/searches"; a change lands in local/, default/ stays.
"""

from __future__ import annotations

from typing import Any, Dict, Mapping

from tests.splunkd.answer import Answer, Entry, Refuse, Request, need, not_found
from tests.splunkd.deployment import Deployment


def _need_write(deployment: Deployment, request: Request) -> None:
    """What the app's metadata says of the conf file; of searches by default that an administrator may."""
    if not deployment.may(request.user, "write", _conf(request)):
        raise Refuse(403, f"User '{request.user.name}' cannot write: /nobody/{deployment.app}/{_where(request)}")


def _conf(request: Request) -> str:
    return "savedsearches" if request.path[0] == "saved" else request.path[1][len("conf-") :]


def _where(request: Request) -> str:
    return "saved/searches" if request.path[0] == "saved" else f"configs/{request.path[1]}"


def _entry(deployment: Deployment, app: str, request: Request, name: str, values: Mapping[str, str]) -> Entry:
    content: Dict[str, Any] = {"disabled": False, **values, "eai:appName": app, "eai:userName": "nobody"}
    if isinstance(content["disabled"], str):
        content["disabled"] = content["disabled"] in ("1", "true")
    return Entry(
        name, content, f"/servicesNS/nobody/{app}/{_where(request)}/{name.replace('/', '%2F').replace(' ', '%20')}", app
    )


def _all(deployment: Deployment, request: Request) -> Answer:
    conf = _conf(request)
    apps = [app for app, name in deployment.confs if name == conf and request.app in ("-", app)]
    if not apps and request.path[0] != "saved":
        raise not_found(conf)
    entries = [
        _entry(deployment, app, request, name, values)
        for app in apps
        for name, values in deployment.merged(app, conf).items()
    ]
    return Answer(entries=entries, title=f"conf-{conf}")


def _app_of(deployment: Deployment, request: Request) -> str:
    return deployment.app if request.app == "-" else request.app


def _one(deployment: Deployment, request: Request) -> Answer:
    app, conf, name = _app_of(deployment, request), _conf(request), request.path[2]
    found = deployment.merged(app, conf).get(name)
    if found is None:
        raise not_found(name)
    return Answer(entries=[_entry(deployment, app, request, name, found)], title=f"conf-{conf}")


def _new(deployment: Deployment, request: Request) -> Answer:
    _need_write(deployment, request)
    app, conf = _app_of(deployment, request), _conf(request)
    given = request.arguments
    name = given.pop("name", "")
    if not name:
        raise Refuse(400, "The following required arguments are missing: name.")
    if name in deployment.merged(app, conf):
        raise Refuse(409, f"An object with name={name} already exists")
    deployment.configure(conf, name, given, app=app)
    return Answer(201, [_entry(deployment, app, request, name, deployment.merged(app, conf)[name])], title=f"conf-{conf}")


def _update(deployment: Deployment, request: Request) -> Answer:
    _need_write(deployment, request)
    app, conf, name = _app_of(deployment, request), _conf(request), request.path[2]
    if name not in deployment.merged(app, conf):
        raise not_found(name)
    given = request.arguments
    if "name" in given:
        raise Refuse(400, 'Argument "name" is not supported by this handler.')
    deployment.configure(conf, name, given, app=app)
    return Answer(entries=[_entry(deployment, app, request, name, deployment.merged(app, conf)[name])], title=f"conf-{conf}")


def _delete(deployment: Deployment, request: Request) -> Answer:
    _need_write(deployment, request)
    app, conf, name = _app_of(deployment, request), _conf(request), request.path[2]
    default, local = deployment.confs.get((app, conf), ({}, {}))
    if name not in local:
        raise Refuse(400, f"Cannot remove default {conf} stanza") if name in default else not_found(name)
    del local[name]
    return Answer(entries=[], title=f"conf-{conf}")


def _acl(deployment: Deployment, request: Request) -> Answer:
    """Set sharing, owner and permissions."""
    for name in request.arguments:
        if name not in ("sharing", "owner", "perms.read", "perms.write"):
            raise Refuse(400, f'Argument "{name}" is not supported by this handler.')
    if not request.one("sharing") or not request.one("owner"):
        raise Refuse(400, "The following required arguments are missing: sharing, owner.")
    deployment.acls["/".join(request.path[:3])] = request.arguments
    return Answer(entries=[], title="acl")


def _reload(deployment: Deployment, request: Request) -> Answer:
    deployment.reloaded.append(_conf(request))
    return Answer(entries=[], title="_reload")


def _properties(deployment: Deployment, request: Request) -> Answer:
    """The conf files there are; splunklib's confs look a name up here."""
    names = sorted({name for _, name in deployment.confs})
    return Answer(entries=[Entry(name, {}, f"/services/properties/{name}") for name in names], title="properties")


def _properties_of(deployment: Deployment, request: Request) -> Answer:
    """The stanzas of a conf file."""
    conf = request.path[1]
    apps = [app for app, name in deployment.confs if name == conf and request.app in ("-", app)]
    if not apps:
        raise not_found(conf)
    names = [name for app in apps for name in deployment.merged(app, conf)]
    return Answer(entries=[Entry(name, {}, f"/services/properties/{conf}/{name}") for name in names], title=conf)


def _properties_new(deployment: Deployment, request: Request) -> Answer:
    need(request.user)
    name = request.one("__conf")
    deployment.confs.setdefault((_app_of(deployment, request), name), ({}, {}))
    return Answer(201, [], title="properties")


_CONF, _SEARCHES = ("configs", "*"), ("saved", "searches")
ROUTES = (
    *(
        route
        for path in (_CONF, _SEARCHES)
        for route in (
            ("POST", (*path, "_reload"), _reload),
            ("GET", (*path, "_reload"), _reload),
            ("GET", path, _all),
            ("POST", path, _new),
            ("GET", (*path, "*"), _one),
            ("POST", (*path, "*"), _update),
            ("DELETE", (*path, "*"), _delete),
            ("POST", (*path, "*", "acl"), _acl),
        )
    ),
    ("GET", ("properties",), _properties),
    ("POST", ("properties",), _properties_new),
    ("GET", ("properties", "*"), _properties_of),
)
