"""Reading the vendors: whole or not at all, resumable, patient, and nothing gone because one did not answer."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest

from responders.drill.simulators.graph import TENANT
from responders.drill.simulators.okta import OktaSimulator
from responders.drill.simulators.server import Answer, Fault
from tests.inventory_sync.company import Company

ENTRA = f"entra:{TENANT}"


def test_every_vendor_is_read_and_a_second_time_only_what_changed(company: Company) -> None:
    """All lists come; a second reading finds nothing new; it asks Graph by delta and Okta for what changed."""
    company.okta.add_user("alice@corp.example")
    company.graph.add_user("alice@corp.example")
    company.graph.add_agent("helper")
    company.cyberark.add_user("alice")
    company.cyberark.add_application("billing")
    company.cyberark.add_account("root", "unix")
    first = company.read()
    assert [read.failed for read in first.values()] == ["", "", ""]
    assert [dict(read.refused) for read in first.values()] == [{}, {}, {}]
    assert first["entra"].rows["users"] == 1 and first["cyberark"].rows["applications"] == 1
    assert first["okta"].rows["users"] == 2
    company.okta.requests.clear()
    second = company.read()
    assert [(read.taken.new, read.taken.gone, read.failed) for read in second.values()] == [(0, 0, "")] * 3
    assert second["entra"].rows["users"] == 0
    assert any("lastUpdated" in str(entry.query.get("filter")) for entry in company.okta.requests)


def test_what_a_delta_says_is_taken_over(company: Company) -> None:
    """A new, a changed and a deleted user come by the stored delta link; the deleted one is marked gone, and is kept."""
    stays, goes = (company.graph.add_user(f"{name}@corp.example") for name in ("stays", "goes"))
    company.read("entra")
    comes = company.graph.add_user("comes@corp.example")
    company.graph.state["users"][stays]["accountEnabled"] = False
    del company.graph.state["users"][goes]
    read = company.read("entra")["entra"]
    rows = company.rows(ENTRA, "users")
    assert (read.taken.new, read.taken.changed, read.taken.gone) == (1, 1, 1)
    assert rows[stays][0]["accountEnabled"] is False and rows[stays][1] is None
    assert comes in rows and rows[goes][1] is not None


def test_an_expired_delta_link_leads_to_a_full_list(company: Company) -> None:
    """Graph forgot the link (400 syncStateNotFound): everything is listed anew, and nothing is lost."""
    company.graph.add_user("alice@corp.example")
    company.read("entra")
    company.graph.forget_deltas()
    read = company.read("entra")["entra"]
    assert not read.failed and read.rows["users"] == 1 and read.taken.gone == 0


def test_okta_memberships_are_read_only_of_groups_that_changed(company: Company) -> None:
    """A member who left is gone, one who came is there, and an untouched group is not asked for again."""
    users = [company.okta.add_user(f"u{n}@corp.example") for n in range(3)]
    groups = [company.okta.add_group(name) for name in ("moving", "still")]
    company.okta.join_group(groups[0], users[0])
    company.okta.join_group(groups[1], users[1])
    company.read("okta")
    company.okta.requests.clear()
    company.okta.state["groups"][groups[0]]["members"].remove(users[0])
    company.okta.join_group(groups[0], users[2])
    company.read("okta")
    rows = company.rows("okta:corp", "members")
    assert rows[f"{groups[0]}/{users[0]}"][1] is not None
    assert [rows[key][1] for key in (f"{groups[0]}/{users[2]}", f"{groups[1]}/{users[1]}")] == [None, None]
    asked = [entry.path for entry in company.okta.requests if "/users?" in entry.path and "/groups/" in entry.path]
    assert len(asked) == 1 and groups[0] in asked[0]


def test_a_vendor_that_is_down_loses_nothing(company: Company) -> None:
    """Okta does not answer: what is known of it stays, the others are read, and the failure is told."""
    company.okta.add_user("alice@corp.example")
    company.graph.add_user("alice@corp.example")
    company.read()
    before = company.rows("okta:corp", "users")
    company.okta.down = True
    reads = company.read(full=True)
    assert "no answer" in reads["okta"].failed and not reads["entra"].failed
    assert company.rows("okta:corp", "users") == before


def test_a_reading_that_breaks_off_goes_on_where_it_was(company: Company) -> None:
    """Three pages of users, the third refused for good: nothing is taken over; the next time only that page is asked for."""
    for number in range(450):
        company.okta.add_user(f"u{number}@corp.example")
    company.okta.faults.append(Fault("GET", r"/api/v1/groups\Z", "status", 500, times=5))
    first = company.read("okta")["okta"]
    assert first.failed and not company.rows("okta:corp", "users")
    company.okta.requests.clear()
    second = company.read("okta")["okta"]
    asked = [entry.path for entry in company.okta.requests if entry.path.startswith("/api/v1/users?")]
    assert not second.failed and second.taken.new > 450 and asked == []


@pytest.mark.off_spec("the vendor answers half a page on purpose")
def test_half_a_page_is_no_list(company: Company) -> None:
    """A page that breaks off, and a list shorter than the vendor says: nothing is gone, and the vendor is told as failed."""
    for number in range(5):
        company.cyberark.add_user(f"u{number}")
    company.read("cyberark")
    before = company.rows("cyberark:pam", "users")
    company.cyberark.faults.append(Fault("GET", "/API/Users", "garbage", times=1))
    assert "not JSON" in company.read("cyberark", full=True)["cyberark"].failed
    shown = company.cyberark._users
    company.cyberark._routes = [
        (
            method,
            pattern,
            (lambda request: _half(shown(replace(request, query={}))))
            if pattern.pattern.endswith("/API/Users\\Z")
            else handler,
        )
        for method, pattern, handler in company.cyberark._routes
    ]
    failed = company.read("cyberark", full=True)["cyberark"].failed
    assert "half a list" in failed and company.rows("cyberark:pam", "users") == before


def _half(answer: Answer) -> Answer:
    return Answer(200, {"Users": answer.body["Users"][:2], "Total": answer.body["Total"]})


@pytest.mark.off_spec("the vendor leads in a circle on purpose")
def test_a_cursor_that_leads_in_a_circle_ends(company: Company) -> None:
    """The next page is always the same one: the reading ends with an error instead of never."""
    company.read("okta")

    def circle(request: object) -> Answer:
        return Answer(200, [{"id": "00u1"}], {"Link": f'<{company.okta.url}/api/v1/users?after=again>; rel="next"'})

    company.okta._routes.insert(0, ("GET", re.compile(r"/api/v1/users\Z"), circle))
    failed = company.read("okta", full=True)["okta"].failed
    assert "leads back" in failed and "00u1" not in company.rows("okta:corp", "users")


def test_a_storm_of_429_is_waited_out_and_a_longer_one_given_up(company: Company) -> None:
    """Ten refusals in a row are waited out; one that never ends gives up, and loses nothing."""
    company.graph.add_user("alice@corp.example")
    limit = Fault("GET", "/users/delta", "status", 429, {"Retry-After": "0"}, times=10)
    company.graph.faults.append(limit)
    read = company.read("entra")["entra"]
    assert not read.failed and company.slept > 0.4
    company.graph.faults.append(Fault("GET", "/users/delta", "status", 429, {"Retry-After": "0"}, times=10_000))
    read = company.read("entra")["entra"]
    assert "429" in read.failed and len(company.rows(ENTRA, "users")) == 1


def test_what_may_not_be_listed_is_told_and_the_rest_is_taken(company: Company) -> None:
    """Without the permission for role assignments these are missing, named, and nothing else."""
    company.graph.add_user("alice@corp.example")
    company.graph.state["service_principals"][company.app]["roles"] = ["User.Read.All", "Application.Read.All"]
    read = company.read("entra")["entra"]
    assert not read.failed and set(read.refused) == {
        "roles", "eligible", "role_members", "eligible_members", "grants",
    }  # fmt: skip
    assert len(company.rows(ENTRA, "users")) == 1


def test_what_was_refused_at_first_is_read_once_it_may_be(company: Company) -> None:
    """A list that was never read but refused is listed whole when it is allowed, also one that could give changes only."""
    company.cyberark.add_account("root", "unix")
    company.cyberark.faults.append(Fault("GET", "/API/Accounts", "status", 403, times=1))
    assert set(company.read("cyberark")["cyberark"].refused) == {"accounts"}
    read = company.read("cyberark")["cyberark"]
    assert not read.failed and not read.refused and len(company.rows("cyberark:pam", "accounts")) == 1


def test_of_cyberark_accounts_only_what_changed_is_listed(company: Company) -> None:
    """Where milliseconds are understood, a second reading lists the changed account only; a day later, and where seconds are
    meant, which would hide changes, all are listed."""
    for name in ("first", "second"):
        company.cyberark.add_account(name, "unix")
    for account in company.cyberark.state["accounts"].values():
        account["changed"] -= 7200
    company.read("cyberark")
    changed, still = company.cyberark.state["accounts"]
    company.cyberark.state["accounts"][changed]["changed"] += 7200
    assert company.read("cyberark")["cyberark"].rows["accounts"] == 1
    company.cyberark.modification_unit = 1
    assert company.read("cyberark")["cyberark"].rows["accounts"] == 2
    company.cyberark.modification_unit = 1000
    del company.cyberark.state["accounts"][still]
    company.clock += 2 * 86400.0
    read = company.read("cyberark")["cyberark"]
    assert (read.rows["accounts"], read.taken.gone) == (1, 1)


@pytest.mark.parametrize("most", [1, 7])
def test_pages_that_are_smaller_than_asked_for_are_all_read(company: Company, most: int) -> None:
    """A PVWA that gives fewer objects a page than it was asked for: each page is followed, and none is taken for all."""
    for number in range(15):
        company.cyberark.add_account(f"root{number}", f"safe{number}")
        company.cyberark.add_member("safe0", f"u{number}", {"useAccounts": True})
    company.cyberark.most = most
    read = company.read("cyberark")["cyberark"]
    assert not read.failed
    assert [len(company.rows("cyberark:pam", name)) for name in ("accounts", "safes")] == [15, 15]
    assert sum(key.startswith("safe0/u") for key in company.rows("cyberark:pam", "members")) == 15


@pytest.mark.off_spec("the vendor leads elsewhere on purpose")
@pytest.mark.parametrize("vendor", ["okta", "entra", "cyberark"])
def test_a_next_page_at_another_host_gets_no_credential(company: Company, vendor: str) -> None:
    """A next page that leads to another host, scheme or port is not asked for, and nothing of the vendor is taken over."""
    sim = {"okta": company.okta, "entra": company.graph, "cyberark": company.cyberark}[vendor]
    with OktaSimulator() as thief:
        elsewhere = f"{thief.url}/steal"
        pattern, answer = {
            "okta": (r"/api/v1/groups\Z", Answer(200, [], {"Link": f'<{elsewhere}>; rel="next"'})),
            "entra": (r"/v1.0/users/delta\Z", Answer(200, {"value": [], "@odata.nextLink": elsewhere})),
            "cyberark": (r"/PasswordVault/API/Safes\Z", Answer(200, {"value": [], "count": 0, "nextLink": elsewhere})),
        }[vendor]
        sim._routes.insert(0, ("GET", re.compile(pattern), lambda request: answer))
        failed = company.read(vendor)[vendor].failed
        assert "points elsewhere" in failed and not thief.requests
    assert not company.rows(company.place(vendor), "users")


@pytest.mark.parametrize("vendor", ["okta", "entra", "cyberark"])
def test_a_redirect_is_not_followed(company: Company, vendor: str) -> None:
    """An answer that sends elsewhere is the vendor's failure; no credential goes there."""
    sim = {"okta": company.okta, "entra": company.graph, "cyberark": company.cyberark}[vendor]
    with OktaSimulator() as thief:
        for path in ("/api/v1/users", "/v1.0/users/delta", "/API/Users"):
            sim.faults.append(Fault("GET", path, "status", 302, {"Location": f"{thief.url}/steal"}, times=5))
        assert "302" in company.read(vendor)[vendor].failed and not thief.requests


@pytest.mark.parametrize("after", ["-5", "soon", "nan", "99999999999", "1e308", "Fri, 31 Dec 9999 23:59:59 GMT"])
def test_an_absurd_retry_after_holds_nobody_up(company: Company, after: str) -> None:
    """A 429 that says no sensible time is waited out shortly; one that says hours leaves this vendor to the next run."""
    company.graph.faults.append(Fault("GET", "/users/delta", "status", 429, {"Retry-After": after}, times=1))
    read = company.read("entra")["entra"]
    assert company.slept <= 60.0 and bool(read.failed) == (after[0] in "91F")


def test_gone_is_kept_for_some_days_and_then_forgotten(company: Company) -> None:
    """An account that a whole list lacks is marked gone; it is forgotten after the days that were asked for."""
    user = company.okta.add_user("leaver@corp.example")
    company.read("okta")
    del company.okta.state["users"][user]
    company.read("okta", full=True, keep=86400.0)
    assert company.rows("okta:corp", "users")[user][1] is not None
    company.clock += 2 * 86400.0
    company.read("okta", keep=86400.0)
    assert user not in company.rows("okta:corp", "users")


def test_no_secret_is_stored(company: Company) -> None:
    """Client secrets, tokens and passwords of the vendors are nowhere in the file of raw observations."""
    app = company.okta.add_app("svc")
    company.okta.add_credential(app)
    company.okta.add_credential(app, "jwks")
    company.graph.add_secret(company.graph.add_app("other"), "other-secret")
    company.read()
    stored = company.state.read_bytes() + company.state.with_name("observed.db-wal").read_bytes() if (
        company.state.with_name("observed.db-wal").exists()
    ) else company.state.read_bytes()  # fmt: skip
    values = [item["value"] for item in company.okta.state["apps"][app]["secrets"].values()]
    values += [item["value"] for item in company.okta.state["api_tokens"].values()] + ["other-secret", "s3cret"]
    assert not [value for value in values if value.encode() in stored]
    assert company.state.stat().st_mode & 0o077 == 0


def test_nothing_but_reads_is_sent(company: Company) -> None:
    """The whole reading is GET, besides sign-in and sign-out."""
    company.okta.add_app("svc")
    company.read()
    sent = [(entry.method, entry.path) for sim in (company.okta, company.graph, company.cyberark) for entry in sim.requests]
    others = [path for method, path in sent if method != "GET"]
    assert all("token" in path or "Logo" in path or path.endswith("/$batch") for path in others)
    batches = [entry.body["requests"] for entry in company.graph.requests if entry.path.endswith("/$batch")]
    assert batches and all(part["method"] == "GET" for parts in batches for part in parts)
