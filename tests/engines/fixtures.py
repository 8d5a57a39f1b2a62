"""The fixture `elasticsearch_url`: one server for the whole run, shared by all xdist workers.

It is started as soon as it is clear that a test of this run wants it, and gets ready while others run.

`TOURNIQUET_TEST_ELASTICSEARCH=http://127.0.0.1:9200` uses a server that runs already; the tests make and delete indices
there, so it must be one for tests.
"""

from __future__ import annotations

import fcntl
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import pytest

_ROOT = Path(__file__).resolve().parents[2]
_READY_SECONDS = 800
"""Fetching it the first time is part of this."""


@pytest.fixture(scope="session")
def elasticsearch_url(request: pytest.FixtureRequest) -> str:
    """Address of a running Elasticsearch 8.19.21 with security on.

    Who comes without credentials is a superuser there; who comes with an API key may do what that key may.
    """
    given = os.environ.get("TOURNIQUET_TEST_ELASTICSEARCH")
    return given.rstrip("/") if given else _shared(request.config)


def pytest_collection_finish(session: pytest.Session) -> None:
    """Start it now, if a test wants it; the fixture waits for it."""
    config = session.config
    if os.environ.get("TOURNIQUET_TEST_ELASTICSEARCH") or config.option.collectonly:
        return
    wanted = any("elasticsearch_url" in getattr(item, "fixturenames", ()) for item in session.items)
    if wanted and shutil.which("javac") and shutil.which("mvn"):
        _begun(config)


def _begun(config: pytest.Config) -> Path:
    """The file in which its address will stand; whoever asks first starts it."""
    worker = getattr(config, "workerinput", None)
    run = str(worker["testrunuid"]) if worker else f"alone-{os.getpid()}"
    controller = os.getppid() if worker else os.getpid()
    state = Path(tempfile.gettempdir()) / f"tourniquet-es-run-{run}.json"
    with open(state.with_suffix(".lock"), "a+", encoding="ascii") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        lock.seek(0)
        if not lock.read():
            _start_keeper(state, controller)
            lock.write("begun")
    return state


def _shared(config: pytest.Config) -> str:
    state = _begun(config)
    until = time.monotonic() + _READY_SECONDS
    while not state.exists() and time.monotonic() < until:
        time.sleep(0.1)
    if not state.exists():
        pytest.fail(f"Elasticsearch was not ready after {_READY_SECONDS} s")
    found = json.loads(state.read_text(encoding="utf-8"))
    if "url" not in found:
        pytest.fail(f"Elasticsearch did not start: {found['error']}")
    return str(found["url"])


def _start_keeper(state: Path, controller: int) -> None:
    """Starts the keeper detached, by way of a shell that ends at once, so that no worker has it as its child."""
    subprocess.run(
        ["/bin/sh", "-c", '"$@" >/dev/null 2>&1 </dev/null &', "sh", sys.executable, "-m", "tests.engines.keeper",
         str(state), str(controller)],
        cwd=_ROOT, check=True, timeout=30, start_new_session=True,
    )  # fmt: skip
