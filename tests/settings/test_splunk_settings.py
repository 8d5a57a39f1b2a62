"""Settings, secrets, policy and inventory as they lie in Splunk, read through the real splunklib from a fake splunkd."""

from __future__ import annotations

import base64
import json
import os
import socket
import ssl
import stat
from dataclasses import replace
from datetime import datetime, timezone
from pathlib import Path
from typing import Any, Dict, Iterator, Mapping, Optional

import pytest

from responders.errors import BadInputs, InventoryError, JournalError, MirrorError
from responders.inventory.resolve import Inventory, resolve
from responders.journal.chain import Journal
from responders.journal.kvstore import COLLECTION, KvStore
from responders.model import Account, Identity
from responders.settings import Secret
from responders.splunk import inventory as kv_inventory
from responders.splunk import policies
from responders.splunk.events import JOURNAL, SplunkMirror
from responders.splunk.inventory import KvInventory
from responders.splunk.local_conf import management_uri
from responders.splunk.splunkd import Splunkd as Client
from responders.splunk.splunkd import SplunkError
from responders.splunk.tls import context_for
from responders.surfaces import splunk_settings
from responders.surfaces.splunk_assemble import ensure_journal_key
from tests.splunkd import Deployment, Splunkd
from tests.splunkd.certificate import self_signed

APP = Path(__file__).resolve().parent.parent.parent / "splunk_app"
OKTA = {
    "vendor": "okta", "tenant": "corp", "url": "https://corp.okta.com", "credential": "private_key", "client_id": "0oa1",
    "scopes": "okta.users.manage okta.logs.read", "settings.quarantine_group": "00g1",
    "privileged.credential": "api_token", "disabled": "0", "eai:appName": "tourniquet", "proxy_stored": "1",
}  # fmt: skip
SECRETS = {
    "journal_key": "k" * 32, "okta_corp.private_key": "pem-of-okta", "okta_corp.privileged.api_token": "00t",
    "okta_corp.proxy": "https://user:pw@proxy.corp.example:3128", "escalation.ops.url": "https://hooks.example/x",
}  # fmt: skip
GENERAL = {"index": "tourniquet", "policy": "", "unauthenticated_ingest": "okta/session_replay, vault/root_token"}


@pytest.fixture
def splunkd() -> Iterator[Splunkd]:
    deployment = Deployment()
    deployment.install(APP)
    with Splunkd(deployment) as found:
        yield found


@pytest.fixture
def client(splunkd: Splunkd) -> Iterator[Client]:
    found = Client(splunkd.uri, splunkd.session("splunk-system-user"))
    yield found
    found.close()


def stored(name: str) -> Optional[Secret]:
    return Secret(SECRETS[name]) if name in SECRETS else None


def read(
    connection: Mapping[str, str] = OKTA, settings: Optional[Mapping[str, Mapping[str, str]]] = None, var: str = "/tmp/none"
) -> splunk_settings.SplunkSettings:
    return splunk_settings.read(settings or {"general": GENERAL}, {"okta_corp": connection}, stored, var)


def test_conf_files_are_the_settings_of_everywhere() -> None:
    """Connections with their secrets, a second credential, a stored proxy, lists and delays: as from a JSON file."""
    channels = {"escalation:ops": {"type": "slack"}, "escalation:off": {"type": "slack", "disabled": "1"}}
    found = read(settings={"general": GENERAL, "timing": {"deadline": "12", "rechecks": "10, 60"}, **channels})
    (okta,) = found.settings.connections
    assert (okta.vendor, okta.tenant, okta.url) == ("okta", "corp", "https://corp.okta.com")
    assert okta.secrets["private_key"].reveal() == "pem-of-okta"
    assert okta.plain == {"client_id": "0oa1", "scopes": "okta.users.manage okta.logs.read"}
    assert okta.settings == {"quarantine_group": "00g1"}
    assert okta.proxy == SECRETS["okta_corp.proxy"]
    assert okta.privileged is not None
    assert okta.privileged.secrets["api_token"].reveal() == "00t"
    assert found.settings.journal_key.reveal() == "k" * 32
    assert found.settings.timing == {"deadline": 12.0, "rechecks": [10.0, 60.0]}
    assert found.settings.unauthenticated_ingest == ("okta/session_replay", "vault/root_token")
    assert [(entry["name"], entry["type"], entry["url"].reveal()) for entry in found.settings.escalation] == [
        ("ops", "slack", "https://hooks.example/x")
    ]
    assert (found.index, found.policy, found.journal_events) == ("tourniquet", "", True)


PRIVATE = base64.b64encode(b"-----BEGIN CERTIFICATE-----\n-----BEGIN PRIVATE KEY-----").decode()
WRONG: Dict[str, tuple[Dict[str, str], Dict[str, Dict[str, str]], str]] = {
    "a secret in a conf file": ({"private_key": "pem-of-okta"}, {}, "[okta_corp] private_key: a secret must not"),
    "an unknown key": ({"colour": "red"}, {}, "tourniquet_connection.conf [okta_corp]: unknown key 'colour'"),
    "no https": ({"url": "http://corp.okta.com"}, {}, "tourniquet_connection.conf [okta_corp].url: must be https"),
    "a secret not entered": ({"credential": "api_token"}, {}, "storage/passwords has no 'okta_corp.api_token'"),
    "no flag": ({"proxy_stored": "maybe"}, {}, "[okta_corp] proxy_stored: 'maybe' is neither true nor false"),
    "no certificate": ({"ca_pem": "AAAA"}, {}, "[okta_corp] ca_pem: is no PEM certificate in base64"),
    "a private key": ({"ca_pem": PRIVATE}, {}, "[okta_corp] ca_pem: is no PEM certificate"),
    "no delay": ({}, {"timing": {"deadline": "soon"}}, "tourniquet_settings.conf [timing] deadline: 'soon' is no number"),
    "a delay without end": ({}, {"timing": {"deadline": "inf"}}, "timing.deadline: is no number of seconds"),
    "an unknown delay": ({}, {"timing": {"patience": "3"}}, "tourniquet_settings.conf: timing: unknown key 'patience'"),
    "an unknown setting": ({}, {"general": {"indx": "x"}}, "tourniquet_settings.conf [general] indx: is no setting"),
    "an unknown stanza": ({}, {"generl": {}}, "tourniquet_settings.conf [generl]: is no stanza"),
    "a channel to a file": ({}, {"escalation:ops": {"type": "file"}}, "[escalation:ops] type: 'file' is no channel"),
    "a channel without its address": ({}, {"escalation:x": {"type": "slack"}}, "passwords has no 'escalation.x.url'"),
}  # fmt: skip


def test_everything_that_is_wrong_is_said_with_place_and_remedy() -> None:
    """Conf file, stanza and key; the setup page where that helps; never a secret."""
    for what, (change, settings, said) in WRONG.items():
        with pytest.raises(BadInputs) as caught:
            read({**OKTA, **change}, {"general": GENERAL, **settings})
        assert said in str(caught.value), (what, str(caught.value))
        assert not [secret for secret in SECRETS.values() if secret in str(caught.value)], what


def test_all_errors_come_at_once() -> None:
    """Those of the conf files and those of the validator behind them."""
    with pytest.raises(BadInputs) as caught:
        read({**OKTA, "url": "", "colour": "red"}, {"general": GENERAL, "timing": {"deadline": "soon"}})
    said = str(caught.value)
    assert [
        part for part in ("[timing] deadline", "[okta_corp].url: is missing", "unknown key 'colour'") if part not in said
    ] == []


def test_a_private_ca_becomes_a_file_that_only_splunk_reads(tmp_path: Path) -> None:
    """Written once, named by its content, mode 0600; a second start finds it."""
    pem = self_signed(tmp_path / "ca.pem").read_bytes()
    certificate = pem[pem.index(b"-----BEGIN CERTIFICATE") :]
    var = tmp_path / "var"
    given = {**OKTA, "ca_pem": base64.b64encode(certificate).decode()}
    paths = {read(given, var=str(var)).settings.connections[0].ca for _ in range(2)}
    (path,) = paths
    assert Path(path).read_bytes() == certificate
    assert stat.S_IMODE(os.stat(path).st_mode) == 0o600
    assert stat.S_IMODE(os.stat(var).st_mode) == 0o700
    Path(path).write_bytes(b"another")
    read(given, var=str(var))
    assert Path(path).read_bytes() == certificate


def test_from_splunkd_default_and_local_are_one(splunkd: Splunkd, client: Client, tmp_path: Path) -> None:
    """Delays of default/ hold where local/ says nothing; only secrets that are needed are asked for, one by one."""
    deployment = splunkd.deployment
    for name, clear in SECRETS.items():
        deployment.store_password(name, clear)
    deployment.store_password("another app's", "secret", app="other")
    deployment.configure("tourniquet_connection", "okta_corp", OKTA)
    deployment.configure("tourniquet_settings", "timing", {"deadline": "12"})
    found = splunk_settings.load(client, str(tmp_path))
    assert found.settings.timing["deadline"] == 12.0
    assert found.settings.timing["rechecks"] == [10.0, 60.0, 2100.0, 86400.0]
    assert found.index == "main"
    asked = sorted(r.path.rpartition("/")[2] for r in splunkd.requests if "storage/passwords" in r.path)
    assert asked == sorted(
        f"tourniquet%3A{name}%3A"
        for name in ("journal_key", "okta_corp.private_key", "okta_corp.privileged.api_token", "okta_corp.proxy")
    )


def test_who_may_not_read_secrets_is_told_so(splunkd: Splunkd, tmp_path: Path) -> None:
    """splunkd's own words about the capability."""
    splunkd.deployment.user("analyst", "search")
    analyst = Client(splunkd.uri, splunkd.session("analyst"))
    with pytest.raises(SplunkError, match=r"You \(user=analyst\).*list_storage_passwords"):
        splunk_settings.load(analyst, str(tmp_path))
    analyst.close()


# -- the journal's key -------------------------------------------------------------------------------------------------


def test_the_key_is_made_once_and_never_replaced(splunkd: Splunkd, client: Client) -> None:
    """A second save of the setup page changes nothing; a key that is gone is not replaced while there is a journal."""
    assert ensure_journal_key(client) is True
    key = splunkd.deployment.passwords["tourniquet", "tourniquet", "journal_key"].clear
    assert len(key) == 64
    assert ensure_journal_key(client) is False
    assert splunkd.deployment.passwords["tourniquet", "tourniquet", "journal_key"].clear == key
    Journal(KvStore(client), key.encode()).append("c", "thing", {})
    splunkd.deployment.passwords.clear()
    with pytest.raises(JournalError, match="from a backup"):
        ensure_journal_key(client)
    assert splunkd.deployment.passwords == {}


# -- policies ----------------------------------------------------------------------------------------------------------


def test_versions_of_the_policy_are_kept(splunkd: Splunkd, client: Client) -> None:
    """Each is found by its name, the newest first; what cannot be read is none."""
    at = datetime(2026, 1, 2, tzinfo=timezone.utc)
    first = policies.add(client, {"a": 1}, by="ida", why="a start", at=at)
    second = policies.add(client, {"a": 2}, by="ida", why="more", at=at.replace(day=3))
    splunkd.deployment.put(policies.COLLECTION, {"_key": "zzz", "doc": "no JSON"})
    assert [version.version for version in policies.versions(client)] == [second, first]
    found = policies.find(client, first)
    assert found is not None
    assert (found.policy, found.by, found.why) == ({"a": 1}, "ida", "a start")
    assert policies.find(client, "zzz") is None
    with pytest.raises(SplunkError, match="same key and user"):
        policies.add(client, {"a": 1}, by="eve", why="", at=at)


# -- the inventory -----------------------------------------------------------------------------------------------------

ALICE = Account("okta", "corp", "user", "00u1")
EVE = Account("okta", "corp", "user", "00u$where/ä")
PEOPLE = [
    Identity(
        "alice", "human", "ida", "high", "production", False, (ALICE, Account("entra", "t", "user", "1")), ("billing",)
    ),
    Identity("eve/ü", "human", None, "normal", "production", True, (EVE,), (), break_glass=True),
    Identity("twin", "human", None, "normal", "production", False, (Account("vault", "v", "entity", "x"),), ()),
]


def company(*people: Identity) -> Inventory:
    return Inventory(people, {"okta:corp:alice@corp.example": "alice"}, frozenset({"alice"}))


def test_an_identity_costs_two_reads_whatever_the_population(splunkd: Splunkd, client: Client) -> None:
    """By account, by alias, by hostile id, and one that nobody claims; each by exact key."""
    crowd = [replace(PEOPLE[2], id=f"p{n}", accounts=(Account("okta", "corp", "user", f"u{n}"),)) for n in range(3000)]
    kv_inventory.push(client, company(*PEOPLE, *crowd))
    assert (
        max(len(request.arguments) for request in splunkd.requests if request.path.endswith("batch_save")) >= 0
    )  # refused above 1,000 documents by the fake
    store = KvInventory(client)
    splunkd.requests.clear()
    assert resolve(store, [ALICE]).identity == PEOPLE[0]
    assert len(splunkd.requests) == 2
    assert (store.population, store.restorers, store.break_glass) == (3003, {"alice"}, {EVE.key})
    assert len(splunkd.requests) == 2
    assert resolve(store, [EVE]).identity == PEOPLE[1]
    assert resolve(store, [Account("okta", "corp", "user", "alice@corp.example")]).identity == PEOPLE[0]
    assert resolve(store, [Account("okta", "corp", "user", "00U1")]).identity.unmapped  # type: ignore[union-attr]
    assert resolve(store, [ALICE, EVE]).identity is None


def test_an_alert_may_name_many_accounts(splunkd: Splunkd, client: Client) -> None:
    """A thousand of them are one read."""
    kv_inventory.push(client, company(*PEOPLE))
    splunkd.requests.clear()
    keys = [f"okta:corp:u{number}" for number in range(1000)]
    assert KvInventory(client).names([*keys, ALICE.key]) == {ALICE.key: ("alice",)}
    assert len(splunkd.requests) == 1


def test_an_account_of_two_identities_is_nobodys(client: Client) -> None:
    """As in memory: ambiguous, and both are named."""
    kv_inventory.push(client, company(PEOPLE[0], replace(PEOPLE[2], accounts=(ALICE,))))
    found = resolve(KvInventory(client), [ALICE])
    assert found.identity is None
    assert "alice, twin" in found.why


def test_a_new_inventory_takes_the_place_of_the_old_at_once(splunkd: Splunkd, client: Client) -> None:
    """Who is gone is gone; a push that breaks off leaves the old one in use."""
    kv_inventory.push(client, company(*PEOPLE))
    kv_inventory.push(client, company(PEOPLE[0]))
    store = KvInventory(client)
    assert store.identity("eve/ü") is None
    assert store.population == 1
    splunkd.refuse_next.append(("batch_save", 503))
    with pytest.raises(SplunkError):
        kv_inventory.push(client, company(*PEOPLE))
    assert KvInventory(client).population == 1
    kv_inventory.push(client, company(*PEOPLE))
    assert KvInventory(client).identity("eve/ü") == PEOPLE[1]


def test_an_inventory_that_cannot_be_read_is_an_error_not_an_empty_one(splunkd: Splunkd, client: Client) -> None:
    """Nobody becomes unmapped because the KV store is down, or a row is broken."""
    kv_inventory.push(client, company(*PEOPLE))
    splunkd.deployment.kvstore = "failed"
    with pytest.raises(InventoryError, match="KV Store initialization failed"):
        KvInventory(client, patience=0.1).names([ALICE.key])
    splunkd.deployment.kvstore = "ready"
    for row in splunkd.deployment.rows(kv_inventory.COLLECTION):
        splunkd.deployment.put(kv_inventory.COLLECTION, {**row, "doc": "broken"})
    with pytest.raises(InventoryError, match="Upload the inventory anew"):
        KvInventory(client).names([ALICE.key])


def test_before_there_is_an_inventory_everybody_is_unmapped(client: Client) -> None:
    """An account stands for itself, and is restricted at most."""
    assert resolve(KvInventory(client), [ALICE]).identity.unmapped  # type: ignore[union-attr]
    assert KvInventory(client).population == 0


# -- events ------------------------------------------------------------------------------------------------------------


def test_journal_entries_become_events_that_verify(splunkd: Splunkd, client: Client) -> None:
    """One JSON line each, with what binds it to the one before; a long body by its digest; line breaks add no event."""
    journal = Journal(KvStore(client), b"k" * 32)
    journal.append("c", "thing", {"text": "a\nb\r\n{}", "kind": "contained"})
    journal.append("c", "long", {"text": "x" * 200_000})
    SplunkMirror(client, "main").tell(list(journal.entries("c")))
    first, second = (json.loads(event.raw) for event in splunkd.deployment.of(JOURNAL))
    assert (first["kind"], first["entry"], first["id"], first["body"]["text"]) == ("entry", "thing", "c/0", "a\nb\r\n{}")
    assert second["prev"] == first["mac"]
    assert second["body_length"] > 200_000
    assert "body" not in second
    assert {(event.index, event.source) for event in splunkd.deployment.events} == {("main", "tourniquet")}


def test_an_index_that_is_not_there_is_said(splunkd: Splunkd, client: Client) -> None:
    """The entries stay to be told."""
    journal = Journal(KvStore(client), b"k" * 32)
    with pytest.raises(MirrorError, match="supplied index 'gone' missing"):
        SplunkMirror(client, "gone").tell([journal.append("c", "thing", {})])
    assert splunkd.deployment.rows(COLLECTION)


# -- how splunkd is reached --------------------------------------------------------------------------------------------


def conf(home: Path, name: str, text: str) -> None:
    folder = home / "etc" / "system" / "local"
    folder.mkdir(parents=True, exist_ok=True)
    (folder / f"{name}.conf").write_text(text)


def test_the_management_port_is_where_the_administrator_put_it(tmp_path: Path) -> None:
    """web.conf and server.conf of etc/system/local; the default without them."""
    assert management_uri(str(tmp_path)) == "https://127.0.0.1:8089"
    conf(tmp_path, "web", "[x]\nmgmtHostPort = no:1\n[settings]\n# mgmtHostPort = no:2\nmgmtHostPort = 0.0.0.0:18089\n")
    assert management_uri(str(tmp_path)) == "https://127.0.0.1:18089"
    conf(tmp_path, "server", "[sslConfig]\nenableSplunkdSSL = false\n")
    assert management_uri(str(tmp_path)) == "http://127.0.0.1:18089"


def ask(uri: str, home: Path, session: str) -> Any:
    client = Client(uri, session, tls=context_for(uri, str(home)))
    try:
        return client.entries("server", "info")
    finally:
        client.close()


def test_splunkds_own_certificate_is_checked_when_splunk_is_told_to(tmp_path: Path) -> None:
    """On loopback Splunk's self-signed default is taken; with sslVerifyServerCert only one of the administrator's CA."""
    own, other = self_signed(tmp_path / "own.pem"), self_signed(tmp_path / "other.pem")
    home = tmp_path / "home"
    with Splunkd(Deployment(), certificate=own) as splunkd:
        key = splunkd.session("admin")
        assert ask(splunkd.uri, home, key)
        conf(home, "server", f"[sslConfig]\nsslVerifyServerCert = true\nsslRootCAPath = {own}\n")
        assert ask(splunkd.uri, home, key)
        conf(home, "server", f"[sslConfig]\nsslVerifyServerCert = true\nsslRootCAPath = {other}\n")
        with pytest.raises(SplunkError, match="CERTIFICATE_VERIFY_FAILED"):
            ask(splunkd.uri, home, key)
        conf(home, "server", "[sslConfig]\nsslVerifyServerCert = true\nsslRootCAPath = $SPLUNK_HOME/gone.pem\n")
        with pytest.raises(SplunkError, match=r"home/gone\.pem: No such file"):
            ask(splunkd.uri, home, key)


def test_an_address_of_this_machine_is_its_own_splunkd(tmp_path: Path) -> None:
    """splunkd may be bound to one (web.conf mgmtHostPort); an address of another machine is not trusted so."""
    own = socket.gethostbyname(socket.gethostname())
    assert context_for(f"https://{own}:8089", str(tmp_path)).verify_mode == ssl.CERT_NONE
    for other in ("192.0.2.1", "[2001:db8::1]", "0.0.0.0", "own.example"):  # noqa: S104 - documentation addresses
        assert context_for(f"https://{other}:8089", str(tmp_path)).verify_mode == ssl.CERT_REQUIRED, other


def test_elsewhere_a_certificate_is_always_checked_and_http_refused(tmp_path: Path) -> None:
    """The session key goes to nobody else."""
    context = context_for("https://splunk.example:8089", str(tmp_path))
    assert (context.verify_mode, context.check_hostname) == (ssl.CERT_REQUIRED, True)
    with pytest.raises(SplunkError, match="neither https nor loopback"):
        context_for("http://splunk.example:8089", str(tmp_path))
