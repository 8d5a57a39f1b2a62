"""What a backtest prints."""

from __future__ import annotations

from typing import Iterable, List, Sequence

from rich.text import Text

from responders.backtest.replay import ASSUMED
from responders.backtest.result import Result, as_json
from responders.backtest.summary import Summary
from responders.escalation.words import clean
from responders.surfaces.command_line import show

_MOST = 20
"""Lines of one list; --json and --html have all of them."""


def print_result(result: Result, wrote: Sequence[str], *, json_wanted: bool) -> None:
    """The result for people, or as one JSON object."""
    if json_wanted:
        show.as_json({**as_json(result), "wrote": list(wrote)})
        return
    last = result.last
    _say(f"{last.judged} alerts from {result.begin:%Y-%m-%d %H:%M}Z to {result.end:%Y-%m-%d %H:%M}Z, {result.seconds:.1f} s")
    _say(
        f"  {result.total} rows: {last.judged} judged, {last.repeated} repeated, {result.early} older than asked for, "
        f"{len(result.bad)} can't be read"
    )
    for bad in result.bad[:_MOST]:
        _say(f"  ! {bad.place}: {bad.why}", "yellow")
    _more(len(result.bad), "more rows that can't be read")
    columns = [result.as_is] + ([result.proposed] if result.proposed else [])
    names = ["as it is"] + (["proposed"] if result.proposed else [])
    found = show.table("", *(f"{name} ({clean(s.policy)[:40]})" for name, s in zip(names, columns)))
    for name, values in _figures(columns, result.any_closed):
        found.add_row(*show.texts(name, *values))
    show.OUT.print(found)
    if not result.any_closed:
        _say("No alert says as what it was closed, so whether they were right is not known", "yellow")
    _guards(last)
    _lists(result)
    _say("Not judged, for no vendor and no person was asked:")
    for guard, text in ASSUMED:
        _say(f"  {guard}: {text}", "bright_black")
    for path in wrote:
        _say(f"wrote {path}")


def _figures(columns: Sequence[Summary], closed: bool) -> Sequence[tuple[str, List[str]]]:
    def by_closing(values: Iterable[int]) -> List[str]:
        return [str(value) if closed else "not known" for value in values]

    return [
        ("identities contained", [str(s.identities) for s in columns]),
        ("containments: revoked", [str(s.revoked) for s in columns]),
        ("containments: restricted", [str(s.restricted) for s in columns]),
        ("contained wrongly, as the alerts were closed", by_closing(len(s.wrong) for s in columns)),
        ("contained, closed as true positive", by_closing(s.proved for s in columns)),
        ("closed as both: a person should look", by_closing(s.disputed for s in columns)),
        ("missed: closed as true positive, not contained", by_closing(len(s.missed) for s in columns)),
        ("dependents that lost a service at revoke", [str(sum(bool(h.revoked) for h in s.dependents)) for s in columns]),
        ("storms: hours in which the blast radius held back", [str(len(s.storms)) for s in columns]),
        ("alerts that meant nobody for certain", [str(s.nobody) for s in columns]),
        ("containments of unmapped accounts", [str(s.unmapped) for s in columns]),
    ]


def _guards(last: Summary) -> None:
    if last.guards:
        found = show.table("guard", "alerts held back", "identities")
        for item in last.guards:
            found.add_row(*show.texts(item.guard, str(item.alerts), str(item.identities)))
        show.OUT.print(found)


def _lists(result: Result) -> None:
    last = result.last
    if result.proposed:
        _say(f"{len(result.changes)} identities would reach another tier than as it is; how often, the table above says")
        counted = show.table("from → to", "identities", "for it: closed so", "against it: closed so")
        for shift in result.shifts:
            way = f"{shift.before.label} → {shift.after.label}"
            counted.add_row(*show.texts(way, str(shift.identities), str(shift.better), str(shift.worse)))
        if result.shifts:
            show.OUT.print(counted)
        for change in result.changes[:_MOST]:
            closed = f" (closed as {change.closed})" if change.closed else ""
            style = "red" if change.worse else "green" if change.better else ""
            _say(f"  {change.identity}: {change.before.label} → {change.after.label} at {change.confidence}{closed}", style)
        _more(len(result.changes), "more")
        _say("The proposed policy by itself:")
    for item in last.wrong[:_MOST]:
        why = f"{item.detection} at {item.confidence}, closed as {item.closed_by}"
        _say(f"  ✗ wrongly {item.tier.label}: {item.identity.id} at {item.raised:%Y-%m-%d %H:%M}Z, {why}", "red")
    _more(len(last.wrong), "more contained wrongly")
    lost = [hit for hit in last.dependents if hit.revoked]
    for hit in lost[:_MOST]:
        _say(f"  ! {hit.dependent} would have lost {', '.join(hit.revoked[:5])}", "yellow")
    _more(len(lost), "more dependents that would have lost a service")
    for storm in last.storms[:_MOST]:
        loud = ", ".join(f"{name} {count}" for name, count in storm.detections)
        _say(
            f"  ! storm from {storm.begin:%Y-%m-%d %H:%M}Z to {storm.end:%Y-%m-%d %H:%M}Z: {storm.contained} contained, "
            f"{storm.held} alerts on {storm.identities} identities held back; {loud}", "yellow",
        )  # fmt: skip
    _more(len(last.storms), "more storms")


def _say(text: str, style: str = "") -> None:
    show.OUT.print(Text(clean(text), style=style))


def _more(count: int, what: str) -> None:
    if count > _MOST:
        _say(f"  … {count - _MOST} {what}: --json lists them")
