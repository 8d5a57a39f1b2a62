"""The pages that are generated from the detections."""

from __future__ import annotations

import json
import re
from pathlib import Path

from responders.content.coverage import names
from tests import shipped

DOCS = Path(__file__).resolve().parents[2] / "docs"
DETECTIONS = shipped.detections()


def test_the_navigator_layer_holds_each_technique_with_its_detections() -> None:
    """Every technique that a detection names is in the layer, with as many detections as name it, and is an ATT&CK id."""
    layer = json.loads(shipped.built()["docs/attack_navigator.json"])
    scores = {item["techniqueID"]: item["score"] for item in layer["techniques"]}
    named = [found for one in DETECTIONS for found in one.frameworks["attack"]]
    assert scores == {found: named.count(found) for found in set(named)}
    assert all(re.fullmatch(r"T\d{4}(\.\d{3})?", found) for found in scores)
    assert set(scores) <= set(names()["attack"])


def test_the_coverage_page_says_what_is_not_covered() -> None:
    """A technique without a detection is listed as such and in no matrix."""
    page = shipped.built()["docs/coverage.md"]
    named = {found for one in DETECTIONS for found in one.frameworks["attack"]}
    missing = set(names()["attack"]) - named
    assert missing
    section = page[page.index("## MITRE ATT&CK") : page.index("## MITRE ATLAS")]
    assert all(f"| {found} |" in section for found in named)
    assert not any(f"| {found} |" in section for found in missing)
    assert all(found in section for found in missing)


def test_there_is_a_page_for_each_detection_and_no_other() -> None:
    """A page that no file stands behind any more is an error."""
    there = {str(path.relative_to(DOCS / "detections").with_suffix("")) for path in DOCS.glob("detections/*/*.md")}
    assert there == {one.slug for one in DETECTIONS}, "run `make build`, and remove pages of detections that are gone"


def test_a_page_tells_all_of_its_detection() -> None:
    """Both searches, every point, every false positive, every example and every manual step."""
    for one in DETECTIONS:
        page = shipped.built()[f"docs/detections/{one.slug}.md"]
        flat = " ".join(page.split())
        assert one.splunk in page
        assert one.elastic.query in page
        for text in (*one.not_verified, *one.false_positives, *one.references, *one.logging, *one.wanted, one.forgery.why):
            assert " ".join(text.split()) in flat, one.slug
        assert all(f"| {points:+d} |" in page for points, _ in one.modifiers)
        assert all(example.name in page for example in one.examples)


def test_what_is_not_verified_is_said_in_one_place() -> None:
    """Doubts about the log stand under `not_verified`, which each page shows, and not between other sentences; whoever is
    experimental says why; and each detection cites what its facts are from."""
    for one in DETECTIONS:
        assert not re.search(r"(?i)not verified|unverified|experimental", one.how_it_works), one.slug
        assert one.status != "experimental" or any("experimental" in text for text in one.not_verified), one.slug
        assert "## What is not verified" in shipped.built()[f"docs/detections/{one.slug}.md"]
        assert any(not re.match(r"(MITRE|OWASP|NIST)", text) for text in one.references), one.slug
