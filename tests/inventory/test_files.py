"""The inventory's files: CSV and YAML say the same, and every wrong row is told at once, with file and line."""

from __future__ import annotations

import csv
import io
import json
from typing import Any, Dict, List

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from responders.errors import BadInputs, BadInventory
from responders.inventory.files import COLUMNS, accounts_rows, read_inventory
from responders.inventory.resolve import Inventory, from_compiled
from responders.model import Account, Identity

CSV = """id,kind,owner,criticality,environment,protected,accounts,aliases,dependents,can_restore
alice,human,bob,high,,no,okta:default:00u1;vault:default:e-1|entity|ad,okta:default:alice@corp.example,,true
payments,service,team-pay,normal,production,,vault:default:r-1|approle,,checkout; ledger,
"""
YAML = """
identities:
  - id: alice
    kind: human
    owner: bob
    criticality: high
    accounts:
      - okta:default:00u1
      - {account: "vault:default:e-1", kind: entity, mastered: ad}
    aliases: ["okta:default:alice@corp.example"]
    can_restore: true
  - id: payments
    kind: service
    owner: team-pay
    accounts: ["vault:default:r-1|approle"]
    dependents: [checkout, ledger]
"""


def errors(text: str, name: str = "people.csv") -> List[str]:
    """All errors of a file, as text."""
    with pytest.raises(BadInputs) as caught:
        read_inventory(text, name)
    assert all(isinstance(error, BadInventory) and error.remedy for error in caught.value.errors)
    return [str(error) for error in caught.value.errors]


def test_csv_and_yaml_say_the_same() -> None:
    """The same identities in both forms compile to the same bytes."""
    one, other = read_inventory(CSV, "people.csv"), read_inventory(YAML, "people.yaml")
    assert one.to_json() == other.to_json()
    alice = one.identity("alice")
    assert alice is not None
    assert alice.accounts == (
        Account("okta", "default", "user", "00u1"),
        Account("vault", "default", "entity", "e-1", "ad"),
    )
    assert one.restorers == {"alice"}
    payments = one.identity("payments")
    assert payments is not None and payments.dependents == ("checkout", "ledger") and payments.production


HEAD = "id,kind,accounts,aliases\n"


def test_all_wrong_rows_are_told_at_once() -> None:
    """Five mistakes in four lines: five errors, each with its line, in one run."""
    text = HEAD + "a,robot,okta:default:1,\n,human,okta:default:2,\nb,human,nothing,\nc,human,,x\n"
    found = errors(text)
    assert [one.split(":")[1] for one in found] == ["2", "3", "4", "5", "5"]
    assert "'robot' is unknown. use one of human, service, agent" in found[0]


@pytest.mark.parametrize(
    ("rows", "said"),
    [
        ("a,human,okta:t:1,\nb,human,okta:t:1,\n", "people.csv:3: accounts: okta:t:1 is claimed at people.csv:2 already"),
        ("a,human,okta:t:1,\na,human,okta:t:2,\n", "people.csv:3: id: 'a' stands already at people.csv:2"),
        ("a,human,okta:t:1,okta:t:x\nb,human,okta:t:2,okta:t:x\n", "okta:t:x is claimed at people.csv:2 already"),
        ("a,human,okta:t:1,okta:t:2\nb,human,okta:t:2,\n", "okta:t:2 is claimed at people.csv:2 already"),
        ("a,human,okta:t:1;okta:t:1,\n", "okta:t:1 is claimed at people.csv:2 already"),
        ("a,robot,okta:t:1,\nb,human,okta:t:1,\n", "okta:t:1 is claimed at people.csv:2 already"),
        ("a,human,okta:t:1,\na,human,okta:t:2,\nb,human,okta:t:2,\n", "okta:t:2 is claimed at people.csv:3 already"),
    ],
)
def test_two_rows_that_claim_the_same_are_both_named(rows: str, said: str) -> None:
    """A conflict names both places, also when one of the rows is wrong in another way too."""
    assert any(said in one for one in errors(HEAD + rows))


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "no column 'accounts'"),
        ("id,kind\n", "no column 'accounts'"),
        ("id,kind,accounts,id\na,human,okta:t:1,b\n", "people.csv:1: column 'id' stands twice"),
        ("id,kind,accounts,nickname\na,human,okta:t:1,x\n", "people.csv:1: unknown column 'nickname'"),
        (HEAD + "a,human,okta:t:1\n", "people.csv:2: has not 4 fields"),
        (HEAD + "a,human,okta:t:1,,,\n", "people.csv:2: has not 4 fields"),
        (HEAD + 'a,human,"okta:t:1,\n', "not CSV"),
        (HEAD + "a,human,okta:t:1|user|cloud|x,\n", "accounts: 'okta:t:1|user|cloud|x'"),
        (HEAD + "a,human,okta:t: 1,\n", "white space"),
        (HEAD + "a,human,okta:t:1 ,\n", None),
        (HEAD + "a,human,okta:t:1|user|moon,\n", "mastered 'moon' is unknown"),
        (HEAD + "a,human,Okta:t:1,\n", "is not vendor:tenant:id"),
        (HEAD + "a,human,okta:t:\x1b1,\n", "people.csv:2"),
        (HEAD + "a,human,okta:t:1,okta:t:x;;okta:t:y\n", "aliases: holds an empty"),
    ],
)
def test_a_wrong_csv_names_line_and_remedy(text: str, said: Any) -> None:
    """Each mistake is told once, with its line."""
    if said is None:
        assert read_inventory(text, "people.csv").population == 1
        return
    found = errors(text)
    assert len([one for one in found if said in one]) == 1, found


def one(**changed: Any) -> str:
    """A YAML inventory of one identity."""
    row: Dict[str, Any] = {"id": "a", "kind": "human", "accounts": ["okta:t:1"], **changed}
    return str(yaml.safe_dump({"identities": [{k: v for k, v in row.items() if v is not ...}]}, sort_keys=False))


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "people.yaml:1: has no list `identities`"),
        ("identities: {}", "people.yaml:1: has no list"),
        ("identities:\n  - 5\n", "people.yaml:2: is no mapping"),
        ("identities:\n  - id: a\n    id: b\n", "people.yaml:3: duplicate key 'id'"),
        ("identities: [\n", "not YAML"),
        ("identities: &x\n  - *x\n", "aliases are not used"),
        ("identity: []\nidentities: []\n", "people.yaml:1: unknown key 'identity'"),
        (one(nickname="x"), "people.yaml:6: unknown key 'nickname'"),
        (one(id=123), "id: must be text. quote it"),
        (one(id=True), "id: must be text. quote it"),
        (one(owner=False), "owner: must be text. quote it"),
        (one(id=["a"]), "id: must be text"),
        (one(id=...), "id: is empty"),
        (one(protected=1), "protected: must be text"),
        (one(protected="perhaps"), "neither true nor false"),
        (one(dependents={"a": "b"}), "dependents: must be a list"),
        (one(dependents=[5]), "dependents: holds"),
        (one(aliases={"a": "b"}), "aliases: must be a list"),
        (one(accounts={"a": "b"}), "accounts: must be a list"),
        (one(accounts=5), "accounts: must be a list"),
        (one(accounts=[5]), "is not vendor:tenant:id"),
        (one(accounts=[{"account": "okta:t:1", "color": "red"}]), "account, kind and mastered only"),
        (one(accounts=[{"account": 5}]), "is not vendor:tenant:id"),
        (one(accounts=[{"account": "okta:t:1", "kind": 5}]), "account, kind and mastered only"),
    ],
)
def test_a_wrong_yaml_names_line_and_remedy(text: str, said: str) -> None:
    """Each mistake is told once, with its line; no value is silently turned into text."""
    found = errors(text, "people.yaml")
    assert len([error for error in found if said in error]) == 1, found


def test_an_empty_kind_is_the_vendors_usual_one() -> None:
    """`kind:` with nothing behind it is no kind called None."""
    found = read_inventory(one(accounts=[{"account": "vault:t:1", "kind": None}]), "people.yaml").identity("a")
    assert found is not None and found.accounts[0].kind == "entity"


WORDS = st.text(alphabet="abcXYZ019.-_@ü", min_size=1, max_size=8)
NAMES = WORDS.filter(lambda word: word[0] not in "-@")
IDS = WORDS.filter(lambda word: word not in (".", "..")).map(str.lower)
KINDS = st.sampled_from([("okta", "user"), ("okta", "app"), ("entra", "user"), ("vault", "entity"), ("aws", "access_key")])
ACCOUNTS = st.tuples(KINDS, WORDS, IDS, st.sampled_from(["cloud", "ad", "federated", "guest"])).map(
    lambda given: (given[0][0], given[1], given[0][1], given[2], given[3])
)
IDENTITIES = st.builds(
    Identity,
    id=NAMES,
    kind=st.sampled_from(["human", "service", "agent"]),
    owner=st.none() | NAMES,
    criticality=st.sampled_from(["low", "normal", "high", "privileged"]),
    environment=st.sampled_from(["production", "non-production"]),
    protected=st.booleans(),
    accounts=st.lists(ACCOUNTS.map(lambda given: Account(*given)), min_size=1, max_size=3).map(tuple),
    dependents=st.lists(NAMES, max_size=2).map(tuple),
    shared=st.booleans(),
    break_glass=st.booleans(),
)


@st.composite
def inventories(draw: st.DrawFn) -> Inventory:
    """Sound inventories: no id and no key twice."""
    found: List[Identity] = []
    seen: set[str] = set()
    for identity in draw(st.lists(IDENTITIES, max_size=4, unique_by=lambda one: one.id)):
        keys = [account.key for account in identity.accounts]
        if len(set(keys)) == len(keys) and not seen & set(keys):
            seen |= set(keys)
            found.append(identity)
    aliases = {f"okta:alias:{identity.id}": identity.id for identity in found[:2]} if "okta:alias" not in str(seen) else {}
    return Inventory(found, aliases, frozenset(identity.id for identity in found[:1]))


def as_rows(inventory: Inventory) -> List[Dict[str, Any]]:
    """The inventory as rows of lists and text."""
    return [
        {
            **{name: getattr(one, name) for name in ("id", "kind", "criticality", "environment")},
            **{name: str(getattr(one, name)).lower() for name in ("protected", "break_glass", "shared")},
            "owner": one.owner or "",
            "can_restore": str(one.id in inventory.restorers).lower(),
            "dependents": list(one.dependents),
            "accounts": [f"{account.key}|{account.kind}|{account.mastered}" for account in one.accounts],
            "aliases": [alias for alias, name in inventory.aliases.items() if name == one.id],
        }
        for one in inventory.identities
    ]


@given(inventories())
def test_every_form_holds_the_whole_inventory(inventory: Inventory) -> None:
    """CSV, YAML and the compiled form each give back exactly the inventory they were made from."""
    rows = as_rows(inventory)
    table = io.StringIO(newline="")
    writer = csv.DictWriter(table, COLUMNS)
    writer.writeheader()
    writer.writerows({key: ";".join(v) if isinstance(v, list) else v for key, v in row.items()} for row in rows)
    forms = [
        read_inventory(table.getvalue(), "people.csv"),
        read_inventory(yaml.safe_dump({"identities": rows}, allow_unicode=True), "people.yaml"),
        from_compiled(inventory.to_json(), "people.json"),
    ]
    for found in forms:
        assert found.to_json() == inventory.to_json()
        assert accounts_rows(found) == accounts_rows(inventory)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
)


@pytest.mark.parametrize(
    "text", ["", "[]", "5", "null", "{", '{"identities": ["a"], "aliases": {}, "restorers": []}',
             '{"identities": [], "aliases": {"okta:t:x": "nobody"}, "restorers": []}',
             '{"identities": [], "aliases": {}, "restorers": ["nobody"]}', "[" * 100_000],
)  # fmt: skip
def test_what_is_no_compiled_inventory_is_refused(text: str) -> None:
    """A file that is something else is named, and how to make the right one."""
    with pytest.raises(BadInventory, match=r"people\.json: .*inventory build"):
        from_compiled(text, "people.json")


@given(JSON, JSON, JSON)
def test_any_json_is_an_inventory_or_refused(identities: Any, aliases: Any, restorers: Any) -> None:
    """Nothing but BadInventory comes out of a file that was made otherwise."""
    doc = {"identities": identities, "aliases": aliases, "restorers": restorers}
    try:
        from_compiled(json.dumps(doc), "people.json")
    except BadInventory as error:
        assert error.place == "people.json"


@given(st.text())
def test_any_text_is_an_inventory_or_refused(text: str) -> None:
    """Whatever stands in a file, what comes out is an inventory or all its errors."""
    for name in ("people.csv", "people.yaml"):
        try:
            read_inventory(text, name)
        except BadInputs as error:
            assert all(one.place.startswith(name) for one in error.errors)


def test_what_spreadsheets_write_is_read() -> None:
    """A byte order mark and Windows line ends change nothing."""
    windows = "\ufeff" + CSV.replace("\n", "\r\n")
    assert read_inventory(windows, "people.csv").to_json() == read_inventory(CSV, "people.csv").to_json()
    yaml_too = "\ufeff" + YAML.replace("\n", "\r\n")
    assert read_inventory(yaml_too, "people.yaml").to_json() == read_inventory(YAML, "people.yaml").to_json()


@pytest.mark.parametrize("mark", [";", "\t", "|"])
def test_another_separator_is_named(mark: str) -> None:
    """A spreadsheet of another country: one error says what is wrong, not twelve that do not."""
    [said] = errors(f"id{mark}kind{mark}accounts\na{mark}human{mark}okta:t:1\n")
    assert said.startswith("people.csv:1: the columns are not separated by commas")


@pytest.mark.parametrize("cell", ["=1+1", "+1", "-1", "@SUM(A1)", "=cmd|' /C calc'!A0"])
def test_a_cell_that_a_spreadsheet_would_run_is_refused(cell: str) -> None:
    """The lookup table is opened in one sooner or later."""
    assert "people.csv:2: id: " in errors(f"id,kind,accounts\n{cell},human,okta:t:1\n")[0]
    assert "looks like a formula" in errors(f"id,kind,accounts,owner\na,human,okta:t:1,{cell}\n")[0]
    assert "looks like a formula" in errors(f"id,kind,accounts,dependents\na,human,okta:t:1,{cell}\n")[0]


@pytest.mark.parametrize("name", ["../admin", "a/../b", "..", "a%2fb", "a%00", "a?x=1", "..\\a"])
def test_a_path_trick_is_no_account(name: str) -> None:
    """What would walk a path or open a query at a vendor is an error of its line."""
    [said] = errors(f"id,kind,accounts\na,human,okta:t:{name}\n")
    assert said.startswith("people.csv:2: accounts:") and "path trick" in said


BILLION = "a: &a [x, x]\nb: &b [*a, *a]\nc: &c [*b, *b]\nidentities: *c\n"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (BILLION, "people.yaml:2: aliases are not used here"),
        ("[" * 100_000, "people.yaml:1: is nested more than 32 deep"),
        ("".join(f"{' ' * n}a:\n" for n in range(200)), "is nested more than 32 deep"),
        ("identities:\n  - id: 2026-13-45\n", "people.yaml:2: not a plain value"),
        (f"identities:\n  - id: {'9' * 5000}\n", "people.yaml:2: not a plain value"),
        ("identities:\n  - !!python/object/apply:os.system [x]\n", "people.yaml:2: is no mapping"),
        ("identities:\n  - ? [a, b]\n    : c\n", "people.yaml:2: a key must be text"),
        ("identities:\n\t- id: a\n", "people.yaml:2: not YAML"),
        ("\x00", "people.yaml:1: not YAML"),
    ],
)
def test_a_hostile_document_is_one_error_with_its_line(text: str, said: str) -> None:
    """Nothing is built of a document that would grow or nest beyond bounds, and it does not take long."""
    assert any(said in one for one in errors(text, "people.yaml")), errors(text, "people.yaml")


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=6),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=6), inner, max_size=3),
)


@given(st.lists(st.dictionaries(st.sampled_from(COLUMNS), VALUES, max_size=6), max_size=3))
def test_any_values_are_an_inventory_or_refused_with_their_lines(entries: List[Dict[str, Any]]) -> None:
    """Whatever stands in a YAML inventory: sound identities, or errors that name file and line."""
    text = yaml.safe_dump({"identities": entries})
    try:
        found = read_inventory(text, "people.yaml")
    except BadInputs as error:
        for one in error.errors:
            name, _, line = one.place.partition(":")
            assert name == "people.yaml" and line.isdigit() and 1 <= int(line) <= text.count("\n") + 1
        return
    assert from_compiled(found.to_json(), "x").to_json() == found.to_json()


@given(st.lists(st.lists(st.text(max_size=6), min_size=3, max_size=3), max_size=4))
def test_any_cells_are_an_inventory_or_refused_with_their_lines(rows: List[List[str]]) -> None:
    """Whatever stands in a CSV inventory, quoted as CSV is."""
    table = io.StringIO(newline="")
    csv.writer(table).writerows([["id", "kind", "accounts"], *rows])
    try:
        found = read_inventory(table.getvalue(), "people.csv")
    except BadInputs as error:
        assert all(one.place.startswith("people.csv:") and one.remedy for one in error.errors)
        return
    assert found.population == len([row for row in rows if any(row)])


HIDDEN = "\u200b\u200f\u00ad\u202e\u2066\ufeff\u2028\x85\ufffd"


@pytest.mark.parametrize("letter", HIDDEN)
def test_what_nobody_sees_is_no_part_of_a_name(letter: str) -> None:
    """Zero width, a turned writing direction, C1: two names that look alike are two identities, and one of them a trap."""
    for column, text in (("id", f"a{letter}b"), ("owner", f"o{letter}x"), ("accounts", f"okta:t:1{letter}2"),
                         ("aliases", f"okta:t:x{letter}y")):  # fmt: skip
        row = {"id": "a", "kind": "human", "accounts": "okta:t:1", **{column: text}}
        assert errors(f"{','.join(row)}\n{','.join(row.values())}\n")[0].startswith(f"people.csv:2: {column}")


def test_an_id_of_entra_with_capitals_matches_nothing() -> None:
    """Graph and its logs write ids in lower case: a break-glass account copied in capitals would not be protected."""
    [said] = errors(HEAD + "a,human,entra:t:8F1E2D3C-AAAA-4bbb-8ccc-0123456789ab,\n")
    assert "people.csv:2: accounts" in said and "lower case" in said


@pytest.mark.parametrize("account", ["okta:t:1|usr", "entra:t:1|app", "cyberark:t:1|safe", "vault:t:1|token"])
def test_a_kind_that_no_action_knows_is_an_error(account: str) -> None:
    """Misspelled, the account would be left alone when its identity is contained."""
    [said] = errors(HEAD + f"a,human,{account},\n")
    assert "people.csv:2: accounts: kind" in said


def test_other_vendors_may_call_their_accounts_as_they_like() -> None:
    """No action knows them; a containment says so."""
    assert read_inventory(HEAD + "a,human,aws:1:AKIA|access_key,\n", "people.csv").population == 1


def test_one_identity_is_not_half_a_company() -> None:
    """Containing it takes every account of it, and the blast radius counts it once."""
    many = ";".join(f"okta:t:{n}" for n in range(201))
    [said] = errors(HEAD + f"a,human,{many},\n")
    assert said.startswith("people.csv:2: accounts: 201 accounts")


@pytest.mark.parametrize("second", ["okta:t:2", "cyberark:p:2|user"])
def test_a_canary_has_one_account_of_a_kind_at_each_place(second: str) -> None:
    """Two users at one vendor are two people: one of them would be locked out every hour."""
    head = "id,kind,accounts,canary\n"
    fine = "okta:t:1;okta:u:1;entra:t:1;vault:v:1;vault:v:x|userpass;cyberark:p:1"
    assert read_inventory(f"{head}cat,human,{fine},true\n", "people.csv").population == 1
    [said] = errors(f"{head}cat,human,{fine};{second},true\n")
    assert said.startswith("people.csv:2: canary: 'cat' has two accounts")


def test_a_file_of_wrong_lines_is_told_up_to_a_thousand() -> None:
    """A million errors help nobody, and would not fit into memory."""
    found = errors(HEAD + "a,robot,okta:t:1,\n" * 5000)
    assert len(found) <= 1004 and "only the first" in found[-1]
