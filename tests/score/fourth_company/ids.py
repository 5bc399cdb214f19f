"""How the fourth company numbers its records and its requests. Everything follows from `rng`."""

from __future__ import annotations

import random
import uuid
from collections.abc import Callable, Mapping

ALPHANUMERIC = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
BASE58 = "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz"
LOWER = "0123456789abcdefghijklmnopqrstuvwxyz"
_SNOWFLAKES = 1_790_000_000_000_000_000
"""About where the ids of a generator that began in 2015 stand."""


def ksuid(rng: random.Random) -> str:
    """27 characters that begin alike for years."""
    return "34" + "".join(rng.choices(ALPHANUMERIC, k=25))


def snowflake(rng: random.Random) -> str:
    """Time, machine and counter in one number of 19 digits."""
    return str(_SNOWFLAKES + rng.getrandbits(48))


def prefixed(rng: random.Random) -> str:
    """What payment providers made popular."""
    return "bt_" + "".join(rng.choices(BASE58, k=16))


def cuid(rng: random.Random) -> str:
    return "c" + "".join(rng.choices(LOWER, k=24))


def yearly(rng: random.Random) -> str:
    """A number that people say on the telephone."""
    return f"2026-{rng.randrange(100_000, 999_999)}"


def short(rng: random.Random) -> str:
    """A nanoid without its two signs."""
    return "".join(rng.choices(ALPHANUMERIC, k=21))


def xid(rng: random.Random) -> str:
    return "d" + "".join(rng.choices(LOWER[:32], k=19))


def hex_uuid(rng: random.Random) -> str:
    """A UUID without dashes, as Django prints it."""
    return uuid.UUID(int=rng.getrandbits(128), version=4).hex


RECORDS: Mapping[str, Callable[[random.Random], str]] = {
    "ksuid": ksuid,
    "snowflake": snowflake,
    "prefixed": prefixed,
    "cuid": cuid,
    "yearly": yearly,
}
REQUESTS: Mapping[str, Callable[[random.Random], str]] = {
    "short": short,
    "xid": xid,
    "hex": hex_uuid,
}
