"""(a), (d): the alert process as Splunk starts it, once for each alert, with only the vendored libraries."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Dict, List

from responders.drill.world import Person
from tests.bench.company import Company
from tests.bench.fixture import alert, outcomes, settings

ROOT = Path(__file__).resolve().parent.parent.parent
_NOT_SHIPPED = ("content", "console", "drill", "command_line", "sync", "__pycache__")


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
    """The app as it would be installed: its program, this package, and the vendored libraries of packaging/locks."""
    lib = folder / "lib"
    if not lib.exists():
        made = folder / "lib.new"
        shutil.rmtree(made, ignore_errors=True)
        pip = [sys.executable, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--target", str(made),
               "--no-deps", "--require-hashes", "--no-compile"]  # fmt: skip
        pure = ["--platform", "any", "--implementation", "py", "--abi", "none", "--only-binary=:all:"]
        subprocess.run([*pip, *pure, "-r", str(ROOT / "packaging/locks/splunk.txt")], check=True)
        made.rename(lib)
    shutil.rmtree(lib / "responders", ignore_errors=True)
    shutil.copytree(ROOT / "responders", lib / "responders", ignore=shutil.ignore_patterns(*_NOT_SHIPPED))
    shutil.copytree(ROOT / "splunk_app" / "bin", folder / "bin", dirs_exist_ok=True)
    return folder


def start(program: str, home: Path, company: Company, person: Person, folder: Path) -> Cold:
    """Start it for one alert; raises when an account is not confirmed contained at all four vendors."""
    path = settings(company, [person], folder)
    company.connected()
    payload = json.dumps({"search_name": "bench", "sid": "bench", "configuration": {"recheck_seconds": "0"},
                          "result": alert(person)})  # fmt: skip
    environment = {"PATH": os.environ["PATH"], "TOURNIQUET_SETTINGS": str(path), "HOME": str(folder)}
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
    found = outcomes(folder)
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
