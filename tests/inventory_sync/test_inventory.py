"""From the vendors to the inventory a responder reads: joined, described, compared, written whole or not at all."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any, Dict, Optional

import pytest

from responders.drill.openbao import OpenBao
from responders.errors import BadInputs, BadInventory, Refused
from responders.inventory.describing import GroupRule, describe
from responders.inventory.files import read_inventory
from responders.inventory.observation import Key, Observed, Reaches, Seen
from responders.inventory.resolve import Inventory, from_compiled, resolve
from responders.inventory.rules import read_rules
from responders.inventory.sync.compile import Difference, compile_inventory, joins_file
from responders.inventory.sync.gather import Gathered
from responders.inventory.sync.raw import RawStore
from responders.inventory.sync.run import How
from responders.inventory.sync.usage_store import UsageStore
from responders.inventory.sync.vault_audit import read_usage
from responders.inventory.sync.vendors import alone, issuers, read_all
from responders.model import Account, Identity
from responders.settings import Connection, Secret
from responders.surfaces.command_line.main import main
from tests.inventory_sync.company import Company

DOCS = Path(__file__).parents[2] / "docs" / "inventory_sync.md"


def build(company: Company, file: str = "", **how: Any) -> Difference:
    given: Optional[Inventory] = read_inventory(file, "people.csv") if file else None
    with RawStore(company.state) as store, Gathered(store, issuers(list(company.connections.values()))) as gathered:
        return compile_inventory(gathered, given, target(company), **how)


def target(company: Company) -> Path:
    return company.folder / "inventory.json"


def inventory(company: Company) -> Inventory:
    return from_compiled(target(company).read_text(), "inventory.json")


def of(company: Company, key: str) -> Identity:
    vendor, tenant, name = key.split(":", 2)
    found = resolve(inventory(company), (Account(vendor, tenant, "user", name),)).identity
    assert found is not None
    return found


def person(company: Company, name: str) -> Dict[str, str]:
    """Somebody at three vendors: by employee number at two, by e-mail at the third."""
    okta = company.okta.add_user(f"{name}@corp.example")
    company.okta.set_profile(okta, employeeNumber=f"E-{name}", manager="the boss")
    entra = company.graph.add_user(f"{name}@corp.example")
    company.graph.state["users"][entra]["employeeId"] = f"E-{name}"
    pam = company.cyberark.add_user(name)
    company.cyberark.state["users"][pam].update(source="LDAP", email=f"{name}@corp.example")
    tenant = company.connections["entra"].tenant
    return {"okta": f"okta:corp:{okta}", "entra": f"entra:{tenant}:{entra}", "cyberark": f"cyberark:pam:{pam}"}


def test_a_person_is_one_identity_with_reasons(company: Company) -> None:
    """Three accounts are joined; a name in CyberArk's log leads there; kind, owner and links say why they are so."""
    alice = person(company, "alice")
    company.read()
    found = build(company)
    identity = of(company, alice["okta"])
    assert {account.key for account in identity.accounts} == set(alice.values())
    assert (identity.id, identity.kind, identity.owner) == (alice["okta"], "human", "the boss")
    assert of(company, "cyberark:pam:alice") == identity
    report = joins_file(target(company)).read_text()
    assert "employee number E-alice" in report and "is an Okta user" in report
    assert found.worse == () and found.new[0] == found.identities


def test_roles_groups_and_agents_decide_what_it_is(company: Company) -> None:
    """An administrator is privileged, also through a group that holds a role; an agent identity is an agent."""
    alice, bob = person(company, "alice"), person(company, "bob")
    company.okta.add_role(alice["okta"].split(":")[2], "ORG_ADMIN")
    group = company.graph.add_group("admins")
    company.graph.state["groups"][group]["members"].append(bob["entra"].split(":")[2])
    company.graph.add_role(group)
    agent = company.graph.add_agent("helper")
    strong = company.graph.add_app("strong", roles=("RoleManagement.ReadWrite.Directory",))
    company.read()
    build(company)
    tenant = company.connections["entra"].tenant
    assert of(company, alice["okta"]).criticality == "privileged"
    assert of(company, bob["okta"]).criticality == "privileged"
    assert of(company, f"entra:{tenant}:{agent}").kind == "agent"
    service = of(company, f"entra:{tenant}:{strong}")
    assert (service.kind, service.criticality) == ("service", "privileged")


def test_your_file_wins(company: Company) -> None:
    """Its row gives id, kind, owner and marks; accounts that keys prove are added to it; its aliases mean accounts."""
    alice, glass, drill = (person(company, name) for name in ("alice", "glass", "drill"))
    company.read()
    file = (
        "id,kind,owner,accounts,aliases,break_glass,can_restore,canary\n"
        f"alice,service,file team,{alice['okta']},,,true,\n"
        f"emergency,human,security,{glass['entra']},cyberark:pam:glass,true,,\n"
        f"drill,human,us,{drill['okta']},,,,true\n"
    )
    build(company, file)
    identity = of(company, alice["cyberark"])
    assert (identity.id, identity.kind, identity.owner) == ("alice", "service", "file team")
    emergency = of(company, glass["entra"])
    assert {a.key for a in emergency.accounts} == {glass["entra"], glass["cyberark"]} and emergency.break_glass
    assert of(company, glass["okta"]).id == glass["okta"]
    canary = of(company, drill["okta"])
    assert canary.canary and len(canary.accounts) == 1
    assert inventory(company).restorers == {"alice"}


def test_it_refuses_to_be_worse_than_before(company: Company) -> None:
    """A forgotten file would lose marks: nothing is written without --accept. A vendor's empty list would lose people: they
    are kept as they were."""
    people = [person(company, f"p{n}") for n in range(8)]
    company.read()
    rows = f"glass,human,{people[0]['okta']},true,\nboss,human,{people[1]['okta']},,true\n"
    file = "id,kind,accounts,break_glass,can_restore\n" + rows
    build(company, file)
    with pytest.raises(Refused) as refused:
        build(company)
    assert "break-glass" in str(refused.value) and "could not restore" in str(refused.value)
    for sim in (company.okta, company.graph, company.cyberark):
        sim.state["users"] = {k: v for k, v in sim.state["users"].items() if "sync" in str(v)}
    company.read(full=True)
    build(company, file)  # gone, and kept for thirty days: nobody is lost yet
    assert not list(company.folder.glob(".inventory*"))
    company.clock += 31 * 86400.0
    company.read(full=True)
    kept = build(company, file)
    assert kept.lost[0] == kept.kept >= 6
    assert {of(company, who["okta"]).id for who in people} == {"glass", "boss", *(who["okta"] for who in people[2:])}
    found = build(company, file, accept=True)
    assert (found.lost[0], found.kept) == (kept.lost[0], 0)
    assert inventory(company).identity(people[2]["okta"]) is None


def test_an_identity_keeps_its_id(company: Company) -> None:
    """Known by its Entra account first, and joined with an Okta account later, it is called as before."""
    entra = company.graph.add_user("alice@corp.example")
    key = f"entra:{company.connections['entra'].tenant}:{entra}"
    company.read()
    build(company)
    okta = company.okta.add_user("alice@corp.example")
    company.read()
    found = build(company)
    assert of(company, f"okta:corp:{okta}").id == key and key in found.changed[1]


def test_a_dry_run_writes_no_inventory(company: Company) -> None:
    """It only compares."""
    person(company, "alice")
    company.read()
    assert build(company, dry_run=True).new[0] and not target(company).exists()


def test_an_alias_that_names_two_is_nobodys(tmp_path: Path) -> None:
    """A Vault entity named like an AppRole: the AppRole's own key stays its own, and the name of the entity is no alias."""
    with RawStore(tmp_path / "x.db") as store:
        from responders.inventory.sync.source import Listing, Row

        rows = {
            "mounts": [Row("approle", {"type": "approle", "accessor": "a1"})],
            "logins": [
                Row("approle/b", {"type": "approle", "name": "billing", "policies": [], "role_id": "d"}, "approle"),
            ],
            "entities": [Row("e/e1", {"name": "billing", "id": "e1", "disabled": False, "created": "", "policies": [],
                                      "groups": [], "metadata": {}, "aliases": []}, "e")],
        }  # fmt: skip
        listings = [Listing(name) for name in rows]
        for listing in listings:
            store.begin("vault:prod", listing, 1.0, full=True, full_every=1.0, stale=1.0)
            store.add("vault:prod", listing.name, rows[listing.name], cursor="", done=True, delta="")
        store.publish("vault:prod", listings, {}, 1.0, 1.0)
        with Gathered(store, {}) as gathered:
            compile_inventory(gathered, None, tmp_path / "i.json")
    found = from_compiled((tmp_path / "i.json").read_text(), "i.json")
    assert found.names(["vault:prod:billing"]) == {"vault:prod:billing": ("vault:prod:billing",)}


@pytest.mark.engine("openbao")
def test_a_real_vault(openbao: OpenBao, tmp_path: Path) -> None:
    """With the policy of the docs: entities, AppRoles and people's logins are one identity each; power, ages, read paths."""
    bao = openbao
    for kind in ("approle", "userpass"):
        bao.request("POST", f"sys/auth/{kind}", {"type": kind})
    bao.request("POST", "sys/mounts/kv", {"type": "kv"})
    bao.request("PUT", "sys/policies/acl/reader", {"policy": 'path "kv/*" { capabilities = ["read", "create"] }'})
    bao.request("PUT", "sys/policies/acl/power", {"policy": 'path "sys/policies/acl/*" { capabilities = ["update"] }'})
    bao.request("POST", "auth/approle/role/billing", {"token_policies": "reader"})
    role = bao.request("GET", "auth/approle/role/billing/role-id")["data"]["role_id"]
    secret = bao.request("POST", "auth/approle/role/billing/secret-id")["data"]["secret_id"]
    login = bao.request("POST", "auth/approle/login", {"role_id": role, "secret_id": secret})["auth"]
    bao.request("POST", "kv/invoices", {"a": "b"}, login["client_token"])
    bao.request("GET", "kv/invoices", None, login["client_token"])
    bao.request("POST", "auth/userpass/users/al", {"password": "x", "token_policies": "power"})
    person_ = bao.request("POST", "auth/userpass/login/al", {"password": "x"})["auth"]
    state = tmp_path / "observed.db"
    policy = DOCS.read_text().partition("```hcl\n")[2].partition("```")[0]
    bao.request("PUT", "sys/policies/acl/sync", {"policy": policy})
    token = bao.request("POST", "auth/token/create", {"policies": ["sync"], "no_parent": True})["auth"]["client_token"]
    connection = Connection("vault", "prod", bao.url, {"token": Secret(token)}, allow_loopback_http=True)
    (read,) = read_all([connection], state, How())
    assert not read.failed and not read.refused
    with RawStore(state) as store:
        with UsageStore(state) as usage:
            assert read_usage(bao.audit_log, usage, "vault:prod", time.time()) >= 2
            assert read_usage(bao.audit_log, usage, "vault:prod", time.time()) == 0
        with Gathered(store, {}) as gathered:
            compile_inventory(gathered, None, tmp_path / "i.json")
            entity = gathered.observed(f"vault:prod:{login['entity_id']}")
            billing = gathered.observed("vault:prod:billing")
    assert entity and {r.target: r.count for r in entity.reaches if r.what == "path"}["kv/invoices"] == 2
    assert (billing and [h.created[:4] for h in billing.holds if h.what == "secret_id"] == ["2026"]) or billing
    found = from_compiled((tmp_path / "i.json").read_text(), "i.json")
    names = found.names(["vault:prod:billing", f"vault:prod:{login['entity_id']}", "vault:prod:al"])
    assert names["vault:prod:billing"] == names[f"vault:prod:{login['entity_id']}"]
    identity = found.identity(names["vault:prod:al"][0])
    assert identity and (identity.kind, identity.criticality) == ("human", "privileged")
    assert f"vault:prod:{person_['entity_id']}" in {a.key for a in identity.accounts}
    text = state.read_bytes()
    assert role.encode() not in text and secret.encode() not in text


def settings_of(company: Company) -> str:
    """A settings file with the company's connections, each secret in a file of its own."""
    for name in ("okta", "entra", "cyberark", "key"):
        (company.folder / name).touch(mode=0o600)
        value = next(iter(company.connections[name].secrets.values())).reveal() if name != "key" else "k" * 64
        (company.folder / name).write_text(value)
    connections = [
        {
            "vendor": c.vendor, "tenant": c.tenant, "url": c.url, "allow_loopback_http": True, **c.plain,
            next(iter(c.secrets)): {"file": str(company.folder / c.vendor)},
        }
        for c in company.connections.values()
    ]  # fmt: skip
    settings = {"connections": connections, "inventory": "inventory.json", "journal": {"path": "j", "key": {"file": "key"}}}
    path = company.folder / "settings.json"
    path.write_text(json.dumps(settings))
    return str(path)


def test_the_command(company: Company, capsys: pytest.CaptureFixture[str]) -> None:
    """It reads, writes and tells as JSON; a vendor that failed gives exit code 4; a second sync at once is refused.

    A number that is none, a folder that is not there, and a state that is no store are mistakes told in one line.
    """
    person(company, "alice")
    arguments = ["inventory", "sync", "--settings", settings_of(company), "--json"]
    assert main([*arguments, "--vendor", "entra", "--vendor", "cyberark"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert {vendor["place"].partition(":")[0] for vendor in told["vendors"]} == {"entra", "cyberark"}
    assert told["inventory"]["identities"] == inventory(company).population
    with alone(target(company).with_suffix(".observed.db")):
        assert main(arguments) == 3
    company.graph.application(company.app)["passwordCredentials"].clear()
    assert main([*arguments, "--vendor", "entra"]) == 4
    capsys.readouterr()
    assert main([*arguments[:-1], "--vendor", "entra"]) == 4
    said = " ".join(capsys.readouterr().out.split())
    assert f"{company.place('entra')} was not read to its end: entra" in said and "What was known of it is used" in said
    assert inventory(company).population == told["inventory"]["identities"]
    (company.folder / "no.db").write_text("no database")
    for wrong, code in (
        (("--keep-days", "-1"), 2), (("--most-lost", "nan"), 2), (("--output", "people.csv"), 2),
        (("--output", str(company.folder / "nowhere" / "i.json")), 2), (("--state", str(company.folder / "no.db")), 4),
    ):  # fmt: skip
        capsys.readouterr()
        assert main([*arguments, "--vendor", "cyberark", *wrong]) == code
        assert json.loads(capsys.readouterr().err)["exit"] == code


def test_an_interrupt_ends_it_in_one_line(company: Company) -> None:
    """Ctrl-C reaches the command and the process that reads: no traceback, exit code 130, and the lock is free again."""
    company.cyberark.latency = 2.0
    arguments = ["inventory", "sync", "--settings", settings_of(company), "--vendor", "cyberark"]
    # Whatever the tests were started by: a job in the background of a shell ignores SIGINT, and so do its children.
    program = (
        "import signal, sys; signal.signal(signal.SIGINT, signal.default_int_handler); "
        "from responders.surfaces.command_line.main import main; sys.exit(main())"
    )
    process = subprocess.Popen(
        [sys.executable, "-c", program, *arguments], text=True, stderr=subprocess.PIPE, start_new_session=True
    )
    until = time.monotonic() + 60
    while not company.cyberark.requests and time.monotonic() < until:
        time.sleep(0.05)
    os.killpg(process.pid, signal.SIGINT)
    _, said = process.communicate(timeout=60)
    assert (process.returncode, said.count("\n"), said.startswith("tourniquet: interrupted")) == (130, 1, True), said
    with alone(target(company).with_suffix(".observed.db")):
        assert not target(company).exists()


def test_rules_of_groups(company: Company) -> None:
    """A group makes its members services, and raises what they are; unknown fields and values are errors with their line."""
    rules = read_rules(
        'groups:\n  "okta:corp:g": {kind: service, criticality: high, environment: non-production}\n', "r.yaml"
    )
    account = Account("okta", "corp", "user", "1")
    one = Observed(Seen(account, "svc", True, True, "an Okta user"), (), (Reaches(account.key, "group", "g"),))
    found = describe("x", [account], [one], None, (), rules.groups).identity
    assert (found.kind, found.criticality, found.environment) == ("service", "high", "non-production")
    with pytest.raises(BadInputs, match=r"r\.yaml:2"):
        read_rules('groups:\n  "okta:corp:g": {kind: robot}\n', "r.yaml")
    assert GroupRule() == GroupRule("", "", "", "")


@pytest.mark.parametrize(
    "said",
    ["[[okta:corp]]", "[okta:corp, okta:preview]", "[[okta:a, entra:a]]", "[[okta:a, okta:a]]", "[[okta:a, okta]]", "x",
     "[[okta:a, okta:b], [okta:b, okta:c]]", "[[okta:a, {okta: b}]]", "[[okta:a, okta:b:1]]"],
)  # fmt: skip
def test_rules_of_tenants(said: str) -> None:
    """Lists of tenants of one vendor, each in one list; all else is an error with its line."""
    assert read_rules("one_company:\n  - [okta:corp, okta:preview]\n", "r.yaml").one_company == (
        frozenset({"okta:corp", "okta:preview"}),
    )
    with pytest.raises(BadInputs, match=r"r\.yaml:1.*no tenants of one company"):
        read_rules(f"one_company: {said}\n", "r.yaml")


def test_consent_of_a_user_makes_no_dependent_and_many_groups_hide_no_role(company: Company) -> None:
    """Only what an administrator granted makes an application depend; an administrator in 600 groups is privileged."""
    service = company.graph.add_app("service")
    company.graph.state["service_principals"][service]["appRoles"] = []
    clients = [company.graph.add_app(name) for name in ("granted", "consented")]
    user = company.graph.add_user("u@corp.example")
    company.graph.new("grants", {"clientId": clients[0], "consentType": "AllPrincipals", "principalId": None,
                                 "resourceId": service, "scope": "a"})  # fmt: skip
    company.graph.new("grants", {"clientId": clients[1], "consentType": "Principal", "principalId": user,
                                 "resourceId": service, "scope": "a"})  # fmt: skip
    admin = company.okta.add_user("admin@corp.example")
    for number in range(600):
        company.okta.state["groups"][f"00g{number:017d}"] = {"name": f"g{number}", "members": [admin]}
    company.okta.add_role(admin, "ORG_ADMIN")
    company.read("okta", "entra")
    build(company)
    assert of(company, f"entra:{company.connections['entra'].tenant}:{service}").dependents == ("granted",)
    assert of(company, f"okta:corp:{admin}").criticality == "privileged"


def test_a_broken_report_of_joins_is_an_error(company: Company) -> None:
    """It holds what keeps accounts together: it is named, not ignored."""
    company.read("cyberark")
    build(company)
    joins_file(target(company)).write_text('{"link": [1]}\n')
    with pytest.raises(BadInventory, match="no link"):
        build(company)


def test_tags_never_protect_nor_lower() -> None:
    """What stands at a vendor can't make an identity protected or break-glass, nor less critical than its roles."""
    account = Account("vault", "prod", "entity", "1")
    tags = (("break_glass", "true"), ("protected", "true"), ("criticality", "low"), ("owner", "team"))
    seen = Seen(account, "e", True, None, "an entity", (Key("email", "a@b", "self"),), tags)
    admin = Reaches(account.key, "policy", "power", admin=True)
    identity = describe("x", [account], [Observed(seen, (), (admin,))], None).identity
    assert (identity.protected, identity.break_glass, identity.criticality) == (False, False, "privileged")
    assert describe("x", [account], [Observed(seen)], None).identity.criticality == "normal"
