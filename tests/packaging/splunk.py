"""A Splunk as far as the alert action sees one: folders, settings, results files, and its Python as a subprocess.

Source: Splunk, "Custom alert action logs and search results" (payload, results file, exit code).
"""

from __future__ import annotations

import gzip
import importlib.util
import json
import signal
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any, Dict, List, Mapping, Sequence

from responders.drill.world import Person, World
from responders.inventory.resolve import Inventory
from responders.journal.sqlite import SqliteStore
from responders.surfaces.assemble import read_catalogue
from tests.conftest import interpreter

ROOT = Path(__file__).resolve().parent.parent.parent
NAME = "tourniquet"


def script(name: str) -> ModuleType:
    """A module of packaging/, which is a folder of scripts: as a package it would hide the library of that name."""
    if f"packaging_{name}" in sys.modules:
        return sys.modules[f"packaging_{name}"]
    spec = importlib.util.spec_from_file_location(f"packaging_{name}", ROOT / "packaging" / f"{name}.py")
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


_KILLED = """
import os, runpy, signal, sys
app, writes, after = sys.argv[1], sys.argv[2], int(sys.argv[3])
sys.path.insert(0, os.path.join(app, "lib"))
from responders.journal.sqlite import SqliteStore
counter = os.open(writes, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
create = SqliteStore.create
def counted(self, key, doc):
    made = create(self, key, doc)
    os.write(counter, b".")
    if 0 < after <= os.fstat(counter).st_size:
        os.kill(os.getpid(), signal.SIGKILL)
    return made
SqliteStore.create = counted
sys.argv[1:] = ["--execute"]
runpy.run_path(os.path.join(app, "bin", "tourniquet_contain.py"), run_name="__main__")
"""


@dataclass(frozen=True)
class Ran:
    """What one start of the alert action left behind."""

    code: int
    stderr: str
    log: List[str]


class Splunk:
    """SPLUNK_HOME in `home`, with the unpacked package `app` installed; nothing of this checkout is on its path."""

    def __init__(self, home: Path, app: Path) -> None:
        self.home = home
        self.app = home / "etc" / "apps" / NAME
        self.local = self.app / "local"
        self.local.mkdir(parents=True)
        for part in ("bin", "lib", "default"):
            (self.app / part).symlink_to(app / part, target_is_directory=True)
        self.logs = home / "var" / "log" / "splunk"
        self.logs.mkdir(parents=True)
        self.dispatch = home / "var" / "run"
        self.dispatch.mkdir(parents=True)

    # -- the administrator --------------------------------------------------------------------------------

    def configure(self, world: World, people: Sequence[Person], *, rechecks: Sequence[float] = (10.0,)) -> None:
        """Write local/tourniquet_settings.json and all that it refers to."""
        connections: List[Dict[str, Any]] = []
        for found in world.connections:
            secrets = {
                name: {"file": self._secret(f"{found.vendor}.{name}", secret.reveal())}
                for name, secret in found.secrets.items()
            }
            plain = {key: list(value) if isinstance(value, tuple) else value for key, value in found.plain.items()}
            connections.append(
                {"vendor": found.vendor, "tenant": found.tenant, "url": found.url, "settings": dict(found.settings),
                 "allow_loopback_http": True, **plain, **secrets}
            )  # fmt: skip
        inventory = Inventory([person.identity() for person in people], {}, frozenset())
        (self.local / "inventory.json").write_text(inventory.to_json())
        settings = {
            "connections": connections,
            "journal": {"path": "journal.db", "key": {"file": self._secret("key", world.key.decode())}},
            "inventory": "inventory.json",
            "policy": self._policy(),
            "escalation": [{"type": "file", "path": "escalations.jsonl"}],
            "timing": {"deadline": 10, "confirm_patience": 1, "rechecks": list(rechecks)},
        }
        (self.local / "tourniquet_settings.json").write_text(json.dumps(settings))

    def _secret(self, name: str, value: str) -> str:
        path = self.local / name
        path.touch(mode=0o600)
        path.write_text(value)
        return name

    def _policy(self) -> str:
        """The default policy with room for several people: its blast radius is tested elsewhere."""
        policy = json.loads((ROOT / "responders" / "policy" / "default_policy.json").read_text())
        policy["limits"].update(revokes=1000, never_under=1000, population_share=1.0, detection_share=1.0)
        (self.local / "policy.json").write_text(json.dumps(policy))
        return "policy.json"

    # -- splunkd ------------------------------------------------------------------------------------------

    def results(self, text: str, *, cut: int = 0, name: str = "results.csv.gz") -> Path:
        """A results file; `cut` leaves off that many bytes of its end."""
        data = gzip.compress(text.encode("utf-8", "surrogatepass"))
        path = self.dispatch / name
        path.write_bytes(data[: len(data) - cut])
        return path

    def payload(self, results: Path, **more: Any) -> bytes:
        return json.dumps(
            {
                "app": NAME, "owner": "nobody", "server_host": "sh1", "server_uri": "https://127.0.0.1:8089",
                "session_key": "of no worth", "sid": "scheduler__nobody_1", "search_name": "Tourniquet - test",
                "results_file": str(results), "configuration": {"recheck_seconds": "0"}, "result": {}, **more,
            }
        ).encode()  # fmt: skip

    def start(self, version: str, stdin: bytes, *arguments: str) -> Ran:
        """The alert action under a Python of Splunk: no site-packages, no environment, no checkout."""
        command = [interpreter(version), "-I", "-S", str(self.app / "bin" / "tourniquet_contain.py")]
        ran = subprocess.run(
            [*command, *(arguments or ("--execute",))],
            input=stdin, capture_output=True, check=False, env={}, cwd=self.home, timeout=60,
        )  # fmt: skip
        return self._ran(ran, "tourniquet_contain_modalert.log")

    def start_and_kill(self, version: str, stdin: bytes, after: int) -> int:
        """The same, killed (SIGKILL) right after its `after`th write to the journal (0: never); how many it made."""
        writes = self.home / "writes"
        command = [interpreter(version), "-I", "-S", "-c", _KILLED, str(self.app), str(writes), str(after)]
        ran = subprocess.run(command, input=stdin, capture_output=True, check=False, env={}, cwd=self.home, timeout=60)
        made = len(writes.read_bytes())
        assert ran.returncode == (-signal.SIGKILL if 0 < after <= made else 0), ran.stderr.decode()
        return made

    def due(self, version: str) -> Ran:
        """The scripted input, started as splunkd does each minute."""
        command = [interpreter(version), "-I", "-S", str(self.app / "bin" / "tourniquet_due.py")]
        ran = subprocess.run(command, capture_output=True, check=False, env={}, cwd=self.home, timeout=60)
        assert ran.stdout == b"", "Splunk would index it"
        return self._ran(ran, "tourniquet_due.log")

    def _ran(self, ran: subprocess.CompletedProcess[bytes], name: str) -> Ran:
        log = self.logs / name
        lines = log.read_text().splitlines() if log.exists() else []
        return Ran(ran.returncode, ran.stderr.decode(), lines)

    # -- what is left -------------------------------------------------------------------------------------

    def entries(self, kind: str) -> List[Mapping[str, Any]]:
        """Bodies of the journal's entries of one kind, in order."""
        store = SqliteStore(str(self.local / "journal.db"))
        try:
            return [doc["body"] for _, doc in store.scan("e/") if doc["kind"] == kind]
        finally:
            store.close()

    def escalated(self) -> List[Mapping[str, Any]]:
        """What reached people."""
        path = self.local / "escalations.jsonl"
        return [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []


def csv_of(rows: Sequence[Mapping[str, Any]]) -> str:
    """Rows as Splunk writes them: lists once with one value a line, and once more in an `__mv_` column."""
    names = list(dict.fromkeys(name for row in rows for name in row))
    lines = [",".join(f'"{prefix}{name}"' for name in names for prefix in ("", "__mv_"))]
    for row in rows:
        cells: List[str] = []
        for name in names:
            value = row.get(name, "")
            several = isinstance(value, (list, tuple))
            cells += ["\n".join(value) if several else str(value), pack(value) if several else ""]
        lines.append(",".join('"' + cell.replace('"', '""') + '"' for cell in cells))
    return "\n".join(lines) + "\n"


def pack(values: Sequence[str]) -> str:
    """Splunk's form of a multivalue field."""
    return ";".join("$" + value.replace("$", "$$") + "$" for value in values)


DETECTIONS = sorted(read_catalogue())
