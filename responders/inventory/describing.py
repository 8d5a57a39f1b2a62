"""What an identity is, from its accounts and the customer's file, pure: kind, owner, criticality, environment, dependents.

Nothing here protects anybody: break-glass, protected, shared and can_restore come from the file alone, since whoever could
set them at a vendor could hide behind them. What vendors say may raise the criticality, never lower it. What logs show in
use is told to people and decides nothing: whoever attacks can write log lines (docs/inventory_usage.md).
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import List, Mapping, Optional, Sequence, Tuple

from responders.inventory.observation import Observed
from responders.model import Account, Identity, Pairs

CRITICALITIES = ("low", "normal", "high", "privileged")
_MOST = 50
LEAST_DAYS = 3
"""Days on which logs must show a use before it is told."""
_OTHERS, _OWN = 10, 5
_DOES = {
    "app": "signs in to it", "resource": "calls it", "role": "takes it", "path": "reads", "object": "takes out",
    "secret": "reads", "key": "signs with the key", "scopes": "is given", "session": "calls its session",
}  # fmt: skip
_ITSELF = {"app": "signs in to", "resource": "calls", "role": "takes the role"}


@dataclass(frozen=True)
class GroupRule:
    """What membership in a group says, by the customer's rules; "" says nothing."""

    kind: str = ""
    criticality: str = ""
    environment: str = ""
    owner: str = ""


@dataclass(frozen=True)
class Use:
    """What logs show: `by` uses the identity, or the identity itself uses something where it is "".

    `what` and `object` as in sync/usage.py; on so many `days` from `first` to `last` (ISO 8601).
    """

    by: str
    what: str
    object: str
    days: int
    first: str
    last: str


@dataclass(frozen=True)
class InUse:
    """What logs show of an identity: `others` that use it, and are known, its `own` uses, and how many `users` in all."""

    others: Tuple[Use, ...] = ()
    own: Tuple[Use, ...] = ()
    users: int = 0


@dataclass(frozen=True)
class Described:
    """An identity, and why it is what it is: field to reason."""

    identity: Identity
    reasons: Pairs = field(default_factory=tuple)


def describe(
    name: str,
    accounts: Sequence[Account],
    observed: Sequence[Observed],
    row: Optional[Identity],
    dependents: Sequence[str] = (),
    groups: Mapping[str, GroupRule] = {},
    usage: InUse = InUse(),
    least_days: int = LEAST_DAYS,
) -> Described:
    """The identity of these accounts. `row` is its row of the customer's file, which wins over all.

    `groups` are rules by `vendor:tenant:group id`. Of groups and tags only those count that administrators write. `usage`
    is what logs show; what they show on fewer than `least_days` days is left out.
    """
    reasons: List[Tuple[str, str]] = []
    rules = [groups[key] for one in observed for key in groups_of(one) if key in groups]
    kind, why = _kind(observed, rules)
    criticality, why_critical = _criticality(observed, rules)
    owner, why_owner = _owner(observed, rules)
    environment, why_environment = _environment(observed, rules)
    if row is not None:
        reasons.append(("file", "in your inventory file, which wins"))
        identity = replace(
            row, accounts=tuple(accounts), dependents=row.dependents or tuple(dependents[:_MOST]),
            owner=row.owner or owner or None, usage=in_words(usage, row.kind, least_days),
        )  # fmt: skip
        if criticality == "privileged" != row.criticality:
            # Power is a fact of the vendor's. A row that leaves it out must not let an administrator pass for anybody.
            identity = replace(identity, criticality=criticality)
            reasons.append(("criticality", why_critical))
        if kind != row.kind and observed:
            reasons.append(("kind", f"your file says {row.kind}; the vendors would make it {kind}: {why}"))
        return Described(identity, tuple(reasons))
    identity = Identity(
        name, kind, owner or None, criticality, environment, False, tuple(accounts), tuple(dependents[:_MOST]),
        usage=in_words(usage, kind, least_days),
    )  # fmt: skip
    found = (("kind", why), ("criticality", why_critical), ("owner", why_owner), ("environment", why_environment))
    return Described(identity, tuple(reason for reason in found if reason[1]))


def in_words(usage: InUse, kind: str, least_days: int = LEAST_DAYS) -> Tuple[str, ...]:
    """One line a use, those of most days first, and how many there are. Of people only who uses their accounts."""
    others = [use for use in usage.others if use.days >= least_days]
    own = [use for use in usage.own if use.days >= least_days] if kind != "human" else []
    lines = [
        _line(f"{use.by} {_DOES[use.what]}", "" if use.what in _ITSELF else use.object, use) for use in others[:_OTHERS]
    ]
    lines += [_line(f"it {_ITSELF.get(use.what, _DOES[use.what])}", use.object, use) for use in own[:_OWN]]
    if usage.users > len({use.by for use in others[:_OTHERS]}):
        lines.append(f"in all, {usage.users} accounts use it")
    return tuple(lines)


def _line(who: str, what: str, use: Use) -> str:
    return f"{who}{' ' if what else ''}{what} on {use.days} days from {use.first} to {use.last}"


def groups_of(one: Observed) -> Tuple[str, ...]:
    """The groups that it is in, `vendor:tenant:group`."""
    account = one.seen.account
    return tuple(
        reach.target if ":" in reach.target else f"{account.place}:{reach.target}"
        for reach in one.reaches
        if reach.what == "group"
    )


def _tag(observed: Sequence[Observed], name: str) -> Tuple[str, str]:
    """First tag of that name, and where it stands."""
    return next(((v, one.seen.account.key) for one in observed for n, v in one.seen.tags if n == name and v), ("", ""))


def _kind(observed: Sequence[Observed], rules: Sequence[GroupRule]) -> Tuple[str, str]:
    """agent, service or human. Names play no part: whoever attacks chooses names."""
    ruled = sorted({rule.kind for rule in rules if rule.kind})
    if len(ruled) == 1:
        return ruled[0], "a rule of one of its groups"
    people = [one for one in observed if one.seen.user is True]
    # No tag makes an agent of a person: nobody would take their sign-ins away.
    if not people and _tag(observed, "agent")[0].lower() == "true":
        return "agent", f"{_tag(observed, 'agent')[1]} is an agent identity"
    machines = [one for one in observed if one.seen.user is False]
    if machines and not people:
        return "service", f"{machines[0].seen.account.key} is {machines[0].seen.why}"
    if people:
        return "human", f"{people[0].seen.account.key} is {people[0].seen.why}"
    return "human", "no vendor says what signs in; people are contained at lower confidence"


def _criticality(observed: Sequence[Observed], rules: Sequence[GroupRule]) -> Tuple[str, str]:
    for one in observed:
        for reach in one.reaches:
            if reach.admin:
                return "privileged", f"{one.seen.account.key} has {reach.what} {reach.name or reach.target}"
    tag, where = _tag(observed, "criticality")
    found = [("normal", "")]
    found += [(rule.criticality, "a rule of one of its groups") for rule in rules if rule.criticality in CRITICALITIES]
    found += [(tag, f"a tag of {where}")] if tag in CRITICALITIES else []
    return max(found, key=lambda item: CRITICALITIES.index(item[0]))


def _owner(observed: Sequence[Observed], rules: Sequence[GroupRule]) -> Tuple[str, str]:
    ruled = sorted({rule.owner for rule in rules if rule.owner})
    if len(ruled) == 1:
        return ruled[0], "a rule of one of its groups"
    for name in ("owner", "manager"):
        value, where = _tag(observed, name)
        if value:
            return value[:200], f"{name} of {where}"
    return "", ""


def _environment(observed: Sequence[Observed], rules: Sequence[GroupRule]) -> Tuple[str, str]:
    """production unless all that say something say otherwise: what is wrongly taken for production is revoked later."""
    said = [(rule.environment, "a rule of one of its groups") for rule in rules if rule.environment]
    for one in observed:
        said += [(v, f"a tag of {one.seen.account.key}") for n, v in one.seen.tags if n == "environment" and v]
    values = {value for value, _ in said}
    return ("non-production", said[0][1]) if values == {"non-production"} else ("production", "")
