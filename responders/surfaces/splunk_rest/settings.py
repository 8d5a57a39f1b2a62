"""Settings: where the logs are, the index for our events, times, and whom to tell. Blast limits are part of the policy."""

from __future__ import annotations

import base64
import re
import threading
from typing import Any, Dict, List, Mapping, Sequence, Tuple

from responders.settings import Stored
from responders.surfaces import splunk_assemble, splunk_settings
from responders.surfaces.assemble import read_catalogue
from responders.surfaces.splunk_rest import macros, stores
from responders.surfaces.splunk_rest.context import Context
from responders.surfaces.splunk_rest.fields import Fields
from responders.surfaces.splunk_rest.wire import Status

_CONF = splunk_settings.SETTINGS
_GENERAL = ("index", "journal_events", "unauthenticated_ingest", "splunk_tenant")
_TIMING = ("deadline", "tell_after", "confirm_patience", "federation_wait", "claim", "retry_due", "rechecks")
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9 _-]{0,59}\Z")
_TENANT = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,59}\Z")
_INDEX = re.compile(r"[a-z0-9][a-z0-9_-]{0,79}\Z")
_LOCK = threading.Lock()


def get(context: Context, _: Tuple[str, ...]) -> Mapping[str, Any]:
    """All settings but secrets, the sources with their macros, and whether the journal has its key."""
    stored = splunk_settings.stored(context.splunkd)
    found = stores.stanzas(context.splunkd, _CONF)
    defined = stores.stanzas(context.splunkd, "macros")
    about = macros.known(context.app_home)
    shown: Dict[str, Any] = {}
    for name, (kind, default) in about.items():
        definition = defined.get(name, {}).get("definition", default)
        shown[name] = {
            "kind": kind, "definition": definition, "default": default, "values": macros.values(definition),
            "set": definition.strip() != macros.NOT_SET,
        }  # fmt: skip
    return {
        "general": {key: found.get("general", {}).get(key, "") for key in (*_GENERAL, "policy")},
        "timing": {key: value for key, value in found.get("timing", {}).items() if key in _TIMING and value},
        "escalation": [_channel(name, keys, stored) for name, keys in found.items() if _is_channel(name)],
        "macros": shown,
        "sources": list(macros.sources(context.app_home)),
        "journal_key": stored(splunk_settings.JOURNAL_KEY) is not None,
    }


def post(context: Context, _: Tuple[str, ...]) -> Mapping[str, Any]:
    """Any part of them; what is left out stays. Everything is checked before anything is written.

    {"general": {…}, "timing": {…}, "escalation": [{"name", "type", "url", "ca_pem", "remove"}], "macros": {name: value or
    list}, "journal_key": "create"}
    """
    fields = Fields(context.request.body(), ("general", "timing", "escalation", "macros", "journal_key"))
    create_key = bool(fields.choice("journal_key", ("create",)))
    with _LOCK:
        before = stores.stanzas(context.splunkd, _CONF)
        changes: Dict[str, Dict[str, str]] = {}
        secrets: Dict[str, str] = {}
        removed: List[str] = []
        _general(fields, changes)
        _timing(fields, changes)
        _channels(fields, before, changes, secrets, removed)
        definitions = macros.definitions(fields, macros.known(context.app_home))
        fields.done()
        after = {name: dict(keys) for name, keys in before.items() if name not in removed}
        for name, keys in changes.items():
            after.setdefault(name, {}).update(keys)
        stored = stores.with_new(splunk_settings.stored(context.splunkd), secrets)
        splunk_settings.read(after, {}, stored, context.var)
        made = splunk_assemble.ensure_journal_key(context.splunkd) if create_key else False
        context.audit(
            "settings changed", changes={n: {k: v for k, v in keys.items() if k != "ca_pem"} for n, keys in changes.items()},
            removed=removed, macros=definitions, secrets=sorted(secrets), journal_key=made,
        )  # fmt: skip
        # Before, by the channels that there are: who takes one away, or makes a search look elsewhere, can't do so unseen.
        used = stores.stanzas(context.splunkd, "macros") if definitions else {}
        new = {name: text for name, text in definitions.items() if used.get(name, {}).get("definition") != text}
        weaker = _of_weight(before, changes, removed, new)
        if weaker:
            context.tell(f"settings are changed: {', '.join(weaker)}")
        for name, value in secrets.items():
            stores.keep_secret(context.splunkd, name, value)
        for name, keys in changes.items():
            stores.write(context.splunkd, _CONF, name, keys, new=name not in before)
        for name in removed:
            stores.remove(context.splunkd, _CONF, name)
            stores.drop_secret(context.splunkd, splunk_settings.secret_name(name, "url"))
        for name, definition in definitions.items():
            stores.write(context.splunkd, "macros", name, {"definition": definition}, new=False)
    return get(context, ())


def _of_weight(
    before: Mapping[str, Mapping[str, str]],
    changes: Mapping[str, Mapping[str, str]],
    removed: Sequence[str],
    definitions: Mapping[str, str],
) -> List[str]:
    """What could make us blind, slow or silent; an added channel could not."""
    found = [f"channel {name[len(splunk_settings.ESCALATION) :]} is taken away" for name in removed]
    for name, keys in changes.items():
        if not _is_channel(name):
            old = before.get(name, {})
            new = sorted((key, value) for key, value in keys.items() if old.get(key, "") != value)
            found += [f"{key} from {old.get(key, '')!r} to {value!r}" for key, value in new]
        elif name in before:
            found.append(f"channel {name[len(splunk_settings.ESCALATION) :]}")
    return found + [f"macro {name} to {definition}" for name, definition in sorted(definitions.items())]


def _general(fields: Fields, changes: Dict[str, Dict[str, str]]) -> None:
    if fields.given.get("general") is None:
        return
    inner = Fields(fields.given["general"], _GENERAL, "body.general")
    keys: Dict[str, str] = {}
    index = inner.text("index")
    if index and not _INDEX.match(index):
        inner.error("index", f"{index[:40]!r} is no name of an index", "use small letters, digits, - and _")
    if index:
        keys["index"] = index
    tenant = inner.text("splunk_tenant")
    if tenant and not _TENANT.match(tenant):
        inner.error("splunk_tenant", f"{tenant[:40]!r} is no name", "use letters, digits, ., - and _")
    if tenant:
        keys["splunk_tenant"] = tenant
    events = inner.flag("journal_events")
    if events is not None:
        keys["journal_events"] = "1" if events else "0"
    if "unauthenticated_ingest" in inner.given:
        names = [str(name) for name in inner.items("unauthenticated_ingest", most=500)]
        known = set(read_catalogue())
        for name in sorted(set(names) - known):
            inner.error("unauthenticated_ingest", f"there is no detection {name[:80]!r}", "GET searches lists them")
        keys["unauthenticated_ingest"] = ", ".join(names)
    fields.errors.extend(inner.errors)
    if keys:
        changes["general"] = keys


def _timing(fields: Fields, changes: Dict[str, Dict[str, str]]) -> None:
    if fields.given.get("timing") is None:
        return
    inner = Fields(fields.given["timing"], _TIMING, "body.timing")
    keys: Dict[str, str] = {}
    for name in (name for name in _TIMING if name in inner.given):
        given = list(inner.items(name, most=20)) if name == "rechecks" else [inner.given[name]]
        if any(isinstance(item, bool) or not isinstance(item, (int, float)) for item in given):
            inner.error(name, "is no number of seconds", "send a number, for rechecks a list of them")
        else:
            keys[name] = ", ".join(f"{item:g}" for item in given)
    fields.errors.extend(inner.errors)
    if keys:
        changes["timing"] = keys


def _channels(
    fields: Fields,
    before: Mapping[str, Mapping[str, str]],
    changes: Dict[str, Dict[str, str]],
    secrets: Dict[str, str],
    removed: List[str],
) -> None:
    for number, given in enumerate(fields.items("escalation", most=20), 1):
        inner = Fields(given, ("name", "type", "url", "ca_pem", "remove"), f"body.escalation[{number}]")
        name = inner.text("name", needed=True)
        if name and not _NAME.match(name):
            inner.error("name", f"{name[:60]!r} is no name", "use letters, digits, blanks, - and _")
        stanza = splunk_settings.ESCALATION + name
        if inner.flag("remove"):
            if stanza not in before:
                raise Status(404, f"there is no escalation channel {name[:60]}")
            removed.append(stanza)
            continue
        new = stanza not in before
        kind = inner.choice("type", splunk_settings.CHANNELS, needed=new)
        url = inner.text("url", needed=new)
        keys: Dict[str, str] = {"type": kind} if kind else {}
        if "ca_pem" in inner.given:
            text = inner.given["ca_pem"]
            if not isinstance(text, str) or "PRIVATE KEY" in text or len(text) > 65536:
                inner.error("ca_pem", "is no PEM certificate", "send only the certificates of the CA")
            else:
                keys["ca_pem"] = base64.b64encode(text.encode()).decode() if text else ""
                if not url and not new:
                    inner.error("url", "is needed again: the CA changed", "enter the URL with the change")
        fields.errors.extend(inner.errors)
        if url:
            secrets[splunk_settings.secret_name(stanza, "url")] = url
        changes[stanza] = keys


def _channel(name: str, keys: Mapping[str, str], stored: Stored) -> Mapping[str, Any]:
    """A channel without its URL: whoever knows that may post."""
    return {
        "name": name[len(splunk_settings.ESCALATION) :],
        "type": keys.get("type", ""),
        "url_stored": stored(splunk_settings.secret_name(name, "url")) is not None,
        "ca_set": bool(keys.get("ca_pem")),
    }


def _is_channel(name: str) -> bool:
    return name.startswith(splunk_settings.ESCALATION)
