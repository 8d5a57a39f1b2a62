"""The attacks on OpenBao that the Vault detections' examples are recorded from, played anew."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, Dict, List, Tuple

import pytest
import yaml

from responders.content.detection import Detection
from responders.content.run import run_detections
from responders.drill import openbao
from responders.drill.record_vault import SCENES, record
from tests import shipped

_FOLDER = Path(__file__).resolve().parents[2] / "detections" / "vault"

pytestmark = pytest.mark.skipif(openbao.program() is None, reason="no `bao` program")


def _recorded() -> List[Tuple[str, str, bool]]:
    """(detection, scene, whether it fires) of every example that is one recorded scene."""
    found = []
    for path in sorted(_FOLDER.glob("*.yaml")):
        for example in yaml.safe_load(path.read_text(encoding="utf-8"))["examples"]:
            files = [entry["file"] for entry in example["events"] if "file" in entry]
            if files:
                found.extend((f"vault/{path.stem}", Path(file).stem, "fires" in example) for file in files)
    return found


@pytest.fixture(scope="module")
def anew(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with every scene recorded just now."""
    folder = tmp_path_factory.mktemp("vault")
    counts = record(folder)
    assert all(counts.values()), counts
    return folder


@pytest.fixture(scope="module")
def detections() -> Dict[str, Detection]:
    """Vault's detections by slug."""
    return {detection.slug: detection for detection in shipped.detections() if detection.source == "vault"}


@pytest.mark.parametrize(("slug", "scene", "fires"), _recorded())
def test_a_new_recording_gives_what_the_example_says(
    anew: Path, detections: Dict[str, Detection], slug: str, scene: str, fires: bool
) -> None:
    """Nothing hangs on the ids and times of the recording that is committed: a new one fires, or stays quiet, alike."""
    records: List[Any] = json.loads((anew / f"{scene}.json").read_text(encoding="utf-8"))
    assert bool(run_detections([detections[slug]], [("vault", item) for item in records])) == fires


def test_every_scene_is_an_example() -> None:
    """No scene is recorded for nothing, and none is missing."""
    assert {scene for _, scene, _ in _recorded()} == {scene.__name__ for scene in SCENES}


def test_no_token_is_in_a_record(anew: Path) -> None:
    """Tokens are HMACs in the audit log: none stands there as it is."""
    for path in anew.glob("*.json"):
        assert '"s.' not in path.read_text(encoding="utf-8"), path.name
