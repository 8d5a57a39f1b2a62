"""Check all that must hold between incidents: journal, policy, permissions, open containments, a canary. One exit code.

Reads only, unless --repair or --canary is given. The result is an entry of the journal, which reaches the SIEM as every
entry does; --splunk-url sends it to Splunk from a machine whose journal is not there. Run it by a timer.
"""

from __future__ import annotations

import argparse
from datetime import timedelta
from functools import partial
from pathlib import Path
from typing import Callable, List, Optional, Sequence, Tuple

from rich.text import Text

import responders.policy
from responders import pipeline
from responders.containment import due
from responders.containment.recheck import recheck
from responders.containment.record import all_containments, load
from responders.containment.responder import Responder
from responders.containment.still import look
from responders.containment.validation import Check, title, valid, write_validation
from responders.errors import MirrorError, TourniquetError
from responders.escalation.words import clean
from responders.journal.chain import Entry
from responders.model import Tier
from responders.policy.from_yaml import run_cases
from responders.readiness.grants import of_policy
from responders.settings import Settings, load_settings
from responders.splunk.events import SplunkMirror
from responders.splunk.splunkd import Splunkd
from responders.surfaces.assemble import settings_path
from responders.surfaces.command_line import show
from responders.surfaces.command_line.ask_readiness import ask
from responders.surfaces.command_line.reaching_splunk import open_splunkd
from responders.surfaces.command_line.reading import responder_of, text_of

_LATE = timedelta(minutes=10)
"""After this long, what is due is due to nobody: it is taken every minute (docs/command_line.md)."""
_DEFAULT_CASES = Path(responders.policy.__file__).with_name("default_policy_cases.yaml")


def add(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--cases", metavar="FILE", default="", help="cases of the policy; default NAME_cases.yaml beside it")
    parser.add_argument("--canary", metavar="ID", default="", help="drill with this canary too, as `readiness --canary`")
    parser.add_argument("--repair", action="store_true", help="put back at the vendors what does not hold any more")
    parser.add_argument("--splunk-url", metavar="URL", default="", help="send the result to Splunk's management port")
    parser.add_argument("--splunk-index", metavar="NAME", default="main", help="into this index, default main")
    parser.add_argument("--splunk-token-file", metavar="FILE", default="", help="its token, mode 0600")
    parser.add_argument("--splunk-ca", metavar="FILE", default="", help="PEM certificates of a private CA")
    show.add_common(parser)


def run(options: argparse.Namespace) -> int:
    settings = load_settings(options.settings or settings_path())
    responder = responder_of(options)
    splunk = _splunk(options)
    checks: List[Check] = []
    for name, make in _checks(options, settings, responder):
        with show.working(f"checking: {name}", json_wanted=options.json):
            checks.append(_guarded(name, make))
    entry = write_validation(responder, checks)
    told = _told(entry, responder, splunk, options.splunk_index)
    checks += [told] if told is not None else []
    code = 0 if valid(checks) else 1
    if options.json:
        rows = [{"check": c.name, "ok": c.ok, "problems": list(c.problems), "note": c.note} for c in checks]
        show.as_json({"valid": valid(checks), "checks": rows, "at": entry.at, "title": title(checks), "exit": code})
        return code
    table = show.table("check", "", "")
    for check in checks:
        word = "not checked" if check.ok is None else "sound" if check.ok else "FAILED"
        table.add_row(*show.texts(check.name, word, check.note), style="red" if check.ok is False else "")
    show.OUT.print(table)
    for check in checks:
        for problem in check.problems:
            show.OUT.print(Text(f"{check.name}: {clean(problem)}", style="red"))
    show.OUT.print(Text(title(checks), style="bold red" if code else "bold"))
    return code


def _checks(
    options: argparse.Namespace, settings: Settings, responder: Responder
) -> Sequence[Tuple[str, Callable[[], Check]]]:
    found: List[Tuple[str, Callable[[], Check]]] = [
        ("journal", partial(_journal, responder)),
        ("automation", partial(_automation, responder)),
        ("policy", partial(_policy, options.cases, settings.policy, responder)),
        ("readiness", partial(_readiness, settings, responder)),
        ("still contained", partial(_still, responder, options.repair)),
    ]
    if options.canary:
        found.append(("canary", partial(_canary, options.canary, responder)))
    return found


def _guarded(name: str, check: Callable[[], Check]) -> Check:
    """What keeps a check from being made fails it, and no other."""
    try:
        return check()
    except TourniquetError as error:
        return Check(name, False, tuple(str(error).splitlines()) or (type(error).__name__,))


def _journal(responder: Responder) -> Check:
    findings = responder.journal.verify()
    return Check("journal", not findings, tuple(findings), "every chain and the anchor verified")


def _automation(responder: Responder) -> Check:
    """A halt that was forgotten, and work that nobody takes up: both look like quiet times."""
    problems: List[str] = []
    halted = responder.halted()
    if halted:
        problems.append(f"{halted}. `tourniquet resume` lifts it")
    late = list(due.pending(responder.journal, responder.now() - _LATE))
    if late:
        since = f"{late[0].at:%Y-%m-%d %H:%M}Z"
        problems.append(f"{len(late)} entries are due, the oldest since {since}: let `tourniquet due` run every minute")
    return Check("automation", not problems, tuple(problems), "runs, and nothing is overdue" if not problems else "")


def _policy(cases: str, policy: str, responder: Responder) -> Check:
    path = Path(cases) if cases else Path(policy).with_name(f"{Path(policy).stem}_cases.yaml") if policy else _DEFAULT_CASES
    if not cases and not path.is_file():
        return Check("policy", None, (), f"there are no cases {path}: write some (docs/policy.md), or name them by --cases")
    results = run_cases(text_of(path, "cases"), str(path), responder.policy)
    failed = tuple(f"{name}: {difference}" for name, difference in results if difference)
    return Check("policy", not failed, failed, f"{len(results) - len(failed)} of {len(results)} cases hold")


def _readiness(settings: Settings, responder: Responder) -> Check:
    problems: List[str] = []
    found = ask(settings, of_policy(responder.policy.actions))
    for item in found:
        place = f"{item.connection.vendor}:{item.connection.tenant} {item.credential}"
        if not item.readiness.authenticated:
            problems.append(f"{place}: {item.readiness.problem}")
        problems += [
            f"{place}: {need.name} lacks {', '.join(need.missing)}" for need in item.readiness.needs if need.ready is False
        ]
    return Check("readiness", not problems, tuple(problems), f"{len(found)} credentials asked")


def _still(responder: Responder, repair: bool) -> Check:
    """Every containment that nobody ended. With `repair` it is a recheck: what fell is put back, at most twice, and told."""
    problems: List[str] = []
    count = steps = 0
    for name, _ in all_containments(responder.journal):
        record = load(responder.journal, name)
        if not record.going_on or record.plan is None:
            continue
        count += 1
        found = look(responder, record)
        if repair and found.fell:
            recheck(responder, name, "validation")
            problems += [f"{problem} (put back, or escalated)" for problem in found.problems]
            found = look(responder, load(responder.journal, name))
        problems += found.problems
        problems += [f"{found.identity}: not contained yet: {what}" for what in found.open]
        steps += found.held
    return Check("still contained", not problems, tuple(dict.fromkeys(problems)), f"{count} open, {steps} steps hold")


def _canary(name: str, responder: Responder) -> Check:
    found = pipeline.drill_canary(name, Tier.REVOKE, responder)
    broken = tuple(f"{lane.vendor}: {lane.problem}" for lane in found.lanes if lane.problem)
    times = ", ".join(f"{lane.vendor} {lane.contain:.1f} s" for lane in found.lanes if lane.contain is not None)
    return Check("canary", found.works, (*found.problems, *broken), f"contained after {times}" if times else "")


def _splunk(options: argparse.Namespace) -> Optional[Splunkd]:
    """Where the result goes, opened before anything is checked: a wrong option is found at once."""
    if not options.splunk_url:
        return None
    return open_splunkd(options.splunk_url, options.splunk_token_file, options.splunk_ca)


def _told(entry: Entry, responder: Responder, splunk: Optional[Splunkd], index: str) -> Optional[Check]:
    """The entry in the SIEM: by the journal's own mirror, and in Splunk where asked for. None when all went well."""
    problems: List[str] = []
    if splunk is not None:
        try:
            SplunkMirror(splunk, index).tell([entry])
        except MirrorError as error:
            problems.append(str(error))
        finally:
            splunk.close()
    listener = responder.journal.listener
    if listener is not None and not listener.flush():
        problems.append("the SIEM has not taken the result yet: `tourniquet due` tells it later")
    return Check("told", False, tuple(problems)) if problems else None
