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
ACCOUNTS = st.tuples(st.sampled_from(["okta", "entra", "vault"]), WORDS, st.sampled_from(["user", "entity"]), WORDS,
                     st.sampled_from(["cloud", "ad", "federated", "guest"]))  # fmt: skip
IDENTITIES = st.builds(
    Identity,
    id=WORDS,
    kind=st.sampled_from(["human", "service", "agent"]),
    owner=st.none() | WORDS,
    criticality=st.sampled_from(["low", "normal", "high", "privileged"]),
    environment=st.sampled_from(["production", "non-production"]),
    protected=st.booleans(),
    accounts=st.lists(ACCOUNTS.map(lambda given: Account(*given)), min_size=1, max_size=3).map(tuple),
    dependents=st.lists(WORDS, max_size=2).map(tuple),
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
