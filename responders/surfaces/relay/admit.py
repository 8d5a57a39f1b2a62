"""Which requests a relay carries out: signed with its key, fresh, new, of a vendor it serves, within rules and limits."""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass
from typing import Any, Callable, FrozenSet, Mapping, Optional, Tuple

from responders.errors import RateLimited
from responders.surfaces.relay.config import Config
from responders.surfaces.relay.rule import Broken, Rule, plain
from responders.surfaces.relay.rules import named, rule_for
from responders.surfaces.relay.state import State
from responders.vendors import relay_wire as wire

OWN = Rule(wire.OWN_IDS, "", "")


class Turned(Exception):
    """A request that is not carried out. `loud`: somebody may be attacking, and people are told."""

    def __init__(self, why: str, *, loud: bool = True) -> None:
        super().__init__(why)
        self.why, self.loud = why, loud


@dataclass(frozen=True)
class Gate:
    """`own(vendor, tenant)` gives the relay's own ids at a vendor: no change may name them."""

    config: Config
    state: State
    own: Callable[[str, str], FrozenSet[str]]

    def others(self, item: Mapping[str, Any]) -> bool:
        """True for a request to give back what this relay did not take: another relay of its name may have."""
        text = item.get("doc")
        if not isinstance(text, str) or not wire.signed(self.config.key.reveal(), wire.REQUEST, text, item.get("mac")):
            return False
        try:
            ask = wire.read_ask(text)
            given = rule_for(ask).gives(ask)
        except (Broken, ValueError, TypeError, RecursionError):
            return False
        return bool(given) and self.state.taken(given) is None

    def known(self, item: Mapping[str, Any], now: float) -> wire.Ask:
        """A request that is ours, fresh and new. Raises Turned. `now` are epoch seconds of this machine."""
        text, skew = item.get("doc"), self.config.clock_skew
        if not isinstance(text, str) or not wire.signed(self.config.key.reveal(), wire.REQUEST, text, item.get("mac")):
            raise Turned("its signature is not made with this relay's key")
        try:
            ask = wire.read_ask(text)
        except (ValueError, TypeError, RecursionError) as error:
            raise Turned(f"it can't be read: {error}") from None
        if ask.id != item.get("id") or ask.relay != self.config.name:
            raise Turned(f"it is for relay {ask.relay[:40]}, or under another id")
        if (ask.vendor, ask.tenant) not in {(c.vendor, c.tenant) for c in self.config.connections}:
            raise Turned(f"this relay does not speak for {ask.vendor[:40]}:{ask.tenant[:80]}")
        if not 0 < ask.expires - ask.issued <= wire.LONGEST_LIFE:
            raise Turned("it would live too long")
        if ask.issued > now + skew:
            raise Turned(f"it was issued {ask.issued - now:.0f} s from now: set the clocks of this machine and of Splunk")
        if not self.state.once(ask.id, ask.expires + 2 * skew):
            raise Turned("it was played back: this relay has seen it before")
        if now > ask.expires + skew:
            ago = now - ask.expires
            raise Turned(f"it expired {ago:.0f} s ago: if this goes on, compare the clocks of both machines", loud=False)
        return ask

    def allowed(self, ask: wire.Ask, now: float) -> Rule:
        """Its rule. Raises Turned, and RateLimited when this hour's changes are used up."""
        if ask.what == wire.OWN_IDS:
            return OWN
        try:
            rule = rule_for(ask)
        except Broken as error:
            raise Turned(str(error)) from None
        if not rule.changes:
            return rule
        ids = {plain(text) for text in named(ask)}
        for protected in self.config.never:
            if plain(protected) in ids:
                raise Turned(f"{protected[:80]} is protected by relay.never on the relay's own machine")
        if {plain(text) for text in self.own(ask.vendor, ask.tenant)} & ids:
            raise Turned("it would change the relay's own account")
        free_at = self.state.change(self.config.changes_an_hour, now)
        if free_at is not None:
            text = (
                f"relay {self.config.name} made {self.config.changes_an_hour} changes this hour, its limit (changes_an_hour)"
            )
            raise RateLimited(ask.vendor, text, retry_at=free_at)
        return rule


class Quieter:
    """Says whether people are told of a kind of event now: once a minute, however often somebody causes it."""

    def __init__(self, seconds: float = 60.0) -> None:
        self._seconds, self._last = seconds, dict[str, Tuple[float, int]]()
        self._lock = threading.Lock()

    def now(self, kind: str) -> Optional[int]:
        """How many were not told since the last time; None when it is too early."""
        with self._lock:
            at, missed = self._last.get(kind, (-self._seconds, 0))
            if time.monotonic() - at < self._seconds:
                self._last[kind] = (at, missed + 1)
                return None
            self._last[kind] = (time.monotonic(), 0)
            return missed
