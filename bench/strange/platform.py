"""What platforms put around lines: Kubernetes' files, Lambda's reports, the journal's export."""

from __future__ import annotations

import json

from bench.strange.shape import SPAN_S, Moment, Sample, Shape

PODS = 300
TURNS = 6
"""How often within the log every pod is replaced by one with another name."""
TEAMS = ("cart", "stock", "search", "mail", "login", "price")


def pod(at: Moment) -> str:
    """One of the pods that live at that time; a rollout gives all of them new names."""
    number = at.below(PODS)
    turn = int((at.when.minute * 60 + at.when.second) * TURNS / SPAN_S)
    seed = (number // 50 * 7_919 + turn * 104_729) & 0xFFFFFFFF
    tail = "".join(
        "bcdfghjklmnpqrstvwxz2456789"[(number * 31 + turn * 17 + n * 7) % 27] for n in range(5)
    )
    return f"{TEAMS[number % len(TEAMS)]}-{seed:010x}-{tail}"


def _kubernetes(at: Moment) -> str:
    name = pod(at)
    told = {
        "ts": at.iso,
        "level": at.one_of("info", "info", "info", "debug"),
        "service": name.split("-")[0],
        "pod": name,
        "namespace": "shop",
        "trace_id": at.id(128),
        "msg": f"served {at.one_of('item', 'basket', 'account')} {at.uuid()} in {at.below(90)} ms",
    }
    return f"{at.iso[:-1]}000000Z stdout F {json.dumps(told)}"


def _lambda(at: Moment) -> str:
    request = at.uuid()
    took = at.below(90_000) / 100
    told = (
        f"START RequestId: {request} Version: 41",
        f"END RequestId: {request}",
        f"REPORT RequestId: {request}\tDuration: {took:.2f} ms\tBilled Duration: {int(took) + 1} ms"
        f"\tMemory Size: 512 MB\tMax Memory Used: {90 + at.below(40)} MB",
    )
    return f"{at.iso} {told[at.number % 3]}"


def _journal(at: Moment) -> str:
    micro = at.epoch_ms * 1_000 + at.number % 1_000
    fields = (
        f"__CURSOR=s=7f;i={at.number:x};b=1c;m={micro:x};t={micro:x};x={at.id()}",
        f"__REALTIME_TIMESTAMP={micro}",
        f"__MONOTONIC_TIMESTAMP={micro - 1_773_000_000_000_000}",
        "_BOOT_ID=1cd2a6a1d2c84e0e8b1c9c3d7a5b4e21",
        "PRIORITY=6",
        f"_HOSTNAME=node-{at.below(12)}",
        f"SYSLOG_IDENTIFIER={at.one_of('sshd', 'cron', 'kernel', 'dockerd')}",
        f"_PID={at.below(30_000)}",
        f"MESSAGE=session {at.below(9_000_000)} of account u{at.below(90_000)} closed as usual",
    )
    return "\n".join([*fields, ""])


def _syslog(at: Moment) -> str:
    severity = at.one_of("6", "6", "6", "5", "7")
    return (
        f"<{16 * 8 + int(severity)}>1 {at.iso} edge-{at.below(30)} relay {at.below(30_000)}"
        f" ID{at.below(99)} - forwarded {at.below(9_000_000)} bytes for {at.address()}"
    )


SHAPES = (
    Shape(
        "kubernetes",
        _kubernetes,
        Sample(frozenset([9, 5]), frozenset(TEAMS)),
    ),
    Shape("lambda", _lambda),
    Shape(
        "journal-export",
        _journal,
        Sample(frozenset([9]), frozenset(["sshd", "cron", "kernel", "dockerd"])),
    ),
    Shape("syslog-5424", _syslog, Sample(frozenset([9, 10, 5]), frozenset(["relay"]))),
)
