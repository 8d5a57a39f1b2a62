"""The same contract for Okta, Entra and CyberArk: by default against the simulators, with TOURNIQUET_RECORD=<vendor> against
a user's own tenant (docs/contract_tests.md)."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any, Iterator
from urllib.parse import urlsplit

import pytest

from responders.drill.world import World
from responders.errors import BadInput, Halted
from responders.model import Status
from responders.vendors.open import ClientPool
from tests.contract import scrub, tenant
from tests.contract.tape import recorded, recording, replayed
from tests.contract.tenant import Target, block_and_undo, deviations, named_target, read_only

vendors = pytest.mark.parametrize("target", ["okta", "entra", "cyberark"], indirect=True)


@pytest.fixture
def target(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Target]:
    """The user's tenant when its vendor is being recorded, else the simulated one."""
    vendor = request.param
    if recording(vendor):
        found = named_target(vendor)
        found.folder.mkdir(parents=True, exist_ok=True)
        yield found
        return
    with World(tmp_path, vault=False) as world:
        person, other = world.add_person("alice"), world.add_person("disposable")
        (connection,) = [c for c in world.connections if c.vendor == vendor]
        yield Target(connection, person.account(vendor).id, other.account(vendor).id, tmp_path)


def simulated(target: Target) -> bool:
    return target.connection.allow_loopback_http


@vendors
def test_every_check_reads_and_nothing_is_written(target: Target) -> None:
    """Each action's check reads what the vendor answers, no change is sent, and differences to the description are told."""
    path = target.folder / f"{target.connection.vendor}.read.yaml"
    with recorded(path, *target.urls, secrets=target.secrets) as cassette:
        told = read_only(target)
    assert told, "no action was tried"
    writes = [entry for entry in cassette.requests if entry.method not in ("GET", "HEAD")]
    assert all("oken" in entry.path or "ogon" in entry.path or "ogoff" in entry.path for entry in writes), writes
    found = deviations(target.connection.vendor, path)
    if simulated(target):
        assert found == []
        assert set(told.values()) <= {"open", "contained"}, told
    report = {"checks": told, "differs from the description": found}
    path.with_suffix(".report.json").write_text(json.dumps(report, indent=1) + "\n")


@vendors
def test_block_and_undo_on_a_disposable_account(target: Target) -> None:
    """The account is blocked, read back and given back; without a disposable account nothing is tried, and that is said."""
    if not target.disposable:
        pytest.skip("no disposable_user is named: nothing is blocked")
    path = target.folder / f"{target.connection.vendor}.block.yaml"
    with recorded(path, *target.urls, secrets=target.secrets):
        status, restored = block_and_undo(target)
    assert status in (Status.CONFIRMED, Status.ACCEPTED)
    assert restored, "NOT GIVEN BACK: enable the disposable account by hand"
    if simulated(target):
        assert deviations(target.connection.vendor, path) == []


# -- the harness itself, on the simulators ----------------------------------------------------------------


def at_nobody(target: Target) -> Target:
    """The same connection with every address at the discard port: only a replay can answer."""
    connection = target.connection
    plain = {**connection.plain, **({"login": f"http://{scrub.HOST}"} if connection.vendor == "entra" else {})}
    url = f"http://{scrub.HOST}{urlsplit(connection.url).path}"
    return replace(target, connection=replace(connection, url=url, plain=plain))


@vendors
def test_what_was_recorded_replays_with_no_vendor_there(target: Target, tmp_path: Path) -> None:
    """A scrubbed recording still answers the same client the same way."""
    path = tmp_path / "again.yaml"
    with recorded(path, *target.urls, secrets=target.secrets):
        told, given_back = read_only(target), block_and_undo(target)
    with replayed(path):
        assert (read_only(at_nobody(target)), block_and_undo(at_nobody(target))) == (told, given_back)


@vendors
def test_nothing_secret_is_recorded(target: Target, tmp_path: Path) -> None:
    """Neither the responder's own credentials, nor tokens it was given, nor the server's address."""
    path = tmp_path / "secrets.yaml"
    with recorded(path, *target.urls, secrets=target.secrets):
        read_only(target)
    text = path.read_text()
    assert scrub.MARK in text
    assert urlsplit(target.connection.url).netloc not in text
    for secret in target.secrets:
        assert secret not in text and secret[:40] not in text.replace("\\n", "\n")


def test_a_read_only_run_can_not_write(tmp_path: Path) -> None:
    """The gate of a read-only run refuses a change before it is sent, whatever an action does."""
    with World(tmp_path, vault=False) as world:
        person = world.add_person("alice")
        pool = ClientPool(world.connections, gate=tenant._nothing_is_written)
        client: Any = pool.get("okta", "default")
        with pytest.raises(Halted):
            client.call("POST", "/api/v1/users/{}/lifecycle/suspend", ids=(person.okta,))
        pool.close()
        assert [r.path for r in world.okta.requests if "suspend" in r.path] == []


@pytest.mark.parametrize("text", ["", "not json", "{}", '{"settings": "s.json", "okta": {}, "cassettes": "."}'])
def test_a_contract_file_that_is_wrong_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, text: str) -> None:
    """The file, the place and the remedy are named; nothing is sent."""
    path = tmp_path / "contract.json"
    path.write_text(text)
    monkeypatch.setenv(tenant.FILE, str(path))
    with pytest.raises(BadInput, match=r"docs/contract_tests\.md"):
        named_target("okta")


def test_without_a_contract_file_nothing_is_recorded(monkeypatch: pytest.MonkeyPatch) -> None:
    """The switch alone is not enough: whose tenant it is has to be said."""
    monkeypatch.delenv(tenant.FILE, raising=False)
    with pytest.raises(BadInput, match="TOURNIQUET_CONTRACT: is not set"):
        named_target("entra")


def test_a_contract_file_finds_its_connection(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Tenant and users come from the contract file, the connection and its secrets from the settings."""
    monkeypatch.setenv("OKTA_TOKEN", "sealed-value")
    settings = {
        "connections": [
            {"vendor": "okta", "tenant": "corp", "url": "https://corp.okta.example", "api_token": {"env": "OKTA_TOKEN"}}
        ],
        "journal": {"path": "j.db", "key": {"env": "OKTA_TOKEN"}},
        "inventory": "inventory.json",
    }
    (tmp_path / "settings.json").write_text(json.dumps(settings))
    mine = {"tenant": "corp", "user": "00u1"}
    contract = {"settings": "settings.json", "cassettes": "taped", "okta": mine}
    (tmp_path / "contract.json").write_text(json.dumps(contract))
    monkeypatch.setenv(tenant.FILE, str(tmp_path / "contract.json"))
    found = named_target("okta")
    assert (found.user, found.disposable, found.folder) == ("00u1", "", tmp_path / "taped")
    assert found.secrets == ("sealed-value",)
    contract["okta"] = {**mine, "tenant": "other"}
    (tmp_path / "contract.json").write_text(json.dumps(contract))
    with pytest.raises(BadInput, match="not connected"):
        named_target("okta")
