"""What the settings say is opened: journal, mirror, signals and inventory in a real Elasticsearch."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from responders.elastic.cluster import Cluster
from responders.elastic.telling import ElasticSignals
from responders.inventory.elasticsearch import ElasticInventory
from responders.settings import ElasticSettings, Secret
from responders.surfaces.assemble import open_responder
from responders.surfaces.command_line.main import main
from tests.elastic.office import Office

pytestmark = pytest.mark.engine("elasticsearch")


def secret(path: Path, text: str) -> dict[str, str]:
    path.touch(mode=0o600)
    path.write_text(text)
    return {"file": str(path)}


@pytest.fixture
def settings(tmp_path: Path) -> Path:
    """Where the settings file goes."""
    return tmp_path / "settings.json"


@pytest.mark.parametrize(
    ("url", "port"), [("https://es.corp.example", 443), ("https://[::1]/es", 443), ("http://localhost:9200/es", 9200)]
)
def test_a_url_needs_no_port(url: str, port: int) -> None:
    """As behind a proxy."""
    cluster = Cluster(ElasticSettings((url,), Secret("a2V5OmtleQ==")))
    node = next(iter(cluster._client.transport.node_pool.all()))
    assert (node.port, node.path_prefix) == (port, "/es" if "/es" in url[8:] else "")
    cluster.close()


def test_a_responder_is_opened_over_elasticsearch(
    elasticsearch_url: str, settings: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A halt by one responder stops another one elsewhere, is told to the data stream, and the command line verifies it."""
    with Office(elasticsearch_url) as office:
        settings.write_text(
            json.dumps({
                "connections": [],
                "elasticsearch": {
                    "url": elasticsearch_url, "api_key": secret(settings.parent / "elastic.key", office.key),
                    "space": office.names.space,
                },
                "journal": {
                    "store": "elasticsearch", "index": office.names.journal,
                    "key": secret(settings.parent / "journal.key", "k" * 32),
                },
                "inventory": "elasticsearch",
                "signals": "elasticsearch",
            })
        )  # fmt: skip
        one, other = open_responder(str(settings)), open_responder(str(settings))
        assert isinstance(one.inventory, ElasticInventory) and isinstance(one.signals, ElasticSignals)
        one.halt("ida", "a trial")
        assert "halted by ida" in other.halted()
        assert one.journal.listener is not None and one.journal.listener.flush(20)
        assert [row["_id"] for row in office.rows("journal")] == ["halt/0"]
        assert main(["journal", "verify", "--settings", str(settings)]) == 0
        assert "the journal is whole" in capsys.readouterr().out


def test_the_inventory_is_pushed_by_a_command(
    elasticsearch_url: str, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """`tourniquet elastic inventory FILE`: a file with a mistake changes nothing, a sound one is in place."""
    with Office(elasticsearch_url) as office:
        monkeypatch.setattr("responders.elastic.push.push.__kwdefaults__", {
            "accounts": office.names.accounts, "identities": office.names.identities
        })  # fmt: skip
        path = tmp_path / "people.csv"
        path.write_text("id,kind,accounts\nbob,human,okta:default:00uB\n")
        assert main(["elastic", "inventory", str(path), "--url", elasticsearch_url, "--json"]) == 0
        said = json.loads(capsys.readouterr().out)
        assert said["identities"] == 1
        store = ElasticInventory(office.cluster(), office.names.identities)
        assert store.names(["okta:default:00uB"]) == {"okta:default:00uB": ("bob",)}
        path.write_text("id,kind,accounts\nbob,robot,okta:default:00uB\n")
        assert main(["elastic", "inventory", str(path), "--url", elasticsearch_url]) != 0
        assert store.population == 1
        office.server.delete(said["indices"])
