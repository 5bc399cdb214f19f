"""The picture of the lanes as PNG, for places that show no SVG: drawn by resvg, without a browser.

An extra (`halfawake[png]`), because only some need it. The drawing is the `svg` export's own, so
what is redacted there is redacted here; a PNG goes to a file and never to a terminal.
"""

from __future__ import annotations

from pathlib import Path

from halfawake.cli import UsageProblem

SUFFIX = ".png"
DRAWN_FROM = "svg"
WIDTH = 2_400
"""Pixels, twice the drawing's own: sharp on a dense display and in print at half a page."""
PAPER = "#ffffff"


def is_picture(output: Path | None, format_: str) -> bool:
    """Whether a PNG is asked for. Raises `UsageProblem` where it cannot be made.

    Asked before anything is read, so that nobody waits for what then fails.
    """
    if output is None or output.suffix.lower() != SUFFIX:
        return False
    if format_ != DRAWN_FROM:
        raise UsageProblem(
            f"{output} would be a picture, and the format {format_} is text: "
            f"say --format {DRAWN_FROM} for a picture, or name a file that does not end so."
        )
    try:
        import resvg_py  # noqa: F401  # asked whether it is there
    except ModuleNotFoundError:
        raise UsageProblem(
            "A PNG is drawn by resvg, which is not installed: pip install 'halfawake[png]'. "
            "The same picture as SVG needs nothing: name a file that ends in .svg."
        ) from None
    return True


def png_of(svg: str) -> bytes:
    """The drawing as a PNG on white."""
    from resvg_py import svg_to_bytes

    return svg_to_bytes(svg_string=svg, width=WIDTH, background=PAPER)
