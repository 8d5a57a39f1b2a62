"""A small Kibana, and the shipped rules in a namespace of a test's own on the real Elasticsearch."""

from __future__ import annotations

import json
import re
import secrets
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Dict, Iterator, List, Tuple

import pytest

from responders.content.elastic.query import in_namespace
from responders.content.elastic.server import Server
from responders.elastic.kibana import Kibana
from responders.settings import Secret
from responders.surfaces.command_line.main import main
from tests.kibana.server import SmallKibana

SHIPPED = Path(__file__).resolve().parents[2] / "elastic_rules"
KEY = "key-of-everything"
SOME = ("okta/session_replay", "vault/secret_sweep", "entra/risky_identity", "aws/root_login")


def rules_of(text: str, some: Tuple[str, ...] = ()) -> List[Dict[str, Any]]:
    """Lines of rules.ndjson, of some detections only where any are named."""
    rules = [json.loads(line) for line in text.splitlines()]
    wanted = {f"Detection: {slug}" for slug in some}
    return [rule for rule in rules if not some or wanted & set(rule["tags"])]


@dataclass
class Office:
    """A Kibana, an Elasticsearch, a folder with rules.ndjson and indices.json, and the command line over them."""

    kibana: SmallKibana
    server: Server
    folder: Path
    namespace: str
    capsys: pytest.CaptureFixture[str]

    def run(self, *arguments: str) -> Tuple[int, str]:
        """`tourniquet elastic …`; exit code, and what it printed."""
        where = ["--url", self.kibana.url, "--elasticsearch", self.server.url, "--rules", str(self.folder)]
        code = main(["elastic", arguments[0], *where, *arguments[1:]])
        said = self.capsys.readouterr()
        return code, said.out + said.err

    def rows(self, *arguments: str) -> Tuple[int, List[Dict[str, Any]]]:
        code, said = self.run(*arguments, "--json")
        return code, [json.loads(line) for line in said.splitlines()]

    def rules(self) -> List[Dict[str, Any]]:
        return rules_of((self.folder / "rules.ndjson").read_text())

    def write(self, rules: List[Dict[str, Any]]) -> None:
        (self.folder / "rules.ndjson").write_text("".join(json.dumps(rule) + "\n" for rule in rules))


@pytest.fixture
def kibana() -> Iterator[SmallKibana]:
    """A Kibana without Elasticsearch; what it was asked and answered must follow Elastic's description."""
    with SmallKibana() as found:
        yield found
        assert found.violations() == []


@pytest.fixture
def client(kibana: SmallKibana) -> Iterator[Kibana]:
    with Kibana(kibana.url, key=Secret(KEY)) as found:
        yield found


@pytest.fixture
def office(
    kibana: SmallKibana,
    elasticsearch_url: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> Iterator[Office]:
    """Four rules, and one about Tourniquet itself, with the indices that they need, under names of this test's own."""
    namespace = f"tq{secrets.token_hex(5)}"
    folder = tmp_path / "rules"
    folder.mkdir()
    text = in_namespace((SHIPPED / "rules.ndjson").read_text(encoding="utf-8"), namespace)
    requests = [one for one in json.loads((SHIPPED / "indices.json").read_text())["requests"] if "/_" not in one["path"]]
    named = re.sub(r'(/tourniquet-[a-z]+)-1"', rf'\1-{namespace}-1"', json.dumps({"requests": requests}))
    moved = in_namespace(named, namespace)
    (folder / "indices.json").write_text(moved)
    monkeypatch.setenv("TOURNIQUET_KIBANA_API_KEY", KEY)
    monkeypatch.delenv("TOURNIQUET_ELASTIC_API_KEY", raising=False)
    with Server(elasticsearch_url) as server:
        found = Office(kibana, server, folder, namespace, capsys)
        found.write(rules_of(text, SOME))
        health = (SHIPPED / "health.ndjson").read_text(encoding="utf-8").splitlines()[0]
        (folder / "health.ndjson").write_text(in_namespace(health, namespace))
        try:
            yield found
        finally:
            server.delete([one["path"][1:] for one in json.loads(moved)["requests"]])
