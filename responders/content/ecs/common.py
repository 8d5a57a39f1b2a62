"""What every mapper shares: the document that it fills, which takes only what the mappings take, and small readers."""

from __future__ import annotations

import hashlib
import ipaddress
import re
from dataclasses import dataclass, field
from datetime import datetime, timezone
from typing import Any, Dict, Iterable, List, Mapping, Optional

from responders.content.forms import parse_time, to_splunk

_SOUND_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9._:/+=-]{0,199}")
_LARGEST = {"long": 2**63 - 1, "integer": 2**31 - 1}
_IGNORE_ABOVE = 1024
"""Fleet's default `ignore_above` of keyword fields: a query can't see longer texts, so they are left out here as well."""
_LONGEST_LEAF, _DEEPEST = 8000, 20
"""What a `flattened` field takes: leaves under 32766 bytes of UTF-8, objects 20 deep (Elasticsearch, "Flattened field
type", depth_limit)."""


@dataclass(frozen=True)
class EcsDocument:
    """A document, the concrete data stream it belongs to, and its id: the event's own, so that a repeat is the same."""

    index: str
    id: str
    document: Dict[str, Any]


@dataclass
class Doc:
    """A document being made. `types` are the data stream's field types (fields.json); null, empty and unfit values of a
    field are left out, as the pipelines drop them: a value that does not fit its mapping would have Elasticsearch reject
    the whole event."""

    types: Mapping[str, str]
    values: Dict[str, Any] = field(default_factory=dict)

    def put(self, path: str, value: Any, longest: int = _IGNORE_ABOVE) -> None:
        """Set field `a.b.c`, converted to its type; a list becomes a list of what fits. KeyError: no such field."""
        kind = self.types[path]
        if isinstance(value, list) and kind != "flattened":
            several = [item for item in (fit(kind, item, longest) for item in value) if item is not None]
            self._set(path, several or None)
        else:
            self._set(path, fit(kind, value, longest))

    def put_each(self, path: str, items: Iterable[Mapping[str, Any]]) -> None:
        """Set a list of objects with the fields `path.key`; in the index they lose their pairing, as everywhere."""
        made = []
        for item in items:
            inner = Doc({key: self.types[f"{path}.{key}"] for key in item})
            for key, value in item.items():
                inner.put(key, value)
            if inner.values:
                made.append(inner.values)
        self._set(path, made or None)

    def _set(self, path: str, value: Any) -> None:
        if value is None:
            return
        place = self.values
        *parents, last = path.split(".")
        for parent in parents:
            place = place.setdefault(parent, {})
        place[last] = value


def fit(kind: str, value: Any, longest: int = _IGNORE_ABOVE) -> Any:
    """The value as a field of this type takes it, None where it does not fit."""
    if kind in ("keyword", "constant_keyword", "text"):
        return _text(value, longest)
    if kind == "ip":
        return _ip(value)
    if kind in _LARGEST:
        return _number(value, _LARGEST[kind])
    if kind == "boolean":
        return {"true": True, "false": False}.get(str(value).lower()) if isinstance(value, (bool, str)) else None
    if kind == "date":
        return iso_time(value)
    if kind == "geo_point":
        return _point(value)
    return pruned(value) if isinstance(value, Mapping) else None


def _text(value: Any, longest: int) -> Optional[str]:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, (int, float)):
        return str(value)
    # Half a surrogate pair is sound JSON and no sound UTF-8: Elasticsearch would reject the whole request.
    return value.encode("utf-8", "replace").decode() if isinstance(value, str) and 0 < len(value) <= longest else None


def pruned(value: Any, depth: int = 1) -> Any:
    """The value without null and empty parts, which the pipelines drop, and without what a `flattened` field rejects;
    None when nothing is left."""
    if depth > _DEEPEST:
        return None
    if isinstance(value, Mapping):
        sound = ((_text(str(key), _IGNORE_ABOVE), item) for key, item in value.items() if "\0" not in str(key))
        kept = ((key, pruned(item, depth + 1)) for key, item in sound if key is not None)
        return {key: item for key, item in kept if item is not None} or None
    if isinstance(value, list):
        return [item for item in (pruned(item, depth + 1) for item in value) if item is not None] or None
    return _text(value, _LONGEST_LEAF) if isinstance(value, str) else value


def _ip(value: Any) -> Optional[str]:
    try:
        return str(ipaddress.ip_address(value.strip())) if isinstance(value, str) else None
    except ValueError:
        return None


def _point(value: Any) -> Optional[Dict[str, float]]:
    """`{lat, lon}` of a place on earth."""
    if not isinstance(value, Mapping):
        return None
    try:
        lat, lon = float(value["lat"]), float(value["lon"])
    except (KeyError, TypeError, ValueError):
        return None
    return {"lat": lat, "lon": lon} if abs(lat) <= 90 and abs(lon) <= 180 else None


def _number(value: Any, largest: int) -> Optional[int]:
    try:
        found = int(value) if isinstance(value, (int, str)) and not isinstance(value, bool) else None
    except ValueError:
        return None
    return found if found is not None and -largest <= found <= largest else None


def get(event: Any, path: str) -> Any:
    """The value at `a.b.c` of nested objects, None where there is none."""
    for part in path.split("."):
        if not isinstance(event, Mapping):
            return None
        event = event.get(part)
    return event


def objects(value: Any) -> List[Mapping[str, Any]]:
    """The objects of a list; a single object is a list of one."""
    items: Iterable[Any] = value if isinstance(value, list) else [value]
    return [item for item in items if isinstance(item, Mapping)]


def iso_time(value: Any) -> Optional[str]:
    """A vendor's time (ISO 8601 in its dialects, or epoch) as ISO 8601 in UTC to the millisecond, None when unreadable."""
    at = parse_time(value)
    try:
        found = None if at is None else datetime.fromtimestamp(at, timezone.utc)
    except (OverflowError, OSError, ValueError):
        return None
    return None if found is None else found.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def document_id(own: str, source: str, event: Any) -> str:
    """The event's own id where it is a sound one, so that no id breaks a query's separators; else the MD5 of the event as
    Splunk holds it, which the searches take as well: an event has one id in both."""
    return own if _SOUND_ID.fullmatch(own) else digest(str(to_splunk(source, event, 0.0)["_raw"]))


def digest(text: str) -> str:
    """MD5 in 32 hexadecimal digits; a name, not a safeguard."""
    return hashlib.md5(text.encode("utf-8", "surrogatepass"), usedforsecurity=False).hexdigest()
