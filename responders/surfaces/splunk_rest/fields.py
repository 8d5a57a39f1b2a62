"""Reads the keys of a request's body: unknown ones refused, and everything that is wrong said at once."""

from __future__ import annotations

from typing import Any, List, Mapping, Optional, Sequence, Tuple

from responders.alerts.fields import one
from responders.errors import BadAlert, BadInput, BadInputs

_LONGEST = 4096


class Fields:
    """`place` stands before each key in errors ("body")."""

    def __init__(self, given: Any, known: Sequence[str], place: str = "body") -> None:
        self.place = place
        self.errors: List[BadInput] = []
        self.given: Mapping[str, Any] = given if isinstance(given, Mapping) else {}
        if not isinstance(given, Mapping):
            self.error("", "is no object", f"send an object with {', '.join(known)}")
        for name in sorted(set(self.given) - set(known)):
            self.error(name[:80], "is an unknown key", f"the keys are {', '.join(known)}")

    def error(self, name: str, what: str, remedy: str) -> None:
        self.errors.append(BadInput(what, place=f"{self.place}.{name}" if name else self.place, remedy=remedy))

    def text(self, name: str, *, needed: bool = False, longest: int = _LONGEST) -> str:
        """One line of text, "" when it is left out."""
        value = self.given.get(name)
        if value is None or value == "":
            if needed:
                self.error(name, "is missing", "give it")
            return ""
        try:
            found = one({name: value}, name) if isinstance(value, str) else ""
        except BadAlert as error:
            self.error(name, error.message, "send clean text")
            return ""
        if not found or len(found) > longest:
            self.error(name, "is no text" if not found else f"has over {longest} characters", "correct it")
            return ""
        if needed and not found.strip():
            self.error(name, "is empty", "give it")
        return found

    def choice(self, name: str, among: Sequence[str], *, needed: bool = False) -> str:
        """One of some words."""
        found = self.text(name, needed=needed)
        if found and found not in among:
            self.error(name, f"{found[:40]!r} is unknown", f"use one of {', '.join(among)}")
            return ""
        return found

    def flag(self, name: str) -> Optional[bool]:
        """True or false; None when it is left out."""
        value = self.given.get(name)
        if value is not None and not isinstance(value, bool):
            self.error(name, "is neither true nor false", "correct it")
            return None
        return value

    def items(self, name: str, *, most: int) -> Tuple[Any, ...]:
        """A list, empty when it is left out."""
        value = self.given.get(name)
        if value is None:
            return ()
        if not isinstance(value, list):
            self.error(name, "is no list", "put it in square brackets")
            return ()
        if len(value) > most:
            self.error(name, f"has {len(value)} items, {most} at most", "send fewer at once")
        return tuple(value[:most])

    def done(self) -> None:
        """Raises BadInputs when anything was wrong."""
        if self.errors:
            raise BadInputs(self.errors)
