"""A connection as the setup page sends it, turned into a stanza and its secrets. Secrets only ever go in."""

from __future__ import annotations

import base64
import re
from dataclasses import dataclass, field
from typing import Any, Dict, List, Mapping, Optional, Sequence, Tuple

from responders.errors import BadInput, BadInputs
from responders.settings import RELAY_KEY, RELAYED, VENDORS, Connection, Stored
from responders.surfaces import splunk_settings
from responders.surfaces.splunk_rest.fields import Fields
from responders.surfaces.splunk_rest.stores import with_new

PLAIN: Mapping[str, Tuple[str, ...]] = {
    "okta": ("client_id", "key_id", "scopes"),
    "entra": ("client_id", "thumbprint", "login"),
    "cyberark": ("username", "method"),
    "vault": ("role_id", "approle_mount"),
}
"""Sign-in fields of each vendor that are no secrets (docs/settings.md)."""
_WHERE = ("url", "proxy", "proxy_stored", "ca_pem", "login", "privileged.url", "privileged.login")
"""What decides who is sent the secret, and whom we trust there."""
_COMMON = (
    "vendor", "tenant", "url", "relay", "credential", "secret", "settings", "ca_pem", "proxy", "proxy_secret", "disabled",
)  # fmt: skip
_NAME = re.compile(r"[a-z0-9][a-z0-9_]{0,79}\Z")
_SETTING = re.compile(r"[a-z][a-z0-9_]{0,39}\Z")
_LONGEST_SECRET = 65536


@dataclass
class Form:
    """A stanza, and the secrets that go with it, by their names in storage/passwords."""

    name: str
    keys: Dict[str, str]
    secrets: Dict[str, str] = field(default_factory=dict, repr=False)


def read_form(given: Mapping[str, Any], before: Optional[Mapping[str, str]], name: str) -> Form:
    """The stanza after a save. `before` is the stored one, None for a new connection. Raises BadInputs.

    A change of where the secret is sent to wants the secret anew: else whoever may edit a URL could have it sent to himself.
    """
    vendor = (before or {}).get("vendor") or given.get("vendor")
    plain = PLAIN.get(vendor, ()) if isinstance(vendor, str) else ()
    fields = Fields(given, (*_COMMON, *plain, "privileged", *(() if before is not None else ("name",))))
    if before is None:
        vendor = fields.choice("vendor", tuple(VENDORS), needed=True)
        name = fields.text("name") or re.sub(r"[^a-z0-9]+", "_", f"{vendor}_{fields.text('tenant')}".lower()).strip("_")
        if not _NAME.match(name) or name == "test":
            fields.error("name", f"{name[:80]!r} is no name", "use small letters, digits and _")
    form = Form(name, dict(before or {}))
    for key in ("vendor", "tenant"):
        if before is not None and key in given and given[key] != before.get(key):
            fields.error(key, "can't be changed", "delete this connection and make another")
    for key in ("vendor", "tenant", "url", "relay", "proxy", *plain):
        if key in fields.given:
            form.keys[key] = _words(fields, key) if key == "scopes" else fields.text(key)
    if form.keys.get("relay"):
        return _relayed(fields, form, before or {}, str(vendor))
    if (before or {}).get("relay"):
        form.keys["credential"] = ""  # the relay's key is no credential of the vendor
    if "@" in form.keys.get("proxy", ""):
        fields.error("proxy", "holds a password", "send it as proxy_secret")
        form.keys["proxy"] = ""
    _certificate(fields, form)
    _settings(fields, form)
    disabled = fields.flag("disabled")
    if disabled is not None:
        form.keys["disabled"] = "1" if disabled else "0"
    if "proxy_secret" in fields.given:
        value = _secret(fields, "proxy_secret")
        form.keys["proxy_stored"] = "1" if value else "0"
        if value:
            form.secrets[splunk_settings.secret_name(name, "proxy")] = value
    _credential(fields, form, str(vendor), "")
    _privileged(fields, form, str(vendor), plain)
    _sent_anew(fields, form, before)
    fields.done()
    return form


def _relayed(fields: Fields, form: Form, before: Mapping[str, str], vendor: str) -> Form:
    """The relay has the vendor's address and credentials: here only its name and key are kept."""
    for key in ("url", "ca_pem", "proxy", "proxy_secret", "login", "privileged", *PLAIN.get(vendor, ())):
        if fields.given.get(key):
            fields.error(key, "does not go with relay", "it belongs into the relay's own settings")
    kept = ("vendor", "tenant", "relay", "credential", "disabled")
    form.keys.update({key: "" for key in form.keys if key not in kept and not key.startswith("settings.")})
    _settings(fields, form)
    disabled = fields.flag("disabled")
    if disabled is not None:
        form.keys["disabled"] = "1" if disabled else "0"
    if form.keys["relay"] != before.get("relay"):  # another relay has another key
        form.keys["credential"] = ""
    _credential(fields, form, vendor, "", (RELAY_KEY,))
    fields.done()
    return form


def validated(form: Form, stored: Stored, var: str) -> Connection:
    """The connection that the responder would make of it. Raises BadInputs by the rules of docs/settings.md."""
    keys = {**form.keys, "disabled": "0"}
    found = splunk_settings.read({}, {form.name: keys}, with_new(stored, form.secrets), var)
    return found.settings.connections[0]


def shown(name: str, keys: Mapping[str, str], stored: Stored) -> Dict[str, Any]:
    """A stanza for the setup page: no secret, only whether there is one."""
    credential = keys.get("credential", "")
    found: Dict[str, Any] = {
        "name": name,
        "disabled": keys.get("disabled", "0").lower() in ("1", "true"),
        "secret_stored": bool(credential) and stored(splunk_settings.secret_name(name, credential)) is not None,
        "ca_set": bool(keys.get("ca_pem")),
        "proxy_secret_stored": keys.get("proxy_stored") in ("1", "true"),
        "settings": {key[9:]: value for key, value in keys.items() if key.startswith("settings.") and value},
    }
    privileged = {key[11:]: value for key, value in keys.items() if key.startswith("privileged.") and value}
    if privileged:
        secret = splunk_settings.secret_name(name, "privileged." + privileged.get("credential", ""))
        found["privileged"] = {**privileged, "secret_stored": stored(secret) is not None}
    vendor = keys.get("vendor", "")
    for key in ("vendor", "tenant", "url", "relay", "credential", "proxy", *PLAIN.get(vendor, ())):
        found[key] = keys.get(key, "")
    return found


def secret_names(name: str, keys: Mapping[str, str]) -> List[str]:
    """Every secret that may lie in storage/passwords for a stanza."""
    fields = VENDORS.get(keys.get("vendor", ""), ())
    relayed = (RELAY_KEY,) if keys.get("vendor") in RELAYED else ()
    others = (*relayed, *(f"privileged.{f}" for f in fields), "proxy")
    return [splunk_settings.secret_name(name, f) for f in (*fields, *others)]


def _credential(fields: Fields, form: Form, vendor: str, prefix: str, known: Sequence[str] = ()) -> None:
    known = known or VENDORS.get(vendor, ())
    before = form.keys.get(f"{prefix}credential", "")
    kind = fields.choice("credential", known) or before or (known[0] if len(known) == 1 else "")
    if not kind:
        fields.error("credential", "is missing", f"say which secret it is: {' or '.join(known)}")
        return
    form.keys[f"{prefix}credential"] = kind
    value = _secret(fields, "secret")
    if value:
        form.secrets[splunk_settings.secret_name(form.name, prefix + kind)] = value
    elif kind != before:
        fields.error("secret", "is missing", "enter the secret: it is stored, and never shown again")


def _privileged(fields: Fields, form: Form, vendor: str, plain: Sequence[str]) -> None:
    """A second credential of the same tenant. Null takes it away."""
    if "privileged" not in fields.given:
        return
    given = fields.given["privileged"]
    if given is None:
        form.keys.update({key: "" for key in form.keys if key.startswith("privileged.")})
        return
    inner = Fields(given, ("credential", "secret", *plain), f"{fields.place}.privileged")
    for key in plain:
        if key in inner.given:
            form.keys[f"privileged.{key}"] = _words(inner, key) if key == "scopes" else inner.text(key)
    _credential(inner, form, vendor, "privileged.")
    fields.errors.extend(inner.errors)


def _sent_anew(fields: Fields, form: Form, before: Optional[Mapping[str, str]]) -> None:
    if before is None:
        return
    moved = [key for key in _WHERE if form.keys.get(key, "") != before.get(key, "")]
    moved += ["proxy_secret"] if splunk_settings.secret_name(form.name, "proxy") in form.secrets else []
    if not moved:
        return
    for prefix, place in (("", "secret"), ("privileged.", "privileged.secret")):
        kind = form.keys.get(f"{prefix}credential", "")
        if kind and splunk_settings.secret_name(form.name, prefix + kind) not in form.secrets:
            what = f"is needed again: {', '.join(moved)} changed, and a stored secret is only sent where it was entered for"
            fields.error(place, what, "enter the secret with the change")


def _secret(fields: Fields, name: str) -> str:
    """A secret may have several lines (PEM); it is never quoted in an error."""
    value = fields.given.get(name)
    if value is None or value == "":
        return ""
    if not isinstance(value, str) or len(value) > _LONGEST_SECRET or "\0" in value or not value.strip():
        fields.error(name, "is no secret", f"send text of at most {_LONGEST_SECRET} characters")
        return ""
    return value


def _words(fields: Fields, name: str) -> str:
    """Scopes: a list of words, or text with blanks between them."""
    value = fields.given.get(name)
    if isinstance(value, str):
        return fields.text(name)
    words = [word for word in fields.items(name, most=100) if isinstance(word, str)]
    if any(not re.match(r"[\w.:/-]{1,100}\Z", word) for word in words):
        fields.error(name, "holds a word that is no scope", "correct it")
    return " ".join(words)


def _certificate(fields: Fields, form: Form) -> None:
    if "ca_pem" not in fields.given:
        return
    text = _secret(fields, "ca_pem")
    if "PRIVATE KEY" in text:
        fields.error("ca_pem", "holds a private key", "send only the certificates of the CA")
    form.keys["ca_pem"] = base64.b64encode(text.encode()).decode() if text else ""


def _settings(fields: Fields, form: Form) -> None:
    given = fields.given.get("settings")
    if given is None:
        return
    if not isinstance(given, Mapping) or not all(isinstance(v, str) and _SETTING.match(str(k)) for k, v in given.items()):
        fields.error("settings", "is no object of texts", 'send {"quarantine_group": "…"}')
        return
    inner = Fields(given, tuple(map(str, given)), f"{fields.place}.settings")
    form.keys.update({key: "" for key in form.keys if key.startswith("settings.")})
    form.keys.update({f"settings.{key}": inner.text(str(key)) for key in given})
    fields.errors.extend(inner.errors)


def refuse(place: str, what: str, remedy: str) -> BadInputs:
    """One wrong place."""
    return BadInputs([BadInput(what, place=place, remedy=remedy)])
