"""Every colour of the screen, and nothing else. Roles name what a text means, not how it looks.

The `safe` theme uses the Okabe-Ito colours, which stay apart for every common kind of colour
blindness (Okabe and Ito, "Color Universal Design", 2008). Other themes of the framework work too:
roles are resolved from the current theme's variables. Nothing is told by colour alone.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Literal, TypeAlias

from textual.color import Color, ColorParseError
from textual.theme import Theme

if TYPE_CHECKING:
    from rich.style import Style

Role: TypeAlias = Literal[
    "text",
    "dim",
    "faint",
    "strong",
    "error",
    "warning",
    "success",
    "info",
    "accent",
    "match",
    "badge",
    "alarm",
    "pin",
]

SAFE = Theme(
    name="safe",
    primary="#56B4E9",
    secondary="#0072B2",
    accent="#E69F00",
    error="#D55E00",
    warning="#F0E442",
    success="#009E73",
    foreground="#DADADA",
    background="#101216",
    surface="#171A20",
    panel="#1E222A",
    dark=True,
    variables={
        "text-error": "#EE8452",
        "text-warning": "#F0E442",
        "text-success": "#2FBF95",
        "text-primary": "#7CC5F0",
        "text-accent": "#F0B43C",
        "quiet": "#98A0AD",
        "faint": "#5A6270",
        "cursor-line": "#242D38",
        "border": "#3A414D",
        "scrollbar": "#3A414D",
        "scrollbar-hover": "#5A6270",
        "scrollbar-active": "#7CC5F0",
        "scrollbar-background": "#101216",
        "scrollbar-background-hover": "#101216",
        "scrollbar-background-active": "#101216",
        "scrollbar-corner-color": "#101216",
    },
)
"""Dark, calm, and readable beside a bright terminal: the default."""

VARIABLE_DEFAULTS = {
    "border": "#3A414D",
    "quiet": "#8A919E",
    "faint": "#5A6270",
    "cursor-line": "#26303C",
}
"""Fallbacks for themes that do not know these variables; `variables_for` adapts them."""

ANSI_VARIABLES = {
    "border": "ansi_white",
    "quiet": "ansi_white",
    "faint": "ansi_bright_black",
    "cursor-line": "ansi_black",
}
"""For the sixteen-colour themes, which cannot blend."""

_VARIABLES: dict[Role, tuple[str, ...]] = {
    "text": ("foreground",),
    "dim": ("quiet",),
    "faint": ("faint",),
    "strong": ("foreground",),
    "error": ("text-error",),
    "warning": ("text-warning",),
    "success": ("text-success",),
    "info": ("text-primary",),
    "accent": ("text-accent",),
    "match": ("text-accent",),
    "badge": ("text-primary",),
    "alarm": ("text-error",),
    "pin": ("text-accent",),
}
_BOLD: frozenset[Role] = frozenset({"strong", "error", "badge", "alarm", "pin"})
_UNDERLINE: frozenset[Role] = frozenset({"match"})
_REVERSE: frozenset[Role] = frozenset({"badge", "alarm"})

Palette: TypeAlias = "dict[Role, Style]"


def palette(variables: Mapping[str, str], background: str) -> Palette:
    """Rich styles by role on the given background variable, from a theme's CSS variables."""
    from rich.style import Style as RichStyle

    behind = _rich_color(variables, (background,))
    styles: Palette = {}
    for role, names in _VARIABLES.items():
        styles[role] = RichStyle(
            color=_rich_color(variables, names),
            bgcolor=behind,
            bold=True if role in _BOLD else None,
            underline=True if role in _UNDERLINE else None,
            reverse=True if role in _REVERSE else None,
        )
    return styles


def variables_for(theme: Theme) -> dict[str, str]:
    """Our own variables for a theme that lacks them: quieter shades of its own foreground."""
    known = theme.to_color_system().generate()
    if "quiet" in theme.variables:
        return {}
    try:
        front, back = Color.parse(known["foreground"]), Color.parse(known["background"])
    except (ColorParseError, KeyError):
        return dict(VARIABLE_DEFAULTS)
    if front.ansi is not None or back.ansi is not None:
        return dict(ANSI_VARIABLES)
    return {
        "quiet": front.blend(back, 0.35).hex,
        "faint": front.blend(back, 0.6).hex,
        "cursor-line": back.blend(front, 0.12).hex,
        "border": back.blend(front, 0.2).hex,
    }


def _rich_color(variables: Mapping[str, str], names: tuple[str, ...]) -> str | None:
    for name in names:
        value = variables.get(name, "")
        try:
            color = Color.parse(value)
        except ColorParseError:
            continue
        return color.rich_color.name if color.ansi is not None else color.hex6
    return None
