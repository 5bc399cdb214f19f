"""What a WHERE or TIME on the command line means: a demo, a bundle, or live sources at an instant.

Standard library only, so that the screen can be painted before anything else is imported.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, tzinfo
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from halfawake.cli import UsageProblem
from halfawake.demo import NoSuchStory, story_path
from halfawake.named_files import named_files, with_notes
from halfawake.zone import machine_zone
from timeline.pin import Ambiguous, KeyPin, Pin, PinProblem, parse_pin
from timeline.progress import Collector
from timeline.window import DEFAULT_AFTER_NS, DEFAULT_BEFORE_NS, Window
from timeline.wish import Wish

if TYPE_CHECKING:
    from halfawake.bundles import About
    from halfawake.setup import Setup
    from timeline.batch import Batch, Preview
    from timeline.incident import SourceInfo
    from timeline.pasted.settle import Undecided

DEMO_PREFIX = "demo:"
BUNDLE_SUFFIX = ".halfawake"
PASTED = "-"
"""As TIME or WHERE: read an alert, a stack trace, a log line or a link from stdin."""
TITLE_NAMES = 3
"""File names that fit into the header beside T."""


class Holding(Collector, Protocol):
    """A collector that holds what no source gave as well: a person's notes."""

    def add(self, info: SourceInfo, batch: Batch) -> bool:
        """False while there is nothing yet to show it beside. May block."""
        ...

    def at_hand(self, window: Window) -> Sequence[Preview]:
        """The first rows, where they need not be waited for; they are not told again."""
        ...


@dataclass(frozen=True)
class Target:
    """Where an incident comes from. `key` is set when the person named a key, not an instant."""

    collector: Holding
    window: Window
    title: str
    key: str | None = None
    recorded: bool = False
    path: Path | None = None
    """Of the bundle, when it is recorded."""
    about: About | None = None
    config: Path | None = None
    environment: str | None = None
    """As they were named on the command line; notes go where these say."""
    zone: tzinfo | None = None
    """Named with `--zone`: one that can be shown beside UTC."""
    wish: Wish = field(default_factory=Wish)
    """What is to be seen first, by `--service` or by what was pasted."""


def add_live_arguments(parser: argparse.ArgumentParser) -> None:
    """Arguments of every command that may ask live sources or files."""
    parser.add_argument(
        "files", nargs="*", metavar="FILE", help="log files, a Slack export; no configuration"
    )
    parser.add_argument(
        "--notes", action="append", default=[], metavar="FILE", help="notes of people, as a lane"
    )
    parser.add_argument("-e", "--env", metavar="ENV", help="environment of the configuration")
    parser.add_argument("--before", metavar="30m", help="how far the window reaches before T")
    parser.add_argument("--after", metavar="5m", help="how far it reaches after T")
    parser.add_argument("--source", action="append", default=[], metavar="NAME", dest="only")
    parser.add_argument(
        "--service", action="append", default=[], metavar="S", help="whose rows are shown first"
    )
    parser.add_argument("--config", type=Path, metavar="FILE", help="configuration file")
    parser.add_argument("--zone", metavar="ZONE", help="zone of T and of stamps without one")


def target(where: str, arguments: argparse.Namespace) -> Target:
    """Understand WHERE. Raises `UsageProblem` with one sentence."""
    if where.startswith(DEMO_PREFIX):
        try:
            found = recorded(story_path(where.removeprefix(DEMO_PREFIX)), where)
        except NoSuchStory as problem:
            raise UsageProblem(str(problem)) from None
        return replace(found, wish=wish_of(arguments))
    if where.endswith(BUNDLE_SUFFIX):
        return replace(recorded(Path(where), Path(where).name), wish=wish_of(arguments))
    return live(where, arguments)


def wish_of(arguments: argparse.Namespace) -> Wish:
    """What the command line asks to see first; a paste may have asked before (`pasted`)."""
    typed = tuple(getattr(arguments, "service", ()))  # a demo is not asked for one
    pasted: Wish = getattr(arguments, "pasted", None) or Wish()
    if typed:
        return replace(pasted, services=typed, typed=True)
    return pasted


def recorded(path: Path, title: str) -> Target:
    """A bundle. Raises `UsageProblem` when it cannot be read."""
    from halfawake.bundles import open_about
    from halfawake.recorded import RecordedCollector

    try:
        about = open_about(path)
    except ValueError as problem:
        raise UsageProblem(str(problem)) from None
    collector = RecordedCollector(path)
    return Target(collector, about.window, title, recorded=True, path=path, about=about)


def live(where: str, arguments: argparse.Namespace) -> Target:
    """Live sources or files around an instant or a key, or around what is pasted (`-`)."""
    if where == PASTED:
        from halfawake.pasting import take

        take(arguments)
        where = arguments.time
    now = time.time_ns()
    zone = zone_named(arguments.zone)
    try:
        pin = parse_pin(where, now_ns=now, zone=zone or machine_zone())
    except PinProblem as problem:
        raise UsageProblem(str(problem)) from None
    if isinstance(pin, Ambiguous):
        named = pin.readings[:-1]  # UTC is the last; a clock change can repeat a time of the zone
        pin = named[0] if zone is not None and len(named) == 1 else ask(pin, arguments)
    before, after = (
        _arm(arguments.before, DEFAULT_BEFORE_NS),
        _arm(arguments.after, DEFAULT_AFTER_NS),
    )
    said = named_files(arguments)
    prepare = prepare_files(arguments) if said.by_files else _prompting_first(arguments)
    preview = preview_files(arguments) if said.logs else None
    if isinstance(pin, KeyPin):
        from halfawake.locate import locate

        found = locate(pin.key, prepare, now)
        window = Window.around(found, before, after, now)
        keyed = _target(arguments, _collector(prepare, preview), window)
        return replace(keyed, title=pin.key, key=pin.key)
    if isinstance(pin, Pin) and pin.zone_note:
        sys.stderr.write(f"halfawake: {pin.zone_note}\n")
    window = Window.around(pin.ns, before, after, now)
    if preview is not None and sys.stdout.isatty():
        from halfawake.early import FirstRows

        preview = FirstRows(preview, window)
    return _target(arguments, _collector(prepare, preview), window)


def _target(arguments: argparse.Namespace, collector: Holding, window: Window) -> Target:
    title = _title(arguments)
    return Target(
        collector,
        window,
        title,
        config=arguments.config,
        environment=arguments.env,
        zone=zone_named(arguments.zone),
        wish=wish_of(arguments),
    )


def _title(arguments: argparse.Namespace) -> str:
    """What the header names beside T: the files, or the sources that were asked for."""
    named = [Path(name).name for name in arguments.files] or arguments.only
    return ", ".join(named[:TITLE_NAMES]) + (" …" if len(named) > TITLE_NAMES else "")


def _collector(
    prepare: Callable[[], Setup], preview: Callable[[Window], Sequence[Preview]] | None
) -> Holding:
    from halfawake.collector import LiveCollector

    return LiveCollector(prepare, preview)


def prepare_files(arguments: argparse.Namespace) -> Callable[[], Setup]:
    """Sources for the files named on the command line."""
    named = named_files(arguments)

    def prepare() -> Setup:
        from halfawake.setup import setup_for_files

        return setup_for_files(named.logs, arguments.zone)

    return with_notes(prepare, named.notes, arguments.zone)


def preview_files(arguments: argparse.Namespace) -> Callable[[Window], Sequence[Preview]]:
    """The rows nearest T of every named log, by the standard library alone."""
    logs = named_files(arguments).logs

    def preview(window: Window) -> Sequence[Preview]:
        from connectors.logs.preview import preview_files as read
        from halfawake.file_groups import grouped

        groups = grouped(logs)
        return [
            read(source, [str(p) for p in paths], window, zone=arguments.zone)
            for source, paths in groups.items()
        ]

    return preview


def prepare_environment(arguments: argparse.Namespace) -> Callable[[], Setup]:
    """Sources of the configured environment."""

    def prepare() -> Setup:
        from platformdirs import user_config_path

        from halfawake.collector import SetupProblem
        from halfawake.config import ConfigProblem, find_config, load_config
        from halfawake.exit_codes import ExitCode
        from halfawake.setup import setup_for_environment

        try:
            path = find_config(arguments.config, Path.cwd(), user_config_path("halfawake"))
            if path is None:
                raise ConfigProblem(
                    "There is nothing to look at: name log files (halfawake at 03:14 app.log), "
                    "or describe your sources in ./halfawake.toml (halfawake init writes one). "
                    "To look around first: halfawake demo"
                )
            config = load_config(path, environment=arguments.env)
            return setup_for_environment(config, path, arguments.env, arguments.only)
        except ConfigProblem as problem:
            raise SetupProblem(str(problem), ExitCode.USAGE) from None

    return with_notes(prepare, named_files(arguments).notes, arguments.zone)


def _prompting_first(arguments: argparse.Namespace) -> Callable[[], Setup]:
    """Sources of the environment; tunnels and password prompts are dealt with before the screen."""
    prepare = prepare_environment(arguments)
    if not _may_prompt(arguments):
        return prepare
    from halfawake.collector import SetupProblem

    try:
        ready = prepare()
    except SetupProblem as problem:
        raise UsageProblem(str(problem)) from None
    return lambda: ready


def _may_prompt(arguments: argparse.Namespace) -> bool:
    """Whether the configuration names a command; a look at the text decides, nothing is parsed."""
    path = arguments.config or Path.cwd() / "halfawake.toml"
    try:
        text = path.read_text(encoding="utf-8")
    except OSError:
        return False
    return any(word in text for word in ("via", "password_command", "argv"))


def _arm(text: str | None, default: int) -> int:
    if text is None:
        return default
    import re

    match = re.fullmatch(r"(\d+(?:\.\d+)?)(ms|s|m|h|d)", text)
    if match is None:
        raise UsageProblem(f"{text!r} is not a duration; write 90s, 30m or 2h.")
    unit = {"ms": 10**6, "s": 10**9, "m": 60 * 10**9, "h": 3_600 * 10**9, "d": 86_400 * 10**9}
    return int(float(match.group(1)) * unit[match.group(2)])


def zone_named(name: str | None) -> tzinfo | None:
    if name is None:
        return None
    from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

    if name.upper() in ("UTC", "Z"):
        return UTC
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError):
        raise UsageProblem(f"{name!r} is not a time zone; write UTC or Europe/Berlin.") from None


def ask(
    pin: Ambiguous | Undecided,
    arguments: argparse.Namespace,
    say: str = "--zone UTC, or an offset on T",
) -> Pin:
    """Print every reading and let one key pick. Without a terminal: refuse, never guess.

    `say` is what the refusal asks for instead.
    """
    lines = []
    for number, reading in enumerate(pin.readings, 1):
        held = _held(reading, arguments)
        lines.append(f"  {number}  {reading.text}{held}\n")
    if not (sys.stdin.isatty() and sys.stderr.isatty()):
        listed = "".join(lines)
        raise UsageProblem(f"{pin.sentence()}\n{listed}Say which: {say}")
    sys.stderr.write(f"{pin.sentence()}\n{''.join(lines)}Which one? ")
    sys.stderr.flush()
    answer = sys.stdin.readline().strip()
    if answer not in {str(number) for number in range(1, len(pin.readings) + 1)}:
        raise UsageProblem("No reading was picked.")
    return pin.readings[int(answer) - 1]


def _held(reading: Pin, arguments: argparse.Namespace) -> str:
    if not arguments.files:
        return ""
    window = Window.around(reading.ns, now=time.time_ns())
    rows = sum(len(preview.events) for preview in preview_files(arguments)(window))
    return f"  ({'at least ' if rows >= 200 else ''}{rows} lines near it)"
