"""`tourniquet` runs that cost no start of an interpreter: each is forked from one process that has imported the command.

A fork has the arguments, environment, folder and standard streams of a process of its own, and ends as one does. What the
start itself is, and two processes at once, is tested with `Office.start`, which starts Python each time.
"""

from __future__ import annotations

import atexit
import contextlib
import functools
import importlib
import json
import os
import signal
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import IO, Any, Dict, Mapping, Sequence, Tuple

_SECONDS = 120
_ROOT = Path(__file__).resolve().parent.parent.parent


def run(arguments: Sequence[str], environment: Mapping[str, str], folder: Path, stdin: str) -> Tuple[int, str, str]:
    """Exit code, standard output and standard error of one run."""
    with tempfile.TemporaryDirectory(prefix="tourniquet-forked-") as made:
        streams = [str(Path(made) / name) for name in ("in", "out", "err")]
        Path(streams[0]).write_text(stdin, encoding="utf-8")
        asked = {"arguments": list(arguments), "environment": dict(environment), "folder": str(folder), "streams": streams}
        answers = _server(tuple(sorted((k, v) for k, v in environment.items() if k != "TOURNIQUET_SETTINGS")))
        assert answers.stdin is not None and answers.stdout is not None
        answers.stdin.write(json.dumps(asked) + "\n")
        answers.stdin.flush()
        code = int(answers.stdout.readline())
        return code, *(Path(name).read_text(encoding="utf-8") for name in streams[1:])  # type: ignore[return-value]


@functools.lru_cache(maxsize=4)
def _server(environment: Tuple[Tuple[str, str], ...]) -> subprocess.Popen[str]:
    """It ends when its standard input does: with the process that runs the tests, however that ends."""
    found = subprocess.Popen(
        [sys.executable, "-m", "tests.surfaces.forked"],
        cwd=_ROOT, env=dict(environment), text=True, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
    )  # fmt: skip
    atexit.register(found.communicate)
    return found


def _become(asked: Mapping[str, Any]) -> int:
    """In the fork: what Python would have set up at its start; the exit code of the command."""
    for number, (name, flags) in enumerate(
        zip(asked["streams"], (os.O_RDONLY, os.O_WRONLY | os.O_CREAT, os.O_WRONLY | os.O_CREAT))
    ):
        opened = os.open(name, flags, 0o600)
        os.dup2(opened, number)
        os.close(opened)
    sys.stdin = os.fdopen(0, encoding="utf-8", closefd=False)
    os.environ.clear()
    os.environ.update(asked["environment"])
    os.chdir(asked["folder"])
    sys.argv = ["-c", *asked["arguments"]]
    signal.alarm(_SECONDS)
    from responders.surfaces.command_line.main import main

    return main()


def _serve(requests: IO[str], answers: IO[str]) -> None:
    for line in requests:
        asked: Dict[str, Any] = json.loads(line)
        process = os.fork()
        if not process:
            requests.close()
            answers.close()
            sys.exit(_become(asked))
        answers.write(f"{os.waitstatus_to_exitcode(os.waitpid(process, 0)[1])}\n")
        answers.flush()


if __name__ == "__main__":
    from responders.surfaces.command_line.main import COMMANDS

    for command in COMMANDS:
        with contextlib.suppress(ImportError):  # what an extra needs: the run that wants it says so
            importlib.import_module(f"responders.surfaces.command_line.{command}")
    _serve(os.fdopen(os.dup(0)), os.fdopen(os.dup(1), "w"))
