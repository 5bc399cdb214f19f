"""What a strange log is: how its lines are written, over which half hour, and what must be read.

The same name and number of lines give the same bytes on every machine.
"""

from __future__ import annotations

import gzip
import random
import zlib
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from itertools import islice
from pathlib import Path
from typing import NamedTuple, TextIO

START = datetime(2026, 3, 14, 2, tzinfo=UTC)
SPAN_S = 2_100
PIN = START + timedelta(seconds=1_800)
"""T: the default window, 30 minutes before it and 5 after, is the whole log."""
BLOCK_LINES = 10_000
MARK_LINES = 40


class Moment(NamedTuple):
    """One line to be written: its number, its time and the chances of the whole log."""

    number: int
    when: datetime
    chance: random.Random

    def text(self, spelling: str) -> str:
        """The time by a `strftime` spelling; `%f` has six digits."""
        return self.when.strftime(spelling)

    @property
    def iso(self) -> str:
        """RFC 3339 with milliseconds, in UTC."""
        return f"{self.when:%Y-%m-%dT%H:%M:%S}.{self.when.microsecond // 1000:03d}Z"

    @property
    def epoch_ms(self) -> int:
        return int(self.when.timestamp()) * 1_000 + self.when.microsecond // 1_000

    def id(self, bits: int = 64) -> str:
        """A hexadecimal id; one of 64 bits and more stands in no other line."""
        return f"{self.chance.getrandbits(bits):0{bits // 4}x}"

    def uuid(self) -> str:
        raw = self.id(128)
        return f"{raw[:8]}-{raw[8:12]}-4{raw[13:16]}-a{raw[17:20]}-{raw[20:]}"

    def address(self) -> str:
        return ".".join(["10", *(str(self.chance.randrange(1, 255)) for _ in range(3))])

    def one_of(self, *texts: str) -> str:
        return texts[int(self.chance.random() * len(texts))]

    def below(self, bound: int) -> int:
        """A whole number from 0; four times as fast as `randrange`."""
        return int(self.chance.random() * bound)


class Sample(NamedTuple):
    """What any record of a shape must be read as."""

    severities: frozenset[int] = frozenset([0])
    """OpenTelemetry severity numbers that may stand in the log."""
    services: frozenset[str] = frozenset()
    """All speakers, or nothing where they are too many to name."""
    dated: bool = True


class Shape(NamedTuple):
    """One kind of log. `line` may hold line breaks, and is written in `encoding`."""

    name: str
    line: Callable[[Moment], str]
    sample: Sample = Sample()
    head: str = ""
    """What stands above the first line."""
    encoding: str = "utf-8"
    ending: str = "\n"
    healthy: bool = True
    step_s: int = 0
    """Stamps fall on multiples of it; 0 spreads the lines evenly."""


def lines_of(shape: Shape, count: int) -> Iterator[str]:
    """The lines of a log of `count` records, without their line ends."""
    chance = random.Random(f"{shape.name} 20260314")
    step_us = SPAN_S * 1_000_000 / count
    for number in range(count):
        at = START + timedelta(microseconds=int(number * step_us))
        if shape.step_s:
            at -= timedelta(seconds=at.second % shape.step_s, microseconds=at.microsecond)
        yield shape.line(Moment(number, at, chance))


def write(shape: Shape, folder: Path, count: int, *, packed: bool = False) -> Path:
    """The log on disk, by gzip where `packed`, or what a run before has finished.

    Each spelling of a shape has a folder of its own: a log of before it was changed is not taken.
    """
    path = folder / _mark(shape, count) / f"{shape.name}-{count}.log{'.gz' if packed else ''}"
    if path.exists():
        return path
    path.parent.mkdir(exist_ok=True)
    unfinished = path.with_suffix(".unfinished")
    with _opened(unfinished, shape.encoding, packed=packed) as out:
        if shape.head:
            out.write(shape.head + shape.ending)
        block: list[str] = []
        for line in lines_of(shape, count):
            block.append(line.replace("\n", shape.ending))
            if len(block) == BLOCK_LINES:
                out.write(shape.ending.join([*block, ""]))
                block = []
        out.write(shape.ending.join([*block, ""]) if block else "")
    unfinished.replace(path)
    return path


def _mark(shape: Shape, count: int) -> str:
    """What the first lines and the way they are written come down to."""
    lines = islice(lines_of(shape, count), MARK_LINES)
    told = "\n".join([shape.head, shape.encoding, repr(shape.ending), *lines])
    return f"{zlib.crc32(told.encode()):08x}"


def _opened(path: Path, encoding: str, *, packed: bool) -> TextIO:
    if packed:
        return gzip.open(path, "wt", 1, encoding=encoding, newline="")
    return path.open("w", encoding=encoding, newline="")
