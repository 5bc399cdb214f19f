"""Makes every picture of this folder: `python -m screenshots.make [NAME...]`.

Each picture is one frame of the real screen over the recorded incident `night-hiccup`: same
recording, same bytes. SVG for documents, PNG beside it for places that show no SVG.
"""

from __future__ import annotations

import asyncio
import sys
from dataclasses import dataclass
from pathlib import Path

import cairosvg

from halfawake.bundles import open_window
from halfawake.demo import DEFAULT_STORY, story_path
from halfawake.handover import FileHandover
from halfawake.recorded import RecordedCollector
from timeline.window import MINUTE_NS
from tui.app import HalfawakeApp

FOLDER = Path(__file__).parent
PNG_WIDTH = 1600
"""Pixels: sharp on a dense display at half that width."""


LOOKED_AT_NS = 31 * MINUTE_NS
"""How long after T the person looks; a picture cannot depend on when it was made."""


@dataclass(frozen=True, slots=True)
class Scene:
    """One picture: how large the terminal is and what was pressed."""

    name: str
    size: tuple[int, int]
    keys: tuple[str, ...] = ()


RACE = ("3", "n", "n")
"""The third finding, job-before-commit, and two steps into its evidence."""

SCENES = (
    Scene("incident", (120, 40), RACE),
    Scene("narrow", (80, 24), RACE),
    Scene("proof", (120, 40), (*RACE, "enter")),
    Scene("sources", (120, 40), ("s",)),
    Scene("help", (120, 60), ("question_mark",)),
)


async def picture(scene: Scene) -> str:
    """The frame as SVG text."""
    recording = story_path(DEFAULT_STORY)
    window = open_window(recording)
    app = HalfawakeApp(
        RecordedCollector(recording),
        window,
        environment="",
        title=f"demo:{DEFAULT_STORY}",
        now=lambda: window.pin + LOOKED_AT_NS,
        handover=FileHandover(FOLDER),
        encoding="utf-8",
    )
    async with app.run_test(size=scene.size) as pilot:
        while not app.state.ended:
            await pilot.pause(0.05)
        app.state.headline_changed_at = None  # the marker fades; a picture shows what stays
        app.incident_screen.facts_changed(rows=False)
        await pilot.press(*scene.keys)
        await pilot.pause()
        return app.export_screenshot(title="halfawake demo")


def make(names: set[str]) -> None:
    """Write the named pictures (all without a name) beside this file."""
    for scene in SCENES:
        if names and scene.name not in names:
            continue
        svg = asyncio.run(picture(scene))
        (FOLDER / f"{scene.name}.svg").write_text(svg, encoding="utf-8")
        png = FOLDER / f"{scene.name}.png"
        cairosvg.svg2png(bytestring=svg.encode(), write_to=str(png), output_width=PNG_WIDTH)
        sys.stdout.write(f"{scene.name}.svg {scene.name}.png\n")


if __name__ == "__main__":
    make(set(sys.argv[1:]))
