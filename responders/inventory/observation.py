"""What the vendors showed of accounts, as values: who is there, what they hold, what they reach. Pure data."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Optional, Tuple

from responders.model import Account, Pairs


@dataclass(frozen=True)
class Key:
    """Something that two accounts of one identity share.

    `name` is `subject` (issuer and subject of a federated sign-in), `immutable_id`, `employee_number`, `account` (the key
    of another account, set by an administrator) or `email`. `writer` says who may write it: `vendor`, `administrator`,
    `self` (the account's own user) or `outside` (another organisation). Only the first two are evidence.
    """

    name: str
    value: str
    writer: str

    @property
    def evidence(self) -> bool:
        return self.writer in ("vendor", "administrator") and bool(self.value)


@dataclass(frozen=True)
class Seen:
    """An account. `live`: it can sign in. `user`: a person's sign-in rather than a machine's, None when no vendor says.

    `why` is the vendor's own word for that type. `aliases` are further keys, `vendor:tenant:name`, under which logs name it.
    `tags` are what administrators wrote of it (owner, criticality, environment, agent). Times are the vendor's, ISO 8601.
    """

    account: Account
    name: str
    live: bool
    user: Optional[bool]
    why: str
    keys: Tuple[Key, ...] = ()
    tags: Pairs = ()
    aliases: Tuple[str, ...] = ()
    created: str = ""


@dataclass(frozen=True)
class Holds:
    """A credential. `holder` is an account's key, or a thing that accounts reach (`safe:NAME`).

    `what` is api_token, client_secret, client_key, certificate, secret_id, privileged_account or federated_credential (no
    secret: an outside issuer and subject, which its name tells). `created` and `expires` are ISO 8601, "" when the vendor
    does not say; `changed` is when its secret was last changed. `managed`: the vendor changes it by itself, None when it
    does not say.
    """

    holder: str
    what: str
    id: str
    name: str
    created: str = ""
    expires: str = ""
    changed: str = ""
    live: bool = True
    managed: Optional[bool] = None


@dataclass(frozen=True)
class Reaches:
    """What an account, or every account that reaches `holder` (`group:…`), may use.

    `what` is group, role, permission, grant, safe, policy, path, app (may sign in through it), owner (of an application) or
    federated (an application trusts it); `target` the vendor's own id or name of it, `name` for people. `admin`: it gives
    power over other accounts. `count` and `last` come from logs.
    """

    holder: str
    what: str
    target: str
    name: str = ""
    admin: bool = False
    count: int = 0
    last: str = ""


@dataclass(frozen=True)
class Observed:
    """One account with everything it holds and reaches, groups followed. `gone_since` when the vendor lists it no more."""

    seen: Seen
    holds: Tuple[Holds, ...] = ()
    reaches: Tuple[Reaches, ...] = ()
    gone_since: Optional[float] = None
