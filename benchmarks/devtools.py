"""A minimal driver for Chromium, which costs the page it measures as little as possible.

Playwright watches each request of a page, even its pictures' data: URLs, which took a sixth of the time from pen to
picture on two cores. This speaks Chromium's own protocol (https://chromedevtools.github.io/devtools-protocol/).
"""

import json
import subprocess
import tempfile
import time
from contextlib import suppress
from pathlib import Path
from typing import Any

import psutil
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import ClientConnection, connect

from tests.browser import chromium
from tests.process import end

START_SECONDS = 60
_MAX_MESSAGE = 64 * 2**20  # bytes of an answer


class Browser:
    """A headless Chromium with one page of this many pixels."""

    def __init__(self, width: int, height: int) -> None:
        self._folder = tempfile.TemporaryDirectory(ignore_cleanup_errors=True)
        path = chromium.find()
        if path is None:
            raise RuntimeError(chromium.MISSING)
        command = [path, "--headless", "--remote-debugging-port=0", f"--user-data-dir={self._folder.name}"]
        size = f"--window-size={width},{height}"
        self._process = subprocess.Popen(
            [*command, size, "--hide-scrollbars", *chromium.ARGUMENTS, "about:blank"],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        self._size = {"width": width, "height": height}
        self._count = 0

    def __enter__(self) -> "Browser":
        try:
            self._connection = self._connect()
            targets = self._call("Target.getTargets")["targetInfos"]
            page = next(each["targetId"] for each in targets if each["type"] == "page")
            self._session = self._call("Target.attachToTarget", targetId=page, flatten=True)["sessionId"]
            self.call("Emulation.setDeviceMetricsOverride", **self._size, deviceScaleFactor=1, mobile=False)
        except BaseException:
            self._end()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        with suppress(RuntimeError, ConnectionClosed, TimeoutError):
            self._call("Browser.close")
        self._connection.close()
        self._end()

    def _end(self) -> None:
        # The process may only be a launcher, whose children outlive it.
        with suppress(psutil.NoSuchProcess):
            children = psutil.Process(self._process.pid).children(recursive=True)
            end(self._process)
            for child in children:
                with suppress(psutil.NoSuchProcess):
                    child.kill()
        self._folder.cleanup()

    def processes(self) -> list[psutil.Process]:
        """Return the browser's process and those that it has started."""
        own = psutil.Process(self._process.pid)
        return [own, *own.children(recursive=True)]

    def call(self, method: str, **parameters: Any) -> dict[str, Any]:
        """Call one of the protocol's methods on the page. Raises: RuntimeError if it fails."""
        return self._call(method, self._session, **parameters)

    def open(self, address: str, script: str, until: str) -> None:
        """Go to an address, run a script before the page's own, and wait until an expression is true."""
        self.call("Page.enable")
        self.call("Page.addScriptToEvaluateOnNewDocument", source=script)
        if error := self.call("Page.navigate", url=address).get("errorText"):
            raise RuntimeError(f"The page at {address} does not open: {error}")
        deadline = time.monotonic() + START_SECONDS
        while not self.evaluate(until):
            if time.monotonic() > deadline:
                raise RuntimeError(f"The page at {address} is not ready: {until}")
            time.sleep(0.05)
        self.call("Page.disable")

    def evaluate(self, expression: str) -> Any:
        """Return the value of an expression in the page, as JSON."""
        answer = self.call("Runtime.evaluate", expression=expression, returnByValue=True)
        if "exceptionDetails" in answer:
            raise RuntimeError(f"{expression}: {answer['exceptionDetails']}")
        return answer["result"].get("value")

    def mouse(self, kind: str, x: float, y: float, pressed: bool) -> None:
        """Send a trusted mouse event: mouseMoved, mousePressed or mouseReleased.

        This does not wait for the answer, which comes when a frame begins: a hand does not move in step with frames.
        """
        button = "none" if kind == "mouseMoved" and not pressed else "left"
        event = {"type": kind, "x": x, "y": y, "button": button, "buttons": int(pressed), "clickCount": 1}
        self._send("Input.dispatchMouseEvent", self._session, event)

    def _connect(self) -> ClientConnection:
        port_file = Path(self._folder.name, "DevToolsActivePort")  # Chromium writes it when it listens
        deadline = time.monotonic() + START_SECONDS
        while not (port_file.exists() and len(lines := port_file.read_text(encoding="ascii").split()) == 2):
            if time.monotonic() > deadline or self._process.poll() is not None:
                raise RuntimeError("The browser did not start.")
            time.sleep(0.02)
        port, path = lines
        return connect(f"ws://127.0.0.1:{port}{path}", max_size=_MAX_MESSAGE, compression=None, ping_interval=None)

    def _send(self, method: str, session: str | None, parameters: dict[str, Any]) -> None:
        self._count += 1
        message = {"id": self._count, "method": method, "params": parameters}
        self._connection.send(json.dumps(message if session is None else message | {"sessionId": session}))

    def _call(self, method: str, session: str | None = None, **parameters: Any) -> dict[str, Any]:
        self._send(method, session, parameters)
        while (answer := json.loads(self._connection.recv(START_SECONDS))).get("id") != self._count:
            pass
        if "error" in answer:
            raise RuntimeError(f"{method}: {answer['error']}")
        result: dict[str, Any] = answer["result"]
        return result
