"""Two commands on the same journal at the same moment: no step is applied twice, none is lost."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from typing import Callable

from responders import pipeline
from responders.containment.responder import Responder
from responders.drill.attacker import Attacker
from responders.drill.world import World
from responders.inventory.files import read_inventory
from responders.journal.chain import Journal
from responders.journal.sqlite import SqliteStore
from responders.journal.store import Document
from responders.surfaces.assemble import open_responder
from tests.surfaces.office import Office

ROUNDS = 4
NO_RECHECKS = {"deadline": 30, "confirm_patience": 5, "rechecks": []}
"""On a slow machine a recheck would become due within the test, and is work of its own."""


def test_two_processes_contain_the_same_alert_once(office: Office, world: World) -> None:
    """Whoever comes second is told so, or finds it handled; each vendor sees every change once; all is contained."""
    office.write_settings(timing=NO_RECHECKS)
    for number in range(ROUNDS):
        person = office.person(f"person{number}")
        attacker = Attacker(world, person)
        evidence = [f"cyberark.account_id={person.held['cyberark account']}"]
        path = office.alerts(office.alert(person, tq_evidence=evidence, tq_events=[f"event-{number}"]))
        before = Counter(office.changes())
        both = [office.start("contain", path) for _ in range(2)]
        ended = [(*process.communicate(timeout=120), process.returncode) for process in both]
        codes = sorted(code for _, _, code in ended)
        assert codes in ([0, 0], [0, 3]), ended
        assert not any(attacker.works().values())
        twice = {change: times for change, times in (Counter(office.changes()) - before).items() if times > 1}
        assert twice == {}
        assert sum("contained at tier revoke" in out for out, _, _ in ended) >= 1
    assert len([report for report in office.escalated() if not report["loud"]]) == ROUNDS
    assert office.run("journal", "verify").code == 0
    office.run("due")
    assert office.run("status", "--json").json["due"] == 0


def test_two_processes_do_what_is_due_once(office: Office, world: World) -> None:
    """A halted alert that both find due is contained once, and what the loser left is done by nobody again."""
    office.write_settings(timing=NO_RECHECKS)
    for number in range(ROUNDS):
        person = office.person(f"person{number}")
        path = office.alerts(office.alert(person, tq_events=[f"event-{number}"]))
        office.run("halt", "--by", "ida", "--reason", "x")
        assert office.run("contain", path).code == 1
        office.run("resume", "--by", "ida", "--reason", "x")
        before = Counter(office.changes())
        both = [office.start("due") for _ in range(2)]
        ended = [(*process.communicate(timeout=120), process.returncode) for process in both]
        assert [code for _, _, code in ended] == [0, 0], ended
        assert sum(f"person{number} (human) contained" in out for out, _, _ in ended) == 1, ended
        twice = {change: times for change, times in (Counter(office.changes()) - before).items() if times > 1}
        assert twice == {}
        assert world.okta.state["users"][person.okta]["status"] == "SUSPENDED"
    assert office.run("status", "--json").json["due"] == 0
    assert office.run("journal", "verify").code == 0


class Overtaken(SqliteStore):
    """A store whose user is overtaken by another process right before it takes a claim of one kind."""

    def __init__(self, path: str, prefix: str, other: Callable[[], object]) -> None:
        super().__init__(path)
        self._prefix, self._other = prefix, other

    def create(self, key: str, doc: Document) -> bool:
        if key.startswith(self._prefix):
            self._prefix = "\0"
            self._other()
        return super().create(key, doc)


def overtaken(office: Office, prefix: str, other: Callable[[], object]) -> Responder:
    """The responder of the office's settings, overtaken once."""
    responder = open_responder(str(office.settings), read_inventory=read_inventory)
    store = Overtaken(str(office.journal), prefix, other)
    journal = Journal(store, office.world.key, anchor=str(office.folder / "journal.anchor"))
    return replace(responder, journal=journal)


def test_an_alert_that_another_finished_just_now_is_not_handled_again(office: Office) -> None:
    """The look whether it was handled is taken again under the claim."""
    person = office.person("alice")
    row = office.alert(person)
    path = office.alerts(row)
    responder = overtaken(office, "claim/alert-", lambda: office.run("contain", path))
    report = pipeline.contain(row, responder)
    assert report.title == "this alert was handled before"
    assert [change for change, times in Counter(office.changes()).items() if times > 1] == []


def test_a_due_entry_that_another_finished_just_now_is_not_done_again(office: Office) -> None:
    """The list of what is due was read before the claim: it is asked again under it."""
    office.write_settings(timing={"deadline": 10, "confirm_patience": 1, "rechecks": [0]})
    office.run("contain", office.alerts(office.alert(office.person("alice"))))
    responder = overtaken(office, "claim/due-", lambda: office.run("due"))
    assert pipeline.take_up(responder) == ()
