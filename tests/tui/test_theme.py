"""Colours: in one file, readable, apart for colour-blind eyes, and never the only sign."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from textual.color import Color
from textual.theme import BUILTIN_THEMES

import tui
from tests.tui.conftest import Opening
from tui.theme import SAFE, palette, variables_for

ROOM = Path(tui.__file__).parent
READABLE = 4.5
"""Least contrast of text against its background (WCAG 2.2, 1.4.3, level AA)."""
STATUS = ("text-error", "text-warning", "text-success", "text-primary", "text-accent", "quiet")


@pytest.mark.parametrize("name", STATUS)
@pytest.mark.parametrize("behind", ["background", "cursor-line"])
def test_text_is_readable(name: str, behind: str) -> None:
    known = SAFE.to_color_system().generate() | SAFE.variables
    background = Color.parse(known[behind])
    assert _contrast(Color.parse(known[name]), background) >= READABLE


def test_no_colour_is_named_outside_the_theme() -> None:
    literal = re.compile(r"#[0-9a-fA-F]{3,8}\b|\b(?:red|green|yellow|blue|orange)\b")
    for path in [*ROOM.glob("*.py"), *ROOM.glob("*.tcss")]:
        if path.name != "theme.py":
            code = re.sub(r"#(?:timeline|page|search|keys|header|footer|overview|title)\b", "",
                          path.read_text())  # fmt: skip
            assert not literal.search(code), path.name


@pytest.mark.parametrize("name", sorted(BUILTIN_THEMES))
def test_every_theme_of_the_framework_gives_every_role_a_style(name: str) -> None:
    theme = BUILTIN_THEMES[name]
    variables = theme.to_color_system().generate() | variables_for(theme) | theme.variables
    styles = palette(variables, "background")
    assert all(style.color is not None for style in styles.values())


async def test_without_colours_words_remain(
    open_night: Opening, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("NO_COLOR", "1")
    async with open_night() as night:
        await night.tell_all()
        await night.press("2", "n", "n", "n", "space")
        assert night.app.no_color
        text = night.screen_text()
        for words in ("ERROR", "WARN", "FAILED", "certain", "likely", "possible", "undecided"):
            assert words in text
        assert "recovered 02:08:00" in text
        assert "15 err" in text
        assert "▸" in text and "●" in text and "~" in text


def _contrast(one: Color, other: Color) -> float:
    """Contrast ratio of two colours (WCAG 2.2 definition)."""
    lighter, darker = sorted((_luminance(one), _luminance(other)), reverse=True)
    return (lighter + 0.05) / (darker + 0.05)


def _luminance(color: Color) -> float:
    def linear(part: int) -> float:
        share = part / 255
        return share / 12.92 if share <= 0.04045 else ((share + 0.055) / 1.055) ** 2.4

    return 0.2126 * linear(color.r) + 0.7152 * linear(color.g) + 0.0722 * linear(color.b)
