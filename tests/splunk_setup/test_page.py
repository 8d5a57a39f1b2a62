"""The setup page in a real Chromium, against the app's REST interface: from nothing to all green, and what goes wrong."""

from __future__ import annotations

import json
import os
import re
from datetime import datetime, timezone
from pathlib import Path
from typing import Any, Dict, Iterator

import pytest

from responders.drill.world import VAULT_POLICY, World
from responders.policy.compile import canonical
from responders.policy.policy import from_compiled
from responders.policy.proof import digest
from responders.splunk.inventory import push_accounts
from responders.surfaces.assemble import read_policy
from tests.splunk_rest.office import APP, Office
from tests.splunk_setup.browser import Browser, Page
from tests.splunk_setup.conftest import Vendors
from tests.splunk_setup.splunkweb import SplunkWeb
from tests.vendors.servers import Server, always, answer

pytestmark = pytest.mark.engine("chromium")
CONNECTIONS, SOURCES, JOURNAL, POLICY, SEARCHES, RUNNING = (
    f"#tq-section-{name}" for name in ("connections", "sources", "journal", "policy", "searches", "running")
)
HOSTILE = "<img src=x onerror=window.pwned=1><script>window.pwned=1</script>\"'&"


@pytest.fixture
def opened(browser: Browser, web: SplunkWeb) -> Iterator[Any]:
    """Opens the page as a user; afterwards the console must have had nothing to say."""
    pages = []

    def open_as(user: str, theme: str = "light", **size: int) -> Page:
        page = browser.page(web.signed_in(user, theme), **size)
        pages.append(page)
        page.until("document.querySelector('#tourniquet-setup h2')")
        return page

    yield open_as
    for page in pages:
        assert page.do("window.pwned") is None
        said = [line for line in page.console() if "status of 4" not in line and "status of 5" not in line]
        shoot(page, pages.index(page))
        page.close()
        assert said == []


def shoot(page: Page, number: int) -> None:
    """Pictures for people, where they are asked for."""
    folder = os.environ.get("TOURNIQUET_SCREENSHOTS")
    if folder:
        name = os.environ["PYTEST_CURRENT_TEST"].split("::")[1].split(" ")[0]
        page.screenshot(Path(folder) / f"{name}-{number}.png")


def says(page: Page, where: str, text: str) -> None:
    """A section says this after something was done."""
    page.until(f"T.words(document.querySelector('{where} .tq-body > .tq-status')).includes({json.dumps(text)})")


def missing(page: Page) -> list[str]:
    return list(page.do("T.all('.tq-missing').map((e) => T.words(e).replace('missing ', ''))"))


def connect(page: Page, title: str, ca: str, **fields: Any) -> None:
    page.press(f"Connect {title}", CONNECTIONS)
    page.fill(CONNECTIONS, **fields)
    page.open("Private CA", CONNECTIONS)
    page.fill(CONNECTIONS, Private_CA=ca)


def okta_of(vendors: Vendors) -> Dict[str, Any]:
    found = vendors.world.connections[0]
    return {
        "Tenant": "default", "Address": vendors.okta, "Client_id": found.plain["client_id"],
        "Scopes": " ".join(found.plain["scopes"]), "Private_key": found.secrets["private_key"].reveal(),
        "Quarantine_group": found.settings["quarantine_group"],
    }  # fmt: skip


def test_a_first_set_up_from_nothing_to_everything_green(
    office: Office, vendors: Vendors, web: SplunkWeb, opened: Any
) -> None:
    """Key, index, channel, three vendors with a private CA, sources, searches, input, end: all in the browser."""
    office.deployment.indexes.append("tourniquet")
    page = opened("carl")
    assert "The journal has its key" in missing(page)
    assert "Vendors are connected: 0" in missing(page)

    page.press("Create the journal's key", JOURNAL)
    says(page, JOURNAL, "The key is made")
    page.fill(JOURNAL, **{"Index for the app's own events": "tourniquet"})
    page.press("Save", JOURNAL)
    says(page, JOURNAL, "Saved.")
    with Server(always(answer(b"ok")), vendors.tls.signed) as soc:
        page.open("Add a channel", JOURNAL)
        page.fill(JOURNAL, Name="soc", Kind="webhook", Address=f"{soc.url}/hook", Private_CA=vendors.ca_pem)
        page.press("Add channel", JOURNAL)
        says(page, JOURNAL, "soc is stored")
        page.press("Send a test message to soc", JOURNAL)
        page.until(f"document.querySelector('{JOURNAL}').innerText.includes('the test message was taken')")
        assert b"This is a test by Splunk user carl" in soc.heads[0]

    connect(page, "Okta", vendors.ca_pem, **okta_of(vendors))
    page.press("Test before saving", CONNECTIONS)
    page.until(f"document.querySelector('{CONNECTIONS}').innerText.includes('Nothing is saved yet')")
    page.press("Save", CONNECTIONS)
    says(page, CONNECTIONS, "okta_default is saved")
    entra = vendors.world.connections[1]
    connect(
        page, "Microsoft Entra ID", vendors.ca_pem, Tenant=entra.tenant, Address=vendors.entra, Credential="client_secret",
        Login_host=vendors.login, client_secret="graph-secret-value", Quarantine_group=entra.settings["quarantine_group"],
        **{"Application (client) id": entra.plain["client_id"]},
    )  # fmt: skip
    page.press("Save", CONNECTIONS)
    says(page, CONNECTIONS, "entra_11111111_1111_4111_8111_111111111111 is saved")
    connect(
        page, "CyberArk", vendors.ca_pem, Tenant="default", Address=vendors.cyberark, User_name="tourniquet",
        password="cyberark-secret-value",
    )  # fmt: skip
    page.press("Save", CONNECTIONS)
    says(page, CONNECTIONS, "cyberark_default is saved")
    page.press("Test all connections", CONNECTIONS)
    says(page, CONNECTIONS, "Ready: 3 of 3")
    told = [json.loads(e.raw) for e in office.deployment.events if e.sourcetype == "tourniquet:readiness"]
    assert {(row["vendor"], row["ready"]) for row in told if row["kind"] == "connection"} >= {("cyberark", "yes")}
    assert "not checked by itself" in page.text(CONNECTIONS)
    page.press("Switch the hourly check on", CONNECTIONS)
    says(page, CONNECTIONS, "The check of the vendors is switched on")

    page.open("okta", SEARCHES)
    page.press("Switch on all of okta", SEARCHES)
    says(page, SEARCHES, "Nothing is switched on: no index is named for Okta System Log")
    page.open("Okta System Log", SOURCES)
    assert "no index yet: not read" in page.text(SOURCES)
    form = f"{SOURCES} form[aria-label='Okta System Log']"
    page.fill(form, Index="okta okta_old")
    page.press("Save", form)
    says(page, SOURCES, "Saved: Okta System Log")
    assert (
        office.deployment.merged("tourniquet", "macros")["tourniquet_okta_index"]["definition"]
        == "index IN (okta, okta_old)"
    )

    office.person("maria")
    office.inventory()  # both are what `tourniquet splunk inventory` does
    push_accounts(office.client(), [{"tq_account": "okta:default:00u1", "tq_identity": "maria"}])
    page.press("Switch on all of okta", SEARCHES)
    says(page, SEARCHES, "switched on")
    page.press("Switch the input on", SEARCHES)
    says(page, SEARCHES, "The input is switched on")
    page.press("Mark the set-up as complete")
    page.until("document.body.innerText.includes('The set-up was marked as complete')")

    assert missing(page) == []
    assert "unknown" not in page.do("T.words(document.querySelector('.tq-list'))")
    assert office.deployment.merged("tourniquet", "app")["install"]["is_configured"] == "1"
    assert web.refused == []
    seen = page.do(
        "document.documentElement.outerHTML + [...document.querySelectorAll('input, textarea')].map((e) => e.value)"
    )
    for secret in office.secrets():
        assert secret not in seen


def test_wrong_credentials_and_a_missing_permission_are_shown_with_what_to_paste(
    connected: Office, vendors: Vendors, opened: Any
) -> None:
    """Wrong password: not signed in, with the sentence. Too few scopes: the action, the scope, and a box to copy from."""
    scopes = [scope for scope in vendors.world.connections[0].plain["scopes"] if scope != "okta.groups.manage"]
    connected.deployment.configure("tourniquet_connection", "okta_main", {"scopes": " ".join(scopes)})
    page = opened("carl")
    page.press("Delete cyberark_main", CONNECTIONS)
    page.press("Delete cyberark_main and its secrets for good?", CONNECTIONS)
    says(page, CONNECTIONS, "cyberark_main is deleted")
    connect(
        page, "CyberArk", vendors.ca_pem, Tenant="default", Address=vendors.cyberark, User_name="tourniquet", password="no",
    )  # fmt: skip
    page.press("Save", CONNECTIONS)
    says(page, CONNECTIONS, "cyberark_default is saved")
    page.press("Test connection cyberark_default", CONNECTIONS)
    says(page, CONNECTIONS, "not ready")
    text = page.text(CONNECTIONS)
    assert "Signed in: no" in " ".join(text.split())
    page.press("Test connection okta_main", CONNECTIONS)
    says(page, CONNECTIONS, "okta_main: not ready")
    page.until(f"document.querySelector('{CONNECTIONS}').innerText.includes('okta.groups.manage')")
    pasted = page.do(f"[...document.querySelectorAll('{CONNECTIONS} textarea[readonly]')].map((e) => e.value).join('|')")
    assert pasted == "okta.groups.manage"


def test_what_is_refused_stands_at_its_field(connected: Office, opened: Any) -> None:
    """Each wrong value at once, with its remedy, the first one in focus; a moved address wants the secret again."""
    page = opened("carl")
    page.press("Connect HashiCorp Vault or OpenBao", CONNECTIONS)
    page.fill(CONNECTIONS, Tenant="prod", Address="ftp://vault", Role_id="")
    page.press("Save", CONNECTIONS)
    page.until("document.querySelector('[aria-invalid=true]')")
    assert page.wrong("AppRole", CONNECTIONS) == page.wrong("Role id", CONNECTIONS) == "Is missing. Fill it in."
    page.fill(CONNECTIONS, AppRole="secret-of-vault", Role_id="r-1")
    page.press("Save", CONNECTIONS)
    page.until(f"T.wrong('Address', '{CONNECTIONS}').includes('https')")
    assert page.do("document.activeElement.name") == "url"
    page.press("Cancel", CONNECTIONS)
    page.press("Edit okta_main", CONNECTIONS)
    page.fill(CONNECTIONS, Address="https://okta.attacker.example")
    page.press("Save", CONNECTIONS)
    page.until(f"T.wrong('Private key', '{CONNECTIONS}').includes('needed again')")
    page.open("okta", SEARCHES)
    page.press("Switch on all of okta", SEARCHES)
    says(page, SEARCHES, "Nothing is switched on: no index is named for Okta System Log")
    page.open("Okta System Log", SOURCES)
    assert "no index yet: not read" in page.text(SOURCES)
    form = f"{SOURCES} form[aria-label='Okta System Log']"
    page.fill(form, Index="okta|delete")
    page.press("Save", form)
    page.until(f"""T.wrong('Index', "{form}").includes('no index')""")


def test_what_was_typed_stays_when_something_else_is_saved(connected: Office, opened: Any) -> None:
    """In another form of the section, in another section, and in a connection that is being entered."""
    page = opened("carl")
    page.press("Connect Okta", CONNECTIONS)
    page.fill(CONNECTIONS, Tenant="corp", Private_key="typed")
    page.press("Test connection entra_main", CONNECTIONS)
    says(page, CONNECTIONS, "entra_main: ready")
    assert page.do(f"[T.field('Tenant', '{CONNECTIONS}').value, T.field('Private key', '{CONNECTIONS}').value]") == [
        "corp",
        "typed",
    ]
    page.open("Add a channel", JOURNAL)
    page.fill(JOURNAL, Name="half", Name_of_this_Splunk="hq")
    page.open("AWS CloudTrail", SOURCES)
    page.fill(f"{SOURCES} form[aria-label='AWS CloudTrail']", Index="unsaved")
    page.open("okta", SEARCHES)
    page.press("Switch on all of okta", SEARCHES)
    says(page, SEARCHES, "Nothing is switched on: no index is named for Okta System Log")
    page.open("Okta System Log", SOURCES)
    assert "no index yet: not read" in page.text(SOURCES)
    form = f"{SOURCES} form[aria-label='Okta System Log']"
    page.fill(form, Index="okta")
    page.press("Save", form)
    says(page, SOURCES, "Saved: Okta System Log")
    aws = f"{SOURCES} form[aria-label='AWS CloudTrail']"
    assert page.do(f"""T.field('Index', "{aws}").value""") == "unsaved"
    assert page.do(f"[T.field('Name', '{JOURNAL}').value, T.field('Name of this Splunk', '{JOURNAL}').value]") == [
        "half",
        "hq",
    ]
    page.press("Save", f"{JOURNAL} form[aria-label='Journal and times']")
    says(page, JOURNAL, "Saved.")
    assert page.do(f"T.field('Name', '{JOURNAL}').value") == "half"
    assert connected.deployment.merged("tourniquet", "tourniquet_settings")["general"]["splunk_tenant"] == "hq"


def test_a_second_credential_is_entered_tested_and_taken_away(connected: Office, opened: Any) -> None:
    """For privileged identities: its own fields and secret, its own readiness; without the tick it is gone."""
    page = opened("carl")
    page.press("Edit cyberark_main", CONNECTIONS)
    page.fill(CONNECTIONS, **{"A second credential for privileged identities": True})
    second = f"{CONNECTIONS} fieldset"
    page.fill(second, User_name="tourniquet", password="cyberark-secret-value")
    page.press("Save", CONNECTIONS)
    says(page, CONNECTIONS, "cyberark_main is saved")
    assert connected.deployment.merged("tourniquet", "tourniquet_connection")["cyberark_main"]["privileged.username"]
    page.press("Test connection cyberark_main", CONNECTIONS)
    says(page, CONNECTIONS, "cyberark_main: ready")
    assert "Second credential, for privileged identities" in page.text(CONNECTIONS)
    page.press("Edit cyberark_main", CONNECTIONS)
    page.fill(CONNECTIONS, **{"A second credential for privileged identities": False})
    page.press("Save", CONNECTIONS)
    says(page, CONNECTIONS, "cyberark_main is saved")
    assert "one credential for everybody" in page.text(CONNECTIONS)


def test_a_vendor_behind_a_relay(connected: Office, opened: Any) -> None:
    """The relay's name and key take the place of address and credential; who is away is said; and back again."""
    page = opened("carl")
    conf = connected.deployment.merged
    page.press("Edit cyberark_main", CONNECTIONS)
    page.fill(CONNECTIONS, Through_a_relay="dc1")
    page.press("Save", CONNECTIONS)
    assert page.wrong("Key of the relay", CONNECTIONS) == "Is missing. Fill it in."
    page.fill(CONNECTIONS, Key_of_the_relay="too short")
    page.press("Save", CONNECTIONS)
    page.until(f"T.wrong('Key of the relay', '{CONNECTIONS}').includes('shorter than')")
    page.fill(CONNECTIONS, Key_of_the_relay="0123456789abcdef" * 4)
    page.press("Save", CONNECTIONS)
    says(page, CONNECTIONS, "cyberark_main is saved")
    assert "through relay dc1" in page.text(CONNECTIONS)
    kept = conf("tourniquet", "tourniquet_connection")["cyberark_main"]
    assert (kept["relay"], kept["credential"], kept["url"]) == ("dc1", "relay_key", "")
    page.press("Test connection cyberark_main", CONNECTIONS)
    page.until(f"document.querySelector('{CONNECTIONS}').innerText.includes('asked for work within the last minute: no')")
    page.press("Edit cyberark_main", CONNECTIONS)
    page.fill(
        CONNECTIONS, Through_a_relay="", Address="https://pvwa.corp.example", User_name="tourniquet", password="pw-of-it"
    )
    page.press("Save", CONNECTIONS)
    page.until(f"document.querySelector('{CONNECTIONS}').innerText.includes('https://pvwa.corp.example')")
    kept = conf("tourniquet", "tourniquet_connection")["cyberark_main"]
    assert (kept["relay"], kept["credential"]) == ("", "password")


@pytest.mark.engine("openbao")
def test_what_is_pasted_into_vault_makes_it_ready(web: SplunkWeb, opened: Any, tmp_path: Path, vendors: Vendors) -> None:
    """A real OpenBao whose policy lacks lines: the page's own lines, added to it, are a policy and are enough."""
    del vendors
    with World(tmp_path / "world", vault=True) as world:
        assert world.bao is not None
        less = "\n".join(line for line in VAULT_POLICY.splitlines() if "identity/" not in line and "leases" not in line)
        world.bao.request("PUT", "sys/policies/acl/tourniquet", {"policy": less})
        office = web.office
        world.connections = world.connections[3:]
        office.world = world
        office.connect()
        page = opened("carl")
        page.press("Test connection vault_main", CONNECTIONS)
        says(page, CONNECTIONS, "vault_main: not ready")
        pasted = page.do(f"document.querySelector('{CONNECTIONS} textarea[readonly]').value")
        assert 'path "identity/entity/id/*" { capabilities = ["read", "update"] }' in pasted.splitlines()
        world.bao.request("PUT", "sys/policies/acl/tourniquet", {"policy": f"{less}\n{pasted}\n"})
        page.press("Test connection vault_main", CONNECTIONS)
        says(page, CONNECTIONS, "vault_main: ready")


def test_hostile_text_stays_text(connected: Office, opened: Any) -> None:
    """Names, reasons, macros and versions that somebody made of HTML are shown as they are, and run nothing."""
    connected.deployment.configure(
        "tourniquet_connection", "okta_main", {"tenant": HOSTILE, "settings.quarantine_group": HOSTILE}
    )
    connected.deployment.configure("macros", "tourniquet_okta_index", {"definition": HOSTILE})
    connected.deployment.configure("tourniquet_settings", "general", {"index": HOSTILE, "splunk_tenant": HOSTILE})
    policy = json.dumps({"policy": json.loads(_policy()), "by": HOSTILE, "at": HOSTILE, "why": HOSTILE})
    connected.deployment.put("tourniquet_policy", {"_key": HOSTILE, "doc": policy})
    connected.deployment.put(
        "tourniquet_sources", {"_key": "okta", "tq_source": "okta", "last_event": HOSTILE, "lag_p95": HOSTILE}
    )
    page = opened("carl")
    page.do("document.querySelectorAll('details').forEach((e) => { e.open = true; })")
    page.press("Test connection okta_main", CONNECTIONS)
    says(page, CONNECTIONS, "okta_main")
    page.press("Edit okta_main", CONNECTIONS)
    text = page.text()
    assert text.count(HOSTILE) >= 5
    assert page.do("document.querySelectorAll('#tourniquet-setup img, #tourniquet-setup script').length") == 0


def _policy() -> str:
    return json.dumps(_source())


def _source() -> Dict[str, Any]:
    path = Path(__file__).resolve().parents[2] / "responders" / "policy" / "default_policy.json"
    found: Dict[str, Any] = json.loads(path.read_text())
    return found


def test_a_policy_is_checked_proposed_and_activated_by_somebody_else(connected: Office, opened: Any, tmp_path: Path) -> None:
    """All errors at once with place and remedy; then the difference and the cases; the proposer may not activate it."""
    page = opened("eve")
    policy = {key: value for key, value in _source().items() if key != "hands_over"}
    wrong = tmp_path / "wrong.json"
    wrong.write_text(json.dumps({**policy, "limits": {**policy["limits"], "revokes": 5000}, "nonsense": 1}))
    page.open("Propose a policy from a file", POLICY)
    page.choose("Policy", wrong)
    page.press("Check", POLICY)
    page.until(f"document.querySelector('{POLICY}').innerText.includes('nonsense')")
    assert "Remedy" in page.text(POLICY)
    (tmp_path / "broken.json").write_text("{")
    page.choose("Policy", tmp_path / "broken.json")
    page.press("Check", POLICY)
    page.until(f"document.querySelector('{POLICY}').innerText.includes('broken.json is no JSON')")

    policy["thresholds"]["human"]["revoke"] = 70
    good, cases = tmp_path / "good.json", tmp_path / "cases.json"
    good.write_text(json.dumps(policy))
    alert = {"alerts": [{"confidence": 75}]}
    cases.write_text(json.dumps({"cases": [{"name": "75 revokes", **alert, "expect": {"tier": "revoke"}}]}))
    page.choose("Policy", good)
    page.choose("Cases", cases)
    page.press("Check", POLICY)
    page.until(f"document.querySelector('{POLICY}').innerText.includes('thresholds.human.revoke: 80')")
    assert "1 of 1 cases decide as they expect" in page.text(POLICY)
    page.fill(POLICY, Why="a stricter threshold")
    page.press("Propose", POLICY)
    says(page, POLICY, "Another person must activate it")
    assert connected.deployment.merged("tourniquet", "tourniquet_settings")["general"]["policy"] == ""

    page.open("Versions", POLICY)
    page.fill(POLICY, Why_it_is_activated="because")
    page.do(f"T.all('button', '{POLICY}').find((e) => T.words(e) === 'Activate').click()")
    page.until(f"document.querySelector('{POLICY}').innerText.includes('another person must activate it')")
    other = opened("ed")
    other.open("Versions", POLICY)
    other.fill(POLICY, Why_it_is_activated="agreed")
    other.do(f"T.all('button', '{POLICY}').find((e) => T.words(e) === 'Activate').click()")
    says(other, POLICY, "In use: 2")
    other.until(f"document.querySelector('{POLICY}').innerText.includes('revoked from 70')")
    other.open("Change blast limits", POLICY)
    other.do(f"T.fill('Revokes an hour', '12', '{POLICY}')")
    other.press("Check", POLICY)
    other.until(f"document.querySelector('{POLICY}').innerText.includes('limits.revokes: 10 becomes 12')")


def test_a_policy_that_wants_a_backtest_is_activated_with_its_record(connected: Office, opened: Any, tmp_path: Path) -> None:
    """A file in YAML says how to make JSON of it; what `policy build` writes is taken. Without a record, or with another
    policy's, the field says what to do; with its own the version is in use."""
    page = opened("eve")
    assert not page.do(f"T.all('label', '{POLICY}').some((e) => T.words(e) === 'Record of its backtest')")
    (tmp_path / "mine.yaml").write_text("version: mine-1")
    built = tmp_path / "mine.json"
    built.write_text(canonical({**_source(), "version": "mine-1", "require_backtest": True}))
    page.open("Propose a policy from a file", POLICY)
    page.choose("Policy", tmp_path / "mine.yaml")
    page.press("Check", POLICY)
    page.until(f"document.querySelector('{POLICY}').innerText.includes('mine.yaml is YAML. Splunk takes a policy as JSON')")
    page.choose("Policy", built)
    page.fill(POLICY, Why="no haste")
    page.press("Propose", POLICY)
    says(page, POLICY, "Another person must activate it")

    other = opened("ed")
    activate = f"T.all('button', '{POLICY}').find((e) => String(e.ariaLabel).startsWith('Activate 2')).click()"
    record = tmp_path / "record.json"
    other.open("Versions", POLICY)
    other.fill(POLICY, Why_it_is_activated="agreed")
    other.do(activate)
    assert "tourniquet policy backtest" in other.wrong("Record of its backtest", POLICY)
    stored = json.loads(connected.deployment.rows("tourniquet_policy")[0]["doc"])["policy"]
    own = {"policy": digest(from_compiled(stored)), "made": datetime.now(timezone.utc).isoformat(), "judged": 7,
           "bad": 0, "asked_days": 30}  # fmt: skip
    record.write_text(json.dumps({**own, "policy": "sha256:0"}))
    other.choose("Record of its backtest", record)
    other.do(activate)
    other.until(f"T.wrong('Record of its backtest', '{POLICY}').startsWith('The record is of another policy')")
    record.write_text(json.dumps(own))
    other.choose("Record of its backtest", record)
    other.do(activate)
    says(other, POLICY, "In use: 2")


def test_who_lacks_a_capability_is_told_which_one_and_from_whom(connected: Office, opened: Any, web: SplunkWeb) -> None:
    """Nothing at all: one sentence. Looking only: policy and health are shown, the rest names capability and role."""
    page = opened("nil")
    assert "tourniquet_configure" in page.text()
    assert page.do("document.querySelectorAll('#tourniquet-setup form').length") == 0
    page = opened("vic")
    for where in (CONNECTIONS, SOURCES, JOURNAL, SEARCHES):
        assert "tourniquet_configure, which the role tourniquet_admin has" in page.text(where)
    assert "tourniquet_edit_policy" in page.text(POLICY)
    assert "a human is restricted from 50" in page.text(POLICY)
    assert "tourniquet_restore" in page.text(RUNNING)
    assert page.do("T.all('#tourniquet-setup form, #tourniquet-setup .tq-form').length") == 0


def test_halt_and_resume(connected: Office, opened: Any) -> None:
    """By somebody whom the inventory lets restore; the reason is shown; resuming warns of what is carried out."""
    page = opened("carl")
    page.press("Halt all automatic writes", RUNNING)
    page.until(f"T.wrong('Reason', '{RUNNING}').includes('missing')")
    page.fill(RUNNING, Reason="a trial")
    page.press("Halt all automatic writes", RUNNING)
    says(page, RUNNING, "Halted")
    assert "a trial" in page.text(RUNNING)
    assert "is carried out when you resume" in page.text(RUNNING)
    assert "Automation is halted" in missing(page)
    page.fill(RUNNING, Reason="over")
    page.press("Resume", RUNNING)
    says(page, RUNNING, "Automation runs again")


def test_an_ended_session_and_a_foreign_form_key_are_sentences(connected: Office, opened: Any, web: SplunkWeb) -> None:
    """No JSON came back: the page says to sign in again, and what was typed stays."""
    page = opened("carl")
    page.open("okta", SEARCHES)
    page.press("Switch on all of okta", SEARCHES)
    says(page, SEARCHES, "Nothing is switched on: no index is named for Okta System Log")
    page.open("Okta System Log", SOURCES)
    assert "no index yet: not read" in page.text(SOURCES)
    form = f"{SOURCES} form[aria-label='Okta System Log']"
    page.fill(form, Index="okta")
    page.do("document.cookie = 'splunkweb_csrf_token_8000=forged; Path=/'")
    page.press("Save", form)
    page.until(f"""document.querySelector("{form}").innerText.includes('X-Splunk-Form-Key')""")
    assert web.refused == ["POST tourniquet/settings: form key"]
    web.forget()
    page.press("Save", form)
    page.until(f"""document.querySelector("{form}").innerText.includes('sign in again')""")
    assert page.do(f"""T.field('Index', "{form}").value""") == "okta"


_CONTRAST = (Path(__file__).parent / "contrast.js").read_text()


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_it_fits_a_phone_is_readable_and_usable_by_keyboard(
    theme: str, connected: Office, opened: Any, vendors: Vendors
) -> None:
    """375 px wide, all unfolded: nothing sticks out, each text has contrast 4.5, each control a name; Tab and Enter do."""
    page = opened("carl", theme, width=375, height=800)
    page.press("Connect Okta", CONNECTIONS)
    page.do("document.querySelectorAll('details').forEach((e) => { e.open = true; })")
    assert page.do("document.documentElement.scrollWidth") <= 375
    assert page.do(_CONTRAST) == []
    assert page.do("document.getElementById('tourniquet-setup').classList.contains('tq-dark')") is (theme == "dark")
    nameless = "T.all('input, select, textarea').filter((e) => !e.labels.length && !e.getAttribute('aria-label')).length"
    assert page.do(nameless) == 0
    page.do(f"T.field('Tenant', '{CONNECTIONS}').focus()")
    after = page.do(f"T.all('.tq-form input, .tq-form select, .tq-form textarea', '{CONNECTIONS}').map((e) => e.name)[1]")
    page.key("Tab", 9)
    assert page.do("document.activeElement.name") == after != "tenant"
    page.do(f"T.all('button', '{CONNECTIONS}').find((e) => T.words(e) === 'Cancel').focus()")
    page.key("Enter", 13, "\r")
    page.until(f"!document.querySelector('{CONNECTIONS} form')")


def test_the_policy_that_ships_is_the_one_the_page_starts_from() -> None:
    """The file that the tests upload is the default policy."""
    assert read_policy("").version == _source()["version"]


def test_text_that_is_made_into_html_would_be_refused(browser: Browser, web: SplunkWeb, connected: Office) -> None:
    """The guard under which all other tests run is there."""
    page = browser.page(web.signed_in("carl"))
    page.until("document.querySelector('#tourniquet-setup h2')")
    with pytest.raises(AssertionError, match="TrustedHTML"):
        page.do("document.body.innerHTML = '<p>'")
    page.close()


def test_the_view_names_files_that_are_there_and_none_makes_html() -> None:
    """And the app leads to it; no script asks another host, or turns text into code."""
    static = APP / "appserver" / "static"
    view = (APP / "default" / "data" / "ui" / "views" / "setup.xml").read_text()
    named = {name.strip() for found in re.findall(r'(?:script|stylesheet)="([^"]+)"', view) for name in found.split(",")}
    assert named == {path.name for path in static.glob("setup*")}
    for path in static.glob("setup*.js"):
        text = path.read_text()
        assert not re.search(
            r"innerHTML|outerHTML|insertAdjacentHTML|document\.write|\beval\b|new Function|http://", text
        ), path
    assert "setup_view = setup" in (APP / "default" / "app.conf").read_text()
