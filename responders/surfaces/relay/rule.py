"""One rule of a relay, and what a guard of a change works with."""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass
from typing import Any, Callable, Optional, Tuple

from responders.surfaces.relay.state import State
from responders.vendors.client import VendorClient
from responders.vendors.relay_wire import CALL, Ask

ALL: Tuple[str, ...] = ("*",)


class Broken(Exception):
    """A request that the rules do not let through; the text says why. Nothing was done."""


def _nothing() -> None:
    return


def _gives_nothing(ask: Ask) -> str:
    return ""


@dataclass(frozen=True)
class Passed:
    """What a guard let through: the body that is sent, what is noted once it was done, and what once it was refused."""

    body: Any
    done: Callable[[], None] = _nothing
    refused: Callable[[], None] = _nothing


def plain(text: str) -> str:
    """An id as a vendor may take it: CyberArk and userpass don't tell capital letters from small ones."""
    return unicodedata.normalize("NFKC", text).casefold().strip()


def key_of(ask: Ask, what: str, *ids: str) -> str:
    """The name of something that can be taken away and given back."""
    return "\n".join((ask.vendor, ask.tenant, what, *ids))


@dataclass(frozen=True)
class Job:
    """A change that is about to be made."""

    ask: Ask
    client: VendorClient
    state: State
    never: Tuple[str, ...] = ()

    def spared(self, name: str) -> None:
        """Raises Broken for somebody in relay.never, under a name that the request does not have."""
        if plain(name) in {plain(protected) for protected in self.never}:
            raise Broken(f"{name[:80]} is protected by relay.never on the relay's own machine")

    def key(self, what: str, *ids: str) -> str:
        """The name of something that can be taken away and given back."""
        return key_of(self.ask, what, *ids)

    def must_be_taken(self, key: str, what: str) -> str:
        """What was noted about it. Raises Broken when this relay did not take it away."""
        found = self.state.taken(key)
        if found is None:
            raise Broken(f"{what} was not done by this relay, so it does not undo it: do it by hand")
        return found


Guard = Callable[[Job], Passed]


@dataclass(frozen=True)
class Rule:
    """`query` and `body` are the keys that may be there, `keep` the fields of the answer that go back.

    `gives` names what a request gives back, "" for one that gives nothing.
    """

    what: str
    method: str
    template: str
    keep: Tuple[str, ...] = ()
    query: Tuple[str, ...] = ()
    body: Tuple[str, ...] = ()
    changes: bool = False
    guard: Optional[Guard] = None
    gives: Callable[[Ask], str] = _gives_nothing


def change(
    method: str,
    template: str,
    *,
    body: Tuple[str, ...] = (),
    guard: Optional[Guard] = None,
    gives: Callable[[Ask], str] = _gives_nothing,
) -> Rule:
    """A rule for a call that changes something; its answer is not needed."""
    return Rule(CALL, method, template, body=body, changes=True, guard=guard, gives=gives)
