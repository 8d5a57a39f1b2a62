"""Who may do what: each endpoint, each capability, at splunkd's door and behind it."""

from __future__ import annotations

import json
import re
from typing import Dict, Tuple

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from responders.splunk.splunkd import Splunkd as Client
from responders.splunk.splunkd import SplunkError
from responders.surfaces import splunk_settings
from responders.surfaces.splunk_rest import dispatch
from tests.splunk_rest.office import CAPABILITIES, Office, Reply

ROUTES = {f"{route.method} {'/'.join(route.path)}": route for route in dispatch.ROUTES}


def path_of(name: str) -> Tuple[str, str]:
    method, _, path = name.partition(" ")
    return method, path.replace("{}", "none")


@pytest.mark.parametrize("name", sorted(ROUTES))
def test_exactly_the_declared_capabilities_open_an_endpoint(name: str, office: Office) -> None:
    """With any one of them it is answered; with all others together it is refused, and the missing one is named."""
    method, path = path_of(name)
    wanted = {capability[len("tourniquet_") :] for capability in ROUTES[name].capabilities}
    office.user("less", *(c for c in CAPABILITIES if c not in wanted), "execute")
    refused = office.ask("less", method, path, {}, past_splunkd=True)
    assert (refused.status, refused.by) == (403, "app")
    assert all(f"tourniquet_{capability}" in refused.error for capability in wanted)
    for capability in sorted(wanted):
        office.user(f"has-{capability}", capability)
        reply = office.ask(f"has-{capability}", method, path, {}, past_splunkd=True)
        assert "lacks the capability" not in reply.error


@pytest.mark.parametrize("name", sorted(ROUTES))
def test_splunkd_and_the_app_ask_for_the_same(name: str, office: Office) -> None:
    """restmap.conf names the capabilities of every endpoint under it, and none beside; each is made by authorize.conf."""
    method, path = path_of(name)
    stanza = office.restmap[f"script:tourniquet_{path.split('/')[0]}"]
    in_conf = set(re.findall(r"\w+", stanza[f"capability.{method.lower()}"])) - {"or", "and"}
    same_door = [r for r in dispatch.ROUTES if (r.method, r.path[0]) == (method, path.split("/")[0])]
    assert in_conf == {capability for route in same_door for capability in route.capabilities}
    declared = {s.partition("::")[2] for s in office.deployment.merged("tourniquet", "authorize") if "::" in s}
    assert in_conf <= declared


def test_every_method_in_restmap_has_a_route(office: Office) -> None:
    """No door without a room: what splunkd lets in, the dispatcher knows; what a browser may reach, too."""
    heads: Dict[str, set[str]] = {}
    for route in dispatch.ROUTES:
        heads.setdefault(route.path[0], set()).add(route.method.lower())
    for stanza, keys in office.restmap.items():
        name = stanza.partition("tourniquet_")[2]
        assert {key.partition(".")[2] for key in keys if key.startswith("capability.")} == heads[name], stanza
        assert keys["match"] == f"/tourniquet/{name}"
    web = office.deployment.merged("tourniquet", "web")
    exposed: Dict[str, set[str]] = {}
    for keys in web.values():
        exposed.setdefault(keys["pattern"].split("/")[1], set()).update(
            m.strip().lower() for m in keys["methods"].split(",")
        )
        assert "skipCSRFProtection" not in keys
    relays = {"relay_poll", "relay_work"}  # with a token, at splunkd itself
    assert exposed == {name: methods for name, methods in heads.items() if name not in relays}
    below = {route.path[0] for route in dispatch.ROUTES if len(route.path) > 1} - relays
    assert {k["pattern"].split("/")[1] for k in web.values() if k["pattern"].endswith("/**")} == below


def test_nobody_without_a_role_gets_past_splunkd(office: Office) -> None:
    """A Splunk user without any of the capabilities is refused by splunkd itself, everywhere."""
    for name in ROUTES:
        assert office.ask("nil", *path_of(name), {}).by == "splunkd"


def test_the_right_is_the_sessions_not_the_bodys(office: Office) -> None:
    """A body that claims to be somebody else, or to have a capability, is refused as unknown keys; the session counts."""
    reply = office.ask("vic", "POST", "halt", {"halt": True, "reason": "x", "user": "ida"}, past_splunkd=True)
    assert reply.status == 403 and "vic" in reply.error
    reply = office.ask("ida", "POST", "halt", {"halt": True, "reason": "x", "by": "ivo", "capabilities": ["all"]})
    assert reply.status == 400
    assert {error["place"] for error in reply.body["errors"]} == {"body.by", "body.capabilities"}


def test_the_session_key_counts_not_the_name_beside_it(office: Office) -> None:
    """splunkd is asked whose key it is: a user field that says otherwise changes nothing."""
    key = office.deployment.session("vic")
    reply = office.ask("ida", "POST", "halt", {"halt": True, "reason": "x"}, key=key)
    assert reply.status == 403
    assert "vic" in reply.error


def test_a_session_that_has_ended(office: Office) -> None:
    """Refused, with what to do."""
    key = office.deployment.session("ida")
    office.deployment.expire(key)
    reply = office.ask("ida", "GET", "containments", key=key)
    assert (reply.status, reply.error) == (401, "the session has ended: sign in again")


def test_without_the_apps_own_token_nothing_is_done(office: Office) -> None:
    """A restmap.conf that lost passSystemAuth must not make the app act with the caller's rights."""
    reply = office.ask("ida", "GET", "containments", system_authtoken="")
    assert reply.status == 500
    assert "passSystemAuth" in reply.error


def roles(office: Office) -> Dict[str, set[str]]:
    """Role to all its capabilities, inherited ones too."""
    found = {s[5:]: k for s, k in office.deployment.merged("tourniquet", "authorize").items() if s.startswith("role_")}

    def of(name: str) -> set[str]:
        keys = found.get(name, {})
        mine = {key for key, value in keys.items() if value == "enabled"}
        inherited = [of(parent) for parent in keys.get("importRoles", "").split(";") if parent]
        return mine.union(*inherited)

    return {name: of(name) for name in found}


def test_roles_grow_and_separate(office: Office) -> None:
    """Viewer within responder within restorer; editors and administrators contain nobody; nobody has execute by a role."""
    have = roles(office)
    viewer, responder, restorer = (have[f"tourniquet_{r}"] for r in ("viewer", "responder", "restorer"))
    assert viewer < responder < restorer
    acting = {"tourniquet_contain_restrict", "tourniquet_contain_revoke", "tourniquet_restore"}
    for name in ("tourniquet_policy_editor", "tourniquet_admin", "admin", "sc_admin"):
        assert not acting & have[name], name
    assert "tourniquet_edit_policy" not in have["tourniquet_admin"]
    assert not any("tourniquet_execute" in held for held in have.values())


@pytest.mark.parametrize(
    ("more", "status"),
    [
        ({"payload": "halt=1", "form": [["halt", "1"]], "headers": []}, 415),
        ({"payload": "halt=1", "headers": [["Content-Type", "application/x-www-form-urlencoded"]]}, 415),
        ({"headers": [["content-type", "text/plain"]], "payload": '{"halt": true}'}, 415),
        ({"payload": "{" * 5000}, 400),
        ({"payload": '{"halt": true, "halt": false, "reason": "x"}'}, 400),
        ({"payload": "[1]"}, 400),
        ({"payload": '{"halt": NaN}'}, 400),
        ({"payload": '{"reason": "' + "x" * 9_000_000 + '"}'}, 413),
    ],
)
def test_a_body_that_is_no_clean_json(more: Dict[str, object], status: int, office: Office) -> None:
    """Forms (what another page can make a browser send), depth, duplicate keys, NaN, size: refused, and nothing is done."""
    reply: Reply = office.ask("ida", "POST", "halt", **more)  # type: ignore[arg-type]
    assert reply.status == status, reply
    assert office.ask("vic", "GET", "halt").body["halted"] == ""


@pytest.mark.parametrize("text", ["", "null", "[]", "{", '{"session": 1}', '{"headers": [1]}', "\x00"])
def test_what_is_no_request_is_answered_all_the_same(text: str, office: Office) -> None:
    """The persistent process serves everybody: nothing makes it raise."""
    answer = office.handler.handle(text)
    assert answer["status"] >= 400
    assert "error" in json.loads(answer["payload"])


def test_unknown_paths_and_methods(office: Office) -> None:
    """404 and 405 with what there is."""
    assert office.ask("vic", "GET", "containments/a/b").status == 404
    reply = office.ask("ida", "DELETE", "halt", past_splunkd=True)
    assert (reply.status, "GET, POST" in reply.error) == (405, True)


def test_bytes_are_taken_as_well(office: Office) -> None:
    """Some versions hand over bytes."""
    answer = office.handler.handle(office.in_string("vic", "GET", "halt").encode())
    assert answer["status"] == 200


def test_a_splunkd_that_is_away_is_said(office: Office) -> None:
    """No answer of splunkd: a sentence, and no internal error."""
    text = office.in_string("vic", "GET", "halt")
    office.splunkd.close()
    answer = office.handler.handle(text)
    assert answer["status"] == 503
    assert "does not answer" in json.loads(answer["payload"])["error"]
    office.splunkd = type(office.splunkd)(office.deployment, office)  # for the fixture to close


JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-5, 5) | st.text(max_size=12) | st.sampled_from(["contain", "restore", "okta"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=8,
)
_WORDS = (
    "action rows reason tier containment identity agree actions halt name candidate vendor tenant url secret general timing "
    "escalation macros policy cases why dry_run version enable detections source upkeep privileged settings"
)
KEYS = st.sampled_from(_WORDS.split())
POSTS = sorted(name for name, route in ROUTES.items() if route.method in ("POST", "PUT"))


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(name=st.sampled_from(POSTS), body=st.dictionaries(KEYS, JSON, max_size=5) | JSON)
def test_no_body_is_an_internal_error(name: str, body: object, office: Office) -> None:
    """Whatever JSON is sent to whatever endpoint, by somebody who may do all: an answer, or a refusal that says why."""
    method, path = path_of(name)
    if "all" not in office.deployment.users:
        office.user("all", *CAPABILITIES, identity="all", restorer=True)
        office.inventory()
    reply = office.ask("all", method, path, json.dumps(body))
    assert reply.status != 500, reply
    assert reply.status == 200 or reply.error


@pytest.mark.parametrize("capability", ["list_storage_passwords", "edit_storage_passwords"])
def test_a_right_to_list_passwords_shows_none_of_ours(capability: str, office: Office) -> None:
    """Many apps ask for it for their own users: it opens the secrets of those apps, and none of this one."""
    office.deployment.user("snoop", capability)
    mine = Client(office.splunkd.uri, office.deployment.session("snoop"))
    try:
        assert mine.entries("storage", "passwords") == []
        with pytest.raises(SplunkError, match="Could not find"):
            mine.get("storage", "passwords", "tourniquet:journal_key:")
        with pytest.raises(SplunkError, match=r"Could not find|permission"):
            mine.post("storage", "passwords", "tourniquet:journal_key:", form={"password": "x"})
    finally:
        mine.close()
    assert splunk_settings.stored(office.client())("journal_key") is not None
