"""The inventory's report: numbers by hand, a picture that survives circles, a page that survives hostile names."""

from __future__ import annotations

import html
import json
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any, Dict, List, Tuple

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from responders.errors import BadInput
from responders.inventory.observation import Holds, Observed, Reaches, Seen
from responders.inventory.reporting.coverage import INTERACTIVE, Coverage, Named, cover
from responders.inventory.reporting.graph import HIGH, WIDE, breaks, draw
from responders.inventory.reporting.history import as_text, read_history, with_today
from responders.inventory.reporting.page import render, trends
from responders.inventory.resolve import Inventory
from responders.inventory.sync.raw import RawStore
from responders.inventory.sync.source import Row
from responders.model import Account, Identity
from responders.surfaces.command_line.main import main

NOW = datetime(2026, 11, 25, 12, 0, tzinfo=timezone.utc)
HOSTILE = "<script>alert(1)</script>\x1b[31m\"'&"


def identity(name: str, *accounts: Account, **more: Any) -> Identity:
    given: Dict[str, Any] = {
        "id": name, "kind": "human", "owner": "a team", "criticality": "normal", "environment": "production",
        "protected": False, "accounts": accounts, "dependents": (), **more,
    }  # fmt: skip
    return Identity(**given)


def user(name: str, vendor: str = "okta") -> Account:
    return Account(vendor, "corp", "user", name)


def seen(
    account: Account, *holds: Holds, reaches: Tuple[Reaches, ...] = (), person: bool = True, live: bool = True
) -> Observed:
    return Observed(Seen(account, account.id, live, person, "type USER"), holds, reaches)


def secret(name: str, days: int | None, *, live: bool = True, changed: int | None = None) -> Holds:
    def ago(count: int | None) -> str:
        return "" if count is None else (NOW - timedelta(days=count)).isoformat()

    return Holds("x", "api_token", name, name, created=ago(days), changed=ago(changed), live=live)


CHECKOUT = Account("vault", "prod", "approle", "checkout")


def company() -> Inventory:
    return Inventory(
        [
            identity("alice", user("u1"), user("u1", "entra")),
            identity("root", user("u2"), criticality="privileged", owner=None),
            identity("billing", user("svc"), kind="service", dependents=("checkout",), owner=None),
            identity("checkout", CHECKOUT, kind="service", dependents=("shop", "app")),
            identity("desk", user("u3"), shared=True),
        ],
        {"okta:corp:alice@corp": "alice"}, frozenset({"alice"}),
    )  # fmt: skip


def report(observed: Tuple[Observed, ...] = (), named: Tuple[Named, ...] = ()) -> Coverage:
    return cover(company(), named, observed, NOW)


def test_unmapped_accounts_are_those_that_no_row_and_no_alias_claims() -> None:
    """Three rows name a stranger, one an alias; its vendor lists another stranger, and one that can't sign in."""
    named = (
        Named("okta:corp:zz", "d", "2026-11-01"), Named("okta:corp:zz", "d", "2026-11-20"),
        Named("okta:corp:zz", "d", ""), Named("okta:corp:alice@corp", "d", ""),
    )  # fmt: skip
    found = report((seen(user("yy")), seen(user("off"), live=False), seen(user("u1"))), named)
    assert [(u.account, u.seen, u.last, u.listed) for u in found.unmapped] == [
        ("okta:corp:zz", 3, "2026-11-20", False), ("okta:corp:yy", 0, "", True),
    ]  # fmt: skip


def test_identities_without_owner_and_admins_are_listed() -> None:
    """Services come first; privileged in the inventory and an administrator's role at a vendor are both standing rights."""
    role = Reaches("okta:corp:u1", "role", "SUPER_ADMIN", "Super Administrator", admin=True)
    found = report((seen(user("u1"), reaches=(role, Reaches("okta:corp:u1", "group", "g1", "all"))),))
    assert [i.id for i in found.no_owner] == ["billing", "root"]
    assert {a.who: a.why for a in found.admins} == {
        "alice": "role Super Administrator at okta:corp", "root": "privileged in the inventory",
    }  # fmt: skip


def test_secrets_are_counted_by_the_age_of_their_secret() -> None:
    """30, 31, 90, 91 and 400 days, one not known; a change counts for its creation, one that is off does not count."""
    held = [secret(f"s{days}", days) for days in (30, 31, 90, 91, 400)]
    held += [secret("turned", 700, changed=3), secret("unknown", None), secret("off", 500, live=False)]
    found = report((seen(user("u1"), *held),))
    assert dict(found.ages) == {
        "up to 30 days": 2, "31 to 90": 2, "91 to 180": 1, "181 to 365": 0, "over a year": 1, "not known": 1,
    }  # fmt: skip
    assert found.old == 2
    assert [s.name for s in found.secrets][:2] == ["s400", "s91"] and found.secrets[-1].name == "unknown"


def test_a_credential_that_two_identities_reach_is_shared() -> None:
    """Two accounts of one identity share nothing; two identities that reach one privileged account do."""
    both = Holds("safe:x", "privileged_account", "7_3", "root-db")
    own = Holds("safe:y", "privileged_account", "7_4", "own")
    found = report((seen(user("u1"), both, own), seen(user("u2"), both), seen(user("u1", "entra"), own)))
    assert [(f.who, f.why) for f in found.shared] == [
        ("desk", "the inventory says that several people use it"),
        ("okta:corp privileged_account root-db", "2 identities reach it: alice, root"),
    ]  # fmt: skip
    assert sum(s.name == "root-db" for s in found.secrets) == 1


def test_service_identities_used_by_people() -> None:
    """By the type of their account, by what the vendor shows, and by the detection that saw it; never a human."""
    named = (Named("okta:corp:u1", INTERACTIVE, ""), Named("vault:prod:checkout", INTERACTIVE, ""))
    found = {f.who: f.why for f in report((seen(user("svc")),), named).people_on_services}
    assert set(found) == {"billing", "checkout"}
    assert "signs in as a person" in found["billing"] and INTERACTIVE in found["checkout"]


def test_what_breaks_goes_all_the_way() -> None:
    """billing takes checkout with it, and shop and app behind that."""
    found = {b.identity: (b.direct, b.further) for b in report().breaks}
    assert found == {"billing": (("checkout",), ("shop", "app")), "checkout": (("shop", "app"), ())}


def test_vendors_add_up() -> None:
    """Each tenant with its accounts, identities, strangers, old secrets and administrators."""
    rows = {v.place: v for v in report((seen(user("u2"), secret("old", 91)),), (Named("aws:1:x", "d", ""),)).vendors}
    okta = rows["okta:corp"]
    assert (okta.accounts, okta.identities, okta.no_owner, okta.old_secrets, okta.admins) == (4, 4, 2, 1, 1)
    assert (rows["aws:1"].accounts, rows["aws:1"].unmapped) == (0, 1)


EDGES = st.dictionaries(st.sampled_from("abcdefgh"), st.lists(st.sampled_from("abcdefghxyz"), max_size=4), max_size=8)


@settings(max_examples=60)
@given(EDGES)
def test_any_graph_can_be_drawn(edges: Dict[str, List[str]]) -> None:
    """Circles, self-loops, doubles: each name has one box, no two overlap, and every curve leads to the right."""
    found = draw(edges, list(edges))
    places = [(node.x, node.y) for node in found.nodes]
    assert {node.name for node in found.nodes} == {*edges, *(to for tos in edges.values() for to in tos)}
    assert len(set(places)) == len(places)
    for x, y in places:
        assert 0 <= x <= found.width - WIDE and 0 <= y <= found.height - HIGH
    for path in found.paths:
        start, end = path[1:].split("C")[0].split(" ")[0], path.split(" ")[-2]
        assert int(start) < int(end)


def test_a_circle_of_dependents_ends_and_a_long_chain_does_not_recurse() -> None:
    """a stops b, b stops a: what breaks with a is b. Five thousand in a row are no deeper than one."""
    assert breaks({"a": ["b"], "b": ["a"]}, "a") == ("b",)
    chain = {str(number): [str(number + 1)] for number in range(5000)}
    assert len(breaks(chain, "0")) == 5000
    assert draw(chain, ["0"], most=6000).left_out == 0


def test_what_finds_no_room_is_counted() -> None:
    """A hub of 100 is left out of 40 boxes whole, and the small one stays."""
    found = draw({"hub": [f"n{number}" for number in range(100)], "small": ["x"]}, ["hub", "small"])
    assert ({node.name for node in found.nodes}, found.left_out) == ({"small", "x"}, 101)


def test_history_keeps_one_line_a_day() -> None:
    """The second run of a day takes the place of the first; a line that is none is named."""
    first = with_today(read_history('{"day": "2026-11-24", "unmapped": 3}\n', "h"), NOW, {"unmapped": 2})
    second = with_today(read_history(as_text(first), "h"), NOW, {"unmapped": 1})
    assert [(p.day, dict(p.figures)) for p in second] == [("2026-11-24", {"unmapped": 3}), ("2026-11-25", {"unmapped": 1})]
    with pytest.raises(BadInput, match="h:2"):
        read_history('{"day": "2026-11-24"}\n{"day": "x"}\n', "h")


def test_the_page_escapes_whatever_it_is_given_and_loads_nothing() -> None:
    """Hostile ids, owners, dependents, secrets and accounts are text."""
    held = Inventory([identity(HOSTILE, user("u1"), kind="service", owner=HOSTILE, dependents=(HOSTILE + "2",))])
    named = [Named(f"okta:corp:{HOSTILE}", HOSTILE, HOSTILE)]
    found = cover(held, named, [seen(user("u1"), Holds("x", HOSTILE, HOSTILE, HOSTILE, HOSTILE))], NOW)
    page = render(found, with_today((), NOW, found.figures()))
    assert "<script" not in page and "\x1b" not in page and "&lt;script&gt;" in page
    assert "default-src 'none'" in html.unescape(page) and "http" not in page.split("</head>")[1]


def test_the_command_reads_what_sync_saw(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A store of the sync beside the inventory is found; rows that name nothing are told; the day goes into the history."""
    inventory = tmp_path / "inventory.json"
    inventory.write_text(company().to_json())
    alerts = tmp_path / "alerts.csv"
    alerts.write_text("tq_account,tq_detection\nokta:corp:zz,d\nnonsense,d\nshort\n")
    profile = {"profile": {"login": "x@corp"}, "provider": "OKTA", "status": "ACTIVE"}
    token = {"userId": "u1", "name": "old token", "created": "2020-01-01T00:00:00Z"}
    role = {"type": "SUPER_ADMIN", "label": "Super Administrator", "status": "ACTIVE"}
    with RawStore(tmp_path / "inventory.observed.db") as store:
        store.put("okta:corp", "users", [Row("u1", profile), Row("stranger", profile)], "", 0.0)
        store.put("okta:corp", "api_tokens", [Row("t1", token)], "", 0.0)
        store.put("okta:corp", "roles", [Row("r1", role, "u1")], "", 0.0)
    command = ["inventory", "report", str(inventory), "--alerts", str(alerts), "--history", str(tmp_path / "h.jsonl")]
    assert main([*command, "--html", str(tmp_path / "page.html"), "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert [bad["place"].rpartition(":")[2] for bad in found["bad"]] == ["3", "4"]
    assert [(u["account"], u["seen"], u["listed"]) for u in found["unmapped"]] == [
        ("okta:corp:zz", 1, False), ("okta:corp:stranger", 0, True),
    ]  # fmt: skip
    assert [(s["identity"], s["what"], s["name"]) for s in found["secrets"]] == [("alice", "api_token", "old token")]
    assert {"who": "alice", "why": "role Super Administrator at okta:corp"} in found["admins"]
    assert found["figures"]["old_secrets"] == 1 and found["history"][0]["unmapped"] == 2
    assert main(command) == 0
    assert "unmapped accounts" in capsys.readouterr().out
    assert "okta:corp:zz" in (tmp_path / "page.html").read_text()


def test_a_figure_that_is_not_known_is_no_zero_in_the_trend() -> None:
    """Without a vendor's state there is no figure of old secrets, and a day without one is left out of its line."""
    assert "old_secrets" not in report().figures()
    days = read_history(
        '{"day": "2026-11-01", "old_secrets": 9, "unmapped": 1}\n{"day": "2026-11-02", "unmapped": 2}\n'
        '{"day": "2026-11-03", "old_secrets": 5, "unmapped": 3}\n', "h",
    )  # fmt: skip
    found = {trend.name: (trend.first, trend.last, trend.points.count(",")) for trend in trends(days)}
    assert found == {"secrets older than 90 days": (9, 5, 2), "unmapped accounts": (1, 3, 3)}
