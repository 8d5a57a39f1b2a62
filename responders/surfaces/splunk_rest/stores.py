"""Writes the app's conf files and secrets, as the app. What is written was validated before."""

from __future__ import annotations

from typing import Any, Dict, Mapping, Optional

from responders.settings import Secret, Stored
from responders.splunk.splunkd import Splunkd, SplunkError
from responders.surfaces import splunk_settings


def stanzas(splunkd: Splunkd, conf: str) -> Dict[str, Dict[str, str]]:
    """Stanza to its keys as text; empty when there is no such file yet."""
    try:
        entries = splunkd.entries("configs", f"conf-{conf}")
    except SplunkError as error:
        if error.status == 404:
            return {}
        raise
    return {
        str(entry["name"]): {key: _text(value) for key, value in (entry.get("content") or {}).items() if _ours(key)}
        for entry in entries
    }


def write(splunkd: Splunkd, conf: str, stanza: str, keys: Mapping[str, str], *, new: bool) -> None:
    """Set keys of one stanza. A key can't be removed through REST: one that is gone is set to nothing, which is the same."""
    if new:
        splunkd.post("configs", f"conf-{conf}", form={"name": stanza, **keys})
    else:
        splunkd.post("configs", f"conf-{conf}", stanza, form=keys)


def remove(splunkd: Splunkd, conf: str, stanza: str) -> None:
    """Delete a stanza; one that is gone already is no error."""
    try:
        splunkd.delete("configs", f"conf-{conf}", stanza)
    except SplunkError as error:
        if error.status != 404:
            raise


def keep_secret(splunkd: Splunkd, name: str, value: str) -> None:
    """Put a secret into storage/passwords, in place of the one that is there."""
    try:
        form = {"name": name, "realm": splunk_settings.REALM, "password": value}
        splunkd.post("storage", "passwords", form=form)
    except SplunkError as error:
        if error.status != 409:
            raise
        splunkd.post("storage", "passwords", f"{splunk_settings.REALM}:{name}:", form={"password": value})


def drop_secret(splunkd: Splunkd, name: str) -> None:
    """Forget a secret; one that is gone already is no error."""
    try:
        splunkd.delete("storage", "passwords", f"{splunk_settings.REALM}:{name}:")
    except SplunkError as error:
        if error.status != 404:
            raise


def with_new(stored: Stored, new: Mapping[str, str], *, only_new: bool = False) -> Stored:
    """Secrets as they would be after a save: validation needs them before they are written."""

    def get(name: str) -> Optional[Secret]:
        if name in new:
            return Secret(new[name])
        if name == splunk_settings.JOURNAL_KEY:
            return Secret("not needed to validate a connection")
        return None if only_new else stored(name)

    return get


def _ours(key: str) -> bool:
    return not key.startswith("eai:")


def _text(value: Any) -> str:
    if value is None:
        return ""
    return str(int(value)) if isinstance(value, bool) else str(value)
