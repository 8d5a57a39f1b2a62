"""Facts first: reads vendor state and the answers to the guards' questions, all side by side, and writes nothing."""

from __future__ import annotations

import contextlib
import importlib
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from typing import Any, Callable, Dict, FrozenSet, Iterator, List, Mapping, Optional, Sequence, Set, Tuple

from responders.actions import registry
from responders.codec import from_json, to_json
from responders.containment.confirmed import questions
from responders.containment.responder import Responder
from responders.errors import VendorError
from responders.journal.chain import Journal
from responders.model import Account, Alert, Facts, Identity, Pairs, Phase, State, Step, Tier, Use, containment_id, step_id
from responders.parallel import Running, finish_all, start_all
from responders.vendors.client import VendorClient
from responders.vendors.shared import SharedReads

_HOUR = timedelta(hours=1)
Places = Tuple[Tuple[str, Use], ...]
"""Places in the blast radius, by key: those taken within the last hour, and by responders whose clocks are ahead."""


@dataclass(frozen=True)
class Ours:
    """What the guards ask of our own stores: places taken, people who may restore, and why automation is halted."""

    places: Places
    restorers: FrozenSet[str]
    halted: str


def client_for(responder: Responder, identity: Identity, account: Account) -> Optional[VendorClient]:
    """The client that may touch this account: privileged targets have a credential of their own."""
    return responder.clients.get(account.vendor, account.tenant, privileged=identity.privileged)


def candidate_steps(
    names: Sequence[str], identity: Identity, alerts: Sequence[Alert], since: datetime, generation: int
) -> Tuple[Step, ...]:
    """Every step those actions could become: action by account, with the evidence the alerts hold for it."""
    return tuple(each_candidate(names, identity, alerts, since, generation))


def each_candidate(
    names: Sequence[str], identity: Identity, alerts: Sequence[Alert], since: datetime, generation: int
) -> Iterator[Step]:
    """The same one after another, for who only asks whether there is one."""
    evidence = sorted({pair for alert in alerts for pair in alert.evidence})
    for name in names:
        action = registry.load(name)
        wanted = (*action.needs, *action.uses)
        found: Pairs = tuple(pair for pair in evidence if pair[0] in wanted)
        if action.needs and not any(key in action.needs for key, _ in found):
            continue
        parameters = (("since", since.isoformat()), *found)
        for account in identity.accounts:
            if account.vendor == action.vendor and account.kind in action.kinds:
                yield Step(step_id(generation, name, account, parameters), name, account, action.phase, parameters)


def unsupported(responder: Responder, identity: Identity) -> Tuple[Account, ...]:
    """Accounts that no configured vendor client reaches."""
    return tuple(account for account in identity.accounts if client_for(responder, identity, account) is None)


def gather(
    responder: Responder,
    identity: Identity,
    alerts: Sequence[Alert],
    steps: Sequence[Step],
    deadline: float,
    ours: Running[Ours],
) -> Tuple[Facts, Mapping[str, State], Mapping[str, Running[State]]]:
    """Facts for the guards; by step id the state of each block read before `deadline`, and the other steps' reads.

    `ours` is what is being read of our own stores meanwhile.

    Judging waits for what judges and blocks. What a cut must know (live tokens, sessions) is still being read while the
    vendor blocks; the lane waits for it.
    """
    reads: Dict[Tuple[str, str], Callable[[], Any]] = {}
    later: Dict[str, Callable[[], State]] = {}
    clients: Dict[str, VendorClient] = {}
    accounts: Dict[str, List[Account]] = {}
    for step in steps:
        client = client_for(responder, identity, step.account)
        if client is None:
            continue
        place = step.account.place
        client = clients.setdefault(place, SharedReads(client))
        read = partial(registry.load(step.action).check, client, step)
        if step.phase is Phase.BLOCK:
            reads["state", step.id] = read
        else:
            later[step.id] = read
        if step.account not in accounts.setdefault(place, []):
            accounts[place].append(step.account)
    for place, client in clients.items():
        exempt = break_glass(responder, place)
        reads["administrators", place] = partial(administrators, responder, client, tuple(accounts[place]), exempt)
        reads["own", place] = partial(own_ids, responder, client)
    asked, unconfirmed = questions(responder, identity, alerts)
    reads.update({("confirmed", where): ask for where, ask in asked.items()})
    judging = start_all(reads)
    running = start_all(later)
    found = finish_all(judging, deadline, group=lambda key: _vendor(key, steps))
    states: Dict[str, State] = {}
    unread: Set[Tuple[str, str]] = set()
    admins: Dict[str, FrozenSet[str]] = {}
    own: Set[str] = set()
    own_read: Set[str] = set()
    confirmed: Set[str] = set()
    for (what, where), value in found.items():
        if isinstance(value, Exception):
            unread.add((_vendor((what, where), steps), str(value)))
            if what == "confirmed":
                unconfirmed = (*unconfirmed, f"{where.partition('|')[0]} could not be asked: {value}")
        elif what == "confirmed":
            confirmed.update(value)
        elif what == "state":
            states[where] = value
        elif what == "administrators":
            admins[where] = value
        else:
            own_read.add(where)
            own.update(f"{where}:{account}" for account in value)
    keyed = {f"{step.action}|{step.account.key}": states[step.id] for step in steps if step.id in states}
    known = ours.value()
    facts = Facts(
        states=keyed,
        unread=tuple(sorted(unread)),
        administrators=admins,
        own=frozenset(own),
        own_read=frozenset(own_read),
        restorers=known.restorers,
        halted=known.halted,
        uses=uses(known.places),
        population=responder.inventory.population,
        unauthenticated=responder.unauthenticated_ingest,
        confirmed_events=frozenset(confirmed),
        unconfirmed=unconfirmed,
    )
    return facts, states, running


def begin_reading(responder: Responder) -> Running[Ours]:
    """Read what our own stores say, beside whatever else is read."""
    return Running(partial(_ours, responder))


def _ours(responder: Responder) -> Ours:
    halted = Running(responder.halted)
    # Places first: whoever is neither in one nor contained by then takes one later, and judge looks again.
    places = places_taken(responder.journal, responder.now())
    return Ours(places, _restorers(responder, places), halted.value())


def own_ids(responder: Responder, client: VendorClient) -> FrozenSet[str]:
    """Ids of the responder's own accounts at the client's vendor: of this credential, and of the one it does not use now.

    The other one may be out of order; that must not keep anybody from being contained.
    """
    found = client.own_ids()
    for privileged in (False, True):
        other = responder.clients.get(client.vendor, client.tenant, privileged=privileged)
        with contextlib.suppress(VendorError):
            found |= other.own_ids() if other is not None else frozenset()
    return found


def administrators(
    responder: Responder, client: VendorClient, accounts: Tuple[Account, ...], exempt: FrozenSet[str]
) -> FrozenSet[str]:
    """Account ids of the vendor's usable administrators when one of `accounts` is an administrator, else nothing.

    `exempt` are break-glass account ids. Nor is the responder itself a usable administrator, nor who is contained at the
    moment: a quarantined one is enabled and yet can't sign in.
    """
    reader = importlib.import_module(f"responders.actions.{client.vendor}._facts")
    found = frozenset(reader.usable_administrators(client, accounts, exempt)) - client.own_ids()
    mine = {account.id for account in accounts}
    return found - (contained_accounts(responder.journal, client.vendor) - mine) if found - mine else found


def contained_accounts(journal: Journal, vendor: str) -> FrozenSet[str]:
    """Account ids at this vendor of every identity whose containment is open."""
    from responders.containment.record import all_containments, load_all

    found: Set[str] = set()
    for record in load_all(journal, [containment for containment, _ in all_containments(journal)]):
        if record.open and record.plan is not None:
            found.update(a.id for a in record.plan.decision.identity.accounts if a.vendor == vendor)
    return frozenset(found)


def uses(places: Places) -> Tuple[Use, ...]:
    """Who took them."""
    return tuple(use for _, use in places)


def places_taken(journal: Journal, now: datetime) -> Places:
    """Places taken within the last hour, as they are now."""
    docs = journal.sides([f"use/{hour:%Y%m%d%H}/" for hour in (now - _HOUR, now, now + _HOUR)])
    places = [(key, from_json(Use, doc["use"])) for key, doc in docs]
    return tuple((key, use) for key, use in places if use.at > now - _HOUR)


def take_place(journal: Journal, use: Use, counted: Places) -> Optional[str]:
    """Take the next place in the blast radius; None when somebody took it since these were counted.

    The place's number comes from what was counted: whoever counts the same takes the same place, and one of them gets it.
    Only at the turn of an hour may both; who takes one looks again afterwards.
    """
    prefix = f"use/{use.at:%Y%m%d%H}/"
    key = f"{prefix}{sum(key.startswith(prefix) for key, _ in counted):06d}"
    return key if journal.put(key, {"use": to_json(use)}) else None


def break_glass(responder: Responder, place: str) -> FrozenSet[str]:
    """Ids of the break-glass accounts at `vendor:tenant`."""
    prefix = place + ":"
    return frozenset(key[len(prefix) :] for key in responder.inventory.break_glass if key.startswith(prefix))


def _restorers(responder: Responder, places: Places) -> FrozenSet[str]:
    """Those who may restore, and are neither contained nor about to be."""
    from responders.containment.record import latest

    names = sorted(responder.inventory.restorers)
    read = start_all({name: partial(responder.inventory.identity, name) for name in names})
    people = [name for name, found in read.items() if can_act(found.value())]
    journal, first = responder.journal, {containment_id(name, 1): name for name in people}
    begun = {first[chain] for chain, entries in journal.tails(dict.fromkeys(first, -1)).items() if entries}
    taken = {use.identity for use in uses(places) if use.tier > Tier.OBSERVE}
    away = {name for name in people if (_is_open(latest(journal, name)) if name in begun else name in taken)}
    return frozenset(people) - away


def can_act(found: Optional[Identity]) -> bool:
    """A break-glass identity is for the day on which nobody else is left; a machine restores nothing."""
    return found is None or (found.kind == "human" and not found.break_glass)


def _is_open(found: Any) -> bool:
    return found is not None and bool(found[1].open)


def _vendor(key: Tuple[str, str], steps: Sequence[Step]) -> str:
    what, where = key
    return next(s.account.vendor for s in steps if s.id == where) if what == "state" else where.split(":")[0]
