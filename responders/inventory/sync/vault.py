"""HashiCorp Vault and OpenBao: entities with aliases and groups, AppRole roles and userpass users, policies.

No list has pages. `LIST identity/entity/id` also tells each entity's aliases, which of 100,000 entities is more than the
transport takes: then their names are listed. Each is read. Least policy: docs/inventory_sync.md. Source: Vault API
documentation; tried on OpenBao 2.7.2.
"""

from __future__ import annotations

import contextvars
import hashlib
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Any, Callable, Dict, Iterator, List, Mapping, Optional, Sequence, Tuple
from urllib.parse import quote

from responders.errors import BadAnswer, Forbidden, NotFound
from responders.inventory.observation import Holds, Key, Reaches, Seen
from responders.inventory.sync.source import At, Listing, Observation, Page, Row
from responders.inventory.sync.vault_policy import power
from responders.model import Account
from responders.vendors.vault import VaultClient

_LOGINS = {"approle": "role", "userpass": "users"}
"""Type of an auth mount to where its roles or users are listed; each of them is an account."""
_PEOPLE = ("userpass", "oidc", "ldap", "okta", "radius")
_MACHINES = ("approle", "kubernetes", "aws", "azure", "gcp", "cert", "alicloud")


class VaultSource:
    """Reads one Vault (and namespace) by the client of the settings."""

    vendor = "vault"
    listings = (
        Listing("mounts", needed=True),
        Listing("names", needed=True),
        Listing("entities", of="names", batch=64),
        Listing("logins", of="mounts", batch=4),
        Listing("policies"),
        Listing("groups"),
    )

    def __init__(self, client: VaultClient, workers: int = 8) -> None:
        self.place = f"vault:{client.tenant}"
        self._client, self._workers = client, workers
        self._pool = ThreadPoolExecutor(workers)

    def close(self) -> None:
        self._pool.shutdown()

    def page(self, listing: Listing, at: At) -> Page:
        return Page(tuple(getattr(self, f"_{listing.name}")(at.parents)))

    def _mounts(self, parents: Sequence[Row]) -> Iterator[Row]:
        body = self._client.call("GET", "/sys/auth").body
        data = body.get("data", body) if isinstance(body, Mapping) else {}
        for path, mount in data.items():
            if not isinstance(mount, Mapping) or "accessor" not in mount:
                continue
            row: Dict[str, Any] = {"type": str(mount.get("type", "")), "accessor": str(mount["accessor"])}
            if row["type"] in ("jwt", "oidc"):
                row.update(self._federation(path.rstrip("/")))
            yield Row(path.rstrip("/"), row)

    def _federation(self, mount: str) -> Dict[str, Any]:
        """Whose subjects the aliases of this mount are: the issuer, and the claim when all roles take the same one; and
        the policies that the roles give."""
        base = f"/auth/{quote(mount)}"
        try:
            config = self._data(f"{base}/config")
            roles = [self._data(self._path(f"{base}/role", role)) for role in self._keys(f"{base}/role")]
        except (Forbidden, NotFound):
            return {}
        claims = {str(role.get("user_claim", "")) for role in roles}
        policies = {policy for role in roles for policy in _texts(role.get("token_policies"))}
        issuer = config.get("bound_issuer") or config.get("oidc_discovery_url") or ""
        return {
            "issuer": str(issuer).rstrip("/"), "claim": claims.pop() if len(claims) == 1 else "",
            "policies": sorted(policies),
        }  # fmt: skip

    def _names(self, parents: Sequence[Row]) -> Iterator[Row]:
        try:
            names, by = self._keys("/identity/entity/id"), "id"
        except BadAnswer:
            names, by = self._keys("/identity/entity/name"), "name"
        return (Row(name, {"by": by}) for name in names)

    def _entities(self, parents: Sequence[Row]) -> Iterator[Row]:
        def one(parent: Row) -> List[Row]:
            try:
                found = self._data(self._path(f"/identity/entity/{parent.body['by']}", parent.id))
            except NotFound:
                return []  # it was deleted or renamed meanwhile
            aliases = [a for a in found.get("aliases") or () if isinstance(a, Mapping)]
            metadata = found.get("metadata")
            return [Row(f"{parent.id}/{_text(found, 'id')}", {
                "name": _text(found, "name"), "id": _text(found, "id"), "disabled": found.get("disabled") is True,
                "created": str(found.get("creation_time", "")), "policies": _texts(found.get("policies")),
                "groups": [*_texts(found.get("group_ids")), *_texts(found.get("inherited_group_ids"))],
                "metadata": {str(k): str(v) for k, v in metadata.items()} if isinstance(metadata, Mapping) else {},
                "aliases": [[str(a.get("mount_accessor", "")), _alias(a)] for a in aliases],
            }, parent.id)]  # fmt: skip

        return self._each(one, parents)

    def _logins(self, parents: Sequence[Row]) -> Iterator[Row]:
        for mount in parents:
            kind = _LOGINS.get(mount.body["type"])
            if kind is not None:
                try:
                    names = self._keys(f"/auth/{quote(mount.id)}/{kind}")
                except NotFound:
                    continue
                read = self._role if kind == "role" else self._user
                yield from self._each(partial(read, mount.id), names)

    def _role(self, mount: str, name: str) -> List[Row]:
        path = self._path(f"/auth/{quote(mount)}/role", name)
        try:
            found, role = self._data(path), self._data(path + "/role-id")
        except NotFound:
            return []
        # The role id is half of a credential: only its digest is kept, to know it again in an alias.
        rows = [Row(f"{mount}/{name}", {"type": "approle", "name": name, "policies": _texts(found.get("token_policies")),
                                        "role_id": _digest(str(role.get("role_id", "")))}, mount)]  # fmt: skip
        rows.extend(
            Row(f"{mount}/{name}/secret:{accessor}", self._secret_id(path, accessor), mount)
            for accessor in self._secret_ids(path)
        )
        return rows

    def _secret_ids(self, path: str) -> Sequence[str]:
        try:
            return self._keys(path + "/secret-id")
        except Forbidden:
            return ()

    def _secret_id(self, path: str, accessor: str) -> Dict[str, Any]:
        """Age of a SecretID. Vault asks for it by POST; it changes nothing."""
        body = {"type": "secret_id"}
        try:
            lookup = f"{path}/secret-id-accessor/lookup"  # escaped already: it holds no braces
            answer = self._client.call("POST", lookup, body={"secret_id_accessor": accessor}).body
        except (Forbidden, NotFound):
            return body
        data = answer.get("data") if isinstance(answer, Mapping) else None
        return {**body, **{k: str(data.get(k, "")) for k in ("creation_time", "expiration_time")}} if data else body

    def _user(self, mount: str, name: str) -> List[Row]:
        try:
            found = self._data(self._path(f"/auth/{quote(mount)}/users", name))
        except NotFound:
            return []
        policies = _texts(found.get("token_policies") or found.get("policies"))
        return [Row(f"{mount}/{name}", {"type": "userpass", "name": name, "policies": policies}, mount)]

    def _policies(self, parents: Sequence[Row]) -> Iterator[Row]:
        def one(name: str) -> List[Row]:
            if name == "root":
                return [Row(name, {"power": True, "entities": True})]
            found = power(str(self._data(self._path("/sys/policies/acl", name)).get("policy", "")))
            return [Row(name, {"power": found.others, "entities": found.entities})]

        return self._each(one, self._keys("/sys/policies/acl"))

    def _groups(self, parents: Sequence[Row]) -> Iterator[Row]:
        """Policies that membership gives. Their names alone are listed: the list of ids tells all members too."""

        def one(name: str) -> List[Row]:
            try:
                found = self._data(self._path("/identity/group/name", name))
            except NotFound:
                return []
            return [Row(_text(found, "id"), {"name": _text(found, "name"), "policies": _texts(found.get("policies"))})]

        return self._each(one, self._keys("/identity/group/name"))

    def _each(self, one: Callable[[Any], List[Row]], things: Sequence[Any]) -> Iterator[Row]:
        """One call for each, some side by side."""
        for start in range(0, len(things), 8 * self._workers):
            part = things[start : start + 8 * self._workers]
            tasks = [self._pool.submit(contextvars.copy_context().run, one, thing) for thing in part]
            for task in tasks:
                yield from task.result()

    def _path(self, base: str, name: str) -> str:
        return self._client.transport.path(base + "/{}", (name,))

    def _data(self, path: str) -> Mapping[str, Any]:
        body = self._client.read(path, name=path.rpartition("/")[0]).body
        data = body.get("data") if isinstance(body, Mapping) else None
        if not isinstance(data, Mapping):
            raise BadAnswer("vault", f"{path}: no data object in the answer")
        return data

    def _keys(self, path: str) -> Tuple[str, ...]:
        """Keys of a LIST. An empty one answers 404 with an empty error list; one that nothing serves says so."""
        try:
            answer = self._client.read(path + "?list=true", name=path)
        except NotFound as error:
            if "no handler" in error.message or "unsupported path" in error.message:
                raise
            return ()
        return tuple(str(item["key"]) for item in self._client.page(answer)[0])


def _text(item: Mapping[str, Any], name: str) -> str:
    found = item.get(name)
    if not isinstance(found, str) or not found:
        raise BadAnswer("vault", f"an entry without {name}")
    return found


def _texts(value: Any) -> List[str]:
    return [item for item in value if isinstance(item, str)] if isinstance(value, list) else []


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:32] if text else ""


def _alias(alias: Mapping[str, Any]) -> str:
    """The alias's name; of an AppRole, whose alias is its role id, the digest."""
    name = str(alias.get("name", ""))
    return _digest(name) if alias.get("mount_type") == "approle" else name


class VaultObserver:
    """Who may write an entity's metadata may write its policies too: an administrator. Of an entity that may write entities
    itself, by any policy that it can get, metadata is its own word, and neither key nor tag; nor where policies are unknown.

    The alias of a federated mount is the subject of another vendor's account when all roles take `sub` or `oid` for it;
    with another claim it is at most an e-mail, which that vendor's users may be able to write.
    """

    listings = ("mounts", "policies", "logins", "groups", "entities")

    def __init__(self, place: str, issuer: str = "") -> None:
        self._place, self._tenant = place, place.partition(":")[2]
        self._mounts: Dict[str, Tuple[str, Mapping[str, Any]]] = {}
        self._power: Dict[str, bool] = {}
        self._writers: Dict[str, bool] = {}
        """Of each policy whether it may write entities."""
        self._groups: Dict[str, Mapping[str, Any]] = {}
        self._granted: Dict[str, Sequence[str]] = {}
        """Policies that a login gives, by the key of its account."""
        self._roles: Dict[str, str] = {}

    def observe(self, listing: str, row: Row) -> Iterator[Observation]:
        if listing == "mounts":
            self._mounts[row.body["accessor"]] = (row.id, row.body)
        elif listing == "policies":
            self._power[row.id], self._writers[row.id] = row.body["power"], row.body["entities"]
        elif listing == "groups":
            self._groups[row.id] = row.body
        elif listing == "logins" and row.body["type"] == "secret_id":
            login = row.id.partition("/secret:")[0]
            yield Holds(self._key(row.parent, login[len(row.parent) + 1 :]), "secret_id", row.id.rpartition(":")[2], "",
                        row.body.get("creation_time", ""), _end(row.body.get("expiration_time", "")))  # fmt: skip
        elif listing == "logins":
            yield from self._login(row)
        elif listing == "entities":
            yield from self._entity(row)

    def _key(self, mount: str, name: str) -> str:
        """Roles and users are named by `mount/name`, and by the name alone at the default mount (as the actions do)."""
        return f"{self._place}:{name if mount in _LOGINS else f'{mount}/{name}'}"

    def _login(self, row: Row) -> Iterator[Observation]:
        kind, name = row.body["type"], row.body["name"]
        key = self._key(row.parent, name)
        if kind == "approle":
            self._roles[row.body["role_id"]] = key
        long = f"{self._place}:{row.parent}/{name}"
        yield Seen(
            Account("vault", self._tenant, kind, key[len(self._place) + 1 :]), name, True, kind == "userpass",
            "a Vault userpass user" if kind == "userpass" else "a Vault AppRole", (), (), () if long == key else (long,),
        )  # fmt: skip
        self._granted[key] = row.body["policies"]
        yield from self._policies(key, row.body["policies"])

    def _entity(self, row: Row) -> Iterator[Observation]:
        body, keys = row.body, []
        policies = {*body["policies"], *(p for group in body["groups"] for p in self._groups.get(group, _NONE)["policies"])}
        granted = {"default", *policies}
        user: Optional[bool] = None
        for accessor, name in body["aliases"]:
            mount, about = self._mounts.get(accessor, ("", {}))
            kind = str(about.get("type", ""))
            user = True if kind in _PEOPLE else user if user is not None or kind not in _MACHINES else False
            granted.update(about.get("policies", ()))
            login = self._roles.get(name) if kind == "approle" else self._key(mount, name) if kind == "userpass" else None
            if login is not None:
                granted.update(self._granted.get(login, ()))
                keys.append(Key("account", login, "vendor"))
            elif about.get("issuer") and about.get("claim") in ("sub", "oid"):
                keys.append(Key("subject", f"{about['issuer']}|{name}", "vendor"))
            elif about.get("claim") == "email":
                keys.append(Key("email", name, "outside"))
        itself = not self._writers or any(self._writers.get(policy, False) for policy in granted)
        metadata = {} if itself else body["metadata"]
        keys += [Key(name, metadata.get(name, ""), "administrator") for name in ("employee_number", "email")]
        tags = [(n, metadata[n]) for n in ("owner", "criticality", "environment", "agent") if metadata.get(n)]
        account = Account("vault", self._tenant, "entity", body["id"])
        alias = f"{self._place}:{body['name']}"
        why = "an entity" if user is None else f"an entity that {'people' if user else 'machines'} sign in to"
        yield Seen(account, body["name"], not body["disabled"], user, why, tuple(k for k in keys if k.value), tuple(tags),
                   (alias,), body["created"])  # fmt: skip
        if self._power.get("default"):
            policies.add("default")
        yield from self._policies(account.key, sorted(policies))

    def _policies(self, holder: str, names: Sequence[str]) -> Iterator[Reaches]:
        for name in names:
            yield Reaches(holder, "policy", name, name, admin=self._power.get(name, False))


_NONE: Mapping[str, Any] = {"policies": ()}


def _end(stamp: str) -> str:
    return "" if stamp.startswith("0001-") else stamp
