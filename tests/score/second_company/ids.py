"""Shapes of ids that the generator does not draw, each from a `random.Random`, equal for a seed."""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping

CROCKFORD = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
BASE62 = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
ULID_TIME = "01JK7"
"""First characters of every ULID of early 2025 to early 2026: they hold the time."""

Maker = Callable[[random.Random], str]


def ulid(rng: random.Random) -> str:
    return ULID_TIME + _of(rng, CROCKFORD, 21)


def snowflake(rng: random.Random) -> str:
    """Nineteen digits below 2**63: time, machine, sequence."""
    return str(1_880_000_000_000_000_000 + rng.getrandbits(54))


def prefixed(rng: random.Random) -> str:
    """Like the ids of card processors: what it is, an underscore, base 62."""
    return f"rec_{_of(rng, BASE62, 16)}"


def object_id(rng: random.Random) -> str:
    """Twelve bytes, hexadecimal: seconds, machine, counter."""
    return f"698f{rng.getrandbits(80):020x}"


def short(rng: random.Random) -> str:
    """What people read out on the telephone."""
    return f"{rng.choice('ABCDEFGH')}{rng.randint(10, 99)}-{rng.randint(100_000, 999_999)}"


def wide_integer(rng: random.Random) -> str:
    return str(rng.randint(7_000_000, 899_999_999))


def trace(rng: random.Random) -> str:
    """A W3C trace id."""
    return f"{rng.getrandbits(128):032x}"


def mvc_request(rng: random.Random) -> str:
    """Connection and request number, as Kestrel writes them."""
    return f"0HN{_of(rng, CROCKFORD, 10)}:{rng.getrandbits(16):08X}"


RECORDS: Mapping[str, Maker] = {
    "ulid": ulid,
    "snowflake": snowflake,
    "prefixed": prefixed,
    "object_id": object_id,
    "short": short,
    "wide_integer": wide_integer,
}


def _of(rng: random.Random, alphabet: str, count: int) -> str:
    return "".join(rng.choice(alphabet) for _ in range(count))
