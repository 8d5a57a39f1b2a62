"""The built package's scripted input under Splunk's Pythons: what the alert process leaves is taken up."""

from __future__ import annotations

import json
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from responders.containment.responder import HALT_CHAIN
from responders.drill.attacker import Attacker
from responders.drill.world import World
from responders.journal.chain import Journal
from responders.journal.kvstore import COLLECTION, KvStore
from responders.splunk import policies
from tests.packaging.splunk import Splunk, csv_of
from tests.packaging.test_alert_process import each_python, row, splunk  # noqa: F401 - a fixture


@each_python
def test_what_the_attacker_undid_is_put_back(python: str, splunk: Splunk, world: World) -> None:  # noqa: F811
    """A recheck that comes due after the alert process is gone finds the account enabled again, and disables it."""
    person = world.add_person("alice")
    splunk.configure(world, [person], rechecks=[0.1])
    assert splunk.start(python, splunk.payload(splunk.results(csv_of([row(person)])))).code == 0
    user = world.okta.state["users"][person.okta]
    assert user["status"] == "SUSPENDED"
    user["status"] = "ACTIVE"
    ran = splunk.due(python)
    assert ran.code == 0, ran.log
    assert user["status"] == "SUSPENDED"
    assert any('INFO tourniquet_due - did="recheck' in line for line in ran.log)
    assert "found undone" in str(splunk.escalated())


@each_python
def test_what_is_not_due_waits(python: str, splunk: Splunk, world: World) -> None:  # noqa: F811
    """A recheck of tomorrow is not taken today; all that is asked is the log of the responder's own credential, once."""
    person = world.add_person("alice")
    splunk.configure(world, [person], rechecks=[86400.0])
    splunk.start(python, splunk.payload(splunk.results(csv_of([row(person)]))))
    calls = len(world.okta.requests)
    ran = splunk.due(python)
    assert (ran.code, ran.log) == (0, [])
    asked = [request.path.partition("?")[0] for request in world.okta.requests[calls:]]
    assert asked == ["/oauth2/v1/token", "/api/v1/logs"]
    splunk.due(python)
    assert len(world.okta.requests) == calls + len(asked)


@each_python
def test_what_can_not_be_done_yet_is_named(python: str, splunk: Splunk, world: World) -> None:  # noqa: F811
    """While automation is halted an interrupted alert stays due: the exit code and the log say so, with the reason."""
    person = world.add_person("alice")
    splunk.configure(world, [person])
    splunk.start_and_kill(python, splunk.payload(splunk.results(csv_of([row(person)]))), 1)
    splunk.journal(world).append(HALT_CHAIN, "halt", {"who": "ida", "why": "a trial"})
    ran = splunk.due(python)
    assert ran.code == 1
    assert "a trial" in ran.log[-1]


@pytest.mark.engine("python3.9")
def test_nothing_of_a_trial_is_done_afterwards(splunk: Splunk, world: World) -> None:  # noqa: F811
    """The trial of the README: halted; when its journal is emptied, nothing of it is due."""
    person = world.add_person("alice")
    splunk.configure(world, [person])
    splunk.journal(world).append(HALT_CHAIN, "halt", {"who": "ida", "why": "a trial"})
    splunk.start("3.9", splunk.payload(splunk.results(csv_of([row(person)]))))
    assert len(splunk.escalated()) == 1
    splunk.deployment.documents[splunk.deployment.app, "nobody", COLLECTION].clear()
    assert splunk.due("3.9").code == 0
    assert all(Attacker(world, person).works().values())


@each_python
def test_without_settings_it_says_where_they_belong(python: str, splunk: Splunk) -> None:  # noqa: F811
    """Switched on before it was set up: exit code 3, each minute, and a message in Splunk Web."""
    ran = splunk.due(python)
    assert "enter it on the setup page" in splunk.deployment.messages["tourniquet"][1]
    assert ran.code == 3
    assert 'ERROR tourniquet_due - error="' in ran.log[0]
    assert "enter it on the setup page" in ran.log[0]


@each_python
def test_alerts_that_could_not_be_stored_are_taken_up(python: str, splunk: Splunk, world: World) -> None:  # noqa: F811
    """splunkd did not answer, a payload could not be read: the next run contains the one and escalates the other."""
    person = world.add_person("alice")
    splunk.configure(world, [person])
    held = splunk.results(csv_of([row(person)]))
    payloads = [splunk.payload(held, server_uri="http://127.0.0.1:1"), b"no JSON"]
    assert [ran.code for ran in splunk.start_each(python, payloads)] == [3, 2]
    assert all(Attacker(world, person).works().values())
    splunk.deployment.messages["tourniquet"] = ("error", "from a run before")
    ran = splunk.due(python)
    assert ran.code == 0, ran.log
    assert not any(Attacker(world, person).works().values())
    assert any("could not be read" in report["title"] for report in splunk.escalated())
    assert splunk.kept() == []
    assert splunk.deployment.messages == {}


@pytest.mark.engine("python3.13")
def test_only_who_may_contain_has_a_kept_alert_taken_up(splunk: Splunk, world: World) -> None:  # noqa: F811
    """Whose session it was nobody could ask: who ran the search counts, and an analyst's alert is dropped, and said.
    A search of nobody's that he ran and whose session he then ended helps him as little."""
    person = world.add_person("alice")
    splunk.configure(world, [person])
    splunk.deployment.user("analyst", "search")
    splunk.deployment.user("automation", "search", "tourniquet_execute")
    held = splunk.results(csv_of([row(person)]))
    splunk.deployment.jobs.update({"1.1": "analyst", "1.2": "gone", "scheduler__nobody_2": "analyst", "1.3": "automation"})
    ended = splunk.splunkd.session("analyst")
    splunk.deployment.expire(ended)
    payloads = [
        splunk.payload(held, server_uri="http://127.0.0.1:1", owner="analyst", sid="1.1"),
        splunk.payload(held, server_uri="http://127.0.0.1:1", owner="gone", sid="1.2"),
        splunk.payload(held, session_key=ended, sid="scheduler__nobody_2"),
    ]
    assert [ran.code for ran in splunk.start_each("3.13", payloads)] == [3, 3, 3]
    ran = splunk.due("3.13")
    assert [line.count("may not contain without asking") for line in ran.log] == [1, 1, 1]
    assert splunk.kept() == []
    assert all(Attacker(world, person).works().values())
    splunk.start("3.13", splunk.payload(held, server_uri="http://127.0.0.1:1", owner="automation", sid="1.3"))
    assert splunk.due("3.13").code == 0
    assert not any(Attacker(world, person).works().values())


@pytest.mark.engine("python3.13")
def test_nobody_is_contained_for_a_kept_alert_that_nobody_ran(splunk: Splunk, world: World) -> None:  # noqa: F811
    """Its job is gone, or only calls itself the scheduler's: nobody is contained, and people are told."""
    person = world.add_person("alice")
    splunk.configure(world, [person])
    splunk.deployment.jobs["forged_1"] = "splunk-system-user"
    held = splunk.results(csv_of([row(person)]))
    payloads = [
        splunk.payload(held, server_uri="http://127.0.0.1:1", sid=sid) for sid in ("scheduler__nobody_gone", "forged_1", "")
    ]
    assert [ran.code for ran in splunk.start_each("3.13", payloads)] == [3, 3, 3]
    splunk.due("3.13")
    assert splunk.kept() == []
    assert len(splunk.escalated()) == 3
    assert all("contain by hand" in json.dumps(report) for report in splunk.escalated())
    assert all(Attacker(world, person).works().values())


@pytest.mark.engine("python3.9")
def test_once_splunk_said_whose_session_it_is_the_job_may_be_gone(splunk: Splunk, world: World) -> None:  # noqa: F811
    """The KV store is down for longer than Splunk keeps a job: the alert is contained all the same when it is back."""
    person = world.add_person("alice")
    splunk.configure(world, [person])
    splunk.deployment.kvstore = "failed"
    assert splunk.start("3.9", splunk.payload(splunk.results(csv_of([row(person)])))).code == 3
    splunk.deployment.kvstore = "ready"
    splunk.deployment.jobs.clear()
    assert splunk.due("3.9").code == 0
    assert not any(Attacker(world, person).works().values())


@pytest.mark.engine("python3.9")
def test_what_is_not_begun_in_time_is_taken_up(splunk: Splunk, world: World) -> None:  # noqa: F811
    """Splunk would end the process soon: it begins no row any more, says so, and the next run contains them."""
    person = world.add_person("alice")
    splunk.configure(world, [person])
    (ran,) = splunk.start_each("3.9", [splunk.payload(splunk.results(csv_of([row(person)])))], maxtime=50.0)
    assert ran.code == 1
    assert "1 rows were not begun: Splunk ends this process after 50 s. tourniquet_due takes them up" in ran.log[-1]
    assert world.okta.requests == []
    assert splunk.due("3.9").code == 0
    assert not any(Attacker(world, person).works().values())
    assert splunk.kept() == []


@pytest.mark.engine("python3.9")
@pytest.mark.engine("python3.13")
def test_two_search_heads_contain_once(tmp_path: Path, app: Path, splunk: Splunk, world: World) -> None:  # noqa: F811
    """Both get the same finding at one moment, and one sees the KV store 0.3 s late: one containment, one suspension."""
    person = world.add_person("alice")
    splunk.configure(world, [person], rechecks=[0.1])
    with Splunk(tmp_path / "other", app, splunk.deployment, lag=0.3) as other:
        late = other.client()
        while not policies.versions(late):  # the settings are older than the alert, there too
            time.sleep(0.01)
        starts = [
            (head, python, head.payload(head.results(csv_of([row(person)]))))
            for head, python in ((splunk, "3.9"), (other, "3.13"))
        ]
        with ThreadPoolExecutor(2) as pool:
            runs = list(pool.map(lambda start: start[0].start(start[1], start[2]), starts))
        assert [ran.code for ran in runs] == [0, 0], runs
        assert [head.due(python).code for head, python, _ in starts] == [0, 0]
        assert not any(Attacker(world, person).works().values())
        suspends = [r for r in world.okta.requests if r.path.endswith("/lifecycle/suspend") and r.status == 200]
        assert len(suspends) == 1
        assert len({entry["containment"] for entry in splunk.entries("handled")}) == 1
        found = [head.home / "var" / "lib" / "tourniquet" / "journal.anchor" for head in (splunk, other)]
        anchors = [anchor for anchor in found if anchor.exists()]  # one of them may have come when all was done
        for anchor in anchors:  # each search head vouches for what it wrote itself
            assert Journal(KvStore(splunk.client()), world.key, anchor=str(anchor)).verify() == []
        written = sum(len(anchor.read_text().splitlines()) for anchor in anchors)
        assert written == sum(row["_key"].startswith("e/") for row in splunk.deployment.rows(COLLECTION))


@pytest.mark.engine("python3.9")
def test_a_killed_alert_process_is_finished(tmp_path: Path, app: Path) -> None:
    """Killed after its first, its last and several writes between: the next run of the input finishes the containment."""
    python = "3.9"

    def play(after: int) -> int:
        folder = tmp_path / str(after)
        folder.mkdir()
        with World(folder, vault=False) as world:
            person = world.add_person("alice")
            with Splunk(folder / "splunk", app) as found:
                found.configure(world, [person])
                payload = found.payload(found.results(csv_of([row(person)])))
                writes = found.start_and_kill(python, payload, after)
                ran = found.due(python)
                assert found.kept() == []
            assert "Traceback" not in ran.stderr
            assert [name for name, works in Attacker(world, person).works().items() if works] == [], (after, ran.log)
            suspends = [r for r in world.okta.requests if r.path.endswith("/lifecycle/suspend") and r.status == 200]
            assert len(suspends) == 1, after
            return writes

    total = play(0)
    assert total > 20
    for after in sorted({1, 2, *range(4, total, total // 4), total}):
        play(after)
