"""A real Elasticsearch on this machine, for one test run: own port, own data, own user, gone afterwards."""

from __future__ import annotations

import os
import pwd
import shutil
import socket
import subprocess
import tempfile
import time
import urllib.error
import urllib.request
from pathlib import Path
from types import TracebackType
from typing import Any, Dict, Optional, Type

from tests.engines.install import install

_SETTINGS = """\
cluster.name: tourniquet-tests
discovery.type: single-node
network.host: 127.0.0.1
http.port: {port}
transport.port: {transport}
path.data: {data}
path.logs: {folder}/logs
xpack.security.enabled: true
xpack.security.http.ssl.enabled: false
xpack.security.transport.ssl.enabled: false
xpack.security.authc.anonymous.username: tester
xpack.security.authc.anonymous.roles: superuser
cluster.routing.allocation.disk.threshold_enabled: false
indices.breaker.total.use_real_memory: false
"""
"""Real memory counts what is only not collected yet: with the serial collector (`_lighten`) requests are refused for it."""
_MEMORY = Path("/dev/shm")
_ROOM = 4 * 2**30
"""Bytes that a file system in memory must have free to hold the data: index by index, each waits for a disk else."""
_START_SECONDS = 180
_STOP_SECONDS = 20


class Elasticsearch:
    """`with Elasticsearch() as server:` starts it and waits until it is ready; `server.url` is its address.

    Raises RuntimeError with the end of its log when it does not get ready.
    """

    def __init__(self, heap: str = "768m") -> None:
        self.heap = heap
        self.url = ""
        self._folder = self._data = Path()
        self._process: Optional[subprocess.Popen[bytes]] = None

    def __enter__(self) -> Elasticsearch:
        home = install()
        self._folder = Path(tempfile.mkdtemp(prefix="tourniquet-es-"))
        self._data = Path(tempfile.mkdtemp(prefix="tourniquet-es-", dir=_MEMORY if _roomy(_MEMORY) else self._folder))
        port, transport = _free_port(), _free_port()
        shutil.copytree(home / "config", self._folder / "config")
        (self._folder / "config" / "elasticsearch.yml").write_text(
            _SETTINGS.format(port=port, transport=transport, folder=self._folder, data=self._data), encoding="ascii"
        )
        _lighten(self._folder / "config" / "jvm.options")
        for name in ("logs", "tmp"):
            (self._folder / name).mkdir()
        self.url = f"http://127.0.0.1:{port}"
        try:
            self.start()
        except BaseException:
            self._stop()
            raise
        return self

    def kill(self) -> None:
        """End it as a loss of power would: SIGKILL to the launcher and the server. `start` runs it on the same data."""
        assert self._process is not None
        os.killpg(self._process.pid, 9)
        self._process.wait()
        self._process = None

    def start(self) -> None:
        """Start it, and wait until it is ready."""
        home = install()
        environment = {
            "PATH": os.environ["PATH"],
            "HOME": str(self._folder),
            "ES_PATH_CONF": str(self._folder / "config"),
            "ES_TMPDIR": str(self._folder / "tmp"),
            "ES_JAVA_HOME": _java_home(),
            "ES_JAVA_OPTS": f"-Xms{self.heap} -Xmx{self.heap} -XX:TieredStopAtLevel=1",
            "CLI_JAVA_OPTS": "-XX:TieredStopAtLevel=1 -Xshare:auto",
        }
        with open(self._folder / "logs" / "console.log", "wb") as log:
            self._process = subprocess.Popen(
                [str(home / "bin" / "elasticsearch")],
                cwd=self._folder,
                env=environment,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
                **self._own_user(),
            )
        self._wait()

    def __exit__(
        self, kind: Optional[Type[BaseException]], error: Optional[BaseException], trace: Optional[TracebackType]
    ) -> None:
        self._stop()

    def _own_user(self) -> Dict[str, Any]:
        """Popen arguments that drop root, which Elasticsearch refuses to run as; its folder is given to that user."""
        if os.geteuid() != 0:
            return {}
        user = pwd.getpwnam("nobody")
        for path in (self._data, *self._data.rglob("*"), self._folder, *self._folder.rglob("*")):
            os.chown(path, user.pw_uid, user.pw_gid)
        return {"user": user.pw_uid, "group": user.pw_gid, "extra_groups": []}

    def _wait(self) -> None:
        assert self._process is not None
        until = time.monotonic() + _START_SECONDS
        while time.monotonic() < until:
            if self._process.poll() is not None:
                raise RuntimeError(f"Elasticsearch ended with {self._process.returncode}: {self._log()}")
            try:
                health = f"{self.url}/_cluster/health?wait_for_status=yellow&timeout=5s"
                with urllib.request.urlopen(health, timeout=10) as answer:
                    if answer.status == 200:
                        return
            except (urllib.error.URLError, OSError):
                time.sleep(0.2)
        raise RuntimeError(f"Elasticsearch was not ready after {_START_SECONDS} s: {self._log()}")

    def _log(self) -> str:
        return (self._folder / "logs" / "console.log").read_text(encoding="utf-8", errors="replace")[-3000:]

    def _stop(self) -> None:
        """Ends the launcher, which ends the server with it (its log says "Stopping"); by force if it does not."""
        if self._process is not None:
            self._process.terminate()
            try:
                self._process.wait(_STOP_SECONDS)
            except subprocess.TimeoutExpired:
                os.killpg(self._process.pid, 9)
                self._process.wait()
            self._process = None
        shutil.rmtree(self._data, ignore_errors=True)
        shutil.rmtree(self._folder, ignore_errors=True)


def _lighten(options: Path) -> None:
    """A small heap on few cores is collected with less work by one thread; and nobody reads the log of it."""
    kept = [line for line in options.read_text(encoding="utf-8").splitlines() if not line.startswith("-Xlog:gc")]
    options.write_text("\n".join(kept).replace("-XX:+UseG1GC", "-XX:+UseSerialGC") + "\n", encoding="utf-8")


def _java_home() -> str:
    java = shutil.which("java")
    if java is None:
        raise RuntimeError("no java on the path: install a JRE, 17 or newer")
    return str(Path(java).resolve().parents[1])


def _roomy(folder: Path) -> bool:
    return os.access(folder, os.W_OK) and shutil.disk_usage(folder).free >= _ROOM


def _free_port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])
