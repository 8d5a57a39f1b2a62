"""The service as a process of its own."""

from __future__ import annotations

import json
import threading
from typing import Any, Dict, List

import requests

from responders.containment.record import all_containments
from tests.service.desk import Desk, until


class Running:
    """`tourniquet serve` of a desk's settings."""

    def __init__(self, desk: Desk) -> None:
        self.lines: List[Dict[str, Any]] = []
        self.text = ""
        self.process = desk.office.start("serve")
        threading.Thread(target=self._read, daemon=True).start()
        self.address = ""

    def ready(self) -> Running:
        """Once it serves."""
        until(lambda: self.process.poll() is not None or self.said("serving"))
        assert self.process.poll() is None, self.text
        self.address = str(self.said("serving")[-1]["address"])
        return self

    def said(self, what: str) -> List[Dict[str, Any]]:
        return [line for line in self.lines if what in line["message"]]

    def get(self, path: str, scheme: str = "http", **more: Any) -> requests.Response:
        with requests.Session() as session:
            session.trust_env = False
            return session.get(f"{scheme}://{self.address}{path}", timeout=10, **more)

    def end(self, number: int) -> int:
        self.process.send_signal(number)
        code = self.process.wait(60)
        for stream in (self.process.stdout, self.process.stderr):
            assert stream is not None
            until(lambda stream=stream: stream.closed or not self._reader_alive())
        return code

    def _reader_alive(self) -> bool:
        return self._reading

    _reading = True

    def _read(self) -> None:
        assert self.process.stderr is not None
        for line in self.process.stderr:
            self.text += line
            if line.startswith("{"):
                self.lines.append(json.loads(line))
        self._reading = False


def containments(desk: Desk) -> List[str]:
    return sorted(about["identity"] for _, about in all_containments(desk.journal()))
