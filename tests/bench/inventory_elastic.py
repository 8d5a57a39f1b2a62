"""`python -m tests.bench.inventory_elastic [--people N] [--alerts N]`: a large inventory in a real Elasticsearch.

Starts one of its own, puts 100,000 identities there twice by `tourniquet elastic inventory` and counts them, finds some of
them, and runs `tourniquet policy backtest` over 100,000 alerts of Elastic Security's index with that inventory. Each command
is a process of its own; prints one JSON object a step. `core` is its processor time, Elasticsearch's is beside it.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from datetime import datetime, timezone
from pathlib import Path
from typing import Any, Dict, Iterator, Tuple

from responders.content.elastic.server import Server
from responders.elastic.cluster import Cluster
from responders.inventory.elasticsearch import ElasticInventory
from responders.inventory.resolve import resolve
from responders.model import Account
from responders.settings import ElasticSettings, Secret
from responders.surfaces.assemble import read_catalogue
from responders.surfaces.command_line.policies import DEFAULT
from tests.bench.backtest import inventory, rows
from tests.engines.elasticsearch import Elasticsearch
from tests.kibana.executor import make_alerts_index

_PROGRAM = "import sys; from responders.surfaces.command_line.main import main; sys.exit(main(sys.argv[1:]))"
_LOOKUPS = 60


def _command(*arguments: str) -> Tuple[Dict[str, float], Dict[str, Any]]:
    """Run one command: what it took, and the JSON that it wrote."""
    began = time.monotonic()
    with tempfile.TemporaryFile("w+") as out:
        with subprocess.Popen([sys.executable, "-c", _PROGRAM, *arguments, "--json"], stdout=out) as made:
            _, status, used = os.wait4(made.pid, 0)
            made.returncode = os.waitstatus_to_exitcode(status)
        if made.returncode:
            raise RuntimeError(f"{arguments[:2]} ended with {made.returncode}")
        took = time.monotonic() - began
        out.seek(0)
        told: Dict[str, Any] = json.load(out)
    core = round(used.ru_utime + used.ru_stime, 1)
    return {"seconds": round(took, 1), "core": core, "megabytes": round(used.ru_maxrss / 1024)}, told


def _serving(server: Server) -> float:
    """Seconds of processor time that Elasticsearch has used."""
    nodes = server.call("GET", "/_nodes/stats/process")["nodes"]
    return sum(float(node["process"]["cpu"]["total_in_millis"]) for node in nodes.values()) / 1000.0


def _fill(server: Server, count: int) -> None:
    """Alerts as Elastic Security keeps them."""
    index, known = make_alerts_index(server, "default"), read_catalogue()

    def documents() -> Iterator[Tuple[str, str, Dict[str, Any]]]:
        for number, row in enumerate(rows(count, datetime.now(timezone.utc))):
            rule = {"kibana.alert.rule.rule_id": str(known[row["tq_detection"]]["id"])}
            yield index, f"a{number}", {**row, "@timestamp": row["_time"], **rule}

    server.bulk(documents())


def _steps(folder: Path, url: str, people: int, alerts: int) -> Iterator[Tuple[str, Dict[str, Any]]]:
    (folder / "inventory.json").write_text(inventory(people).to_json())
    with Server(url) as server:
        for step in ("first push", "second push"):
            before = _serving(server)
            used, told = _command("elastic", "inventory", str(folder / "inventory.json"), "--url", url)
            held = [int(server.call("GET", f"/{index}/_count")["count"]) for index in told["indices"]]
            yield step, {**used, "elasticsearch_core": round(_serving(server) - before, 1), "documents": held}
        key = server.call("POST", "/_security/api_key", {"name": "bench"})["encoded"]
        yield "resolve", {"milliseconds": _resolve(url, key, people)}
        _fill(server, alerts)
        for name, text in (("key", key), ("journal.key", "k" * 64)):
            (folder / name).touch(mode=0o600)
            (folder / name).write_text(text)
        settings = {
            "connections": [], "elasticsearch": {"url": url, "api_key": {"file": str(folder / "key")}},
            "journal": {"path": "journal.db", "key": {"file": str(folder / "journal.key")}}, "inventory": "elasticsearch",
        }  # fmt: skip
        (folder / "settings.json").write_text(json.dumps(settings))
        before = _serving(server)
        given = ["--settings", str(folder / "settings.json"), "--api-key-file", str(folder / "key"), "--since", "5w"]
        used, told = _command("policy", "backtest", "--elastic", url, *given, "--as-is", str(DEFAULT))
        counts = {name: told["as_is"][name] for name in ("judged", "nobody", "identities", "restricted", "revoked")}
        served = round(_serving(server) - before, 1)
        yield "backtest", {**used, "elasticsearch_core": served, "population": told["population"], **counts}


def _resolve(url: str, key: str, people: int) -> float:
    """Median time to find an identity by an account, once `about` is read."""
    cluster = Cluster(ElasticSettings((url,), Secret(key), "", "default"))
    try:
        store, took = ElasticInventory(cluster), []
        for number in range(1, _LOOKUPS * 7, 7):
            account = Account("okta", "corp", "user", f"00u{number * 10 % people + 1:017d}")
            began = time.monotonic()
            found = resolve(store, (account,)).identity
            took.append(1000 * (time.monotonic() - began))
            if found is None or found.unmapped:
                raise RuntimeError(f"{account.key} is not there")
        return round(statistics.median(took), 1)
    finally:
        cluster.close()


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--people", type=int, default=100_000)
    parser.add_argument("--alerts", type=int, default=100_000)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder, Elasticsearch() as server:
        for step, found in _steps(Path(folder), server.url, options.people, options.alerts):
            sys.stdout.write(f"{step}: {json.dumps(found)}\n")
            sys.stdout.flush()
    return 0


if __name__ == "__main__":
    sys.exit(main())
