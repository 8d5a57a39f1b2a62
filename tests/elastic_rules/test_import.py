"""`tourniquet elastic import` against a small Kibana and the real Elasticsearch."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, Dict

import pytest

from responders.elastic import import_rules
from responders.elastic.import_rules import changes, pieces, read_rules, send
from responders.elastic.kibana import Kibana, KibanaError
from responders.errors import BadInput, Refused
from tests.elastic_rules.conftest import SHIPPED, SOME, Office, rules_of
from tests.kibana.server import Key, SmallKibana
from tests.kibana.store import Rules

RULES = rules_of((SHIPPED / "rules.ndjson").read_text(encoding="utf-8"), SOME)


def test_all_shipped_rules_are_taken_whatever_the_licence(client: Kibana, kibana: SmallKibana) -> None:
    """A Basic cluster takes every rule, suppression and all; they come in disabled."""
    whole = read_rules((SHIPPED / "rules.ndjson").read_text(encoding="utf-8"), "rules.ndjson")
    outcomes = send(client, changes(client, whole))
    assert [outcome.error for outcome in outcomes if outcome.error] == []
    assert len(kibana.rules.rules) == len(whole) == len(outcomes)
    assert not any(rule["enabled"] for rule in kibana.rules.rules.values())
    kibana.requests.clear()  # the description was held against the small exchanges; 97 rules of answers take seconds


@pytest.mark.engine("elasticsearch")
def test_a_first_import_makes_the_indices_and_enables_what_is_named(office: Office) -> None:
    """Indices before rules; `--enable okta` switches on the rules of that source only; a second import changes nothing."""
    code, said = office.run("import", "--enable", "okta", "--console-url", "https://console.example/")
    assert code == 0, said
    assert "5 new, 0 changed, 0 unchanged; 0 failed; 1 of 5 are enabled" in said
    held = office.kibana.rules.rules
    assert {rule["enabled"] for rule in held.values() if "Source: okta" in rule["tags"]} == {True}
    assert {rule["enabled"] for rule in held.values() if "Source: okta" not in rule["tags"]} == {False}
    about_us = [rule for rule in held.values() if "Source: tourniquet" in rule["tags"]]
    assert all(("(https://console.example)" in rule["note"]) == (rule not in about_us) for rule in held.values())
    for rule in held.values():
        assert office.server.esql(rule["query"] + " | LIMIT 1001", {"match_all": {}}) == []
    revisions = {name: rule["revision"] for name, rule in held.items()}
    code, said = office.run("import")
    assert code == 0
    assert "0 new, 0 changed, 5 unchanged; 0 failed; 1 of 5 are enabled" in said
    assert {name: rule["revision"] for name, rule in held.items()} == revisions


@pytest.mark.engine("elasticsearch")
def test_an_upgrade_keeps_what_the_customer_set(office: Office) -> None:
    """Exceptions, actions, enabled, interval and tags outlive a new version; the query is the new one; the diff says so."""
    office.run("import")
    store = office.kibana.rules
    store.connectors["c1"] = ".slack"
    theirs = next(iter(store.rules.values()))
    action = {"id": "c1", "group": "default", "params": {"message": "x"}, "action_type_id": ".slack"}
    theirs.update(
        enabled=True,
        actions=[action],
        exceptions_list=[store.add_list("theirs")],
        interval="7m",
        tags=[*theirs["tags"], "us"],
    )
    before = json.loads(json.dumps(theirs))
    newer = [{**rule, "version": rule["version"] + 1, "query": rule["query"] + "\n| WHERE true"} for rule in office.rules()]
    office.write(newer)
    code, said = office.run("import", "--dry-run")
    assert code == 0
    assert "0 new, 4 changed, 1 unchanged; nothing was changed" in said
    assert "kept: interval 7m" in said
    assert store.rules[before["rule_id"]] == before
    code, said = office.run("import")
    assert code == 0, said
    after = store.rules[before["rule_id"]]
    for name in ("enabled", "actions", "exceptions_list", "interval", "tags", "id"):
        assert after[name] == before[name], name
    assert after["version"] == before["version"] + 1
    assert after["query"].endswith("WHERE true")


@pytest.mark.engine("elasticsearch")
def test_a_dry_run_changes_nothing(office: Office) -> None:
    """Neither in Kibana nor in Elasticsearch; as JSON too."""
    code, rows = office.rows("import", "--dry-run")
    assert code == 0
    assert [row["what"] for row in rows if "rule" in row] == ["new"] * 5
    assert {row["what"] for row in rows if "index" in row} == {"made"}
    assert office.kibana.rules.rules == {}
    made = json.loads((office.folder / "indices.json").read_text())["requests"][0]["path"]
    assert office.server.call("GET", "/_resolve/index" + made + "*")["indices"] == []


@pytest.mark.engine("elasticsearch")
def test_a_lookup_that_was_filled_anew_is_left_alone(office: Office) -> None:
    """Its alias leads to another index by then: a second index behind it would fail every rule that joins it."""
    office.run("import")
    accounts = f"tourniquet-accounts-{office.namespace}"
    columns = json.loads((office.folder / "indices.json").read_text())["requests"][1]["body"]
    office.server.call("PUT", f"/{accounts}-2", {**columns, "aliases": {}})
    moves = [
        {"remove": {"index": f"{accounts}-1", "alias": accounts}},
        {"add": {"index": f"{accounts}-2", "alias": accounts}},
    ]
    try:
        office.server.call("POST", "/_aliases", {"actions": moves})
        office.server.delete([f"{accounts}-1"])
        code, said = office.run("import")
        assert code == 0, said
        assert list(office.server.call("GET", f"/{accounts}")) == [f"{accounts}-2"]
    finally:
        office.server.delete([f"{accounts}-2"])
        office.server.create(f"{accounts}-1", {})


@pytest.mark.engine("elasticsearch")
def test_a_field_is_added_and_another_type_stops_the_import(office: Office) -> None:
    """A missing field is added to the schema index. One of another type is told, and no rule is imported."""
    requests = json.loads((office.folder / "indices.json").read_text())
    schema = requests["requests"][0]
    office.server.call("PUT", schema["path"], {"mappings": {"properties": {"okta": {"type": "object"}}}})
    code, said = office.run("import")
    assert code == 0
    assert "extended by" in said
    schema["body"]["mappings"]["properties"]["user"]["properties"]["id"] = {"type": "long"}
    (office.folder / "indices.json").write_text(json.dumps(requests))
    office.kibana.rules.rules.clear()
    code, said = office.run("import")
    assert code == 1
    assert "user.id is keyword, not long" in said
    assert office.kibana.rules.rules == {}


def test_a_row_that_kibana_refuses_is_told_by_its_rule(client: Kibana, kibana: SmallKibana) -> None:
    """The others go in. A missing exception list and a missing connector are errors of their rule."""
    send(client, changes(client, RULES))
    first, second = (kibana.rules.rules[rule["rule_id"]] for rule in RULES[:2])
    first["exceptions_list"] = [{"id": "x", "list_id": "gone", "type": "detection", "namespace_type": "single"}]
    second["actions"] = [{"id": "gone", "group": "default", "params": {}, "action_type_id": ".slack"}]
    newer = [{**rule, "version": rule["version"] + 1} for rule in RULES]
    errors = {outcome.change.rule["rule_id"]: outcome.error for outcome in send(client, changes(client, newer))}
    assert "references a non existent exception list" in errors[RULES[0]["rule_id"]]
    assert "missing action IDs: gone" in errors[RULES[1]["rule_id"]]
    assert [error for name, error in errors.items() if name not in (RULES[0]["rule_id"], RULES[1]["rule_id"])] == ["", ""]


@pytest.mark.parametrize(
    ("answer", "word"),
    [
        ({"success": True, "success_count": 4, "rules_count": 3, "errors": []}, "counts 3 rules of 4"),
        ({"success": False, "success_count": 0, "rules_count": 4, "errors": []}, "did not take the import as sent"),
        ({"success": False, "rules_count": 4, "errors": [{"error": {"status_code": 400, "message": "odd"}}]}, "400 odd"),
        ({}, "counts None rules of 4"),
    ],
)
def test_an_answer_that_does_not_account_for_all_is_no_success(
    kibana: SmallKibana, client: Kibana, answer: Any, word: str
) -> None:
    """200 alone proves nothing: the counts must fit and no row may stray."""
    kibana.answer_instead.append(("_import", 200, answer))
    with pytest.raises(Refused, match=word):
        send(client, changes(client, RULES))
    kibana.requests.clear()


def test_an_import_that_did_not_happen_is_found_by_reading_back(kibana: SmallKibana, client: Kibana) -> None:
    """Kibana says yes and holds nothing."""
    empty: Dict[str, Any] = {"success": True, "success_count": 4, "rules_count": 4, "errors": []}
    kibana.answer_instead.append(("_import", 200, empty))
    assert {outcome.error for outcome in send(client, changes(client, RULES))} == {"is not in Kibana after the import"}
    kibana.requests.clear()


def test_a_big_import_goes_in_pieces(client: Kibana, kibana: SmallKibana, monkeypatch: pytest.MonkeyPatch) -> None:
    """By number and by bytes; one rule larger than the limit goes alone."""
    found = changes(client, RULES)
    monkeypatch.setattr(import_rules, "MOST_BYTES", 1)
    assert [len(piece) for piece in pieces(found)] == [1, 1, 1, 1]
    monkeypatch.setattr(import_rules, "MOST_BYTES", 10**9)
    monkeypatch.setattr(import_rules, "MOST_RULES", 3)
    assert [len(piece) for piece in pieces(found)] == [3, 1]
    send(client, found)
    assert len(kibana.rules.rules) == 4
    assert sum("_import" in entry.path for entry in kibana.requests) == 2


def test_each_space_has_its_own_rules(kibana: SmallKibana) -> None:
    """`--space team-a` imports there only, and its base path stays before it."""
    from responders.settings import Secret

    with SmallKibana(base_path="/kb") as other:
        other.spaces["team-a"] = Rules()
        with Kibana(other.url, space="team-a", key=Secret("key-of-everything")) as client:
            send(client, changes(client, RULES))
        assert (len(other.spaces["team-a"].rules), len(other.rules.rules)) == (4, 0)


def test_refusals_say_what_to_do(kibana: SmallKibana) -> None:
    """Key, privilege, space, base path, licence, redirect, no Kibana at all: each with its own remedy."""
    from responders.settings import Secret

    kibana.keys["reader"] = Key("reader", frozenset({"rules:read"}))
    cases = [
        (kibana.url, "default", "wrong", 401, "TOURNIQUET_KIBANA_API_KEY"),
        (kibana.url, "default", "", 401, "TOURNIQUET_KIBANA_API_KEY"),
        (kibana.url, "nowhere", "key-of-everything", 404, "space nowhere exists"),
        (kibana.url + "/base", "default", "key-of-everything", 404, "server.basePath"),
        ("http://127.0.0.1:9", "default", "x", 0, "check the URL"),
    ]
    for url, space, key, status, word in cases:
        with Kibana(url, space=space, key=Secret(key)) as client, pytest.raises(KibanaError, match=word) as caught:
            client.rules(["r1"])
        assert caught.value.status == status
        assert "key-of-everything" not in str(caught.value)
    with Kibana(kibana.url, key=Secret("reader")) as client, pytest.raises(KibanaError, match="Security: All"):
        client.import_rules(RULES)
    with Kibana(kibana.url, key=Secret("key-of-everything")) as client:
        for status, body, word in (
            (302, "<html>", "redirects"), (200, "<html>sign in", "is this Kibana"), (200, [1], "is this Kibana"),
            (403, {"statusCode": 403, "message": "your basic license does not support it"}, "higher licence"),
            (503, {"message": "starting"}, "try again later"), (413, "too large", "maxRuleImportPayloadBytes"),
        ):  # fmt: skip
            kibana.answer_instead.append(("_find", status, body))
            with pytest.raises(KibanaError, match=word):
                client.rules(["r1"])
    kibana.requests.clear()


@pytest.mark.parametrize(
    ("arguments", "word"),
    [
        (("--url", "http://kibana.example"), "in the clear"),
        (("--url", "https://user:secret-word@kibana.example"), "more than host and path"),
        (("--url", "kibana.example"), "is no http"),
        (("--space", "Team A"), "is no space"),
        (("--space", "../x"), "is no space"),
        (("--enable", "oktta"), "there is no source oktta"),
        (("--console-url", "https://a)[x](https://b"), "can't stand in a link"),
        (("--ca", "/nowhere.pem"), "is no file"),
        (("--api-key-file", "/nowhere"), "No such file"),
        (("--rules", "/nowhere"), "No such file"),
    ],
)
def test_wrong_arguments_are_refused_before_anything_is_sent(
    kibana: SmallKibana, capsys: pytest.CaptureFixture[str], arguments: Any, word: str
) -> None:
    """Exit code 2, what is wrong and what to give; no secret is shown."""
    from responders.surfaces.command_line.main import main

    where = ["--url", kibana.url, "--elasticsearch", "http://127.0.0.1:9", *arguments]
    assert main(["elastic", "import", *where]) == 2
    said = capsys.readouterr().err
    assert word in said
    assert "secret-word" not in said
    assert kibana.requests == []


def test_a_key_comes_from_a_file_that_is_ours_alone(tmp_path: Path) -> None:
    """Mode 0600 and one word; one that others can read is refused, and its contents are not shown."""
    from responders.elastic.access import api_key

    file = tmp_path / "key"
    file.write_text("c2VjcmV0\n")
    file.chmod(0o644)
    with pytest.raises(BadInput, match="can be read by others") as caught:
        api_key("X", str(file))
    assert "c2VjcmV0" not in str(caught.value)
    file.chmod(0o600)
    assert api_key("X", str(file)).reveal() == "c2VjcmV0"
    file.write_text("two words")
    with pytest.raises(BadInput, match="holds no API key"):
        api_key("X", str(file))


def test_files_that_are_none_of_ours_are_refused_by_line(tmp_path: Path) -> None:
    """No rule, no JSON, an empty file; and indices.json that would send anything but what it may."""
    from responders.elastic.indices import read_requests

    for text, word in (
        ('{"rule_id": "a"}\n', "rules:1"),
        (json.dumps(RULES[0]) + "\nx\n", "rules:2"),
        ("\n", "holds no rule"),
    ):
        with pytest.raises(BadInput, match=word):
            read_rules(text, "rules")
    for request in ({"method": "DELETE", "path": "/x"}, {"method": "PUT", "path": "/_cluster/settings"}, {"path": "/x"}):
        with pytest.raises(BadInput, match="no list of index requests"):
            read_requests(json.dumps({"requests": [request]}), "indices")
