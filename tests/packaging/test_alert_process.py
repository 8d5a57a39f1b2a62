"""The built package's alert action under Splunk's Pythons, against the simulated vendors, started as Splunk starts it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, Callable, Dict, Iterator, Mapping

import pytest

from responders.drill.attacker import Attacker
from responders.drill.world import Person, World
from tests.packaging.splunk import NAME, Splunk, csv_of
from tests.splunkd import Splunkd
from tests.support import raw_alert

PYTHONS = [pytest.param(version, marks=pytest.mark.engine(f"python{version}")) for version in ("3.9", "3.13")]
each_python = pytest.mark.parametrize("python", PYTHONS)


def row(person: Person, vendor: str = "okta", **more: Any) -> Dict[str, Any]:
    evidence = [f"cyberark.account_id={person.held['cyberark account']}"]
    return raw_alert(person, vendor=vendor, tq_detection="okta/session_replay", tq_evidence=evidence, **more)


@pytest.fixture
def splunk(tmp_path: Path, app: Path) -> Iterator[Splunk]:
    with Splunk(tmp_path / "splunk", app) as found:
        yield found


@each_python
def test_every_row_is_contained(python: str, splunk: Splunk, world: World) -> None:
    """Several rows of a results file are several containments: every way in of every attacker is refused.

    Hostile names among the evidence cost only themselves.
    """
    people = [world.add_person(name) for name in ("alice", "bob", "carol")]
    attackers = [Attacker(world, person) for person in people]
    assert all(works for attacker in attackers for works in attacker.works().values())
    splunk.configure(world, people)
    rows = [{"rid": str(number), **row(person)} for number, person in enumerate(people)]
    rows[0]["tq_evidence"] = [*rows[0]["tq_evidence"], "aws.secret=prod%2fdb", "user_agent=a?b"]
    ran = splunk.start(python, splunk.payload(splunk.results(csv_of(rows))))
    assert [name for attacker in attackers for name, works in attacker.works().items() if works] == []
    assert ran.code == 0, ran.log
    assert world.okta.state["users"][people[0].okta]["status"] == "SUSPENDED"
    assert not splunk.escalated()[0]["title"].startswith("an alert")
    reports = {report["decision"]["identity"]["id"]: report["alert"] for report in splunk.escalated()}
    assert {name: len(alert["left_out"]) for name, alert in reports.items()} == {"alice": 2, "bob": 0, "carol": 0}


@each_python
def test_the_log_says_what_was_done(python: str, splunk: Splunk, world: World) -> None:
    """One line a row in the log, as the adaptive response framework reads it."""
    person = world.add_person("alice")
    splunk.configure(world, [person])
    ran = splunk.start(python, splunk.payload(splunk.results(csv_of([{"rid": "7", **row(person)}]))))
    assert len(ran.log) == 1
    assert " INFO sendmodaction - signature=" in ran.log[0]
    for part in (
        'action_name="tourniquet_contain"', 'search_name="Tourniquet - test"', 'sid="scheduler__nobody_1"', 'rid="7"',
        'action_mode="saved"', 'action_status="success"', "alice",
    ):  # fmt: skip
        assert part in ran.log[0]
    (event,) = splunk.deployment.of("tourniquet:modaction")
    found = json.loads(event.raw)
    assert (found["orig_action_name"], found["orig_sid"], found["orig_rid"]) == (
        "tourniquet_contain",
        "scheduler__nobody_1",
        "7",
    )
    assert found["action_status"] == "success"


@each_python
def test_the_same_row_again_changes_nothing(python: str, splunk: Splunk, world: World) -> None:
    """Splunk raises a finding again in the next run: the vendors see no further change."""
    person = world.add_person("alice")
    splunk.configure(world, [person])
    payload = splunk.payload(splunk.results(csv_of([row(person)])))
    assert splunk.start(python, payload).code == 0
    before = len(world.okta.requests), len(world.graph.requests), len(world.cyberark.requests)
    ran = splunk.start(python, payload)
    assert (len(world.okta.requests), len(world.graph.requests), len(world.cyberark.requests)) == before
    assert "handled before" in ran.log[-1]


@each_python
def test_it_looks_again_before_it_exits(python: str, splunk: Splunk, world: World) -> None:
    """After recheck_seconds the due recheck runs in the same process."""
    person = world.add_person("alice")
    splunk.configure(world, [person], rechecks=[0.1])
    configuration = {"recheck_seconds": "0.1"}
    ran = splunk.start(python, splunk.payload(splunk.results(csv_of([row(person)])), configuration=configuration))
    assert ran.code == 0, ran.log
    assert any("due: recheck" in line and "steps hold" in line for line in ran.log)


@pytest.mark.engine("python3.13")
def test_a_wrong_recheck_time_keeps_nobody_from_being_contained(splunk: Splunk, world: World) -> None:
    """It is said, with place and remedy, and the identity is contained all the same."""
    person = world.add_person("alice")
    splunk.configure(world, [person])
    payload = json.loads(splunk.payload(splunk.results(csv_of([row(person)]))))
    payload["configuration"]["recheck_seconds"] = "-3"
    ran = splunk.start("3.13", json.dumps(payload).encode())
    assert ran.code == 1
    assert "param.recheck_seconds" in ran.log[0]
    assert not any(Attacker(world, person).works().values())


@each_python
def test_what_follows_an_unreadable_row_is_contained(python: str, splunk: Splunk, world: World) -> None:
    """A row with a planted NUL, and one of an unknown detection, keep nobody behind them from being contained."""
    person = world.add_person("alice")
    splunk.configure(world, [person])
    rows = [row(person, tq_finding="a\0b"), {**row(person), "tq_detection": "no/such", "tq_finding": "x"}, row(person)]
    ran = splunk.start(python, splunk.payload(splunk.results(csv_of(rows))))
    assert ran.code == 1
    assert not any(Attacker(world, person).works().values())


@each_python
def test_a_truncated_file_is_read_as_far_as_it_goes(python: str, splunk: Splunk, world: World) -> None:
    """Rows before the cut are contained, and that rows are missing is escalated."""
    person = world.add_person("alice")
    splunk.configure(world, [person])
    ran = splunk.start(python, splunk.payload(splunk.results(csv_of([row(person)]), cut=8)))
    assert ran.code == 1
    assert not any(Attacker(world, person).works().values())
    assert any("read 1 rows, then" in line for line in ran.log)
    assert any(body["raw"].get("unreadable") for body in splunk.entries("alert"))


# -- bad input: a clear error, the alert kept and escalated, no vendor touched -------------------------------

Make = Callable[[Splunk, Mapping[str, Any]], bytes]


def _rows(**changed: Any) -> Make:
    """A results file of its own for each case."""
    return lambda splunk, good: splunk.payload(
        splunk.results(csv_of([{**good, **changed}]), name=f"{good['case']}.csv.gz"), sid=good["case"]
    )


def _result(**changed: Any) -> Make:
    return lambda splunk, good: splunk.payload(
        splunk.dispatch, results_file=None, result={**good, **changed}, sid=good["case"]
    )


BAD: Dict[str, tuple[Make, int, str]] = {
    "no JSON": (lambda *_: b'{"sid": ', 2, "stdin: not JSON"),
    "no object": (lambda *_: b"[1, 2]", 2, "stdin: not a JSON object"),
    "nothing": (lambda *_: b"", 2, "stdin: not JSON"),
    "not UTF-8": (lambda *_: b"\xff\xfe\x00{", 2, "stdin: not JSON"),
    "too deep": (lambda *_: b"[" * 200_000, 2, "stdin: not JSON"),
    "17 MB": (lambda *_: b'{"sid": "' + b"x" * 17_000_000 + b'"}', 2, "Splunk sends at most"),
    "no results": (lambda splunk, _: splunk.payload(splunk.results("", name="none.gz")), 1, "holds no row"),
    "a header only": (
        lambda splunk, good: splunk.payload(splunk.results(csv_of([good]).split("\n")[0], name="header.gz")),
        1,
        "holds no row",
    ),
    "no file": (lambda splunk, _: splunk.payload(splunk.dispatch / "gone.csv.gz"), 1, "gone.csv.gz: read 0 rows"),
    "a folder": (lambda splunk, _: splunk.payload(splunk.dispatch), 1, "read 0 rows"),
    "no file named": (lambda splunk, _: splunk.payload(splunk.dispatch, results_file=7), 1, "neither results_file"),
    "cut short": (lambda s, good: s.payload(s.results(csv_of([good]), cut=200, name="cut.gz")), 1, "read 0 rows, then"),
    "no gzip": (lambda splunk, _: splunk.payload(_plain(splunk)), 1, "read 0 rows, then"),
    "a 10 MB field": (_rows(tq_account="okta:default:" + "x" * 10_000_000), 1, ""),
    "control characters": (_rows(tq_account="okta:default:00u\x1b[2J\x07"), 1, ""),
    "a NUL": (_rows(tq_account="okta:default:00u\0"), 1, ""),
    "a path trick": (_rows(tq_account="okta:default:../../admin?x=%2f"), 1, ""),
    "a wrong confidence": (_rows(tq_confidence="101"), 1, ""),
    "an unknown detection": (_rows(tq_detection="okta/no_such"), 1, ""),
    "no time": (_rows(tq_completed_at="yesterday"), 1, ""),
    "a time to come": (_rows(tq_completed_at="2096-01-01T00:00:00Z"), 1, ""),
    "an object for an id": (_result(tq_account={"$ne": ""}), 1, ""),
    "a list of lists": (_result(tq_account=[["okta:default:x"]]), 1, ""),
    "a truth value": (_result(tq_confidence=True), 1, ""),
    "a lone surrogate": (_result(tq_account="okta:default:\ud800"), 1, ""),
}


def _plain(splunk: Splunk) -> Path:
    path = splunk.dispatch / "plain.csv.gz"
    path.write_text("tq_account\nx\n")
    return path


@pytest.fixture(scope="module")
def company(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """One world for all bad inputs, since none of them may reach it."""
    with World(tmp_path_factory.mktemp("company"), vault=False) as found:
        found.add_person("alice")
        yield found


@each_python
def test_bad_input_is_kept_and_escalated(python: str, splunk: Splunk, company: World) -> None:
    """A clear error, the documented exit code, the alert in the journal and escalated loudly, no vendor touched.

    A payload that is none has no session to write the journal with: it is kept beside it.
    """
    person = company.people["alice"]
    splunk.configure(company, [person])
    good = {what: {**row(person), "case": what, "tq_finding": what} for what in BAD}
    runs = splunk.start_each(python, [make(splunk, good[what]) for what, (make, _, _) in BAD.items()])
    for ran, (what, (_, code, said)) in zip(runs, BAD.items()):
        assert (what, ran.code) == (what, code), ran
        assert "Traceback" not in ran.stderr, what
        assert said in ran.log[0], what
        assert 'action_status="failure"' in ran.log[0], what
        assert [character for line in ran.log for character in line if not character.isprintable()] == [], what
        assert max(map(len, ran.log)) < 20_000, what
    journaled = sum(code == 1 for _, code, _ in BAD.values())
    assert len(splunk.entries("alert")) == journaled
    assert [report["loud"] for report in splunk.escalated()] == [True] * journaled
    assert [bool(file["rows"][0]["unreadable"] or file["rows"][0]["why"]) for file in splunk.kept()] == [True] * (
        len(BAD) - journaled
    )
    assert [*company.okta.requests, *company.graph.requests, *company.cyberark.requests] == []


@pytest.mark.engine("python3.9")
def test_very_many_rows_keep_nobody_waiting_and_leave_nothing(splunk: Splunk, company: World) -> None:
    """They are kept while the first are handled already; when all are handled no file is left."""
    person = company.people["alice"]
    splunk.configure(company, [person])
    decoys = [row(person, tq_confidence="101")] * 300
    ran = splunk.start("3.9", splunk.payload(splunk.results(csv_of(decoys))))
    assert ran.code == 1
    assert len(ran.log) == 300
    assert len(splunk.entries("rejected")) == 1
    assert splunk.kept() == []


# -- Splunk itself is not as it should be: nobody is contained, the alert is kept, a sentence says what to do ---------------


Spoil = Callable[[Splunkd, Dict[str, Any]], None]


def _starting(splunkd: Splunkd, given: Dict[str, Any]) -> None:
    splunkd.deployment.kvstore = "starting"


def _expired(splunkd: Splunkd, given: Dict[str, Any]) -> None:
    splunkd.deployment.expire(given["session_key"])


def _no_session(splunkd: Splunkd, given: Dict[str, Any]) -> None:
    del given["session_key"]


def _no_splunkd(splunkd: Splunkd, given: Dict[str, Any]) -> None:
    given["server_uri"] = "http://127.0.0.1:1"


def _elsewhere(splunkd: Splunkd, given: Dict[str, Any]) -> None:
    given["server_uri"] = "http://splunk.invalid:8089"


def _no_secret(splunkd: Splunkd, given: Dict[str, Any]) -> None:
    del splunkd.deployment.passwords[NAME, "tourniquet", "okta_default.private_key"]


def _no_setup(splunkd: Splunkd, given: Dict[str, Any]) -> None:
    splunkd.deployment.passwords.clear()


def _no_policy(splunkd: Splunkd, given: Dict[str, Any]) -> None:
    splunkd.deployment.configure("tourniquet_settings", "general", {"policy": "gone"})


def _no_collections(splunkd: Splunkd, given: Dict[str, Any]) -> None:
    splunkd.deployment.collections.clear()
    splunkd.deployment.configure("tourniquet_settings", "general", {"policy": ""})


ILL: Dict[str, tuple[Spoil, str]] = {
    "KV store starting": (_starting, "KV Store is initializing. Please try again later."),
    "expired session": (_expired, "the session key is not valid any more"),
    "no session": (_no_session, "there is no session key"),
    "no splunkd": (_no_splunkd, "does not answer"),
    "splunkd elsewhere in the clear": (_elsewhere, "neither https nor loopback"),
    "a secret is missing": (_no_secret, "tourniquet_connection.conf [okta_default].private_key: storage/passwords has no"),
    "not set up": (_no_setup, "storage/passwords has no 'journal_key'. enter it on the setup page"),
    "policy gone": (_no_policy, "choose another version on the setup page"),
    "collections not made": (_no_collections, "Restart Splunk, so that it makes the collections of the app"),
}


@pytest.mark.engine("python3.9")
def test_an_ill_splunk_keeps_the_alert_and_says_what_to_do(splunk: Splunk, company: World) -> None:
    """Exit code 3, one line with place and remedy, the row in a file of this search head, no vendor touched, no secret."""
    person = company.people["alice"]
    splunk.configure(company, [person])
    payloads, told = [], {}
    for what, (spoil, _) in ILL.items():
        given = json.loads(splunk.payload(splunk.results(csv_of([row(person)]), name=f"{what}.csv.gz"), sid=what))
        ill = splunk.other()
        given["server_uri"] = ill.uri
        spoil(ill, given)
        told[what] = ill.deployment.messages
        payloads.append(json.dumps(given).encode())
    secrets = [password.clear for password in splunk.deployment.passwords.values()]
    for ran, (what, (_, said)) in zip(splunk.start_each("3.9", payloads), ILL.items()):
        assert (what, ran.code) == (what, 3), ran
        assert said in ran.log[0], what
        assert "the alert is kept on this search head" in ran.log[0], what
        assert not [secret for secret in secrets if secret in ran.stderr], what
    assert [file["sid"] for file in splunk.kept()] == list(ILL)
    for what in ("KV store starting", "a secret is missing", "policy gone"):
        assert ILL[what][1] in told[what]["tourniquet"][1], what
    assert not [secret for secret in secrets if secret in json.dumps(splunk.kept())]
    assert [*company.okta.requests, *company.graph.requests, *company.cyberark.requests] == []


@each_python
def test_an_analysts_session_reads_no_secret(python: str, splunk: Splunk, company: World) -> None:
    """Whose session may not contain without asking: nothing is read with it but who it is, and the rows go to the REST
    interface; nothing is kept that a later run would do with more rights."""
    person = company.people["alice"]
    splunk.configure(company, [person])
    splunk.deployment.user("analyst", "search", "list_storage_passwords", "tourniquet_contain_revoke")
    splunk.splunkd.requests.clear()
    session = splunk.splunkd.session("analyst")
    ran = splunk.start(python, splunk.payload(splunk.results(csv_of([row(person)])), session_key=session, owner="analyst"))
    asked = [(request.method, request.path, request.user) for request in splunk.splunkd.requests]
    assert [(method, path.rpartition("/")[2]) for method, path, _ in asked] == [
        ("GET", "current-context"),
        ("POST", "requests"),
    ]
    assert {user for _, _, user in asked} == {"analyst"}
    assert ran.code == 3, "there is no REST interface here"
    assert splunk.kept() == []
    assert company.okta.requests == []


@each_python
def test_it_speaks_tls_to_splunkd(python: str, tmp_path: Path, app: Path, company: World) -> None:
    """As every splunkd does, with a certificate that Splunk made for itself."""
    person = company.people["alice"]
    with Splunk(tmp_path / "splunk", app, tls=True) as splunk:
        splunk.configure(company, [person])
        payload = splunk.payload(splunk.results(csv_of([{**row(person), "tq_confidence": "101"}])))
        assert splunk.start(python, payload).code == 1
        assert splunk.due(python).code == 0
        assert len(splunk.entries("rejected")) == 1


@each_python
def test_only_splunk_starts_it(python: str, splunk: Splunk) -> None:
    """Without --execute it says what it is, and does nothing."""
    ran = splunk.start(python, b"", "--help")
    assert ran.code == 2
    assert "--execute" in ran.stderr
    assert ran.log == []


@pytest.mark.engine("python3.9")
def test_a_search_of_nobody_that_somebody_ran_contains_nobody(splunk: Splunk, world: World) -> None:
    """Dispatched by hand as its owner, over a time of his choice: it has the rights of the system, and contains nobody.
    People are told."""
    person = world.add_person("alice")
    splunk.configure(world, [person])
    held = splunk.results(csv_of([row(person)]))
    (ran,) = splunk.start_each("3.9", [splunk.payload(held, sid="nobody__mallory__tourniquet__RMD5_at_1_2")])
    assert ran.code == 1
    assert all(Attacker(world, person).works().values())
    assert "contain by hand" in json.dumps(splunk.escalated())
    assert splunk.kept() == []
