"""The inventory's report as values: numbers and lists. `collect.py` makes them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Dict, Mapping, Optional, Sequence, Tuple

AGES: Tuple[Tuple[str, int], ...] = (("up to 30 days", 30), ("31 to 90", 90), ("91 to 180", 180), ("181 to 365", 365))
OLDER, UNKNOWN = "over a year", "not known"
BUCKETS: Tuple[str, ...] = (*(name for name, _ in AGES), OLDER, UNKNOWN)
OLD = 90
"""Days after which a secret counts as old (Entra, Okta and cloud benchmarks ask for a change within 90: CIS AWS 1.14)."""

VENDORS = {"okta": "Okta", "entra": "Entra", "cyberark": "CyberArk", "vault": "Vault", "aws": "AWS"}
"""What people call them."""


@dataclass(frozen=True)
class Named:
    """An account that an alert or an event names: how often, and when last ("" when the rows do not say)."""

    account: str
    detection: str
    at: str


@dataclass(frozen=True)
class Who:
    """An identity, an account or a safe: `id`, and the name that its vendor shows, "" when there is none better.

    Names are whatever somebody wrote there: they are shown beside the id, never in its place.
    """

    id: str
    name: str = ""

    def __str__(self) -> str:
        return f"{self.name} ({self.id})" if self.name else self.id


@dataclass(frozen=True)
class Unmapped:
    """An account that no row of the inventory claims. `seen` rows name it, `listed`: its vendor lists it."""

    who: Who
    seen: int
    last: str
    listed: bool


@dataclass(frozen=True)
class Unowned:
    """An identity of which nobody is told."""

    who: Who
    kind: str
    criticality: str


@dataclass(frozen=True)
class Secret:
    """A live credential: whose, which, since when its secret is the same, and how many days that is (None: not known).

    `expires` is "" for never or not known; `managed` None when the vendor does not say whether it changes it by itself.
    """

    who: Who
    vendor: str
    what: str
    name: str
    since: str
    days: Optional[int]
    expires: str = ""
    managed: Optional[bool] = None

    @property
    def old(self) -> bool:
        return self.days is not None and self.days > OLD


@dataclass(frozen=True)
class Shared:
    """Credentials that several identities use: `count` of them (some by `names`), whom they reach, how many of each kind."""

    what: str
    vendor: str
    count: int
    names: Tuple[str, ...]
    users: Tuple[Who, ...]
    kinds: Tuple[Tuple[str, int], ...]

    @property
    def people(self) -> int:
        """How many identities use it."""
        return sum(count for _, count in self.kinds)

    @property
    def mixed(self) -> bool:
        """People and machines use the same one."""
        return len({kind == "human" for kind, _ in self.kinds}) > 1


@dataclass(frozen=True)
class Finding:
    """An identity, and why it is listed. `vendors` are the tenants where that was seen."""

    who: Who
    kind: str
    why: Tuple[str, ...]
    vendors: Tuple[str, ...] = ()


@dataclass(frozen=True)
class Breaks:
    """What stops, directly and behind that, when an identity is revoked. At most BREAKS of the latter are followed.

    `people`: so many people and groups may sign in through it. Its owner assigns whom he likes, so they hold nothing back.
    """

    who: Who
    kind: str
    owner: str
    direct: Tuple[Who, ...]
    further: Tuple[Who, ...]
    people: int = 0


BREAKS = 1000


@dataclass(frozen=True)
class Vendor:
    """One vendor tenant in numbers. `ages` are those of its secrets, as BUCKETS."""

    place: str
    accounts: int
    identities: int
    unmapped: int
    no_owner: int
    secrets: int
    old_secrets: int
    shared: int
    people_on_services: int
    admins: int
    ages: Tuple[int, ...]


@dataclass(frozen=True)
class Reading:
    """When a tenant was last read to its end, and what it did not let us list, with the reason: that is not known."""

    place: str
    at: datetime
    refused: Tuple[Tuple[str, str], ...] = ()


STALE = timedelta(days=2)
"""After which what the vendors showed is called old."""


@dataclass(frozen=True)
class Coverage:
    """The report. `observed` is False when no vendor's state was given: then secrets and admin rights are not known.

    `named` rows were looked at; `expired` credentials are not among the secrets. `eligible` are rights that must be
    activated first, and so do not stand. `unsecret` are ways to sign in without a secret: federated credentials. `edges`
    are who stops with whom, by id, and `names` of these; `where` is what people call a tenant: its vendor, if it is the
    only one of it.
    """

    at: datetime
    identities: int
    accounts: int
    kinds: Mapping[str, int]
    restorers: int
    named: int
    observed: bool
    unmapped: Tuple[Unmapped, ...]
    no_owner: Tuple[Unowned, ...]
    ages: Tuple[Tuple[str, int], ...]
    secrets: Tuple[Secret, ...]
    expired: int
    unsecret: Tuple[Secret, ...]
    shared: Tuple[Shared, ...]
    people_on_services: Tuple[Finding, ...]
    machines_on_people: Tuple[Finding, ...]
    in_use: Tuple[Finding, ...]
    admins: Tuple[Finding, ...]
    eligible: Tuple[Finding, ...]
    breaks: Tuple[Breaks, ...]
    edges: Mapping[str, Sequence[str]]
    names: Mapping[str, str]
    where: Mapping[str, str]
    vendors: Tuple[Vendor, ...]
    readings: Tuple[Reading, ...]

    @property
    def old(self) -> int:
        """How many secrets are older than OLD days."""
        return sum(secret.old for secret in self.secrets)

    @property
    def stale(self) -> Tuple[Reading, ...]:
        """Tenants that were not read for longer than STALE."""
        return tuple(reading for reading in self.readings if self.at - reading.at > STALE)

    @property
    def refused(self) -> Tuple[Tuple[str, str, str], ...]:
        """What people call the tenant, the list that it refused, and why."""
        return tuple((self.where.get(r.place, r.place), what.replace("_", " "), why) for r in self.readings
                     for what, why in r.refused)  # fmt: skip

    @property
    def unmanaged(self) -> int:
        """How many secrets their vendor does not change, though it could."""
        return sum(secret.managed is False for secret in self.secrets)

    @property
    def no_owner_machines(self) -> int:
        """How many services and agents have no owner."""
        return sum(one.kind != "human" for one in self.no_owner)

    @property
    def shared_credentials(self) -> int:
        return sum(shared.count for shared in self.shared)

    def figures(self) -> Dict[str, int]:
        """What the trend follows; what is not known is left out, and is no 0."""
        known = {
            "identities": self.identities, "unmapped": len(self.unmapped), "no_owner": len(self.no_owner),
            "no_owner_machines": self.no_owner_machines,
            "people_on_services": len(self.people_on_services), "admins": len(self.admins),
        }  # fmt: skip
        if not self.observed:
            return known
        more = {"shared": self.shared_credentials, "machines_on_people": len(self.machines_on_people)}
        return {**known, "old_secrets": self.old, **more}
