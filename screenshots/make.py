"""Makes every picture of this folder: `python -m screenshots.make [NAME...]`.

Each picture is one frame of the real screen over the hand-made incident that the screen's tests
use: same input, same bytes. SVG for documents, PNG beside it for places that show no SVG.
"""

from __future__ import annotations

import asyncio
import sys
from dataclasses import dataclass
from pathlib import Path

import cairosvg

from tests.tui import story
from timeline.progress import CollectionEnded, IncidentGrew, PreviewArrived, StatusChanged, Update
from tui.app import HalfawakeApp

FOLDER = Path(__file__).parent
PNG_WIDTH = 1600
"""Pixels: sharp on a dense display at half that width."""


@dataclass(frozen=True, slots=True)
class Scene:
    """One picture: how large the terminal is, how far the collection got, what was pressed."""

    name: str
    size: tuple[int, int]
    keys: tuple[str, ...] = ()
    collected: bool = True


SCENES = (
    Scene("first-answers", (120, 40), collected=False),
    Scene("incident", (120, 40), ("2", "n", "n", "n")),
    Scene("narrow", (80, 24), ("2", "n", "n", "n")),
    Scene("proof", (120, 40), ("2", "n", "n", "n", "enter")),
    Scene("sources", (120, 40), ("s",)),
    Scene("help", (120, 60), ("question_mark",)),
)


def updates(scene: Scene) -> tuple[Update, ...]:
    """What the collector has told by the time the picture is taken."""
    first = (StatusChanged(story.statuses(answered=2)), PreviewArrived(story.preview()))
    if not scene.collected:
        return first
    whole = IncidentGrew(story.incident(), story.ANALYSIS)
    return (*first, whole, CollectionEnded(story.statuses()))


async def picture(scene: Scene) -> str:
    """The frame as SVG text."""
    collector = story.FakeCollector()
    app = HalfawakeApp(
        collector,
        story.WINDOW,
        environment="prod eu-1",
        title="shop",
        now=lambda: story.NOW,
        handover=story.FakeHandover(),
        encoding="utf-8",
    )
    async with app.run_test(size=scene.size) as pilot:
        await pilot.pause()
        for update in updates(scene):
            collector.tell(update)
            await pilot.pause()
        await pilot.press(*scene.keys)
        await pilot.pause()
        return app.export_screenshot(title="halfawake at 02:13:40Z")


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
