"""A Chromium that is driven with next to nothing, so that what is measured is the page.

Playwright watches each request of a page, the data: URLs of its pictures too: on two cores that was a sixth of the time
from the pen to the picture. This speaks Chromium's own protocol, and asks for nothing else than it is told to
(https://chromedevtools.github.io/devtools-protocol/).
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
_LARGEST = 64 * 2**20  # bytes of an answer


class Browser:
    """A Chromium without a window, with one page of this many pixels."""

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
            targets = self._ask("Target.getTargets")["targetInfos"]
            page = next(each["targetId"] for each in targets if each["type"] == "page")
            self._session = self._ask("Target.attachToTarget", targetId=page, flatten=True)["sessionId"]
            self.ask("Emulation.setDeviceMetricsOverride", **self._size, deviceScaleFactor=1, mobile=False)
        except BaseException:
            self._end()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        with suppress(RuntimeError, ConnectionClosed, TimeoutError):
            self._ask("Browser.close")
        self._connection.close()
        self._end()

    def _end(self) -> None:
        # What was started may only have started the others, which do not end with it.
        with suppress(psutil.NoSuchProcess):
            others = psutil.Process(self._process.pid).children(recursive=True)
            end(self._process)
            for each in others:
                with suppress(psutil.NoSuchProcess):
                    each.kill()
        self._folder.cleanup()

    def ask(self, method: str, **parameters: Any) -> dict[str, Any]:
        """What the page answers to one of the protocol's methods. Raises: RuntimeError, where it refuses."""
        return self._ask(method, self._session, **parameters)

    def open(self, address: str, script: str, until: str) -> None:
        """Go to an address, with a script that runs before the page's own, and wait until an expression is true."""
        self.ask("Page.enable")
        self.ask("Page.addScriptToEvaluateOnNewDocument", source=script)
        if error := self.ask("Page.navigate", url=address).get("errorText"):
            raise RuntimeError(f"The page at {address} does not open: {error}")
        deadline = time.monotonic() + START_SECONDS
        while not self.evaluate(until):
            if time.monotonic() > deadline:
                raise RuntimeError(f"The page at {address} is not ready: {until}")
            time.sleep(0.05)
        self.ask("Page.disable")

    def evaluate(self, expression: str) -> Any:
        """The value of an expression in the page, as JSON has it."""
        answer = self.ask("Runtime.evaluate", expression=expression, returnByValue=True)
        if "exceptionDetails" in answer:
            raise RuntimeError(f"{expression}: {answer['exceptionDetails']}")
        return answer["result"].get("value")

    def mouse(self, kind: str, x: float, y: float, pressed: bool) -> None:
        """A mouse event: mouseMoved, mousePressed or mouseReleased. The page gets it as from a hand.

        It is not waited for: the browser answers when a frame begins, and a hand does not move in step with frames.
        """
        button = "none" if kind == "mouseMoved" and not pressed else "left"
        event = {"type": kind, "x": x, "y": y, "button": button, "buttons": int(pressed), "clickCount": 1}
        self._tell("Input.dispatchMouseEvent", self._session, event)

    def _connect(self) -> ClientConnection:
        told = Path(self._folder.name, "DevToolsActivePort")  # Chromium writes it when it listens
        deadline = time.monotonic() + START_SECONDS
        while not (told.exists() and len(lines := told.read_text(encoding="ascii").split()) == 2):
            if time.monotonic() > deadline or self._process.poll() is not None:
                raise RuntimeError("The browser did not start.")
            time.sleep(0.02)
        port, path = lines
        return connect(f"ws://127.0.0.1:{port}{path}", max_size=_LARGEST, compression=None)

    def _tell(self, method: str, session: str | None, parameters: dict[str, Any]) -> None:
        self._count += 1
        told = {"id": self._count, "method": method, "params": parameters}
        self._connection.send(json.dumps(told if session is None else told | {"sessionId": session}))

    def _ask(self, method: str, session: str | None = None, **parameters: Any) -> dict[str, Any]:
        self._tell(method, session, parameters)
        while (answer := json.loads(self._connection.recv(START_SECONDS))).get("id") != self._count:
            pass
        if "error" in answer:
            raise RuntimeError(f"{method}: {answer['error']}")
        result: dict[str, Any] = answer["result"]
        return result
