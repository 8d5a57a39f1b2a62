"""docs/detections.md, and a page for each detection, generated from its file."""

from __future__ import annotations

from typing import Dict, Iterable, List, Sequence

from responders.content.coverage import FRAMEWORKS, HEADER, names, paragraph
from responders.content.detection import Detection
from responders.content.lag import look_back_seconds
from responders.content.schedule import minutes_between_runs
from responders.content.splunk_conf import filter_name

_FORGED = {"nobody": "nobody", "account_holder": "who holds the account", "outsider": "an outsider"}
_TIERS = {"observe": "observe: watch list only", "restrict": "restrict", "revoke": "revoke"}


def detections_page(detections: Sequence[Detection]) -> str:
    """The table of all."""
    lines = [
        "# Detections",
        "",
        HEADER,
        "",
        *paragraph(
            """Each is one file below `detections/`, with its SPL, its Elastic query and its examples, and has a
            page of its own. [writing_detections.md](writing_detections.md) says how to add, tune, test and ship
            one, [coverage.md](coverage.md) what they cover, [latency.md](latency.md) how soon each raises its
            alert. `tourniquet detections test` runs the examples, `tourniquet detections run --events
            FILE.jsonl --source okta --json` the bundle over raw vendor events."""
        ),
        "| detection | what it finds | layer | confidence | at most | who could forge it | ATT&CK |",
        "|---" * 7 + "|",
    ]
    for one in detections:
        attack = ", ".join(one.frameworks.get("attack", ()))
        link = f"[{one.slug}](detections/{one.slug}.md)"
        cells = (link, one.name, one.layer, str(one.confidence), one.max_tier, _FORGED[one.forgery.by], attack)
        lines.append("| " + " | ".join(cells) + " |")
    return "\n".join(lines) + "\n"


def detection_pages(detections: Sequence[Detection]) -> Dict[str, str]:
    """Path below docs/ to text, a page a detection."""
    return {f"detections/{one.slug}.md": _page(one) for one in detections}


def _page(one: Detection) -> str:
    lines = [f"# {one.name}", "", HEADER, "", _flat(one.description), ""]
    lines += [f"`{one.slug}` · version {one.version} · {one.status} · layer {one.layer} · id {one.id}", ""]
    lines += ["## How it works", _flat(one.how_it_works), ""]
    lines += ["## What is not verified", *_items(_open(one)), ""]
    lines += ["## Whom it contains", f"{_flat(one.identity)} (kind `{one.account_kind}`).", ""]
    lines += _response(one)
    lines += _points(one)
    lines += ["## False positives, and how to tune them", *_items(one.false_positives)]
    lines += [f"- Rows that you never want: the macro `{filter_name(one)}` (Splunk), an exception of the rule (Elastic)."]
    lines += ["", "## What must be logged", *_items(one.logging or ("Nothing beyond the source's ordinary log.",)), ""]
    lines += _clock(one)
    lines += _frameworks(one)
    lines += _examples(one)
    lines += ["## Splunk", "```", one.splunk, "```", "", "## Elastic", "```", one.elastic.query, "```", ""]
    if one.baseline:
        lines += [
            f"## Baseline `{one.baseline.what}`",
            "```",
            one.baseline.splunk,
            "```",
            "```",
            one.baseline.elastic,
            "```",
            "",
        ]
    lines += ["## References", *_items(one.references)]
    return "\n".join(lines) + "\n"


def _response(one: Detection) -> List[str]:
    lines = ["## Response", f"At most {_TIERS[one.max_tier]}, as far as the policy approved beforehand.", ""]
    lines += [f"- `{action}`" for action in one.actions]
    lines += [f"- By hand: {_flat(step)}" for step in one.wanted]
    return [*lines, ""]


def _points(one: Detection) -> List[str]:
    lines = ["## Confidence", "| points | when |", "|---|---|", f"| {one.confidence} | to begin with |"]
    lines += [f"| {points:+d} | {_flat(when)} |" for points, when in one.modifiers]
    return [*lines, "", f"The evidence could be forged by {_FORGED[one.forgery.by]}: {_flat(one.forgery.why)}.", ""]


def _clock(one: Detection) -> List[str]:
    every = minutes_between_runs(one)
    window = f"a window of {one.window_seconds} s of event time" if one.window_seconds else "single events"
    back = look_back_seconds(one)
    when = "each minute" if every == 1 else f"each {every} minutes"
    return ["## When it runs", f"In both SIEMs {when}, over {window}; Elastic looks back {back} s by time of ingest.", ""]


def _frameworks(one: Detection) -> List[str]:
    lines = ["## Frameworks"]
    for key, title in FRAMEWORKS:
        lines += [f"- {title}: {found} {names()[key].get(found, '')}" for found in one.frameworks.get(key, ())]
    lines += [f"- ATT&CK 19: {found}" for found in one.frameworks.get("attack_v19", ())]
    return [*lines, ""]


def _examples(one: Detection) -> List[str]:
    lines = ["## Examples", "Both engines run each, as it is and with everybody renamed and every time shifted.", ""]
    lines += ["| example | gives | events |", "|---|---|---|"]
    for example in one.examples:
        gives = ", ".join(f"`{account}`" for account in example.fires) or f"nothing: {_flat(example.why)}"
        origin = f" (real: {_flat(example.real)})" if example.real else ""
        lines.append(f"| {example.name}{origin} | {gives} | {len(example.events)} |")
    return [*lines, ""]


def _open(one: Detection) -> List[str]:
    """What nobody has seen: facts that the file names, and whether any event of its examples was real."""
    real = sum(bool(example.real) for example in one.examples)
    if one.correlation:
        events = "Its examples are synthetic: signals of the detections that it joins, and events as those have them."
    elif real:
        events = f"{real} of its {len(one.examples)} examples hold real or recorded events, the others are synthetic."
    else:
        events = "No real event was at hand: every example is synthetic, after the references below."
    return [*one.not_verified, events]


def _items(texts: Iterable[str]) -> List[str]:
    return [f"- {_flat(text)}" for text in texts]


def _flat(text: str) -> str:
    return " ".join(text.split())
