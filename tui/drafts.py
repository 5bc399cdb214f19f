"""An export before it is written: its text, and what is said of it. Plain data."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Format:
    """One registered export format."""

    name: str
    purpose: str
    """What it is for, in a few words."""


@dataclass(frozen=True, slots=True)
class Draft:
    """One rendered, redacted text. `rows` of the timeline or table, `redactions` in this text."""

    format: Format
    text: str
    file: str
    """What the file would be called, and where."""
    rows: int
    redactions: int
