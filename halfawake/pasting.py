"""`halfawake at -`: reads what was pasted, says what it understood, and pins it like a typed TIME.

The paste comes through stdin, which the screen needs for its keyboard, so the terminal takes
stdin's place afterwards. What the command line says goes before what the paste says.
"""

from __future__ import annotations

import argparse
import os
import re
import sys
import time
import tomllib
from datetime import tzinfo
from pathlib import Path
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from halfawake.cli import UsageProblem
from halfawake.where import ask, zone_named
from halfawake.zone import machine_zone
from timeline.event import Precision
from timeline.pasted.contract import Pasted
from timeline.pasted.readings import Here
from timeline.pasted.registry import understand
from timeline.pasted.settle import Settled, Undecided, settle
from timeline.pin import SECOND_NS, Pin, PinProblem
from timeline.wish import Wish
from timeline.words import day, span_words, wall_time

MOST_BYTES = 1_000_000
"""Read of a paste: an alert has a few thousand bytes, a log belongs on the command line."""
TERMINAL = "/dev/tty"
TOLD_CHARACTERS = 200
"""Of one line of narration."""
QUOTED = re.compile(r'"([^"\\]{2,200})"')
SAME_ENVIRONMENT = (("prod", "production", "prd", "live"), ("staging", "stage", "stg"))
"""Names that mean one environment in an alert and in a configuration."""


def take(arguments: argparse.Namespace) -> None:
    """Put T, window and environment of the paste into the arguments.

    Raises `UsageProblem` when the paste names no instant, or more than one and nobody can be asked.
    """
    raw, cut = read_paste()
    keyboard_from_terminal()
    pasted = understand(raw.decode("utf-8", errors="replace"))
    if pasted is None:
        what = "Nothing was pasted" if not raw.strip() else "No alert, trace, log line or link"
        raise UsageProblem(f"{what}: halfawake at - reads one from stdin, or say a time instead.")
    try:
        settled = settle(pasted, _here(arguments))
    except PinProblem as problem:
        raise UsageProblem(str(problem)) from None
    meant = settled.meant
    if isinstance(meant, Undecided):
        meant = ask(meant, arguments, f"halfawake at {_iso(meant.readings[0].ns)}, or --zone")
    environment = _environment(pasted, arguments)
    notes = [f"only the first {MOST_BYTES:,} bytes were read"] if cut else []
    sys.stderr.write(
        "".join(f"{line}\n" for line in lines(pasted, settled, meant, environment, notes))
    )
    sys.stderr.flush()
    arguments.time = _iso(meant.ns)
    arguments.pasted = Wish(
        (pasted.service,) if pasted.service else (), pasted.keys, searched(pasted), typed=False
    )
    arguments.before = arguments.before or f"{-(-settled.before // SECOND_NS)}s"
    arguments.after = arguments.after or f"{-(-settled.after // SECOND_NS)}s"


def searched(pasted: Pasted) -> tuple[str, ...]:
    """The texts that a link searched for as they stand: phrases in quotes, and nothing else.

    A query in another tool's language means other things in ours; it is told and not applied.
    """
    quoted = (match[1] for one in pasted.filters if (match := QUOTED.fullmatch(one.strip())))
    return tuple(dict.fromkeys(quoted))


def read_paste(descriptor: int = 0) -> tuple[bytes, bool]:
    """At most `MOST_BYTES` of stdin, and whether there was more. Blocks until its end."""
    if os.isatty(descriptor):
        sys.stderr.write("halfawake: paste the alert, then press Enter and Ctrl-D\n")
    parts: list[bytes] = []
    size = 0
    while size <= MOST_BYTES and (part := os.read(descriptor, 65_536)):
        parts.append(part)
        size += len(part)
    return b"".join(parts)[:MOST_BYTES], size > MOST_BYTES


def keyboard_from_terminal() -> bool:
    """Make stdin the terminal, when there is one and something will be shown on it."""
    if os.isatty(0):
        return True
    if not (sys.stdout.isatty() or sys.stderr.isatty()):
        return False
    try:
        terminal = os.open(TERMINAL, os.O_RDWR | os.O_NOCTTY)
    except OSError:
        return False
    os.dup2(terminal, 0)
    os.close(terminal)
    return True


def lines(
    pasted: Pasted, settled: Settled, pin: Pin, environment: str, notes: list[str]
) -> list[str]:
    """What was understood, in at most six lines."""
    title = f": {pasted.title}" if pasted.title else ""
    where = [f"service {pasted.service}"] if pasted.service else []
    where += [environment] if environment else []
    found = [", ".join(pasted.keys)] if pasted.keys else []
    found += [_searched(one) for one in pasted.filters]
    window = f"{span_words(settled.before)} before T, {span_words(settled.after)} after"
    said = [
        ("", f"halfawake: {pasted.kind}{title}"),
        ("T", f"{pin.text}: {settled.meaning.value}, {settled.text!r}"),
        ("window", f"{window}: {settled.window_why}" if settled.window_why else window),
        ("where", ", ".join(where)),
        ("keys", "; ".join(found)),
        ("note", "; ".join([*settled.notes, *notes])),
    ]
    return [_line(name, text) for name, text in said if text]


def _searched(filter_: str) -> str:
    applied = QUOTED.fullmatch(filter_.strip()) is not None
    return f"searched for {filter_}" + ("" if applied else " (told, not applied)")


def _line(name: str, text: str) -> str:
    line = f"  {name:<7} {text}" if name else text
    return line if len(line) <= TOLD_CHARACTERS else f"{line[: TOLD_CHARACTERS - 1]}…"


def _here(arguments: argparse.Namespace) -> Here:
    zone = zone_named(arguments.zone)
    return Here(time.time_ns(), zone or machine_zone(), zone is not None, _region)


def _region(name: str) -> tzinfo | None:
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return None


def _iso(ns: int) -> str:
    """The instant as TIME, to the nanosecond and with its zone."""
    fraction = f".{ns % SECOND_NS:09d}".rstrip("0").rstrip(".")
    return f"{day(ns)}T{wall_time(ns, Precision.SECOND)}{fraction}Z"


def _environment(pasted: Pasted, arguments: argparse.Namespace) -> str:
    """Choose the configured environment that the paste names, and say so; words for the reader."""
    if not pasted.environment:
        return ""
    told = f"environment {pasted.environment}"
    if arguments.files:
        return told
    if arguments.env:
        same = arguments.env in _names_of(pasted.environment)
        return told if same else f"{told} (ignored, -e {arguments.env} was said)"
    chosen = [name for name in _configured(arguments) if name in _names_of(pasted.environment)]
    if len(chosen) != 1:
        return f"{told} (not one that is configured)"
    arguments.env = chosen[0]
    return f"{told} (-e {chosen[0]})"


def _names_of(environment: str) -> tuple[str, ...]:
    low = environment.lower()
    return next((names for names in SAME_ENVIRONMENT if low in names), (environment, low))


def _configured(arguments: argparse.Namespace) -> list[str]:
    """Names of the configured environments; a configuration that cannot be read has none here."""
    from platformdirs import user_config_path

    from halfawake.config import ConfigProblem, find_config

    try:
        path = find_config(arguments.config, Path.cwd(), user_config_path("halfawake"))
        data = tomllib.loads(path.read_text(encoding="utf-8")) if path is not None else {}
    except (ConfigProblem, OSError, ValueError):
        return []
    found = data.get("env")
    return list(found) if isinstance(found, dict) else []
