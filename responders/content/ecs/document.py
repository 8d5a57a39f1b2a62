"""What every mapper writes to: a nested document that takes only sound values."""

from __future__ import annotations

import ipaddress
from dataclasses import dataclass, field
from typing import Any, Dict, Iterable, List, Mapping, Optional


@dataclass(frozen=True)
class EcsDocument:
    """A document, the concrete data stream it belongs to, and its id: the event's own, so that a repeat is the same."""

    index: str
    id: str
    document: Mapping[str, Any]


@dataclass
class Doc:
    """A document being made. Absent, empty and null values are left out, as the pipelines leave them out."""

    values: Dict[str, Any] = field(default_factory=dict)

    def put(self, path: str, value: Any) -> None:
        """Set `a.b.c` to a text, number, flag or a list of them; other values and empty ones are ignored."""
        sound = scalar(value) if not isinstance(value, list) else [s for s in map(scalar, value) if s is not None]
        if sound is None or sound == []:
            return
        place = self.values
        *parents, last = path.split(".")
        for parent in parents:
            place = place.setdefault(parent, {})
        place[last] = sound

    def put_object(self, path: str, value: Any) -> None:
        """Set `a.b.c` to an object, for `flattened` fields."""
        if isinstance(value, Mapping) and value:
            place = self.values
            *parents, last = path.split(".")
            for parent in parents:
                place = place.setdefault(parent, {})
            place[last] = dict(value)

    def put_ip(self, path: str, value: Any) -> None:
        """Set `a.b.c` if it is an IP address: mapped as `ip`, another text would make Elasticsearch drop the event."""
        try:
            self.put(path, str(ipaddress.ip_address(str(value).strip())))
        except ValueError:
            return


def scalar(value: Any) -> Any:
    """A text, number or flag as it is; None for anything else and for the empty text."""
    if isinstance(value, (bool, int, float)):
        return value
    return value if isinstance(value, str) and value else None


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


def number(value: Any) -> Optional[int]:
    """A whole number, also from its text; None for anything else."""
    if isinstance(value, bool):
        return None
    try:
        return int(value) if isinstance(value, (int, str)) else None
    except ValueError:
        return None
