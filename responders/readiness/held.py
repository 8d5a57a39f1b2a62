"""What a vendor says of the responder's own credential."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Mapping, Optional, Tuple


@dataclass(frozen=True)
class Held:
    """`permissions` maps each one asked for to True (held), False (missing) or None (the vendor does not say).

    `notes` are sentences for the administrator: why something can't be told, or what more is needed.
    """

    permissions: Mapping[str, Optional[bool]]
    notes: Tuple[str, ...] = field(default=())
