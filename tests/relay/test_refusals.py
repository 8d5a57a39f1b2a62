"""What a relay refuses, whoever signed it: nothing reaches the vendor, it is logged loudly, and people are told."""

from __future__ import annotations

import io
import json
import sqlite3
import time
from pathlib import Path
from typing import Any, Dict, Iterator, List

import pytest
from hypothesis import given
from hypothesis import strategies as st

from responders.actions.vault.restrict_paths import deny_all, quarantine_name
from responders.drill.simulators.cyberark import ALL_RIGHTS
from responders.drill.world import World
from responders.surfaces.relay.config import load_config
from responders.surfaces.relay.rule import Broken
from responders.surfaces.relay.rules import RULES, rule_for
from responders.surfaces.relay.run import Relay
from responders.vendors import relay_wire as wire
from tests.relay.premises import KEY, NAME, Inline, relay_file

pytestmark = pytest.mark.engine("openbao")
ROOT = Path(__file__).resolve().parent.parent.parent
DISABLE = ("cyberark", "POST", "/API/Users/{}/disable/")


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    with World(tmp_path_factory.mktemp("world")) as found:
        yield found


@pytest.fixture
def relay(shared: World, tmp_path: Path) -> Iterator[Inline]:
    with Inline(shared, tmp_path, never=["4711", "Boss"], changes_an_hour=5) as found:
        yield found


def changes(world: World) -> List[str]:
    """Changes that reached CyberArk."""
    return [f"{r.method} {r.path}" for r in world.cyberark.requests if r.method != "GET" and "/auth/" not in r.path.lower()]


def asleep(world: World, name: str) -> str:
    """A user whom somebody disabled before."""
    user = world.cyberark.add_user(name)
    world.cyberark.state["users"][user]["enabled"] = False
    return user


def kind(answer: Any) -> str:
    return str(answer.get("error", {}).get("kind", "done"))


REFUSED: Dict[str, Dict[str, Any]] = {
    "signed with another key": {"key": "f" * 64},
    "issued in the future": {"issued": 60.0},
    "lives for an hour": {"life": 3600.0},
    "for another relay": {"relay": "dc2"},
    "for a tenant it does not serve": {"tenant": "other"},
    "a body where none belongs": {"body": {"password": "x"}},
    "a query where none belongs": {"query": {"force": "1"}},
}


@pytest.mark.parametrize("more", REFUSED.values(), ids=REFUSED)
def test_refused_and_told(more: Dict[str, Any], relay: Inline, shared: World) -> None:
    """Forged, untimely, or not ours: the answer says so, CyberArk hears nothing, and people do."""
    user = shared.cyberark.add_user("victim")
    before = changes(shared)
    answer = relay.ask(*DISABLE, user, **more)
    assert kind(answer) == "Forbidden" and "refused" in answer["error"]["message"]
    assert changes(shared) == before
    assert shared.cyberark.state["users"][user]["enabled"] is True
    (line,) = [json.loads(line) for line in relay.told.log.getvalue().splitlines() if "REFUSED" in line]
    assert line["level"] == "error" and KEY not in relay.told.log.getvalue()
    assert len(relay.told.people()) == 1 and "refused" in relay.told.people()[0]


def test_an_expired_request_is_refused_without_an_alarm(relay: Inline, shared: World) -> None:
    """A relay that was away finds what nobody waits for any more."""
    answer = relay.ask(*DISABLE, shared.cyberark.add_user("victim"), issued=-60.0)
    assert kind(answer) == "Forbidden" and "expired" in answer["error"]["message"]
    assert not relay.told.people()


def test_a_changed_text_is_no_signed_text(relay: Inline, shared: World) -> None:
    """The signature is of the whole text: another id in it is another request."""
    mine, other = shared.cyberark.add_user("mine"), shared.cyberark.add_user("other")
    text, mac = relay.signed(*DISABLE, mine)
    assert kind(relay.hand(text.replace(f'"{mine}"', f'"{other}"'), mac)) == "Forbidden"
    assert shared.cyberark.state["users"][other]["enabled"] is True


def test_played_back_also_after_a_restart(shared: World, tmp_path: Path) -> None:
    """A signed request is carried out once, though the relay was started anew in between."""
    user = shared.cyberark.add_user("victim")
    with Inline(shared, tmp_path) as first:
        text, mac = first.signed(*DISABLE, user)
        assert kind(first.hand(text, mac)) == "done"
    before = changes(shared)
    with Inline(shared, tmp_path) as again:
        answer = again.hand(text, mac)
        assert kind(answer) == "Forbidden" and "played back" in answer["error"]["message"]
        assert again.told.people()
    assert changes(shared) == before


OFF_LIST = [
    ("vault", "GET", "/kv/data/{}", ("payments",), {}),
    ("vault", "GET", "/sys/mounts", (), {}),
    ("vault", "POST", "/auth/token/create", (), {"body": {"policies": ["root"]}}),
    ("cyberark", "POST", "/API/Accounts/{}/Password/Retrieve", ("1",), {}),
    ("cyberark", "POST", "/API/Users", (), {"body": {"username": "me"}}),
    ("okta", "POST", "/api/v1/users/{}/lifecycle/suspend", ("1",), {}),
    # The path is on the list, the escaped slash would make another one of it.
    ("vault", "GET", "/{}/config/{}", ("sys", "auditing"), {}),
    ("vault", "GET", "/{}/cert/{}", ("kv/data", "../payments"), {}),
    ("vault", "DELETE", "/auth/{}/users/{}", ("userpass", "a/../../x"), {}),
    ("vault", "GET", "/sys/policies/acl/{}", ("../../kv/data/payments",), {}),
    ("cyberark", "GET", "/API/Users/{}", ("1/../../Accounts/1",), {}),
    ("cyberark", "GET", "/API/Users/{}", ("..",), {}),
]


@pytest.mark.parametrize(("vendor", "method", "template", "ids", "more"), OFF_LIST)
def test_off_the_list(
    vendor: str, method: str, template: str, ids: Any, more: Dict[str, Any], relay: Inline, shared: World
) -> None:
    """What no action asks for is refused, with a good signature too."""
    assert kind(relay.ask(vendor, method, template, *ids, **more)) == "Forbidden"
    assert relay.told.people()


GIVES = [
    ("cyberark", "POST", "/API/Users/{}/enable/", ("USER",), {}),
    ("cyberark", "POST", "/API/UserGroups/{}/Members", ("27",), {"memberId": "mallory", "memberType": "vault"}),
    (
        "cyberark", "POST", "/API/Safes/{}/Members", ("safe",),
        {"memberName": "mallory", "memberType": "User", "permissions": {"retrieveAccounts": True}},
    ),
    ("cyberark", "POST", "/API/LiveSessions/{}/Resume", ("s-1",), {}),
    ("vault", "POST", "/identity/entity/id/{}", ("ENTITY",), {"disabled": False}),
    ("vault", "POST", "/identity/entity/id/{}", ("ENTITY",), {"policies": ["app", "tourniquet"]}),
    ("vault", "POST", "/identity/entity/id/{}", ("ENTITY",), {"policies": [], "disabled": True}),
    ("vault", "POST", "/sys/policies/acl/{}", ("app",), {"policy": deny_all({"kv/data/*"})}),
    (
        "vault", "POST", "/sys/policies/acl/{}", (quarantine_name("x"),),
        {"policy": 'path "*" {\n  capabilities = ["deny"]\n}\npath "kv/*" { capabilities = ["read"] }\n'},
    ),
    ("vault", "DELETE", "/sys/policies/acl/{}", ("app",), None),
]  # fmt: skip


@pytest.mark.parametrize(("vendor", "method", "template", "ids", "body"), GIVES)
def test_it_gives_nothing_that_it_did_not_take(
    vendor: str, method: str, template: str, ids: Any, body: Any, relay: Inline, shared: World
) -> None:
    """Who holds the key can't use the relay to enable, promote or free anybody."""
    made = {
        "USER": lambda: asleep(shared, "sleeper"),
        "ENTITY": lambda: shared.add_person(f"p{len(shared.people)}", vendors=("vault",)).entity,
    }
    real = [made[item]() if item in made else item for item in ids]
    answer = relay.ask(vendor, method, template, *real, body=body)
    assert kind(answer) == "Forbidden", answer
    assert relay.told.people()


def test_it_gives_back_once_and_the_same(relay: Inline, shared: World) -> None:
    """A user that it disabled is enabled once; one whom somebody else had disabled is not."""
    user, sleeper = shared.cyberark.add_user("worker"), asleep(shared, "sleeper2")
    enable = ("cyberark", "POST", "/API/Users/{}/enable/")
    assert [kind(relay.ask(*DISABLE, one)) for one in (user, sleeper)] == ["done", "done"]
    assert kind(relay.ask(*enable, sleeper)) == "Forbidden"
    assert kind(relay.ask(*enable, user)) == "done"
    shared.cyberark.state["users"][user]["enabled"] = False
    assert kind(relay.ask(*enable, user)) == "Forbidden", "it was given back already"


def test_more_rights_in_a_safe_are_not_given_back(relay: Inline, shared: World) -> None:
    """What was noted at the removal is the measure, not what the request says."""
    shared.cyberark.add_account("root-x", "safe-x")
    shared.cyberark.add_member("safe-x", "xenia", {"retrieveAccounts": False})
    (member,) = [m for m in relay.relay.clients.get("cyberark", "default").items("/API/Safes/{}/Members", ids=("safe-x",))  # type: ignore[union-attr]
                 if m["memberName"] == "xenia"]  # fmt: skip
    body = {"memberName": "xenia", **{k: member[k] for k in ("memberType", "permissions") if k in member}}
    assert kind(relay.ask("cyberark", "DELETE", "/API/Safes/{}/Members/{}/", "safe-x", "xenia")) == "done"
    add = ("cyberark", "POST", "/API/Safes/{}/Members", "safe-x")
    assert kind(relay.ask(*add, body={**body, "permissions": {"retrieveAccounts": True}})) == "Forbidden"
    assert kind(relay.ask(*add, body=body)) == "done"


def test_a_password_is_the_relays_own(relay: Inline, shared: World) -> None:
    """The one in the request is known to whoever signed it: it is not the one that Vault gets."""
    person, bao = shared.add_person("resetme", vendors=("vault",)), shared.bao
    assert bao is not None
    template = "/auth/{}/users/{}/password"
    assert kind(relay.ask("vault", "POST", template, "userpass", person.name, body={"password": "known-to-all"})) == "done"
    for password in ("known-to-all", person.password):
        with pytest.raises(Exception, match=r"400|invalid|username"):
            bao.request("POST", f"auth/userpass/login/{person.name}", {"password": password})


def test_protected_ids_and_its_own(relay: Inline, shared: World) -> None:
    """relay.never is the premises' own word; and a relay can't be made to disable itself."""
    (own,) = [u for u, about in shared.cyberark.state["users"].items() if about["username"] == "tourniquet"]
    for protected in ("4711", own):
        assert kind(relay.ask(*DISABLE, protected)) == "Forbidden"
    for name in ("tourniquet", "TOURNIQUET", "Tourniquet ", "ｔourniquet"):
        assert kind(relay.ask("cyberark", "DELETE", "/API/UserGroups/{}/members/{}/", "27", name)) == "Forbidden", name
    boss = shared.cyberark.add_user("boss")
    assert kind(relay.ask(*DISABLE, boss)) == "Forbidden", "protected by name, called by id"
    assert shared.cyberark.state["users"][boss]["enabled"] is True
    for written in ("04711", "+4711", "4711 ", "4711.0"):
        assert kind(relay.ask(*DISABLE, written)) == "Forbidden", written
    assert shared.cyberark.state["users"][own]["enabled"] is True


def test_the_hours_changes(relay: Inline, shared: World, tmp_path: Path) -> None:
    """Five changes, then none: retryable, with the time; people hear of it; reads go on; a restart does not reset it."""
    users = [shared.cyberark.add_user(f"many-{n}") for n in range(7)]
    answers = [relay.ask(*DISABLE, user) for user in users[:6]]
    assert [kind(a) for a in answers] == ["done"] * 5 + ["RateLimited"]
    assert answers[5]["error"]["retry_at"] > 0
    assert any("limit" in title for title in relay.told.people())
    assert kind(relay.ask("cyberark", "GET", "/API/Users/{}", users[0])) == "done"
    assert sqlite3.connect(tmp_path / "one.db").execute("SELECT count(*) FROM changes").fetchone() == (5,)


def test_answers_hold_what_is_read_and_no_more(relay: Inline, shared: World) -> None:
    """A user's mail, an account's platform, a token's id or display name stay on the premises; a change answers nothing."""
    user = shared.cyberark.add_user("private")
    found = relay.ask("cyberark", "GET", "/API/Users/{}", user)["ok"]["body"]
    assert set(found) <= {"id", "username", "enableUser", "vaultAuthorization", "groupsMembership"}
    person, bao = shared.add_person("tokened", vendors=("vault",)), shared.bao
    assert bao is not None
    accessor = bao.request("POST", "auth/token/lookup", {"token": person.held["vault token"]})["data"]["accessor"]
    found = relay.ask("vault", "POST", "/auth/token/lookup-accessor", body={"accessor": accessor})["ok"]["body"]["data"]
    assert set(found) <= {"entity_id", "policies", "identity_policies", "path", "creation_time"}
    assert relay.ask(*DISABLE, user)["ok"]["body"] is None


json_like = st.recursive(
    st.none() | st.booleans() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=6,
)
FIELDS = sorted(wire.Ask.__dataclass_fields__)


@given(doc=st.dictionaries(st.sampled_from(FIELDS), json_like))
def test_no_signed_nonsense_breaks_it(doc: Dict[str, Any]) -> None:
    """Who holds the key may sign anything: it is read as a request, or refused by an error that says so."""
    whole = {**dict.fromkeys(FIELDS), **doc}
    for text in (json.dumps(doc), json.dumps(whole)):
        try:
            wire.read_ask(text)
        except (ValueError, RecursionError):
            continue


known = [(vendor, rule) for vendor, rules in RULES.items() for rule in rules]


@given(which=st.sampled_from(known), ids=st.lists(st.text(max_size=12), max_size=2), body=json_like)
def test_an_id_never_becomes_a_path(which: Any, ids: List[str], body: Any) -> None:
    """Whatever the ids are: let through, no part of one is a dot segment, and none but a mount has a slash."""
    vendor, rule = which
    ask = wire.Ask("i", "dc1", vendor, "t", False, 0, 1, rule.what, rule.method, rule.template, tuple(ids), None, body)
    try:
        rule_for(ask)
    except Broken:
        return
    for number, text in enumerate(ids):
        assert not {".", "..", ""} & set(text.split("/"))
        assert "/" not in text or (vendor == "vault" and number == 0 and rule.template.startswith(("/{}/", "/auth/{}/")))


def test_no_rule_without_an_action() -> None:
    """What no action or readiness check sends any more is no longer let through."""
    sources = [path for folder in ("actions", "readiness") for path in (ROOT / "responders" / folder).rglob("*.py")]
    text = "\n".join(path.read_text() for path in sources)
    built = {"/API/Accounts/{}/Change", "/API/Accounts/{}/Reconcile"}  # of the action's own verb
    assert 'verb = "Change"' in text and 'verb = "Reconcile"' in text
    assert [rule.template for _, rule in known if f'"{rule.template}"' not in text and rule.template not in built] == []


def test_the_second_credential_is_the_relays(shared: World, tmp_path: Path) -> None:
    """For a privileged identity the relay signs in with its second credential; Splunk only says which is meant."""
    shared.cyberark.add_user("tourniquet2", password="second-secret-value", rights=ALL_RIGHTS)
    user = shared.cyberark.add_user("chief")
    path = relay_file(shared, tmp_path, "http://127.0.0.1:9", "t")
    given = json.loads(path.read_text())
    (tmp_path / "second").write_text("second-secret-value")
    (tmp_path / "second").chmod(0o600)
    cyberark = next(c for c in given["connections"] if c["vendor"] == "cyberark")
    cyberark["privileged"] = {"username": "tourniquet2", "password": {"file": str(tmp_path / "second")}}
    path.write_text(json.dumps(given))
    relay = Relay(load_config(str(path)), io.StringIO())
    try:
        for privileged, expected in ((False, "tourniquet"), (True, "tourniquet2")):
            now = time.time()
            ask = wire.Ask(
                wire.new_id(now), NAME, "cyberark", "default", privileged, now, now + 15, wire.CALL, "GET",
                "/API/Users/{}", (user,),
            )  # fmt: skip
            item = {"id": ask.id, "doc": ask.text(), "mac": wire.sign(KEY, wire.REQUEST, ask.text())}
            assert "ok" in json.loads(relay.result(item))
            (last,) = [r for r in shared.cyberark.requests if r.path.endswith(f"/Users/{user}")][-1:]
            names = {about["username"]: number for number, about in shared.cyberark.state["users"].items()}
            assert last.principal in (expected, names[expected])
    finally:
        relay.clients.close()
        relay.state.close()
