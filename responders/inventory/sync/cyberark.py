"""CyberArk PAM: users, safes with their members, privileged accounts, applications: who may reach what.

Least authorisations: Audit users, and on each safe List accounts and View safe members. Not checked against a real vault.
Sources: CyberArk Docs, "Get users", "Get all safes", "Get all safe members", "Get accounts", "List applications"; psPAS;
cyberark/epv-api-scripts, "REST API Basic Guide". Nothing tells which users, safes, members or applications changed: these
are listed whole each time.
"""

from __future__ import annotations

from datetime import datetime, timezone
from typing import Any, Dict, Iterator, Mapping
from urllib.parse import urlsplit

from responders.errors import BadAnswer, NotFound
from responders.inventory.observation import Holds, Key, Reaches, Seen
from responders.inventory.sync.source import At, Listing, Observation, Page, Row
from responders.model import Account
from responders.vendors.base import listed
from responders.vendors.cyberark import CyberArkClient

_PAGE = 1000
_SINCE = "/API/Accounts?limit={limit}&filter=modificationTime%20gte%20{at}"
_OVERLAP = 600.0
"""Seconds that it reaches back before the last list: clocks differ."""
_ADMIN = frozenset(
    {"AddUpdateUsers", "AddSafes", "ResetUsersPasswords", "ActivateUsers", "ManageServerFileCategories", "RestoreAllSafes"}
)
"""Vault authorizations that lead to others' accounts. Source: CyberArk Docs, "Vault authorizations"."""
_PATHS: Mapping[str, str] = {
    "safes": f"/API/Safes?limit={_PAGE}",
    "accounts": f"/API/Accounts?limit={_PAGE}",
    "applications": "/WebServices/PIMServices.svc/Applications/",
}


class CyberArkSource:
    """Reads one PVWA by the client of the settings."""

    vendor = "cyberark"
    listings = (
        Listing("users", needed=True),
        Listing("safes", needed=True),
        Listing("members", of="safes", batch=20),
        Listing("accounts", delta=True),
        Listing("applications"),
    )

    def __init__(self, client: CyberArkClient) -> None:
        self.place = f"cyberark:{client.tenant}"
        self._client = client

    def close(self) -> None:
        """Nothing: the client is the pool's."""

    def page(self, listing: Listing, at: At) -> Page:
        if listing.of:
            return Page(tuple(row for safe in at.parents for row in self._members(safe)))
        if listing.name == "users":
            return self._users(int(at.cursor or 0))
        path = at.cursor or (self._changed(at.since) if listing.name == "accounts" else _PATHS[listing.name])
        answer = self._client.read(path, name=urlsplit(path).path)
        if listing.name == "applications":
            return Page(tuple(_application(item) for item in listed("cyberark", answer.body, "application")))
        items, following = self._client.page(answer)
        make = _safe if listing.name == "safes" else _account
        return Page(tuple(make(item) for item in items), following or "", total=_count(answer.body, "count"))

    def _changed(self, since: float) -> str:
        """Where accounts that changed since then (epoch seconds, 0: all) are listed.

        CyberArk's guide gives modificationTime in milliseconds, psPAS in seconds, and the wrong one would hide changes
        without a word. So it is asked first for what changed since 2001 in milliseconds, which in seconds is yet to come.
        """
        if since:
            probe = self._client.read(_SINCE.format(limit=1, at=1_000_000_000_000), name="/API/Accounts")
            if self._client.page(probe)[0]:
                return _SINCE.format(limit=_PAGE, at=int((since - _OVERLAP) * 1000))
        return _PATHS["accounts"]

    def _users(self, start: int) -> Page:
        path = f"/API/Users?ExtendedDetails=true&limit={_PAGE}&offset={start}"
        body = self._client.read(path, name="/API/Users").body
        items, total = listed("cyberark", body, "Users"), _count(body, "Total")
        more = total is not None and items and start + len(items) < total
        return Page(tuple(map(_user, items)), str(start + len(items)) if more else "", total=total)

    def _members(self, safe: Row) -> Iterator[Row]:
        try:
            for item in self._client.items("/API/Safes/{}/Members", ids=(safe.id,), query={"limit": str(_PAGE)}):
                name = _text(item, "memberName")
                rights = item.get("permissions")
                held = sorted(k for k, v in rights.items() if v is True) if isinstance(rights, Mapping) else []
                yield Row(f"{safe.id}/{name}", {"type": str(item.get("memberType", "")), "rights": held}, safe.id)
        except NotFound:
            return  # the safe was deleted meanwhile


def _count(body: Any, name: str) -> Any:
    found = body.get(name) if isinstance(body, Mapping) else None
    return found if isinstance(found, int) and not isinstance(found, bool) else None


def _text(item: Mapping[str, Any], name: str) -> str:
    found = item.get(name) if isinstance(item, Mapping) else None
    if not isinstance(found, (str, int)) or found == "":
        raise BadAnswer("cyberark", f"an entry without {name}")
    return str(found)


def _cut(item: Mapping[str, Any], *names: str) -> Dict[str, Any]:
    return {name: item[name] for name in names if isinstance(item.get(name), (str, bool, int))}


def _user(item: Mapping[str, Any]) -> Row:
    groups, rights, net = item.get("groupsMembership"), item.get("vaultAuthorization"), item.get("internet")
    named = [g for g in groups if isinstance(g, Mapping)] if isinstance(groups, list) else []
    return Row(_text(item, "id"), {
        **_cut(item, "username", "source", "userType", "enableUser", "componentUser"),
        "email": str(net.get("businessEmail") or "") if isinstance(net, Mapping) else "",
        "groups": [str(group.get("groupName", "")) for group in named],
        "rights": [r for r in rights if isinstance(r, str)] if isinstance(rights, list) else [],
    })  # fmt: skip


def _safe(item: Mapping[str, Any]) -> Row:
    return Row(_text(item, "safeUrlId"), _cut(item, "safeName", "description"))


def _account(item: Mapping[str, Any]) -> Row:
    managed = item.get("secretManagement")
    managed = managed if isinstance(managed, Mapping) else {}
    changed, turned = managed.get("lastModifiedTime"), managed.get("automaticManagementEnabled")
    body = _cut(item, "name", "userName", "address", "platformId", "safeName", "createdTime")
    body.update({"managed": turned} if isinstance(turned, bool) else {})
    return Row(_text(item, "id"), {**body, "changed": changed if isinstance(changed, int) else 0})


def _application(item: Mapping[str, Any]) -> Row:
    return Row(_text(item, "AppID"), _cut(item, "Disabled", "BusinessOwnerEmail", "Description", "Location"))


class CyberArkObserver:
    """Members of safes are named, not numbered: a user's name is an alias of its account.

    The e-mail of a user that a directory masters is the directory's; of the others nobody says who may write it.
    """

    listings = ("users", "applications", "safes", "members", "accounts")

    def __init__(self, place: str, issuer: str = "") -> None:
        self._place, self._tenant = place, place.partition(":")[2]
        self._safes: Dict[str, str] = {}

    def observe(self, listing: str, row: Row) -> Iterator[Observation]:
        body = row.body
        if listing == "users":
            yield from self._user(row)
        elif listing == "applications":
            owner = body.get("BusinessOwnerEmail")
            yield Seen(Account("cyberark", self._tenant, "application", row.id), row.id, body.get("Disabled") is not True,
                       False, "a CyberArk application", (), (("owner", str(owner)),) if owner else ())  # fmt: skip
        elif listing == "safes":
            self._safes[row.id] = str(body.get("safeName", row.id))
        elif listing == "members":
            name, rights = row.id.partition("/")[2], body["rights"]
            group = "group:" if body["type"] == "Group" else ""
            admin = "manageSafeMembers" in rights
            if admin or "retrieveAccounts" in rights or "useAccounts" in rights:
                safe = self._safes.get(row.parent, row.parent)
                yield Reaches(f"{self._place}:{group}{name}", "safe", f"{self._place}:safe:{safe}", safe, admin=admin)
        elif listing == "accounts":
            yield Holds(f"{self._place}:safe:{body.get('safeName', '')}", "privileged_account", row.id,
                        f"{body.get('userName', '')}@{body.get('address', '')}", _stamp(body.get("createdTime")), "",
                        _stamp(body.get("changed")), managed=body.get("managed"))  # fmt: skip

    def _user(self, row: Row) -> Iterator[Observation]:
        body = row.body
        name, directory = str(body.get("username", "")), str(body.get("source", "")).upper() == "LDAP"
        component = body.get("componentUser") is True
        key = Key("email", body["email"], "administrator" if directory else "self")
        account = Account("cyberark", self._tenant, "user", row.id, "ad" if directory else "cloud")
        kind = str(body.get("userType", ""))
        why = f"a component of the vault ({kind})" if component else f"a CyberArk user ({kind})"
        aliases = (f"{self._place}:{name}",) if name and name != row.id else ()
        yield Seen(account, name, body.get("enableUser") is not False, not component, why, (key,) if key.value else (),
                   (), aliases)  # fmt: skip
        for group in body["groups"]:
            yield Reaches(account.key, "group", f"{self._place}:group:{group}", group)
        for right in body["rights"]:
            yield Reaches(account.key, "role", right, right, admin=right in _ADMIN)


def _stamp(seconds: Any) -> str:
    try:
        return datetime.fromtimestamp(int(seconds), timezone.utc).isoformat() if seconds else ""
    except (ValueError, OverflowError, OSError, TypeError):
        return ""
