"""A bad alert or file is told with place and remedy; the alert is kept and escalated, nobody is touched."""

from __future__ import annotations

import gzip
import json
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any, Callable, Dict

import pytest
from hypothesis import given
from hypothesis import strategies as st

from responders.errors import BadAlert
from responders.surfaces.command_line.reading import MAX_LINE, raws
from tests.surfaces.office import Office

LATER = (datetime.now(timezone.utc) + timedelta(days=2)).isoformat()
ODD: Dict[str, tuple[Any, str]] = {
    "no JSON": ("{\"tq_detection\": ", "is not JSON"),
    "text": ("hello", "is not JSON"),
    "a list": ("[1, 2]", "is no JSON object"),
    "deep": ("[" * 100_000, "is not JSON"),
    "a long number": ("9" * 5000, "is not JSON"),
    "unknown detection": ({"tq_detection": "okta/no_such"}, "unknown detection 'okta/no_such'"),
    "no detection": ({"tq_detection": None}, "tq_detection: is missing"),
    "wrong type": ({"tq_account": {"a": 1}}, "tq_account: holds a dict that is no id"),
    "ten megabytes": ({"tq_reasons": "x" * 10_000_000}, f"bytes long, {MAX_LINE} at most"),
    "over-long field": ({"tq_account": "okta:x:" + "x" * 100_000}, "tq_account: is longer than 65536 characters"),
    "control characters": ({"tq_account": "okta:default:a\x1b[31m"}, "tq_account: holds control characters"),
    "parent folder": ({"tq_account": "okta:default:../users/00u1"}, "holds a path trick"),
    "escaped slash": ({"tq_account": "okta:default:a%2fb"}, "holds a path trick"),
    "query": ({"tq_account": "okta:default:a?x=1"}, "holds a path trick"),
    "no three parts": ({"tq_account": "00u1"}, "is not vendor:tenant:id"),
    "confidence over 100": ({"tq_confidence": "101"}, "is not a number from 0 to 100"),
    "confidence below 0": ({"tq_confidence": -1}, "is not a number from 0 to 100"),
    "confidence of no number": ({"tq_confidence": "NaN"}, "is not a number from 0 to 100"),
    "the future": ({"tq_completed_at": LATER}, "lies in the future. correct the clock"),
    "no time": ({"tq_completed_at": "yesterday"}, "is no time"),
    "no offset": ({"tq_completed_at": "2026-01-01T00:00:00"}, "has no offset"),
}  # fmt: skip


@pytest.mark.parametrize("what", ODD)
def test_a_bad_alert_is_kept_and_escalated_and_stops_no_other(office: Office, what: str) -> None:
    """Exit code 1, the reason with its place, the alert in the journal; a good one in the same file is contained."""
    row, said = ODD[what]
    bad, good = office.person("bad"), office.person("good")
    bad_line = row if isinstance(row, str) else {**office.alert(bad), **row}
    path = office.alerts(bad_line, office.alert(good))
    planned = office.run("plan", path)
    assert planned.code == 2
    assert said in planned.err
    assert f"{path}:1" in planned.err
    assert office.changes() == []
    ran = office.run("contain", path)
    assert ran.code == 1
    assert said in ran.out
    assert "good (human) contained at tier revoke" in ran.out
    assert not [change for change in office.changes() if bad.okta in change or bad.entra in change]
    loud = [report for report in office.escalated() if report["loud"]]
    assert len(loud) == 1
    assert said in "".join(loud[0]["open_items"])
    chains = [row["chain"] for row in office.run("journal", "list", "--json").lines if row["chain"].startswith("a-")]
    kept = [office.run("journal", "show", chain, "--json").lines[0]["body"]["raw"] for chain in chains]
    assert len(kept) == 2


def test_what_an_attacker_names_hides_no_alert(office: Office) -> None:
    """Hostile names in every field beside who, when and how sure cost only themselves: contained, told, and journaled."""
    alice = office.person("alice")
    hostile = {
        "tq_evidence": ["aws.secret=prod%2fdb", "user_agent=a?b", "aws.trail=x\nvault.accessor=bobs", "aws.role="],
        "tq_events": ["event\x1b[2J"], "tq_causes": ["device:\u202ex"], "tq_reasons": ["+65 \u202ename", "+20 sound"],
        "tq_started_at": "2096-01-01T00:00:00Z",
    }  # fmt: skip
    path = office.alerts({**office.alert(alice), **hostile})
    planned = office.run("plan", path)
    assert (planned.code, planned.err) == (0, "")
    ran = office.run("contain", path)
    assert ran.code == 0
    assert "alice (human) contained at tier revoke" in ran.out
    [report] = office.escalated()
    left_out = dict.fromkeys(name for name, _ in report["alert"]["left_out"])
    assert {*left_out} == {*hostile} and report["alert"]["evidence"] == []
    for shown in (planned.out, ran.out):
        assert "Left out of the alert: tq_evidence: 'aws.secret=prod%2fdb' holds a path trick" in shown
        assert "\x1b" not in shown and "\u202e" not in shown
    chains = [row["chain"] for row in office.run("journal", "list", "--json").lines if row["chain"].startswith("a-")]
    told = [entry["body"]["fields"] for entry in office.run("journal", "show", chains[0], "--json").lines
            if entry["kind"] == "left out"]  # fmt: skip
    assert told == [report["alert"]["left_out"]]


def test_an_account_that_cannot_be_read_hides_no_other(office: Office) -> None:
    """It is a stranger: the identity of the others is contained, and a person is told to look for it."""
    alice = office.person("alice")
    ran = office.run(
        "contain", office.alerts({**office.alert(alice), "tq_account": [alice.account("okta").key, "okta:x:a?b"]})
    )
    assert ran.code == 1
    assert "alice (human) contained at tier revoke" in ran.out
    [report] = office.escalated()
    assert report["loud"] and any("also names: 'okta:x:a?b' holds a path trick" in item for item in report["open_items"])


def test_strangers_are_nobody_even_when_one_cannot_be_read(office: Office) -> None:
    """Two accounts that no inventory row claims may be two people's: nobody is contained, and a person is told."""
    alice = office.person("alice")
    ran = office.run("contain", office.alerts({**office.alert(alice), "tq_account": ["okta:x:stranger", "okta:x:a?b"]}))
    assert ran.code == 1
    [report] = office.escalated()
    assert report["loud"] and report["title"] == "ambiguous: nobody was contained"
    assert office.changes() == []


@pytest.mark.parametrize(
    ("write", "said"),
    [
        (lambda path: path.write_bytes(b""), "holds no alert"),
        (lambda path: path.write_bytes(b"\n \n"), "holds no alert"),
        (lambda path: path.write_bytes(gzip.compress(b"")), "holds no alert"),
        (lambda path: path.mkdir(), "Is a directory"),
        (lambda path: None, "No such file"),
    ],
)
@pytest.mark.parametrize("command", ["contain", "plan"])
def test_a_file_without_alerts_is_bad_input(office: Office, command: str, write: Callable[[Path], Any], said: str) -> None:
    """Exit code 2, the file and the remedy are named."""
    path = office.folder / "given.jsonl"
    write(path)
    ran = office.run(command, str(path))
    assert (ran.code, ran.out) == (2, "")
    assert f"{path}: " in ran.err and said in ran.err


def test_a_truncated_gzip_loses_nothing_that_was_read(office: Office) -> None:
    """What came before the break is contained, and the break itself is escalated."""
    rows = [json.dumps(office.alert(office.person("alice")))]
    rows += [json.dumps({"tq_detection": "okta/session_replay", "n": f"{number:x}" * 40}) for number in range(400)]
    packed = gzip.compress("\n".join(rows).encode())
    path = office.folder / "alerts.jsonl.gz"
    path.write_bytes(packed[: len(packed) // 2])
    found = raws(str(path))
    assert 1 < len(found) < len(rows)
    assert "breaks off" in str(found[-1].row["why"])
    path.write_bytes(gzip.compress(rows[0].encode() + b"\n" * 100)[:-8])
    ran = office.run("contain", str(path))
    assert ran.code == 1
    assert "alice (human) contained" in ran.out
    assert "the gzip file breaks off or is damaged" in ran.out


def test_packed_piped_and_pretty_printed_alerts_are_read(office: Office) -> None:
    """gzip, stdin, a byte order mark, Windows line ends, one object over several lines, and a list: the same alert."""
    row = office.alert(office.person("alice"))
    path = office.folder / "given"
    for data in (
        gzip.compress(json.dumps(row).encode()),
        b"\xef\xbb\xbf" + json.dumps(row).encode() + b"\r\n",
        json.dumps(row, indent=2).encode(),
        json.dumps([row], indent=2).encode(),
        json.dumps([row]).encode(),
    ):
        path.write_bytes(data)
        assert [raw.row for raw in raws(str(path))] == [row]
    assert office.run("plan", "-", stdin=json.dumps(row)).code == 0


def test_an_over_long_line_is_kept_by_its_start_and_digest(office: Office) -> None:
    """The journal is not flooded, and the whole line can be told from another."""
    [raw] = raws(office.alerts("x" * (MAX_LINE + 1)))
    assert raw.row["bytes"] == MAX_LINE + 2
    assert len(str(raw.row["unreadable"])) < 20_000
    assert len(str(raw.row["sha256"])) == 64


@given(st.binary(max_size=200))
def test_any_bytes_are_alerts_or_refused(tmp_path_factory: pytest.TempPathFactory, data: bytes) -> None:
    """No line is lost: each filled one is an alert, or kept as one that can't be read, with its place."""
    path = tmp_path_factory.mktemp("bytes") / "given"
    path.write_bytes(data)
    try:
        found = raws(str(path))
    except BadAlert as error:
        assert not data.replace(b"\xef\xbb\xbf", b"", 1).strip() or data[:2] == b"\x1f\x8b" or data.strip() == b"[]"
        assert error.remedy
        return
    assert all(raw.place.startswith(f"{path}:") and isinstance(raw.row, dict) for raw in found)


FILES: Dict[str, tuple[str, bytes, str]] = {
    "not UTF-8": ("people.csv", b"id,kind,accounts\njos\xe9,human,okta:t:1\n", "people.csv:2: is not UTF-8"),
    "UTF-16": ("people.csv", "id,kind\n".encode("utf-16"), "people.csv:1: is not UTF-8"),
    "an alias": ("p.yaml", b"identities:\n  - &a {id: x}\n  - *a\n", "p.yaml:3: aliases are not used here"),
    "two rows for one account": (
        "people.csv", b"id,kind,accounts\na,human,okta:t:1\nb,human,okta:t:1\n",
        "people.csv:3: accounts: okta:t:1 is claimed at people.csv:2 already",
    ),
}  # fmt: skip


@pytest.mark.parametrize("what", FILES)
def test_a_broken_inventory_names_its_line(office: Office, what: str) -> None:
    """Exit code 2 with file:line."""
    name, data, said = FILES[what]
    (office.folder / name).write_bytes(data)
    ran = office.run("inventory", "check", name)
    assert (ran.code, ran.out) == (2, "")
    assert said in ran.err


def test_an_alert_outlives_a_broken_inventory(office: Office) -> None:
    """It is journaled and escalated once, nobody is touched; once the file is right, `due` contains."""
    path = office.alerts(office.alert(office.person("alice")))
    sound = (office.folder / "people.csv").read_text()
    (office.folder / "people.csv").write_text(sound + sound.splitlines()[-1] + "\n")
    for _ in range(2):
        ran = office.run("contain", path)
        assert ran.code == 2
        assert "people.csv:5: id: 'alice' stands already at " in ran.err
        assert "kept in the journal and escalated" in ran.out
    assert office.changes() == []
    [report] = office.escalated()
    assert report["loud"] is True
    assert "people.csv:5" in report["open_items"][0]
    (office.folder / "people.csv").write_text(sound)
    assert "alice (human) contained at tier revoke" in office.run("due").out
    assert office.run("journal", "verify").code == 0


def test_an_unknown_detection_in_the_settings_is_named(office: Office) -> None:
    """A misspelt `unauthenticated_ingest` would switch a guard off: bad input, with place and remedy."""
    office.write_settings(unauthenticated_ingest=["okta/session_repaly"])
    ran = office.run("status")
    assert ran.code == 2
    assert "settings.json: unauthenticated_ingest: there is no detection 'okta/session_repaly'" in ran.err


def test_a_broken_policy_shows_all_errors_at_once(office: Office) -> None:
    """Three mistakes, three lines, each with the line of the file; the settings' compiled policy is not replaced."""
    text = office.run("policy", "show").out
    text = text.replace("human: {restrict: 50,", "human: {restrict: 500,").replace("okta.revoke_grants", "okta.revoke_grant")
    (office.folder / "mine.yaml").write_text(text + "colour: red\n")
    ran = office.run("policy", "check", "mine.yaml")
    assert ran.code == 2
    assert len(ran.err.splitlines()) == 3
    numbers = [next(n for n, line in enumerate(f"{text}colour: red".splitlines(), 1) if part in line)
               for part in ("500", "okta.revoke_grant\n".strip(), "colour")]  # fmt: skip
    assert all(f"mine.yaml:{number}: " in ran.err for number in numbers)
    assert office.run("policy", "build", "mine.yaml").code == 2
    assert not (office.folder / "mine.json").exists()
