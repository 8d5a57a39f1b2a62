"""Owners, assignments, federated credentials and AI agents: read within the limits, and what they say of an identity."""

from __future__ import annotations

from datetime import datetime, timezone
from typing import Any, Dict, List, Mapping

import pytest

from responders.drill.simulators.graph import TENANT
from responders.drill.simulators.graph.applications import GRAPH
from responders.drill.simulators.server import Answer, Fault
from responders.inventory.describing import describe
from responders.inventory.observation import Observed, Reaches
from responders.inventory.reporting.collect import Collector
from responders.inventory.sync.gather import Gathered
from responders.inventory.sync.raw import RawStore
from responders.model import Identity
from tests.inventory_sync.company import Company

ENTRA = f"entra:{TENANT}"


def _gathered(company: Company) -> Gathered:
    with RawStore(company.state) as store:
        return Gathered(store, {"okta:corp": "https://corp.okta.com"})


def _of(gathered: Gathered, key: str) -> Observed:
    found = gathered.observed(key)
    assert found is not None
    return found


def _reached(one: Observed, what: str) -> List[Reaches]:
    return [reach for reach in one.reaches if reach.what == what]


def test_owners_of_an_application_are_named_and_reach_it(company: Company) -> None:
    """An owner of the application or of its service principal is its owner, and whoever owns one that may write roles has
    power over others: he can give it a credential."""
    alice, bob = (company.graph.add_user(f"{name}@corp.example") for name in ("alice", "bob"))
    app = company.graph.add_app("deployer", roles=("RoleManagement.ReadWrite.Directory",))
    plain = company.graph.add_app("wiki")
    company.graph.add_owner(app, alice, of_application=True)
    company.graph.add_owner(plain, bob)
    company.graph.add_owner(plain, company.graph.add_app("alice@corp.example"))  # called like her
    assert not company.read("entra")["entra"].failed
    with _gathered(company) as gathered:
        deployer, wiki = _of(gathered, f"{ENTRA}:{app}"), _of(gathered, f"{ENTRA}:{plain}")
        assert describe("x", (deployer.seen.account,), [deployer], None).identity.owner == "alice@corp.example"
        assert ("owner", "application alice@corp.example, bob@corp.example") in wiki.seen.tags
        owns = _reached(_of(gathered, f"{ENTRA}:{alice}"), "owner")
        assert [(reach.target, reach.name, reach.admin) for reach in owns] == [(f"{ENTRA}:{app}", "deployer", True)]
        assert [reach.admin for reach in _reached(_of(gathered, f"{ENTRA}:{bob}"), "owner")] == [False]


def test_power_goes_through_a_chain_of_owners_that_may_be_a_circle(company: Company) -> None:
    """A person owns an application that owns the one with the permission; two that own one another end the search."""
    alice = company.graph.add_user("alice@corp.example")
    first, second = company.graph.add_app("first"), company.graph.add_app("second", roles=("User.ReadWrite.All",))
    ring = [company.graph.add_app(name) for name in ("ring a", "ring b")]
    company.graph.add_owner(first, alice)
    company.graph.add_owner(second, first)
    company.graph.add_owner(ring[0], ring[1])
    company.graph.add_owner(ring[1], ring[0])
    company.read("entra")
    with _gathered(company) as gathered:
        assert [reach.admin for reach in _reached(_of(gathered, f"{ENTRA}:{alice}"), "owner")] == [True]
        assert [reach.admin for reach in _reached(_of(gathered, f"{ENTRA}:{ring[0]}"), "owner")] == [False]


def test_a_tag_says_more_of_the_owner_than_the_directory(company: Company) -> None:
    """The tag `owner:` stands before the owners of the directory, of whom at most five are named."""
    app = company.graph.add_app("billing")
    company.graph.state["service_principals"][app]["tags"] = ["owner:payments team"]
    for number in range(7):
        company.graph.add_owner(app, company.graph.add_user(f"u{number}@corp.example"))
    company.read("entra")
    with _gathered(company) as gathered:
        owners = [value for name, value in _of(gathered, f"{ENTRA}:{app}").seen.tags if name == "owner"]
    assert owners[0] == "payments team" and owners[1].count("@") == 5


def test_federated_credentials_are_credentials_and_join_nothing(company: Company) -> None:
    """Issuer and subject are told; the account of that subject reaches the application, and is not joined to it: an owner
    could name anybody."""
    victim = company.graph.add_user("victim@corp.example")
    app = company.graph.add_app("attacker's")
    issuer = f"https://login.microsoftonline.com/{TENANT}/v2.0"
    company.graph.add_federated(app, issuer, victim)
    company.graph.add_federated(app, "https://token.actions.githubusercontent.com", "repo:corp/app:ref:refs/heads/main")
    read = company.read("entra")["entra"]
    assert not read.failed and read.rows["federated"] == 2
    with _gathered(company) as gathered:
        one, other = _of(gathered, f"{ENTRA}:{app}"), _of(gathered, f"{ENTRA}:{victim}")
        names = [held.name for held in one.holds if held.what == "federated_credential"]
        assert any("token.actions.githubusercontent.com|repo:corp/app:ref:refs/heads/main" in name for name in names)
        assert [reach.target for reach in _reached(other, "federated")] == [f"{ENTRA}:{app}"]
        assert not {key.value for key in one.seen.keys} & {key.value for key in other.seen.keys}


def test_who_may_sign_in_through_an_application_holds_back_nothing_at_entra(company: Company) -> None:
    """Users and groups reach the application. It has no dependents by them, for an owner of it assigns whom he likes; the
    report counts them."""
    user, group = company.graph.add_user("alice@corp.example"), company.graph.add_group("Sales")
    app, client = company.graph.add_app("crm"), company.graph.add_app("exporter")
    company.graph.assign(app, user)
    company.graph.assign(app, group)
    company.graph.assign(app, client)
    company.read("entra")
    with _gathered(company) as gathered:
        assert [(r.target, r.name) for r in _reached(_of(gathered, f"{ENTRA}:{user}"), "app")] == [(app, "crm")]
        assert gathered.name(f"{ENTRA}:group:{group}") == "group Sales"
        assert gathered.users_of(f"{ENTRA}:{app}") == (f"{ENTRA}:{client}",)
        account = _of(gathered, f"{ENTRA}:{app}").seen.account
        collector = Collector([], datetime.now(timezone.utc))
        collector.know(Identity("crm", "service", None, "normal", "production", False, (account,), ("exporter",)))
        (breaks,) = collector.result(0, gathered.users_of, gathered.people_of).breaks
        assert ([str(who) for who in breaks.direct], breaks.people) == (["exporter"], 2)


def test_people_assigned_to_an_okta_application_depend_on_it(company: Company) -> None:
    """Only administrators assign at Okta: groups, and users who are in it by themselves, depend on the application."""
    alice, bob = (company.okta.add_user(f"{name}@corp.example") for name in ("alice", "bob"))
    group = company.okta.add_group("Sales")
    company.okta.join_group(group, bob)
    app = company.okta.add_app("crm", "web")
    company.okta.assign(app, group=group, user=alice)
    service = company.okta.add_app("robot")
    read = company.read("okta")["okta"]
    assert not read.failed and not read.refused and read.rows["app_people"] == 2
    asked = [entry.path for entry in company.okta.requests if service in entry.path]
    assert not [path for path in asked if "/groups" in path or "/users" in path]
    with _gathered(company) as gathered:
        users = gathered.users_of(f"okta:corp:{app}")
        assert {gathered.name(user) for user in users} == {"group Sales", "alice@corp.example"}


def test_okta_ai_agents_are_agents(company: Company) -> None:
    """Each is an account with its keys, whose application depends on nobody else's word; all pages are read."""
    app = company.okta.add_app("assistant", "web")
    agents = [company.okta.add_ai_agent(f"agent {number}", app) for number in range(201)]
    read = company.read("okta")["okta"]
    assert not read.refused and read.rows["ai_agents"] == 201
    with _gathered(company) as gathered:
        one = _of(gathered, f"okta:corp:{agents[200]}")
        found = describe("x", (one.seen.account,), [one], None).identity
        assert (found.kind, one.seen.account.kind, one.seen.name) == ("agent", "ai_agent", "agent 200")
        assert [held.what for held in one.holds] == ["client_key"]
        assert f"okta:corp:{agents[0]}" in gathered.users_of(f"okta:corp:{app}")


@pytest.mark.parametrize("status", [401, 403, 404, 405])
def test_an_org_without_ai_agents_is_read_all_the_same(company: Company, status: int) -> None:
    """However Okta refuses its beta: the list is named, and everything else is taken over."""
    company.okta.faults.append(Fault("GET", "/workload-principals/", "status", status, times=10))
    read = company.read("okta")["okta"]
    assert not read.failed and set(read.refused) == {"ai_agents", "ai_agent_keys"} and read.taken.new > 0


def test_only_new_and_changed_applications_are_asked_again_within_a_day(company: Company) -> None:
    """A second reading asks nothing of an application that was asked; one that is new or changed is; after a day all are.
    An owner who is one no more is gone then."""
    user = company.graph.add_user("alice@corp.example")
    app = company.graph.add_app("billing")
    company.graph.add_owner(app, user)
    company.read("entra")
    owners = f"{company.graph.prefix}/servicePrincipals/{app}/owners"
    company.graph.state["service_principals"][app]["owners"].clear()
    company.graph.requests.clear()
    second = company.read("entra")["entra"]
    assert owners not in [entry.path for entry in company.graph.requests] and second.taken.gone == 0
    company.graph.state["service_principals"][app]["displayName"] = "billing 2"
    company.graph.add_owner(company.graph.add_app("new"), user)
    third = company.read("entra")["entra"]
    assert owners in [entry.path for entry in company.graph.requests] and third.taken.gone == 1
    assert len([gone for body, gone in company.rows(ENTRA, "owners").values() if gone is None]) == 1
    company.graph.requests.clear()
    company.clock += 2 * 86400.0
    assert company.read("entra")["entra"].taken.gone == 0
    assert owners in [entry.path for entry in company.graph.requests]


def test_when_its_time_is_over_the_rest_is_left_to_the_next_run(company: Company) -> None:
    """A reading without patience takes one page of applications and says how many are left; the next ones go on with the
    others, until each was read; nothing of what was known is gone meanwhile."""
    apps = [company.okta.add_app(f"app {number:02}") for number in range(25)]
    for app in apps:
        company.okta.add_credential(app)
    lefts = []
    for _ in range(3):
        read = company.read("okta", patience=0.0)["okta"]
        assert not read.failed and read.taken.gone == 0
        lefts.append(read.left.get("app_credentials", 0))
    known = company.rows("okta:corp", "app_credentials")
    assert lefts == [15, 5, 0] and len({key.partition("/")[0] for key in known}) == 25
    company.okta.requests.clear()
    company.read("okta", full=True, patience=0.0)
    assert sum("/credentials/secrets" in entry.path for entry in company.okta.requests) == 25


def test_a_daily_list_that_breaks_off_goes_on_where_it_was(company: Company) -> None:
    """The second page of applications fails for good: nothing is taken over, and the next run asks for the rest only."""
    apps = [company.okta.add_app(f"app {number:02}") for number in range(15)]
    for app in apps:
        company.okta.add_credential(app)
    company.okta.faults.append(Fault("GET", f"/apps/{apps[12]}/credentials/secrets", "status", 500, times=5))
    assert company.read("okta")["okta"].failed and not company.rows("okta:corp", "app_credentials")
    company.okta.requests.clear()
    assert not company.read("okta")["okta"].failed
    asked = {entry.path.split("/")[4] for entry in company.okta.requests if entry.path.endswith("/credentials/secrets")}
    assert asked == set(apps[10:])
    assert {key.partition("/")[0] for key in company.rows("okta:corp", "app_credentials")} == set(apps)


def test_a_batch_that_is_refused_in_part_asks_only_for_the_rest(company: Company) -> None:
    """Graph counts each request of a batch by itself: what it refused with 429 is asked again, the answers are kept."""
    apps = [company.graph.add_app(f"app {number}") for number in range(5)]
    company.graph.add_owner(apps[3], company.graph.add_user("alice@corp.example"))
    limit = Fault("GET", f"/servicePrincipals/{apps[3]}/owners", "status", 429, {"Retry-After": "7"}, times=2)
    company.graph.faults.append(limit)
    read = company.read("entra")["entra"]
    asked = [entry.path for entry in company.graph.requests if entry.path.endswith("/owners")]
    first = [path for path in asked if path.endswith(f"/servicePrincipals/{apps[0]}/owners")]
    assert not read.failed and company.slept >= 6 and len(first) == 1
    assert len(company.rows(ENTRA, "owners")) == 1


def test_of_okta_too_only_what_was_refused_is_asked_again(company: Company) -> None:
    """One of ten applications meets the rate limit: the others' secrets are not asked for a second time."""
    apps = [company.okta.add_app(f"app {number}") for number in range(10)]
    for app in apps:
        company.okta.add_credential(app)
    path = f"/api/v1/apps/{apps[4]}/credentials/secrets"
    company.okta.faults.append(Fault("GET", path, "status", 429, {"X-Rate-Limit-Reset": "0"}, times=1))
    assert not company.read("okta")["okta"].failed
    asked = [entry.path for entry in company.okta.requests if entry.path.endswith("/credentials/secrets")]
    assert sorted(asked) == sorted([*(f"/api/v1/apps/{app}/credentials/secrets" for app in apps), path])


@pytest.mark.off_spec("the vendor answers half a batch on purpose")
def test_half_a_batch_is_no_batch(company: Company) -> None:
    """A batch that leaves an answer out is the vendor's failure: nobody's owners are taken for gone."""
    app = company.graph.add_app("billing")
    company.graph.add_owner(app, company.graph.add_user("alice@corp.example"))
    company.read("entra")
    before = company.rows(ENTRA, "owners")
    shown = company.graph._batch

    def half(request: Any) -> Answer:
        answer = shown(request)
        return Answer(200, {"responses": answer.body["responses"][1:]})

    company.graph._routes.insert(0, ("POST", company.graph._routes[_batch_route(company)][1], half))
    failed = company.read("entra", full=True)["entra"].failed
    assert "holds no answer" in failed and company.rows(ENTRA, "owners") == before


def _batch_route(company: Company) -> int:
    return next(n for n, (_, pattern, _) in enumerate(company.graph._routes) if "batch" in pattern.pattern)


def test_a_delta_that_leaves_out_what_did_not_change_loses_no_permission(company: Company) -> None:
    """A service principal whose name changed comes without its roles: who holds them is asked all the same, and stays."""
    company.graph.add_app("reader", roles=("User.Read.All",))
    resource = company.graph.add_app("api")
    company.graph.state["service_principals"][resource]["appRoles"] = [
        {"id": "11111111-0000-4000-8000-000000000001", "value": "Read", "allowedMemberTypes": ["Application"]}
    ]
    client = company.graph.add_app("client")
    company.graph.new("app_roles", {
        "principalId": client, "resourceId": resource, "appRoleId": "11111111-0000-4000-8000-000000000001",
    })  # fmt: skip
    company.read("entra")
    company.graph.delta_sparse = True
    company.graph.state["service_principals"][resource]["displayName"] = "api 2"
    company.read("entra")
    rows: Dict[str, Any] = company.rows(ENTRA, "app_roles")
    assert [gone for key, (_, gone) in rows.items() if key.startswith(f"{resource}/")] == [None]
    assert any(key.startswith(f"{GRAPH}/") for key in rows)
    body: Mapping[str, Any] = company.rows(ENTRA, "service_principals")[resource][0]
    assert body["displayName"] == "api 2" and body["appRoles"]
