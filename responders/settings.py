"""The settings file: where each vendor is and where its secrets are kept. Secrets themselves are never in it."""

from __future__ import annotations

import json
import math
import os
import re
from collections import Counter
from dataclasses import dataclass, field
from typing import Any, Dict, List, Mapping, Optional, Sequence, Tuple

from responders.errors import BadInput, BadInputs, BadSettings
from responders.secret import Secret as Secret
from responders.secret import Stored as Stored
from responders.secret import read_secret as read_secret
from responders.secret import sound_url as sound_url

VENDORS: Dict[str, Tuple[str, ...]] = {
    "okta": ("api_token", "private_key"),
    "entra": ("client_secret", "private_key"),
    "cyberark": ("password",),
    "vault": ("token", "secret_id"),
}
"""Vendor to the names of its secrets; at least one of them must be given."""

_PLAIN: Dict[str, Tuple[str, ...]] = {
    "okta": ("client_id", "key_id", "scopes"),
    "entra": ("client_id", "thumbprint", "login"),
    "cyberark": ("username", "method"),
    "vault": ("role_id", "approle_mount"),
}
_NEEDS: Dict[str, Tuple[str, ...]] = {
    "okta.private_key": ("client_id", "scopes"),
    "entra.client_secret": ("client_id",),
    "entra.private_key": ("client_id", "thumbprint"),
    "cyberark.password": ("username",),
    "vault.secret_id": ("role_id",),
}
"""What a credential is no use without."""

RELAYED: Tuple[str, ...] = ("cyberark", "vault")
"""Vendors that a relay in the customer's network may speak for: surfaces/relay/rules says what it does there."""
RELAY_KEY = "relay_key"
"""In the place of a vendor's credential: what requests to the relay are signed with."""
SHORTEST_KEY = 32
RELAY_NAME = re.compile(r"[a-z0-9][a-z0-9_-]{0,39}\Z")

_LONGEST_FILE = 4 * 1024 * 1024
_INDEX = re.compile(r"tourniquet-journal-[a-z0-9_.-]{1,100}\Z")
_SPACE = re.compile(r"[a-z0-9_]{1,100}\Z")
"""A data stream's name has no "-" within its last part; Kibana's ids of spaces may."""
_COMMON = ("vendor", "tenant", "url", "ca", "proxy", "settings", "privileged", "allow_loopback_http")
_SECONDS = ("deadline", "tell_after", "confirm_patience", "federation_wait", "claim", "retry_due")
_LONGEST_DELAY = 90 * 86400.0
_TOP = (
    "connections", "journal", "inventory", "policy", "escalation", "signals", "timing", "unauthenticated_ingest", "serve",
    "elasticsearch",
)  # fmt: skip


@dataclass(frozen=True)
class Connection:
    """One vendor tenant. `plain` are its non-secret sign-in fields, `settings` what actions ask for."""

    vendor: str
    tenant: str
    url: str
    secrets: Mapping[str, Secret]
    plain: Mapping[str, Any] = field(default_factory=dict)
    settings: Mapping[str, str] = field(default_factory=dict)
    ca: str = ""
    proxy: str = field(default="", repr=False)  # its URL may hold a password
    allow_loopback_http: bool = False
    privileged: Optional[Connection] = None
    relay: str = ""
    """The relay that speaks for this vendor and has its credentials (docs/relay.md); then `secrets` is its key alone."""


ELASTIC = "elasticsearch"
"""In the place of a path: this is kept in Elasticsearch."""
JOURNAL_INDEX = "tourniquet-journal-1"


@dataclass(frozen=True)
class ElasticSettings:
    """Where Elasticsearch is: `urls` https (http to loopback only), an encoded API key, `ca` a PEM file, "" the system's.

    `space` is the last part of our data streams' names.
    """

    urls: Tuple[str, ...]
    api_key: Optional[Secret] = None
    ca: str = ""
    space: str = "default"


@dataclass(frozen=True)
class Settings:
    """Everything a responder is started with.

    `journal` is a file, "" when it is in `journal_index` of Elasticsearch; `inventory` and `signals` are paths, or ELASTIC.
    """

    connections: Tuple[Connection, ...]
    journal: str
    journal_key: Secret
    anchor: str
    inventory: str
    policy: str
    signals: str
    escalation: Tuple[Mapping[str, Any], ...] = ()  # a `url` may be a Secret
    timing: Mapping[str, Any] = field(default_factory=dict)
    unauthenticated_ingest: Tuple[str, ...] = ()
    elasticsearch: Optional[ElasticSettings] = None
    journal_index: str = ""
    serve: Any = None
    """The section of `tourniquet serve` as it stands in the file: that service reads it."""


def load_settings(path: str) -> Settings:
    """Read a JSON settings file. Paths in it are relative to it. Raises BadInputs with everything that is wrong."""
    return read_settings(load_json(path), path)


def load_json(path: str) -> Any:
    """What is in a JSON file. Raises BadInputs."""
    try:
        with open(path, encoding="utf-8-sig") as handle:
            return json.loads(handle.read(_LONGEST_FILE), object_pairs_hook=_once)
    except OSError as error:
        raise BadInputs([_bad(path, f"{error.strerror}", "create it, docs/settings.md has an example")]) from None
    except UnicodeDecodeError as error:
        raise BadInputs([_bad(path, f"is not UTF-8 (byte {error.start})", "save it as UTF-8")]) from None
    except json.JSONDecodeError as error:
        place = f"{path}:{error.lineno}"
        raise BadInputs([_bad(place, f"not JSON: {error.msg} in column {error.colno}", "correct the file")]) from None
    except (ValueError, RecursionError) as error:
        raise BadInputs([_bad(path, f"not JSON: {error}", "correct the file")]) from None


def read_connections(
    given: Mapping[str, Any], place: str, more: Tuple[str, ...]
) -> Tuple[Tuple[Connection, ...], Tuple[Mapping[str, Any], ...]]:
    """`connections` and `escalation` of a file that has `more` keys beside them, but no journal. Raises BadInputs."""
    reader = _Reader(place, os.path.dirname(os.path.abspath(place)))
    reader.unknown(given, ("connections", "escalation", *more), place)
    entries = enumerate(reader.items(given, "connections"), 1)
    found = [reader.connection(entry, f"{place}: connections[{number}]") for number, entry in entries]
    escalation = reader.escalation(given)
    if reader.errors:
        raise BadInputs(reader.errors)
    return tuple(connection for connection in found if connection is not None), escalation


def _once(pairs: List[Tuple[str, Any]]) -> Dict[str, Any]:
    twice = sorted(name for name, times in Counter(name for name, _ in pairs).items() if times > 1)
    if twice:
        raise ValueError(f"{', '.join(map(repr, twice))} stands twice")
    return dict(pairs)


def read_settings(
    given: Any, place: str, *, stored: Optional[Stored] = None, names: Sequence[str] = (), folder: str = ""
) -> Settings:
    """Settings from their JSON form. Raises BadInputs.

    Inside Splunk, `stored` gives the secrets named by `{"splunk": NAME}`, the only form then, and journal, inventory, policy
    and signals lie in Splunk's own stores, so that no path is asked for. `names` is what each connection is called in
    messages; paths are relative to `folder`, that of `place` if it is "".
    """
    reader = _Reader(place, folder or os.path.dirname(os.path.abspath(place)), stored)
    if not isinstance(given, dict):
        raise BadInputs([_bad(place, "not an object", "see docs/settings.md")])
    reader.unknown(given, _TOP, place)
    connections = tuple(
        found
        for number, entry in enumerate(reader.items(given, "connections"), 1)
        for found in [reader.connection(entry, names[number - 1] if names else f"{place}: connections[{number}]")]
        if found is not None
    )
    tenants = [(c.vendor, c.tenant) for c in connections]
    reader.errors.extend(
        _bad(place, f"{vendor}:{tenant} is connected twice", "keep one of them")
        for vendor, tenant in sorted({tenant for tenant in tenants if tenants.count(tenant) > 1})
    )
    journal, key, store, index = given.get("journal"), None, "", ""
    if isinstance(journal, dict):
        key = reader.secret(journal.get("key"), f"{place}: journal.key")
        if journal.get("store") == ELASTIC and not stored:
            reader.unknown(journal, ("store", "index", "key", "anchor"), f"{place}: journal")
            index = reader.index(journal.get("index", JOURNAL_INDEX), f"{place}: journal.index")
        else:
            reader.unknown(journal, ("path", "key", "anchor"), f"{place}: journal")
            store = "" if stored else reader.path(journal.get("path"), f"{place}: journal.path")
    else:
        reader.error(f"{place}: journal", "is missing", 'give {"path": …, "key": {"env" or "file": …}}')
        journal = {}
    elastic = reader.elasticsearch(given.get(ELASTIC), f"{place}: {ELASTIC}")
    users = [name for name in ("inventory", "signals") if given.get(name) == ELASTIC] + ["journal"] * bool(index)
    if users and given.get(ELASTIC) is None:
        what = f"is missing, and {' and '.join(users)} need it"
        reader.error(f"{place}: {ELASTIC}", what, 'give {"url": …, "api_key": …}')
    settings = Settings(
        connections=connections,
        journal=store,
        journal_key=key or Secret(""),
        anchor=reader.path(journal.get("anchor") or "journal.anchor", f"{place}: journal.anchor"),
        inventory="" if stored else reader.path(given.get("inventory"), f"{place}: inventory", ELASTIC),
        policy=reader.path(given["policy"], f"{place}: policy") if given.get("policy") else "",
        signals=reader.path(given.get("signals") or "signals", f"{place}: signals", ELASTIC),
        escalation=reader.escalation(given),
        timing=reader.timing(given.get("timing")),
        unauthenticated_ingest=reader.names(given, "unauthenticated_ingest"),
        elasticsearch=elastic,
        journal_index=index,
        serve=given.get("serve"),
    )
    if reader.errors:
        raise BadInputs(reader.errors)
    return settings


class _Reader:
    """Collects every error of one file."""

    def __init__(self, place: str, folder: str, stored: Optional[Stored] = None) -> None:
        self.place, self.folder, self.stored = place, folder, stored
        self.errors: List[BadInput] = []

    def error(self, place: str, what: str, remedy: str) -> None:
        self.errors.append(_bad(place, what, remedy))

    def unknown(self, given: Mapping[str, Any], known: Tuple[str, ...], place: str) -> None:
        for name in sorted(set(given) - set(known)):
            self.error(place, f"unknown key {name!r}", f"the keys are {', '.join(known)}")

    def items(self, given: Mapping[str, Any], name: str) -> List[Any]:
        value = given.get(name)
        if value is not None and not isinstance(value, list):
            self.error(f"{self.place}: {name}", "must be a list", "put it in square brackets")
        return value if isinstance(value, list) else []

    def names(self, given: Mapping[str, Any], name: str) -> Tuple[str, ...]:
        found = self.items(given, name)
        for number, item in enumerate(found, 1):
            if not isinstance(item, str) or not item:
                self.error(f"{self.place}: {name}[{number}]", "must be text", "name a detection")
        return tuple(str(item) for item in found)

    def timing(self, value: Any) -> Mapping[str, Any]:
        """Delays in seconds: some single ones, and the list of rechecks."""
        place = f"{self.place}: timing"
        if value is None:
            return {}
        if not isinstance(value, dict):
            self.error(place, "must be an object", "give names of delays, with seconds")
            return {}
        self.unknown(value, (*_SECONDS, "rechecks"), place)
        for name in (name for name in _SECONDS if name in value):
            if not _is_delay(value[name]):
                self.error(f"{place}.{name}", "is no number of seconds from 0 to 90 days", "correct it")
        rechecks = value.get("rechecks", [])
        if not isinstance(rechecks, list) or not all(_is_delay(item) for item in rechecks):
            self.error(f"{place}.rechecks", "is no list of seconds from 0 to 90 days", "correct it")
        return value

    def escalation(self, given: Mapping[str, Any]) -> Tuple[Mapping[str, Any], ...]:
        """Entries of `escalation`; a webhook's URL is a secret, so it may be referred to like one."""
        found: List[Mapping[str, Any]] = []
        for number, entry in enumerate(self.items(given, "escalation"), 1):
            place = f"{self.place}: escalation[{number}]"
            if not isinstance(entry, dict):
                self.error(place, "is no object", 'give {"type": …}')
                continue
            found.append({key: self._of_channel(key, value, f"{place}.{key}") for key, value in entry.items()})
        return tuple(found)

    def _of_channel(self, key: str, value: Any, place: str) -> Any:
        if isinstance(value, list):
            return [self._of_channel("", item, place) for item in value]
        if key in ("path", "ca") and isinstance(value, str):
            return self.path(value, place)
        return self.secret(value, place) if isinstance(value, dict) else value

    def path(self, value: Any, place: str, instead: str = "") -> str:
        """A path; `instead` stands for itself."""
        if instead and value == instead:
            return instead
        if not isinstance(value, str) or not value:
            self.error(place, "is missing", "give a path")
            return ""
        return os.path.join(self.folder, os.path.expanduser(value))

    def index(self, value: Any, place: str) -> str:
        if not isinstance(value, str) or not _INDEX.match(value):
            self.error(
                place, "is no name of a journal's index", f"give {JOURNAL_INDEX}, or tourniquet-journal-… in small letters"
            )
            return ""
        return value

    def elasticsearch(self, given: Any, place: str) -> Optional[ElasticSettings]:
        if given is None:
            return None
        if not isinstance(given, dict):
            self.error(place, "is no object", 'give {"url": …, "api_key": …}')
            return None
        self.unknown(given, ("url", "api_key", "ca", "space"), place)
        urls = given.get("url") if isinstance(given.get("url"), list) else [given.get("url")]
        sound = [url for url in urls or () if isinstance(url, str) and sound_url(url, True)]
        if not sound or len(sound) != len(urls or ()):
            self.error(f"{place}.url", "must be https, without credentials", "correct it; http is for loopback only")
        secret = self.secret(given["api_key"], f"{place}.api_key") if "api_key" in given else None
        if "api_key" not in given and any(url.startswith("https:") for url in sound):
            self.error(f"{place}.api_key", "is missing", "make one with the role of elastic_rules/role.json")
        space = str(given.get("space", "default"))
        if not _SPACE.match(space):
            self.error(f"{place}.space", "is no id of a space", "small letters, digits and _")
        return ElasticSettings(
            tuple(url.rstrip("/") for url in sound), secret, self.ca(given.get("ca"), f"{place}.ca"), space
        )

    def connection(self, entry: Any, place: str, parent: Optional[Mapping[str, Any]] = None) -> Optional[Connection]:
        if not isinstance(entry, dict):
            self.error(place, "is no object", "see docs/settings.md")
            return None
        own = {"privileged", *VENDORS.get(str((parent or {}).get("vendor")), ())}  # a privileged credential is never shared
        given = {**{k: v for k, v in (parent or {}).items() if k not in own}, **entry}
        vendor = str(given.get("vendor", ""))
        if vendor not in VENDORS:
            self.error(f"{place}.vendor", f"unknown vendor {vendor!r}", f"use one of {', '.join(VENDORS)}")
            return None
        if "relay" in given:
            return self.relayed(given, vendor, place)
        self.unknown(given, (*_COMMON, *_PLAIN[vendor], *VENDORS[vendor]), place)
        for name in ("tenant", "url"):
            if not isinstance(given.get(name), str) or not given[name]:
                self.error(f"{place}.{name}", "is missing", "give it")
        secrets = {
            name: found
            for name in VENDORS[vendor]
            if name in given
            for found in [self.secret(given[name], f"{place}.{name}")]
            if found is not None
        }
        credentials = [name for name in VENDORS[vendor] if name in given]
        if not credentials:
            self.error(place, "has no credential", f"give one of {', '.join(VENDORS[vendor])} as env or file")
        if len(credentials) > 1:
            self.error(place, "has several credentials", f"keep one of {', '.join(credentials)}")
        for name in (needed for credential in credentials for needed in _NEEDS.get(f"{vendor}.{credential}", ())):
            if not given.get(name):
                self.error(f"{place}.{name}", "is missing", "this credential is no use without it")
        local = given.get("allow_loopback_http", False)
        if not isinstance(local, bool):
            self.error(f"{place}.allow_loopback_http", "must be true or false", "leave it out: it is for the drill")
        if isinstance(given.get("url"), str) and given["url"] and not sound_url(given["url"], local is True):
            self.error(f"{place}.url", "must be https, without credentials", "correct it")
        privileged = entry.get("privileged")
        return Connection(
            vendor=vendor,
            tenant=str(given.get("tenant", "")),
            url=str(given.get("url", "")),
            secrets=secrets,
            plain={name: self.plain(given[name], f"{place}.{name}") for name in _PLAIN[vendor] if name in given},
            settings=self.texts(given.get("settings"), f"{place}.settings"),
            ca=self.ca(given.get("ca"), f"{place}.ca"),
            proxy=self.proxy(given.get("proxy"), f"{place}.proxy"),
            allow_loopback_http=local is True,
            privileged=self.connection(privileged, f"{place}.privileged", given) if privileged else None,
        )

    def relayed(self, given: Mapping[str, Any], vendor: str, place: str) -> Optional[Connection]:
        """A connection through a relay: its name and key, in place of an address and a credential."""
        if self.stored is None:
            self.error(
                f"{place}.relay", "only works inside Splunk", "give the vendor's credential: this machine calls it itself"
            )
            return None
        if vendor not in RELAYED:
            self.error(f"{place}.relay", f"{vendor} is not called through a relay", f"only {' and '.join(RELAYED)} are")
            return None
        self.unknown(given, ("vendor", "tenant", "relay", RELAY_KEY, "settings"), place)
        if not isinstance(given["relay"], str) or not RELAY_NAME.match(given["relay"]):
            self.error(f"{place}.relay", "is no name", "use small letters, digits, - and _, as in the relay's own settings")
        if not isinstance(given.get("tenant"), str) or not given["tenant"]:
            self.error(f"{place}.tenant", "is missing", "give it")
        key = self.secret(given[RELAY_KEY], f"{place}.{RELAY_KEY}") if RELAY_KEY in given else None
        if RELAY_KEY not in given:
            self.error(f"{place}.{RELAY_KEY}", "is missing", "enter the key that the relay has")
        elif key is not None and len(key.reveal()) < SHORTEST_KEY:
            self.error(
                f"{place}.{RELAY_KEY}", f"is shorter than {SHORTEST_KEY} characters", "make one: tourniquet journal key FILE"
            )
        return Connection(
            vendor=vendor,
            tenant=str(given.get("tenant", "")),
            url="",
            secrets={RELAY_KEY: key or Secret("")},
            settings=self.texts(given.get("settings"), f"{place}.settings"),
            relay=str(given["relay"]),
        )

    def plain(self, value: Any, place: str) -> Any:
        """Text; for scopes a list of texts too."""
        listed = place.endswith(".scopes") and isinstance(value, list) and all(isinstance(item, str) for item in value)
        if not isinstance(value, str) and not listed:
            self.error(place, "must be text", "correct it")
        return value

    def texts(self, value: Any, place: str) -> Dict[str, str]:
        if value is None:
            return {}
        if not isinstance(value, dict) or not all(isinstance(item, (str, int)) for item in value.values()):
            self.error(place, "must be an object of texts", "correct it")
            return {}
        return {str(name): str(item) for name, item in value.items()}

    def ca(self, value: Any, place: str) -> str:
        if value is None or value == "":
            return ""
        path = self.path(value, place)
        if path and not os.path.isfile(path):
            self.error(place, f"{path} is no file", "name a file of PEM certificates")
        return path

    def proxy(self, value: Any, place: str) -> str:
        """A URL, or where it is kept when it holds a password."""
        if isinstance(value, dict):
            found = self.secret(value, place)
            return found.reveal() if found is not None else ""
        if value is not None and not isinstance(value, str):
            self.error(place, "must be a URL", "correct it")
            return ""
        return value or ""

    def secret(self, value: Any, place: str) -> Optional[Secret]:
        try:
            return read_secret(value, place, self.folder, self.stored)
        except BadInputs as error:
            self.errors.extend(error.errors)
            return None


def _is_delay(value: Any) -> bool:
    number = isinstance(value, (int, float)) and not isinstance(value, bool)
    return number and math.isfinite(value) and 0 <= value <= _LONGEST_DELAY


def _bad(place: str, what: str, remedy: str) -> BadSettings:
    return BadSettings(what, place=place, remedy=remedy)
