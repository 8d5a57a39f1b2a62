"""Makes the report from the inventory, past alerts, and what the vendors showed: each account is looked at once. Pure."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import replace
from datetime import datetime, timezone
from typing import Callable, Dict, List, Mapping, NamedTuple, Sequence, Set, Tuple

from responders.inventory.observation import Holds, Observed
from responders.inventory.reporting.ages import bucket, days_since, time_of
from responders.inventory.reporting.coverage import (
    BREAKS,
    BUCKETS,
    VENDORS,
    Breaks,
    Coverage,
    Finding,
    Named,
    Reading,
    Secret,
    Shared,
    Unmapped,
    Unowned,
    Vendor,
    Who,
)
from responders.inventory.reporting.graph import breaks
from responders.inventory.reporting.rights import Rights, eligible
from responders.model import Identity

INTERACTIVE = "identity/service_identity_interactive"
"""The detection that saw a person use a service identity."""
_USERS = 1000
"""Identities that are told apart of one safe or path; so many say enough."""
_NAMES = 10
_RANK = {"service": 0, "agent": 1, "human": 2}
_OWN = ("auth/", "sys/", "identity/", "cubbyhole/")
"""Vault paths that hold no secret that two could share."""
_MADE_UP = re.compile(r"entity_[0-9a-f]{8}\b")
"""The name that Vault gives to an entity which a login made, and nobody named."""
Users = Callable[[str], Sequence[str]]
"""From an account's key to the keys of the accounts that were granted something of it."""
People = Callable[[str], int]
"""From an account's key to how many people and groups may sign in through it."""


class _Known(NamedTuple):
    """What is needed of an identity. Small, for there may be 100,000; `persons` are its accounts at people's directories."""

    kind: str
    owner: str
    criticality: str
    shared: bool
    dependents: Tuple[str, ...]
    accounts: Tuple[str, ...]
    persons: Tuple[str, ...]


class Collector:
    """First every identity and alias, then every account that a vendor showed, then what lies in safes."""

    def __init__(self, rows: Sequence[Named], now: datetime) -> None:
        self.rows, self.now = rows, now
        self.by_id: Dict[str, _Known] = {}
        self.holders: Dict[str, str] = {}
        self._places: Dict[str, str] = {}
        self.names: Dict[str, str] = {}
        self.observed = False
        self.listed: Set[str] = set()
        self.secrets: Dict[Tuple[str, str, str], Secret] = {}
        self.unsecret: List[Secret] = []
        self.expired: Set[Tuple[str, str, str]] = set()
        self.inside: Dict[str, List[str]] = {}
        self.users: Dict[Tuple[str, str, str], Set[str]] = {}
        self.rights: Dict[str, Rights] = {}
        self.eligible: Dict[str, Rights] = {}
        self.persons: Dict[str, Dict[str, str]] = {}
        self.machines: Dict[str, Dict[str, str]] = {}
        self.explained: Set[str] = set()
        self.readings: List[Reading] = []
        self.usage: Dict[str, Tuple[str, ...]] = {}

    # -- taking -------------------------------------------------------------------------------------------

    def know(self, identity: Identity) -> None:
        """An identity of the inventory."""
        keys = tuple(account.key for account in identity.accounts)
        persons = tuple(a.key for a in identity.accounts if a.vendor in ("okta", "entra") and a.kind == "user")
        self.by_id[identity.id] = _Known(
            identity.kind, identity.owner or "", identity.criticality, identity.shared, identity.dependents, keys,
            persons if identity.kind != "human" else (),
        )  # fmt: skip
        if identity.usage:
            self.usage[identity.id] = identity.usage
        for key in keys:
            self.holders.setdefault(key, identity.id)
            self._place(key)

    def alias(self, key: str, name: str) -> None:
        """A further key of an identity, under which logs name it. It means nobody's own account."""
        self.holders.setdefault(key, name)

    def reading(self, place: str, at: float, refused: Mapping[str, str]) -> None:
        """When (epoch seconds) a tenant was read, and what it refused."""
        moment = datetime.fromtimestamp(at, timezone.utc)
        self.readings.append(Reading(self._place(place), moment, tuple(refused.items())))

    def take(self, one: Observed) -> None:
        """An account that its vendor lists, with all it holds and reaches."""
        self.observed = True
        seen, key = one.seen, one.seen.account.key
        if one.gone_since is not None:
            return
        who = self.holders.get(key, key)
        self._name(who, key, seen.name)
        if not seen.live:
            return
        if key not in self.holders:
            self.listed.add(key)
        for held in one.holds:
            self._hold(held, who, self._place(key))
        self._reach(one, who, self._place(key))
        self._use(one, who, self._place(key))

    def take_thing(self, held: Holds) -> None:
        """A credential in a safe."""
        place, safe = self._place(held.holder), held.holder.split(":", 3)[-1]
        self.names.setdefault(held.holder, f"safe {safe}")
        if self._hold(held, held.holder, place):
            self.inside.setdefault(held.holder, []).append(held.name or held.id)

    def _name(self, who: str, key: str, name: str) -> None:
        """What people call an identity whose id is a vendor's; the name of its first account."""
        known = self.by_id.get(who)
        if not name or name == who or _MADE_UP.match(name) or (known and who not in known.accounts):
            return
        if known is None or known.accounts[0] == key:
            self.names[who] = name
        else:
            self.names.setdefault(who, name)

    def _place(self, key: str) -> str:
        place = ":".join(key.split(":", 2)[:2])
        return self._places.setdefault(place, place)  # one text for all: they are many

    def _who(self, name: str) -> Who:
        return Who(name, self.names.get(name, ""))

    def _hold(self, held: Holds, who: str, place: str) -> bool:
        """Count a credential; False for one that can't be used any more."""
        ident = (place, held.what, held.id)
        # Okta lists live tokens only, and moves their end with each use: what is known of it may be long past.
        ends = time_of(held.expires) if held.what != "api_token" else None
        if not held.live or (ends is not None and ends <= self.now):
            self.expired.update([ident] if held.live else [])
            return False
        since = held.changed or held.created
        secret = Secret(Who(who), place, held.what, held.name or held.id, since, days_since(since, self.now), held.expires,
                        held.managed)  # fmt: skip
        if held.what.startswith("federated"):
            self.unsecret.append(secret)
        else:
            self.secrets.setdefault(ident, secret)
        return True

    def _reach(self, one: Observed, who: str, place: str) -> None:
        for reach in one.reaches:
            if reach.admin:
                kept = self.eligible if eligible(reach) else self.rights
                kept.setdefault(who, Rights()).add(reach, place)
            leased = reach.name != reach.target  # each reader of such a path gets a credential of its own
            path = reach.what == "path" and not leased and not reach.target.startswith(_OWN) and reach.target[-1:] != "/"
            if reach.what == "safe" or path:
                where = self._place(reach.target) if reach.what == "safe" else place
                several = self.users.setdefault((where, reach.what, reach.target), set())
                if len(several) < _USERS:
                    several.add(who)

    def _use(self, one: Observed, who: str, place: str) -> None:
        """People at machines' accounts, and machines at people's."""
        identity, seen, key = self.by_id.get(who), one.seen, one.seen.account.key
        if identity is None:
            return
        if identity.kind != "human":
            self.explained.add(key)
            if seen.user:
                self.persons.setdefault(who, {})[f"{key} signs in as a person ({seen.why})"] = place
            return
        if seen.user is False:
            self.machines.setdefault(who, {})[f"{key} is a machine's account ({seen.why})"] = place
        tokens = [held.name or held.id for held in one.holds if held.live and held.what == "api_token"]
        if tokens:
            text = f"{len(tokens)} API tokens" if len(tokens) > 1 else "an API token"
            rest = f" and {len(tokens) - _NAMES} more" if len(tokens) > _NAMES else ""
            words = f"{text} of {key}: {', '.join(sorted(tokens)[:_NAMES])}{rest}"
            self.machines.setdefault(who, {})[words] = place

    # -- the result ---------------------------------------------------------------------------------------

    def result(self, restorers: int, users: Users = lambda key: (), people: People = lambda key: 0) -> Coverage:
        """The report; `restorers` people may restore."""
        where = self._where()
        unmapped, secrets = self._unmapped(), self._secrets()
        shared, persons, admins = self._shared(), self._persons(), self._admins(where)
        no_owner = [Unowned(self._who(n), i.kind, i.criticality) for n, i in self.by_id.items() if not i.owner]
        found = self._breaks(users, people)
        counted = Counter(bucket(secret.days) for secret in secrets)
        edges = {one.who.id: tuple(to.id for to in one.direct) for one in found}
        named = {*edges, *(to for tos in edges.values() for to in tos)}
        return Coverage(
            at=self.now,
            identities=len(self.by_id),
            accounts=sum(len(known.accounts) for known in self.by_id.values()),
            kinds=dict(sorted(Counter(known.kind for known in self.by_id.values()).items())),
            restorers=restorers,
            named=len(self.rows),
            observed=self.observed,
            unmapped=unmapped,
            no_owner=tuple(sorted(no_owner, key=lambda one: (_RANK[one.kind], one.who.id))),
            ages=tuple((name, counted.get(name, 0)) for name in BUCKETS),
            secrets=secrets,
            expired=len(self.expired),
            unsecret=tuple(
                replace(one, who=self._who(one.who.id)) for one in sorted(self.unsecret, key=lambda s: (s.who.id, s.name))
            ),
            shared=shared,
            people_on_services=persons,
            machines_on_people=tuple(
                Finding(self._who(name), self.by_id[name].kind, tuple(why), tuple(dict.fromkeys(why.values())))
                for name, why in sorted(self.machines.items())
            ),
            in_use=tuple(
                Finding(self._who(name), self.by_id[name].kind, lines) for name, lines in sorted(self.usage.items())
            ),
            admins=admins,
            eligible=self._findings(self.eligible, where),
            breaks=found,
            edges=edges,
            where=where,
            names={name: self.names[name] for name in named if name in self.names},
            readings=tuple(self.readings),
            vendors=self._vendors(unmapped, secrets, shared, persons, admins),
        )

    def _where(self) -> Dict[str, str]:
        """What people call each tenant, of those that only logs name, too."""
        for row in self.rows:
            self._place(row.account)
        vendors = Counter(place.partition(":")[0] for place in self._places)
        names = {place: place.partition(":")[0] for place in self._places}
        return {place: VENDORS.get(name, name) if vendors[name] == 1 else place for place, name in names.items()}

    def _unmapped(self) -> Tuple[Unmapped, ...]:
        strange = [row for row in self.rows if row.account not in self.holders]
        seen = Counter(row.account for row in strange)
        last: Dict[str, str] = {}
        for row in strange:
            last[row.account] = max(row.at, last.get(row.account, ""))
        found = [
            Unmapped(self._who(key), seen.get(key, 0), last.get(key, ""), key in self.listed)
            for key in {*seen, *self.listed}
        ]
        return tuple(sorted(found, key=lambda u: (-u.seen, u.who.id)))

    def _secrets(self) -> Tuple[Secret, ...]:
        found = [replace(secret, who=self._who(secret.who.id)) for secret in self.secrets.values()]
        return tuple(sorted(found, key=lambda s: (-(s.days if s.days is not None else -1), s.who.id, s.name)))

    def _shared(self) -> Tuple[Shared, ...]:
        found = [
            Shared(f"identity {self._who(n)}", "", 1, (), (), ((i.kind, 0),)) for n, i in self.by_id.items() if i.shared
        ]
        for (place, what, target), several in sorted(self.users.items()):
            held = self.inside.get(target, []) if what == "safe" else [target]
            if len(several) > 1 and held:
                kinds = Counter(self.by_id[who].kind if who in self.by_id else "unmapped" for who in several)
                who = tuple(self._who(name) for name in sorted(several)[:_NAMES])
                name = self.names.get(target, target) if what == "safe" else f"path {target}"
                names = tuple(sorted(held)[:_NAMES]) if what == "safe" else ()
                found.append(Shared(name, place, len(held), names, who, tuple(sorted(kinds.items()))))
        return tuple(sorted(found, key=lambda s: (bool(s.vendor), not s.mixed, -s.people, s.vendor, s.what)))

    def _persons(self) -> Tuple[Finding, ...]:
        why = {name: dict(texts) for name, texts in self.persons.items()}
        for who, known in self.by_id.items():
            for key in known.persons:
                if key not in self.explained:
                    why.setdefault(who, {})[f"{key} is a person's account at its vendor"] = self._place(key)
        used = Counter(self.holders.get(row.account, "") for row in self.rows if row.detection == INTERACTIVE)
        for name, count in used.items():
            if name in self.by_id and self.by_id[name].kind != "human":
                times = "once" if count == 1 else f"{count} times"
                why.setdefault(name, {})[f"a person was seen using it {times} ({INTERACTIVE})"] = ""
        return tuple(
            Finding(self._who(name), self.by_id[name].kind, tuple(texts), tuple(filter(None, dict.fromkeys(texts.values()))))
            for name, texts in sorted(why.items())
        )

    def _admins(self, where: Mapping[str, str]) -> Tuple[Finding, ...]:
        """Who has rights without activating them; privileged by the inventory alone only where no vendor says why."""
        more = [
            Finding(self._who(name), known.kind, ("privileged in the inventory",))
            for name, known in self.by_id.items()
            if known.criticality == "privileged" and name not in self.rights and name not in self.eligible
        ]
        return tuple(sorted([*self._findings(self.rights, where), *more], key=lambda finding: finding.who.id))

    def _findings(self, rights: Mapping[str, Rights], where: Mapping[str, str]) -> Tuple[Finding, ...]:
        return tuple(
            Finding(
                self._who(who), self.by_id[who].kind if who in self.by_id else "unmapped", held.told(where), held.places()
            )
            for who, held in sorted(rights.items())
        )

    def _breaks(self, users: Users, people: People) -> Tuple[Breaks, ...]:
        edges = {name: self._dependents(name, known, users) for name, known in self.by_id.items() if known.dependents}
        machines = {name: known.accounts for name, known in self.by_id.items() if known.kind != "human"}
        through = {name: sum(map(people, accounts)) for name, accounts in machines.items()}
        found: List[Breaks] = []
        for name in {**edges, **{name: () for name, count in through.items() if count}}:
            known, near = self.by_id[name], edges.get(name, ())
            further = tuple(to for to in breaks(edges, name, BREAKS) if to not in {*near})
            found.append(Breaks(self._who(name), known.kind, known.owner, tuple(map(self._who, near)),
                                tuple(map(self._who, further)), through.get(name, 0)))  # fmt: skip
        return tuple(sorted(found, key=lambda b: (-len(b.direct) - len(b.further), -b.people, b.who.id)))

    def _dependents(self, ident: str, known: _Known, users: Users) -> Tuple[str, ...]:
        """Its dependents; a name that means an identity is that identity's id, so that the way leads on behind it."""
        meant: Dict[str, str] = {}
        for account in known.accounts:
            for key in users(account):
                who = self.holders.get(key, key)
                for name in {key, self.names.get(who, ""), who} - {""}:
                    meant[name] = who if meant.get(name, who) == who else name  # two of one name are told apart by nobody
        found = (meant.get(name) or self.holders.get(name, name) for name in known.dependents)
        return tuple(dict.fromkeys(name for name in found if name != ident))

    def _vendors(
        self, unmapped: Sequence[Unmapped], secrets: Sequence[Secret], shared: Sequence[Shared],
        persons: Sequence[Finding], admins: Sequence[Finding],
    ) -> Tuple[Vendor, ...]:  # fmt: skip
        accounts: Counter[str] = Counter()
        who: Counter[str] = Counter()
        nobody: Counter[str] = Counter()
        for known in self.by_id.values():
            places = [self._place(key) for key in known.accounts]
            accounts.update(places)
            who.update(set(places))
            nobody.update(set(places) if not known.owner else ())
        missing = Counter(self._place(one.who.id) for one in unmapped)
        ages = Counter((secret.vendor, bucket(secret.days)) for secret in secrets)
        held = Counter(secret.vendor for secret in secrets)
        old = Counter(secret.vendor for secret in secrets if secret.old)
        several: Counter[str] = Counter()
        for one in shared:
            several[one.vendor] += one.count
        used = Counter(place for finding in persons for place in finding.vendors)
        powers = Counter(place for finding in admins for place in finding.vendors)
        return tuple(
            Vendor(place, accounts[place], who[place], missing[place], nobody[place], held[place], old[place],
                   several[place], used[place], powers[place], tuple(ages[place, name] for name in BUCKETS))
            for place in sorted({*accounts, *missing, *held})
        )  # fmt: skip
