"""What is shipped around the service: the Workflow, the unit, the container's lock."""

from __future__ import annotations

import configparser
import re
import shutil
import subprocess
from pathlib import Path

import pytest
import yaml

from responders.surfaces.service.config import LONGEST_STOP
from responders.surfaces.service.rows import APPROVE

ROOT = Path(__file__).resolve().parents[2]
UNIT = ROOT / "packaging" / "systemd" / "tourniquet.service"


def test_the_workflow_sets_the_tag_that_the_service_looks_for_and_holds_no_secret() -> None:
    """It never ran in a Kibana, and says so."""
    text = (ROOT / "elastic_rules" / "workflows" / "contain_identity.yaml").read_text("utf-8")
    workflow = yaml.safe_load(text)
    [loop] = workflow["steps"]
    [step] = loop["steps"]
    assert workflow["triggers"] == [{"type": "alert"}]
    assert step["type"] == "kibana.SetAlertTags"
    assert step["with"]["tags"] == {"tags_to_add": [APPROVE], "tags_to_remove": []}
    assert "UNTESTED" in text
    assert "Authorization" not in text


def test_the_unit_gives_a_stop_the_time_it_takes_and_no_right_it_does_not_need() -> None:
    """systemd finds nothing wrong with it, where there is one to ask."""
    text = UNIT.read_text("utf-8")
    assert int(re.findall(r"TimeoutStopSec=(\d+)", text)[0]) >= LONGEST_STOP + 20
    for needed in ("NoNewPrivileges=yes", "CapabilityBoundingSet=\n", "ProtectSystem=strict", "UMask=0077"):
        assert needed in text


def test_a_check_that_finds_something_wrong_keeps_the_unit_from_nothing() -> None:
    """One vendor that is down, or Kibana, when the service is started anew: all others must be contained all the same."""
    text = UNIT.read_text("utf-8")
    assert re.findall(r"^ExecStartPre=(.*)", text, re.MULTILINE) == ["-/opt/tourniquet/bin/tourniquet serve --check"]
    assert "Restart=always" in text
    assert "StartLimitIntervalSec=0" in text.partition("[Service]")[0]


@pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="no systemd here")
def test_systemd_finds_nothing_wrong_with_the_units(tmp_path: Path) -> None:
    """All units that ship: the service, the validation and its timer, and whatever stands beside them."""
    names = [unit.name for unit in sorted(UNIT.parent.iterdir())]
    assert {"tourniquet-validate.service", "tourniquet-validate.timer", "tourniquet.service"} <= set(names)
    for unit in UNIT.parent.iterdir():
        (tmp_path / unit.name).write_text(re.sub("/opt/tourniquet/bin/tourniquet", "/bin/true", unit.read_text("utf-8")))
    verify = ["systemd-analyze", "verify", *(str(tmp_path / name) for name in names)]
    done = subprocess.run(verify, capture_output=True, text=True, check=False, timeout=60)
    assert [line for line in done.stderr.splitlines() if "tourniquet" in line] == []


def test_the_container_installs_every_library_of_the_service_by_its_lock() -> None:
    setup = configparser.ConfigParser()
    setup.read(ROOT / "setup.cfg")
    wanted = setup["options"]["install_requires"].split() + setup["options.extras_require"]["serve"].split()
    lock = (ROOT / "packaging" / "locks" / "serve.txt").read_text("utf-8")
    locked = set(re.findall(r"^([a-z0-9.-]+)==", lock, re.MULTILINE))
    assert {re.split(r"[<>=]", name)[0].lower() for name in wanted} - locked == set()
    container = (ROOT / "packaging" / "container" / "Containerfile").read_text("utf-8")
    assert "ARG LOCK=serve" in container
    assert "--require-hashes -r packaging/locks/${LOCK}.txt" in container
    assert re.search(r"^USER \d+$", container, re.MULTILINE)
