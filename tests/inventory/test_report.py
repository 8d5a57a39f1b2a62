"""The inventory's report: numbers by hand, a picture that survives circles, a page that survives hostile names."""

from __future__ import annotations

import csv
import html
import io
import json
from datetime import datetime, timedelta, timezone
from pathlib import Path
from types import MappingProxyType
from typing import Any, Dict, List, Mapping, Sequence, Tuple

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from responders.errors import BadInput
from responders.inventory.observation import Holds, Observed, Reaches, Seen
from responders.inventory.reporting.collect import INTERACTIVE, Collector
from responders.inventory.reporting.coverage import Coverage, Named
from responders.inventory.reporting.graph import HIGH, WIDE, breaks, draw
from responders.inventory.reporting.history import MOST, as_text, read_history, with_today
from responders.inventory.reporting.lists import lists
from responders.inventory.reporting.page import render, trends
from responders.inventory.resolve import Inventory
from responders.inventory.sync.raw import RawStore
from responders.inventory.sync.source import Listing, Row
from responders.model import Account, Identity
from responders.surfaces.command_line.main import main
from responders.surfaces.command_line.reading import MAX_FILE, inventory_of

NOW = datetime(2026, 11, 25, 12, 0, tzinfo=timezone.utc)
HOSTILE = "=cmd()|<script>alert(1)</script>\x1b[31m\"'&\u202eexe"
"""A formula, HTML, an ANSI escape, and an override that shows what follows from right to left."""


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


def cover(
    inventory: Inventory, named: Sequence[Named] = (), observed: Sequence[Observed] = (), things: Sequence[Holds] = (),
    users: Mapping[str, Tuple[str, ...]] = MappingProxyType({}),
) -> Coverage:  # fmt: skip
    collector = Collector(named, NOW)
    for one in inventory.identities:
        collector.know(one)
    for key, name in inventory.aliases.items():
        collector.alias(key, name)
    for each in observed:
        collector.take(each)
    for held in things:
        collector.take_thing(held)
    return collector.result(len(inventory.restorers), lambda key: users.get(key, ()))


def report(observed: Tuple[Observed, ...] = (), named: Tuple[Named, ...] = (), things: Tuple[Holds, ...] = ()) -> Coverage:
    return cover(company(), named, observed, things)


def test_unmapped_accounts_are_those_that_no_row_and_no_alias_claims() -> None:
    """Three rows name a stranger, one an alias; its vendor lists another stranger, and one that can't sign in."""
    named = (
        Named("okta:corp:zz", "d", "2026-11-01"), Named("okta:corp:zz", "d", "2026-11-20"),
        Named("okta:corp:zz", "d", ""), Named("okta:corp:alice@corp", "d", ""),
    )  # fmt: skip
    found = report((seen(user("yy")), seen(user("off"), live=False), seen(user("u1"))), named)
    assert [(u.who.id, u.seen, u.last, u.listed) for u in found.unmapped] == [
        ("okta:corp:zz", 3, "2026-11-20", False), ("okta:corp:yy", 0, "", True),
    ]  # fmt: skip


def test_identities_without_owner_and_admins_are_listed() -> None:
    """Services come first; privileged in the inventory and an administrator's role at a vendor are both standing rights."""
    role = Reaches("okta:corp:u1", "role", "SUPER_ADMIN", "Super Administrator", admin=True)
    found = report((seen(user("u1"), reaches=(role, Reaches("okta:corp:u1", "group", "g1", "all"))),))
    assert [one.who.id for one in found.no_owner] == ["billing", "root"] and found.no_owner_machines == 1
    assert {a.who.id: a.why for a in found.admins} == {
        "alice": ("Super Administrator at Okta",), "root": ("privileged in the inventory",),
    }  # fmt: skip


def test_a_role_that_must_be_activated_does_not_stand() -> None:
    """Eligible in Entra is listed apart, also where it alone made the identity privileged; roles have their names."""
    admin = "62e90394-69f5-4237-9190-012177145e10"
    rights = [Reaches("entra:corp:u1", "role", role, name, admin=True)
              for role, name in ((admin, "eligible"), ("own-role", "assigned"))]  # fmt: skip
    eligible = seen(user("u2"), reaches=(Reaches("okta:corp:u2", "role", admin, "eligible", admin=True),))
    found = report((seen(user("u1", "entra"), reaches=tuple(rights)), eligible))
    assert {a.who.id: a.why for a in found.admins} == {"alice": ("role own-role at Entra",)}
    assert {a.who.id: a.why for a in found.eligible} == {
        "alice": ("Global Administrator at Entra",), "root": ("Global Administrator at Okta",),
    }  # fmt: skip


def test_an_administrator_of_thousands_of_safes_is_one_line() -> None:
    """Five names and how many more; how many rights are kept apart is bounded too."""
    safes = tuple(Reaches("x", "safe", f"cyberark:pam:safe:{n:04}", f"{n:04}", admin=True) for n in range(3000))
    (found,) = report((seen(user("u1"), reaches=safes),)).admins[:1]
    assert found.why[0].startswith("gives access to the 200 safes 0000, 0001, 0002, 0003, 0004 and 195 more")
    assert found.why[1] == "2800 more" and len(" ".join(found.why)) < 200


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


def test_what_has_expired_or_can_not_sign_in_is_no_old_secret() -> None:
    """An expired one is counted apart; those of an account that is off or gone count nowhere; nine digits are read."""
    over = Holds("x", "client_secret", "over", "over", "2024-01-01T00:00:00Z", expires="2026-11-25T11:59:59.123456789Z")
    never = Holds("x", "secret_id", "never", "never", "2026-01-01T00:00:00.123456789Z", expires="")
    off = seen(user("u2"), secret("off", 500), live=False)
    gone = Observed(seen(user("u3")).seen, (secret("gone", 500),), (), 1.0)
    found = report((seen(user("u1"), over, never), off, gone))
    assert [(s.name, s.days) for s in found.secrets] == [("never", 328)] and found.expired == 1


def test_a_token_that_okta_lists_is_live_whatever_end_was_known() -> None:
    """Its end moves with each use: a month after the last sync it would else be gone from the report."""
    token = Holds("x", "api_token", "t", "nightly", "2026-01-01T00:00:00Z", expires="2026-11-01T00:00:00Z")
    found = report((seen(user("u1"), token),))
    assert [s.name for s in found.secrets] == ["nightly"] and not found.expired


def test_what_was_not_read_is_told_and_is_no_zero(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A tenant that was last read three days ago, and a list that it refused, stand in the terminal and on the page."""
    path = tmp_path / "inventory.json"
    path.write_text(company().to_json())
    profile = {"profile": {"login": "x@corp"}, "provider": "OKTA", "status": "ACTIVE"}
    before = datetime.now(timezone.utc).timestamp() - 3 * 86400
    with RawStore(tmp_path / "inventory.observed.db") as store:
        for name in ("users", "api_tokens"):
            store.begin("okta:corp", Listing(name), before, full=True, full_every=1.0, stale=1.0)
            store.add("okta:corp", name, [Row("u1", profile)], cursor="", done=True, delta="")
        store.publish("okta:corp", [Listing("users"), Listing("api_tokens")], {"api_tokens": "403, <scope>"}, before, 9e9)
    assert main(["inventory", "report", str(path), "--html", str(tmp_path / "page.html")]) == 0
    told, page = capsys.readouterr().out, (tmp_path / "page.html").read_text()
    assert "Okta was last read" in told and "Okta did not let us list api tokens, so it is not known: 403, <scope>" in told
    assert page.count('class="warn"') >= 2 and "403, &lt;scope&gt;" in page


def test_what_needs_no_secret_has_no_age() -> None:
    """A federated credential is listed as a way in, and is neither young nor old."""
    trust = Holds("x", "federated_credential", "f", "https://ci.example repo:x", "2020-01-01T00:00:00Z")
    found = report((seen(user("u1"), trust),))
    assert [one.name for one in found.unsecret] == ["https://ci.example repo:x"] and not found.secrets


SAFE = "cyberark:corp:safe:db"


def reaching(account: Account, *, admin: bool = False) -> Observed:
    return seen(account, reaches=(Reaches(account.key, "safe", SAFE, "db", admin=admin),))


def test_a_credential_in_a_safe_that_two_identities_reach_is_shared() -> None:
    """Two accounts of one identity share nothing; two identities do, and a person and a service most of all."""
    both = Holds(SAFE, "privileged_account", "7_3", "root-db", changed="2026-11-01T00:00:00Z")
    own = Holds("cyberark:corp:safe:own", "privileged_account", "7_4", "own", created="2020-01-01", managed=False)
    one = report((reaching(user("u1")), reaching(user("u1", "entra"))), things=(both, own))
    assert [s.what for s in one.shared] == ["identity desk"] and one.unmanaged == 1
    two = report((reaching(user("u1")), reaching(user("u2")), reaching(CHECKOUT)), things=(both, own))
    shared = two.shared[1]
    assert (shared.what, shared.vendor, shared.count, shared.names) == ("safe db", "cyberark:corp", 1, ("root-db",))
    assert ([w.id for w in shared.users], shared.kinds, shared.mixed) == (
        ["alice", "checkout", "root"], (("human", 2), ("service", 1)), True,
    )  # fmt: skip
    assert [(s.who.id, s.who.name, s.name, s.days) for s in two.secrets] == [
        ("cyberark:corp:safe:own", "safe own", "own", 2520), (SAFE, "safe db", "root-db", 24),
    ]  # fmt: skip
    assert two.shared_credentials == 2


def test_a_path_that_two_identities_use_is_shared_unless_each_gets_its_own() -> None:
    """kv/db is one secret for both; a leased one, a login and a listing are not."""
    paths = ("kv/db", "auth/token/lookup-self", "kv/")
    reaches = tuple(Reaches("x", "path", path, path) for path in paths)
    leased = Reaches("x", "path", "database/creds/app", "database/creds/app (3 leases)")
    found = report(tuple(seen(account, reaches=(*reaches, leased)) for account in (user("u1"), user("u2"))))
    assert [s.what for s in found.shared] == ["identity desk", "path kv/db"]


def test_service_identities_used_by_people() -> None:
    """By the type of their account, by what the vendor shows, and by the detection that saw it; never a human."""
    named = (Named("okta:corp:u1", INTERACTIVE, ""), Named("vault:prod:checkout", INTERACTIVE, ""))
    found = {f.who.id: f.why for f in report((seen(user("svc")),), named).people_on_services}
    assert set(found) == {"billing", "checkout"}
    assert "signs in as a person" in found["billing"][0] and INTERACTIVE in found["checkout"][0]
    assert "is a person's account" in report().people_on_services[0].why[0]


def test_people_used_by_machines() -> None:
    """An API token works in a person's name, and a machine's account can be a person's; a service's own are no finding."""
    machine = Account("vault", "prod", "approle", "nightly")
    inventory = Inventory([identity("alice", user("u1"), machine), identity("svc", user("u2"), kind="service")])
    tokens = (secret("b", 1), secret("a", 2), secret("off", 3, live=False))
    observed = [seen(user("u1"), *tokens), seen(user("u2"), secret("c", 1)), seen(machine, person=False)]
    (found,) = cover(inventory, (), observed).machines_on_people
    assert found.who.id == "alice" and found.why == (
        "2 API tokens of okta:corp:u1: a, b", "vault:prod:nightly is a machine's account (type USER)",
    )  # fmt: skip


def test_an_identity_is_called_as_its_first_account_unless_the_file_named_it() -> None:
    """Names stand beside ids; an id of your file is its own name; what Vault made up is no name."""
    inventory = Inventory([
        identity("okta:corp:u1", user("u1"), user("e1", "entra"), owner=None), identity("alice", user("u2"), owner=None),
        identity("vault:corp:e", user("e", "vault"), owner=None),
    ])  # fmt: skip
    observed = [
        Observed(Seen(account, name, True, True, "x"))
        for account, name in ((user("e1", "entra"), "second"), (user("u1"), "first@corp"), (user("u2"), "u2@corp"),
                              (user("e", "vault"), "entity_df020352.root"))
    ]  # fmt: skip
    found = {one.who.id: one.who.name for one in cover(inventory, (), observed).no_owner}
    assert found == {"okta:corp:u1": "first@corp", "alice": "", "vault:corp:e": ""}


def test_what_logs_show_in_use_is_listed_and_escaped() -> None:
    """Beside what breaks: each identity with its lines, on the page as it is shown anywhere else; it makes no dependents."""
    inventory = Inventory(
        [identity("billing", user("svc"), kind="service", usage=(f"{HOSTILE} calls it on 9 days",))], {}, frozenset()
    )
    found = cover(inventory)
    assert [(one.who.id, one.why) for one in found.in_use] == [("billing", (f"{HOSTILE} calls it on 9 days",))]
    assert found.breaks == ()
    page = render(found, ())
    assert "What logs show in use" in page and "calls it on 9 days" in page and "<script>alert" not in page


def test_what_breaks_goes_all_the_way() -> None:
    """billing takes checkout with it, and shop and app behind that."""
    found = {b.who.id: ([w.id for w in b.direct], [w.id for w in b.further]) for b in report().breaks}
    assert found == {"billing": (["checkout"], ["shop", "app"]), "checkout": (["shop", "app"], [])}


def test_who_signs_in_through_an_application_is_counted_and_drawn_in_a_box_of_its_own() -> None:
    """Two applications with seven people each share no box; a person's account leads nobody anywhere."""
    apps = [Account("entra", "t", "service_principal", name) for name in "ab"]
    collector = Collector((), NOW)
    for one in [identity(app.id, app, kind="service") for app in apps] + [identity("c", user("c"))]:
        collector.know(one)
    found = collector.result(2, people=lambda key: 7)
    assert [(b.who.id, b.people, b.direct) for b in found.breaks] == [("a", 7, ()), ("b", 7, ())]
    drawing = draw(found.edges, ["a", "b"], notes={"a": "7 people", "b": "7 people"})
    assert [node.text for node in drawing.nodes].count("7 people") == 2 and len(drawing.paths) == 2
    assert "7 people and groups who sign in through it" in render(found, ())


def test_a_dependent_that_a_sync_named_is_followed_as_an_identity() -> None:
    """A sync writes names, as the vendor shows them. One name of two applications is followed to neither."""
    a, b, c, d = (Account("entra", "t", "service_principal", name) for name in "abcd")
    inventory = Inventory([
        identity(a.key, a, kind="service", dependents=("Portal",)), identity(b.key, b, kind="service", dependents=("Twin",)),
        identity(c.key, c, kind="service", dependents=("Never",)), identity(d.key, d, kind="service"),
    ])  # fmt: skip
    names = {a: "Payroll", b: "Portal", c: "Twin", d: "Twin"}
    observed = [Observed(Seen(account, name, True, False, "x")) for account, name in names.items()]
    found = cover(inventory, (), observed, (), {a.key: (b.key,), b.key: (c.key, d.key)})
    by = {one.who.name: ([str(w) for w in one.direct], [str(w) for w in one.further]) for one in found.breaks}
    assert by == {"Payroll": (["Portal (entra:t:b)"], ["Twin"]), "Portal": (["Twin"], []), "Twin": (["Never"], [])}


def test_vendors_add_up() -> None:
    """Each tenant with its accounts, identities, strangers, secrets, and who has power there and not elsewhere."""
    role = Reaches("okta:corp:u2", "role", "r", "r", admin=True)
    things = (Holds(SAFE, "privileged_account", "1", "root"), Holds(SAFE, "privileged_account", "2", "sa"))
    observed = (seen(user("u2"), secret("old", 91), reaches=(role,)), seen(user("svc")), reaching(user("u1")),
                reaching(user("u3")))  # fmt: skip
    found = report(observed, (Named("aws:1:x", "d", ""),), things)
    rows = {v.place: v for v in found.vendors}
    assert {*rows} <= {*found.where}  # a tenant that only logs know has a name for people, too
    okta = rows["okta:corp"]
    assert (okta.accounts, okta.identities, okta.no_owner, okta.secrets, okta.old_secrets, okta.admins) == (4, 4, 2, 1, 1, 1)
    assert (okta.people_on_services, okta.ages) == (1, (0, 0, 1, 0, 0, 0))
    assert (rows["aws:1"].accounts, rows["aws:1"].unmapped) == (0, 1)
    assert (rows["cyberark:corp"].secrets, rows["entra:corp"].admins) == (2, 0)


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
    """a stops b, b stops a: what breaks with a is b. Five thousand in a row are no deeper than one, and may be cut."""
    assert breaks({"a": ["b"], "b": ["a"]}, "a") == ("b",)
    chain = {str(number): [str(number + 1)] for number in range(5000)}
    assert len(breaks(chain, "0")) == 5000 and len(breaks(chain, "0", 100)) == 100
    assert draw(chain, list(chain), most=6000).left_out == 0 and draw(chain, ["0"]).left_out == 4997


def test_what_stops_behind_another_box_has_one_way_in() -> None:
    """a stops b and c, b stops c: the picture has a to b to c and no third curve."""
    found = draw({"a": ["b", "c"], "b": ["c"]}, ["a", "b"])
    assert [node.name for node in found.nodes] == ["a", "b", "c"] and len(found.paths) == 2


def test_the_largest_is_in_the_picture_and_what_finds_no_room_is_counted() -> None:
    """Of a hub of 100 eight are drawn, those that lead on first, and one box says how many more; the small one stays."""
    edges = {"hub": [f"n{number}" for number in range(100)], "n99": ["x"], "small": ["y"]}
    found = draw(edges, ["hub", "small"], {"n99": "Called"})
    texts = [node.text for node in found.nodes]
    assert texts.count("and 92 more") == 1 and {"hub", "Called", "x", "small", "y"} <= {*texts} and len(texts) == 13
    assert found.left_out == 92
    many = {f"{hub}": [f"{hub}-{number}" for number in range(30)] for hub in range(100)}
    crowded = draw(many, list(many))
    assert len(crowded.nodes) <= 80 and crowded.height < 4000


def test_history_keeps_one_line_a_day() -> None:
    """The second run of a day takes the place of the first; a line that is none is named."""
    first = with_today(read_history('{"day": "2026-11-24", "unmapped": 3}\n', "h"), NOW, {"unmapped": 2})
    second = with_today(read_history(as_text(first), "h"), NOW, {"unmapped": 1})
    assert [(p.day, dict(p.figures)) for p in second] == [("2026-11-24", {"unmapped": 3}), ("2026-11-25", {"unmapped": 1})]
    with pytest.raises(BadInput, match="h:2"):
        read_history('{"day": "2026-11-24"}\n{"day": "x"}\n', "h")
    with pytest.raises(BadInput, match="h:1"):
        read_history('{"day": "2026-11-24", "admins": 1e999}\n', "h")


def test_history_is_bounded() -> None:
    """A run each day for four years leaves the last 800 days, a page shows 90 of them, each where it is in time."""
    days: Tuple[Any, ...] = ()
    for number in range(1460):
        days = with_today(days, NOW + timedelta(days=number), {"unmapped": number})
    assert len(days) == MOST and days[0].figures["unmapped"] == 660 and len(as_text(days)) < 50_000
    (line,) = trends(days)
    assert (line.first, line.last, line.points.count(",")) == (1370, 1459, 90)
    (gap,) = trends(read_history('{"day": "2026-01-01", "admins": 4}\n{"day": "2026-01-02", "admins": 2}\n'
                                 '{"day": "2026-01-11", "admins": 0}\n', "h"))  # fmt: skip
    assert [dot.partition(",")[0] for dot in gap.points.split()] == ["0.00", "10.00", "100.00"]


def hostile() -> Coverage:
    """Hostile ids, owners, dependents, secrets, safes, rights and accounts, in each list of the report."""
    long = HOSTILE + "x" * 5000
    inventory = Inventory([
        identity(HOSTILE, user("u1"), kind="service", owner=HOSTILE, dependents=(HOSTILE + "2",), usage=(HOSTILE,)),
        identity("okta:corp:u2", user("u2"), owner=None), identity(long, user("u3"), shared=True, owner=None),
    ])  # fmt: skip
    power = Reaches("x", "role", HOSTILE, long, admin=True)
    held = Holds("x", HOSTILE, HOSTILE, long, HOSTILE)
    trust = Holds("x", "federated_credential", "f", long)
    safe = f"cyberark:corp:safe:{HOSTILE}"
    reach = Reaches("x", "safe", safe, HOSTILE, admin=True)
    observed = [
        Observed(Seen(user(name), long, True, True, HOSTILE), (held, trust), (power, reach))
        for name in ("u1", "u2", HOSTILE)
    ]
    things = [Holds(safe, "privileged_account", "1", long)]
    return cover(inventory, [Named(f"okta:corp:{HOSTILE}", HOSTILE, HOSTILE)], observed, things)


def test_the_page_escapes_whatever_it_is_given_and_loads_nothing() -> None:
    """All of it is text, in the tables and in the picture; nothing turns its direction; long names are cut."""
    found = hostile()
    page = render(found, with_today((), NOW, found.figures()))
    assert "<script" not in page and "\x1b" not in page and "\u202e" not in page and "&lt;script&gt;" in page
    assert "default-src 'none'" in html.unescape(page) and "http" not in page.split("</head>")[1]
    assert "x" * 301 not in page and len(page) < 100_000


def test_no_spreadsheet_runs_a_list() -> None:
    """No cell begins as a formula does or holds a control character, and each row has the columns of its header."""
    files = dict(lists(hostile()))
    filled = 0
    for name, text in files.items():
        header, *rows = csv.reader(io.StringIO(text))
        filled += bool(rows)
        for row in rows:
            assert len(row) == len(header), name
            assert not any(cell.startswith(("=", "+", "-", "@", "\t", "\r")) for cell in row), name
            assert all(letter.isprintable() for cell in row for letter in cell), name
    assert (len(files), filled) == (12, 10)  # nobody here has a right to activate, or lends an account to a machine


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
    assert [(u["who"]["id"], u["seen"], u["listed"]) for u in found["unmapped"]] == [
        ("okta:corp:zz", 1, False), ("okta:corp:stranger", 0, True),
    ]  # fmt: skip
    assert [(s["who"]["id"], s["what"], s["name"]) for s in found["secrets"]] == [("alice", "api_token", "old token")]
    assert ["alice", ["Super Administrator at Okta"]] in [[a["who"]["id"], a["why"]] for a in found["admins"]]
    assert found["figures"]["old_secrets"] == 1 and found["history"][0]["unmapped"] == 2
    assert main(command) == 0
    assert "unmapped accounts" in capsys.readouterr().out
    assert "okta:corp:zz" in (tmp_path / "page.html").read_text()


def test_a_terminal_shows_some_of_what_stops(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Five hundred names would fill a terminal: twelve, and how many more; --lists has all of them."""
    path = tmp_path / "people.csv"
    names = ";".join(f"client-{number}" for number in range(500))
    path.write_text(f"id,kind,accounts,dependents\nhub,service,okta:corp:0oa1|app,{names}\n")
    assert main(["inventory", "report", str(path), "--lists", str(tmp_path / "lists")]) == 0
    out = capsys.readouterr().out
    assert "client-11, and 488 more" in out and "client-12," not in out
    assert "client-499" in (tmp_path / "lists" / "what_breaks.csv").read_text()


def test_a_compiled_inventory_may_be_longer_than_what_a_person_writes(tmp_path: Path) -> None:
    """A sync of 120,000 identities writes more than the 64 MB that a file of yours may have: it is read for the SIEMs."""
    path = tmp_path / "inventory.json"
    path.write_text(company().to_json() + " " * (MAX_FILE + 1))
    assert inventory_of(path).population == 5
    (tmp_path / "people.csv").write_text(" " * (MAX_FILE + 1))
    with pytest.raises(BadInput, match="is longer than"):
        inventory_of(tmp_path / "people.csv")


def test_a_long_name_keeps_its_end_in_the_picture() -> None:
    """Names of one family differ at their end: cut there, nine boxes of a picture would say the same."""
    names = [f"the-same-long-beginning-{n}" for n in range(3)]
    drawing = draw({"hub": names}, ["hub"])
    assert {node.text for node in drawing.nodes} >= {f"the-same-long…nning-{n}" for n in range(3)}


def test_a_figure_that_is_not_known_is_no_zero_in_the_trend() -> None:
    """Without a vendor's state there is no figure of old secrets, and a day without one is left out of its line."""
    assert not {"old_secrets", "shared"} & set(report().figures())
    days = read_history(
        '{"day": "2026-11-01", "old_secrets": 9, "unmapped": 1}\n{"day": "2026-11-02", "unmapped": 2}\n'
        '{"day": "2026-11-03", "old_secrets": 5, "unmapped": 3}\n', "h",
    )  # fmt: skip
    found = {trend.name: (trend.first, trend.last, trend.points.count(",")) for trend in trends(days)}
    assert found == {"secrets older than 90 days": (9, 5, 2), "unmapped accounts": (1, 3, 3)}
