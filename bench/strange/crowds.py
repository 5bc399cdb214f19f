"""Too many of one thing: lines in a second, speakers, ids, or lines that share one id."""

from __future__ import annotations

import json

from bench.strange.shape import Moment, Sample, Shape

HOSTS = 200_000
SECONDS = 30
KEYS_A_LINE = 16


def _same_second(at: Moment) -> str:
    return (
        f"{at.text('%Y-%m-%d %H:%M:%S')} INFO meter {at.below(40_000)} reported"
        f" {at.below(900)} kWh under contract {at.below(9_000_000)}"
    )


def _speakers(at: Moment) -> str:
    host = f"ip-10-{at.below(50)}-{at.below(80)}-{at.below(50)}.internal"
    told = {"time": at.iso, "level": "INFO", "service": host, "msg": f"heard from {at.below(90)}"}
    return json.dumps(told)


def _keys(at: Moment) -> str:
    ids = {f"{kind}_id": at.below(90_000_000) for kind in _KINDS}
    return json.dumps({"time": at.iso, "level": "INFO", "service": "merge", "msg": "joined", **ids})


_KINDS = (
    "order", "basket", "parcel", "invoice", "payment", "voucher", "article", "tenant",
    "session", "visit", "device", "campaign", "driver", "route", "refund", "message",
)  # fmt: skip


def _shared(at: Moment) -> str:
    return json.dumps(
        {
            "time": at.iso,
            "level": "INFO",
            "service": at.one_of("intake", "rating", "payout"),
            "tenant_id": "acme-eu",
            "release_id": "2026.11",
            "order_id": at.below(900_000),
            "msg": f"claim {at.below(900_000)} moved on",
        }
    )


INFORMATION = frozenset([9])
SHAPES = (
    Shape("same-second", _same_second, Sample(INFORMATION), step_s=SECONDS),
    Shape("many-speakers", _speakers, Sample(INFORMATION)),
    Shape("many-keys", _keys, Sample(INFORMATION, frozenset(["merge"]))),
    Shape("shared-key", _shared, Sample(INFORMATION, frozenset(["intake", "rating", "payout"]))),
)
