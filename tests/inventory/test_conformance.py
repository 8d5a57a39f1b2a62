"""Every store of the inventory answers the same, whatever is underneath."""

from __future__ import annotations

from typing import Any, Iterator, List

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from responders.inventory.resolve import Inventory, resolve
from responders.inventory.store import InventoryStore
from responders.model import Account, Identity
from tests.inventory.conformance import STORES


def account(key: str) -> Account:
    vendor, tenant, name = key.split(":", 2)
    return Account(vendor, tenant, "user", name)


def identity(name: str, *keys: str, **more: Any) -> Identity:
    return Identity(name, "human", None, "normal", "production", False, tuple(account(key) for key in keys), (), **more)


HOSTILE = ['a"b', "a'b", "a*b", "a b ", "A", "a", "ä€😀", "a/b?c=d#e", "{}", "[x]", "$where", "%2F", "..", "x" * 600, "_id"]
ODD = [identity(f"odd {name}", f"okta:default:{name}") for name in HOSTILE]
WHOLE = Inventory(
    [
        identity("alice", "okta:default:00uAlice", "vault:default:e-1"),
        identity("bob", "okta:default:00uBob"),
        identity("eve", "okta:default:00uBob", "entra:t:e"),
        identity("glass", "okta:default:00uGlass", "entra:t:g", break_glass=True),
        Identity(
            "payments", "service", "team-pay", "privileged", "non-production", True, (account("okta:default:0oaPay"),),
            ("ledger", "shop"), shared=True,
        ),
        identity("nobody"),
        *ODD,
    ],
    {"okta:default:alice@corp.example": "alice", "okta:default:bob@corp.example": "bob", "okta:default:00uAlice2": "alice"},
    frozenset({"alice", "glass"}),
)  # fmt: skip


@pytest.fixture(scope="module", params=STORES)
def store(request: pytest.FixtureRequest) -> Iterator[InventoryStore]:
    """The store, with WHOLE in it."""
    with request.param(WHOLE, request) as found:
        yield found


def test_each_identity_comes_back_whole(store: InventoryStore) -> None:
    """Every field of each, by its exact id; nobody by another one."""
    for expected in WHOLE.identities:
        assert store.identity(expected.id) == expected
    for name in ("", "Alice", "alic", "alice ", "about", "*", "odd", "nobody there"):
        assert store.identity(name) is None


def test_counts_restorers_and_break_glass(store: InventoryStore) -> None:
    """What the guards ask."""
    assert store.population == len(WHOLE.identities)
    assert store.restorers == {"alice", "glass"}
    assert store.break_glass == {"okta:default:00uGlass", "entra:t:g"}


def test_names_by_account_and_alias(store: InventoryStore) -> None:
    """All that hold a key, also several; nothing for what nobody holds; nothing for no key."""
    keys = ["okta:default:00uAlice", "okta:default:alice@corp.example", "okta:default:00uBob", "okta:default:x", "entra:t:e"]
    found = {key: sorted(names) for key, names in store.names(keys).items() if names}
    assert found == {
        "okta:default:00uAlice": ["alice"],
        "okta:default:alice@corp.example": ["alice"],
        "okta:default:00uBob": ["bob", "eve"],
        "entra:t:e": ["eve"],
    }
    assert store.names([]) == {}


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_ids_are_only_ids(store: InventoryStore, name: str) -> None:
    """Whatever stands in an account's id, it finds exactly the identity that holds it."""
    found = resolve(store, [account(f"okta:default:{name}")]).identity
    assert found is not None and found.id == f"odd {name}" and not found.unmapped


CASES: List[List[str]] = [
    ["okta:default:00uAlice"], ["okta:default:00uAlice", "vault:default:e-1"], ["okta:default:00uBob"], [],
    ["okta:default:00uAlice", "entra:t:e"], ["okta:default:x"], ["okta:default:x", "okta:default:y"],
    ["okta:default:00uAlice", "aws:1:AKIAX"], ["okta:default:bob@corp.example"], ["okta:default:00ualice"],
    ["okta:default:0oaPay", "okta:default:0oaPay"],
]  # fmt: skip


@pytest.mark.parametrize("keys", CASES, ids=" ".join)
def test_the_same_alert_means_the_same_identity(store: InventoryStore, keys: List[str]) -> None:
    """Identity and reason are what the inventory in memory gives."""
    accounts = [account(key) for key in keys]
    assert resolve(store, accounts) == resolve(WHOLE, accounts)


PARTS = st.sampled_from(
    ["00uAlice", "00uBob", "alice@corp.example", "e-1", "e", "00UALICE", "*", "00u", "ä€😀", "\x00", "\ud800"]
)


@settings(max_examples=20)
@given(
    st.lists(st.tuples(st.sampled_from(["okta:default", "vault:default", "entra:t", "okta"]), PARTS | st.text()), max_size=4)
)
def test_any_accounts_mean_the_same(store: InventoryStore, parts: List[Any]) -> None:
    """Hostile ids included: no store matches more, or less, than the others."""
    accounts = [Account(place.partition(":")[0], place.partition(":")[2], "user", name) for place, name in parts]
    assert resolve(store, accounts) == resolve(WHOLE, accounts)
