"""Before the first frame: nothing heavy is imported, and signals end the screen cleanly."""

from __future__ import annotations

import os
import signal
import subprocess
import sys

HEAVY = ("polars", "pydantic", "httpx", "psycopg", "redis", "elasticsearch", "connectors")


def test_importing_the_screen_loads_nothing_heavy() -> None:
    code = (
        "import sys, tui.app, tui.timeline\n"
        f"print([name for name in {HEAVY!r} if name in sys.modules])\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_first_frame_and_preview_need_no_polars() -> None:
    code = """
import asyncio, sys
from timeline.batch import Preview
from timeline.event import Event, Kind, Lane
from timeline.progress import PreviewArrived
from timeline.window import Window
from tui.app import HalfawakeApp

class Quiet:
    def start(self, window, on_update): self.on_update = on_update
    def close(self): pass

event = Event(5, "web", Lane.LOG, Kind.LOG, "hello from the log", "web.log@0", actor="web")

async def main():
    collector = Quiet()
    app = HalfawakeApp(collector, Window(10, 0, 20), environment="", title="", now=lambda: 20,
                       handover=None, encoding="utf-8")
    async with app.run_test(size=(120, 40)) as pilot:
        await pilot.pause()
        collector.on_update(PreviewArrived(Preview("web", (event,))))
        await pilot.pause()
        strips = app.screen._compositor.render_strips()
        print(any("hello from the log" in strip.text for strip in strips))
    print("polars" in sys.modules)

asyncio.run(main())
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["True", "False"]


def test_terminating_signals_close_the_collector_and_leave() -> None:
    code = """
import sys
from timeline.window import Window
from tui.app import HalfawakeApp

class Quiet:
    def start(self, window, on_update):
        import os, signal
        os.kill(os.getpid(), getattr(signal, sys.argv[1]))
    def close(self):
        sys.__stdout__.write("closed\\n")

app = HalfawakeApp(Quiet(), Window(10, 0, 20), environment="", title="", now=lambda: 20,
                   handover=None, encoding="utf-8")
app.run(headless=True)
sys.exit(app.return_code)
"""
    for name in ("SIGTERM", "SIGHUP"):
        assert getattr(signal, name)
        done = subprocess.run(
            [sys.executable, "-c", code, name],
            capture_output=True, text=True, timeout=30, check=False,
            env=os.environ | {"COLUMNS": "80", "LINES": "24"},
        )  # fmt: skip
        assert "closed" in done.stdout
        assert done.returncode == 130
