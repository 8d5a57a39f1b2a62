"""The anchor file: a line for each entry that was ever written, kept beside the key and apart from the store.

Every line counts, not only a chain's last one: a store that was put back to an older state and written on would have a
whole chain again, and longer than before.
"""

from __future__ import annotations

import hmac
import json
import os
import threading
from typing import Any, Callable, List, Mapping, Tuple

from responders.errors import JournalError

Head = Tuple[str, int, str]
"""Chain, seq and mac of one entry."""


class Anchor:
    """Append-only, mode 0600. `mac` binds each line with the journal's key."""

    def __init__(self, path: str, mac: Callable[[Mapping[str, Any]], str]) -> None:
        self._path, self._mac = path, mac
        self._lock = threading.Lock()

    def remember(self, chain: str, seq: int, head: str) -> None:
        """Add a line. Raises JournalError."""
        line = {"chain": chain, "seq": seq, "head": head}
        data = (json.dumps({**line, "mac": self._mac(line)}, sort_keys=True) + "\n").encode()
        try:
            with self._lock:
                handle = os.open(self._path, os.O_CREAT | os.O_WRONLY | os.O_APPEND, 0o600)
                try:
                    written = os.write(handle, data)
                finally:
                    os.close(handle)
        except OSError as error:
            raise JournalError(
                f"anchor {self._path}: {error.strerror}. Check its folder, its rights and the disk"
            ) from error
        if written < len(data):
            raise JournalError(f"anchor {self._path}: only a part of a line was written. Is the disk full?")

    def read(self) -> Tuple[List[Head], List[str]]:
        """Every entry that was once written, and a line for each thing that is wrong with the file."""
        heads: List[Head] = []
        findings: List[str] = []
        try:
            with open(self._path, encoding="utf-8", errors="replace") as handle:
                lines = handle.read().splitlines()
        except FileNotFoundError:
            return heads, ["journal: the anchor file is missing: truncation can't be seen"]
        except OSError as error:
            return heads, [f"journal: the anchor file can't be read ({error.strerror}): truncation can't be seen"]
        for number, text in enumerate(lines, 1):
            try:
                line = json.loads(text)
                mac = line.pop("mac")
                head = str(line["chain"]), int(line["seq"]), str(line["head"])
            except (ValueError, KeyError, AttributeError, TypeError):
                findings.append(f"journal: anchor line {number} is unreadable")
                continue
            if hmac.compare_digest(str(mac).encode(), self._mac(line).encode()):
                heads.append(head)
            else:
                findings.append(f"journal: anchor line {number} was edited")
        return heads, findings
