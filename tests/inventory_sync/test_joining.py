"""Joining accounts: explicit wins, evidence must be somebody else's, nothing is guessed, the order changes nothing."""

from __future__ import annotations

from typing import Dict, List, Optional, Tuple

from hypothesis import given
from hypothesis import strategies as st

from responders.inventory.joining import Explicit, Joined, Link, Rank, join
from responders.inventory.observation import Key, Seen
from responders.model import Account


def seen(key: str, *keys: Tuple[str, str, str], user: Optional[bool] = True) -> Seen:
    vendor, tenant, name = key.split(":", 2)
    return Seen(Account(vendor, tenant, "user", name), name, True, user, "a user", tuple(Key(*k) for k in keys))


def mail(address: str, writer: str = "administrator") -> Tuple[str, str, str]:
    return ("email", address, writer)


def number(value: str, writer: str = "administrator") -> Tuple[str, str, str]:
    return ("employee_number", value, writer)


OKTA, ENTRA, VAULT = "okta:corp:1", "entra:t:1", "vault:prod:1"


def test_a_verified_key_joins_and_the_link_says_why() -> None:
    """The same employee number at two vendors is one person."""
    found = join([seen(OKTA, number("7")), seen(ENTRA, number("7"))])
    assert found.groups == ((ENTRA, OKTA),)
    assert found.links == (Link(ENTRA, OKTA, Rank.KEY, "employee number 7"),)


def test_what_users_or_others_may_write_is_no_evidence() -> None:
    """An address that its user may write, and a guest's, join nothing."""
    found = join([seen(OKTA, mail("ceo@corp", "self"), number("7", "self")), seen(ENTRA, mail("ceo@corp"), number("7"))])
    assert len(found.groups) == 2
    found = join([seen(OKTA, mail("ceo@corp")), seen(ENTRA, mail("ceo@corp", "outside"))])
    assert len(found.groups) == 2


def test_email_joins_whatever_its_letters_but_only_ascii() -> None:
    """Case is one and the same; a letter that looks like another is not."""
    assert len(join([seen(OKTA, mail("A@Corp")), seen(ENTRA, mail("a@corp"))]).groups) == 1
    assert len(join([seen(OKTA, mail("\u0430@corp")), seen(ENTRA, mail("\u0430@corp"))]).groups) == 2


def test_an_address_at_two_accounts_of_one_vendor_proves_nothing() -> None:
    """Nobody is chosen: all three stay apart, and a person is told."""
    found = join([seen(OKTA, mail("a@corp")), seen("okta:corp:2", mail("a@corp")), seen(ENTRA, mail("a@corp"))])
    assert len(found.groups) == 3
    assert [(c.what, c.count) for c in found.conflicts] == [("not unique", 3)]


def test_nothing_joins_a_protected_identity_but_the_file() -> None:
    """An administrator of one vendor can't put an account of his into the break-glass identity."""
    row = Explicit("glass", (OKTA,), closed=True)
    found = join([seen(OKTA, number("7")), seen(ENTRA, number("7"))], [row])
    assert found.groups == ((ENTRA,), (OKTA,))
    assert "protected, break-glass" in found.conflicts[0].text


def test_the_file_wins_over_every_key() -> None:
    """Two accounts of one vendor, and accounts whose keys differ, are one if the file says so; and two if it says so."""
    together = [Explicit("a", (OKTA, "okta:corp:2", ENTRA))]
    found = join([seen(OKTA, number("1")), seen("okta:corp:2", number("2")), seen(ENTRA, number("3"))], together)
    assert len(found.groups) == 1
    apart = [Explicit("a", (OKTA,)), Explicit("b", (ENTRA,))]
    found = join([seen(OKTA, number("1")), seen(ENTRA, number("1"))], apart)
    assert len(found.groups) == 2 and "apart" in found.conflicts[0].text


def test_an_account_that_two_rows_claim_is_nobodys() -> None:
    """It stands alone, and the conflict names both rows."""
    found = join([seen(OKTA), seen(ENTRA), seen(VAULT)], [Explicit("a", (OKTA, VAULT)), Explicit("b", (ENTRA, VAULT))])
    assert found.groups == ((ENTRA,), (OKTA,), (VAULT,))
    assert found.conflicts[0].what == "claimed twice"


def test_aliases_of_a_vendor_join_but_not_in_circles_nor_twice() -> None:
    """An entity has its AppRole; two entities that claim it, and entities that claim each other, are told apart."""
    role = "vault:prod:role"
    one = seen(VAULT, ("account", role, "vendor"), user=False)
    assert len(join([one, seen(role, user=False)]).groups) == 1
    two = seen("vault:prod:2", ("account", role, "vendor"), user=False)
    found = join([one, two, seen(role, user=False)])
    assert len(found.groups) == 3 and found.conflicts[0].what == "claimed twice"
    circle = [seen(VAULT, ("account", role, "vendor")), seen(role, ("account", VAULT, "vendor"))]
    found = join(circle)
    assert len(found.groups) == 2 and {c.what for c in found.conflicts} == {"circle"}


def test_a_person_and_a_machine_are_never_joined_by_a_key() -> None:
    """A service principal with a person's number would be taken out with the person."""
    found = join([seen(OKTA, number("7")), seen(ENTRA, number("7"), user=False)])
    assert len(found.groups) == 2 and "machine" in found.conflicts[0].text


def test_who_changes_an_address_can_not_split_an_account_off() -> None:
    """The link of the last time holds, and a person is told that its evidence is gone."""
    before = join([seen(OKTA, mail("a@corp")), seen(ENTRA, mail("a@corp"))])
    after = join([seen(OKTA, mail("b@corp")), seen(ENTRA, mail("a@corp"))], (), before.links)
    assert len(after.groups) == 1 and after.links[0].rank is Rank.KEPT
    assert after.conflicts[0].what == "evidence gone"


def test_a_second_account_with_the_same_address_does_not_split_either() -> None:
    """Somebody signs up with my address: what was joined stays joined, and the newcomer is told apart."""
    before = join([seen(OKTA, mail("a@corp")), seen(ENTRA, mail("a@corp"))])
    after = join(
        [seen(OKTA, mail("a@corp")), seen("okta:corp:2", mail("a@corp")), seen(ENTRA, mail("a@corp"))], (), before.links
    )
    assert after.groups == ((ENTRA, OKTA), ("okta:corp:2",))


def test_a_better_key_ends_a_kept_link() -> None:
    """Administrators gave the two accounts different numbers: they are two people now."""
    before = join([seen(OKTA, mail("a@corp")), seen(ENTRA, mail("a@corp"))])
    after = join([seen(OKTA, mail("a@corp"), number("1")), seen(ENTRA, mail("a@corp"), number("2"))], (), before.links)
    assert len(after.groups) == 2


def test_two_accounts_of_one_vendor_are_not_joined_by_way_of_a_third() -> None:
    """One shares a number with it, the other a subject: neither is chosen, and a person is told."""
    third = seen(ENTRA, number("7"), ("subject", "i|s", "vendor"))
    found = join([seen(OKTA, number("7")), seen("okta:corp:2", ("subject", "i|s", "vendor")), third])
    assert len(found.groups) == 3 and "two accounts of okta:corp" in found.conflicts[0].text


def test_one_wrong_value_spoils_only_its_own_set() -> None:
    """Five hundred accounts with the number 9999 stay apart; all others are joined."""
    many = [seen(f"okta:corp:{n}", number("9999")) for n in range(500)]
    found = join([*many, seen("okta:corp:x", number("1")), seen("entra:t:x", number("1"))])
    assert ("entra:t:x", "okta:corp:x") in found.groups
    assert [(c.count, len(c.accounts)) for c in found.conflicts] == [(500, 20)]


VENDORS = ("okta:corp", "okta:preview", "entra:t", "vault:prod", "cyberark:pam")
KEYS = st.tuples(
    st.sampled_from(["employee_number", "subject", "email", "account"]),
    st.sampled_from(["a@x", "b@x", "1", "2", "okta:corp:0", "entra:t:1"]),
    st.sampled_from(["vendor", "administrator", "self", "outside"]),
)
ACCOUNTS = st.dictionaries(
    st.tuples(st.sampled_from(VENDORS), st.integers(0, 3)),
    st.tuples(st.lists(KEYS, max_size=4), st.sampled_from([True, False, None])),
    max_size=12,
)
ROWS = st.lists(
    st.lists(st.tuples(st.sampled_from(VENDORS), st.integers(0, 4)), min_size=1, max_size=3, unique=True), max_size=3
)


def _made(accounts: Dict[Tuple[str, int], Tuple[List[Tuple[str, str, str]], Optional[bool]]]) -> List[Seen]:
    return [seen(f"{place}:{n}", *keys, user=user) for (place, n), (keys, user) in accounts.items()]


def _rows(rows: List[List[Tuple[str, int]]]) -> List[Explicit]:
    return [Explicit(f"row{n}", tuple(f"{p}:{i}" for p, i in row), closed=n == 0) for n, row in enumerate(rows)]


@given(ACCOUNTS, ROWS, st.randoms(use_true_random=False))
def test_the_order_changes_nothing(accounts, rows, random) -> None:  # type: ignore[no-untyped-def]
    """Accounts and rows in any order give the same groups, links and conflicts."""
    made, explicit = _made(accounts), _rows(rows)
    first = join(made, explicit)
    random.shuffle(made)
    second = join(made, explicit)
    assert (first.groups, first.conflicts) == (second.groups, second.conflicts)


@given(ACCOUNTS, ROWS)
def test_never_two_accounts_of_one_vendor_unless_said(accounts, rows) -> None:  # type: ignore[no-untyped-def]
    """Two accounts of one vendor are together only by the file or by the vendor's own alias; every account is once there."""
    made, explicit = _made(accounts), _rows(rows)
    found = join(made, explicit)
    allowed = _closure(found, (Rank.FILE, Rank.VENDOR))
    everything = [key for group in found.groups for key in group]
    assert len(everything) == len(set(everything)) and {one.account.key for one in made} <= set(everything)
    for group in found.groups:
        for a in group:
            for b in group:
                if a != b and a.partition(":")[0] == b.partition(":")[0]:
                    assert allowed.get(a, a) == allowed.get(b, b)


@given(ACCOUNTS, ROWS)
def test_the_file_wins(accounts, rows) -> None:  # type: ignore[no-untyped-def]
    """Accounts of one row are together, those of two rows never, and the closed row has nothing but its own."""
    explicit = _rows(rows)
    found = join(_made(accounts), explicit)
    where = {key: place for place, group in enumerate(found.groups) for key in group}
    claims: Dict[str, List[str]] = {}
    for row in explicit:
        for key in row.accounts:
            claims.setdefault(key, []).append(row.identity)
    mine = {row.identity: [key for key in row.accounts if len(claims[key]) == 1] for row in explicit}
    for keys in mine.values():
        assert len({where[key] for key in keys}) <= 1
    owned = [{where[key] for key in keys} for keys in mine.values() if keys]
    assert sum(map(len, owned)) == len(set().union(*owned)) if owned else True
    for row in explicit:
        if row.closed and mine[row.identity]:
            assert set(found.groups[where[mine[row.identity][0]]]) == set(mine[row.identity])


@given(ACCOUNTS, ROWS)
def test_joining_again_changes_nothing(accounts, rows) -> None:  # type: ignore[no-untyped-def]
    """With the links of the last time, the same accounts give the same groups."""
    made, explicit = _made(accounts), _rows(rows)
    first = join(made, explicit)
    second = join(made, explicit, first.links)
    assert first.groups == second.groups
    assert join(made, explicit, second.links).groups == second.groups


def _closure(found: Joined, ranks: Tuple[Rank, ...]) -> Dict[str, str]:
    """Account to the one that stands for all it is joined with by links of these ranks."""
    head: Dict[str, str] = {}

    def root(key: str) -> str:
        while head.get(key, key) != key:
            key = head[key]
        return key

    for link in found.links:
        if link.rank in ranks:
            head[root(link.a)] = root(link.b)
    return {key: root(key) for group in found.groups for key in group}
