"""`halfawake export --format svg -o lanes.png`: a PNG of the same drawing, or a sentence."""

from __future__ import annotations

import io
import sys
from pathlib import Path

import pytest
from PIL import Image

from halfawake.cli import UsageProblem, run
from halfawake.pictures import WIDTH, is_picture, png_of
from tests.export.world import ANALYSIS, OPTIONS, incident
from timeline.export.svg import SvgExporter
from timeline.export.svg_ink import ERROR, PAPER


def test_the_command_writes_a_picture(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "lanes.png"
    run(["export", "demo:kicked-can", "--format", "svg", "-o", str(path)])
    picture = Image.open(path)
    assert (picture.format, picture.width) == ("PNG", WIDTH)
    captured = capsys.readouterr()
    assert captured.out == ""
    assert str(path) in captured.err


def test_the_picture_shows_the_drawing() -> None:
    """Its paper, its errors and its words are there; the same drawing gives the same bytes."""
    svg = SvgExporter().render(incident(), ANALYSIS, OPTIONS)
    png = png_of(svg)
    assert png == png_of(svg)
    picture = Image.open(io.BytesIO(png)).convert("RGB")
    colours = {colour for _, colour in picture.getcolors(1 << 24) or ()}
    assert {_rgb(PAPER), _rgb(ERROR)} <= colours
    without = png_of(svg.replace("<text", "<desc").replace("</text>", "</desc>"))
    assert len(without) < len(png) * 0.8, "no letter was drawn"


def _rgb(colour: str) -> tuple[int, ...]:
    return tuple(int(colour[at : at + 2], 16) for at in (1, 3, 5))


def test_text_is_no_picture_and_stdout_takes_none() -> None:
    assert not is_picture(None, "svg")
    assert not is_picture(Path("lanes.svg"), "svg")
    assert is_picture(Path("lanes.PNG"), "svg")
    with pytest.raises(UsageProblem, match="say --format svg"):
        is_picture(Path("lanes.png"), "md")


def test_a_missing_library_is_a_sentence_before_anything_is_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setitem(sys.modules, "resvg_py", None)
    path = tmp_path / "lanes.png"
    assert run(["export", "demo:kicked-can", "--format", "svg", "-o", str(path)]) == 2
    captured = capsys.readouterr()
    assert "pip install 'halfawake[png]'" in captured.err
    assert not path.exists()
