"""Analytic stories: every detection is told in one, with the keys that Splunk's contentctl writes."""

from __future__ import annotations

import configparser
import json

from responders.content.splunk_stories import STORIES, analyticstories
from tests import shipped

DETECTIONS = shipped.detections()
# contentctl, templates/analyticstories_stories.j2 and analyticstories_detections.j2.
STORY = {
    "category", "last_updated", "version", "references", "maintainers", "spec_version", "searches", "description",
    "narrative",
}  # fmt: skip
SEARCH = {
    "type", "asset_type", "confidence", "explanation", "how_to_implement", "annotations", "known_false_positives",
    "providing_technologies",
}  # fmt: skip


def stories() -> configparser.RawConfigParser:
    parser = configparser.RawConfigParser(delimiters=("=",), comment_prefixes=("#",), strict=True, interpolation=None)
    parser.read_string(analyticstories(DETECTIONS))
    return parser


def test_every_detection_is_in_one_story_and_described() -> None:
    """A detection of a new source needs a story first; each has its search's stanza, and no other search is named."""
    conf = stories()
    named = [name for s in conf.sections() if s.startswith("analytic_story://") for name in json.loads(conf[s]["searches"])]
    assert sorted(named) == sorted(f"Tourniquet - {one.name}" for one in DETECTIONS)
    assert {s for s in conf.sections() if s.startswith("savedsearch://")} == {f"savedsearch://{name}" for name in named}
    assert {one.source for one in DETECTIONS} == set(STORIES)


def test_keys_and_values_are_those_that_enterprise_security_reads() -> None:
    """No key is unknown or missing; lists are JSON, and every text is one line."""
    conf = stories()
    for section in conf.sections():
        about = conf[section]
        assert set(about) == (STORY if section.startswith("analytic_story://") else SEARCH), section
        for key in ("references", "maintainers", "searches", "annotations", "providing_technologies"):
            json.loads(about.get(key, "[]"))
        assert all(value.strip() and "\n" not in value for value in about.values()), section
