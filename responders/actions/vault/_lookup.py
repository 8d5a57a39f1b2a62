"""Reads shared by the Vault actions. Answers were tried on a live OpenBao 2.7.2."""

from __future__ import annotations

import time
from functools import partial
from typing import Any, Callable, Dict, Iterable, List, Mapping, Optional, Tuple, TypeVar

from responders.errors import BadAnswer, NotFound, VendorError, WrongState
from responders.parallel import Running, run_all
from responders.vendors.client import VendorClient

_LIST_SECONDS = 10.0
_BATCH = 32
K = TypeVar("K")
T = TypeVar("T")


def data(api: VendorClient, path: str, *ids: str) -> Mapping[str, Any]:
    """The `data` object of a GET. Raises NotFound, BadAnswer."""
    body = api.call("GET", path, ids=ids).body
    if not isinstance(body, Mapping) or not isinstance(body.get("data"), Mapping):
        raise BadAnswer("vault", f"GET {path}: no data object in the answer")
    found: Mapping[str, Any] = body["data"]
    return found


def keys(api: VendorClient, path: str, *ids: str) -> Tuple[str, ...]:
    """The keys of a LIST; none when the list is empty, which Vault answers with 404 and an empty error list.

    A path that no mount serves answers 404 with "no handler for route": that is an error, not an empty list.
    """
    try:
        found = api.items(path, ids=ids, query={"list": "true"})
    except NotFound as error:
        if "no handler" in error.message or "route entry not found" in error.message:
            raise
        return ()
    return tuple(str(item["key"]) for item in found)


def token(api: VendorClient, accessor: str) -> Optional[Mapping[str, Any]]:
    """What Vault knows of the token behind an accessor, None when there is no such token.

    An unknown accessor answers 403 or 404 with "invalid accessor"; a missing permission answers 403 without it.
    """
    try:
        body = api.call("POST", "/auth/token/lookup-accessor", body={"accessor": accessor}).body
    except VendorError as error:
        if gone(error):
            return None
        raise
    if not isinstance(body, Mapping) or not isinstance(body.get("data"), Mapping):
        raise BadAnswer("vault", "lookup-accessor: no data object in the answer")
    found: Mapping[str, Any] = body["data"]
    return found


def gone(error: VendorError) -> bool:
    """True when Vault says that there is no token behind an accessor."""
    return "invalid accessor" in error.message or (error.status == 404 and "token" in error.message)


def side_by_side(tasks: Mapping[K, Callable[[], T]]) -> Dict[K, T]:
    """Results of all tasks, a batch at a time; every one is tried before the first error is raised."""
    deadline = time.monotonic() + _LIST_SECONDS
    found: Dict[K, T] = {}
    failed: List[Exception] = []
    keys = list(tasks)
    for start in range(0, len(keys), _BATCH):
        for key, value in run_all({k: tasks[k] for k in keys[start : start + _BATCH]}, deadline).items():
            if isinstance(value, Exception):
                failed.append(value)
            else:
                found[key] = value
    if failed:
        raise failed[0]
    return found


def tokens_of(api: VendorClient, entity: str, named: Iterable[str] = ()) -> Dict[str, Mapping[str, Any]]:
    """Live tokens of an entity by accessor: those the alert named, and those Vault lists.

    Vault can't query tokens by entity (vault#7367), so every accessor is looked up, but only once: a token never moves
    to another entity. The named ones are looked up while the list is on its way. Set `list_accessors: "no"` in the
    connection where there are too many; then only the named ones are found.
    """
    wanted = set(named)
    lists = api.settings.get("list_accessors", "yes") != "no"
    listing = Running(partial(keys, api, "/auth/token/accessors")) if lists else None
    seen = _look_up(api, wanted)
    listed = listing.result(time.monotonic() + _LIST_SECONDS) if listing is not None else ()
    if isinstance(listed, Exception):
        raise listed
    for ended in api.lasting.keys() - set(listed) if lists else ():
        api.lasting.pop(ended, None)
    seen.update(_look_up(api, {a for a in listed if a not in seen and api.lasting.get(a, entity) == entity}))
    mine = api.own_ids()
    return {
        accessor: value
        for accessor, value in seen.items()
        if value is not None and accessor not in mine and belongs(value, entity, accessor in wanted)
    }


def _look_up(api: VendorClient, accessors: Iterable[str]) -> Dict[str, Optional[Mapping[str, Any]]]:
    found = side_by_side({accessor: partial(token, api, accessor) for accessor in sorted(accessors)})
    api.lasting.update({accessor: str(value.get("entity_id", "")) for accessor, value in found.items() if value})
    return found


def belongs(value: Mapping[str, Any], entity: str, named: bool) -> bool:
    """True for a token of the entity, and for one without an entity that the alert itself named (an orphan)."""
    owner = str(value.get("entity_id", ""))
    return owner == entity or (named and owner == "" and "root" not in value.get("policies", ()))


def mount_and_name(account_id: str, default: str) -> Tuple[str, str]:
    """`mount/name` of a role or user; the default mount when only a name is given."""
    mount, slash, name = account_id.rpartition("/")
    return (mount, name) if slash else (default, account_id)


def lease_alive(api: VendorClient, lease: str) -> bool:
    """True while the lease exists. A gone one answers 400 "invalid lease"."""
    try:
        api.call("POST", "/sys/leases/lookup", body={"lease_id": lease})
    except WrongState as error:
        if "invalid lease" in error.message:
            return False
        raise
    return True


def alive(api: VendorClient, leases: Iterable[str]) -> List[str]:
    """Those leases that still exist, in order."""
    return [lease for lease in leases if lease_alive(api, lease)]
