"""Shapes of ids of this company, each from a `random.Random`, equal for a seed."""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping

from tests.score.company import new_uuid
from tests.score.second_company.ids import BASE62, trace

Maker = Callable[[random.Random], str]


def ksuid(rng: random.Random) -> str:
    """Twenty-seven characters of base 62; the first hold the seconds."""
    return "36q" + _of(rng, BASE62, 24)


def typeid(rng: random.Random) -> str:
    """A prefix and a UUID of version 7 in lower-case base 32."""
    return "rec_01kg" + _of(rng, "0123456789abcdefghjkmnpqrstvwxyz", 22)


def uuid7(rng: random.Random) -> str:
    """A UUID that begins with the milliseconds."""
    millis, rest = f"019c2{rng.getrandbits(28):07x}", f"{rng.getrandbits(60):015x}"
    return f"{millis[:8]}-{millis[8:]}-7{rest[:3]}-{rng.choice('89ab')}{rest[3:6]}-{rest[3:]}"


def whole(rng: random.Random) -> str:
    """A sequence that has run for years."""
    return str(rng.randint(2_400_000, 9_800_000))


def numbered(rng: random.Random) -> str:
    """What is printed on paper: a letter, the year, a number."""
    return f"{rng.choice('KLVX')}26-{rng.randint(100_000, 999_999)}"


def nanoid(rng: random.Random) -> str:
    return _of(rng, BASE62, 21)


def short_hex(rng: random.Random) -> str:
    """Sixteen digits, as fpm's middlewares make them."""
    return f"{rng.getrandbits(64):016x}"


RECORDS: Mapping[str, Maker] = {
    "ksuid": ksuid,
    "typeid": typeid,
    "uuid7": uuid7,
    "whole": whole,
    "numbered": numbered,
}
REQUESTS: Mapping[str, Maker] = {
    "rails": new_uuid,
    "symfony": short_hex,
    "quarkus": trace,
    "fastapi": new_uuid,
    "express": nanoid,
}


def _of(rng: random.Random, alphabet: str, count: int) -> str:
    return "".join(rng.choice(alphabet) for _ in range(count))
