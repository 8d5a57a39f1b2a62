"""What logs show in use of an identity's accounts: who uses them, and what they use. For people to read.

Only accounts that the inventory knows are named. Who writes a log line chooses its names: others are counted, and no more.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Dict, Iterator, List, Optional, Sequence, Set, Tuple

from responders.inventory.describing import InUse, Use
from responders.inventory.joining import Conflict
from responders.inventory.resolve import Inventory
from responders.inventory.sync.gather import Gathered
from responders.inventory.sync.usage import ACCOUNTS
from responders.inventory.sync.usage_store import Used, day_text

_HINTS = 50
_NAMES = 1000
_NAME = 60
"""Letters of a name that somebody gave at a vendor."""


class Usages:
    """What is in use, by account. `file` is the customer's inventory: what it names is known, too."""

    def __init__(self, gathered: Gathered, file: Optional[Inventory]) -> None:
        self._gathered, self._none = gathered, gathered.usage.empty()
        self._names: Dict[str, str] = dict(file.aliases) if file else {}
        for identity in file.identities if file else ():
            self._names.update((account.key, identity.id) for account in identity.accounts)
        self._aliases: Dict[str, List[str]] = {}
        for alias, name in (file.aliases if file else {}).items():
            self._aliases.setdefault(name, []).append(alias)

    def of(self, accounts: Sequence[str], aliases: Sequence[str], name: str) -> InUse:
        """Of one identity: the keys of its accounts, their aliases, and its id, by which the file gives it more of them."""
        if self._none:
            return InUse()
        keys = list(dict.fromkeys((*accounts, *aliases, *self._aliases.get(name, ()))))
        own = [self._own(used) for key in keys for used in self._gathered.usage.by_account(key)]
        others: List[Use] = []
        users = 0
        for key in keys:
            found, count = self._gathered.usage.users_of(key)
            mine: Set[str] = set()
            for used in found:
                who = self._gathered.owner(used.account) or used.account
                label = "" if who in keys else self._label(who)
                if who in keys:
                    mine.add(used.account)
                elif label:
                    others.append(_use(label, used))
            users += count - len(mine)
        return InUse(tuple(_once(others)), tuple(_once(own)), users)

    def hints(self, least_days: int) -> Tuple[Conflict, ...]:
        """Sessions of an AWS role that call themselves like an account: a person may know that it is theirs. Nothing is
        joined by it, for whoever takes a role chooses the session's name."""
        if self._none:
            return ()
        wanted: Dict[str, List[Used]] = {}
        for used in self._gathered.usage.sessions(least_days, _NAMES):
            if f"{used.account}:{used.object}" not in self._names:
                wanted.setdefault(used.object.lower(), []).append(used)
        alike: Dict[str, List[str]] = {}
        for seen in self._gathered if wanted else ():
            if seen.name.lower() in wanted:
                alike.setdefault(seen.name.lower(), []).append(seen.account.key)
        return tuple(
            _hint(used, keys) for name, keys in sorted(alike.items()) for used in wanted[name]
        )[:_HINTS]  # fmt: skip

    def _own(self, used: Used) -> Use:
        use = _use("", used)
        who = self._label(self._gathered.owner(used.object) or used.object) if used.what in ACCOUNTS else ""
        return replace(use, object=who) if who else use

    def _label(self, key: str) -> str:
        """What to call an account, "" for one that nothing but the log names."""
        if key in self._names:
            return self._names[key]
        name = self._gathered.name(key)
        return f"{name[:_NAME]} ({key})" if name != key else key if self._gathered.knows(key) else ""


def _use(by: str, used: Used) -> Use:
    return Use(by, used.what, used.object, len(used.days), day_text(used.first), day_text(used.last))


def _once(uses: Sequence[Use]) -> Iterator[Use]:
    """One for each user, sort and thing: that of most days."""
    found: Dict[Tuple[str, str, str], Use] = {}
    for use in sorted(uses, key=lambda use: (-use.days, use.by, use.what, use.object)):
        found.setdefault((use.by, use.what, use.object), use)
    yield from found.values()


def _hint(used: Used, keys: Sequence[str]) -> Conflict:
    accounts = tuple(sorted({used.account, *keys}))
    text = f"sessions of {used.account} called themselves {used.object} on {len(used.days)} days, like these accounts"
    remedy = f"nothing is joined by it. If only they can take that role so, write the alias {used.account}:{used.object}"
    return Conflict("seen in logs", accounts, len(accounts), text, remedy)
