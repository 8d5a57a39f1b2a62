"""Rights that give power over others, in words. Pure."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Dict, Mapping, Tuple

from responders.inventory.observation import Reaches
from responders.inventory.reporting.entra_roles import ROLES

_SHOWN = 5
_MOST = 200


@dataclass
class Rights:
    """What one identity may, gathered: rights in words, by tenant. Safes are counted, for an administrator has thousands."""

    words: Dict[str, Dict[str, None]] = field(default_factory=dict)
    safes: Dict[str, Dict[str, None]] = field(default_factory=dict)
    more: int = 0

    def add(self, right: Reaches, place: str) -> None:
        kind, text = (self.safes, right.name or right.target) if right.what == "safe" else (self.words, in_words(right))
        known = kind.setdefault(place, {})
        if len(known) < _MOST:
            known.setdefault(text)
        elif text not in known:
            self.more += 1

    def told(self, where: Mapping[str, str]) -> Tuple[str, ...]:
        """A sentence for each tenant; `where` is what people call it."""
        told = [f"{_some(tuple(words))} at {where[place]}" for place, words in sorted(self.words.items())]
        for place, safes in sorted(self.safes.items()):
            count = f"the {len(safes)} safes" if len(safes) > 1 else "the safe"
            told.append(f"gives access to {count} {_some(tuple(safes))} at {where[place]}")
        return (*told, *([f"{self.more} more"] if self.more else []))

    def places(self) -> Tuple[str, ...]:
        return tuple(sorted({*self.words, *self.safes}))


def eligible(right: Reaches) -> bool:
    """True for a role that must be activated first (Entra PIM): it does not stand."""
    return right.what == "role" and right.name == "eligible"


def in_words(right: Reaches) -> str:
    """`right` without where it holds."""
    if right.what == "role" and right.name in ("eligible", "assigned"):
        return ROLES.get(right.target, f"role {right.target}")
    name = right.name or right.target
    if right.what in ("owner", "federated"):
        return f"owner of {name}" if right.what == "owner" else f"trusted by {name}, without a secret"
    return f"{right.what} {name}" if right.what in ("policy", "permission") else name


def _some(names: Tuple[str, ...]) -> str:
    rest = len(names) - _SHOWN
    return ", ".join(names[:_SHOWN]) + (f" and {rest} more" if rest > 0 else "")
