"""What Elastic Security is told of an alert, by which way, and that it is told in the end."""

from __future__ import annotations

import json
from typing import Any, Dict

import pytest

from responders.surfaces.service import write_back
from tests.kibana.server import SmallKibana
from tests.kibana.store import Rules
from tests.service.desk import Desk, until

pytestmark = pytest.mark.engine("elasticsearch")


def tags(desk: Desk, name: str) -> Any:
    return desk.alert(name)["kibana.alert.workflow_tags"]


def test_a_mark_keeps_what_an_analyst_set_and_never_closes_or_opens(desk: Desk) -> None:
    """His tags stay, and so does his status: an alert that he closed is not acknowledged."""
    alice, bob = desk.office.person("alice"), desk.office.person("bob")
    one = desk.document(desk.row(alice), **{"kibana.alert.workflow_tags": ["his"], "kibana.alert.workflow_status": "closed"})
    weak = desk.document(desk.row(bob, tq_confidence="20"))
    closed, watched = desk.raise_all(one, weak)
    desk.start()
    until(lambda: len(tags(desk, closed)) == 3 and tags(desk, watched))
    assert tags(desk, closed)[:2] == ["his", "tourniquet:contained"]
    assert tags(desk, closed)[2].startswith("c-")
    assert desk.alert(closed)["kibana.alert.workflow_status"] == "closed"
    assert tags(desk, watched) == ["tourniquet:observed"]
    assert desk.alert(watched)["kibana.alert.workflow_status"] == "acknowledged"


def test_an_index_that_takes_no_writes_is_written_later_and_nobody_is_contained_later_for_it(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As when its disk is full: the block is Elasticsearch's own."""
    monkeypatch.setattr(write_back, "_RETRY", (0.3,) * 50)
    person = desk.office.person("alice")
    name = desk.raised(person)
    block = {"index.blocks.read_only_allow_delete": True}
    desk.server.call("PUT", f"/{desk.index}/_settings", block)
    try:
        desk.start()
        until(lambda: desk.suspended(person))
        until(lambda: desk.counted("tourniquet_write_backs_total", result="put off") >= 2)
        assert tags(desk, name) == []
    finally:
        desk.server.call("PUT", f"/{desk.index}/_settings", {"index.blocks.read_only_allow_delete": None})
    until(lambda: "tourniquet:contained" in tags(desk, name))
    assert desk.contained() == ["alice"]


def test_two_who_change_an_alert_at_once_both_stay(desk: Desk) -> None:
    """The document is written only as it was read; else it is read again."""
    person = desk.office.person("alice")
    changed: Dict[str, bool] = {}

    def meanwhile(method: str, path: str) -> None:
        if "_update" in path and not changed:
            changed["once"] = True
            desk.server.call("POST", f"/{desk.index}/_update/{name}", {"doc": {"kibana.alert.workflow_tags": ["his"]}})
            desk.server.call("POST", f"/{desk.index}/_refresh")

    name = desk.raised(person)
    desk.front.instead = meanwhile
    desk.start()
    until(lambda: len(tags(desk, name)) == 3)
    assert tags(desk, name)[:2] == ["his", "tourniquet:contained"]


def test_through_kibana_the_alert_gets_a_note_with_the_containment_and_only_the_first_alert_of_a_finding(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its API is asked as its description says, and again when it fails. Nothing of the alert's text is in the note."""
    monkeypatch.setattr(write_back, "_RETRY", (0.2,) * 50)
    person = desk.office.person("alice")
    target = desk.front.target
    with SmallKibana(f"http://{target.netloc}") as kibana:
        kibana.spaces[desk.space] = Rules()
        kibana.answer_instead.append(("/status", 503, {"statusCode": 503, "error": "x", "message": "starting"}))
        key = desk.office._secret("kibana.key", "key-of-everything")
        desk.configure(kibana={"url": kibana.url, "api_key": {"file": key}})
        row = desk.row(person, tq_reasons=["<img src=x onerror=alert(1)>"])
        desk.start()
        [name] = desk.raise_all(desk.document(row))
        until(lambda: "tourniquet:contained" in tags(desk, name))
        [again] = desk.raise_all(desk.document(row))
        until(lambda: "tourniquet:contained" in tags(desk, again))
        [note] = kibana.notes
        assert [found for found in kibana.violations() if "503" not in found] == []  # that one is ours
    assert desk.alert(name)["kibana.alert.workflow_status"] == "acknowledged"
    assert (note["eventId"], note["space"]) == (name, desk.space)
    assert tags(desk, name)[1] in note["note"]
    assert "<" not in note["note"]
    assert "key-of-everything" not in desk.log.getvalue()


def test_a_tag_has_a_waiting_alert_contained_by_policy_alone(desk: Desk) -> None:
    """`wait_for_tag` leaves alerts alone until somebody tags one. The tag proves no person: weak evidence stays weak."""
    alice, bob, cleo = (desk.office.person(name) for name in ("alice", "bob", "cleo"))
    desk.configure(wait_for_tag="all")
    names = desk.raise_all(
        desk.document(desk.row(alice)), desk.document(desk.row(bob, tq_confidence="20")), desk.document(desk.row(cleo))
    )
    desk.start()
    until(lambda: desk.counted("tourniquet_alerts_total", by="poll", result="waits") == 3)
    assert desk.hook(names[0]).status_code == 202
    assert desk.contained() == []
    for name in names[:2]:
        change = {"doc": {"kibana.alert.workflow_tags": ["contain:approve"]}}
        desk.server.call("POST", f"/{desk.index}/_update/{name}", change, query={"refresh": "true"})
    until(lambda: desk.suspended(alice))
    until(lambda: "tourniquet:observed" in tags(desk, names[1]))
    until(lambda: "tourniquet:contained" in tags(desk, names[0]))
    assert desk.contained() == ["alice"]
    assert tags(desk, names[2]) == []


def test_a_tag_on_an_alert_that_contained_nobody_has_it_judged_once_more(desk: Desk) -> None:
    """As when the inventory gave two accounts to two: once it is right, the tag is the click."""
    person = desk.world.add_person("alice")
    okta, entra = person.account("okta"), person.account("entra")
    rows = desk.office.rows[:]
    desk.office.inventory_row("alice", accounts=okta.key)
    desk.office.inventory_row("twin", accounts=entra.key)
    desk.start()
    row = desk.row(person)
    row["tq_account"] = [okta.key, entra.key]
    [name] = desk.raise_all(desk.document(row))
    until(lambda: "tourniquet:not-contained" in tags(desk, name))
    desk.office.rows = rows
    desk.office.inventory_row("alice", accounts=f"{okta.key};{entra.key}")
    assert desk.service is not None
    desk.service.reload()
    assert desk.contained() == []
    change = {"doc": {"kibana.alert.workflow_tags": ["tourniquet:not-contained", "contain:approve"]}}
    desk.server.call("POST", f"/{desk.index}/_update/{name}", change, query={"refresh": "true"})
    until(lambda: desk.suspended(person))
    assert desk.contained() == ["alice"]


def test_an_alert_that_people_must_look_at_stays_open(desk: Desk) -> None:
    """Ambiguous: nobody was contained. Who works from the open alerts must still find it."""
    alice, bob = desk.office.person("alice"), desk.office.person("bob")
    row = desk.row(alice)
    row["tq_account"] = [alice.account("okta").key, bob.account("okta").key]
    desk.start()
    [name] = desk.raise_all(desk.document(row))
    until(lambda: tags(desk, name))
    assert tags(desk, name) == ["tourniquet:not-contained"]
    assert desk.alert(name)["kibana.alert.workflow_status"] == "open"


def test_what_is_not_wholly_contained_is_said_so_and_marked_anew_once_it_is(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A vendor is down: the alert stays open, with the containment's id. Then all holds, and it is acknowledged."""
    monkeypatch.setattr(write_back, "_RETRY", (0.3,) * 500)
    person = desk.office.person("alice")
    desk.configure(settings={"timing": {"deadline": 2, "confirm_patience": 1, "retry_due": 0.5, "rechecks": [1]}})
    desk.world.graph.down = True
    desk.start()
    [name] = desk.raise_all(desk.document(desk.row(person)))
    until(lambda: tags(desk, name))
    assert tags(desk, name)[0] == "tourniquet:open"
    assert desk.alert(name)["kibana.alert.workflow_status"] == "open"
    desk.world.graph.down = False
    until(lambda: "tourniquet:contained" in tags(desk, name), 60)
    assert "tourniquet:open" not in tags(desk, name)
    assert desk.alert(name)["kibana.alert.workflow_status"] == "acknowledged"


def test_an_alert_whose_id_holds_spaces_is_marked_like_any_other(desk: Desk) -> None:
    """Kibana writes none; whoever else may write alerts must not make us try for ever."""
    person = desk.office.person("alice")
    document = desk.document(desk.row(person))
    desk.server.bulk([(desk.index, "an id of words", document)])
    desk.start()
    until(lambda: "tourniquet:contained" in tags(desk, "an%20id%20of%20words"))
    assert not [line for line in desk.said() if "internal error" in line["message"]]


def test_the_log_is_json_and_shows_no_secret(desk: Desk) -> None:
    person = desk.office.person("alice")
    desk.start()
    desk.raised(person, tq_reasons=["line\nbreak"])
    until(lambda: desk.suspended(person))
    desk.stop()
    lines = [json.loads(line) for line in desk.log.getvalue().splitlines()]
    assert all({"@timestamp", "level", "message"} <= set(line) for line in lines)
    assert not [secret for secret in desk.office.secrets if secret in desk.log.getvalue()]
