"""Check all that must hold between incidents: journal, policy, permissions, open containments, a canary. One exit code.

Reads only, unless --repair or --canary is given. The result is an entry of the journal, which reaches the SIEM as every
entry does; --splunk-url sends it to Splunk from a machine whose journal is not there. Run it by a timer.
"""

from __future__ import annotations

import argparse
import contextlib
import traceback
from datetime import datetime, timezone
from functools import partial
from pathlib import Path
from typing import Callable, List, Optional, Sequence, Tuple

from rich.text import Text

from responders import pipeline
from responders.containment.compose import Note
from responders.containment.responder import Responder
from responders.containment.validation import (
    WORDS,
    Check,
    tell_people,
    tell_unwritten,
    title,
    valid,
    write_validation,
)
from responders.errors import JournalError, MirrorError, TourniquetError
from responders.escalation.channels import open_channels
from responders.escalation.words import clean
from responders.model import Tier
from responders.readiness.grants import of_policy
from responders.settings import Settings, load_settings
from responders.splunk.events import SplunkMirror
from responders.splunk.splunkd import Splunkd
from responders.surfaces.assemble import settings_path
from responders.surfaces.command_line import show
from responders.surfaces.command_line import validate_checks as checks
from responders.surfaces.command_line.ask_readiness import ask
from responders.surfaces.command_line.reaching_splunk import open_splunkd
from responders.surfaces.command_line.reading import canary_of, responder_of
from responders.surfaces.command_line.validate_still import NAME, still_contained

_DEAD = (
    "nobody is contained there meanwhile: see whether the vendor is up, its URL and the network, and whether the credential "
    "was changed or has expired; `tourniquet readiness` asks again"
)
_BROKEN = (
    "an alert would end as this drill did: mend what the vendor says, see by `tourniquet status` whether it is restored"
)
_LACKING = "what a credential lacks `tourniquet readiness --grants` prints, to be pasted at the vendor"


def add(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--cases", metavar="FILE", default="", help="cases of the policy; default NAME_cases.yaml beside it")
    parser.add_argument(
        "--record", metavar="FILE", default="", help="of the policy's backtest; default NAME.backtest.json beside it"
    )
    parser.add_argument(
        "--inventory-hours", metavar="N", type=_hours, help="the inventory may be so old; default: not asked"
    )
    parser.add_argument("--canary-hours", metavar="N", type=_hours, help="the last drill may be so old; default: not asked")
    parser.add_argument("--canary", metavar="ID", help="drill with this canary now, as `readiness --canary`")
    parser.add_argument("--repair", action="store_true", help="put back at the vendors what does not hold any more")
    parser.add_argument(
        "--minutes", metavar="N", type=_hours, default=20.0, help="for reading open containments back, default 20"
    )
    parser.add_argument("--splunk-url", metavar="URL", default="", help="send the result to Splunk's management port")
    parser.add_argument("--splunk-index", metavar="NAME", default="main", help="into this index, default main")
    parser.add_argument("--splunk-token-file", metavar="FILE", default="", help="its token, mode 0600")
    parser.add_argument("--splunk-ca", metavar="FILE", default="", help="PEM certificates of a private CA")
    show.add_common(parser)


def run(options: argparse.Namespace) -> int:
    canary_of(options)  # before anything is checked
    settings = load_settings(options.settings or settings_path())
    responder = _opened(options, settings)
    splunk = _splunk(options)
    found: List[Check] = []
    for name, make in _checks(options, settings, responder):
        with show.working(f"checking: {name}", json_wanted=options.json):
            found.append(_guarded(name, make))
    told = _told(found, responder, splunk, options.splunk_index)
    found += [told] if told is not None else []
    code = 0 if valid(found) else 1
    if options.json:
        rows = [{"check": c.name, "ok": c.ok, "problems": [*c.problems, *c.to_do], "note": c.note} for c in found]
        show.as_json({"valid": valid(found), "checks": rows, "at": responder.now(), "title": title(found), "exit": code})
        return code
    table = show.table("check", "", "")
    for check in found:
        table.add_row(*show.texts(check.name, WORDS[check.ok], check.note), style="red" if check.ok is False else "")
    show.OUT.print(table)
    for check in found:
        for problem in check.problems:
            show.OUT.print(Text(f"{check.name}: {clean(problem)}", style="red"))
        for line in check.to_do:
            show.OUT.print(Text(f"  {check.name}: {clean(line)}"))
    show.OUT.print(Text(title(found), style="bold red" if code else "bold"))
    return code


def _opened(options: argparse.Namespace, settings: Settings) -> Responder:
    """The responder; people are told when it can't be opened, for then nobody is contained either."""
    try:
        return responder_of(options)
    except TourniquetError as error:
        items = (f"the responder can't be opened, so nobody is contained: {error}",)
        note = Note("validation FAILED: nothing could be checked", True, items)
        with contextlib.suppress(TourniquetError):  # it may be the channels that can't be opened
            for line in tell_people(open_channels(settings.escalation), note, datetime.now(timezone.utc)):
                show.ERR.print(Text(clean(line)))
        raise


def _checks(
    options: argparse.Namespace, settings: Settings, responder: Responder
) -> Sequence[Tuple[str, Callable[[], Check]]]:
    found: List[Tuple[str, Callable[[], Check]]] = [
        ("journal", partial(checks.journal, responder)),
        ("automation", partial(checks.automation, responder)),
        ("policy", partial(checks.policy, options.cases, settings.policy, responder)),
        ("backtest", partial(checks.backtest, options.record, settings, responder)),
        ("inventory", partial(checks.inventory, options.inventory_hours, settings, responder)),
        ("readiness", partial(_readiness, settings, responder)),
        (NAME, partial(still_contained, responder, 60 * options.minutes, repair=options.repair)),
    ]
    if options.canary:
        found.append(("canary", partial(_canary, options.canary, responder)))
    else:
        found.append(("last canary", partial(checks.canary, options.canary_hours, responder)))
    return found


def _guarded(name: str, check: Callable[[], Check]) -> Check:
    """What keeps a check from being made fails it, and no other."""
    try:
        return check()
    except TourniquetError as error:
        return Check(name, False, tuple(str(error).splitlines()) or (type(error).__name__,))
    except Exception as error:  # a vendor's odd answer must not keep people from being told of the others
        frame = traceback.extract_tb(error.__traceback__)[-1]
        where = f"{Path(frame.filename).name}:{frame.lineno}"
        return Check(name, False, (f"the check itself broke: {type(error).__name__} in {where}. Report this",))


def _hours(text: str) -> float:
    """A number above 0, of hours or minutes."""
    try:
        value = float(text)
    except ValueError:
        value = 0.0
    if not 0 < value < 100_000:
        raise argparse.ArgumentTypeError(f"{text[:40]!r} is no number above 0")
    return value


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
    dead = any(not item.readiness.authenticated for item in found)
    lacking = any(need.ready is False for item in found for need in item.readiness.needs)
    to_do = (*((_DEAD,) if dead else ()), *((_LACKING,) if lacking else ()))
    return Check("readiness", not problems, tuple(problems), f"{len(found)} credentials asked", to_do)


def _canary(name: str, responder: Responder) -> Check:
    found = pipeline.drill_canary(name, Tier.REVOKE, responder)
    broken = tuple(f"{lane.vendor}: {lane.problem}" for lane in found.lanes if lane.problem)
    times = ", ".join(f"{lane.vendor} {lane.contain:.1f} s" for lane in found.lanes if lane.contain is not None)
    to_do = () if found.works else (_BROKEN,)
    return Check("canary", found.works, (*found.problems, *broken), f"contained after {times}" if times else "", to_do)


def _splunk(options: argparse.Namespace) -> Optional[Splunkd]:
    """Where the result goes, opened before anything is checked: a wrong option is found at once."""
    if not options.splunk_url:
        return None
    return open_splunkd(
        options.splunk_url, options.splunk_token_file, options.splunk_ca, option="--splunk-url",
        file_option="--splunk-token-file",
    )  # fmt: skip


def _told(checks: Sequence[Check], responder: Responder, splunk: Optional[Splunkd], index: str) -> Optional[Check]:
    """The result in the journal, and in the SIEM: by the journal's own mirror, and in Splunk where asked for. None when all
    went well."""
    problems: List[str] = []
    try:
        entries = write_validation(responder, checks)
        if splunk is not None:
            SplunkMirror(splunk, index).tell(entries)
    except JournalError as error:
        return tell_unwritten(responder, checks, error)
    except MirrorError as error:
        problems.append(str(error))
    finally:
        if splunk is not None:
            splunk.close()
    listener = responder.journal.listener
    if listener is not None and not listener.flush():
        problems.append("the SIEM has not taken the result yet: `tourniquet due` tells it later")
    return Check("told", False, tuple(problems)) if problems else None
