"""Inventory sync of a large company: how long its vendors take by their limits, and the memory of the whole command.

`python -m tests.bench.inventory [--people N]` reads N people at Okta, Entra, CyberArk and Vault by a clock that counts what
they would take, each vendor in a process of its own; then runs the real `tourniquet inventory sync` against the same company
over HTTP, twice, and watches the memory of the command with its reading process. Goals: 600 s of vendor time, 300 MB.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any, Dict, Iterator, List, Tuple, cast

from responders.drill.simulators.graph import GraphSimulator
from responders.inventory.sync.raw import RawStore
from responders.inventory.sync.run import How, read
from responders.inventory.sync.source import Listing, Row
from responders.inventory.sync.vendors import SOURCES
from tests.bench.inventory_vendors import TENANT, Clock, Counted, servers

_WATCH = 0.05


def _read(vendor: str, state: Path, people: int) -> Dict[str, Any]:
    """A first reading, then one each hour: until every application was read, and one more."""
    clock = Clock()
    client = Counted(vendor, people, clock)
    runs: List[Dict[str, Any]] = []
    with RawStore(state) as store:
        while len(runs) < 2 or runs[-2]["left"]:
            began = clock.now
            source = SOURCES[vendor](client)
            found = read(source, store, How(now=lambda: clock.now, sleep=clock.sleep))
            source.close()
            if found.failed or found.refused:
                raise RuntimeError(f"{vendor}: {found.failed or found.refused}")
            workers = {"vault": 8}.get(vendor, 1)
            runs.append({"vendor_seconds": round((clock.now - began) / workers), "pages": found.calls, "calls": client.calls,
                         "left": dict(found.left)})  # fmt: skip
            client.calls = {}
            clock.sleep(3600.0)
    return {"rows": sum(found.rows.values()), "runs": runs}


def _whole(folder: Path, people: int) -> Iterator[Tuple[str, Dict[str, Any]]]:
    """The command as a user runs it: first on nothing, then when all is known."""
    sims = servers(people)
    for sim in sims.values():
        sim.start()
    try:
        arguments = _command(folder, sims)
        for step in ("first sync", "second sync"):
            began = time.monotonic()
            with subprocess.Popen(arguments, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as command:
                watched = _watch(command)
                told, error = command.communicate()
            if command.returncode:
                raise RuntimeError(f"{told[-2000:]} {error[-2000:]}")
            inventory = json.loads(told)["inventory"]
            yield step, {"seconds": round(time.monotonic() - began), **watched, "identities": inventory["identities"],
                         "accounts": inventory["accounts"], "links": inventory["links"]}  # fmt: skip
    finally:
        for sim in sims.values():
            sim.stop()


def _command(folder: Path, sims: Dict[str, Any]) -> List[str]:
    graph = cast(GraphSimulator, sims["entra"])
    client = graph.state["service_principals"][graph.add_app("sync", secret="s3cret")]["appId"]
    secrets = {"okta": "api_token", "entra": "client_secret", "cyberark": "password", "vault": "token"}
    more = {"entra": {"client_id": client, "login": graph.login}, "cyberark": {"username": "sync"}}
    connections = []
    for name, sim in sims.items():
        (folder / name).touch(mode=0o600)
        (folder / name).write_text("s3cret")
        connections.append({
            "vendor": name, "tenant": TENANT if name == "entra" else "corp", "url": sim.url, "allow_loopback_http": True,
            secrets[name]: {"file": str(folder / name)}, **more.get(name, {}),
        })  # fmt: skip
    (folder / "key").touch(mode=0o600)
    (folder / "key").write_text("k" * 64)
    settings = {"connections": connections, "inventory": "inventory.json", "journal": {"path": "j", "key": {"file": "key"}}}
    (folder / "settings.json").write_text(json.dumps(settings))
    given = ["inventory", "sync", "--settings", str(folder / "settings.json"), "--json"]
    program = "import sys; from responders.surfaces.command_line.main import main; sys.exit(main(sys.argv[1:]))"
    return [sys.executable, "-c", program, *given]


def _watch(command: subprocess.Popen[str]) -> Dict[str, int]:
    """Peak memory in MB: of the command, of its reading process, and of both at one time."""
    peak = {"command_megabytes": 0, "reading_megabytes": 0, "megabytes": 0}
    while command.poll() is None:
        sizes = [_size(command.pid), *(_size(child) for child in _children(command.pid))]
        found = (sizes[0], sum(sizes[1:]), sum(sizes))
        peak = {name: max(old, new // 1024) for (name, old), new in zip(peak.items(), found)}
        time.sleep(_WATCH)
    return peak


def _size(process: int) -> int:
    """Resident memory in KB, 0 when the process has ended."""
    try:
        lines = Path(f"/proc/{process}/status").read_text().splitlines()
    except OSError:
        return 0
    return next((int(line.split()[1]) for line in lines if line.startswith("VmRSS:")), 0)


def _children(process: int) -> List[int]:
    found: List[int] = []
    try:
        for thread in os.listdir(f"/proc/{process}/task"):
            children = Path(f"/proc/{process}/task/{thread}/children").read_text().split()
            found.extend(int(child) for child in children)
    except OSError:
        return found
    return found


def _rows(state: Path, count: int) -> Dict[str, Any]:
    """So many rows of one list in pages of a thousand: staged, taken over, and gone through."""
    listing = Listing("members")
    with RawStore(state) as store:
        store.begin("okta:corp", listing, 1.0, full=True, full_every=1.0, stale=1.0)
        for start in range(0, count, 1000):
            rows = [Row(f"00g{n // 1000:017d}/00u{n:017d}", {}, f"00g{n // 1000:017d}") for n in range(start, start + 1000)]
            store.add("okta:corp", listing.name, rows, cursor=str(start + 1000), done=start + 1000 >= count, delta="")
        taken = store.publish("okta:corp", [listing], {}, 1.0, 1.0)
        return {"rows": sum(1 for _ in store.rows("okta:corp", "members")), "new": taken.new}


def _steps(folder: Path, people: int) -> Iterator[Tuple[str, Dict[str, Any]]]:
    for step in (*SOURCES, "rows"):
        began = time.monotonic()
        arguments = ["--step", step, "--state", str(folder / f"{step}.db"), "--people", str(people)]
        made = subprocess.run(
            [sys.executable, "-m", "tests.bench.inventory", *arguments], capture_output=True, text=True, check=False
        )
        if made.returncode:
            raise RuntimeError(made.stderr[-2000:])
        yield step, {**json.loads(made.stdout), "seconds": round(time.monotonic() - began, 1)}
    yield from _whole(folder, people)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--people", type=int, default=100_000)
    parser.add_argument("--step", default="", help="only this: a vendor, rows or whole; default: all")
    parser.add_argument("--state", default="")
    options = parser.parse_args()
    if options.step and options.step != "whole":
        state = Path(options.state)
        whole = _rows(state, 10 * options.people) if options.step == "rows" else _read(options.step, state, options.people)
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
        sys.stdout.write(json.dumps({**whole, "peak_megabytes": round(peak)}))
        return 0
    with tempfile.TemporaryDirectory() as folder:
        for step, found in (_whole if options.step else _steps)(Path(folder), options.people):
            sys.stdout.write(f"{step}: {json.dumps(found)}\n")
            sys.stdout.flush()
    return 0


if __name__ == "__main__":
    sys.exit(main())
