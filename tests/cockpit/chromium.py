"""Headless Chromium, driven by its DevTools protocol over two pipes: no port is opened.

https://chromedevtools.github.io/devtools-protocol/, and --remote-debugging-pipe: descriptors 3
(commands) and 4 (answers), messages of JSON that end with a NUL.
"""

import base64
import json
import os
import select
import subprocess
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

SECONDS = 20.0
_START = 'read=$1 write=$2; shift 2; exec "$@" 3<&"$read" 4>&"$write"'
OPTIONS = (
    "--headless=new", "--no-sandbox", "--remote-debugging-pipe", "--disable-gpu",
    "--disable-dev-shm-usage", "--no-first-run", "--disable-background-networking",
    "--hide-scrollbars", "--lang=en-US",
)  # fmt: skip


class Chromium:
    """One browser; pages are opened in it."""

    def __init__(self, directory: Path) -> None:
        commands, self._out = os.pipe()
        self._in, answers = os.pipe()
        program = ("chromium", *OPTIONS, f"--user-data-dir={directory}", "about:blank")
        self._process = subprocess.Popen(
            ["bash", "-c", _START, "bash", str(commands), str(answers), *program],
            pass_fds=(commands, answers), stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL, stderr=(directory / "errors").open("w"),
            start_new_session=True,
        )  # fmt: skip
        os.close(commands)
        os.close(answers)
        self._buffer = b""
        self._number = 0
        self.events: list[dict[str, Any]] = []

    def call(self, method: str, session: str = "", **parameters: Any) -> dict[str, Any]:
        """A command's result. Events that come meanwhile are kept."""
        self._number += 1
        number = self._number
        message: dict[str, Any] = {"id": number, "method": method, "params": parameters}
        if session:
            message["sessionId"] = session
        os.write(self._out, json.dumps(message).encode() + b"\0")
        while True:
            answer = self._read(method)
            if answer.get("id") == number:
                assert "error" not in answer, f"{method}: {answer['error']}"
                return dict(answer["result"])
            self.events.append(answer)

    def _read(self, what: str) -> dict[str, Any]:
        deadline = time.monotonic() + SECONDS
        while b"\0" not in self._buffer:
            left = deadline - time.monotonic()
            ready, _, _ = select.select([self._in], [], [], max(left, 0))
            assert ready, f"Chromium does not answer to {what}"
            data = os.read(self._in, 1 << 20)
            assert data, "Chromium has ended"
            self._buffer += data
        text, _, self._buffer = self._buffer.partition(b"\0")
        return dict(json.loads(text))

    def stop(self) -> None:
        self.call("Browser.close")
        self._process.wait(SECONDS)
        os.close(self._in)
        os.close(self._out)


class Page:
    """One tab."""

    def __init__(self, browser: Chromium) -> None:
        self._browser = browser
        context = browser.call("Target.createBrowserContext")["browserContextId"]
        self._context = context
        target = browser.call("Target.createTarget", url="about:blank", browserContextId=context)
        attached = browser.call("Target.attachToTarget", targetId=target["targetId"], flatten=True)
        self._session = attached["sessionId"]
        for domain in ("Page", "Runtime", "Log", "Network"):
            self.call(f"{domain}.enable")
        self.call("Emulation.setFocusEmulationEnabled", enabled=True)

    def call(self, method: str, **parameters: Any) -> dict[str, Any]:
        return self._browser.call(method, self._session, **parameters)

    def open(self, address: str) -> None:
        self.call("Page.navigate", url=address)

    def close(self) -> None:
        self._browser.call("Target.disposeBrowserContext", browserContextId=self._context)

    def size(self, width: int, height: int, *, dark: bool = False) -> None:
        """The screen of a phone (below 600) or of a PC."""
        self.call(
            "Emulation.setDeviceMetricsOverride", width=width, height=height,
            deviceScaleFactor=2 if width < 600 else 1, mobile=width < 600,
        )  # fmt: skip
        scheme = {"name": "prefers-color-scheme", "value": "dark" if dark else "light"}
        self.call("Emulation.setEmulatedMedia", features=[scheme])

    def value(self, expression: str) -> Any:
        """What an expression of JavaScript gives, a promise's value included."""
        done = self.call(
            "Runtime.evaluate", expression=expression, returnByValue=True, awaitPromise=True
        )
        assert "exceptionDetails" not in done, f"{expression}: {done['exceptionDetails']}"
        return done["result"].get("value")

    def until(self, expression: str, *, seconds: float = SECONDS) -> Any:
        """Wait until an expression gives something true, e.g. an element (an empty dict); that."""
        deadline = time.monotonic() + seconds
        while (found := self.value(expression)) in (None, False, "", 0):
            if time.monotonic() > deadline:
                text = self.value("document.body?.innerText")
                raise AssertionError(f"waited in vain for {expression}; the page says:\n{text}")
            select.select([], [], [], 0.02)
        return found

    def sees(self, text: str) -> None:
        """Wait until the page shows a text."""
        self.until(f"document.body?.innerText.includes({json.dumps(text)})")

    def click(self, selector: str) -> None:
        """Press the mouse on the middle of an element, once it is there and enabled."""
        where = self.until(_MIDDLE % json.dumps(selector))
        for kind in ("mousePressed", "mouseReleased"):
            self.call(
                "Input.dispatchMouseEvent", type=kind, x=where[0], y=where[1], button="left",
                clickCount=1,
            )  # fmt: skip

    def key(self, name: str, code: int, text: str = "") -> None:
        """Press a key: its name and its Windows key code."""
        pressed = {"key": name, "code": name, "windowsVirtualKeyCode": code}
        self.call("Input.dispatchKeyEvent", type="keyDown", text=text, **pressed)
        self.call("Input.dispatchKeyEvent", type="keyUp", **pressed)

    def picture(self, file: Path) -> None:
        """The whole page as a PNG."""
        shot = self.call("Page.captureScreenshot", captureBeyondViewport=True)
        file.write_bytes(base64.b64decode(shot["data"]))

    def complaints(self, keep: Callable[[str], bool] = bool) -> list[str]:
        """Errors and violations of the content security policy since the page was opened."""
        found = []
        for event in self._browser.events:
            if event.get("sessionId") != self._session:
                continue
            if event["method"] == "Runtime.exceptionThrown":
                found.append(json.dumps(event["params"]))
            elif (
                event["method"] == "Log.entryAdded" and event["params"]["entry"]["level"] == "error"
            ):
                entry = event["params"]["entry"]
                found.append(f"{entry['text']} {entry.get('url', '')}")
        return [text for text in found if keep(text)]


_MIDDLE = """(() => {
    const found = document.querySelector(%s);
    if (!found || found.disabled) return null;
    found.scrollIntoView({block: "center", behavior: "instant"});
    const box = found.getBoundingClientRect();
    return box.width ? [box.x + box.width / 2, box.y + box.height / 2] : null;
})()"""
