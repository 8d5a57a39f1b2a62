"""Reads shared by the Vault actions. Answers were tried on a live OpenBao 2.7.2."""

from __future__ import annotations

import time
from functools import partial
from typing import Any, Dict, Iterable, List, Mapping, Optional, Tuple

from responders.errors import BadAnswer, NotFound, VendorError, WrongState
from responders.parallel import run_all
from responders.vendors.client import VendorClient

_LIST_SECONDS = 10.0
_BATCH = 32


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
        if "invalid accessor" in error.message or (error.status == 404 and "token" in error.message):
            return None
        raise
    if not isinstance(body, Mapping) or not isinstance(body.get("data"), Mapping):
        raise BadAnswer("vault", "lookup-accessor: no data object in the answer")
    found: Mapping[str, Any] = body["data"]
    return found


def tokens_of(api: VendorClient, entity: str, named: Iterable[str] = ()) -> Dict[str, Mapping[str, Any]]:
    """Live tokens of an entity by accessor: those the alert named, and those Vault lists.

    Vault can't query tokens by entity (vault#7367), so every accessor is looked up. Set `list_accessors: "no"`
    in the connection where there are too many; then only the named ones are found.
    """
    wanted = list(dict.fromkeys(named))
    if api.settings.get("list_accessors", "yes") != "no":
        wanted = list(dict.fromkeys([*wanted, *keys(api, "/auth/token/accessors")]))
    mine = api.own_ids()
    found: Dict[str, Mapping[str, Any]] = {}
    deadline = time.monotonic() + _LIST_SECONDS
    for start in range(0, len(wanted), _BATCH):
        batch = wanted[start : start + _BATCH]
        for accessor, value in run_all({a: partial(token, api, a) for a in batch}, deadline).items():
            if isinstance(value, Exception):
                raise value
            if value is not None and accessor not in mine and belongs(value, entity, accessor in set(named)):
                found[accessor] = value
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
