"""The words of Tourniquet as types. Everything that flows from an alert to an outcome is one of these.

All are frozen: a later stage makes a new value, it never edits an earlier one.
"""

from __future__ import annotations

import enum
import hashlib
import json
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, FrozenSet, Mapping, NamedTuple, Optional, Tuple

Pairs = Tuple[Tuple[str, str], ...]
"""Ordered name/value pairs: hashable, and equal whenever they say the same."""


class Tier(enum.IntEnum):
    """How far a containment goes. Ordered: OBSERVE < RESTRICT < REVOKE."""

    OBSERVE = 0
    RESTRICT = 1
    REVOKE = 2

    @property
    def label(self) -> str:
        return self.name.lower()


class Phase(enum.IntEnum):
    """The place of a step in its vendor's lane: block new sign-in, then cut live access, later rotate."""

    BLOCK = 1
    CUT = 2
    ROTATE = 3


class Status(str, enum.Enum):
    """What became of a step."""

    CONFIRMED = "confirmed"
    ACCEPTED = "accepted"
    ALREADY = "already"
    FAILED = "failed"
    REFUSED = "refused"
    UNKNOWN = "unknown"

    @property
    def holds(self) -> bool:
        """True when the vendor was read back and the account is contained by this step."""
        return self in (Status.CONFIRMED, Status.ALREADY)


@dataclass(frozen=True)
class Account:
    """One login, client, token, key or role at one vendor.

    `kind` is the vendor's word (okta: user, app; entra: user, service_principal; cyberark: user, application;
    vault: entity, approle, userpass; aws: user, role, access_key ...). `mastered` is cloud, ad, federated or guest.
    """

    vendor: str
    tenant: str
    kind: str
    id: str
    mastered: str = "cloud"

    @property
    def key(self) -> str:
        """`vendor:tenant:id`, the join key in both SIEMs."""
        return f"{self.place}:{self.id}"

    @property
    def place(self) -> str:
        """`vendor:tenant`: what administrators are counted by, and a client is opened for."""
        return f"{self.vendor}:{self.tenant}"


@dataclass(frozen=True)
class Alert:
    """What a detection raised.

    `confidence` is 0 to 100. `evidence` are exact ids the detection saw, named as the actions' `needs` name them
    (`okta.api_token_id`, `vault.accessor` ...; a name may repeat). `causes` are shared circumstances
    (`ip:203.0.113.9`, `device:x`, `credential:y`): alerts with a common cause corroborate each other less.
    `started_at` is the earliest event, from which on nothing the identity did is trusted. `left_out` says of which field
    something could not be taken, and why: an attacker may have named it.
    """

    id: str
    detection: str
    layer: str
    confidence: int
    reasons: Tuple[str, ...]
    accounts: Tuple[Account, ...]
    events: FrozenSet[str]
    completed_at: datetime
    started_at: datetime
    finding: str
    evidence: Pairs = ()
    causes: FrozenSet[str] = frozenset()
    correlation: bool = False
    requested: Tuple[str, ...] = ()
    source: str = "automatic"
    left_out: Pairs = ()

    @property
    def strange_account(self) -> bool:
        """True when it also names an account whose id could not be taken."""
        return any(name == "tq_account" for name, _ in self.left_out)


@dataclass(frozen=True)
class Identity:
    """The person, service or agent behind accounts. `kind` is human, service or agent.

    `criticality` is low, normal, high or privileged; `environment` production or non-production;
    `dependents` are names of production services that stop when this identity is taken out.
    `unmapped` marks an account that no inventory row claims: it stands for itself. `canary` marks one that exists to be
    contained and put back in drills. `usage` is what logs show of it in use, a line each, for people to read: no threshold
    and no guard looks at it, since whoever writes log lines could hold a containment back.
    """

    id: str
    kind: str
    owner: Optional[str]
    criticality: str
    environment: str
    protected: bool
    accounts: Tuple[Account, ...]
    dependents: Tuple[str, ...]
    shared: bool = False
    break_glass: bool = False
    unmapped: bool = False
    canary: bool = False
    usage: Tuple[str, ...] = ()

    @property
    def privileged(self) -> bool:
        return self.criticality == "privileged"

    @property
    def production(self) -> bool:
        return self.environment == "production"

    @property
    def doubled(self) -> bool:
        """True with two accounts of one kind at one place: of a canary, one of them is somebody else's."""
        places = [(account.vendor, account.tenant, account.kind) for account in self.accounts]
        return len(set(places)) < len(places)


@dataclass(frozen=True)
class Reason:
    """One line of the points table, or one guard that spoke. `points` is 0 for a guard."""

    text: str
    points: int = 0
    guard: str = ""


@dataclass(frozen=True)
class Decision:
    """What the policy says of one identity. `actions` are names `vendor.verb_object`, allowed without asking.

    `approval` are the actions that wait for a person; `refused` says which action (or "*") which guard took away.
    """

    identity: Identity
    tier: Tier
    confidence: int
    actions: Tuple[str, ...]
    reasons: Tuple[Reason, ...]
    policy: str
    approval: Tuple[str, ...] = ()
    refused: Pairs = ()


@dataclass(frozen=True)
class Step:
    """One action on one account. Its id is generation + account + action + parameters, so a repeat is the same step."""

    id: str
    action: str
    account: Account
    phase: Phase
    parameters: Pairs = ()

    def get(self, name: str, default: str = "") -> str:
        """First parameter of that name."""
        return next((value for key, value in self.parameters if key == name), default)

    def all(self, name: str) -> Tuple[str, ...]:
        """Every parameter of that name."""
        return tuple(value for key, value in self.parameters if key == name)


@dataclass(frozen=True)
class State:
    """What `check` read: is the account contained by this action, and what must be put back later.

    `data` is JSON-able, holds all that `undo` needs and no secret. `wrong` explains a state in which the action
    can't contain (a directory-mastered locked-out user, say); "" when it can.
    """

    contained: bool
    data: Mapping[str, Any] = field(default_factory=dict)
    wrong: str = ""


@dataclass(frozen=True)
class Outcome:
    """What became of a step. `proof` is what was read back; `residual_until` when the last live access ends."""

    step: Step
    status: Status
    proof: str
    at: datetime
    residual_until: Optional[datetime] = None


class Place(NamedTuple):
    """What the limits ask of a use: who was contained is the same to them."""

    tier: Tier
    guarded: bool
    click: bool
    detection: str


@dataclass(frozen=True)
class Use:
    """One use of the blast radius: a containment that revoked or restricted, within the last hour."""

    identity: str
    tier: Tier
    detection: str
    at: datetime
    guarded: bool
    """True for privileged identities and production services, which have a smaller limit of their own."""
    click: bool
    """True when an analyst asked for it."""

    @property
    def place(self) -> Place:
        """What the limits count it as."""
        return Place(self.tier, self.guarded, self.click, self.detection)


@dataclass(frozen=True)
class Facts:
    """What was read before judging. Pure data, so that guards are pure code.

    `states` is keyed by `action|account key`; `unread` names vendors that could not be read, and why.
    `administrators` maps `vendor:tenant` to account ids of usable administrators (enabled, interactive, not
    break-glass). A vendor missing there could not say. `own` are keys of the responder's own accounts, `own_read` the places
    (`vendor:tenant`) that said which those are.
    `restorers` are identity ids of people who can restore and are not contained themselves.
    `halted` is why automation is halted, "" when it is not. `population` counts the identities of the inventory.
    `places` are the `uses` counted already, each identity once; None where guards are to count them.
    `unauthenticated` are detections whose events anybody could send to the SIEM; `confirmed_events` are event ids that the
    vendor's own log confirmed, None when nobody asked; `unconfirmed` says in words which logs could not be asked.
    """

    states: Mapping[str, State] = field(default_factory=dict)
    unread: Pairs = ()
    administrators: Mapping[str, FrozenSet[str]] = field(default_factory=dict)
    own: FrozenSet[str] = frozenset()
    own_read: FrozenSet[str] = frozenset()
    restorers: FrozenSet[str] = frozenset()
    halted: str = ""
    uses: Tuple[Use, ...] = ()
    places: Optional[Mapping[Place, int]] = None
    population: int = 0
    unauthenticated: FrozenSet[str] = frozenset()
    confirmed_events: Optional[FrozenSet[str]] = None
    unconfirmed: Tuple[str, ...] = ()


@dataclass(frozen=True)
class Standing:
    """One account of a containment. `kind` is contained, restored or closed; `since` when it came to be so.

    `residual_until`: when the last token ends that nobody can revoke. `account` is `vendor:tenant:id`.
    """

    kind: str
    containment: str
    identity: str
    account: str
    since: datetime
    residual_until: Optional[datetime] = None


class Cause(str, enum.Enum):
    """What of the responder's own may have caused a change: any step, only the undoing of one, or nothing it ever does."""

    STEP = "step"
    UNDO = "undo"
    NEVER = "never"


@dataclass(frozen=True)
class OwnChange:
    """A change that the vendor's own log ascribes to the responder's credential. `id` is the log's id of it.

    `touched` are ids of what it changed; `into` those of them that are groups or roles.
    """

    id: str
    what: str
    at: datetime
    touched: Tuple[str, ...]
    into: Tuple[str, ...] = ()
    cause: Cause = Cause.STEP


@dataclass(frozen=True)
class Created:
    """Something the identity made since the compromise: a user, token, factor, device, role or credential."""

    vendor: str
    thing: str
    id: str
    at: Optional[datetime]
    how_to_remove: str


@dataclass(frozen=True)
class Plan:
    """The steps for one identity. `unsupported` are accounts nobody can reach: refused, and loudly open."""

    containment: str
    generation: int
    decision: Decision
    steps: Tuple[Step, ...]
    unsupported: Tuple[Account, ...] = ()
    since: Optional[datetime] = None

    def lanes(self) -> Mapping[str, Tuple[Step, ...]]:
        """Steps by vendor, each in phase order."""
        vendors = sorted({step.account.vendor for step in self.steps})
        return {
            vendor: tuple(sorted((s for s in self.steps if s.account.vendor == vendor), key=lambda s: s.phase))
            for vendor in vendors
        }


_compact = json.JSONEncoder(separators=(",", ":")).encode


def step_id(generation: int, action: str, account: Account, parameters: Pairs) -> str:
    """Stable id of a step: the same generation, account, action and parameters give the same id."""
    text = _compact([generation, account.key, account.kind, action, parameters])
    return "s-" + hashlib.sha256(text.encode()).hexdigest()[:20]


def containment_id(identity: str, generation: int) -> str:
    """Stable id of an identity's containment: two responders that open it at once name it alike."""
    return "c-" + hashlib.sha256(f"{identity}\0{generation}".encode()).hexdigest()[:16]
