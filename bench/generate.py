"""Deterministic logs of any size: the same arguments give the same bytes on every machine.

A shop's web service, one line every `STEP_MS`, in JSON or as text, sorted. One line in a hundred
is an error. The line at the pinned instant carries `MARK`, so that a measuring program can see
when it reaches the screen.
"""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Literal

START = datetime(2026, 3, 11, tzinfo=UTC)
MARK = "pinned-instant-reached"
STEP_MS = 50
"""42,000 lines in the default window of 35 minutes, whatever the size of the file."""
PIN_SHARE = 0.6
"""Where in the file T lies."""
BLOCK_LINES = 20_000

Style = Literal["json", "text"]


@dataclass(frozen=True, slots=True)
class Log:
    """A generated file and the instant to ask for."""

    path: Path
    lines: int
    size: int
    pin: datetime

    @property
    def pin_text(self) -> str:
        return self.pin.strftime("%Y-%m-%dT%H:%M:%S.") + f"{self.pin.microsecond // 1000:03d}Z"


def log_of_lines(path: Path, lines: int, style: Style = "json", step_ms: int = STEP_MS) -> Log:
    """Write `lines` lines, or reuse a file that a run before has finished."""
    pin_line = int(lines * PIN_SHARE)
    if not path.exists():
        unfinished = path.with_suffix(".unfinished")
        with unfinished.open("w", encoding="utf-8") as out:
            for block in _blocks(lines, pin_line, style, step_ms):
                out.write(block)
        unfinished.replace(path)
    pin = START + timedelta(milliseconds=pin_line * step_ms)
    return Log(path, lines, path.stat().st_size, pin)


def log_of_size(path: Path, size: int, style: Style = "json") -> Log:
    """Write about `size` bytes."""
    sample = "".join(_blocks(2_000, 1_000, style, STEP_MS))
    return log_of_lines(path, size * 2_000 // len(sample.encode()), style)


def _blocks(lines: int, pin_line: int, style: Style, step_ms: int) -> Iterator[str]:
    chance = random.Random(20260314)
    write = _json_line if style == "json" else _text_line
    for first in range(0, lines, BLOCK_LINES):
        numbers = range(first, min(first + BLOCK_LINES, lines))
        yield "".join(write(n, chance, pin_line, step_ms) for n in numbers)


def _stamp(number: int, step_ms: int) -> str:
    seconds, milliseconds = divmod(number * step_ms, 1000)
    days, seconds = divmod(seconds, 86_400)
    hours, seconds = divmod(seconds, 3600)
    date = START + timedelta(days=days)
    return (
        f"{date.year}-{date.month:02}-{date.day:02}T"
        f"{hours:02}:{seconds // 60:02}:{seconds % 60:02}.{milliseconds:03}Z"
    )


def _message(number: int, chance: random.Random, pin_line: int) -> tuple[str, str]:
    if number == pin_line:
        return "WARN", MARK
    if chance.random() < 0.01:
        return "ERROR", "redis.exceptions.TimeoutError: Timeout reading from redis:6379"
    order, took = chance.randrange(100_000), chance.randrange(900)
    return "INFO", f"GET /orders/{order}/items 200 in {took} ms"


def _json_line(number: int, chance: random.Random, pin_line: int, step_ms: int) -> str:
    level, message = _message(number, chance, pin_line)
    request, user = chance.getrandbits(64), chance.randrange(5_000)
    return (
        f'{{"timestamp":"{_stamp(number, step_ms)}","level":"{level}","service":"web",'
        f'"host":"web-{number % 4}","request_id":"{request:016x}","user_id":{user},'
        f'"message":"{message}","bytes":{chance.randrange(90_000)}}}\n'
    )


def _text_line(number: int, chance: random.Random, pin_line: int, step_ms: int) -> str:
    level, message = _message(number, chance, pin_line)
    request, user = chance.getrandbits(64), chance.randrange(5_000)
    return (
        f"{_stamp(number, step_ms)} {level} web-{number % 4} {message} "
        f"request_id={request:016x} user_id={user}\n"
    )
