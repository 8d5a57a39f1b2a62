"""docs/writing_detections.md: its whole file and its steps work, as a reader would try them."""

from __future__ import annotations

import json
import re
import shutil
from pathlib import Path

import pytest

from responders.content.build import build
from responders.content.check import checked
from responders.content.detection import Detection
from responders.content.elastic import ElasticRun, try_elastic
from responders.content.loader import ROOT
from responders.content.trial import try_examples
from responders.errors import BadInputs
from responders.surfaces.command_line.detections import add
from responders.surfaces.command_line.main import main

PAGE = (ROOT.parent / "docs" / "writing_detections.md").read_text(encoding="utf-8")
SLUG = "aws/config_recorder_stopped"


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of detections/ with the macros, a few files, and the page's file where the page says."""
    root = tmp_path_factory.mktemp("scratch") / "detections"
    (root / "aws").mkdir(parents=True)
    for name in ("macros.yaml", "macros_elastic.yaml", "usage.yaml", "versions.lock.json", "aws/trail_stopped.yaml"):
        shutil.copy(ROOT / name, root / name)
    section = PAGE[PAGE.index("## A whole file") :]
    name = re.search(r"`detections/([a-z_/]+)\.yaml`", section)
    assert name is not None and name[1] == SLUG
    (root / f"{SLUG}.yaml").write_text(section.split("```yaml\n")[1].split("```")[0], encoding="utf-8")
    return root


def mine(root: Path) -> Detection:
    return next(one for one in checked(root) if one.slug == SLUG)


def test_the_whole_file_is_sound_and_its_examples_hold(root: Path) -> None:
    """`check` has nothing to say, and every example gives what it declares, renamed and shifted too."""
    trials = [trial for renamed in (False, True) for trial in try_examples([mine(root)], renamed=renamed)]
    assert len(trials) == 8
    assert [trial.difference for trial in trials if trial.difference] == []


@pytest.mark.engine("elasticsearch")
def test_the_whole_file_holds_on_elastic(root: Path, elasticsearch_url: str) -> None:
    """Step 5 with a test server."""
    with ElasticRun(elasticsearch_url, [mine(root)]) as run:
        assert [trial.difference for trial in try_elastic(run, mine(root)) if trial.difference] == []


def test_build_ships_it_to_both(root: Path) -> None:
    """Step 6: a search for Splunk, a rule for Elastic, an entry for the responder, a page, and the lock."""
    files = build(root)
    one = mine(root)
    assert f"[Tourniquet - {one.name}]" in files["splunk_app/default/savedsearches.conf"]
    assert one.id in {json.loads(line)["rule_id"] for line in files["elastic_rules/rules.ndjson"].splitlines()}
    assert SLUG in json.loads(files["responders/alerts/catalogue.json"])["detections"]
    assert one.name in files[f"docs/detections/{SLUG}.md"]
    assert one.id in json.loads(files["detections/versions.lock.json"])["detections"]


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("status: experimental", "stauts: experimental", "did you mean status"),
        ("${emit}", "${emitt}", "define it"),
        ("(near miss)", "", "near miss"),
        ("okta.clear_sessions", "okta.clear_session", "docs/actions.md"),
        ('tourniquet_emit("aws/config_recorder_stopped", ', 'tourniquet_emit("aws/trail_stopped", ', "end it in"),
    ],
)
def test_a_slip_of_the_reader_is_named(root: Path, old: str, new: str, said: str) -> None:
    """Step 2: file, line and remedy."""
    path = root / f"{SLUG}.yaml"
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new), encoding="utf-8")
    try:
        with pytest.raises(BadInputs, match=re.escape(said)) as caught:
            checked(root)
    finally:
        path.write_text(text, encoding="utf-8")
    assert all(re.match(r"detections/aws/config_recorder_stopped\.yaml:\d+$", error.place) for error in caught.value.errors)


def test_every_command_of_the_page_is_one(capsys: pytest.CaptureFixture[str]) -> None:
    """`tourniquet detections WHAT` of the page is a choice of the command."""
    import argparse

    parser = argparse.ArgumentParser()
    add(parser)
    choices = next(action.choices for action in parser._actions if action.dest == "what")
    named = set(re.findall(r"`tourniquet detections ([a-z]+)", PAGE))
    assert {"check", "test", "bump", "run"} <= named <= set(choices or ())
    assert main(["detections", "list", "--only", "aws/trail_stopped", "--json"]) == 0
    assert "aws/trail_stopped" in capsys.readouterr().out
