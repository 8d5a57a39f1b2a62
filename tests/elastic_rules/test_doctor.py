"""`tourniquet elastic doctor`: each fault is found, named with its remedy, and escalated; a sound cluster gives none."""

from __future__ import annotations

import json
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any, Dict, List, Mapping, Optional

import pytest

from responders.elastic.doctor import integrations, keys, licence, rules, versions
from responders.elastic.doctor.finding import ERROR, NOTE, OK, WARNING, Finding, Scene
from responders.elastic.doctor.integrations import satisfies
from responders.elastic.doctor.versions import parsed
from responders.elastic.kibana import Kibana
from responders.settings import Secret
from tests.elastic_rules.conftest import SHIPPED, SOME, Office, rules_of
from tests.kibana.server import Key, SmallKibana

NOW = datetime(2026, 3, 1, 12, 0, tzinfo=timezone.utc)
RULES = rules_of((SHIPPED / "rules.ndjson").read_text(encoding="utf-8"), SOME)


class Told:
    """An Elasticsearch that gives what a test says; the real one knows neither other licences nor other versions."""

    def __init__(self, answers: Mapping[str, Any]) -> None:
        self.answers = answers

    def call(self, method: str, path: str, body: Any = None, *, query: Optional[Mapping[str, str]] = None) -> Any:
        return self.answers[path]


def scene(kibana: Optional[Kibana] = None, there: Mapping[str, Any] = {}, answers: Mapping[str, Any] = {}) -> Scene:
    return Scene(Told(answers), kibana, RULES, there, (), NOW)  # type: ignore[arg-type]


def installed(**changes: Any) -> Dict[str, Dict[str, Any]]:
    """Our rules, enabled, having succeeded a moment ago, but for what is given."""
    last = {"date": "2026-03-01T11:59:30.000Z", "status": "succeeded", "message": "", "metrics": {}, "status_order": 0}
    more = {"enabled": True, "updated_at": "2026-03-01T10:00:00Z", "execution_summary": {"last_execution": last}}
    return {rule["rule_id"]: {**rule, **more, **changes} for rule in RULES}


def ran(status: str, ago: float, message: str = "") -> Dict[str, Any]:
    date = (NOW - timedelta(seconds=ago)).isoformat().replace("+00:00", "Z")
    return {"last_execution": {"date": date, "status": status, "message": message, "metrics": {}, "status_order": 0}}


def levels(found: List[Finding]) -> set[str]:
    return {finding.level for finding in found}


# -- rules ------------------------------------------------------------------------------------------------


def test_sound_rules_are_well() -> None:
    """Nothing but ok."""
    assert levels(list(rules.check(scene(there=installed())))) == {OK}


@pytest.mark.parametrize(
    ("changes", "level", "word"),
    [
        ({"execution_summary": ran("failed", 20, "Unknown index [x]")}, ERROR, "failed 20 s ago"),
        ({"execution_summary": ran("succeeded", 181)}, ERROR, "at most 180 s are allowed"),
        ({"execution_summary": ran("succeeded", 179)}, OK, "179 s ago"),
        ({"execution_summary": ran("running", 600)}, ERROR, "(running)"),
        ({"execution_summary": ran("succeeded", 400), "interval": "5m"}, OK, "400 s ago"),
        ({"execution_summary": ran("succeeded", 421), "interval": "5m"}, ERROR, "at most 420 s"),
        (
            {"execution_summary": ran("partial failure", 9, "This rule reached the maximum alert limit for the run.")},
            ERROR, "found more than its 1000 alerts",
        ),
        ({"execution_summary": ran("partial failure", 9, "odd")}, WARNING, "with a warning: odd"),
        ({"execution_summary": {}}, ERROR, "is enabled and never ran"),
        ({"execution_summary": {}, "updated_at": "2026-03-01T11:59:00Z"}, NOTE, "has not run yet"),
        ({"execution_summary": {"last_execution": {"date": "x"}}}, ERROR, "never ran"),
        ({"version": 1}, WARNING, "is version 1"),
        ({"query": "FROM x"}, WARNING, "was edited in Kibana"),
        ({"exceptions_list": [{"list_id": "x"}]}, NOTE, "has exceptions"),
        ({"enabled": False}, ERROR, "are disabled and see nothing"),
    ],
)  # fmt: skip
def test_a_rule_that_does_not_work_is_found(changes: Dict[str, Any], level: str, word: str) -> None:
    """Failed, silent, stuck, truncated, never run, old, edited, excepted, disabled: with what to do."""
    found = [one for one in rules.check(scene(there=installed(**changes))) if word in one.what]
    assert levels(found) == {level}
    assert level in (OK, NOTE) or all(one.remedy for one in found)


def test_rules_that_are_not_there_are_named() -> None:
    """All of them: an error. Some: a warning."""
    assert levels(list(rules.check(scene()))) == {ERROR}
    some = installed()
    some.pop(RULES[0]["rule_id"])
    (found,) = (one for one in rules.check(scene(there=some)) if one.level != OK)
    assert (found.level, RULES[0]["name"] in found.what) == (WARNING, True)


def test_one_disabled_source_is_a_note() -> None:
    """A customer without that source has it so on purpose."""
    some = installed()
    some[RULES[0]["rule_id"]]["enabled"] = False
    (found,) = (one for one in rules.check(scene(there=some)) if one.level != OK)
    assert (found.level, found.about) == (NOTE, "disabled")


# -- licence, versions, integrations ----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("kind", "lacks"), [("basic", 3), ("standard", 3), ("gold", 2), ("platinum", 1), ("enterprise", 0), ("trial", 0)]
)
def test_a_licence_is_told_with_what_it_lacks(kind: str, lacks: int) -> None:
    """Webhook from Gold, suppression from Platinum, Workflows from Enterprise; none of it is an error."""
    found = list(licence.check(scene(answers={"/_license": {"license": {"type": kind, "status": "active"}}})))
    assert [one.level for one in found] == [OK] + [NOTE] * lacks


def test_a_licence_that_ends_is_told() -> None:
    """Within two weeks a warning, over: an error."""
    soon = {"type": "gold", "status": "active", "expiry_date_in_millis": int((NOW.timestamp() + 86400) * 1000)}
    assert WARNING in levels(list(licence.check(scene(answers={"/_license": {"license": soon}}))))
    over = {"type": "gold", "status": "expired"}
    assert levels(list(licence.check(scene(answers={"/_license": {"license": over}})))) == {ERROR}


@pytest.mark.parametrize(
    ("number", "level"), [("8.19.0", OK), ("8.18.9", ERROR), ("9.0.3", ERROR), ("9.1.0", OK), ("10.0.0", OK)]
)
def test_versions_are_held_against_the_least_that_rules_need(
    kibana: SmallKibana, client: Kibana, number: str, level: str
) -> None:
    """LOOKUP JOIN came with 8.19 and 9.1; a red cluster and a Kibana that is not available are errors."""
    nodes = {"a": {"version": number}, "b": {"version": "10.0.0"}}
    answers: Dict[str, Any] = {"/_nodes/_all/none": {"nodes": nodes}, "/_cluster/health": {"status": "green"}}
    found = {one.about: one.level for one in versions.check(scene(client, answers=answers))}
    assert found == {"Elasticsearch": level, "Kibana": OK}
    kibana.level = "critical"
    answers["/_cluster/health"] = {"status": "red"}
    told = [one.what for one in versions.check(scene(client, answers=answers))]
    assert any("red" in what for what in told)
    assert any("critical" in what for what in told)


@pytest.mark.parametrize(
    ("ends", "level"), [(None, OK), (NOW + timedelta(days=30), OK), (NOW + timedelta(days=1), WARNING), (NOW, ERROR)]
)
def test_a_key_that_ends_takes_its_rules_with_it(ends: Optional[datetime], level: str) -> None:
    """Rules run with the key that imported them."""
    key = {"name": "import", "expiration": ends and int(ends.timestamp() * 1000)}
    answers = {
        "/_security/_authenticate": {"authentication_type": "api_key", "api_key": {"id": "k1"}},
        "/_security/api_key": {"api_keys": [key]},
    }
    assert [one.level for one in keys.check(scene(answers=answers))] == [level]
    assert list(keys.check(scene(answers={"/_security/_authenticate": {"authentication_type": "realm"}}))) == []


def test_integrations_are_held_against_what_rules_need(kibana: SmallKibana, client: Kibana) -> None:
    """Absent: a warning. Too old: an error. Rules that are off need none. Fleet that can't be read is told."""
    kibana.packages.update(okta="2.4.9", aws="3.0.0", hashicorp_vault="1.28.0")
    found = {one.about: one.level for one in integrations.check(scene(client, installed()))}
    assert found == {"okta": ERROR, "aws": OK, "hashicorp_vault": OK, "azure": WARNING}
    assert list(integrations.check(scene(client, installed(enabled=False)))) == []
    kibana.keys["k"] = Key("reader", frozenset({"rules:read"}))
    with Kibana(kibana.url, key=Secret("k")) as reader:
        (told,) = integrations.check(scene(reader, installed()))
    assert (told.level, "can't be read" in told.what, "Integrations: Read" in told.remedy) == (WARNING, True, True)


def test_versions_compare_by_number() -> None:
    """1.10 is later than 1.9; a caret stays within one major version."""
    assert parsed("8.19.2-SNAPSHOT") == (8, 19, 2)
    assert satisfies("1.10.0", ">=1.9.0")
    assert satisfies("2.0.0", ">=1.9")
    assert not satisfies("2.0.0", "^1.9.0")
    assert not satisfies("1.8.9", ">=1.9.0")
    assert satisfies("1.9.0", "1.9.0")
    assert not satisfies("1.9.1", "1.9.0")


# -- the whole, over the real Elasticsearch ---------------------------------------------------------------


def _now(office: Office, status: str = "succeeded", ago: float = 5, message: str = "") -> None:
    at = datetime.now(timezone.utc) - timedelta(seconds=ago)
    for rule_id in office.kibana.rules.rules:
        office.kibana.rules.executed(rule_id, status, at, message)


def _told(office: Office, expected: int) -> str:
    """All that the doctor says; with its exit code."""
    code, rows = office.rows("doctor")
    assert code == expected
    return "\n".join(row["what"] for row in rows)


def _fill(office: Office, rows: List[Dict[str, Any]]) -> None:
    index = f"tourniquet-accounts-{office.namespace}-1"
    office.server.bulk((index, str(number), row) for number, row in enumerate(rows))


@pytest.mark.engine("elasticsearch")
def test_a_sound_cluster_and_each_fault_in_it(office: Office) -> None:
    """After an import all is well but for an empty lookup and silent sources; then a double key, a lost field, an index."""
    office.kibana.packages.update(okta="3.0.0", aws="3.0.0", hashicorp_vault="2.0.0", azure="1.20.0")
    assert office.run("import", "--enable", "all")[0] == 0
    _now(office)
    code, rows = office.rows("doctor")
    assert code == 0, [row for row in rows if row["level"] == "error"]
    assert {(row["check"], row["level"]) for row in rows} >= {
        ("licence", "ok"),
        ("schema", "ok"),
        ("rule", "ok"),
        ("lag", "warning"),
    }
    assert all(row["remedy"] for row in rows if row["level"] in ("warning", "error"))
    _fill(office, [{"tq_account": "okta:a:1", "tq_identity": "ida"}])
    assert "holds 1 rows, each key once" in _told(office, 0)
    twice = [{"tq_account": "okta:a:1"}, {"tq_account": "okta:a:1"}, {"tq_identity": "bo"}, {"tq_account": ["a", "b"]}]
    _fill(office, twice)
    said = _told(office, 1)
    assert "okta:a:1 (2 times)" in said
    assert "1 rows without tq_account, 1 with several" in said
    held = office.kibana.rules.rules[office.rules()[0]["rule_id"]]
    held["required_fields"].append({"name": "okta.nothing", "type": "keyword", "ecs": False})
    assert "lacks okta.nothing (keyword)" in _told(office, 1)
    office.server.delete([f"tourniquet-watch-{office.namespace}-1"])
    assert "is not there: the rules that read it fail" in _told(office, 1)
    office.kibana.requests.clear()


@pytest.mark.engine("elasticsearch")
def test_events_that_come_late_are_found(office: Office) -> None:
    """Okta's rules allow five minutes; events that came an hour late would split a burst."""
    office.run("import", "--enable", "okta")
    _now(office)
    index = f"logs-okta.system-{office.namespace}"
    now = datetime.now(timezone.utc).replace(microsecond=0)
    try:
        for late, level in ((30, "ok"), (3600, "error")):
            times = {"@timestamp": (now - timedelta(seconds=late)).isoformat(), "event": {"ingested": now.isoformat()}}
            office.server.call("PUT", f"/{index}/_doc/{late}", times, query={"refresh": "true"})
            (found,) = (row for row in office.rows("doctor")[1] if row["check"] == "lag")
            assert found["level"] == level, found
    finally:
        office.server.delete([index])


@pytest.mark.engine("elasticsearch")
def test_errors_escalate_once_an_hour(office: Office, tmp_path: Path) -> None:
    """By the channels of the settings, with what to do; the same again is not sent again, another error is."""
    office.run("import", "--enable", "all")
    _now(office, "failed", message="boom")
    sent, state = tmp_path / "sent.jsonl", tmp_path / "state.json"
    settings = _settings(tmp_path, sent)
    more = ("--escalate", "--settings", str(settings), "--state", str(state))
    assert office.run("doctor", *more)[0] == 1
    (report,) = map(json.loads, sent.read_text().splitlines())
    assert report["loud"] is True
    assert any("boom" in item for item in report["open_items"])
    _now(office, "failed", ago=50, message="boom")
    office.run("doctor", *more)
    assert len(sent.read_text().splitlines()) == 1
    _now(office, "failed", message="another")
    office.run("doctor", *more)
    assert len(sent.read_text().splitlines()) == 2
    _now(office)
    assert office.run("doctor", *more)[0] == 0
    _now(office, "failed", message="another")
    office.run("doctor", *more)
    assert len(sent.read_text().splitlines()) == 3


@pytest.mark.engine("elasticsearch")
def test_a_kibana_that_is_gone_escalates_too(office: Office, tmp_path: Path) -> None:
    """What can't be looked at may be broken: exit code 1, and a report."""
    sent = tmp_path / "sent.jsonl"
    where = ("--url", "http://127.0.0.1:9", "--escalate", "--settings", str(_settings(tmp_path, sent)))
    code, said = office.run("doctor", *where)
    assert code == 1
    assert "its rules can't be read" in said
    assert len(sent.read_text().splitlines()) == 1


def _settings(folder: Path, sent: Path) -> Path:
    key, file, inventory = folder / "journal.key", folder / "settings.json", folder / "inventory.csv"
    key.write_text("k" * 64)
    key.chmod(0o600)
    inventory.write_text("id\n")
    file.write_text(json.dumps({
        "connections": [], "journal": {"path": str(folder / "journal"), "key": {"file": str(key)}},
        "inventory": str(inventory), "escalation": [{"type": "file", "path": str(sent)}],
    }))  # fmt: skip
    return file
