"""From accounts to the one identity behind them. Exact matches only; ambiguous means nobody."""

from __future__ import annotations

import io
import json
from dataclasses import dataclass
from typing import Any, Dict, FrozenSet, List, Mapping, Optional, Sequence, Tuple

from responders.codec import from_json
from responders.errors import BadInventory, InventoryError
from responders.inventory.lines import line_of, write_end, write_identities
from responders.inventory.store import InventoryStore
from responders.model import Account, Alert, Identity


@dataclass(frozen=True)
class Resolution:
    """`identity`, or None with `why` nobody is meant: a person must look. Beside an identity, `why` names strangers."""

    identity: Optional[Identity]
    why: str = ""


def resolve(store: InventoryStore, accounts: Sequence[Account]) -> Resolution:
    """The identity behind all of `accounts`. An account no row claims is an identity of its own, unmapped.

    Two reads of the store, whatever its size. Raises InventoryError when it can't be read.
    """
    for _ in range(_TRIES):
        held = store.names(tuple(dict.fromkeys(account.key for account in accounts))) if accounts else {}
        found: Dict[str, None] = {}
        strangers: List[Account] = []
        for account in accounts:
            names = dict.fromkeys(held.get(account.key, ()))
            if len(names) > 1:
                return Resolution(None, f"{account.key} belongs to several identities: {', '.join(sorted(names))}")
            found.update(names)
            if not names:
                strangers.append(account)
        if len(found) > 1:
            return Resolution(None, f"the alert names accounts of several identities: {', '.join(sorted(found))}")
        if not found:
            return _stranger(strangers)
        identity = store.identity(next(iter(found)))
        if identity is not None:
            others = ", ".join(sorted(account.key for account in strangers))
            why = f"the alert also names accounts that no inventory row claims: {others}" if others else ""
            return Resolution(identity, why)
    raise InventoryError(f"the inventory names {next(iter(found))!r} and does not hold it. Push the inventory anew")


def meant(alert: Alert, store: InventoryStore) -> Resolution:
    """Who is meant. An account that could not be read is one that no inventory row claims: beside another such, nobody.

    Raises InventoryError.
    """
    found = resolve(store, alert.accounts)
    if alert.strange_account and found.identity is not None and found.identity.unmapped:
        why = f"the alert names accounts that no inventory row claims: {found.identity.id}, and one that can't be read"
        return Resolution(None, why)
    return found


_TRIES = 3
"""A new content may be put in place between the two reads."""


def _stranger(strangers: Sequence[Account]) -> Resolution:
    if len(strangers) > 1:
        keys = ", ".join(sorted(account.key for account in strangers))
        return Resolution(None, f"the alert names several accounts that no inventory row claims: {keys}")
    return Resolution(unmapped(strangers[0])) if strangers else Resolution(None, "the alert names no account")


class Inventory:
    """The `InventoryStore` in memory. `restorers` are ids of identities that may restore; `break_glass` are account keys."""

    def __init__(
        self,
        identities: Sequence[Identity],
        aliases: Optional[Mapping[str, str]] = None,
        restorers: FrozenSet[str] = frozenset(),
    ) -> None:
        self._identities = {identity.id: identity for identity in identities}
        self._aliases = dict(aliases or {})
        self._by_key: Dict[str, List[str]] = {}
        for identity in identities:
            for account in identity.accounts:
                self._by_key.setdefault(account.key, []).append(identity.id)
        for alias, name in self._aliases.items():
            self._by_key.setdefault(alias, []).append(name)
        self._restorers = restorers
        self._break_glass = frozenset(
            account.key for identity in identities if identity.break_glass for account in identity.accounts
        )

    @property
    def population(self) -> int:
        """How many identities there are."""
        return len(self._identities)

    @property
    def restorers(self) -> FrozenSet[str]:
        return self._restorers

    @property
    def break_glass(self) -> FrozenSet[str]:
        return self._break_glass

    @property
    def identities(self) -> Tuple[Identity, ...]:
        return tuple(self._identities.values())

    @property
    def aliases(self) -> Mapping[str, str]:
        """Alias key to identity id."""
        return dict(self._aliases)

    def identity(self, name: str) -> Optional[Identity]:
        """The identity of that id."""
        return self._identities.get(name)

    def names(self, keys: Sequence[str]) -> Mapping[str, Tuple[str, ...]]:
        """Ids of the identities that hold each key."""
        return {key: tuple(self._by_key[key]) for key in keys if key in self._by_key}

    def to_json(self) -> str:
        """The compiled form that the alert process reads."""
        text = io.StringIO()
        write_identities(text, (line_of(identity) for _, identity in sorted(self._identities.items())))
        write_end(text, self._aliases, sorted(self._restorers))
        return text.getvalue()


def unmapped(account: Account) -> Identity:
    """An account as an identity of its own: nothing is known of it, so it is restricted at most."""
    kind = "service" if account.kind in _MACHINES else "human"
    return Identity(account.key, kind, None, "normal", "production", False, (account,), (), unmapped=True)


_MACHINES = ("app", "service_principal", "application", "approle", "role", "access_key", "service_account")


def from_compiled(text: str, place: str) -> Inventory:
    """An inventory from its compiled JSON. Raises BadInventory."""
    try:
        doc: Mapping[str, Any] = json.loads(text)
        identities = [from_json(Identity, item) for item in doc["identities"]]
        aliases, restorers = dict(doc["aliases"]), frozenset(doc["restorers"])
        strange = ({*aliases.values()} | restorers) - {identity.id for identity in identities}
        strange |= {identity.id for identity in identities if identity.kind not in ("human", "service", "agent")}
        if len({identity.id for identity in identities}) < len(identities):
            raise ValueError("an identity stands there twice")
        if strange:
            raise ValueError(f"unknown or without a kind: {', '.join(sorted(map(str, strange)))[:200]}")
        return Inventory(identities, aliases, restorers)
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise BadInventory(
            f"not a compiled inventory ({error})", place=place, remedy="compile it with `tourniquet inventory build`"
        ) from None
