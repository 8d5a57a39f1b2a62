"""The service's log: one JSON object a line, without secrets, and with nothing that a text from an alert could break."""

from __future__ import annotations

import json
import threading
import time
from typing import Any, Iterable, TextIO, Tuple

from responders.vendors.redact import redact


class Log:
    """Writes to `stream`. `secrets` are values that never show, whatever field they come in."""

    def __init__(self, stream: TextIO, secrets: Iterable[str] = ()) -> None:
        self._stream = stream
        self._secrets: Tuple[str, ...] = tuple(secrets)
        self._lock = threading.Lock()

    def info(self, what: str, /, **fields: Any) -> None:
        self._write("info", what, fields)

    def warn(self, what: str, /, **fields: Any) -> None:
        self._write("warn", what, fields)

    def error(self, what: str, /, **fields: Any) -> None:
        self._write("error", what, fields)

    def _write(self, level: str, what: str, fields: Any) -> None:
        at = time.time()
        stamp = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(at)) + f".{int(at * 1000) % 1000:03d}Z"
        said = {name: self._plain(value) for name, value in fields.items() if value not in (None, "")}
        line = json.dumps({"@timestamp": stamp, "level": level, "message": what, **said}, ensure_ascii=True)
        with self._lock:
            try:
                self._stream.write(line + "\n")
                self._stream.flush()
            except (OSError, ValueError):  # a full disk or a closed pipe must not keep anybody from being contained
                return

    def _plain(self, value: Any) -> Any:
        if value is None or isinstance(value, (bool, int, float)):
            return value
        if isinstance(value, (list, tuple)):
            return [self._plain(item) for item in value[:50]]
        return redact(str(value), self._secrets, 2000)
