"""A Splunk as far as the app sees one: folders, a fake splunkd, results files, and its Python as a subprocess.

Source: Splunk, "Custom alert action logs and search results" (payload, results file, exit code).
"""

from __future__ import annotations

import copy
import gzip
import importlib.util
import json
import signal
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType, TracebackType
from typing import Any, List, Mapping, Optional, Sequence, Type

from responders.drill.world import Person, World
from responders.journal.chain import Journal
from responders.journal.kvstore import COLLECTION, KvStore
from responders.splunk.splunkd import Splunkd as Client
from responders.splunk.tls import context_for
from responders.surfaces.assemble import read_catalogue
from responders.surfaces.splunk_alert import MAXTIME
from tests.conftest import interpreter
from tests.splunkd import Deployment, Splunkd
from tests.splunkd.certificate import self_signed
from tests.splunkd.deployment import SYSTEM_USER
from tests.splunkd.set_up import set_up

ROOT = Path(__file__).resolve().parent.parent.parent
NAME = "tourniquet"
SID = "scheduler__nobody_1"
"""Of the search that the scheduler ran for nobody."""


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
from responders.journal.kvstore import KvStore
counter = os.open(writes, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
create = KvStore.create
def counted(self, key, doc):
    made = create(self, key, doc)
    os.write(counter, b".")
    if 0 < after <= os.fstat(counter).st_size:
        os.kill(os.getpid(), signal.SIGKILL)
    return made
KvStore.create = counted
sys.argv[1:] = ["--execute"]
runpy.run_path(os.path.join(app, "bin", "tourniquet_contain.py"), run_name="__main__")
"""


_EACH = """
import contextlib, io, json, os, sys, traceback
app, folder = sys.argv[1:3]
sys.path.insert(0, os.path.join(app, "lib"))
from responders.surfaces import splunk_alert
main = splunk_alert.main
splunk_alert.MAXTIME = float(sys.argv[3])
log = os.path.join(app, "..", "..", "..", "var", "log", "splunk", "tourniquet_contain_modalert.log")
found = []
for name in sorted(os.listdir(folder)):
    with open(os.path.join(folder, name), "rb") as stdin, contextlib.redirect_stderr(io.StringIO()) as said:
        try:
            code = main(["--execute"], stdin, app)
        except Exception:
            code = -1
            traceback.print_exc()
    with open(log, encoding="utf-8") as handle:
        found.append((code, said.getvalue(), len(handle.readlines())))
json.dump(found, sys.stdout)
"""


@dataclass(frozen=True)
class Ran:
    """What one start of the alert action left behind."""

    code: int
    stderr: str
    log: List[str]


class Splunk:
    """SPLUNK_HOME in `home`, with the unpacked package `app` installed; nothing of this checkout is on its path.

    `deployment` is what its splunkd holds. Another search head of the same cluster is another Splunk over the same one.
    """

    def __init__(
        self, home: Path, app: Path, deployment: Optional[Deployment] = None, *, lag: float = 0.0, tls: bool = False
    ) -> None:
        self.home = home
        self.app = home / "etc" / "apps" / NAME
        self.app.mkdir(parents=True)
        for part in ("bin", "lib", "default", "metadata"):
            (self.app / part).symlink_to(app / part, target_is_directory=True)
        self.logs = home / "var" / "log" / "splunk"
        self.logs.mkdir(parents=True)
        self.dispatch = home / "var" / "run"
        self.dispatch.mkdir(parents=True)
        self.spool = home / "var" / "lib" / NAME / "spool"
        self.deployment = deployment or Deployment()
        if deployment is None:
            self.deployment.install(self.app)
        self.deployment.jobs[SID] = SYSTEM_USER
        certificate = self_signed(home / "server.pem") if tls else None
        self.splunkd = Splunkd(self.deployment, lag=lag, certificate=certificate)
        self._others: List[Splunkd] = []
        self._clients: List[Client] = []
        system = home / "etc" / "system" / "local"
        system.mkdir(parents=True)
        (system / "web.conf").write_text(f"[settings]\nmgmtHostPort = 127.0.0.1:{self.splunkd.port}\n")
        (system / "server.conf").write_text(f"[sslConfig]\nenableSplunkdSSL = {str(tls).lower()}\n")

    def close(self) -> None:
        for opened in (*self._clients, self.splunkd, *self._others):
            opened.close()

    def other(self) -> Splunkd:
        """A splunkd that starts with all that this one has, to be spoiled."""
        own, other = self.deployment, Deployment()
        other.confs, other.passwords, other.sessions = copy.deepcopy(own.confs), dict(own.passwords), dict(own.sessions)
        other.collections, other.documents = dict(own.collections), copy.deepcopy(own.documents)
        self._others.append(Splunkd(other))
        return self._others[-1]

    def __enter__(self) -> Splunk:
        return self

    def __exit__(
        self, kind: Optional[Type[BaseException]], value: Optional[BaseException], trace: Optional[TracebackType]
    ) -> None:
        self.close()

    # -- the administrator --------------------------------------------------------------------------------

    def configure(self, world: World, people: Sequence[Person], *, rechecks: Sequence[float] = (10.0,)) -> None:
        """What the setup page leaves behind: conf files, secrets, policy and inventory."""
        timing = {"deadline": "40", "confirm_patience": "5", "rechecks": ", ".join(map(str, rechecks))}
        set_up(self.splunkd, world.connections, people, key=world.key.decode(), policy=self._policy(), timing=timing)

    def _policy(self) -> Mapping[str, Any]:
        """The default policy with room for several people: its blast radius is tested elsewhere."""
        policy: Mapping[str, Any] = json.loads((ROOT / "responders" / "policy" / "default_policy.json").read_text())
        policy["limits"].update(revokes=1000, never_under=1000, population_share=1.0, detection_share=1.0)
        return policy

    def client(self) -> Client:
        """splunkd as the app itself sees it."""
        uri = self.splunkd.uri
        self._clients.append(Client(uri, self.splunkd.session("splunk-system-user"), tls=context_for(uri, str(self.home))))
        return self._clients[-1]

    def journal(self, world: World) -> Journal:
        """The journal as another responder would open it."""
        return Journal(KvStore(self.client()), world.key)

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
                "app": NAME, "owner": "nobody", "server_host": "sh1", "server_uri": self.splunkd.uri,
                "session_key": self.splunkd.session("splunk-system-user"), "sid": SID,
                "search_name": "Tourniquet - test", "results_file": str(results),
                "configuration": {"recheck_seconds": "0"}, "result": {}, **more,
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

    def start_each(self, version: str, payloads: Sequence[bytes], *, maxtime: float = MAXTIME) -> List[Ran]:
        """The alert action once for each payload, all in one process: what it leaves in memory, the next one finds."""
        folder = self.home / f"payloads-{len(list(self.home.glob('payloads-*')))}"
        folder.mkdir()
        for number, payload in enumerate(payloads):
            (folder / f"{number:03d}").write_bytes(payload)
        command = [interpreter(version), "-I", "-S", "-c", _EACH, str(self.app), str(folder), str(maxtime)]
        ran = subprocess.run(command, capture_output=True, text=True, check=False, env={}, cwd=self.home, timeout=120)
        assert ran.returncode == 0, ran.stderr
        log = (self.logs / "tourniquet_contain_modalert.log").read_text().splitlines()
        found, done = [], 0
        for code, stderr, lines in json.loads(ran.stdout):
            found.append(Ran(code, stderr, log[done:lines]))
            done = lines
        return found

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
        return self._input(version, "tourniquet_due")

    def check(self, version: str) -> Ran:
        """The check of the vendors, started as splunkd does each hour."""
        return self._input(version, "tourniquet_check")

    def _input(self, version: str, name: str) -> Ran:
        command = [interpreter(version), "-I", "-S", str(self.app / "bin" / f"{name}.py")]
        stdin = self.splunkd.session("splunk-system-user").encode()
        ran = subprocess.run(command, input=stdin, capture_output=True, check=False, env={}, cwd=self.home, timeout=60)
        assert ran.stdout == b"", "Splunk would index it"
        return self._ran(ran, f"{name}.log")

    def _ran(self, ran: subprocess.CompletedProcess[bytes], name: str) -> Ran:
        log = self.logs / name
        lines = log.read_text().splitlines() if log.exists() else []
        return Ran(ran.returncode, ran.stderr.decode(), lines)

    # -- what is left -------------------------------------------------------------------------------------

    def entries(self, kind: str) -> List[Mapping[str, Any]]:
        """Bodies of the journal's entries of one kind, in order."""
        docs = [json.loads(row["doc"]) for row in self.deployment.rows(COLLECTION) if row["_key"].startswith("e/")]
        return [doc["body"] for doc in sorted(docs, key=lambda doc: str(doc["at"])) if doc["kind"] == kind]

    def escalated(self) -> List[Mapping[str, Any]]:
        """What people were to be told."""
        return [body["report"] for body in self.entries("escalated")]

    def kept(self) -> List[Mapping[str, Any]]:
        """Alerts that wait in files of this search head."""
        return [json.loads(path.read_text()) for path in sorted(self.spool.glob("*.json"))] if self.spool.is_dir() else []


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
