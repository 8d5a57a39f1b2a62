"""The fifteen mistakes that tools of this kind have made in public, each a test that fails if we made it too."""

from __future__ import annotations

import inspect
import sys
import time
from pathlib import Path
from typing import Any, Iterator, List

import pytest

from responders import pipeline
from responders.drill.attacker import Attacker
from responders.drill.simulators.server import Fault
from responders.drill.world import World
from responders.errors import Permanent, VendorError
from responders.model import Account, Status
from responders.settings import Connection, Secret
from responders.vendors.open import ClientPool
from responders.vendors.transport import Limits
from tests.actions.route import through_restore, through_the_lane
from tests.catalogue import CATALOGUE
from tests.support import raw_alert, step_of
from tests.vendors.servers import Server, always, answer, certificates

QUICK = Limits(connect=0.5, total=2.0, attempt=1.0, retries=2)


@pytest.fixture
def pool(world: World) -> Iterator[ClientPool]:
    found = ClientPool(world.connections, limits=QUICK)
    yield found
    found.close()


@pytest.mark.parametrize("status", ["PASSWORD_EXPIRED", "RECOVERY", "PROVISIONED"])
def test_1_not_active_is_not_contained(world: World, status: str) -> None:
    """Mistake 1 of others: "Cannot suspend a user that is not active" taken for "disabled already", and reported green."""
    user = world.okta.add_user("b@corp.example", status=status)
    _, step = step_of("okta.suspend_user", Account("okta", "default", "user", user))
    outcome = through_the_lane(world.responder(catalogue={}), step)
    assert outcome.status is Status.FAILED
    assert status in outcome.proof


def test_1_locked_out_is_unlocked_and_suspended(world: World) -> None:
    """Mistake 1 of others: a LOCKED_OUT user stays uncontained; ours is unlocked, suspended, and read back."""
    user = world.okta.add_user("b@corp.example", status="LOCKED_OUT")
    _, step = step_of("okta.suspend_user", Account("okta", "default", "user", user))
    assert through_the_lane(world.responder(catalogue={}), step).status is Status.CONFIRMED
    assert world.okta.state["users"][user]["status"] == "SUSPENDED"
    other = world.okta.add_user("c@corp.example", status="LOCKED_OUT", provider="ACTIVE_DIRECTORY")
    _, step = step_of("okta.suspend_user", Account("okta", "default", "user", other))
    outcome = through_the_lane(world.responder(catalogue={}), step)
    assert (outcome.status, "directory" in outcome.proof) == (Status.ACCEPTED, True)


def test_2_refresh_tokens_go_with_the_sessions(world: World) -> None:
    """Mistake 2 of others: sessions cleared without OAuth tokens, so that the refresh token goes on giving access."""
    person = world.add_person("alice")
    tries = Attacker(world, person).tries()
    _, step = step_of("okta.clear_sessions", person.account("okta"))
    assert tries["okta refresh token"]()
    assert through_the_lane(world.responder(catalogue={}), step).status is Status.CONFIRMED
    assert not tries["okta session"]()
    assert not tries["okta refresh token"]()


def test_3_a_missing_endpoint_is_not_nothing_left(world: World) -> None:
    """Mistake 3 of others: the 404 of an endpoint that does not exist taken for "nothing left to revoke"."""
    person = world.add_person("alice")
    world.okta._routes = [route for route in world.okta._routes if not route[1].pattern.endswith(r"/grants\Z")]
    _, step = step_of("okta.revoke_grants", person.account("okta"))
    outcome = through_the_lane(world.responder(catalogue={}), step)
    assert (outcome.status, "404" in outcome.proof) == (Status.FAILED, True)


@pytest.mark.parametrize("vendor", ["okta", "entra", "cyberark"])
def test_4_headers_that_are_missing_break_nothing(world: World, pool: ClientPool, vendor: str) -> None:
    """Mistake 4 of others: a KeyError on a missing rate-limit header, after the change took effect."""
    person = world.add_person("alice")
    simulator: Any = {"okta": world.okta, "entra": world.graph, "cyberark": world.cyberark}[vendor]
    name = {"okta": "okta.suspend_user", "entra": "entra.disable_user", "cyberark": "cyberark.disable_user"}[vendor]
    action, step = step_of(name, person.account(vendor))
    api: Any = pool.get(vendor, step.account.tenant)
    before = action.check(api, step)
    simulator.faults.append(Fault("POST", "/(suspend|disable)", "status", 429))
    simulator.faults.append(Fault("PATCH", "/users/", "status", 429))
    action.apply(api, step, before)
    for entry in simulator.requests:
        assert not any(header.lower().startswith("x-rate-limit") for header in entry.answer_headers)
    assert action.confirm(api, step, before).status is Status.CONFIRMED


def test_5_protected_accounts_match_exactly(world: World) -> None:
    """Mistake 5 of others: protected accounts matched by substring (`admin`, `svc-`): the attacker names himself so."""
    protected, other = world.add_person("admin"), world.add_person("svc-administrator")
    identities = (protected.identity(protected=True), other.identity())
    responder = world.responder(*identities, catalogue=CATALOGUE)
    report = pipeline.contain(raw_alert(other), responder)
    assert not [o for o in report.outcomes if o.status is Status.REFUSED]
    assert world.okta.state["users"][other.okta]["status"] == "SUSPENDED"
    pipeline.contain(raw_alert(protected, tq_events=["event-2"]), responder)
    assert world.okta.state["users"][protected.okta]["status"] == "ACTIVE"


def test_6_a_key_that_fails_does_not_save_the_others(world: World, pool: ClientPool) -> None:
    """Mistake 6 of others: the first failed key ends the loop, and the rest stay alive."""
    person = world.add_person("alice")
    for _ in range(3):
        world.okta.add_api_token(person.okta)
    action, step = step_of("okta.revoke_api_token", person.account("okta"))
    api: Any = pool.get("okta", "default")
    before = action.check(api, step)
    world.okta.faults.append(Fault("DELETE", "/api-tokens/", "status", 403))
    with pytest.raises(VendorError):
        action.apply(api, step, before)
    assert len(world.okta.state["api_tokens"]) == 1, "only the one that was refused is left"
    assert action.confirm(api, step, before).status is Status.FAILED


def test_7_an_exception_turns_the_run_red(world: World) -> None:
    """Mistake 7 of others: an exception logged, not raised, and the run looks green."""
    person = world.add_person("alice")
    world.okta.faults.append(Fault("POST", "/suspend", "status", 403, times=99))
    report = pipeline.contain(raw_alert(person), world.responder(catalogue=CATALOGUE))
    failed = [o for o in report.outcomes if o.step.action == "okta.suspend_user"]
    assert [o.status for o in failed] == [Status.FAILED]
    assert report.loud
    assert any("okta.suspend_user" in item for item in report.open_items), report.open_items


def test_8_the_record_needs_no_channel(world: World) -> None:
    """Mistake 8 of others: the audit note is written only if a later mail succeeds."""
    person = world.add_person("alice")

    class Dead:
        name = "dead"

        def send(self, report: Any, deadline: float) -> None:
            seen.append([entry.kind for entry in responder.journal.entries(report.containment)])
            raise OSError("no mail today")

    seen: List[List[str]] = []
    responder = world.responder(catalogue=CATALOGUE, channels=(Dead(),))
    report = pipeline.contain(raw_alert(person), responder)
    assert {"plan", "intent", "outcome"} <= set(seen[0]), "journaled before anybody was told"
    assert {"plan", "intent", "outcome"} <= {entry.kind for entry in responder.journal.entries(report.containment)}


@pytest.mark.parametrize("given", [["a", "b"], {"a": 1}, None, 7, ""])
def test_9_a_list_is_no_user_name(world: World, pool: ClientPool, given: Any) -> None:
    """Mistake 9 of others: a JSON list sent as the user name."""
    api: Any = pool.get("okta", "default")
    sent = len(world.okta.requests)
    with pytest.raises(Permanent):
        api.call("POST", "/api/v1/users/{}/lifecycle/suspend", ids=(given,))
    assert len(world.okta.requests) == sent


def test_10_a_429_is_tried_again(world: World, pool: ClientPool) -> None:
    """Mistake 10 of others: one attempt on 429."""
    person = world.add_person("alice")
    action, step = step_of("okta.suspend_user", person.account("okta"))
    api: Any = pool.get("okta", "default")
    before = action.check(api, step)
    world.okta.faults.append(
        Fault("POST", "/suspend", "status", 429, {"X-Rate-Limit-Reset": str(int(time.time()))}, times=2)
    )
    action.apply(api, step, before)
    assert [r.status for r in world.okta.requests if "suspend" in r.path] == [429, 429, 200]


def test_11_one_connection_serves_many_calls(world: World, pool: ClientPool) -> None:
    """Mistake 11 of others: a new TLS connection per call."""
    person = world.add_person("alice")
    action, step = step_of("okta.suspend_user", person.account("okta"))
    api: Any = pool.get("okta", "default")
    before = action.check(api, step)
    action.apply(api, step, before)
    action.confirm(api, step, before)
    ours = [r for r in world.okta.requests if r.principal == "0oaTourniquet"]
    assert len(ours) >= 3 and len({r.connection for r in ours}) == 1


def test_12_a_silent_vendor_is_given_up() -> None:
    """Mistake 12 of others: no time-out, so that one silent vendor holds everything."""

    def silent(connection: Any, request: bytes) -> None:
        time.sleep(6)

    with Server(silent) as vendor:
        connection = Connection("okta", "x", vendor.url, {"api_token": Secret("t")}, allow_loopback_http=True)
        pool = ClientPool((connection,), limits=Limits(connect=0.3, total=1.0, attempt=0.5, retries=0))
        api: Any = pool.get("okta", "x")
        start = time.monotonic()
        with pytest.raises(VendorError):
            api.call("GET", "/api/v1/users/{}", ids=("u",))
        assert time.monotonic() - start < 2.0
        pool.close()


def test_13_tls_is_verified_and_a_private_ca_can_be_named(tmp_path: Path) -> None:
    """Mistake 13 of others: TLS verification off by default, and no option for a private CA."""
    tls = certificates(tmp_path)
    for context, ca, works in ((tls.signed, tls.ca, True), (tls.signed, "", False), (tls.self_signed, tls.ca, False)):
        with Server(always(answer(b'{"id": "00u1"}')), context) as vendor:
            pool = ClientPool((Connection("okta", "x", vendor.url, {"api_token": Secret("t")}, ca=ca),), limits=QUICK)
            api: Any = pool.get("okta", "x")
            if works:
                assert api.call("GET", "/api/v1/users/me").status == 200
            else:
                with pytest.raises(VendorError, match="TLS"):
                    api.call("GET", "/api/v1/users/me")
            pool.close()


def test_14_what_was_there_before_comes_back(world: World, pool: ClientPool) -> None:
    """Mistake 14 of others: no pre-state, so no undo: permissions on a safe come back as they were, not as a default."""
    person = world.add_person("alice")
    safe = f"safe-{person.name}"
    world.cyberark.add_member(safe, "alice", {"retrieveAccounts": True, "listAccounts": False, "useAccounts": True})
    recorded = dict(world.cyberark.state["safes"][safe]["alice"])
    action, step = step_of("cyberark.remove_safe_member", person.account("cyberark"), ("cyberark.safe", safe))
    api: Any = pool.get("cyberark", "default")
    before = action.check(api, step)
    action.apply(api, step, before)
    assert "alice" not in world.cyberark.state["safes"][safe]
    assert through_restore(world.responder(catalogue={}), step, before).status is Status.CONFIRMED
    assert world.cyberark.state["safes"][safe]["alice"] == recorded


def test_15_nothing_is_looked_up_for_the_mail_before_containing(world: World) -> None:
    """Mistake 15 of others: waiting for a manager look-up before containing: no vendor is asked about a second person."""
    person, manager = world.add_person("alice"), world.add_person("manager")
    pipeline.contain(raw_alert(person), world.responder(person.identity(owner="manager"), catalogue=CATALOGUE))
    asked = [*world.okta.requests, *world.graph.requests, *world.cyberark.requests]
    paths = [entry.path for entry in asked]
    assert not [path for path in paths if manager.okta in path or manager.entra in path or "manager" in path.lower()]


def test_each_of_the_fifteen_has_its_test() -> None:
    """One to fifteen, each named in its test's docstring."""
    tests = {name: value for name, value in vars(sys.modules[__name__]).items() if name.startswith("test_")}
    for number in range(1, 16):
        mine = [value for name, value in tests.items() if name.startswith(f"test_{number}_")]
        assert mine, number
        assert all((inspect.getdoc(value) or "").startswith(f"Mistake {number} of others: ") for value in mine)
