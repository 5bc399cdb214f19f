"""Shapes of ids as this company's libraries make them, equal for an equal `random.Random`."""

from __future__ import annotations

import random
import uuid
from collections.abc import Callable, Mapping

_CROCKFORD = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
_LETTERS_DIGITS = "0123456789abcdefghijklmnopqrstuvwxyz"

Maker = Callable[[random.Random], str]


def ulid(rng: random.Random) -> str:
    """Ten characters of time, sixteen of chance: neighbours in time share their beginning."""
    return "01KGN" + "".join(rng.choices(_CROCKFORD, k=21))


def cuid2(rng: random.Random) -> str:
    """A letter first, then 23 characters without order."""
    return rng.choice(_LETTERS_DIGITS[10:]) + "".join(rng.choices(_LETTERS_DIGITS, k=23))


def checked(rng: random.Random) -> str:
    """Nine digits and a check digit, as they stand on the customer's bill."""
    digits = f"{rng.randrange(100_000_000, 999_999_999)}"
    total = sum(int(digit) * (1 + place % 2) for place, digit in enumerate(digits))
    return f"V{digits}-{total % 10}"


def snowflake(rng: random.Random) -> str:
    """64 bits: a millisecond, a machine, a counter."""
    return str((0x1B7A2C5 << 36) | rng.getrandbits(36))


def uuid4(rng: random.Random) -> str:
    return str(uuid.UUID(int=rng.getrandbits(128), version=4))


def trace(rng: random.Random) -> str:
    """A W3C trace id."""
    return f"{rng.getrandbits(128) | 1 << 127:032x}"


RECORDS: Mapping[str, Maker] = {
    "ulid": ulid,
    "cuid2": cuid2,
    "checked": checked,
    "snowflake": snowflake,
}
REQUESTS: Mapping[str, Maker] = {"nest": uuid4, "slog": trace, "loguru": uuid4, "quarkus": trace}
"""By the language of whoever receives the request first."""
