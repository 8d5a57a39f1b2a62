"""(a), (d): the alert process as Splunk starts it, once for each alert, with only the vendored libraries."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tarfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Dict, List

from responders.codec import from_json
from responders.drill.world import Person
from responders.journal.kvstore import COLLECTION
from responders.model import Outcome
from tests.bench.company import Company
from tests.bench.fixture import KEY, alert
from tests.splunkd import Deployment, Splunkd
from tests.splunkd.certificate import self_signed
from tests.splunkd.set_up import set_up

ROOT = Path(__file__).resolve().parent.parent.parent


@dataclass(frozen=True)
class Cold:
    """One start; `first_byte` is when the first connection came in.

    Seconds from the start of the interpreter; MB is the peak resident size.
    """

    confirmed: float
    ended: float
    first_byte: float
    megabytes: float


def interpreters() -> Dict[str, str]:
    """Splunk's two Pythons as far as this machine has them: version to program."""
    found = {}
    for version in ("3.9", "3.13"):
        given = [str(p) for p in sorted(Path.home().glob(f".pyenv/versions/{version}.*/bin/python"))]
        for program in (*given, shutil.which(f"python{version}") or ""):
            if program and subprocess.run([program, "-c", "import ssl, sqlite3"], check=False).returncode == 0:
                found[version] = program
                break
    return found


def app(folder: Path) -> Path:
    """The app as it would be installed: the package is built, and unpacked."""
    shutil.rmtree(folder / "tourniquet", ignore_errors=True)
    build = [sys.executable, str(ROOT / "packaging" / "splunk_app.py"), "--to", str(folder)]
    subprocess.run(build, check=True, stdout=subprocess.DEVNULL)
    with tarfile.open(next(folder.glob("*.spl"))) as package:
        package.extractall(folder, filter="data")
    return folder / "tourniquet"


def start(program: str, home: Path, company: Company, person: Person, folder: Path) -> Cold:
    """Start it for one alert, beside a fake splunkd that holds settings and journal; TLS between them, as in Splunk.

    Raises when an account is not confirmed contained at all four vendors.
    """
    folder.mkdir(parents=True)
    deployment = Deployment()
    deployment.install(ROOT / "splunk_app")
    with Splunkd(deployment, certificate=self_signed(folder / "server.pem")) as splunkd:
        set_up(splunkd, company.connections, [person], key=KEY)
        return _start(program, home, company, person, folder, splunkd)


def _start(program: str, home: Path, company: Company, person: Person, folder: Path, splunkd: Splunkd) -> Cold:
    company.connected()
    payload = json.dumps({"search_name": "bench", "sid": "scheduler__bench", "configuration": {"recheck_seconds": "0"},
                          "server_uri": splunkd.uri, "session_key": splunkd.session("splunk-system-user"),
                          "result": alert(person)})  # fmt: skip
    environment = {"PATH": os.environ["PATH"], "SPLUNK_HOME": str(folder), "HOME": str(folder)}
    command = [program, "-s", str(home / "bin" / "tourniquet_contain.py"), "--execute"]
    began, wall = time.monotonic(), time.time()
    with subprocess.Popen(command, stdin=subprocess.PIPE, stderr=subprocess.PIPE, env=environment, text=True) as process:
        assert process.stdin is not None
        assert process.stderr is not None
        process.stdin.write(payload)
        process.stdin.close()
        peak = 0
        while process.poll() is None:
            peak = max(peak, _peak(process.pid))
            time.sleep(0.01)
        ended = time.monotonic() - began
        said = process.stderr.read()
    entries = [json.loads(row["doc"]) for row in splunkd.deployment.rows(COLLECTION) if row["_key"].startswith("e/")]
    found = [from_json(Outcome, item) for e in entries if e["kind"] == "outcome" for item in e["body"]["outcomes"]]
    open_ones = [f"{o.step.action}: {o.status.value} {o.proof}" for o in found if not o.status.holds]
    if process.returncode != 0 or open_ones or {o.step.account.vendor for o in found} != set(company.direct) - {"login"}:
        raise RuntimeError(f"not contained everywhere: {open_ones} {said[-1500:]}")
    confirmed = max(o.at.timestamp() for o in found) - wall
    first = min(company.connected()) - began
    return Cold(confirmed, ended, first, peak / 1024)


def _peak(pid: int) -> int:
    """Peak resident size in KiB: VmHWM, for getrusage would count what the starting process held before exec."""
    try:
        text = Path(f"/proc/{pid}/status").read_text()
    except OSError:
        return 0
    lines: List[str] = [line for line in text.splitlines() if line.startswith("VmHWM")]
    return int(lines[0].split()[1]) if lines else 0
