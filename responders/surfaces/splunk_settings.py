"""Settings as they lie in Splunk: two conf files, and storage/passwords for what is secret.

`tourniquet_settings.conf` and `tourniquet_connection.conf` (their README/*.spec say each key) become the JSON form of the
settings file, and `responders.settings` reads that: there is one validator, wherever the settings come from.
"""

from __future__ import annotations

import base64
import binascii
import functools
import hashlib
import os
from dataclasses import dataclass
from typing import Any, Dict, List, Mapping, Optional

from responders.errors import BadInputs, BadSettings
from responders.settings import RELAY_KEY, VENDORS, Secret, Settings, Stored, read_settings
from responders.splunk.splunkd import Splunkd, SplunkError

SETTINGS, CONNECTIONS = "tourniquet_settings", "tourniquet_connection"
REALM = "tourniquet"
"""The realm of all our secrets in storage/passwords."""
JOURNAL_KEY = "journal_key"
ESCALATION = "escalation:"
"""What the stanza of an escalation channel begins with."""
CHANNELS = ("webhook", "slack")
"""Channels there are inside Splunk: no file (nothing is written outside the app), no stdout (Splunk would index it)."""
_LISTS = ("unauthenticated_ingest",)
_TRUE, _FALSE = ("1", "true", "yes", "on"), ("0", "false", "no", "off")
_FLAGS = ("allow_loopback_http", "proxy_stored")
_SPLUNK = ("eai:", "disabled")

Conf = Mapping[str, Mapping[str, str]]
"""A conf file: stanza to its keys."""


@dataclass(frozen=True)
class SplunkSettings:
    """`settings` as everywhere; `index` takes signals and journal events; `policy` is the version in use, "" the default."""

    settings: Settings
    index: str
    policy: str
    journal_events: bool


def secret_name(stanza: str, field: str) -> str:
    """The name in storage/passwords of one secret of a connection or a channel: `okta_corp.private_key`."""
    return f"{stanza.replace(':', '.')}.{field}"


def load(splunkd: Splunkd, var: str) -> SplunkSettings:
    """The settings of this Splunk. `var` is the app's folder for files. Raises BadInputs, SplunkError."""
    return read(_conf(splunkd, SETTINGS), _conf(splunkd, CONNECTIONS), stored(splunkd), var)


def read(settings: Conf, connections: Conf, secrets: Stored, var: str) -> SplunkSettings:
    """The same from what was read already, as the setup page has it. Raises BadInputs."""
    errors: List[BadSettings] = []
    general = _given(settings.get("general", {}))
    doc = {
        "connections": [
            _connection(name, _given(keys), var, errors) for name, keys in connections.items() if _on(name, keys, errors)
        ],
        "journal": {"key": {"splunk": JOURNAL_KEY}, "anchor": os.path.join(var, "journal.anchor")},
        "timing": _timing(_given(settings.get("timing", {})), errors),
        "escalation": [
            _channel(name, _given(keys), var, errors)
            for name, keys in settings.items()
            if name.startswith(ESCALATION) and _on(name, keys, errors)
        ],
        **{name: _words(general[name]) for name in _LISTS if name in general},
    }
    journal_events = _flag(general.get("journal_events", "1"), f"{SETTINGS}.conf [general] journal_events", errors)
    known = (*_LISTS, "index", "policy", "journal_events", "splunk_tenant")
    errors.extend(
        _bad(f"{SETTINGS}.conf [general] {key}", "is no setting", f"the keys are {', '.join(known)}")
        for key in sorted(set(general) - set(known))
    )
    errors.extend(
        _bad(f"{SETTINGS}.conf [{name}]", "is no stanza", f"they are general, timing and {ESCALATION}NAME")
        for name in settings
        if name not in ("general", "timing") and not name.startswith(ESCALATION)
    )
    names = [f"{CONNECTIONS}.conf [{name}]" for name, keys in connections.items() if _on(name, keys, [])]
    try:
        found = read_settings(doc, f"{SETTINGS}.conf", stored=secrets, names=names, folder=var)
    except BadInputs as wrong:
        raise BadInputs([*errors, *wrong.errors]) from None
    if errors:
        raise BadInputs(errors)
    return SplunkSettings(found, general.get("index", "main"), general.get("policy", ""), journal_events)


def stored(splunkd: Splunkd) -> Stored:
    """Secrets of storage/passwords, each read by its own name: what is not needed is not asked for."""

    @functools.cache  # a second credential of a tenant shares its proxy
    def get(name: str) -> Optional[Secret]:
        try:
            entries = splunkd.entries("storage", "passwords", f"{REALM}:{name}:")
        except SplunkError as error:
            if error.status == 404:
                return None
            raise
        clear = entries[0].get("content", {}).get("clear_password") if entries else None
        return Secret(clear) if isinstance(clear, str) and clear else None

    return get


def _conf(splunkd: Splunkd, name: str) -> Conf:
    """The stanzas of one of the app's conf files, default and local together."""
    return {
        str(entry["name"]): {key: _text(value) for key, value in entry.get("content", {}).items()}
        for entry in splunkd.entries("configs", f"conf-{name}")
    }


def _text(value: Any) -> str:
    """splunkd gives some values as JSON's true and numbers."""
    if value is None:
        return ""
    return str(int(value)) if isinstance(value, bool) else str(value)


def _given(keys: Mapping[str, str]) -> Dict[str, str]:
    """What an administrator set: not Splunk's own keys, and not what is empty."""
    return {key: value.strip() for key, value in keys.items() if value.strip() and not key.startswith(_SPLUNK)}


def _on(name: str, keys: Mapping[str, str], errors: List[BadSettings]) -> bool:
    return name != "default" and not _flag(keys.get("disabled") or "0", f"[{name}] disabled", errors)


def _connection(name: str, given: Dict[str, str], var: str, errors: List[BadSettings]) -> Dict[str, Any]:
    """One stanza as an entry of `connections`; keys that are none stay, for the validator to name them."""
    place = f"{CONNECTIONS}.conf [{name}]"
    doc: Dict[str, Any] = {}
    settings: Dict[str, str] = {}
    privileged: Dict[str, Any] = {}
    for key, value in given.items():
        part, _, rest = key.partition(".")
        if part == "settings" and rest:
            settings[rest] = value
        elif part == "privileged" and rest:
            privileged[rest] = value
        else:
            doc[key] = _flag(value, f"{place} {key}", errors) if key in _FLAGS else value
    _secrets(doc, name, "", place, errors)
    if settings:
        doc["settings"] = settings
    if privileged:
        _secrets(privileged, name, "privileged.", place, errors)
        doc["privileged"] = privileged
    if doc.pop("proxy_stored", False):
        doc["proxy"] = {"splunk": secret_name(name, "proxy")}
    _certificates(doc, var, place, errors)
    return doc


def _secrets(doc: Dict[str, Any], name: str, prefix: str, place: str, errors: List[BadSettings]) -> None:
    """`credential` says which secret signs in; its value is in storage/passwords."""
    for field in sorted({RELAY_KEY, *(secret for names in VENDORS.values() for secret in names)} & set(doc)):
        del doc[field]
        errors.append(_bad(f"{place} {prefix}{field}", "a secret must not be in a conf file", "enter it on the setup page"))
    credential = doc.pop("credential", "")
    if credential:
        doc[credential] = {"splunk": secret_name(name, prefix + credential)}


def _channel(name: str, given: Dict[str, str], var: str, errors: List[BadSettings]) -> Dict[str, Any]:
    """One `escalation:NAME` as an entry of `escalation`. The URL is a secret: whoever knows it may post."""
    place = f"{SETTINGS}.conf [{name}]"
    if given.get("type") not in CHANNELS:
        errors.append(_bad(f"{place} type", f"{given.get('type', '')!r} is no channel", f"use {' or '.join(CHANNELS)}"))
    doc: Dict[str, Any] = {**given, "name": name[len(ESCALATION) :], "url": {"splunk": secret_name(name, "url")}}
    _certificates(doc, var, place, errors)
    return doc


def _certificates(doc: Dict[str, Any], var: str, place: str, errors: List[BadSettings]) -> None:
    """`ca_pem`, a private CA in base64, becomes a file of ours: libraries take a path."""
    given = doc.pop("ca_pem", "")
    if not given:
        return
    try:
        data = base64.b64decode("".join(given.split()), validate=True)
        if b"-----BEGIN CERTIFICATE-----" not in data or b"PRIVATE KEY" in data:
            raise ValueError("no certificate")
        doc["ca"] = _written(data, var)
    except (ValueError, binascii.Error):
        errors.append(_bad(f"{place} ca_pem", "is no PEM certificate in base64", "upload it again on the setup page"))
    except OSError as error:
        errors.append(_bad(f"{place} ca_pem", f"{var}: {error.strerror}", "give Splunk's user the right to write there"))


def _written(data: bytes, var: str) -> str:
    """A file named by its content: whoever finds it there needs not write it."""
    os.makedirs(var, mode=0o700, exist_ok=True)
    path = os.path.join(var, f"ca-{hashlib.sha256(data).hexdigest()[:32]}.pem")
    try:
        with open(path, "rb") as handle:
            if handle.read(len(data) + 1) == data:
                return path
    except FileNotFoundError:
        pass
    scratch = f"{path}.{os.getpid()}"
    handle_new = os.open(scratch, os.O_CREAT | os.O_WRONLY | os.O_TRUNC, 0o600)
    try:
        os.write(handle_new, data)
    finally:
        os.close(handle_new)
    os.replace(scratch, path)
    return path


def _timing(given: Mapping[str, str], errors: List[BadSettings]) -> Dict[str, Any]:
    found: Dict[str, Any] = {}
    for key, value in given.items():
        try:
            found[key] = [float(word) for word in _words(value)] if key == "rechecks" else float(value)
        except ValueError:
            errors.append(_bad(f"{SETTINGS}.conf [timing] {key}", f"{value[:40]!r} is no number", "give seconds"))
    return found


def _words(value: str) -> List[str]:
    return [word.strip() for word in value.split(",") if word.strip()]


def _flag(value: str, place: str, errors: List[BadSettings]) -> bool:
    if value.lower() not in (*_TRUE, *_FALSE):
        errors.append(_bad(place, f"{value[:40]!r} is neither true nor false", "give 1 or 0"))
    return value.lower() in _TRUE


def _bad(place: str, what: str, remedy: str) -> BadSettings:
    return BadSettings(what, place=place, remedy=remedy)
