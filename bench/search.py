"""Search and filter over a million rows, and what a key press waits for meanwhile.

The answers are worked out as the screen does it, in a thread beside its event loop; "first frame"
is from the key that asks to the frame that shows the answer.
"""

from __future__ import annotations

import asyncio
import statistics
import time
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from bench.night import night
from bench.table import milliseconds, write_table
from timeline.event import Event
from timeline.filter_terms import Field, Filter, Needle, Part
from timeline.filters import hits_of, rows_of
from timeline.incident import Incident
from timeline.progress import IncidentGrew, Update
from timeline.shapes import shape_of
from timeline.window import Window

if TYPE_CHECKING:
    from tui.app import HalfawakeApp

LIKE = "handled step 5 of request_id=r1 in 12 ms"
"""As nearly every row of the night says it: the most that lines like one can be."""
SEARCHES = {
    "a rare word": Needle("timeout"),
    "a word of every third row": Needle("request_id=r1"),
    "a word of no row": Needle("zzyzx"),
    "an expression": Needle(r"step \d+7 of", regex=True),
}
FILTERS = {
    "level": (Part(Field.LEVEL, "error"),),
    "source hidden": (Part(Field.SOURCE, "app.log", hides=True),),
    "actor with *": (Part(Field.ACTOR, "service-1*"),),
    "key": (Part(Field.KEY, "request:r777"),),
    "word": (Part(Field.TEXT, "timeout"),),
    "expression": (Part(Field.REGEX, r"step \d+7 of"),),
    "lines like most": (Part(Field.LIKE, shape_of(LIKE)),),
    "lines like most hidden": (Part(Field.LIKE, shape_of(LIKE), hides=True),),
    "level, actor and word": (
        Part(Field.LEVEL, "error"),
        Part(Field.ACTOR, "service-1"),
        Part(Field.TEXT, "reset"),
    ),
}
TIMES = 5
KEYS = ("a key, nothing asked", "a key, while filtering")
FRAME_LIMIT_S = 20.0

Answer = TypeVar("Answer")


def measure(folder: Path, quick: bool) -> None:
    """Print the time of every search and filter, and of the frames that show them."""
    del folder
    lines = 100_000 if quick else 1_000_000
    incident = night(lines, lines // 20, lines // 20)
    rows = [
        [kind, name, milliseconds(seconds)]
        for kind, figures in (("search", searching(incident)), ("filter", filtering(incident)))
        for name, seconds in figures.items()
    ]
    size = len(incident.snapshot)
    write_table(f"search and filter, {size:,} rows", ("what", "by", "best"), rows)
    frames = asyncio.run(frames_of(incident))
    told = [[name, milliseconds(seconds)] for name, seconds in frames.items()]
    write_table(f"the screen, {size:,} rows", ("from a key to its frame", ""), told)


def searching(incident: Incident) -> dict[str, float]:
    """Seconds of every search over all rows."""
    snapshot = incident.snapshot
    return {
        name: _best(partial(hits_of, snapshot, snapshot.order, needle))
        for name, needle in SEARCHES.items()
    }


def filtering(incident: Incident) -> dict[str, float]:
    """Seconds of every filter over all rows."""
    return {
        name: _best(partial(rows_of, incident.snapshot, Filter(parts)))
        for name, parts in FILTERS.items()
    }


def _best(act: Callable[[], Answer]) -> float:
    taken = []
    for _ in range(TIMES):
        started = time.perf_counter()
        act()
        taken.append(time.perf_counter() - started)
    return min(taken)


class Standing:
    """A collector whose incident was collected before: the screen is measured, not the reading."""

    def __init__(self, incident: Incident) -> None:
        self._incident = incident

    def start(self, window: Window, on_update: Callable[[Update], None]) -> None:
        on_update(IncidentGrew(self._incident))

    def look_up(self, keys: Sequence[str]) -> None:
        """Everything is there."""

    def repin(self, window: Window) -> None:
        """There is one window."""

    def skip(self, source: str) -> bool:
        return False

    def retry(self, source: str) -> bool:
        return False

    def keep_reading(self, on: bool) -> bool:
        return False

    def close(self) -> None:
        """Nothing is open."""


class NoHandover:
    """Nothing leaves the screen."""

    def __getattr__(self, name: str) -> Callable[..., str]:
        return lambda *_given: ""


async def frames_of(incident: Incident) -> dict[str, float]:
    """Seconds from pressing enter to the filtered frame, and from a key to its frame meanwhile."""
    from tui.app import HalfawakeApp

    app = HalfawakeApp(
        Standing(incident),
        incident.window,
        environment="",
        title="bench",
        now=lambda: incident.collected_at,
        handover=NoHandover(),  # type: ignore[arg-type]  # whatever it is asked is a text
    )
    figures: dict[str, list[float]] = {name: [] for name in KEYS}
    async with app.run_test(size=(160, 50)) as pilot:
        state, timeline = app.state, app.incident_screen.timeline
        await _until(lambda: len(state.rows) == len(incident.snapshot))
        await pilot.pause()
        for _ in range(2 * TIMES):
            figures[KEYS[0]].append(await _pressed(app))
        for name in ("word", "lines like most", "level"):
            for number in range(TIMES):
                # a condition that every row meets, so that no answer is one kept from before
                wanted = Filter((*FILTERS[name], Part(Field.FROM, at=number)))
                app.incident_screen.action_show_all()
                await _until(lambda: not state.sieve.stale)
                await pilot.pause()
                started = time.perf_counter()
                app.incident_screen.narrow(wanted)
                figures[KEYS[1]].append(await _pressed(app))
                await _until(lambda: not state.sieve.stale)
                timeline.render_line(0)
                figures.setdefault(f"first frame filtered by {name}", []).append(
                    time.perf_counter() - started
                )
    keys = {
        f"{name}, {word}": choose(taken)
        for name, taken in figures.items()
        if name in KEYS
        for word, choose in (("median", statistics.median), ("worst", max))
    }
    frames = {f"{name}, best": min(taken) for name, taken in figures.items() if name not in KEYS}
    return keys | frames


async def _pressed(app: HalfawakeApp) -> float:
    """Seconds until a moved cursor is drawn."""
    timeline = app.incident_screen.timeline
    read: Event | None = timeline.event
    started = time.perf_counter()
    app.simulate_key("up")
    await _until(lambda: timeline.event is not read)
    timeline.render_line(0)
    return time.perf_counter() - started


async def _until(holds: Callable[[], bool]) -> None:
    limit = time.perf_counter() + FRAME_LIMIT_S
    while not holds():
        if time.perf_counter() > limit:
            raise TimeoutError("the screen did not come to what was asked")
        await asyncio.sleep(0)
