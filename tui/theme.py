"""Every colour of the screen, and nothing else. Roles name what a text means, not how it looks.

The `safe` theme uses the Okabe-Ito colours, which stay apart for every common kind of colour
blindness (Okabe and Ito, "Color Universal Design", 2008). Other themes of the framework work too:
roles are resolved from the current theme's variables. Nothing is told by colour alone.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Literal, TypeAlias

from textual.color import Color, ColorParseError
from textual.theme import BUILTIN_THEMES, Theme

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

SAFE_LIGHT = Theme(
    name="safe-light",
    primary="#0072B2",
    secondary="#56B4E9",
    accent="#E69F00",
    error="#D55E00",
    warning="#F0E442",
    success="#009E73",
    foreground="#1B1F24",
    background="#FBFAF7",
    surface="#F1EFEA",
    panel="#E8E5DE",
    dark=False,
    variables={
        "text-error": "#A33B00",
        "text-warning": "#6E5F00",
        "text-success": "#00664A",
        "text-primary": "#005C91",
        "text-accent": "#8A5200",
        "quiet": "#5A6068",
        "faint": "#A3A8AE",
        "cursor-line": "#E6EBF1",
        "border": "#C5C9CF",
        "scrollbar": "#C5C9CF",
        "scrollbar-hover": "#A3A8AE",
        "scrollbar-active": "#005C91",
        "scrollbar-background": "#FBFAF7",
        "scrollbar-background-hover": "#FBFAF7",
        "scrollbar-background-active": "#FBFAF7",
        "scrollbar-corner-color": "#FBFAF7",
    },
)
"""The same hues, darkened until they can be read on paper white."""

SAFE_ANSI = Theme(
    name="safe-ansi",
    ansi=True,
    primary="ansi_cyan",
    secondary="ansi_blue",
    accent="ansi_yellow",
    error="ansi_red",
    warning="ansi_yellow",
    success="ansi_green",
    foreground="ansi_default",
    background="ansi_default",
    surface="ansi_default",
    panel="ansi_default",
    boost="ansi_default",
    dark=True,
    variables={
        **BUILTIN_THEMES["ansi-dark"].variables,
        "text-error": "ansi_red",
        "text-warning": "ansi_yellow",
        "text-success": "ansi_green",
        "text-primary": "ansi_cyan",
        "text-accent": "ansi_magenta",
        "quiet": "ansi_default",
        "faint": "ansi_bright_black",
        "cursor-line": "ansi_default",
        "border": "ansi_bright_black",
        "scrollbar": "ansi_bright_black",
        "scrollbar-hover": "ansi_cyan",
        "scrollbar-active": "ansi_cyan",
        "scrollbar-background": "ansi_default",
        "scrollbar-background-hover": "ansi_default",
        "scrollbar-background-active": "ansi_default",
        "scrollbar-corner-color": "ansi_default",
    },
)
"""The terminal's own sixteen colours on its own background, for ssh from anything. Only colours
that can be read on black and on white; the cursor is told by its sign, not by a background."""

OWN_THEMES = (SAFE, SAFE_LIGHT, SAFE_ANSI)
THEME_VARIABLE = "HALFAWAKE_THEME"
"""Names a theme, ours or one of the framework's; any other value is ignored."""
_MANY_COLOURS = ("256", "direct", "kitty", "alacritty", "ghostty", "foot", "wezterm", "iterm")


def theme_for(environ: Mapping[str, str]) -> Theme:
    """The theme to begin with: the one asked for, else what the terminal can show.

    A terminal says its depth in COLORTERM or TERM; its background, if at all, in COLORFGBG
    (`fore;back`, rxvt and Konsole: 7 and 9 to 15 are light).
    """
    asked = environ.get(THEME_VARIABLE, "")
    own = next((theme for theme in OWN_THEMES if theme.name == asked), None)
    if (found := own or BUILTIN_THEMES.get(asked)) is not None:
        return found
    terminal = environ.get("TERM", "").lower()
    deep = environ.get("COLORTERM", "") in ("truecolor", "24bit")
    if not deep and not any(word in terminal for word in _MANY_COLOURS):
        return SAFE_ANSI
    behind = environ.get("COLORFGBG", "").rpartition(";")[2]
    is_light = behind.isdecimal() and int(behind) in (7, *range(9, 16))
    return SAFE_LIGHT if is_light else SAFE


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
    if "quiet" in theme.variables:
        return {}
    known = theme.to_color_system().generate()
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
