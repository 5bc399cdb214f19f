"""full: a disk, a store or handles used up, by the word of whoever ran out."""

from __future__ import annotations

import json
from collections.abc import Callable

import pytest

from timeline.clock import ClockBound
from timeline.detectors.full import Full, FullDetector
from timeline.event import Event, Kind, Lane, Precision
from timeline.finding import NotEvaluated
from timeline.order import Verdict

from .findings import findings_of
from .worlds import SECOND, World, at, healthy

BEGUN = 1500.0


def found(world: World) -> list[Full]:
    return findings_of(FullDetector(), world.incident(), Full)


def only(world: World) -> Full:
    (finding,) = found(world)
    return finding


def told(body: str, *, twice: bool = True) -> World:
    world = healthy(World())
    world.error(BEGUN, "orders", f"{body} request_id=f1")
    if twice:
        world.error(BEGUN + 30, "invoices", f"{body} request_id=f2")
    return world


@pytest.mark.parametrize(
    ("body", "resource"),
    [
        ("OSError: [Errno 28] No space left on device: '/var/spool/mail/7'", "disk"),
        ("Error: ENOSPC: no space left on device, write", "disk"),
        ("scrittura del file fallita: Spazio esaurito sul dispositivo", "disk"),
        ("Skriving mislyktes: Ikke mer plass på enheten", "disk"),
        ('ERROR:  could not extend file "base/16384/2619": disk full', "disk"),
        ("sqlite3.OperationalError: database or disk is full", "disk"),
        ("ERROR 1114 (HY000): The table 'jobs' is full", "disk"),
        ("redis.exceptions.OutOfMemoryError: command not allowed when used memory > 'maxmemory'.",
         "redis memory"),
        ("ReplyError: OOM command not allowed when used memory > 'maxmemory'.", "redis memory"),
        ("MISCONF Redis is configured to save RDB snapshots, but it is currently unable to",
         "redis persistence"),
        ("index [orders] blocked by: [FORBIDDEN/12/index read-only / allow delete (api)]; disk "
         "usage exceeded flood-stage watermark", "index disk"),
        ("Node n1 status is now: NodeHasDiskPressure", "disk"),
        ("The node was low on resource: memory. Threshold quantity: 100Mi", "node memory"),
        ("accept4: too many open files: Too many open files", "file handles"),
        ("java.lang.OutOfMemoryError: unable to create native thread", "threads"),
        ("java.lang.OutOfMemoryError: Java heap space", "process memory"),
        ("n'a pas pu étendre le fichier « base/16384/2619 » : Aucun espace disponible sur le "
         "périphérique", "disk"),
        ("write /srv/upload/7.part: no space left on device", "disk"),
        ("** (File.Error) could not write to file: {:error, :enospc}", "disk"),
        ("file_put_contents(): Only -1 of 812 bytes written, possibly out of free disk space",
         "disk"),
        ("The transaction log for database 'shop' is full due to 'LOG_BACKUP'", "disk"),
        ("etcdserver: mvcc: database space exceeded", "disk"),
        ("open /etc/hosts: too many open files", "file handles"),
        ("cp: konnte nicht schreiben: Auf dem Gerät ist kein Speicherplatz mehr verfügbar", "disk"),
        ("не удалось увеличить файл: На устройстве не осталось свободного места", "disk"),
        ("accept: 打开的文件过多", "file handles"),
        ("fork: Nie można przydzielić pamięci", "process memory"),
        ("FATAL ERROR: Reached heap limit Allocation failed - JavaScript heap out of memory",
         "process memory"),
    ],
)  # fmt: skip
def test_any_programs_words_name_the_resource(body: str, resource: str) -> None:
    finding = only(told(body))
    assert finding.verdict is Verdict.CERTAIN
    assert finding.resource == resource
    assert [place.who for place in finding.places] == ["orders", "invoices"]
    assert {"request:f1", "request:f2"} <= set(finding.keys)
    assert finding.next_action


def test_the_sentence_is_told_from_the_evidence() -> None:
    world = told("write to /var/lib/redis/dump.rdb failed: No space left on device")
    finding = only(world)
    assert finding.sentence() == (
        "A disk was full: orders and invoices said so 2 times from 02:25:00.000 to 02:25:30.000, "
        "orders first (at /var/lib/redis/dump.rdb); what was being written was not written."
    )
    assert [step.role for step in finding.steps] == ["ran out", "last report"]


def test_one_line_alone_is_likely() -> None:
    assert only(told("ENOSPC: no space left", twice=False)).verdict is Verdict.LIKELY


def test_a_failed_job_may_say_it() -> None:
    world = healthy(World())
    for number in range(3):
        event = world.job(BEGUN + number, Kind.JOB_FAILED, f"z{number}", error="disk full")
        world.events[-1] = event.__class__(
            **{name: getattr(event, name) for name in event.__slots__}
            | {"body": "export(1) failed on low: OSError: No space left on device"}
        )
    finding = only(world)
    assert finding.reports == 3
    assert {"job:z0", "job:z2"} <= set(finding.keys)


def test_two_resources_are_two_findings_the_first_first() -> None:
    world = told("MISCONF Redis is configured to save RDB snapshots")
    world.error(BEGUN - 20, "redis", "Write error saving DB on disk: No space left on device")
    assert [one.resource for one in found(world)] == ["disk", "redis persistence"]


def alarm(world: World, seconds: float, words: str, details: dict[str, object]) -> None:
    """A broker's sample as the RabbitMQ connector words it."""
    world.events.append(
        Event(
            at(seconds),
            "rabbit",
            Lane.QUEUE,
            Kind.METRIC,
            words,
            f"nodes/rabbit@a#{seconds}",
            seq=round(seconds),
            severity_number=13,
            actor="rabbit@a",
            precision=Precision.SECOND,
            attributes=json.dumps(details),
        )
    )


def test_a_brokers_own_alarm_is_its_word() -> None:
    world = World()
    for seconds in (BEGUN, BEGUN + 5):
        words = "rabbit@a: memory beyond the limit that holds up publishers: 900 MiB in use"
        alarm(world, seconds, words, {"node": "rabbit@a", "alarm": "memory", "interval_s": 5})
    finding = only(world)
    assert finding.resource == "broker memory"
    assert finding.clause() == "the broker had no memory left"


def talk(world: World) -> None:
    world.log(BEGUN, "docs", "how to handle No space left on device")
    world.log(BEGUN, "ci", "retry on ENOSPC is enabled", severity=13)
    world.log(BEGUN + 1, "cleaner", "disk full errors: 0", severity=13)


def a_disk_that_is_filling(world: World) -> None:
    world.log(BEGUN, "node", "disk usage 84 % of /var", severity=13)


def a_node_that_is_well_again(world: World) -> None:
    world.log(BEGUN, "kubelet", "Node n1 status is now: NodeHasNoDiskPressure", severity=13)
    world.log(BEGUN, "kubelet", "Node n1 status is now: NodeHasSufficientMemory", severity=13)


def connections(world: World) -> None:
    for number in range(5):
        world.error(BEGUN + number, "web", "FATAL:  sorry, too many clients already")


def a_deeper_queue(world: World) -> None:
    alarm(world, BEGUN, "mail: 9000 ready, 3 unacked", {"queue": "mail", "depth": 9000})


@pytest.mark.parametrize(
    "confuser",
    [
        talk,
        a_disk_that_is_filling,
        a_node_that_is_well_again,
        connections,
        a_deeper_queue,
    ],
)
def test_confusers_stay_silent(confuser: Callable[[World], None]) -> None:
    world = healthy(World())
    confuser(world)
    assert found(world) == []


def test_order_of_arrival_and_unrelated_lines_change_nothing() -> None:
    plain, mixed = only(told("No space left on device")), told("No space left on device")
    mixed.events.reverse()
    mixed.log(BEGUN, "search", "refresh done")
    assert only(mixed).sentence() == plain.sentence()


def test_shifting_all_stamps_moves_times_only() -> None:
    here = only(told("ENOSPC"))
    world = told("ENOSPC")
    world.shift = 3600 * SECOND
    there = only(world)
    assert there.began - here.began == 3600 * SECOND
    assert there.reports == here.reports


def test_wider_clock_bounds_never_upgrade() -> None:
    world = told("ENOSPC", twice=False)
    world.bound = ClockBound(5 * SECOND, 5 * SECOND)
    assert only(world).verdict is Verdict.LIKELY


def test_needs_logs() -> None:
    world = World()
    world.row(3, "users", 1)
    assert isinstance(FullDetector().detect(world.incident()), NotEvaluated)
