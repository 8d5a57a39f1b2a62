"""The inventory's report in numbers and lists, from the inventory, past alerts, and what the vendors showed. Pure."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from typing import Dict, Iterable, List, Mapping, Optional, Sequence, Set, Tuple

from responders.inventory.observation import Holds, Observed
from responders.inventory.reporting.graph import breaks
from responders.inventory.resolve import Inventory
from responders.model import Identity

AGES: Tuple[Tuple[str, int], ...] = (("up to 30 days", 30), ("31 to 90", 90), ("91 to 180", 180), ("181 to 365", 365))
OLDER, UNKNOWN = "over a year", "not known"
OLD = 90
"""Days after which a secret counts as old (Entra, Okta and cloud benchmarks ask for a change within 90: CIS AWS 1.14)."""
INTERACTIVE = "identity/service_identity_interactive"
"""The detection that saw a person use a service identity."""


@dataclass(frozen=True)
class Named:
    """An account that an alert or an event names: how often, and when last ("" when the rows do not say)."""

    account: str
    detection: str
    at: str


@dataclass(frozen=True)
class Unmapped:
    """An account that no row of the inventory claims. `seen` rows name it, `listed`: its vendor lists it."""

    account: str
    seen: int
    last: str
    listed: bool


@dataclass(frozen=True)
class Secret:
    """A live credential: whose, which, since when its secret is the same, and how many days that is (None: not known)."""

    identity: str
    vendor: str
    holder: str
    what: str
    name: str
    since: str
    days: Optional[int]


@dataclass(frozen=True)
class Finding:
    """An identity, or a thing, and why it is listed."""

    who: str
    why: str


@dataclass(frozen=True)
class Breaks:
    """What stops, directly and behind that, when an identity is revoked."""

    identity: str
    kind: str
    owner: str
    direct: Tuple[str, ...]
    further: Tuple[str, ...]


@dataclass(frozen=True)
class Vendor:
    """One vendor tenant in numbers."""

    place: str
    accounts: int
    identities: int
    unmapped: int
    no_owner: int
    old_secrets: int
    admins: int


@dataclass(frozen=True)
class Coverage:
    """The report. `observed` is False when no vendor's state was given: then secrets and admin rights are not known."""

    at: datetime
    identities: int
    accounts: int
    kinds: Mapping[str, int]
    restorers: int
    named: int
    observed: bool
    unmapped: Tuple[Unmapped, ...]
    no_owner: Tuple[Identity, ...]
    ages: Tuple[Tuple[str, int], ...]
    secrets: Tuple[Secret, ...]
    shared: Tuple[Finding, ...]
    people_on_services: Tuple[Finding, ...]
    admins: Tuple[Finding, ...]
    breaks: Tuple[Breaks, ...]
    vendors: Tuple[Vendor, ...]

    @property
    def old(self) -> int:
        """How many secrets are older than OLD days."""
        return sum(secret.days is not None and secret.days > OLD for secret in self.secrets)

    def figures(self) -> Dict[str, int]:
        """What the trend follows; what is not known is left out, and is no 0."""
        known = {
            "identities": self.identities, "unmapped": len(self.unmapped), "no_owner": len(self.no_owner),
            "shared": len(self.shared), "people_on_services": len(self.people_on_services), "admins": len(self.admins),
        }  # fmt: skip
        return {**known, "old_secrets": self.old} if self.observed else known


def cover(inventory: Inventory, named: Iterable[Named], observed: Sequence[Observed], now: datetime) -> Coverage:
    """Look at everything once."""
    everyone = inventory.identities
    holders: Dict[str, str] = {}
    for identity in everyone:
        for account in identity.accounts:
            holders.setdefault(account.key, identity.id)
    for alias, name in inventory.aliases.items():
        holders.setdefault(alias, name)
    by_id = {identity.id: identity for identity in everyone}
    rows = list(named)
    unmapped = _unmapped(rows, observed, holders)
    secrets = _secrets(observed, holders, now)
    admins = _admins(everyone, observed, holders)
    ages = Counter(_age(secret.days) for secret in secrets)
    order = [*(name for name, _ in AGES), OLDER, UNKNOWN]
    return Coverage(
        at=now,
        identities=len(everyone),
        accounts=sum(len(identity.accounts) for identity in everyone),
        kinds=dict(sorted(Counter(identity.kind for identity in everyone).items())),
        restorers=len(inventory.restorers),
        named=len(rows),
        observed=bool(observed),
        unmapped=unmapped,
        no_owner=tuple(sorted((i for i in everyone if not i.owner), key=lambda i: (_RANK[i.kind], i.id))),
        ages=tuple((name, ages.get(name, 0)) for name in order),
        secrets=secrets,
        shared=_shared(everyone, observed, holders),
        people_on_services=_people_on_services(by_id, rows, observed, holders),
        admins=admins,
        breaks=_breaks(everyone),
        vendors=_vendors(everyone, unmapped, secrets, admins, by_id),
    )


_RANK = {"service": 0, "agent": 1, "human": 2}


def _place(key: str) -> str:
    return ":".join(key.split(":", 2)[:2])


def _unmapped(
    rows: Sequence[Named], observed: Sequence[Observed], holders: Mapping[str, str]
) -> Tuple[Unmapped, ...]:  # fmt: skip
    seen: Counter[str] = Counter(row.account for row in rows if row.account not in holders)
    last: Dict[str, str] = {}
    for row in rows:
        if row.account not in holders and row.at > last.get(row.account, ""):
            last[row.account] = row.at
    listed = {o.seen.account.key for o in observed if o.seen.live and o.gone_since is None}
    listed = {key for key in listed if key not in holders}
    found = [Unmapped(key, seen.get(key, 0), last.get(key, ""), key in listed) for key in {*seen, *listed}]
    return tuple(sorted(found, key=lambda u: (-u.seen, u.account)))


def _secrets(observed: Sequence[Observed], holders: Mapping[str, str], now: datetime) -> Tuple[Secret, ...]:
    found: Dict[Tuple[str, str, str], Secret] = {}
    for one in observed:
        key = one.seen.account.key
        for held in one.holds:
            if not held.live:
                continue
            since = held.changed or held.created
            days = _days(since, now)
            vendor = _place(key)
            secret = Secret(holders.get(key, key), vendor, held.holder, held.what, held.name or held.id, since, days)
            found.setdefault((vendor, held.what, held.id), secret)
    return tuple(sorted(found.values(), key=lambda s: (-(s.days if s.days is not None else -1), s.identity, s.name)))


def _days(since: str, now: datetime) -> Optional[int]:
    try:
        at = datetime.fromisoformat(since.replace("Z", "+00:00"))
    except ValueError:
        return None
    at = at if at.tzinfo is not None else at.replace(tzinfo=timezone.utc)
    return max(0, (now - at) // timedelta(days=1))


def _age(days: Optional[int]) -> str:
    if days is None:
        return UNKNOWN
    return next((name for name, most in AGES if days <= most), OLDER)


def _shared(
    everyone: Sequence[Identity], observed: Sequence[Observed], holders: Mapping[str, str]
) -> Tuple[Finding, ...]:  # fmt: skip
    found = [Finding(i.id, "the inventory says that several people use it") for i in everyone if i.shared]
    users: Dict[Tuple[str, str, str], Tuple[Holds, Set[str]]] = {}
    for one in observed:
        who = holders.get(one.seen.account.key, one.seen.account.key)
        for held in one.holds:
            if held.live:
                users.setdefault((_place(one.seen.account.key), held.what, held.id), (held, set()))[1].add(who)
    for (place, what, name), (held, several) in sorted(users.items(), key=lambda item: item[0]):
        if len(several) > 1:
            listed = ", ".join(sorted(several)[:10])
            found.append(Finding(f"{place} {what} {held.name or name}", f"{len(several)} identities reach it: {listed}"))
    return tuple(found)


def _people_on_services(
    by_id: Mapping[str, Identity], rows: Sequence[Named], observed: Sequence[Observed], holders: Mapping[str, str]
) -> Tuple[Finding, ...]:  # fmt: skip
    why: Dict[str, Dict[str, None]] = {}
    for identity in by_id.values():
        if identity.kind != "human":
            for account in identity.accounts:
                if account.vendor in ("okta", "entra") and account.kind == "user":
                    text = f"{account.key} is a person's account at its vendor"
                    why.setdefault(identity.id, {}).setdefault(text)
    for one in observed:
        who = by_id.get(holders.get(one.seen.account.key, ""))
        if who is not None and who.kind != "human" and one.seen.live and one.seen.user:
            why.setdefault(who.id, {}).setdefault(f"{one.seen.account.key} signs in as a person ({one.seen.why})")
    used = Counter(holders.get(row.account, "") for row in rows if row.detection == INTERACTIVE)
    for name, count in used.items():
        if name in by_id and by_id[name].kind != "human":
            why.setdefault(name, {}).setdefault(f"a person was seen using it, {count} alerts of {INTERACTIVE}")
    return tuple(Finding(name, "; ".join(texts)) for name, texts in sorted(why.items()))


def _admins(
    everyone: Sequence[Identity], observed: Sequence[Observed], holders: Mapping[str, str]
) -> Tuple[Finding, ...]:  # fmt: skip
    why: Dict[str, Dict[str, None]] = {}
    for identity in everyone:
        if identity.privileged:
            why.setdefault(identity.id, {}).setdefault("privileged in the inventory")
    for one in observed:
        key = one.seen.account.key
        for right in one.reaches:
            if right.admin and one.seen.live:
                text = f"{right.what} {right.name or right.target} at {_place(key)}"
                why.setdefault(holders.get(key, key), {}).setdefault(text)
    return tuple(Finding(name, "; ".join(texts)) for name, texts in sorted(why.items()))


def _breaks(everyone: Sequence[Identity]) -> Tuple[Breaks, ...]:
    edges = {identity.id: identity.dependents for identity in everyone if identity.dependents}
    found: List[Breaks] = []
    for identity in everyone:
        if identity.dependents:
            every = breaks(edges, identity.id)
            further = tuple(name for name in every if name not in identity.dependents)
            found.append(Breaks(identity.id, identity.kind, identity.owner or "", identity.dependents, further))
    return tuple(sorted(found, key=lambda b: (-len(b.direct) - len(b.further), b.identity)))


def _vendors(
    everyone: Sequence[Identity], unmapped: Sequence[Unmapped], secrets: Sequence[Secret], admins: Sequence[Finding],
    by_id: Mapping[str, Identity],
) -> Tuple[Vendor, ...]:  # fmt: skip
    accounts: Counter[str] = Counter()
    who: Dict[str, Set[str]] = {}
    for identity in everyone:
        for account in identity.accounts:
            accounts[_place(account.key)] += 1
            who.setdefault(_place(account.key), set()).add(identity.id)
    missing = Counter(_place(one.account) for one in unmapped)
    old = Counter(secret.vendor for secret in secrets if secret.days is not None and secret.days > OLD)
    powerful = {finding.who for finding in admins}
    return tuple(
        Vendor(
            place, accounts[place], len(who.get(place, ())), missing[place],
            sum(not by_id[name].owner for name in who.get(place, ())), old[place], len(who.get(place, set()) & powerful),
        )
        for place in sorted({*accounts, *missing, *old})
    )  # fmt: skip
