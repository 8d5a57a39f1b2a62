"""No conf file of the app has a key that Splunk's specification does not know: Splunk takes a misspelt one silently."""

from __future__ import annotations

import configparser
import re
from pathlib import Path
from typing import Dict, Mapping

import pytest

from tests.packaging.splunk import ROOT

APP = ROOT / "splunk_app"
# Keys as Splunk's own etc/system/README/NAME.conf.spec has them (9.0.3), as a regex of the whole key, by a regex of the
# stanza. Only what this app uses: a new key is looked up first.
SPECS: Mapping[str, Mapping[str, str]] = {
    "app": {
        "install": "is_configured|build|state", "package": "id|check_for_updates",
        "ui": "is_visible|label|setup_view|show_in_nav", "launcher": "author|description|version", "id": "name|version",
        "triggers": r"reload\.\w+",
    },
    "collections": {r"tourniquet_\w+": r"replicate|enforceTypes|field\.\w+|accelerated_fields\.\w+"},
    "transforms": {r"tourniquet_\w+": "external_type|collection|fields_list|case_sensitive_match|filename"},
    "macros": {r"tourniquet_\w+(\(\d\))?": "args|definition|iseval"},
    "props": {
        r"tourniquet:\w+":
            r"SHOULD_LINEMERGE|LINE_BREAKER|TIME_PREFIX|MAX_TIMESTAMP_LOOKAHEAD|TRUNCATE|KV_MODE|EVAL-[a-z_]+",
    },
    "eventtypes": {r"tourniquet_\w+": "search|description|priority|disabled|color"},
    "tags": {r"eventtype=tourniquet_\w+": r"\w+"},
}  # fmt: skip


def read(path: Path) -> Dict[str, Dict[str, str]]:
    parser = configparser.RawConfigParser(delimiters=("=",), comment_prefixes=("#",), strict=True, interpolation=None)
    parser.optionxform = str  # type: ignore[assignment,method-assign]
    parser.read_string(path.read_text(encoding="utf-8"))
    return {section: dict(parser[section]) for section in parser.sections()}


@pytest.mark.parametrize("name", SPECS)
def test_no_key_is_unknown(name: str) -> None:
    """Each stanza and key is in the specification; no value ends in a backslash, which would swallow the next line."""
    stanzas = read(APP / "default" / f"{name}.conf")
    assert stanzas
    for stanza, settings in stanzas.items():
        (keys,) = [keys for pattern, keys in SPECS[name].items() if re.fullmatch(pattern, stanza)] or [None]
        assert keys, f"{name}.conf [{stanza}]"
        for key, value in settings.items():
            assert re.fullmatch(keys, key), f"{name}.conf [{stanza}] {key}"
            assert value == value.strip()
            assert value
            assert not value.endswith("\\")


def test_what_searches_elsewhere_need_is_exported() -> None:
    """Tags, event types, fields and lookups of the app work in Enterprise Security's searches, too."""
    meta = (APP / "metadata" / "default.meta").read_text(encoding="utf-8")
    exported = set(re.findall(r"^\[(\w+)\]\n(?:\w+ = .*\n)*?export = system$", meta, re.MULTILINE))
    assert {"macros", "transforms", "lookups", "props", "eventtypes", "tags", "savedsearches", "analyticstories"} <= exported


def test_a_list_that_a_lookup_reads_ships() -> None:
    """Each file behind a lookup is in lookups/, with its header first."""
    for name, settings in read(APP / "default" / "transforms.conf").items():
        if "filename" in settings:
            text = (APP / "lookups" / settings["filename"]).read_text(encoding="utf-8")
            assert re.match(r"[a-z_]+(,[a-z_]+)+\n", text), name
