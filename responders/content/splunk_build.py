"""Every generated file of the Splunk app."""

from __future__ import annotations

from typing import Dict, Mapping, Sequence

from responders.content.detection import Detection
from responders.content.log_settings import log_settings_page, log_settings_view
from responders.content.spl import Macro
from responders.content.splunk_conf import detection_list, macros_conf, savedsearches
from responders.content.splunk_journal import JOURNAL_MACROS
from responders.content.splunk_sources import needs, shipped, source_list, sources_json
from responders.content.splunk_stores import FILES, collections, transforms
from responders.content.splunk_stories import analyticstories
from responders.content.splunk_upkeep import baseline_list

_DEFAULT = "splunk_app/default"


def splunk_files(detections: Sequence[Detection], macros: Mapping[str, Macro]) -> Dict[str, str]:
    """Path below the project to content."""
    needed, ships = needs(detections, macros), shipped(macros)
    return {
        f"{_DEFAULT}/savedsearches.conf": savedsearches(detections, needed),
        f"{_DEFAULT}/macros.conf": macros_conf(detections, {**ships, **JOURNAL_MACROS}),
        f"{_DEFAULT}/transforms.conf": transforms(),
        f"{_DEFAULT}/collections.conf": collections(),
        f"{_DEFAULT}/analyticstories.conf": analyticstories(detections),
        f"{_DEFAULT}/data/ui/views/logging.xml": log_settings_view(detections),
        "docs/log_settings.md": log_settings_page(detections),
        f"splunk_app/lookups/{FILES['tourniquet_source_list']}": source_list(needed),
        f"splunk_app/lookups/{FILES['tourniquet_detection_list']}": detection_list(detections),
        f"splunk_app/lookups/{FILES['tourniquet_baseline_list']}": baseline_list(detections),
        "splunk_app/appserver/static/sources.json": sources_json(needed, ships),
    }
