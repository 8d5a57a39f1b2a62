"""A real headless Chromium, driven over its DevTools pipe: no library, no port.

Source: Chrome DevTools Protocol; `--remote-debugging-pipe` reads JSON from descriptor 3 and
writes to 4, each ended by a NUL.
"""

from __future__ import annotations

import base64
import itertools
import json
import os
import queue
import signal
import subprocess
import threading
from pathlib import Path
from types import TracebackType
from typing import Any, Dict, List, Optional, Type

_QUIET = (
    "--headless", "--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking",
    "--disable-component-update", "--disable-sync", "--disable-quic", "--disable-extensions",
)  # fmt: skip
_PATIENCE = 30.0

HELPERS = (Path(__file__).parent / "helpers.js").read_text()
"""`T`: finds things by their names, in the page."""


class Browser:
    """One Chromium process. `page` opens a tab of its own, without another's cookies."""

    def __init__(self, profile: Path) -> None:
        ours_in, its_out = os.pipe()
        its_in, ours_out = os.pipe()
        # A shell puts the two pipes where Chromium looks for them.
        script = f'exec "$@" 3<&{its_in} 4>&{its_out}'
        command = ["chromium", *_QUIET, "--remote-debugging-pipe", f"--user-data-dir={profile}", "about:blank"]
        self._process = subprocess.Popen(
            ["/bin/bash", "-c", script, "chromium", *command], pass_fds=(its_in, its_out), stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True,
        )  # fmt: skip
        os.close(its_in)
        os.close(its_out)
        self._out = os.fdopen(ours_out, "wb", buffering=0)
        self._in = os.fdopen(ours_in, "rb")
        self._ids = itertools.count(1)
        self._waiting: Dict[int, queue.Queue[Dict[str, Any]]] = {}
        self.events: List[Dict[str, Any]] = []
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def call(self, method: str, session: str = "", **params: Any) -> Dict[str, Any]:
        """One command; its result. Raises AssertionError with what Chromium says is wrong."""
        number = next(self._ids)
        waits = self._waiting[number] = queue.Queue()
        message: Dict[str, Any] = {"id": number, "method": method, "params": params}
        if session:
            message["sessionId"] = session
        self._out.write(json.dumps(message).encode() + b"\0")
        found = waits.get(timeout=_PATIENCE)
        assert "error" not in found, f"{method}: {found['error']}"
        return dict(found["result"])

    def page(self, url: str, *, width: int = 1100, height: int = 1000) -> Page:
        context = self.call("Target.createBrowserContext")["browserContextId"]
        target = self.call("Target.createTarget", url="about:blank", browserContextId=context)["targetId"]
        session = self.call("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        found = Page(self, session, target)
        for domain in ("Page", "Runtime", "Log", "DOM"):
            found.call(f"{domain}.enable")
        found.call("Page.addScriptToEvaluateOnNewDocument", source=HELPERS)
        found.resize(width, height)
        found.go(url)
        return found

    def close(self) -> None:
        """End the process that we started, and what it started."""
        try:
            self.call("Browser.close")
            self._process.wait(timeout=10)
        except (AssertionError, OSError, queue.Empty, subprocess.TimeoutExpired):
            os.killpg(self._process.pid, signal.SIGKILL)
            self._process.wait()
        self._out.close()
        self._reader.join(timeout=5)
        self._in.close()

    def __enter__(self) -> Browser:
        return self

    def __exit__(
        self, kind: Optional[Type[BaseException]], value: Optional[BaseException], trace: Optional[TracebackType]
    ) -> None:
        self.close()

    def _read(self) -> None:
        rest = b""
        while chunk := self._in.read1(65536):  # type: ignore[attr-defined]
            *whole, rest = (rest + chunk).split(b"\0")
            for text in whole:
                message = json.loads(text)
                waits = self._waiting.pop(message.get("id", 0), None)
                if waits is not None:
                    waits.put(message)
                elif "method" in message:
                    self.events.append(message)


class Page:
    """One tab."""

    def __init__(self, browser: Browser, session: str, target: str) -> None:
        self._browser, self._session, self._target = browser, session, target

    def call(self, method: str, **params: Any) -> Dict[str, Any]:
        return self._browser.call(method, self._session, **params)

    def go(self, url: str) -> None:
        self.call("Page.navigate", url=url)

    def resize(self, width: int, height: int) -> None:
        self.call("Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=1, mobile=False)

    def do(self, script: str) -> Any:
        """The value of an expression, awaited. Raises AssertionError with the page's own words when it throws."""
        found = self.call("Runtime.evaluate", expression=script, awaitPromise=True, returnByValue=True)
        wrong = found.get("exceptionDetails")
        assert wrong is None, str(wrong.get("exception", {}).get("description", wrong))[:8000]
        return found["result"].get("value")

    def until(self, check: str, seconds: float = 20) -> Any:
        """Wait until a JavaScript condition holds."""
        return self.do(f"T.until(() => {check}, {seconds})")

    def fill(self, where: str, **fields: Any) -> None:
        """Fill fields by their labels; `_` in a name stands for a blank."""
        for name, value in fields.items():
            self.do(f"T.fill({json.dumps(name.replace('_', ' '))}, {json.dumps(value)}, {json.dumps(where)})")

    def press(self, name: str, where: str = "") -> None:
        self.do(f"T.press({json.dumps(name)}, {json.dumps(where or 'body')})")

    def open(self, name: str, where: str = "") -> None:
        """Unfold a part whose title begins so."""
        self.do(f"T.open({json.dumps(name)}, {json.dumps(where or 'body')})")

    def wrong(self, name: str, where: str = "") -> str:
        """The error at a field."""
        return str(self.do(f"T.wrong({json.dumps(name)}, {json.dumps(where or 'body')})"))

    def text(self, where: str = "body") -> str:
        return str(self.do(f"document.querySelector({json.dumps(where)}).innerText"))

    def choose(self, name: str, path: Path) -> None:
        """Put a file into a file field."""
        found = self.call("Runtime.evaluate", expression=f"T.field({json.dumps(name)})")["result"]["objectId"]
        self.call("DOM.setFileInputFiles", files=[str(path)], objectId=found)

    def key(self, key: str, code: int, text: str = "") -> None:
        """One key down and up."""
        about = {"key": key, "code": key, "windowsVirtualKeyCode": code, "text": text}
        self.call("Input.dispatchKeyEvent", type="keyDown", **about)
        self.call("Input.dispatchKeyEvent", type="keyUp", **about)

    def screenshot(self, path: Path) -> None:
        """The whole page."""
        size = self.call("Page.getLayoutMetrics")["cssContentSize"]
        clip = {"x": 0, "y": 0, "width": size["width"], "height": min(size["height"], 6000), "scale": 1}
        data = self.call("Page.captureScreenshot", format="png", captureBeyondViewport=True, clip=clip)["data"]
        path.write_bytes(base64.b64decode(data))

    def console(self) -> List[str]:
        """What the page's console said: errors, refused scripts, exceptions nobody caught."""
        mine = [event for event in self._browser.events if event.get("sessionId") == self._session]
        found = []
        for event in mine:
            if event["method"] == "Log.entryAdded" and event["params"]["entry"]["level"] != "verbose":
                found.append(f"{event['params']['entry']['text']} {event['params']['entry'].get('url', '')}")
            elif event["method"] == "Runtime.consoleAPICalled":
                found.append(str([item.get("value") for item in event["params"]["args"]]))
            elif event["method"] == "Runtime.exceptionThrown":
                found.append(str(event["params"]["exceptionDetails"])[:500])
        return found

    def close(self) -> None:
        self._browser.call("Target.closeTarget", targetId=self._target)
