"""Makes every picture of this folder: `python -m screenshots.make [NAME...]`.

Each picture is a frame of the real screen over a recorded incident: same recording, same frame.
The exported pages are drawn by `screenshots.pages`.
SVG for documents, PNG beside it for places that show no SVG; `walk.gif` presses the keys of a
first look, one frame a key.
"""

from __future__ import annotations

import asyncio
import io
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import cairosvg
from PIL import Image

from halfawake.bundles import open_window
from halfawake.demo import DEFAULT_STORY, story_path
from halfawake.handover import FileHandover
from halfawake.recorded import RecordedCollector
from halfawake.where import DEMO_PREFIX
from screenshots import pages
from tests.servers.process import ServerMissing
from timeline.window import MINUTE_NS
from tui.app import HalfawakeApp
from tui.theme import SAFE

if TYPE_CHECKING:
    from textual.pilot import Pilot

FOLDER = Path(__file__).parent
PNG_WIDTH = 1600
"""Pixels: sharp on a dense display at half that width."""
FILM_WIDTH = 1000
FRAME_MS = 2_200
"""Time to read one frame's new sentence."""
FILM_COLOURS = 64

LOOKED_AT_NS = 31 * MINUTE_NS
"""How long after T the person looks; a picture cannot depend on when it was made."""
WIDE, NARROW = (140, 42), (80, 24)


@dataclass(frozen=True, slots=True)
class Scene:
    """One picture: which night, how large the terminal is and what was pressed."""

    name: str
    size: tuple[int, int]
    keys: tuple[str, ...] = ()
    story: str = DEFAULT_STORY


RACE = ("3", "n", "n")
"""The third finding, job-before-commit, and two steps into its evidence."""
NIGHTS = ("night-hiccup", "signup-race", "friday-batch", "kicked-can")

SCENES = (
    Scene("incident", (120, 40), RACE),
    Scene("narrow", NARROW, RACE),
    Scene("proof", (120, 40), (*RACE, "enter")),
    Scene("sources", (120, 40), ("s",)),
    Scene("help", (120, 60), ("question_mark",)),
    *(Scene(f"{night}-wide", WIDE, (), night) for night in NIGHTS),
    *(Scene(f"{night}-narrow", NARROW, (), night) for night in NIGHTS),
)
FILM = Scene("walk", (120, 36), ("n", "n", "n", "enter", "escape", "e"))


@asynccontextmanager
async def opened(scene: Scene) -> AsyncIterator[tuple[HalfawakeApp, Pilot[str]]]:
    """The screen over the scene's night, everything read and nothing pressed."""
    recording = story_path(scene.story)
    window = open_window(recording)
    app = HalfawakeApp(
        RecordedCollector(recording),
        window,
        environment="",
        title=f"{DEMO_PREFIX}{scene.story}",
        now=lambda: window.pin + LOOKED_AT_NS,
        handover=FileHandover(Path("incident")),  # previewed, never written
        encoding="utf-8",
    )
    app.theme = SAFE.name  # whatever terminal this runs in
    async with app.run_test(size=scene.size) as pilot:
        while not app.state.ended:
            await pilot.pause(0.05)
        app.state.headline_changed_at = None  # the marker fades; a picture shows what stays
        app.incident_screen.facts_changed(rows=False)
        await pilot.pause()
        yield app, pilot


async def picture(scene: Scene) -> str:
    """The frame after all keys, as SVG text."""
    async with opened(scene) as (app, pilot):
        await pilot.press(*scene.keys)
        await pilot.pause(0.3)  # a page may be built in a thread
        return app.export_screenshot(title="halfawake demo")


async def frames(scene: Scene) -> list[str]:
    """The first frame and one after each key, as SVG texts."""
    async with opened(scene) as (app, pilot):
        shown = [app.export_screenshot(title="halfawake demo")]
        for key in scene.keys:
            await pilot.press(key)
            await pilot.pause(0.3)
            shown.append(app.export_screenshot(title=f"halfawake demo - {key}"))
        return shown


def film(scene: Scene) -> None:
    """Write the scene's keys as an endless GIF of one palette."""
    pictures = [
        Image.open(io.BytesIO(cairosvg.svg2png(bytestring=svg.encode(), output_width=FILM_WIDTH)))
        for svg in asyncio.run(frames(scene))
    ]
    first = pictures[0].convert("RGB").quantize(FILM_COLOURS)
    rest = [one.convert("RGB").quantize(FILM_COLOURS, palette=first) for one in pictures[1:]]
    path = FOLDER / f"{scene.name}.gif"
    first.save(path, save_all=True, append_images=rest, duration=FRAME_MS, loop=0, optimize=True)
    sys.stdout.write(f"{path.name}\n")


def draw(scene: Scene) -> None:
    """Write the scene as SVG and PNG."""
    svg = asyncio.run(picture(scene))
    (FOLDER / f"{scene.name}.svg").write_text(svg, encoding="utf-8")
    png = FOLDER / f"{scene.name}.png"
    cairosvg.svg2png(bytestring=svg.encode(), write_to=str(png), output_width=PNG_WIDTH)
    sys.stdout.write(f"{scene.name}.svg {png.name}\n")


def make(names: set[str]) -> None:
    """Make the named pictures (all without a name) beside this file."""
    for scene in SCENES:
        if not names or scene.name in names:
            draw(scene)
    if not names or FILM.name in names:
        film(FILM)
    try:
        pages.make(names)
    except ServerMissing as missing:
        sys.stderr.write(f"the exported pages stay as they are: {missing}\n")


if __name__ == "__main__":
    make(set(sys.argv[1:]))
