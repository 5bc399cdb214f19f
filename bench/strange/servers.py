"""What data servers say of themselves: PostgreSQL (CSV), MySQL (slow log), search and Kafka."""

from __future__ import annotations

import json

from bench.strange.shape import Moment, Sample, Shape

LONG_STATEMENT = 60
"""Columns of a statement of some kilobytes."""


def _csvlog(at: Moment) -> str:
    stamp = f"{at.text('%Y-%m-%d %H:%M:%S')}.{at.when.microsecond // 1000:03d} UTC"
    columns = ", ".join(f"c{n}_{at.below(900)}" for n in range(LONG_STATEMENT))
    values = ", ".join(f"'{at.id()}'" for _ in range(LONG_STATEMENT))
    statement = f"INSERT INTO wide ({columns}) VALUES ({values})"
    told = f"duration: {at.below(900)}.{at.below(999):03d} ms  statement: {statement}"
    return (
        f'{stamp},"app","shop",{at.below(30_000)},"{at.address()}:{at.below(60_000)}",'
        f'{at.id(32)}.{at.id(16)},{at.number},"INSERT",{at.text("%Y-%m-%d %H:%M:%S")} UTC,'
        f'{at.below(99)}/{at.number},0,LOG,00000,"{told}",,,,,,,,,"api","client backend",,0'
    )


def _slow(at: Moment) -> str:
    took = 1 + at.below(900) / 1_000
    return "\n".join(
        [
            f"# Time: {at.text('%Y-%m-%dT%H:%M:%S.%f')}Z",
            f"# User@Host: app[app] @ [{at.address()}]  Id: {at.below(90_000)}",
            f"# Query_time: {took:.6f}  Lock_time: 0.0001 Rows_sent: {at.below(99)}"
            f"  Rows_examined: {at.below(900_000)}",
            f"SET timestamp={at.epoch_ms // 1000};",
            f"SELECT sum(total) FROM invoices WHERE tenant = {at.below(9_000)} AND"
            f" mark = '{at.id()}';",
        ]
    )


def _deprecation(at: Moment) -> str:
    told = {
        "@timestamp": at.iso,
        "log.level": "WARN" if at.below(20) == 0 else "INFO",
        "ecs.version": "1.2.0",
        "service.name": "ES_ECS",
        "event.dataset": "deprecation.elasticsearch",
        "process.thread.name": f"elasticsearch[es-{at.below(3)}][search][T#{at.below(9)}]",
        "elasticsearch.node.name": f"es-{at.below(3)}",
        "elasticsearch.cluster.name": "logs",
        "message": f"the setting [index.old.{at.below(40)}] of [logs-{at.below(900)}] will go",
    }
    return json.dumps(told)


def _kafka(at: Moment) -> str:
    stamp = f"{at.text('%Y-%m-%d %H:%M:%S')},{at.when.microsecond // 1000:03d}"
    topic = f"topic-{at.below(400)}-{at.below(60)}"
    told = at.one_of(
        f"[Log partition={topic}, dir=/data] Rolled new log segment at offset {at.number * 97}"
        f" in {at.below(9)} ms. (kafka.log.Log)",
        f"[GroupCoordinator {at.below(5)}]: Member m-{at.uuid()} in group g{at.below(900)} has"
        f" joined (kafka.coordinator.group.GroupCoordinator)",
        f"[ProducerStateManager partition={topic}] Wrote producer snapshot at offset"
        f" {at.number * 97} with {at.below(9)} producer ids (kafka.log.ProducerStateManager)",
    )
    return f"[{stamp}] INFO {told}"


SHAPES = (
    Shape("postgresql-csvlog", _csvlog, Sample(frozenset([9]))),
    Shape("mysql-slow", _slow),
    Shape("elasticsearch", _deprecation, Sample(frozenset([9, 13]), frozenset(["ES_ECS"]))),
    Shape("kafka", _kafka, Sample(frozenset([9]))),
)
