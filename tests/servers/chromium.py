"""A headless Chromium that tests drive: opens a file, clicks, looks at the page, prints it.

Owns one browser process, spoken to over two pipes by the DevTools protocol, so that no port is
opened and nobody else can drive it. Whatever host a page names, the browser asks the loopback port
it is given, or none: it must never reach the network.
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
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeAlias

from tests.servers.process import LOOPBACK, STOP_SECONDS, ServerMissing

Json: TypeAlias = Mapping[str, "Json"] | list["Json"] | str | int | float | bool | None

PROGRAMS = ("chromium", "chromium-browser", "google-chrome")
ANSWER_SECONDS = 60.0
"""A busy machine starts Chromium in some seconds; what takes longer hangs."""
DISCARD_PORT = 9
"""Where every host leads that no test listens for: nothing answers there."""
_FLAGS = (
    "--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--no-first-run",
    "--disable-background-networking", "--disable-component-update", "--disable-sync",
    "--disable-extensions", "--disable-features=NetworkTimeServiceQuerying", "--hide-scrollbars",
    "--force-color-profile=srgb", "--font-render-hinting=none", "--remote-debugging-pipe",
)  # fmt: skip
"""No sandbox, because containers run tests as root; the pages are files of our own. The browser
asks nothing for itself, not even the time: what is heard came from a page."""
_START = 'exec "$@" 3<&"$COMMANDS" 4>&"$ANSWERS"'
"""The pipes have to be descriptors 3 and 4, which Popen cannot promise."""


@dataclass
class Browser:
    """One running browser. Calls are made one at a time and wait for their answer."""

    process: subprocess.Popen[bytes]
    commands: int
    answers: int
    events: list[Mapping[str, Json]] = field(default_factory=list)
    _pending: bytearray = field(default_factory=bytearray)
    _number: int = 0

    def call(self, method: str, session: str = "", **parameters: Json) -> Mapping[str, Json]:
        """The result of one command. Raises RuntimeError with the browser's own words."""
        self._number += 1
        asked = {"id": self._number, "method": method, "params": parameters}
        if session:
            asked["sessionId"] = session
        os.write(self.commands, json.dumps(asked).encode() + b"\0")
        while True:
            message = self._next()
            if message.get("id") != self._number:
                self.events.append(message)
            elif "error" in message:
                raise RuntimeError(f"{method}: {message['error']}")
            else:
                return _mapping(message["result"])

    def wait_for(self, method: str, session: str) -> None:
        """Until that event was told; what came before the call counts."""
        place = 0
        while True:
            while place < len(self.events):
                one = self.events[place]
                if one.get("method") == method and one.get("sessionId") == session:
                    return
                place += 1
            self.events.append(self._next())

    def open(self, path: Path, *, width: int = 1280, height: int = 900, dark: bool = False) -> Tab:
        """The file in a tab of its own, loaded."""
        target = str(self.call("Target.createTarget", url="about:blank")["targetId"])
        session = str(
            self.call("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        )
        tab = Tab(self, session, target)
        tab.call("Page.enable")
        tab.call("Network.enable")
        tab.call(
            "Emulation.setDeviceMetricsOverride",
            width=width, height=height, deviceScaleFactor=1, mobile=False,
        )  # fmt: skip
        scheme: Json = {"name": "prefers-color-scheme", "value": "dark" if dark else "light"}
        tab.call("Emulation.setEmulatedMedia", features=[scheme])
        self.events.clear()
        tab.call("Page.navigate", url=path.resolve().as_uri())
        self.wait_for("Page.loadEventFired", session)
        return tab

    def _next(self) -> Mapping[str, Json]:
        deadline = time.monotonic() + ANSWER_SECONDS
        while b"\0" not in self._pending:
            ready, _, _ = select.select([self.answers], [], [], max(deadline - time.monotonic(), 0))
            read = os.read(self.answers, 1 << 20) if ready else b""
            if not read:
                raise RuntimeError("Chromium gave no answer" if not ready else "Chromium ended")
            self._pending += read
        whole, _, rest = bytes(self._pending).partition(b"\0")
        self._pending = bytearray(rest)
        return _mapping(json.loads(whole))


@dataclass(frozen=True)
class Tab:
    """One page of the browser."""

    browser: Browser
    session: str
    target: str

    def call(self, method: str, **parameters: Json) -> Mapping[str, Json]:
        return self.browser.call(method, self.session, **parameters)

    def evaluate(self, expression: str) -> Json:
        """The value of a JavaScript expression, asked from outside: the page runs no script."""
        told = self.call("Runtime.evaluate", expression=expression, returnByValue=True)
        if "exceptionDetails" in told:
            raise RuntimeError(f"{expression}: {told['exceptionDetails']}")
        return _mapping(told["result"]).get("value")

    def click(self, selector: str) -> None:
        """A real press of the mouse in the middle of the first such element."""
        found = self.evaluate(
            f"(() => {{const e = document.querySelector({json.dumps(selector)});"
            "e.scrollIntoView({block: 'center', behavior: 'instant'});"
            "const r = e.getBoundingClientRect();"
            "return [r.x + r.width / 2, r.y + r.height / 2]})()"
        )
        assert isinstance(found, list)
        x, y = found
        for kind in ("mousePressed", "mouseReleased"):
            self.call("Input.dispatchMouseEvent", type=kind, x=x, y=y, button="left", clickCount=1)

    def requests(self) -> list[str]:
        """Addresses that the page asked for so far, its own file and `data:` left out."""
        told = (one for one in self.browser.events if one.get("sessionId") == self.session)
        sent = (one for one in told if one.get("method") == "Network.requestWillBeSent")
        urls = (str(_mapping(_mapping(one["params"])["request"])["url"]) for one in sent)
        return [url for url in urls if not url.startswith(("file:", "data:"))]

    def screenshot(self, *, whole: bool = False) -> bytes:
        """A PNG of what is seen, or of the whole page."""
        told = self.call("Page.captureScreenshot", format="png", captureBeyondViewport=whole)
        return base64.b64decode(str(told["data"]))

    def pdf(self) -> bytes:
        """The page as it is printed on A4."""
        told = self.call("Page.printToPDF", paperWidth=8.27, paperHeight=11.69)
        return base64.b64decode(str(told["data"]))

    def close(self) -> None:
        self.browser.call("Target.closeTarget", targetId=self.target)


@contextmanager
def chromium(every_host_at: int = DISCARD_PORT) -> Iterator[Browser]:
    """A browser for as long as the block lasts; every host name leads to that loopback port.

    Raises ServerMissing when there is none.
    """
    program = next((found for name in PROGRAMS if (found := shutil.which(name))), None)
    if program is None:
        raise ServerMissing("Chromium", "apt-get install chromium")
    hosts = f"--host-resolver-rules=MAP * {LOOPBACK}:{every_host_at}"
    with tempfile.TemporaryDirectory(prefix="halfawake-chromium-") as folder:
        read_commands, commands = os.pipe()
        answers, write_answers = os.pipe()
        command = [program, *_FLAGS, hosts, f"--user-data-dir={folder}", "about:blank"]
        process = subprocess.Popen(
            ["bash", "-c", _START, "bash", *command],
            env={**os.environ, "COMMANDS": str(read_commands), "ANSWERS": str(write_answers)},
            pass_fds=(read_commands, write_answers),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        os.close(read_commands)
        os.close(write_answers)
        browser = Browser(process, commands, answers)
        try:
            yield browser
        finally:
            _end(browser)


def _end(browser: Browser) -> None:
    """Closed by its own command, so that no part of it stays; killed by pid when it does not."""
    try:
        browser.call("Browser.close")
        browser.process.wait(STOP_SECONDS)
    except (RuntimeError, OSError, subprocess.TimeoutExpired):
        browser.process.kill()
        browser.process.wait(STOP_SECONDS)
    os.close(browser.commands)
    os.close(browser.answers)


def _mapping(value: Json) -> Mapping[str, Json]:
    assert isinstance(value, Mapping), value
    return value
