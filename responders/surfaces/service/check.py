"""`tourniquet serve --check`: whether everything that the service needs can be reached, and may be done."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import Any, Callable, Dict, Iterator, List, Mapping, Tuple

from responders.errors import NotFound, Permanent, TourniquetError, VendorError
from responders.inventory.files import read_inventory
from responders.parallel import run_all
from responders.surfaces.assemble import open_responder
from responders.surfaces.service.config import Config
from responders.surfaces.service.index import AlertIndex
from responders.surfaces.service.kibana import Kibanas
from responders.surfaces.service.run import read_all

_SECONDS = 15.0
_OLDEST = (8, 19)


@dataclass(frozen=True)
class Found:
    """One thing that was looked at; `problem` is "" when it is well."""

    what: str
    problem: str = ""


def check(path: str) -> List[Found]:
    """Look at everything; what is wrong stops nothing else. Raises BadInputs with all that is wrong in the settings."""
    _, config = read_all(path)
    found = [Found(f"settings {path}")]
    tasks: Dict[str, Callable[[], Any]] = {"elasticsearch": lambda: list(_elasticsearch(config))}
    try:
        responder = open_responder(path, read_inventory=read_inventory)
    except TourniquetError as error:
        found.append(Found("inventory, policy, journal", str(error)))
    else:
        tasks["journal"] = responder.halted
        for client in responder.clients.all():
            if hasattr(client, "warm"):
                tasks[f"sign-in at {client.vendor}:{client.tenant}"] = client.warm
    if config.kibana is not None:
        kibanas = Kibanas(config.kibana)
        tasks["kibana"] = lambda: kibanas.check(config.spaces)
    for name, answer in run_all(tasks, time.monotonic() + _SECONDS).items():
        if isinstance(answer, Exception):
            found.append(Found(name, str(answer)))
        elif name == "elasticsearch":
            found.extend(answer)
        else:
            found.append(Found(name))
    return found


def _elasticsearch(config: Config) -> Iterator[Found]:
    index = AlertIndex(config.elasticsearch, [])
    try:
        version = str(index.call("GET", "/").get("version", {}).get("number", ""))
    except Permanent:  # the key may not see it: `tourniquet elastic doctor` asks with one that may
        version = ""
    too_old = bool(version) and _numbers(version) < _OLDEST
    yield Found(f"elasticsearch {version}".strip(), "is older than 8.19: the rules need LOOKUP JOIN" if too_old else "")
    for space in config.spaces:
        yield _alerts(index, space)
    yield from _privileges(index, config)


def _alerts(index: AlertIndex, space: str) -> Found:
    what = f"alerts of space {space}"
    try:
        index.call("GET", f"/.alerts-security.alerts-{space}/_search", {"size": 0, "query": {"match_none": {}}})
    except NotFound:
        return Found(what, "there is no index of alerts: enable a rule in this space, or correct serve.spaces")
    except VendorError as error:
        return Found(what, str(error))
    return Found(what)


def _privileges(index: AlertIndex, config: Config) -> Iterator[Found]:
    """What the key may do. Without security there is nothing to ask, and that is said."""
    wanted = [{"names": [f".alerts-security.alerts-{space}" for space in config.spaces], "privileges": ["read"]}]
    wanted.append({"names": ["logs-*"], "privileges": ["read"]})
    if config.kibana is None:
        names = [f".internal.alerts-security.alerts-{space}-*" for space in config.spaces]
        wanted.append({"names": names, "privileges": ["read", "index"]})
    try:
        answer: Mapping[str, Any] = index.call("POST", "/_security/user/_has_privileges", {"index": wanted})
    except VendorError as error:
        off = error.status in (400, 404, 405) and config.elasticsearch.api_key is None
        yield Found("privileges", "security is off: anybody may forge an alert" if off else str(error))
        return
    for name, rights in sorted(answer.get("index", {}).items()):
        lacking = sorted(right for right, granted in rights.items() if not granted)
        yield Found(
            f"privileges on {name}", f"{', '.join(lacking)} is missing: give the key the shipped role" if lacking else ""
        )


def _numbers(version: str) -> Tuple[int, ...]:
    return tuple(int(part) for part in version.split(".")[:2] if part.isdigit())
