"""A detection that changes raises its version, and a broken file says all that is wrong with it, with places."""

from __future__ import annotations

import json
import re
import shutil
from pathlib import Path
from typing import Callable, List

import pytest

from responders.content.build import build
from responders.content.check import checked
from responders.content.loader import ROOT, load_detections
from responders.content.versions import LOCK, bump
from responders.errors import BadInput, BadInputs
from tests import shipped

Edit = Callable[[str], str]
NOW = next(one.version for one in shipped.detections() if one.slug == "aws/root_login")
NEXT = NOW.rpartition(".")[0] + f".{int(NOW.rpartition('.')[2]) + 1}"


@pytest.fixture
def few(tmp_path: Path) -> Path:
    """A detections/ of its own with two detections, and the lock as it is committed."""
    root = tmp_path / "detections"
    root.mkdir()
    for name in ("macros.yaml", "macros_elastic.yaml", "usage.yaml", LOCK):
        shutil.copy(ROOT / name, root / name)
    for source in ("aws", "okta"):
        (root / source).mkdir()
    for slug in ("aws/root_login", "okta/api_token_created"):
        shutil.copy(ROOT / f"{slug}.yaml", root / f"{slug}.yaml")
    return root


def change(root: Path, slug: str, edit: Edit) -> None:
    path = root / f"{slug}.yaml"
    text = path.read_text(encoding="utf-8")
    assert edit(text) != text, "the edit changes nothing"
    path.write_text(edit(text), encoding="utf-8")


def wrong(root: Path) -> List[BadInput]:
    with pytest.raises(BadInputs) as caught:
        checked(root)
    return list(caught.value.errors)


def test_what_is_committed_is_locked_under_its_version() -> None:
    """Every detection stands in the lock with the version and content that it has; nothing else does."""
    assert [one.id for one in checked()] == [one.id for one in shipped.detections()]
    lock = json.loads((ROOT / LOCK).read_text(encoding="utf-8"))["detections"]
    assert {key: entry["version"] for key, entry in lock.items()} == {one.id: one.version for one in shipped.detections()}


@pytest.mark.parametrize(
    ("key", "edit"),
    [
        (
            "splunk",
            lambda text: text.replace("| `tourniquet_aws_done`", "| where isnotnull(awsRegion) | `tourniquet_aws_done`", 1),
        ),
        ("elastic", lambda text: text.replace("${emit}", "WHERE cloud.region IS NOT NULL\n    | ${emit}")),
        ("confidence", lambda text: re.sub(r"base: (\d)\d", r"base: \g<1>1", text, count=1)),
        ("response", lambda text: re.sub(r"max_tier: \w+", "max_tier: observe", text, count=1)),
        ("description", lambda text: text.replace("\ndescription: ", "\ndescription: Now, ", 1)),
    ],
)
def test_changed_content_under_the_same_version_is_refused(few: Path, key: str, edit: Edit) -> None:
    """The error names file and line of the version, the key that changed, and what to do; raised, it is sound."""
    change(few, "aws/root_login", edit)
    (error,) = wrong(few)
    assert error.place == "detections/aws/root_login.yaml:3"
    assert error.message == f"version: {key} changed, and version {NOW} stayed"
    assert "bump --only aws/root_login" in error.remedy
    change(few, "aws/root_login", lambda text: text.replace(f"version: {NOW}", "version: 9.0.0"))
    assert json.loads(build(few)[f"detections/{LOCK}"])["detections"][checked(few)[0].id]["version"] == "9.0.0"


def test_a_changed_macro_is_a_changed_detection(few: Path) -> None:
    """What a macro holds is part of every search that uses it, and of no other; `bump` raises just those."""
    path = few / "macros.yaml"
    path.write_text(path.read_text(encoding="utf-8").replace('sourcetype="aws:cloudtrail"', "sourcetype=aws:*"), "utf-8")
    assert [error.place for error in wrong(few)] == ["detections/aws/root_login.yaml:3"]
    assert bump(load_detections(few), few) == ["aws/root_login"]
    assert [one.version for one in checked(few)] == [NEXT, load_detections(few)[1].version]
    assert bump(load_detections(few), few) == []


def test_an_example_is_no_content(few: Path) -> None:
    """Examples prove a detection and do not ship: another name of one needs no new version."""
    change(few, "aws/root_login", lambda text: re.sub(r'- name: "', '- name: "again, ', text, count=1))
    assert len(checked(few)) == 2


def test_a_version_never_falls(few: Path) -> None:
    """Somebody has the higher one already."""
    change(few, "aws/root_login", lambda text: text.replace(f"version: {NOW}", "version: 0.9.0"))
    (error,) = wrong(few)
    assert f"0.9.0 is below {NOW}" in error.message


def test_a_lock_that_is_damaged_is_told(few: Path) -> None:
    """No traceback, and no silent new beginning."""
    (few / LOCK).write_text('{"detections": []}')
    with pytest.raises(BadInput, match=r"versions\.lock\.json:1"):
        checked(few)


BROKEN = [
    (lambda text: text.replace("\nlayer: cloud", "\nlayer: clowd"), r"layer: is \"clowd\"", "did you mean cloud"),
    (lambda text: text.replace("\nstatus:", "\nflavour: sweet\nstatus:"), "flavour: is no key", "use one of"),
    (lambda text: re.sub(r"\ndescription: .*", "", text), "description: is missing", "add it"),
    (lambda text: text.replace(f"version: {NOW}", "version: one"), "version: 'one'", "write it as"),
    (lambda text: text.replace("| `tourniquet_aws_done`", "| wibble x"), "splunk: unknown command 'wibble'", "Use one of"),
    (lambda text: text.replace("| `tourniquet_aws_done`", "| `tourniquet_aws_dune`"), "splunk: unknown macro", "Define it"),
    (lambda text: text.replace("${aws_done}", "${aws_dune}"), r"elastic.query uses \$\{aws_dune\}", "define it"),
    (lambda text: text.replace("${emit}", "LIMIT 1"), r"elastic.query: does not end", "end it in"),
    (lambda text: text.replace('"aws/root_login", "', '"aws/other", "'), "splunk: does not end", "end it in"),
    (lambda text: re.sub(r"attack: \[[^]]*", "attack: [T9999", text), "frameworks.attack: T9999", "correct it"),
    (lambda text: re.sub(r"actions: \[", "actions: [okta.wibble, ", text), "response.actions: no action", "docs/actions"),
    (lambda text: text.replace("\nsource: aws", "\nsource: okta"), "source: okta is not its folder", "move the file"),
    (lambda text: text.replace("\nlayer:", "\nparts: [aws/nothing]\nlayer:"), "parts: aws/nothing", "name a detection"),
    (lambda text: text.replace("near miss", ""), "examples: too few", "near miss"),
    (lambda text: text.replace("eventName", "eventNam"), "splunk: field eventNam: no log", "did you mean eventName?"),
    (lambda text: text.replace("=55 + 15*tq_weak", "=55 + 15*tq_waek"), "splunk: field tq_waek: nothing", "did you mean"),
]


@pytest.mark.parametrize(("edit", "what", "remedy"), BROKEN, ids=[what for _, what, _ in BROKEN])
def test_a_broken_file_names_line_key_and_remedy(few: Path, edit: Edit, what: str, remedy: str) -> None:
    """One error, at a line of the file that is about it, and what to do."""
    change(few, "aws/root_login", edit)
    errors = wrong(few)
    assert any(re.search(what, error.message) and remedy in error.remedy for error in errors), errors
    name, _, line = errors[0].place.rpartition(":")
    assert name == "detections/aws/root_login.yaml"
    text = (few / "aws" / "root_login.yaml").read_text(encoding="utf-8").splitlines()
    field = re.search(r"field (\w+)", what)
    key = field[1] if field else re.split(r"[: .]", what)[0].replace("\\", "")
    assert "is missing" in what or any(key in near for near in text[max(0, int(line) - 6) : int(line)]), errors


def test_all_that_is_wrong_comes_at_once(few: Path) -> None:
    """A key of one file, the search of another, a macro without text and a file in no place: four errors of one run."""
    change(few, "aws/root_login", lambda text: text.replace("\nlayer: cloud", "\nlayer: clowd"))
    change(few, "okta/api_token_created", lambda text: re.sub(r"\| eval ", "| evil ", text, count=1))
    (few / "okta" / "forgotten.yml").write_text("a: 1")
    macros = few / "macros_elastic.yaml"
    places = {error.place.rpartition(":")[0] for error in wrong(few)}
    files = ("aws/root_login.yaml", "okta/api_token_created.yaml", "okta/forgotten.yml")
    assert places == {f"detections/{name}" for name in files}
    macros.write_text(macros.read_text(encoding="utf-8") + "\n  empty: 5\n", encoding="utf-8")
    assert "detections/macros_elastic.yaml" in {error.place.rpartition(":")[0] for error in wrong(few)}
