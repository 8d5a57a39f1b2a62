"""The checks of `tourniquet validate` that ask no vendor: journal, automation, policy, inventory, the last canary."""

from __future__ import annotations

import json
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any, List, Optional, Tuple

import responders.policy
from responders.containment import canary as drills
from responders.containment import due
from responders.containment.responder import Responder
from responders.containment.validation import Check, known
from responders.errors import BadPolicy
from responders.inventory.sync.raw import RawStore
from responders.policy.from_yaml import run_cases
from responders.policy.proof import belongs, signed
from responders.settings import ELASTIC, Settings
from responders.surfaces.command_line.reading import text_of

_LATE = timedelta(minutes=10)
"""After this long, what is due is due to nobody: it is taken every minute (docs/command_line.md)."""
_DEFAULT_CASES = Path(responders.policy.__file__).with_name("default_policy_cases.yaml")
BACKTEST = "backtest"
_DROPPED = "the policy before asked for a backtest; this one has its own, and asks for none any more"
_UNSIGNED = (
    "the record was not made with this journal's key, or was changed since: make it on this machine, by `tourniquet policy "
    "backtest ALERTS --settings SETTINGS --policy FILE --record RECORD`, and read what it says before"
)
_TAMPERED = (
    "somebody may have changed the journal to hide what was done, or its disk is damaged: keep it and the anchor file, "
    "see who could write them, and compare it with the escalations (`tourniquet journal verify --head`, docs/journal.md)"
)
_UNANCHORED = "the anchor file is missing"


def journal(responder: Responder) -> Check:
    """A journal that holds nothing yet has no anchor either: that is no finding, and is said."""
    findings = responder.journal.verify()
    if findings and all(_UNANCHORED in finding for finding in findings):
        if next(responder.journal.store.scan("e/"), None) is None:
            note = "no entry yet: a new installation. If it is none, the journal was deleted together with its anchor"
            return Check("journal", True, (), note)
        findings.append("this run begins a new anchor file. On a machine that never wrote to this journal that is all")
        return Check("journal", False, tuple(findings))
    note = "every chain and the anchor were looked at"
    return Check("journal", not findings, tuple(findings), note, (_TAMPERED,) if findings else ())


def automation(responder: Responder) -> Check:
    """A halt that was forgotten, and work that nobody takes up: both look like quiet times."""
    problems: List[str] = []
    halted = responder.halted()
    if halted:
        problems.append(f"{halted}. `tourniquet resume` lifts it")
    late = list(due.pending(responder.journal, responder.now() - _LATE))
    if late:  # without a number: it changes from hour to hour, and nothing else may have
        since = f"{late[0].at:%Y-%m-%d %H:%M}Z"
        problems.append(f"work is due since {since}, and nobody does it: let `tourniquet due` run every minute")
    note = f"{len(late)} entries are overdue" if late else "runs, and nothing is overdue" if not halted else ""
    return Check("automation", not problems, tuple(problems), note)


def policy(cases: str, where: str, responder: Responder) -> Check:
    """The cases of the policy in force, which `where` holds, "" for the one that ships."""
    path = Path(cases) if cases else Path(where).with_name(f"{Path(where).stem}_cases.yaml") if where else _DEFAULT_CASES
    if not cases and not path.is_file():
        return Check("policy", None, (), f"there are no cases {path}: write some (docs/policy.md), or name them by --cases")
    results = run_cases(text_of(path, "cases"), str(path), responder.policy)
    failed = tuple(f"{name}: {difference}" for name, difference in results if difference)
    what = f"the policy in force decides otherwise than {path} expects: find out who changed which, then correct it"
    held = f"{len(results) - len(failed)} of {len(results)} cases hold"
    return Check("policy", not failed, failed, held, (what,) if failed else ())


def backtest(record: str, settings: Settings, responder: Responder) -> Check:
    """A policy that asks for a backtest has one, of exactly what is in force: else it was put there by another way.

    So has the one that takes its place without asking: the rule can't be dropped by what it binds.
    """
    found, dropped = responder.policy, known(responder).carried.get(BACKTEST, False)
    if not found.require_backtest and not dropped:
        return Check(BACKTEST, None, (), "the policy in force asks for none (require_backtest)")
    where = settings.policy
    path = Path(record) if record else Path(where).with_suffix(".backtest.json") if where else Path("no policy file")
    try:
        proof: Any = json.loads(text_of(path, "record")) if path.is_file() else None
        belongs(found, proof, str(path))
    except (BadPolicy, ValueError, RecursionError) as error:
        why = "the policy before asked for a backtest, and this one does not ask: " if not found.require_backtest else ""
        return Check(
            BACKTEST, False, (f"{why}{str(error).rstrip('.')}. --record names it where it is elsewhere",), carry=True
        )
    if not signed(proof, settings.journal_key.reveal().encode()):
        return Check(BACKTEST, False, (f"{path}: {_UNSIGNED}",), carry=True)
    population, now = proof.get("population"), responder.inventory.population
    if isinstance(population, bool) or not isinstance(population, int) or population < now / 2:
        what = f"{path}: the backtest knew {population} identities, the inventory holds {now}: it says little of them"
        return Check(BACKTEST, False, (f"{what}. Make it again, with the inventory that is in use",), carry=True)
    if not found.require_backtest:
        return Check(BACKTEST, None, (), _DROPPED, carry=False)
    return Check(BACKTEST, True, (), f"{path} is of the policy in force", carry=True)


def inventory(hours: Optional[float], settings: Settings, responder: Responder) -> Check:
    """How old it is: by what vendors showed where the state of `inventory sync` is beside it, by its file or index too."""
    if hours is None:
        return Check("inventory", None, (), "not asked for: --inventory-hours N says how old it may be")
    parts = _parts(settings, responder)
    limit = datetime.now(timezone.utc) - timedelta(hours=hours)
    note = f"as of {min(at for _, at in parts):%Y-%m-%d %H:%M}Z"
    old = [f"{what} is of {at:%Y-%m-%d %H:%M}Z, more than {hours:g} h ago" for what, at in parts if at < limit]
    if old:
        to_do = "`tourniquet inventory sync` renews it: see whether it runs, and what it says"
        return Check("inventory", False, tuple(old), note, (to_do,))
    return Check("inventory", True, (), note)


def canary(hours: Optional[float], responder: Responder) -> Check:
    """Whether the last drill worked, and whether there was one lately."""
    if hours is None:
        return Check("last canary", None, (), "not asked for: --canary-hours N says how old the last drill may be")
    found = drills.last(responder)
    if found is None:
        return Check("last canary", False, ("no canary was ever drilled: `tourniquet readiness --canary ID`",))
    begun, ended = found
    at = datetime.fromisoformat(str(begun["at"]))
    words = f"the last drill, of {begun['identity']}, began at {at:%Y-%m-%d %H:%M}Z"
    problems: List[str] = []
    if at < responder.now() - timedelta(hours=hours):
        problems.append(f"{words}: more than {hours:g} h ago. See whether its timer runs `tourniquet readiness --canary ID`")
    if ended is None:
        problems.append(f"{words}, and never came to its end: `tourniquet due` puts back what it left, then drill again")
    elif not ended["works"]:
        problems.append(f"{words}, and a path was broken: see below, and drill again")
        problems += [str(problem) for problem in ended["problems"]]
        problems += [f"{lane['vendor']}: {lane['problem']}" for lane in ended["lanes"] if lane["problem"]]
    return Check("last canary", not problems, tuple(problems), words)


def _parts(settings: Settings, responder: Responder) -> List[Tuple[str, datetime]]:
    if settings.inventory == ELASTIC:
        store: Any = responder.inventory
        return [("the inventory in Elasticsearch", store.pushed)]
    path = Path(settings.inventory)
    state = path.with_suffix(".observed.db")
    parts = [(f"inventory {path}", path.stat().st_mtime)]
    if path.suffix == ".json" and state.is_file():
        connected = {f"{c.vendor}:{c.tenant}" for c in settings.connections}
        with RawStore(state) as raw:
            read = [(f"what {place} showed", raw.read_at(place)) for place in raw.places() if place in connected]
        parts += [(what, at) for what, at in read if at is not None]
    return [(what, datetime.fromtimestamp(at, timezone.utc)) for what, at in parts]
