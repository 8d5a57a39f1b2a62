"""A headless Chromium, driven over its DevTools protocol by a pipe: no port, no driver program, no library.

It takes any certificate: the tests' own is signed by nobody.

Protocol: chromedevtools.github.io/devtools-protocol; `--remote-debugging-pipe` reads JSON ended by a NUL from descriptor 3
and writes it to descriptor 4 (Chromium, content/browser/devtools/devtools_pipe_handler.cc).
"""

from __future__ import annotations

import base64
import json
import os
import select
import shutil
import subprocess
import tempfile
import time
from pathlib import Path
from types import TracebackType
from typing import Any, Dict, List, Optional, Type

_FLAGS = (
    "--headless=new", "--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking",
    "--disable-component-update", "--disable-sync", "--disable-quic", "--disable-dev-shm-usage", "--remote-debugging-pipe",
    "--no-proxy-server", "--disable-extensions", "--hide-scrollbars", "--ignore-certificate-errors",
)  # fmt: skip
KEYS = {"Tab": 9, "Enter": 13, "Escape": 27, " ": 32, "ArrowDown": 40, "ArrowUp": 38}


class Browser:
    """`with Browser() as page:` one tab. What the console and the network complain of is in `complaints`."""

    def __init__(self, width: int = 1280, height: int = 900) -> None:
        self._size = (width, height)
        self._number = 0
        self._buffer = b""
        self._events: List[Dict[str, Any]] = []
        self.complaints: List[str] = []
        self._profile = ""
        self._session = ""

    def __enter__(self) -> Browser:
        self._profile = tempfile.mkdtemp(prefix="tourniquet-chromium-")
        ours_in, theirs_out = os.pipe()
        theirs_in, ours_out = os.pipe()
        command = f'exec chromium "$@" 3<&{theirs_in} 4>&{theirs_out}'
        arguments = [*_FLAGS, f"--user-data-dir={self._profile}", "about:blank"]
        self._process = subprocess.Popen(
            ["/bin/bash", "-c", command, "chromium", *arguments], pass_fds=(theirs_in, theirs_out),
            stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True,
        )  # fmt: skip
        os.close(theirs_in)
        os.close(theirs_out)
        self._in, self._out = ours_in, ours_out
        target = self.call("Target.createTarget", url="about:blank")["targetId"]
        self._session = self.call("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        for domain in ("Page", "Runtime", "Log", "Network"):
            self.call(f"{domain}.enable")
        self.size(*self._size)
        return self

    def __exit__(
        self, kind: Optional[Type[BaseException]], error: Optional[BaseException], trace: Optional[TracebackType]
    ) -> None:
        os.killpg(self._process.pid, 9)
        self._process.wait(20)
        os.close(self._in)
        os.close(self._out)
        shutil.rmtree(self._profile, ignore_errors=True)

    # -- the protocol -------------------------------------------------------------------------------------

    def call(self, method: str, **params: Any) -> Any:
        """One command, and its result."""
        self._number += 1
        message = {"id": self._number, "method": method, "params": params}
        if self._session:
            message["sessionId"] = self._session
        os.write(self._out, json.dumps(message).encode() + b"\0")
        until = time.monotonic() + 40
        while True:
            found = self._read(until)
            if found.get("id") == self._number:
                assert "error" not in found, (method, found["error"])
                return found["result"]

    def _read(self, until: float) -> Dict[str, Any]:
        while b"\0" not in self._buffer:
            ready, _, _ = select.select([self._in], [], [], max(0.0, until - time.monotonic()))
            assert ready, "Chromium did not answer in time"
            data = os.read(self._in, 1 << 20)
            assert data, "Chromium ended"
            self._buffer += data
        line, _, self._buffer = self._buffer.partition(b"\0")
        found: Dict[str, Any] = json.loads(line)
        self._heard(found)
        return found

    def _heard(self, found: Dict[str, Any]) -> None:
        params = found.get("params", {})
        if found.get("method") == "Log.entryAdded":
            self.complaints.append(f"{params['entry']['text']} {params['entry'].get('url', '')}")
        elif found.get("method") == "Runtime.exceptionThrown":
            self.complaints.append(str(params["exceptionDetails"].get("exception", {}).get("description")))
        elif found.get("method") == "Runtime.consoleAPICalled":
            self.complaints.append(" ".join(str(item.get("value")) for item in params["args"]))

    # -- what a person does -------------------------------------------------------------------------------

    def size(self, width: int, height: int, dark: bool = False) -> None:
        self.call(
            "Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=1, mobile=width < 600
        )  # fmt: skip
        scheme = "dark" if dark else "light"
        self.call("Emulation.setEmulatedMedia", features=[{"name": "prefers-color-scheme", "value": scheme}])

    def open(self, url: str) -> None:
        self.call("Page.navigate", url=url)
        self.until("document.readyState === 'complete'")

    def run(self, script: str) -> Any:
        """The value of an expression in the page."""
        found = self.call("Runtime.evaluate", expression=script, awaitPromise=True, returnByValue=True)
        assert "exceptionDetails" not in found, found["exceptionDetails"]
        return found["result"].get("value")

    def until(self, script: str, seconds: float = 25.0) -> None:
        """Wait until an expression is true. Fails when it never is."""
        end = time.monotonic() + seconds
        while True:
            try:
                found = self.run(f"!!({script})")
            except AssertionError as error:  # the page is being replaced
                found = None
                if "context" not in str(error) and time.monotonic() > end:
                    raise
            if found:
                return
            assert time.monotonic() < end, f"never true: {script}\n{self.text()[:3000]}"
            time.sleep(0.05)

    def text(self) -> str:
        return str(self.run("document.body.innerText"))

    def type(self, text: str) -> None:
        self.call("Input.insertText", text=text)

    def press(self, key: str, shift: bool = False) -> None:
        """A key, as a keyboard sends it."""
        more = {"key": key, "code": key, "windowsVirtualKeyCode": KEYS[key], "modifiers": 8 if shift else 0}
        text = {"Enter": "\r", " ": " "}.get(key)
        down = {**more, "text": text} if text else more
        self.call("Input.dispatchKeyEvent", type="keyDown" if text else "rawKeyDown", **down)
        self.call("Input.dispatchKeyEvent", type="keyUp", **more)

    def focus(self) -> str:
        """What has the focus, by its words."""
        return str(
            self.run(
                "(e => e === document.body ? '' : (e.labels && e.labels[0] || e).textContent.trim().split('\\n')[0])"
                "(document.activeElement)"
            )
        )

    def wait_for(self, words: str) -> None:
        """Wait until the page has put the focus on what has these words."""
        end = time.monotonic() + 10
        while self.focus() != words:
            assert time.monotonic() < end, f"the focus is on {self.focus()!r}, not on {words!r}"
            time.sleep(0.02)

    def tab_to(self, words: str, most: int = 60) -> None:
        """Press Tab until the element with these words has the focus; it must be seen to have it."""
        for _ in range(most):
            if words in self.focus():
                seen = "getComputedStyle(document.activeElement).outlineStyle"
                assert self.run(seen) != "none", f"the focus on {words} can't be seen"
                return
            self.press("Tab")
        raise AssertionError(f"{words!r} is not reached by Tab")

    def picture(self, path: Path) -> Path:
        """The whole page as PNG."""
        height = int(self.run("document.documentElement.scrollHeight"))
        width = int(self.run("innerWidth"))
        clip = {"x": 0, "y": 0, "width": width, "height": min(height, 6000), "scale": 1}
        found = self.call("Page.captureScreenshot", format="png", clip=clip, captureBeyondViewport=True)
        path.write_bytes(base64.b64decode(found["data"]))
        return path

    def wide(self) -> int:
        """How wide the page's content is."""
        return int(self.run("Math.max(document.documentElement.scrollWidth, document.body.scrollWidth)"))
