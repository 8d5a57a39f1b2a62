"""A sync of all four vendors, and the report of it: each section has what was put in, and nothing else."""

from __future__ import annotations

import json
import secrets
from pathlib import Path
from typing import Any, Dict, Iterator, List, Set, Tuple

import pytest

from responders.content.elastic.mappings import LOOKUPS
from responders.content.elastic.server import Server
from responders.drill.openbao import OpenBao
from responders.elastic.push import push
from responders.inventory.reporting.collect import INTERACTIVE
from responders.inventory.resolve import from_compiled
from responders.surfaces.command_line.main import main
from tests.inventory.four_vendors import FourVendors
from tests.inventory_sync.company import Company
from tests.splunkd import Deployment, Splunkd

pytestmark = pytest.mark.engine("openbao")
APP = Path(__file__).resolve().parents[2] / "splunk_app"


@pytest.fixture(scope="module")
def synced(tmp_path_factory: pytest.TempPathFactory) -> Iterator[FourVendors]:
    folder = tmp_path_factory.mktemp("four")
    with Company(folder) as company, OpenBao() as bao:
        found = FourVendors(company, bao)
        file = folder / "people.csv"
        file.write_text(
            "id,kind,owner,can_restore,accounts,shared\n"
            f"alice,human,the boss,true,{found.keys['alice']},\n"
            f"erin,human,the boss,true,{found.keys['erin@pam']},true\n"
        )
        found.sync("--file", str(file))
        yield found


@pytest.fixture(scope="module")
def report(synced: FourVendors, tmp_path_factory: pytest.TempPathFactory) -> Dict[str, Any]:
    """The report as JSON, of a run that wrote all the rest too."""
    folder = tmp_path_factory.mktemp("report")
    alerts = folder / "alerts.json"
    rows = [{"tq_account": synced.keys["backup-job"], "tq_detection": INTERACTIVE, "@timestamp": "2026-11-20T10:00:00Z"},
            {"tq_account": "okta:corp:stranger", "tq_detection": "x", "@timestamp": "2026-11-21T10:00:00Z"}]  # fmt: skip
    alerts.write_text("".join(json.dumps(row) + "\n" for row in rows))
    more = ["--alerts", str(alerts), "--html", str(folder / "page.html"), "--lists", str(folder / "lists")]
    with pytest.MonkeyPatch.context() as patch:
        told: List[str] = []
        patch.setattr("sys.stdout.write", told.append)
        assert main(["inventory", "report", str(synced.inventory), *more, "--json"]) == 0
    assert {path.stat().st_mode & 0o777 for path in (folder / "page.html", *(folder / "lists").iterdir())} == {0o600}
    found: Dict[str, Any] = json.loads("".join(told))
    return found


def called(items: List[Dict[str, Any]]) -> Set[str]:
    return {item["who"]["name"] or item["who"]["id"] for item in items}


def why(items: List[Dict[str, Any]]) -> Dict[str, List[str]]:
    return {item["who"]["name"] or item["who"]["id"]: item["why"] for item in items}


def test_who_is_not_on_the_map(report: Dict[str, Any]) -> None:
    """The stranger of the log; nobody else, for the sync made everybody an identity. Services without owner, and people
    whose manager nobody knows."""
    assert called(report["unmapped"]) == {"okta:corp:stranger"}
    machines = {item["who"]["name"] for item in report["no_owner"] if item["kind"] != "human"}
    assert machines == {
        "tourniquet-sync", "Payroll", "Portal", "Time sheets", "Orders API", "billing-job", "backup-job", "helper",
    }  # fmt: skip
    assert {"bob@corp.example", "carol@corp.example", "al"} <= called(report["no_owner"])
    assert not {"reports@corp.example", "billing", "alice", "erin", "Directory tool"} & called(report["no_owner"])
    assert report["restorers"] == 2


def test_secrets_by_age_of_every_vendor(synced: FourVendors, report: Dict[str, Any]) -> None:
    """Okta's by their creation, Entra's without the expired, CyberArk's by their last change, Vault's SecretIDs."""
    found = {(s["who"]["name"] or s["who"]["id"], s["what"], s["name"]): s["days"] for s in report["secrets"]}
    vault = {key[0]: days for key, days in found.items() if key[1] == "secret_id"}
    assert vault == {"billing-job": 0, "backup-job": 0}
    (okta,) = (days for key, days in found.items() if key[:2] == ("Orders API", "client_secret"))
    assert okta == 400 and found["alice", "api_token", "nightly export"] == 200
    assert found["Payroll", "client_secret", "old"] == 300 and found["Payroll", "certificate", "CN=payroll"] == 40
    assert ("Payroll", "client_secret", "over") not in found and report["expired"] == 1
    assert found["safe prod-db", "privileged_account", "root@prod-db.corp"] == 400
    assert found["safe old-unix", "privileged_account", "legacy@old-unix.corp"] == 1000
    unmanaged = {s["name"] for s in report["secrets"] if s["managed"] is False}
    assert unmanaged == {"legacy@old-unix.corp"}
    assert called(report["unsecret"]) == {"Payroll"} and "https://ci.example" in report["unsecret"][0]["name"]
    assert report["figures"]["old_secrets"] == 5


def test_shared_and_lent(synced: FourVendors, report: Dict[str, Any]) -> None:
    """A safe that people and an application use, a path that two services read, an account that the file calls shared; a
    service that signs in as people do or was seen to be used by one; a token in a person's name."""
    shared = {s["what"]: (s["count"], dict(s["kinds"])) for s in report["shared"]}
    assert shared == {
        "safe prod-db": (2, {"human": 2, "service": 1}), "path kv/shared": (1, {"service": 2}),
        "identity erin": (1, {"human": 0}),
    }  # fmt: skip
    assert {"reports@corp.example", "backup-job"} == called(report["people_on_services"])
    assert "once" in why(report["people_on_services"])["backup-job"][0]
    assert why(report["machines_on_people"])["alice"] == [f"an API token of {synced.keys['alice']}: nightly export"]


def test_power_and_what_breaks(report: Dict[str, Any]) -> None:
    """Who has it at each vendor, by the names of the roles, also as owner of an application that has it; who could have
    it; and two steps of dependents."""
    found = why(report["admins"])
    assert found["carol@corp.example"] == ["Helpdesk Administrator at Entra"]
    assert found["al"] == ["policy power at Vault"]
    assert found["alice"][0].endswith("at Okta")
    assert found["alice"][1] == "gives access to the safe prod-db at CyberArk"
    assert found["Directory tool"][0].startswith("permission RoleManagement.ReadWrite.Directory of Microsoft Graph")
    assert found["dora@corp.example"] == ["owner of Directory tool at Entra"]
    assert "bob@corp.example" not in found
    assert why(report["eligible"]) == {"dora@corp.example": ["Helpdesk Administrator at Entra"]}
    steps = {
        b["who"]["name"]: ([w["name"] for w in b["direct"]], [w["name"] for w in b["further"]]) for b in report["breaks"]
    }
    assert steps == {"Payroll": (["Portal"], ["Time sheets"]), "Portal": (["Time sheets"], [])}


def test_vendor_by_vendor(synced: FourVendors, report: Dict[str, Any]) -> None:
    """Each tenant's own numbers."""
    rows = {v["place"].partition(":")[0]: v for v in report["vendors"]}
    assert set(rows) == {"okta", "entra", "cyberark", "vault"}
    numbers: Dict[str, Tuple[int, ...]] = {
        name: (v["secrets"], v["old_secrets"], v["shared"], v["people_on_services"]) for name, v in rows.items()
    }
    assert numbers == {"okta": (3, 2, 0, 1), "entra": (3, 1, 0, 0), "cyberark": (4, 2, 2, 0), "vault": (2, 0, 1, 0)}
    assert {name: v["admins"] for name, v in rows.items()} == {"okta": 2, "entra": 3, "cyberark": 1, "vault": 1}


@pytest.mark.engine("elasticsearch")
def test_both_siems_get_the_same_table_for_their_joins(
    synced: FourVendors, elasticsearch_url: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The command fills Splunk's collection; Elasticsearch's index has the same rows, every account of every vendor and
    every alias, and a rule's LOOKUP JOIN finds kind, criticality and identity there."""
    inventory = from_compiled(synced.inventory.read_text(), "inventory.json")
    names = [f"tourniquet-{kind}-t{secrets.token_hex(6)}" for kind in ("accounts", "identities")]
    deployment = Deployment()
    deployment.install(APP)
    (tmp_path / "token").touch(mode=0o600)
    with Splunkd(deployment) as splunkd, Server(elasticsearch_url) as server:
        (tmp_path / "token").write_text(deployment.token("admin"))
        where = ["--url", splunkd.uri, "--token-file", str(tmp_path / "token")]
        assert main(["splunk", "inventory", str(synced.inventory), *where]) == 0
        columns = tuple(LOOKUPS["tourniquet-accounts"])
        splunk = {tuple(row[name] for name in columns) for row in deployment.rows("tourniquet_accounts")}
        try:
            made = push(server, inventory, accounts=names[0], identities=names[1])
            hits = server.call("POST", f"/{names[0]}/_search", {"size": 1000})["hits"]["hits"]
            elastic = {tuple(hit["_source"][name] for name in columns) for hit in hits}
            joined = server.call("POST", "/_query", {"query": (
                f'ROW tq_account = "{synced.keys["alice"]}" | LOOKUP JOIN {made[0]} ON tq_account '
                "| KEEP tq_identity, tq_kind, tq_criticality"
            )})["values"]  # fmt: skip
        finally:
            for alias in names:
                server.delete([index["name"] for index in server.call("GET", f"/_resolve/index/{alias}*")["indices"]])
    assert splunk == elastic
    assert {row[0] for row in splunk} >= {*synced.keys.values(), "cyberark:pam:alice"}
    assert joined == [["alice", "human", "privileged"]] and "are in place" in capsys.readouterr().out
