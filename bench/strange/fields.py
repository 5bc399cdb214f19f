"""Structured lines: forty pairs of logfmt, JSON of three kilobytes, levels as words or numbers."""

from __future__ import annotations

import json

from bench.strange.shape import Moment, Sample, Shape

PAIRS = 40
BAGGAGE_BYTES = 2_600


def _logfmt(at: Moment) -> str:
    pairs = " ".join(f"k{n:02d}_{'abcd'[n % 4]}={at.below(9_000_000)}" for n in range(PAIRS - 6))
    return (
        f"ts={at.iso} level={at.one_of('info', 'debug')} logger=core.flow"
        f" caller=flow/run.go:{at.below(900)}"
        f' msg="step {at.below(90)} of plan {at.id(32)} taken" request_id={at.uuid()} {pairs}'
    )


def _large(at: Moment) -> str:
    headers = {f"x-part-{n}": at.id(128) for n in range(BAGGAGE_BYTES // 50)}
    return json.dumps(
        {
            "@timestamp": at.iso,
            "log.level": at.one_of("INFO", "DEBUG"),
            "service": {"name": at.one_of("quote", "rates", "ledger")},
            "message": f"rates for {at.uuid()} were asked for by {at.address()}",
            "http": {"request": {"id": at.uuid(), "headers": headers}},
            "labels": {"tenant": f"t{at.below(4_000)}", "order_id": str(at.below(9_000_000))},
        }
    )


def _pino(at: Moment) -> str:
    told = {
        "level": [20, 30, 30, 30, 40][at.below(5)],
        "time": at.epoch_ms,
        "pid": at.below(9),
        "hostname": f"web-{at.below(9)}",
        "reqId": at.id(32),
        "res": {"statusCode": 200},
        "responseTime": at.below(900) / 10,
        "msg": "request completed" if at.below(5) else f"slow template {at.id(32)}",
    }
    return json.dumps(told, separators=(",", ":"))


def _lower(at: Moment) -> str:
    level = at.one_of("info", "info", "debug", "warn")
    return (
        f"{at.text('%Y-%m-%d %H:%M:%S')} [{level}] batch {at.id(32)}: {at.below(900)} rows packed"
    )


def _zap(at: Moment) -> str:
    told = {
        "level": at.one_of("info", "debug", "warn"),
        "ts": float(f"{at.epoch_ms // 1000}.{at.when.microsecond:06d}"),
        "caller": f"ring/shard.go:{at.below(900)}",
        "msg": f"shard {at.below(4_096)} handed {at.below(90)} items on",
        "shard_id": at.below(4_096),
    }
    return json.dumps(told)


SHAPES = (
    Shape("logfmt-40", _logfmt, Sample(frozenset([9, 5]))),
    Shape("json-3kb", _large, Sample(frozenset([9, 5]), frozenset(["quote", "rates", "ledger"]))),
    Shape("pino", _pino, Sample(frozenset([5, 9, 13]))),
    Shape("lower-levels", _lower, Sample(frozenset([9, 5, 13]))),
    Shape("zap", _zap, Sample(frozenset([9, 5, 13]))),
)
