"""Who is signed in, in the memory of this replica: a cookie holds a random id and nothing else.

In memory, so that a sign-out ends a session at once, that nothing can be forged, and that a stolen disk holds none. Behind
several replicas the balancer must send one browser to one replica; a restart signs everybody out.
"""

from __future__ import annotations

import hashlib
import secrets
import threading
import time
from collections import OrderedDict
from dataclasses import dataclass, field, replace
from typing import Callable, FrozenSet, Optional, Tuple

MOST, MOST_OF_ONE = 1000, 5


@dataclass(frozen=True)
class Session:
    """`user` is Elasticsearch's name, `identity` the person of the inventory. Times are of time.monotonic().

    `confirmed` is when Elasticsearch last said what roles they have, `checked` when the person was last looked at.
    """

    name: bytes
    user: str
    identity: str
    roles: FrozenSet[str]
    how: str
    began: float
    used: float
    confirmed: float
    checked: float
    csrf: str = field(repr=False)

    def may(self, *roles: str) -> bool:
        """True when they have one of these roles."""
        return bool(self.roles & set(roles))


class Sessions:
    """`idle` and `lifetime` in seconds. Shared by threads; never more than MOST, nor MOST_OF_ONE of one user."""

    def __init__(self, idle: float, lifetime: float, clock: Callable[[], float] = time.monotonic) -> None:
        self._idle, self._lifetime, self.clock = idle, lifetime, clock
        self._all: OrderedDict[bytes, Session] = OrderedDict()
        self._lock = threading.Lock()

    def begin(self, user: str, identity: str, roles: FrozenSet[str], how: str) -> Tuple[str, Session]:
        """A new session, and the value of its cookie. The oldest gives way when there are too many."""
        cookie = secrets.token_urlsafe(32)
        now = self.clock()
        session = Session(
            _name(cookie), user, identity, roles, how, now, now, now, now, secrets.token_urlsafe(32)
        )  # fmt: skip
        with self._lock:
            own = [found.name for found in self._all.values() if found.user == user]
            for name in own[: max(0, len(own) - MOST_OF_ONE + 1)]:
                del self._all[name]
            self._all[session.name] = session
            while len(self._all) > MOST:
                self._all.popitem(last=False)
        return cookie, session

    def find(self, cookie: str, *, touch: bool = True) -> Optional[Session]:
        """The live session of a cookie; used now, unless a page asks by itself (`touch`)."""
        return self.again(_name(cookie), touch=touch)

    def again(self, name: bytes, *, touch: bool = False) -> Optional[Session]:
        """The session of that name, if it still lives."""
        now = self.clock()
        with self._lock:
            found = self._all.get(name)
            if found is None:
                return None
            if now > found.used + self._idle or now > found.began + self._lifetime:
                del self._all[name]
                return None
            if touch:
                found = self._all[name] = replace(found, used=now)
                self._all.move_to_end(name)
            return found

    def checked(self, session: Session) -> None:
        """The person was looked at just now."""
        self._change(session, checked=self.clock())

    def confirmed(self, session: Session, roles: FrozenSet[str]) -> Session:
        """Elasticsearch said anew what roles they have."""
        now = self.clock()
        return self._change(session, roles=roles, confirmed=now, checked=now)

    def end(self, session: Session) -> None:
        with self._lock:
            self._all.pop(session.name, None)

    def __len__(self) -> int:
        return len(self._all)

    def _change(self, session: Session, **more: object) -> Session:
        with self._lock:
            found = replace(self._all.get(session.name, session), **more)  # type: ignore[arg-type]
            if session.name in self._all:
                self._all[session.name] = found
            return found


def _name(cookie: str) -> bytes:
    """What is kept of a cookie: who reads our memory's dump finds no cookie in it, and no time of comparing tells one."""
    return hashlib.sha256(cookie.encode("utf-8", "replace")).digest()
