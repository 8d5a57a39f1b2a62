"""Compiling, attacked: who would take another's id or marks, stop the sync, or get somebody's account drilled."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, Dict, List, Mapping

import pytest
from hypothesis import given

from responders.codec import to_json
from responders.errors import Refused
from responders.inventory.describing import GroupRule, describe
from responders.inventory.files import read_inventory
from responders.inventory.joining import Conflict
from responders.inventory.lines import line_of
from responders.inventory.observation import Observed, Seen
from responders.inventory.resolve import Inventory, from_compiled
from responders.inventory.rules import Rules
from responders.inventory.sync.compile import Difference, compile_inventory
from responders.inventory.sync.gather import Gathered
from responders.inventory.sync.raw import RawStore
from responders.inventory.sync.source import Listing, Row
from responders.model import Account, Identity
from tests.inventory.test_files import IDENTITIES

DAY = 86400.0
HEAD = "id,kind,accounts,aliases,break_glass,protected,canary,can_restore,shared\n"


class Firm:
    """What three vendors list, and the inventory that is made of it."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.clock = folder, DAY
        self.okta: Dict[str, Dict[str, Any]] = {}
        self.preview: Dict[str, Dict[str, Any]] = {}
        """Users of a second Okta org."""
        self.entra: Dict[str, Dict[str, Any]] = {}
        self.pam: Dict[str, Dict[str, Any]] = {}
        self.roles: Dict[str, str] = {}
        self.apps: Dict[str, str] = {}
        self.grants: Dict[str, Mapping[str, str]] = {}

    def add(self, name: str, *, number: str = "", okta: str = "", entra: str = "", pam: str = "") -> None:
        """Somebody with an account of that id at each vendor that is named."""
        mail = f"{name}@corp.example"
        if okta:
            self.okta[okta] = {"login": mail, "email": mail, "employeeNumber": number}
        if entra:
            self.entra[entra] = {"userPrincipalName": mail, "mail": mail, "employeeId": number, "accountEnabled": True}
        if pam:
            self.pam[pam] = {"username": name, "source": "LDAP", "email": mail, "groups": [], "rights": []}

    def sync(self, file: str = "", **how: Any) -> Difference:
        schema = {"known": ["login", "email", "employeeNumber"], "self": []}
        users, previews = (
            [Row(k, {"status": "ACTIVE", "profile": v, "provider": ""}) for k, v in org.items()]
            for org in (self.okta, self.preview)
        )
        roles = [Row(f"{user}/r", {"type": role}, user) for user, role in self.roles.items()]
        lists: Mapping[str, Mapping[str, List[Row]]] = {
            "okta:corp": {"schema": [Row("default", schema)], "users": users, "roles": roles},
            "okta:preview": {"schema": [Row("default", schema)], "users": previews},
            "entra:t": {
                "users": [Row(k, v) for k, v in self.entra.items()],
                "service_principals": [Row(k, {"appId": f"app-{k}", "displayName": v}) for k, v in self.apps.items()],
                "grants": [Row(k, v) for k, v in self.grants.items()],
            },
            "cyberark:pam": {"users": [Row(k, v) for k, v in self.pam.items()]},
        }
        given = read_inventory(file, "people.csv") if file else None
        with RawStore(self.folder / "observed.db") as store:
            for place, found in lists.items():
                for name, rows in found.items():
                    store.begin(place, Listing(name), self.clock, full=True, full_every=1.0, stale=1.0)
                    store.add(place, name, rows, cursor="", done=True, delta="")
                store.publish(place, [Listing(name) for name in found], {}, self.clock, 30 * DAY)
            with Gathered(store, {}) as gathered:
                return compile_inventory(gathered, given, self.folder / "inventory.json", **how)

    @property
    def inventory(self) -> Inventory:
        return from_compiled((self.folder / "inventory.json").read_text(), "inventory.json")

    def of(self, key: str) -> Identity:
        (name,) = self.inventory.names([key])[key]
        found = self.inventory.identity(name)
        assert found is not None
        return found


@pytest.fixture
def firm(tmp_path: Path) -> Firm:
    return Firm(tmp_path)


def conflicts(found: Difference, what: str) -> List[Conflict]:
    return [conflict for conflict in found.conflicts if conflict.what == what]


def test_a_split_stops_nothing_and_the_account_it_is_called_by_keeps_the_id(firm: Firm) -> None:
    """Administrators say that two accounts are two people: both have an id, and the history stays with the first."""
    firm.add("alice", number="7", okta="1", entra="1", pam="17")
    firm.sync()
    assert firm.of("entra:t:1").id == "okta:corp:1"
    firm.entra["1"].update(employeeId="8", mail="x@corp.example", userPrincipalName="x@corp.example")
    firm.sync()
    assert {key: firm.of(key).id for key in ("okta:corp:1", "cyberark:pam:17", "entra:t:1")} == {
        "okta:corp:1": "okta:corp:1", "cyberark:pam:17": "okta:corp:1", "entra:t:1": "entra:t:1",
    }  # fmt: skip


def test_accounts_of_a_second_org_are_joined_when_the_rules_call_both_one_company(firm: Firm) -> None:
    """Until then whoever administers the preview could hang his account on the victim's identity, and is told apart."""
    firm.add("alice", number="7", okta="1", entra="1")
    firm.preview["9"] = dict(firm.okta["1"])
    told = conflicts(firm.sync(), "two tenants")
    assert firm.of("okta:preview:9").id == "okta:preview:9" and {c.count for c in told} == {3}
    rules = Rules(one_company=(frozenset({"okta:corp", "okta:preview"}),))
    assert not conflicts(firm.sync(rules=rules, accept=True), "two tenants")
    assert {account.key for account in firm.of("entra:t:1").accounts} == {"entra:t:1", "okta:corp:1", "okta:preview:9"}


def test_a_row_that_is_called_like_anothers_account_stops_nothing(firm: Firm) -> None:
    """The id is taken: the account's own identity is called otherwise, and is called so the next time too."""
    firm.add("alice", okta="1")
    firm.add("bob", okta="2")
    file = HEAD + "okta:corp:1,human,okta:corp:2,,,,,,\n"
    for _ in range(2):
        firm.sync(file)
        assert (firm.of("okta:corp:1").id, firm.of("okta:corp:2").id) == ("okta:corp:1/2", "okta:corp:1")


def test_who_deletes_many_accounts_does_not_stop_the_inventory(firm: Firm) -> None:
    """Half of all identities vanish for good: they are kept as they were and told, while all that is new is taken over."""
    for n in range(10):
        firm.add(f"p{n}", okta=f"{n}")
    firm.sync()
    for n in range(5):
        del firm.okta[f"{n}"]
    firm.sync()
    firm.clock += 31 * DAY
    firm.add("new", okta="n", entra="n")
    for _ in range(2):
        found = firm.sync()
        assert (found.lost[0], found.kept, found.worse) == (5, 5, ())
        assert firm.inventory.population == found.identities == 11
        assert firm.of("okta:corp:n").accounts == firm.of("entra:t:n").accounts
    assert firm.sync(accept=True).kept == 0
    assert firm.inventory.population == 6


def test_who_shifts_everybodys_number_does_not_lock_the_company_out(firm: Firm) -> None:
    """A stolen HR connector gives each person at Okta the next one's number: nothing is written before a person looked."""
    for n in range(20):
        firm.add(f"p{n}", number=f"E{n}", okta=f"{n}", entra=f"{n}")
    firm.sync()
    for n in range(20):
        firm.okta[f"{n}"]["employeeNumber"] = f"E{(n + 1) % 20}"
    with pytest.raises(Refused, match="20 of 40 accounts would move"):
        firm.sync()
    assert {a.id for a in firm.of("okta:corp:3").accounts} == {"3"}


def test_a_vendor_that_joins_what_was_apart_is_looked_at_by_a_person(firm: Firm) -> None:
    """Entra is connected later and ties ten CyberArk accounts to Okta: refused once, and the reason names Entra."""
    for n in range(10):
        firm.add(f"p{n}", number=f"E{n}", okta=f"{n}", pam=f"{n}")
        firm.okta[f"{n}"]["email"] = f"other{n}@corp.example"
        firm.okta[f"{n}"]["login"] = f"other{n}@corp.example"
    firm.sync()
    for n in range(10):
        firm.add(f"p{n}", number=f"E{n}", entra=f"{n}")
    with pytest.raises(Refused, match=r"10 of 20 accounts .*\. entra:t was not in the inventory before"):
        firm.sync()
    firm.sync(accept=True)
    assert firm.of("okta:corp:3") == firm.of("cyberark:pam:3") == firm.of("entra:t:3")
    firm.sync()


def test_an_alias_takes_no_account_out_of_a_break_glass_row(firm: Firm) -> None:
    """Whoever renames accounts at CyberArk lets bob's alias mean the break-glass account: it stays what it is."""
    firm.add("emergency", pam="17")
    firm.add("bob", okta="2")
    file = HEAD + "glass,human,cyberark:pam:17,,true,,,,\nbob,human,okta:corp:2,cyberark:pam:bob,,,,,\n"
    firm.sync(file)
    firm.pam["17"]["username"] = "bob"
    found = firm.sync(file)
    assert firm.of("cyberark:pam:17").id == "glass" and firm.of("cyberark:pam:17").break_glass
    assert [c.accounts for c in conflicts(found, "alias of another")] == [("cyberark:pam:17",)]


def test_an_alias_adds_nobody_to_a_canary(firm: Firm) -> None:
    """The canary's name, given to a victim's account, does not get that drilled every hour."""
    firm.add("canary", okta="c")
    firm.add("victim", pam="9")
    firm.pam["9"]["username"] = "canary"
    found = firm.sync(HEAD + "canary,human,okta:corp:c,cyberark:pam:canary,,,true,,\n")
    assert [a.key for a in firm.of("okta:corp:c").accounts] == ["okta:corp:c"]
    assert not firm.of("cyberark:pam:9").canary
    assert [c.accounts for c in conflicts(found, "alias of a canary")] == [("cyberark:pam:9",)]


def test_keys_add_nobody_to_a_canary_nor_to_break_glass(firm: Firm) -> None:
    """The same number and address as the canary's, at three vendors: they stay apart."""
    firm.add("canary", number="7", okta="c", entra="e", pam="9")
    for mark in ("canary,human,okta:corp:c,,,,true,,", "canary,human,okta:corp:c,,true,,,,"):
        firm.sync(HEAD + mark + "\n", accept=True)
        assert [a.key for a in firm.of("okta:corp:c").accounts] == ["okta:corp:c"]


def test_who_becomes_protected_by_a_name_is_told(firm: Firm) -> None:
    """An account renamed to what your file protects by its name alone is nobody new: a person is told."""
    firm.add("emergency", pam="17")
    firm.add("eve", pam="18")
    file = HEAD + "glass,human,okta:corp:9,cyberark:pam:emergency,true,,,,\n"
    firm.sync(file)
    del firm.pam["17"]
    firm.pam["18"]["username"] = "emergency"
    found = firm.sync(file, accept=True)
    assert [c.accounts for c in conflicts(found, "newly protected")] == [("cyberark:pam:18",)]


def test_a_break_glass_account_that_no_vendor_shows_is_told(firm: Firm) -> None:
    """A wrong letter in its id would leave the real one unprotected; at a vendor that was not read nobody knows."""
    firm.add("emergency", okta="00uG")
    found = firm.sync(HEAD + "glass,human,okta:corp:00ug;vault:prod:x,,true,,,,\n")
    assert [c.accounts for c in conflicts(found, "not seen")] == [("okta:corp:00ug",)]


def test_an_account_is_what_its_vendor_says_it_is(firm: Firm) -> None:
    """A row that leaves kind and mastering out makes no cloud account of a directory's: it would not be contained."""
    firm.add("alice", okta="1", entra="1")
    firm.entra["1"]["onPremisesSyncEnabled"] = True
    firm.sync(HEAD + "alice,human,okta:corp:1|user|federated;entra:t:1,,,,,,\n")
    assert {(a.vendor, a.mastered) for a in firm.of("okta:corp:1").accounts} == {("okta", "federated"), ("entra", "ad")}


def test_an_alias_that_is_anothers_id_is_told(firm: Firm) -> None:
    """Alerts that name it contain nobody: whoever made such an account hides behind the file."""
    firm.add("alice", okta="1")
    firm.pam["asmith"] = {"username": "x", "source": "", "email": "", "groups": [], "rights": []}
    found = firm.sync(HEAD + "alice,human,okta:corp:1,cyberark:pam:asmith,,,,,\n")
    assert [c.accounts for c in conflicts(found, "ambiguous alias")] == [("cyberark:pam:asmith",)]


@given(IDENTITIES)
def test_the_line_of_an_identity_is_its_json(identity: Identity) -> None:
    """The quick way says what the codec says."""

    assert json.loads(line_of(identity)) == to_json(identity)


def test_a_name_that_is_given_anew_means_the_account_that_has_it_now(firm: Firm) -> None:
    """Logs name accounts of CyberArk: who deletes and makes an account again is not unknown for a month."""
    firm.add("eve", pam="17")
    firm.sync()
    del firm.pam["17"]
    firm.add("eve", pam="18")
    firm.sync()
    assert [a.key for a in firm.of("cyberark:pam:eve").accounts] == ["cyberark:pam:18"]


def test_names_that_somebody_chose_at_a_vendor_are_shown_clean(firm: Firm) -> None:
    """Colours of a terminal, a turned writing direction, and a name without end: so an application is called."""
    firm.apps = {"s": "service", "c": "\x1b[31m\u202eknil" + "x" * 5000}
    firm.grants = {"g": {"clientId": "c", "resourceId": "s", "consentType": "AllPrincipals", "scope": "a"}}
    firm.sync()
    assert firm.of("entra:t:s").dependents == ("\ufffd[31m\ufffdknil" + "x" * 190,)


def test_an_administrator_in_your_file_stays_privileged(firm: Firm) -> None:
    """A row that says nothing of criticality hides no administrator's role; nor is a canary with one fit to be drilled."""
    firm.add("alice", okta="1")
    firm.add("canary", okta="c")
    firm.roles = {"1": "SUPER_ADMIN", "c": "ORG_ADMIN"}
    firm.sync(HEAD + "alice,human,okta:corp:1,,,,,true,\ncanary,human,okta:corp:c,,,,true,,\n")
    assert firm.of("okta:corp:1").criticality == "privileged"
    assert firm.of("okta:corp:c").privileged and firm.of("okta:corp:c").canary


def test_a_tag_makes_no_agent_of_a_person() -> None:
    """An agent's accounts are not suspended: a tag at one vendor must not spare somebody's sign-in at another."""
    person = Seen(Account("okta", "corp", "user", "1"), "eve", True, True, "an Okta user")
    tagged = Seen(Account("vault", "prod", "entity", "e"), "eve", True, None, "an entity", (), (("agent", "true"),))
    accounts = [person.account, tagged.account]
    assert describe("x", accounts, [Observed(person), Observed(tagged)], None).identity.kind == "human"
    assert describe("x", accounts[1:], [Observed(tagged)], None).identity.kind == "agent"


def test_a_rule_of_a_group_in_which_nobody_is_is_told(firm: Firm) -> None:
    """A wrong letter in a group's id would make nobody privileged, and nobody would know."""
    firm.add("alice", pam="17")
    firm.pam["17"]["groups"] = ["Vault Admins"]
    right, wrong = "cyberark:pam:group:Vault Admins", "cyberark:pam:group:Vault Admin"
    rules = Rules(groups={right: GroupRule(criticality="privileged"), wrong: GroupRule(criticality="privileged")})
    assert [conflict.accounts for conflict in conflicts(firm.sync(rules=rules), "empty group")] == [(wrong,)]
