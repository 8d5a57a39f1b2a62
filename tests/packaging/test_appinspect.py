"""Splunk AppInspect on the built package, and that it would find something."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from tests.packaging.splunk import NAME, script

appinspect = script("appinspect")
SUMMARY = {"error": 0, "failure": 0, "future_failure": 0, "success": 3, "warning": 0}


@pytest.mark.engine("appinspect")
def test_the_package_is_sound(package: Path) -> None:
    """precert with the tags cloud, private_victoria and aarch64_compatibility: nothing fails, no unlisted warning."""
    inspection = appinspect.inspect(package)
    assert appinspect.judge(inspection, appinspect.read_allowed()) == []
    assert [inspection.summary[what] for what in ("failure", "error", "future_failure")] == [0, 0, 0]
    assert inspection.summary["success"] > 50


@pytest.mark.engine("appinspect")
def test_a_defect_is_found(app: Path, tmp_path: Path) -> None:
    """Seeded: an executable conf file, a stanza that is splunkd's own, and a program outside the app. Each is a failure."""
    broken = tmp_path / NAME
    shutil.copytree(app, broken)
    (broken / "default" / "inputs.conf").write_text("[script:///usr/bin/id]\ndisabled = 0\n")
    (broken / "default" / "outputs.conf").write_text("[tcpout]\ndefaultGroup = elsewhere\n")
    packed = tmp_path / "broken.spl"
    script("archive").write_archive(broken, packed, NAME, lambda name: name.endswith("macros.conf"))
    wrong = "\n".join(appinspect.judge(appinspect.inspect(packed), appinspect.read_allowed()))
    assert "failure: check_for_bin_files: This file has execute permissions" in wrong
    assert "failure: check_if_outputs_conf_exists" in wrong
    assert "failure: check_scripted_inputs_cmd_path_pattern" in wrong


def report(result: str, message: str, tags: list[str]) -> dict:
    check = {"name": "check_x", "result": result, "tags": tags, "messages": [{"result": result, "message": message}]}
    return {"summary": SUMMARY, "reports": [{"groups": [{"checks": [check]}]}]}


def test_a_tag_of_which_nothing_ran_is_no_success() -> None:
    """A misspelt tag, or one that AppInspect drops, would find nothing: that is said."""
    with pytest.raises(appinspect.NotRun, match="aarch64_compatibility"):
        appinspect.read_report(report("success", "", ["cloud", "private_victoria"]))


@pytest.mark.parametrize("result", ["failure", "error", "future_failure", "warning"])
def test_what_is_not_allowed_is_wrong(result: str) -> None:
    """Each fatal result, and a warning without an entry; an entry allows a warning, never a failure."""
    inspection = appinspect.read_report(report(result, "odd \n thing", list(appinspect.TAGS)))
    assert appinspect.judge(inspection, []) == [f"{result}: check_x: odd thing"]
    allowed = [appinspect.Allowance("check_x", "odd thing", "it is not")]
    assert (appinspect.judge(inspection, allowed) == []) is (result == "warning")


def test_an_allowance_that_matches_nothing_is_wrong() -> None:
    """The list shrinks when a warning goes away."""
    inspection = appinspect.read_report(report("success", "", list(appinspect.TAGS)))
    assert "matches nothing any more" in appinspect.judge(inspection, [appinspect.Allowance("check_y", "z", "why")])[0]


def test_every_allowance_has_a_reason() -> None:
    """Each entry of the list says why, in a sentence."""
    assert all(len(allowance.reason.split()) >= 5 for allowance in appinspect.read_allowed())


def test_what_is_not_installed_is_missing(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """An empty cache is named with its remedy; the engine rule of the tests turns that into a failure in CI."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    assert "--install" in appinspect.missing()
    with pytest.raises(appinspect.NotRun):
        appinspect.inspect(tmp_path / "any.spl")
