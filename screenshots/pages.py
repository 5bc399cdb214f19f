"""Pictures of exported pages, drawn by a headless Chromium: light, dark, on a telephone, on paper.

The same recording gives the same page; how letters are drawn depends on the browser and its fonts.
Needs Chromium (`apt-get install chromium`); without it these pictures stay as they are.
"""

from __future__ import annotations

import io
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

from PIL import Image

from halfawake.bundles import open_bundle
from halfawake.demo import story_path
from halfawake.plugins import detectors
from tests.servers.chromium import Browser, chromium
from timeline.analysis import analyse
from timeline.export.contract import ExportOptions
from timeline.export.html_ import HtmlExporter

FOLDER = Path(__file__).parent


@dataclass(frozen=True, slots=True)
class Sheet:
    """One picture: of which night, in a window of which size, from which place on the page."""

    name: str
    story: str
    size: tuple[int, int]
    place: str = "body"
    dark: bool = False


SHEETS = (
    Sheet("export-light", "signup-race", (1280, 1500)),
    Sheet("export-dark", "signup-race", (1280, 1500), dark=True),
    Sheet("export-proof", "signup-race", (1280, 1000), "#finding-2"),
    Sheet("export-timeline", "night-hiccup", (1280, 1000), "#timeline"),
    Sheet("export-narrow", "night-hiccup", (400, 1500)),
)


def draw(browser: Browser, sheet: Sheet) -> None:
    """Write the sheet as a PNG."""
    incident, _ = open_bundle(story_path(sheet.story))
    page = HtmlExporter().render(incident, analyse(incident, detectors()), ExportOptions())
    width, height = sheet.size
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "page.html"
        path.write_text(page, encoding="utf-8")
        tab = browser.open(path, width=width, height=height, dark=sheet.dark)
        tab.evaluate(f"document.querySelector('{sheet.place}').scrollIntoView()")
        seen = Image.open(io.BytesIO(tab.screenshot())).convert("RGB")
        tab.close()
    seen.save(FOLDER / f"{sheet.name}.png", optimize=True)
    sys.stdout.write(f"{sheet.name}.png\n")


def make(names: set[str]) -> None:
    """Make the named pictures (all without a name). Raises ServerMissing without a browser."""
    wanted = [sheet for sheet in SHEETS if not names or sheet.name in names]
    if wanted:
        with chromium() as browser:
            for sheet in wanted:
                draw(browser, sheet)


if __name__ == "__main__":
    make(set(sys.argv[1:]))
