"""What proves that two accounts are one identity's, as it is compared, and who holds it. Few bytes a key: there are many."""

from __future__ import annotations

import hashlib
import secrets
from array import array
from bisect import bisect_left, bisect_right
from typing import Iterable, Iterator, List, Sequence, Tuple, Union

from responders.inventory.observation import Seen

Evidence = Union[str, Tuple[str, int]]
"""Words, or name and digest of a key whose value is looked for when all is joined."""
FIXED = ("employee_number", "immutable_id")
"""Keys that differ from one identity to another."""
_SALT = secrets.token_bytes(16)
"""So that nobody can look for a value with the digest of another's beforehand; 64 bits make do then."""
_NOBODYS = frozenset({"na", "n/a", "none", "null", "nil", "unknown", "tbd", "tba", "todo", "test", "x", "xx", "xxx"})
"""What people write into a field that must not be empty."""
_NOTHING = frozenset("0.-_?*# ")


class Keys:
    """All values of one name: who holds which. Accounts are added in the order of their numbers."""

    def __init__(self, name: str) -> None:
        self._name = name
        self._digests, self._places = array("Q"), array("I")

    def add(self, value: str, place: int) -> None:
        digest = self.evidence(value)[1]
        if not self._places or self._places[-1] != place or digest not in self.of(place):
            self._digests.append(digest)
            self._places.append(place)

    def evidence(self, value: str) -> Tuple[str, int]:
        found = hashlib.blake2b(value.encode("utf-8", "surrogatepass"), digest_size=8, key=_SALT).digest()
        return self._name, int.from_bytes(found, "big")

    def of(self, place: int) -> Sequence[int]:
        """Digests of the values that this account holds."""
        return self._digests[bisect_left(self._places, place) : bisect_right(self._places, place)]

    def shared(self) -> Iterator[Tuple[Evidence, List[int]]]:
        """Every value that several accounts hold, and which."""
        digests = self._digests
        held: List[int] = []
        last = -1
        for number in sorted(range(len(digests)), key=digests.__getitem__):
            if digests[number] != last:
                if len(held) > 1:
                    yield (self._name, last), held
                held, last = [], digests[number]
            held.append(self._places[number])
        if len(held) > 1:
            yield (self._name, last), held


def proofs(one: Seen) -> Iterable[Tuple[str, str]]:
    """Names and values of the keys that prove something, as they are compared."""
    for key in one.keys:
        if key.evidence:
            value = key.value
            if key.name == "email":
                value = _mail(value) if one.user is not False else ""
            elif key.name in FIXED:
                value = _number(value)
            if value:
                yield key.name, value


def _mail(text: str) -> str:
    """An address as it is compared: letters of any case are one, and only ASCII, in which nothing looks like another.

    "" for what is none.
    """
    text = text.strip()
    whole = text.isascii() and text.isprintable() and text.count("@") == 1 and " " not in text and len(text) <= 254
    return text.lower() if whole and not text.startswith("@") and not text.endswith("@") else ""


def _number(text: str) -> str:
    """A number as it is compared, "" for what stands in the place of one."""
    text = text.strip()
    return "" if set(text) <= _NOTHING or text.casefold() in _NOBODYS else text


def clean(text: str) -> str:
    return "".join(letter if letter.isprintable() else "\ufffd" for letter in text[:100])


def shown(name: str) -> str:
    return {"email": "e-mail", "subject": "federated subject"}.get(name, name.replace("_", " "))
