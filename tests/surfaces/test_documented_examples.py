"""What the pages show works as it stands there."""

from __future__ import annotations

import json
import re
from datetime import datetime, timezone
from pathlib import Path
from typing import List

import pytest

from responders.alerts.row import alert_from_row
from responders.errors import BadInputs
from responders.inventory.files import read_inventory
from responders.policy.from_yaml import run_cases
from responders.settings import load_settings
from responders.surfaces.assemble import read_catalogue, read_policy

DOCS = Path(__file__).resolve().parents[2] / "docs"


def blocks(page: str, language: str) -> List[str]:
    found = re.findall(rf"```{language}\n(.*?)```", (DOCS / page).read_text(encoding="utf-8"), re.DOTALL)
    assert found
    return [str(block) for block in found]


def test_the_inventory_in_csv_and_in_yaml_is_sound() -> None:
    """Both examples are read without an error, and name the same people and services."""
    [csv_text], [yaml_text] = blocks("inventory.md", "csv"), blocks("inventory.md", "yaml")
    one, other = read_inventory(csv_text, "people.csv"), read_inventory(yaml_text, "people.yaml")
    assert [who.id for who in one.identities] == [who.id for who in other.identities] == ["alice", "billing-api"]


def test_the_case_holds() -> None:
    """The example of a policy's cases holds with the default policy."""
    [text] = blocks("policy.md", "yaml")
    assert [difference for _, difference in run_cases(text, "cases.yaml", read_policy(""))] == [""]


def test_the_alert_is_one() -> None:
    """The example of an alert is read whole."""
    [text] = blocks("command_line.md", "json")
    now = datetime(2026, 11, 25, 22, tzinfo=timezone.utc)
    assert alert_from_row(json.loads(text), read_catalogue(), now).confidence == 95


def test_the_settings_lack_only_files_and_secrets(tmp_path: Path) -> None:
    """Every key of the example is known: all that is missing on another machine are secrets and certificates."""
    [text] = blocks("settings.md", "json")
    path = tmp_path / "settings.json"
    path.write_text(text)
    with pytest.raises(BadInputs) as caught:
        load_settings(str(path))
    assert caught.value.errors
    for error in caught.value.errors:
        assert re.search(r"No such file|the environment has no|is no file", str(error)), error
