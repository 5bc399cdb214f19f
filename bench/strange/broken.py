"""Files that went through something: binary junk, one endless line, CRLF, UTF-16, no stamps."""

from __future__ import annotations

from bench.strange.shape import Moment, Sample, Shape

ENDLESS_BYTES = 20_000_000
ENDLESS_AT = 2_000
"""The number of the endless line."""


def _plain(at: Moment) -> str:
    level = at.one_of("INFO", "INFO", "DEBUG")
    return f"{at.iso} {level} gate: visitor {at.id(32)} passed turnstile {at.below(90)}"


def _junk(at: Moment) -> str:
    if at.number % 5_000 != 4_999:
        return _plain(at)
    torn = "".join(chr(at.below(256)) for _ in range(4_000))
    return "\0" * 2_000 + torn.replace("\n", "").replace("\r", "")


def _endless(at: Moment) -> str:
    if at.number != ENDLESS_AT:
        return _plain(at)
    return f"{at.iso} DEBUG dump: " + "0123456789abcdef, " * (ENDLESS_BYTES // 18)


def _stampless(at: Moment) -> str:
    return f"visitor {at.id(32)} passed turnstile {at.below(90)} with ticket {at.below(9_000_000)}"


LEVELS = Sample(frozenset([9, 5]))
SHAPES = (
    Shape("junk", _junk, LEVELS, encoding="latin-1"),
    Shape("endless-line", _endless, LEVELS),
    Shape("crlf", _plain, LEVELS, ending="\r\n"),
    Shape("utf-16", _plain, LEVELS, encoding="utf-16"),
    Shape("stampless", _stampless, Sample(dated=False)),
)
