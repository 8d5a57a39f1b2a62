"""docs/detections.md, generated from the detections."""

from __future__ import annotations

from typing import List, Sequence

from responders.content.detection import Detection

_FORGED = {"nobody": "nobody", "account_holder": "who holds the account", "outsider": "an outsider"}


def detections_page(detections: Sequence[Detection]) -> str:
    """One table, then one section a detection: how it works, points, real false positives with their remedy."""
    lines = [
        "# Detections",
        "",
        "<!-- Generated from detections/ by `tourniquet detections build`. Do not edit. -->",
        "",
        "Each is one file below `detections/`, with its SPL, its Elastic query and its examples.",
        "`tourniquet detections test` runs the examples, and",
        "`tourniquet detections run --events FILE.jsonl --source okta --json` the bundle over raw vendor events.",
        "",
        "| detection | layer | confidence | at most | who could forge it | ATT&CK |",
        "|---" * 6 + "|",
    ]
    for one in detections:
        attack = ", ".join(one.frameworks.get("attack", ()))
        cells = (
            f"[{one.slug}](#{_anchor(one)})",
            one.layer,
            str(one.confidence),
            one.max_tier,
            _FORGED[one.forgery.by],
            attack,
        )
        lines.append("| " + " | ".join(cells) + " |")
    for one in detections:
        lines += _section(one)
    return "\n".join(lines) + "\n"


def _section(one: Detection) -> List[str]:
    fires = sum(1 for example in one.examples if example.fires)
    return [
        "",
        f"## {one.slug}",
        f"**{one.name}** ({one.version}). {one.description}",
        "",
        one.how_it_works.strip(),
        "",
        f"Points: {one.confidence} to begin with; "
        + "; ".join(f"{points:+d} when {when}" for points, when in one.modifiers)
        + ".",
        f"Evidence could be forged by {_FORGED[one.forgery.by]}: {one.forgery.why.strip()}.",
        f"Examples: {fires} that fire, {len(one.examples) - fires} that stay quiet.",
        "",
        *(f"- False positive: {text.strip()}" for text in one.false_positives),
        *(f"- Reference: {text.strip()}" for text in one.references),
    ]


def _anchor(one: Detection) -> str:
    return one.slug.replace("/", "").lower()
