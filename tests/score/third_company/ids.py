"""Shapes of ids as this company's libraries make them, equal for an equal `random.Random`."""

from __future__ import annotations

import random
import uuid
from collections.abc import Callable, Mapping

_DIGITS_AND_LETTERS = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
_BASE32_HEX = "0123456789abcdefghijklmnopqrstuv"
_UNAMBIGUOUS = "23456789bcdfghjkmnpqrstvwxz"

Maker = Callable[[random.Random], str]


def uuid7(rng: random.Random) -> str:
    """Time first, as RFC 9562 has it: neighbours in time share their beginning."""
    bits = (0x019C1 << 108) | (rng.getrandbits(108) & ~(0xF << 76))
    bits = (bits & ~(0b11 << 62)) | (7 << 76) | (0b10 << 62)
    return str(uuid.UUID(int=bits))


def ksuid(rng: random.Random) -> str:
    return "39" + _drawn(rng, _DIGITS_AND_LETTERS, 25)


def yearly(rng: random.Random) -> str:
    """What stands on the paper that the customer holds."""
    return f"{rng.choice('KRV')}-2026-{rng.randint(1_000, 899_999):06d}"


def readable(rng: random.Random) -> str:
    """Letters nobody mixes up, as short-id libraries are often configured."""
    return _drawn(rng, _UNAMBIGUOUS, 12)


def upper_guid(rng: random.Random) -> str:
    return str(uuid.UUID(int=rng.getrandbits(128), version=4)).upper()


def sparse_integer(rng: random.Random) -> str:
    """A sequence that several nodes share, so its numbers are far apart."""
    return str(rng.randrange(40_000_000_000, 90_000_000_000, 10))


def xid(rng: random.Random) -> str:
    """Twelve bytes in base 32, as Go's request middleware gives out."""
    return "d5" + _drawn(rng, _BASE32_HEX, 18)


def uuid4(rng: random.Random) -> str:
    return str(uuid.UUID(int=rng.getrandbits(128), version=4))


def hex16(rng: random.Random) -> str:
    return f"{rng.getrandbits(64):016x}"


RECORDS: Mapping[str, Maker] = {
    "uuid7": uuid7,
    "ksuid": ksuid,
    "yearly": yearly,
    "readable": readable,
    "sparse_integer": sparse_integer,
}
REQUESTS: Mapping[str, Maker] = {
    "log4j2": hex16,
    "structlog": uuid4,
    "lograge": uuid4,
    "zerolog": xid,
    "logger": hex16,
    "spdlog": hex16,
    "vapor": upper_guid,
}
"""By the language of whoever receives the request first."""


def _drawn(rng: random.Random, alphabet: str, count: int) -> str:
    return "".join(rng.choice(alphabet) for _ in range(count))
