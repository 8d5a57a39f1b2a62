"""Keeps one Elasticsearch for a whole test run: `python -m tests.engines.keeper STATE PID`.

Writes {"url": …} or {"error": …} to STATE once it is up, and stops the server when the process PID, which runs the tests,
is gone, however it ended: so no worker of the run has to be the last, and a killed run leaves nothing behind.
"""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path

import psutil

from tests.engines.elasticsearch import Elasticsearch

_LOOK_SECONDS = 0.3


def main(state: Path, pid: int) -> None:
    try:
        run = psutil.Process(pid)
        with Elasticsearch() as server:
            _write(state, {"url": server.url})
            while run.is_running() and run.status() != psutil.STATUS_ZOMBIE:
                time.sleep(_LOOK_SECONDS)
    except psutil.NoSuchProcess:
        pass
    except Exception as error:  # the tests that wait for the state file must hear of any failure
        _write(state, {"error": f"{type(error).__name__}: {error}"})
        raise
    finally:
        if not psutil.pid_exists(pid):
            state.unlink(missing_ok=True)
            state.with_suffix(".lock").unlink(missing_ok=True)


def _write(state: Path, value: object) -> None:
    part = state.with_suffix(".part")
    part.write_text(json.dumps(value), encoding="utf-8")
    part.rename(state)


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]))
