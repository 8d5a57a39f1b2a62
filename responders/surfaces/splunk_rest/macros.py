"""The macros that say where a customer's logs are: index, sourcetype and tenant of each source.

Only those that the app's list of sources names, and only from values of a narrow form: a macro is part of every search.
"""

from __future__ import annotations

import json
import os
import re
from typing import Any, Dict, List, Mapping, Sequence, Tuple

from responders.errors import BadSettings
from responders.surfaces.splunk_rest.fields import Fields

OWN_INDEX = "tourniquet_own_index"
NOT_SET = "index=tourniquet_not_set"
"""What the index macro of a log is until somebody names its index: nothing of that log is read."""
_FORMS = {
    "index": re.compile(r"(?:[a-z0-9][a-z0-9_-]{0,79}|_internal|\*)\Z"),
    "sourcetype": re.compile(r"[A-Za-z0-9][A-Za-z0-9:_.\-]{0,99}\Z"),
    "tenant": re.compile(r"[A-Za-z0-9][A-Za-z0-9._\-]{0,99}\Z"),
}
"""indexes.conf.spec: names of small letters, digits, underscores and hyphens."""
_ONE = re.compile(r'(?:index|sourcetype)\s*=\s*"?([^"\s()]+)"?\Z')
_SEVERAL = re.compile(r"(?:index|sourcetype)\s+IN\s*\(([^()]*)\)\Z")


def sources(app_home: str) -> Sequence[Mapping[str, Any]]:
    """The app's list of logs (`appserver/static/sources.json`, generated). Raises BadSettings when it is not there."""
    path = os.path.join(app_home, "appserver", "static", "sources.json")
    try:
        with open(path, encoding="utf-8") as handle:
            found: Sequence[Mapping[str, Any]] = json.load(handle)["sources"]
            return found
    except (OSError, ValueError, KeyError) as error:
        raise BadSettings(f"can't be read ({type(error).__name__})", place=path, remedy="install the app anew") from None


def known(app_home: str) -> Dict[str, Tuple[str, str]]:
    """Macro to its kind (index, sourcetype, tenant) and the definition it ships with."""
    found: Dict[str, Tuple[str, str]] = {}
    for source in sources(app_home):
        kinds = {str(source["index_macro"]): "index", str(source.get("tenant_macro") or ""): "tenant"}
        kinds.update({str(name): "sourcetype" for name in source.get("sourcetype_macros") or ()})
        for name, kind in kinds.items():
            if name:
                found[name] = (kind, str(source["defaults"].get(name, "")))
    return found


def unread(app_home: str, defined: Mapping[str, Mapping[str, str]]) -> Dict[str, List[str]]:
    """Detections of which no log has an index yet, to the titles of their logs. `defined` are the stanzas of macros.conf."""
    logs: Dict[str, List[str]] = {}
    read = set()
    for source in sources(app_home):
        index, default = str(source["index_macro"]), str(source["defaults"].get(source["index_macro"], ""))
        for detection in source["detections"]:
            if index == OWN_INDEX:
                logs.setdefault(detection, [])
            elif defined.get(index, {}).get("definition", default).strip() == NOT_SET:
                logs.setdefault(detection, []).append(str(source["title"]))
            else:
                read.add(detection)
    return {name: titles for name, titles in logs.items() if titles and name not in read}


def values(definition: str) -> List[str]:
    """The values in a definition; empty where none is named yet, or it was written by hand in another form."""
    text = definition.strip()
    if text == NOT_SET:
        return []
    one, several = _ONE.match(text), _SEVERAL.match(text)
    if one:
        return [one[1]]
    if several:
        return [part.strip().strip('"') for part in several[1].split(",") if part.strip()]
    return [text[1:-1]] if len(text) > 1 and text[0] == text[-1] == '"' and '"' not in text[1:-1] else []


def definitions(fields: Fields, about: Mapping[str, Tuple[str, str]]) -> Dict[str, str]:
    """What was sent as definitions. What is wrong is among the errors of `fields`."""
    given = fields.given.get("macros")
    if given is None:
        return {}
    inner = Fields(given, tuple(about), f"{fields.place}.macros")
    found: Dict[str, str] = {}
    for name, (kind, _) in about.items():
        if name not in inner.given:
            continue
        value = inner.given[name]
        words = [value] if isinstance(value, str) else list(inner.items(name, most=20))
        if not words or any(not isinstance(word, str) or not _FORMS[kind].match(word) for word in words):
            inner.error(name, f"is no {kind}", f"send a name of {kind}, or a list of them: letters, digits, - and _")
        elif kind == "tenant" and len(words) > 1:
            inner.error(name, "has several values", "a tenant is one name")
        else:
            found[name] = _definition(kind, words)
    fields.errors.extend(inner.errors)
    return found


def _definition(kind: str, words: Sequence[str]) -> str:
    if kind == "tenant":
        return f'"{words[0]}"'
    if len(words) == 1:
        return f"index={words[0]}" if kind == "index" else f'sourcetype="{words[0]}"'
    listed = ", ".join(words if kind == "index" else [f'"{word}"' for word in words])
    return f"{kind} IN ({listed})"
