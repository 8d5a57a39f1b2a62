"""What starts inventory sync, canary drill and validation by itself: units, cron, Kubernetes. Every command line is ours."""

from __future__ import annotations

import argparse
import importlib
import re
import shlex
import shutil
import subprocess
from pathlib import Path
from typing import Any, Dict, Iterator, List, Tuple

import pytest
import yaml

PACKAGING = Path(__file__).resolve().parents[2] / "packaging"
SYSTEMD = PACKAGING / "systemd"
PROGRAM = "/opt/tourniquet/bin/tourniquet"
JOBS = ("tourniquet-inventory.service", "tourniquet-canary@.service", "tourniquet-validate.service")


def parsed(words: List[str]) -> argparse.Namespace:
    """What our own parser makes of a command line. Exits where it takes offence."""
    module = importlib.import_module(f"responders.surfaces.command_line.{words[0]}")
    parser = argparse.ArgumentParser()
    module.add(parser)
    return parser.parse_args(words[1:])


def unit_lines(path: Path) -> Iterator[str]:
    """Command lines of a unit, those that stand there as a comment too."""
    yield from re.findall(rf"^#?Exec\w+=-?{re.escape(PROGRAM)} (.*)$", path.read_text("utf-8"), re.MULTILINE)


def cron_lines() -> Iterator[str]:
    for line in (PACKAGING / "cron" / "tourniquet").read_text("utf-8").splitlines():
        if PROGRAM in line:
            yield line.partition(f"{PROGRAM} ")[2].partition(" >>")[0]


def pods() -> Iterator[Tuple[str, Dict[str, Any]]]:
    for document in yaml.safe_load_all((PACKAGING / "container" / "kubernetes.yaml").read_text("utf-8")):
        if document["kind"] == "CronJob":
            yield document["metadata"]["name"], document["spec"]["jobTemplate"]["spec"]["template"]["spec"]


def containers(pod: Dict[str, Any]) -> List[Dict[str, Any]]:
    return [*pod.get("initContainers", ()), *pod["containers"]]


def test_every_command_line_is_one_that_the_program_takes() -> None:
    """Of every unit, of cron and of every pod."""
    lines = [line for path in sorted(SYSTEMD.glob("*.service")) for line in unit_lines(path)]
    words = [shlex.split(line.replace("%i", "canary-1")) for line in (*lines, *cron_lines())]
    words += [container["args"] for _, pod in pods() for container in containers(pod)]
    assert len(words) >= 15
    for one in words:
        parsed(one)
    begun = {" ".join(one[:2]) for one in words}
    assert {"inventory sync", "readiness --canary", "validate --json", "elastic inventory", "splunk inventory"} <= begun


def test_each_way_runs_all_three_and_asks_validation_for_the_same() -> None:
    """systemd, cron and Kubernetes: an inventory, a drill, and a validation that finds both too old."""
    systemd = [line for name in JOBS for line in unit_lines(SYSTEMD / name)]
    ways = [systemd, list(cron_lines()), [" ".join(c["args"]) for _, pod in pods() for c in containers(pod)]]
    for lines in ways:
        assert any(line.startswith("inventory sync") for line in lines)
        assert any(line.startswith("readiness --canary") for line in lines)
        [validate] = [line for line in lines if line.startswith("validate")]
        options = parsed(shlex.split(validate))
        assert (options.inventory_hours, options.canary_hours, options.repair) == (3.0, 49.0, False)


def test_a_unit_of_the_schedule_may_no_more_than_the_service() -> None:
    """Every restriction of tourniquet.service, the same user; and none runs for ever."""

    def limits(name: str) -> List[str]:
        text = (SYSTEMD / name).read_text("utf-8").partition("NoNewPrivileges")
        lines = f"{text[1]}{text[2]}".partition("\n\n")[0].splitlines()
        return [line for line in lines if not line.startswith(("MemoryMax=", "#"))]

    for name in JOBS:
        text = (SYSTEMD / name).read_text("utf-8")
        assert limits(name) == limits("tourniquet.service"), name
        for needed in (
            "User=tourniquet\n",
            "Type=oneshot\n",
            "UMask=0077\n",
            "StateDirectoryMode=0700\n",
            "TimeoutStartSec=",
        ):
            assert needed in text


def test_every_timer_starts_a_service_that_ships() -> None:
    """Of the same name; one that was missed while the machine slept is caught up with."""
    timers = sorted(SYSTEMD.glob("*.timer"))
    assert [timer.stem for timer in timers] == sorted(Path(name).stem for name in JOBS)
    for timer in timers:
        text = timer.read_text("utf-8")
        assert timer.with_suffix(".service").is_file()
        assert "Persistent=yes" in text or "OnBootSec=" in text
        assert "WantedBy=timers.target" in text


@pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="no systemd here")
def test_systemd_reads_the_calendars_and_the_instance(tmp_path: Path) -> None:
    """The times are times, and a canary's timer starts the drill of that canary."""
    for timer in SYSTEMD.glob("*.timer"):
        for calendar in re.findall(r"^OnCalendar=(.*)$", timer.read_text("utf-8"), re.MULTILINE):
            subprocess.run(["systemd-analyze", "calendar", calendar], check=True, capture_output=True, timeout=30)
    for name in ("tourniquet-canary@.service", "tourniquet-canary@.timer"):
        text = (SYSTEMD / name).read_text("utf-8").replace(PROGRAM, "/bin/true")
        (tmp_path / name.replace("@", "@canary-1")).write_text(text)
    verify = ["systemd-analyze", "verify", *map(str, tmp_path.iterdir())]
    done = subprocess.run(verify, capture_output=True, text=True, check=False, timeout=60)
    assert [line for line in done.stderr.splitlines() if "tourniquet" in line] == []


def test_a_pod_may_nothing_but_its_volume() -> None:
    """No root, no capability, no token of the cluster, one at a time, no second try; memory is bounded."""
    text = (PACKAGING / "container" / "kubernetes.yaml").read_text("utf-8")
    assert text.count("concurrencyPolicy: Forbid") == text.count("backoffLimit: 0") == text.count("kind: CronJob") == 3
    assert "UNTESTED" in text
    for name, pod in pods():
        assert pod["securityContext"]["runAsNonRoot"] is True, name
        assert pod["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
        assert pod["automountServiceAccountToken"] is False
        for container in containers(pod):
            security = container["securityContext"]
            assert (security["allowPrivilegeEscalation"], security["readOnlyRootFilesystem"]) == (False, True)
            assert security["capabilities"] == {"drop": ["ALL"]}
            assert "memory" in container["resources"]["limits"]


def test_the_jobs_image_holds_what_a_sync_needs() -> None:
    """Its lock is the service's with Okta's library, every one by its hash."""
    locks = PACKAGING / "locks"
    names = {
        name: set(re.findall(r"^([a-z0-9.-]+)==", (locks / f"{name}.txt").read_text("utf-8"), re.MULTILINE))
        for name in ("serve", "jobs")
    }
    assert "okta" in names["jobs"] - names["serve"] and names["serve"] <= names["jobs"]
    assert "--require-hashes -r packaging/locks/${LOCK}.txt" in (PACKAGING / "container" / "Containerfile").read_text(
        "utf-8"
    )
