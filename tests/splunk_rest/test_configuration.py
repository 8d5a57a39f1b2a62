"""Settings, policy, searches, health: checked whole before anything is written, bounded, by two people where it matters."""

from __future__ import annotations

import copy
import json
from typing import Any, Dict, List

import pytest

from responders.surfaces.assemble import read_catalogue
from tests.escalation.test_channels import Receiver
from tests.splunk_rest.office import Office, Reply

URL = "https://hooks.slack.example/services/T0/B0/secret-path-of-slack"


def settings(office: Office, **body: Any) -> Reply:
    return office.ask("carl", "POST", "settings", body)


def general(office: Office) -> Dict[str, str]:
    return office.deployment.merged("tourniquet", "tourniquet_settings").get("general", {})


# -- settings ---------------------------------------------------------------------------------------------


def test_settings_are_shown_without_secrets(office: Office) -> None:
    """Macros with their values and defaults, times, channels; of a channel's URL only that there is one."""
    settings(office, escalation=[{"name": "soc", "type": "slack", "url": URL}])
    found = office.ask("carl", "GET", "settings").body
    assert found["escalation"] == [{"name": "soc", "type": "slack", "url_stored": True, "ca_set": False}]
    assert found["macros"]["tourniquet_okta_sourcetype"]["values"] == ["OktaIM2:log"]
    assert {source["source"] for source in found["sources"]} >= {"okta", "vault"}
    assert found["journal_key"] is True
    assert URL not in json.dumps([office.deployment.confs.__repr__(), office.deployment.rows("tourniquet_journal")])
    assert office.deployment.passwords["tourniquet", "tourniquet", "escalation.soc.url"].clear == URL


def test_macros_are_written_as_search_terms(office: Office) -> None:
    """One value and several, of each kind."""
    given = {
        "tourniquet_okta_index": ["okta", "okta_old"], "tourniquet_okta_sourcetype": "OktaIM2:log",
        "tourniquet_okta_tenant": "corp", "tourniquet_own_index": "tourniquet",
    }  # fmt: skip
    assert settings(office, macros=given).status == 200
    macros = office.deployment.merged("tourniquet", "macros")
    assert macros["tourniquet_okta_index"]["definition"] == "index IN (okta, okta_old)"
    assert macros["tourniquet_okta_sourcetype"]["definition"] == 'sourcetype="OktaIM2:log"'
    assert macros["tourniquet_okta_tenant"]["definition"] == '"corp"'
    shown = office.ask("carl", "GET", "settings").body["macros"]
    assert shown["tourniquet_okta_index"]["values"] == ["okta", "okta_old"]


@pytest.mark.parametrize(
    "macros",
    [
        {"tourniquet_okta_index": "* | delete"},
        {"tourniquet_okta_index": "okta) OR (index=*"},
        {"tourniquet_okta_sourcetype": 'x" | outputlookup y | search "'},
        {"tourniquet_okta_tenant": 'a".b."'},
        {"tourniquet_okta_tenant": ["a", "b"]},
        {"tourniquet_okta_index": "`evil`"},
        {"tourniquet_okta_index": []},
        {"tourniquet_emit(2)": "search *"},
        {"tourniquet_okta_fields": "eval x=1"},
    ],
)
def test_a_macro_is_no_way_into_a_search(macros: Dict[str, Any], office: Office) -> None:
    """Only the macros of sources, only names: nothing that ends a term or adds a command."""
    before = copy.deepcopy(office.deployment.merged("tourniquet", "macros"))
    assert settings(office, macros=macros).status == 400
    assert office.deployment.merged("tourniquet", "macros") == before


@pytest.mark.parametrize(
    ("body", "place"),
    [
        ({"general": {"index": "UPPER case"}}, "body.general.index"),
        ({"general": {"unauthenticated_ingest": ["no/such"]}}, "body.general.unauthenticated_ingest"),
        ({"general": {"policy": "x"}}, "body.general.policy"),
        ({"timing": {"deadline": "soon"}}, "body.timing.deadline"),
        ({"timing": {"deadline": -1}}, "timing.deadline"),
        ({"timing": {"rechecks": [1e12]}}, "timing.rechecks"),
        ({"escalation": [{"name": "a", "type": "file", "url": URL}]}, "body.escalation[1].type"),
        ({"escalation": [{"name": "a", "type": "slack"}]}, "body.escalation[1].url"),
        ({"escalation": [{"name": "../a", "type": "slack", "url": URL}]}, "body.escalation[1].name"),
        ({"journal_key": "replace"}, "body.journal_key"),
        ({"limits": {}}, "body.limits"),
    ],
)
def test_settings_with_a_mistake_change_nothing(body: Dict[str, Any], place: str, office: Office) -> None:
    """Named with its place; also what was right in the same request is not written."""
    before = copy.deepcopy(office.deployment.confs)
    reply = settings(office, **{**body, "macros": {"tourniquet_vault_index": "vault"}})
    assert reply.status == 400
    assert any(place in error["place"] for error in reply.body["errors"]), reply
    assert URL not in json.dumps(reply.body)
    assert office.deployment.confs == before


def test_a_channel_is_taken_away_with_its_url(office: Office) -> None:
    """Stanza and secret are gone."""
    settings(office, escalation=[{"name": "soc", "type": "slack", "url": URL}])
    assert settings(office, escalation=[{"name": "soc", "remove": True}]).status == 200
    assert ("tourniquet", "tourniquet", "escalation.soc.url") not in office.deployment.passwords


def test_whoever_makes_us_blind_or_silent_is_told_of(office: Office) -> None:
    """A new channel is nobody's business; a macro, a delay, a search or the input switched off are; and the last word of a
    channel is that it is taken away."""
    office.inventory()
    settings(office, macros={"tourniquet_vault_index": "vault"})
    with Receiver() as soc:
        assert settings(office, escalation=[{"name": "soc", "type": "webhook", "url": soc.url}]).status == 200
        office.ask("carl", "POST", "searches", {"enable": True, "source": "vault"})
        assert soc.got == []
        for _ in range(2):  # the second time nothing changes
            assert settings(office, macros={"tourniquet_okta_index": "nothing"}, timing={"claim": 90}).status == 200
        office.ask("carl", "POST", "searches", {"enable": False, "source": "vault"})
        office.ask("carl", "POST", "setup", {"due_input": False})
        assert settings(office, escalation=[{"name": "soc", "remove": True}]).status == 200
        titles = [body["title"] for _, body in soc.got]
    wanted = (
        "macro tourniquet_okta_index to index=nothing",
        "searches were switched off",
        "tourniquet_due",
        "soc is taken away",
    )
    assert [word in title for word, title in zip(wanted, titles)] == [True] * 4
    assert "claim from '60' to '90'" in titles[0]
    assert len(titles) == 4
    assert all("Splunk user carl" in title for title in titles)


def test_the_journals_key_is_made_once_and_never_shown(office: Office) -> None:
    """Made when there is none, never replaced, in no answer (`ask` looks)."""
    office.deployment.passwords.pop(("tourniquet", "tourniquet", "journal_key"))
    assert settings(office, journal_key="create").body["journal_key"] is True
    made = office.deployment.passwords["tourniquet", "tourniquet", "journal_key"].clear
    assert len(made) >= 32
    assert settings(office, journal_key="create").status == 200
    assert office.deployment.passwords["tourniquet", "tourniquet", "journal_key"].clear == made


def test_the_tenant_of_splunk_users_can_be_named(office: Office) -> None:
    """With another tenant the old aliases count no more: exact, or nobody."""
    office.inventory()
    assert settings(office, general={"splunk_tenant": "splunk-eu"}).status == 200
    reply = office.ask("ida", "POST", "halt", {"halt": True, "reason": "x"})
    assert (reply.status, "splunk:splunk-eu:ida" in reply.error) == (403, True)


# -- policy -----------------------------------------------------------------------------------------------


@pytest.fixture
def editors(office: Office) -> Office:
    office.inventory()
    return office


def current(office: Office) -> Dict[str, Any]:
    found: Dict[str, Any] = office.ask("eve", "GET", "policy").body["policy"]
    return copy.deepcopy(found)


def propose(office: Office, policy: Dict[str, Any], user: str = "eve", **more: Any) -> Reply:
    return office.ask(user, "POST", "policy", {"policy": policy, "why": "quarterly review", **more})


def test_a_policy_is_proposed_by_one_and_activated_by_another(editors: Office) -> None:
    """The difference is shown; the responder uses it once a second person said yes; both are in the journal."""
    changed = current(editors)
    changed["version"] = "mine-1"
    changed["thresholds"]["human"]["revoke"] = 85
    changed["limits"]["revokes"] = 12
    reply = propose(editors, changed)
    assert reply.status == 200, reply
    assert reply.body["diff"] == ["limits.revokes: 10 becomes 12", "thresholds.human.revoke: 80 becomes 85"]
    version = reply.body["version"]
    assert general(editors)["policy"] == ""
    own = editors.ask("eve", "PUT", "policy", {"version": version, "why": "go"})
    assert (own.status, "another person" in own.error) == (403, True)
    assert editors.ask("ed", "PUT", "policy", {"version": version, "why": "agreed"}).status == 200
    found = editors.ask("vic", "GET", "policy").body
    assert (found["used"], found["policy"]["thresholds"]["human"]["revoke"]) == (version, 85)
    assert [(v["version"], v["by"], v["used"]) for v in found["versions"]] == [(version, "eve", True)]
    audit = editors.audit()
    assert [e.body["what"] for e in audit if e.kind == "audit"] == ["policy proposed", "policy activated"]
    assert "activated by ed" in next(e.body["report"]["title"] for e in audit if e.kind == "escalated")
    back = editors.ask("ed", "POST", "policy/activate", {"version": "", "why": "back to the default"})
    assert back.body["diff"] == ["limits.revokes: 12 becomes 10", "thresholds.human.revoke: 85 becomes 80"]


def test_every_mistake_of_a_policy_at_once(editors: Office) -> None:
    """By its path in the document; nothing is stored."""
    wrong = current(editors)
    wrong["thresholds"]["human"] = {"restrict": 90, "revoke": 40}
    wrong["actions"]["human"]["revoke"].append("okta.no_such_action")
    wrong["extra"] = 1
    reply = propose(editors, wrong)
    places = {error["place"] for error in reply.body["errors"]}
    assert reply.status == 400
    assert {"body.policy.thresholds.human.restrict", "body.policy.extra"} <= places
    assert any(place.startswith("body.policy.actions.human.revoke") for place in places)
    assert editors.deployment.rows("tourniquet_policy") == []


@pytest.mark.parametrize(
    ("path", "value"),
    [
        (("thresholds", "human", "restrict"), 1),
        (("thresholds", "privileged_human", "revoke"), 20),
        (("limits", "revokes"), 100000),
        (("limits", "revokes"), 0),
        (("limits", "population_share"), 1.0),
        (("limits", "never_under"), 5000),
        (("limits", "guarded"), 1000),
        (("limits", "kept_for_clicks"), 0.0),
        (("fusion", "lone_alert_for_revoke"), 0),
        (("actions", "human", "revoke"), []),
    ],
)
def test_no_policy_locks_a_company_out_or_switches_containment_off(
    path: tuple[str, ...], value: Any, editors: Office
) -> None:
    """Thresholds and blast limits have bounds that no editor, and no pair of editors, can leave."""
    wrong: Any = current(editors)
    inner = wrong
    for name in path[:-1]:
        inner = inner[name]
    inner[path[-1]] = value
    if path == ("thresholds", "privileged_human", "revoke"):
        inner["restrict"] = 20
    reply = propose(editors, wrong)
    assert reply.status == 400
    assert any(error["place"].startswith("body.policy." + ".".join(path[:2])) for error in reply.body["errors"]), reply


def test_cases_decide_before_it_is_stored(editors: Office) -> None:
    """A case that decides otherwise keeps the policy from being stored; a dry run tells all of it and stores nothing."""
    cases: List[Dict[str, Any]] = [
        {"name": "sure", "alerts": [{"confidence": 95}], "expect": {"tier": "revoke"}},
        {"name": "never", "alerts": [{"confidence": 95}], "expect": {"tier": "observe"}},
    ]
    policy = current(editors)
    told = propose(editors, policy, cases=cases, dry_run=True).body
    assert [(c["name"], c["passed"]) for c in told["cases"]] == [("sure", True), ("never", False)]
    assert told["stored"] is False
    assert propose(editors, policy, cases=cases).status == 409
    assert editors.deployment.rows("tourniquet_policy") == []
    broken = propose(editors, policy, cases=[{"alerts": [{}], "expect": {}}, {"expect": {"x": 1}, "alerts": []}])
    assert broken.status == 400
    assert broken.body["errors"]


def test_an_editor_nobody_knows_proposes_nothing(editors: Office) -> None:
    """Two accounts could be one person: each must be somebody in the inventory."""
    reply = propose(editors, current(editors), user="stranger")
    assert (reply.status, "aliases" in reply.error) == (403, True)
    editors.user("eve2", "edit_policy", identity="eve")
    editors.inventory()
    version = propose(editors, current(editors)).body["version"]
    assert editors.ask("eve2", "PUT", "policy", {"version": version, "why": "x"}).status == 403
    assert editors.ask("ed", "PUT", "policy", {"version": "20200101T000000-none", "why": "x"}).status == 404


def test_a_policy_written_past_the_interface_is_not_activated(editors: Office) -> None:
    """A document that somebody put into the collection by hand must keep the bounds, too."""
    version = propose(editors, current(editors)).body["version"]
    (doc,) = editors.deployment.rows("tourniquet_policy")
    editors.deployment.put("tourniquet_policy", {**doc, "doc": doc["doc"].replace('"revokes": 10', '"revokes": 100000')})
    reply = editors.ask("ed", "PUT", "policy", {"version": version, "why": "x"})
    assert (reply.status, "revokes" in reply.error) == (400, True)


# -- searches, health -------------------------------------------------------------------------------------


def on(office: Office) -> set[str]:
    found = office.ask("carl", "GET", "searches").body["searches"]
    return {item["name"] for item in found if item["enabled"]}


def test_a_detection_whose_log_has_no_index_stays_off_and_is_told(office: Office) -> None:
    """Nothing is named: refused, with the log's name and where to name it. Okta named: of a tier what reads Okta goes on,
    the rest is in the answer. What reads the app's own signals only needs no index. One that was switched on elsewhere is a
    problem in health, until its index is named."""
    reply = office.ask("carl", "POST", "searches", {"enable": True, "source": "okta"})
    assert (reply.status, on(office)) == (409, set())
    assert "no index is named for Okta System Log. Name it on the setup page" in reply.error
    assert office.ask("carl", "GET", "settings").body["macros"]["tourniquet_okta_index"]["values"] == []
    own = office.ask("carl", "POST", "searches", {"enable": True, "detections": ["correlation/risk_over_threshold"]})
    assert (own.status, own.body["unread"]) == (200, {})
    settings(office, macros={"tourniquet_okta_index": "okta"})
    reply = office.ask("carl", "POST", "searches", {"enable": True, "tier": "revoke"})
    assert reply.status == 200
    vault = [name for name in reply.body["unread"] if name.startswith("vault/")]
    assert vault, reply.body
    running = {item["detection"] for item in office.ask("carl", "GET", "searches").body["searches"] if item["enabled"]}
    assert running.isdisjoint(reply.body["unread"])
    assert any(name.startswith("okta/") for name in running)
    office.inventory()
    settings(office, general={"index": "tourniquet"}, macros={"tourniquet_own_index": "tourniquet"})
    assert office.ask("vic", "GET", "health").body["problems"] == []
    name = read_catalogue()[vault[0]]["name"]
    office.deployment.configure("savedsearches", f"Tourniquet - {name}", {"disabled": "0"})
    (problem,) = office.ask("vic", "GET", "health").body["problems"]
    assert "detections that run and read nothing: 1, for no index is named for HashiCorp Vault" in problem
    settings(office, macros={"tourniquet_vault_index": "vault"})
    assert office.ask("vic", "GET", "health").body["problems"] == []


def test_a_detection_is_switched_with_its_late_twin_and_the_upkeep(office: Office) -> None:
    """One detection on: its twin, and every search that keeps the lookups; off: both, and the upkeep stays."""
    settings(office, macros={"tourniquet_okta_index": "okta"})
    assert on(office) == set()
    name = read_catalogue()["okta/session_replay"]["name"]
    reply = office.ask("carl", "POST", "searches", {"enable": True, "detections": ["okta/session_replay"]})
    assert reply.status == 200, reply
    running = on(office)
    assert {f"Tourniquet - {name}", f"Tourniquet - {name} - late", "Tourniquet - watch list"} <= running
    assert not any(" - seed " in search for search in running)
    assert sum("Tourniquet - " in s and s.endswith(" - late") for s in running) == 1
    office.ask("carl", "POST", "searches", {"enable": False, "detections": ["okta/session_replay"]})
    assert "Tourniquet - watch list" in on(office)
    assert not any(name in search for search in on(office))
    office.ask("carl", "POST", "searches", {"enable": False, "upkeep": True})
    assert on(office) == set()


def test_by_source_and_by_tier(office: Office) -> None:
    """All of a source, all that may go so far."""
    listed = office.ask("carl", "GET", "settings").body["sources"]
    settings(office, macros={source["index_macro"]: "logs" for source in listed})
    office.ask("carl", "POST", "searches", {"enable": True, "source": "vault"})
    known = {str(about["name"]): key for key, about in read_catalogue().items()}
    ids = {known[s[13:]] for s in on(office) if s[13:] in known}
    assert ids == {key for key in read_catalogue() if key.startswith("vault/")}
    office.ask("carl", "POST", "searches", {"enable": True, "tier": "observe"})
    ids = {known[s[13:]] for s in on(office) if s[13:] in known}
    assert {key for key, about in read_catalogue().items() if about["max_tier"] == "observe"} <= ids


@pytest.mark.parametrize(
    "body",
    [
        {}, {"enable": True}, {"enable": "yes", "source": "okta"}, {"enable": True, "source": "no"},
        {"enable": True, "tier": "delete"}, {"enable": True, "detections": ["no/such"]},
        {"enable": True, "source": "okta", "tier": "revoke"}, {"enable": True, "search": "| delete"},
    ],
)  # fmt: skip
def test_a_switch_with_a_mistake(body: Dict[str, Any], office: Office) -> None:
    """Refused with places, and nothing is switched."""
    assert office.ask("carl", "POST", "searches", body).status == 400
    assert on(office) == set()


def test_health_names_each_problem_once(office: Office) -> None:
    """Whole: no problem. With a secret gone and the KV store starting: each is named with its remedy."""
    office.inventory()
    settings(office, general={"index": "tourniquet"}, macros={"tourniquet_own_index": "tourniquet"})
    found = office.ask("vic", "GET", "health").body
    assert found["problems"] == [], found
    assert found["kvstore"] == "ready"
    assert {c["vendor"] for c in found["connections"]} == {"okta", "entra", "cyberark"}
    del office.deployment.passwords["tourniquet", "tourniquet", "okta_main.private_key"]
    found = office.ask("vic", "GET", "health").body
    assert len(found["problems"]) == 1
    assert "okta_main.private_key" in found["problems"][0]
    assert found["searches"]["total"] > 100


def test_health_wants_an_index_where_nobody_else_writes(office: Office) -> None:
    """A signal that somebody writes himself is evidence of ours: main, and a macro that looks further, are problems."""
    office.inventory()
    problems = office.ask("vic", "GET", "health").body["problems"]
    assert len(problems) == 1
    assert "Make an index of its own" in problems[0]
    settings(office, general={"index": "tourniquet"})
    assert "macro tourniquet_own_index is index=main" in office.ask("vic", "GET", "health").body["problems"][0]
    settings(office, macros={"tourniquet_own_index": ["tourniquet", "dev"]})
    assert "Save the index once more" in office.ask("vic", "GET", "health").body["problems"][0]


def test_health_before_anything_is_set_up(office: Office) -> None:
    """A new install is told what is missing, and nothing breaks."""
    office.deployment.passwords.clear()
    office.deployment.confs["tourniquet", "tourniquet_connection"][1].clear()
    reply = office.ask("carl", "GET", "health")
    assert reply.status == 200
    assert any("journal_key" in problem for problem in reply.body["problems"])
