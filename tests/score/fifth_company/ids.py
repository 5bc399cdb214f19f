"""Shapes of ids that no other company has, each from a `random.Random`, equal for a seed."""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping

from tests.score.second_company.ids import BASE62

_SMALL = "abcdefghijklmnopqrstuvwxyz0123456789"

Maker = Callable[[random.Random], str]


def uuid7(rng: random.Random) -> str:
    """Time first, as the databases of this decade like them."""
    low = f"{rng.getrandbits(62) | 1 << 63:016x}"
    return (
        f"0194d{rng.getrandbits(12):03x}-{rng.getrandbits(16):04x}-7{rng.getrandbits(12):03x}-"
        + (f"{low[:4]}-{low[4:]}")
    )


def ksuid(rng: random.Random) -> str:
    """Twenty-seven characters in base 62."""
    return "2sK" + _of(rng, BASE62, 24)


def typeid(rng: random.Random) -> str:
    """What it is, an underscore, a UUID in base 32."""
    return f"obj_01jk{_of(rng, '0123456789abcdefghjkmnpqrstvwxyz', 22)}"


def cuid(rng: random.Random) -> str:
    return "c" + _of(rng, _SMALL, 23)


def padded(rng: random.Random) -> str:
    """What a clerk types: a letter, eight digits, a check digit."""
    return f"V{rng.randint(1, 99_999_999):08d}-{rng.randint(0, 9)}"


def serial(rng: random.Random) -> str:
    """Of an identity column that has been counting for years."""
    return str(rng.randint(3_100_000, 98_000_000))


def xray(rng: random.Random) -> str:
    """What AWS' balancers hand on."""
    return f"1-6981{rng.getrandbits(16):04x}-{rng.getrandbits(96):024x}"


def nano(rng: random.Random) -> str:
    """Twenty-one characters that begin and end with a letter or digit."""
    return rng.choice(_SMALL) + _of(rng, BASE62 + "_-", 19) + rng.choice(_SMALL)


def span(rng: random.Random) -> str:
    return f"{rng.getrandbits(64):016x}"


RECORDS: Mapping[str, Maker] = {
    "uuid7": uuid7,
    "ksuid": ksuid,
    "typeid": typeid,
    "cuid": cuid,
    "padded": padded,
    "serial": serial,
}
REQUESTS: Mapping[str, Maker] = {
    "quarkus": xray,
    "pekko": lambda rng: f"{rng.getrandbits(128):032x}",
    "rails": uuid7,
    "loguru": span,
    "log4js": nano,
}
"""By the language of the front."""


def _of(rng: random.Random, alphabet: str, length: int) -> str:
    return "".join(rng.choice(alphabet) for _ in range(length))
