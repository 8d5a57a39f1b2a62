"""From what was gathered to the compiled inventory and the report of its joins; never to one that is worse than before."""

from __future__ import annotations

import itertools
import json
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Dict, Iterator, List, Mapping, Optional, Sequence, Set, TextIO, Tuple

from responders.codec import from_json, to_json
from responders.errors import BadInventory, Refused
from responders.inventory.compiled import Whole
from responders.inventory.describing import LEAST_DAYS, GroupRule, describe, groups_of
from responders.inventory.joining import Conflict, Explicit, Joined, Link, Rank, join
from responders.inventory.lines import line_of, write_end, write_identities
from responders.inventory.resolve import Inventory
from responders.inventory.rules import NO_RULES, Rules
from responders.inventory.sync.before import Before, rank
from responders.inventory.sync.gather import Gathered
from responders.inventory.sync.in_use import Usages
from responders.model import Account, Identity

_LONGEST = 200
"""Letters of a name that somebody gave at a vendor."""


@dataclass(frozen=True)
class Difference:
    """Against the inventory that was there: how many identities, and the first names of each sort."""

    identities: int = 0
    accounts: int = 0
    before: int = 0
    new: Tuple[int, Tuple[str, ...]] = (0, ())
    changed: Tuple[int, Tuple[str, ...]] = (0, ())
    lost: Tuple[int, Tuple[str, ...]] = (0, ())
    kept: int = 0
    """Of the lost ones so many are kept as they were, for they would be too many."""
    worse: Tuple[str, ...] = ()
    conflicts: Tuple[Conflict, ...] = field(default=())
    links: int = 0


def compile_inventory(
    gathered: Gathered,
    file: Optional[Inventory],
    target: Path,
    *,
    rules: Rules = NO_RULES,
    most_lost: float = 5.0,
    accept: bool = False,
    dry_run: bool = False,
    usage_days: int = LEAST_DAYS,
) -> Difference:
    """Write `target` and beside it NAME.joins.jsonl. Raises Refused when it would be worse than what is there.

    Worse: more than `most_lost` per cent of the accounts would move to another identity that was there, or an account would
    lose a break-glass or protected mark, or somebody the right to restore. When more than `most_lost` per cent of the
    identities would be gone with all their accounts, these are kept as they were, and all else is new: who makes many
    accounts and deletes them must not stop the inventory. `accept` writes it all the same, without them.

    What logs show in use is told when they show it on so many `usage_days`.
    """
    report = joins_file(target)
    before = Before(target)
    rows = {identity.id: identity for identity in file.identities} if file else {}
    explicit, conflicts = explicit_rows(gathered, file)
    joined = join(gathered, explicit, KeptLinks(report), gathered.gone(), rules.one_company)
    usages = Usages(gathered, file)
    conflicts.extend(usages.hints(usage_days))
    builder = _Builder(gathered, joined, rows, before, rules.groups, usages, usage_days)
    whole, joins = Whole(target), Whole(report)
    with whole as out, joins as told:
        write_identities(out, builder.lines(told, 100.0 if accept else most_lost))
        write_end(out, _aliases(builder, file), sorted(file.restorers) if file else [])
        worse = before.worse(file.restorers if file else frozenset(), most_lost)
        if before.guarded:
            what = "an alias in your file makes them protected or break-glass, and they were another's"
            remedy = "see whether they are what you meant, and write their ids into the row"
            conflicts.append(Conflict.of("newly protected", before.guarded, what, remedy))
        unmet = sorted(set(rules.groups) - builder.groups)
        if unmet:
            what = "your rules name groups in which nobody is seen: these say nothing"
            remedy = "write them as the vendor does (an id at Okta and Entra), or remove them"
            conflicts.append(Conflict.of("empty group", unmet, what, remedy))
        conflicts.extend(joined.conflicts)
        _tell(told, joined, conflicts)
        found = Difference(
            builder.count, builder.accounts, before.count, (before.counts[0], tuple(before.new)),
            (before.counts[1], tuple(before.changed)), before.lost(), builder.kept, worse, tuple(conflicts),
            len(joined.links),
        )  # fmt: skip
        if worse and not accept and not dry_run:
            what = "; ".join(worse)
            raise Refused(f"the new inventory would be worse: {what}. Nothing was written. Look, then say --accept")
        if not dry_run:
            joins.keep()
            whole.keep()
    return found


def _aliases(builder: _Builder, file: Optional[Inventory]) -> Dict[str, str]:
    """What vendors' logs name accounts, and what the file says beside that; a key that a row claims is none."""
    if file is None:
        return builder.aliases
    written = {account.key for row in file.identities for account in row.accounts}
    return {alias: name for alias, name in {**builder.aliases, **file.aliases}.items() if alias not in written}


def joins_file(target: Path) -> Path:
    """The report of the joins of an inventory."""
    return target.with_suffix(".joins.jsonl")


class KeptLinks:
    """The links of the last time, none when there was none; as often as they are asked for. Raises BadInventory."""

    def __init__(self, report: Path) -> None:
        self._report = report

    def __iter__(self) -> Iterator[Link]:
        if not self._report.exists():
            return
        with self._report.open(encoding="utf-8") as lines:
            for line in lines:
                if line.startswith('{"link"'):
                    try:
                        a, b, rank, evidence = json.loads(line)["link"]
                        yield Link(str(a), str(b), Rank[rank], str(evidence))
                    except (ValueError, KeyError, TypeError):
                        remedy = "restore it, or remove it: then links whose evidence is gone are lost"
                        raise BadInventory("holds a line that is no link", place=str(self._report), remedy=remedy) from None


def explicit_rows(gathered: Gathered, file: Optional[Inventory]) -> Tuple[List[Explicit], List[Conflict]]:
    """The rows of the file. An alias that names one account of a vendor means that account, unless a row claims it by id.

    Names at a vendor can be given anew: so an alias adds nothing to a canary, which is contained every hour.
    """
    if file is None:
        return [], []
    claimed = {account.key: identity.id for identity in file.identities for account in identity.accounts}
    canaries = {identity.id for identity in file.identities if identity.canary}
    meant: Dict[str, List[str]] = {}
    conflicts: List[Conflict] = []
    for alias, name in sorted(file.aliases.items()):
        owner = gathered.owner(alias)
        if owner is None:
            if claimed.get(alias) != name and gathered.observed(alias) is not None:
                what = f"it is also an alias of {name} in your file: an alert that names it contains nobody"
                conflicts.append(Conflict.of("ambiguous alias", [alias], what, "write the account's id instead"))
        elif claimed.get(owner, name) != name:
            what = f"{alias}, an alias of {name}, means it now, and your file gives it to {claimed[owner]}, which keeps it"
            conflicts.append(Conflict.of("alias of another", [owner], what))
        elif name in canaries and owner not in claimed:
            what = (
                f"{alias}, an alias of the canary {name}, means it: a canary has only the accounts that its row names by id"
            )
            conflicts.append(
                Conflict.of("alias of a canary", [owner], what, "write its id into the row, if it is made for drills")
            )
        else:
            meant.setdefault(name, []).append(owner)
    rows = [
        Explicit(
            identity.id,
            tuple(dict.fromkeys([*(account.key for account in identity.accounts), *meant.get(identity.id, ())])),
            identity.protected or identity.break_glass or identity.canary,
        )
        for identity in file.identities
    ]
    return rows, conflicts


class _Builder:
    """Makes the identities one after another, and counts them."""

    def __init__(
        self,
        gathered: Gathered,
        joined: Joined,
        rows: Mapping[str, Identity],
        before: Before,
        groups: Mapping[str, GroupRule],
        usages: Usages,
        usage_days: int,
    ) -> None:
        self._gathered, self._joined, self._rows, self._before, self._groups = gathered, joined, rows, before, groups
        self._usages, self._usage_days = usages, usage_days
        self.aliases: Dict[str, str] = {}
        self.groups: Set[str] = set()
        """Those of the rules in which somebody is."""
        self.count = self.accounts = self.kept = 0
        self._used: Set[str] = set(rows)

    def lines(self, told: TextIO, most_lost: float) -> Iterator[str]:
        done: Set[str] = set()
        for group in self._joined.groups:
            row = self._rows.get(self._joined.rows.get(group[0], ""))
            found = [one for one in map(self._gathered.observed, group) if one is not None]
            accounts = _accounts(group, {one.seen.account.key: one.seen.account for one in found}, row)
            owners = self._before.owners(accounts)
            dependents = sorted(
                {
                    _clean(self._gathered.name(user))
                    for key in group
                    for user in self._gathered.users_of(key)
                    if user not in group
                }
            )
            name = row.id if row is not None else self._name(accounts, owners)
            done.add(name)
            aliases = [alias for one in found for alias in self._gathered.clear_aliases(one.seen)]
            self.aliases.update(dict.fromkeys(aliases, name))
            usage = self._usages.of(group, aliases, name)
            if self._groups:
                self.groups.update(key for one in found for key in groups_of(one) if key in self._groups)
            described = describe(name, accounts, found, row, dependents, self._groups, usage, self._usage_days)
            if described.reasons:
                told.write(json.dumps({"identity": name, "why": dict(described.reasons)}) + "\n")
            yield self._line(described.identity, owners)
        for name, row in self._rows.items():
            if name not in done:  # its accounts are claimed twice: the file is asked for, not guessed
                yield self._line(row, self._before.owners(row.accounts))
        lost, _ = self._before.lost()
        if lost > self._before.count * most_lost / 100.0:
            yield from self._kept()

    def _kept(self) -> Iterator[str]:
        for line in self._before.lines_of_lost():
            identity = from_json(Identity, json.loads(line))
            if identity.id not in self._used:
                self.kept += 1
                self.count += 1
                self.accounts += len(identity.accounts)
                self._before.keep_marks(identity)
                yield line

    def _line(self, identity: Identity, owners: Mapping[str, str]) -> str:
        self.count += 1
        self.accounts += len(identity.accounts)
        row = self._rows.get(identity.id)
        line = line_of(identity)
        self._before.note(identity, line, owners, {account.key for account in row.accounts} if row else ())
        return line

    def _name(self, accounts: List[Account], owners: Mapping[str, str]) -> str:
        """The id that it had before, so that containments know it again; else the key of its first account."""
        keys = [account.key for account in accounts]
        inherited = (name for name in owners.values() if self._before.heir(name, self._joined.accounts) in owners)
        further = (f"{keys[0]}/{number}" for number in itertools.count(2))
        name = next(name for name in itertools.chain(inherited, keys, further) if name not in self._used)
        self._used.add(name)
        return name


def _clean(text: str) -> str:
    """A name that somebody chose at a vendor, as people may be shown it."""
    return "".join(letter if letter.isprintable() else "\ufffd" for letter in text[:_LONGEST])


def _accounts(group: Tuple[str, ...], seen: Mapping[str, Account], row: Optional[Identity]) -> List[Account]:
    """The accounts of a group, the first vendor's first. What an account is, its vendor knows better than the file, which
    says `user` and `cloud` where nothing is written."""
    known = dict(seen)
    for account in row.accounts if row is not None else ():
        shown = known.setdefault(account.key, account)
        if account.mastered != "cloud":
            known[account.key] = replace(shown, mastered=account.mastered)
    return [known[key] for key in sorted(group, key=rank) if key in known]


def _tell(told: TextIO, joined: Joined, conflicts: Sequence[Conflict]) -> None:
    for conflict in conflicts:
        told.write(json.dumps({"conflict": to_json(conflict)}, sort_keys=True) + "\n")
    for link in joined.links:
        told.write(json.dumps({"link": [link.a, link.b, link.rank.name, link.evidence]}) + "\n")
