"""failover: markers, the ordered phases, stale hosts, and the look-alikes that must stay silent."""

from __future__ import annotations

import random

import pytest

from tests.timeline.worlds import World, at, healthy
from timeline.analysis import analyse
from timeline.clock import ClockBound
from timeline.detectors.failover import Failover, FailoverDetector
from timeline.detectors.network_hiccup import NetworkHiccupDetector
from timeline.finding import Finding, NotEvaluated
from timeline.incident import Incident
from timeline.order import Verdict

CLOSED = (
    "psycopg.OperationalError: consuming input failed: server closed the connection unexpectedly"
)
REFUSED = (
    'connection to server at "pg-rw", port 5432 failed: Connection refused. Is the server running '
    "on that host and accepting TCP/IP connections?"
)
STARTING = "FATAL: the database system is starting up (SQLSTATE 57P03)"
READ_ONLY = "PG::ReadOnlySqlTransaction: ERROR: cannot execute INSERT in a read-only transaction"
PROMOTED = "promoted self to leader by acquiring session lock"


def told(incident: Incident) -> list[Finding]:
    found = FailoverDetector().detect(incident)
    assert not isinstance(found, NotEvaluated)
    return list(found)


def only(world: World) -> Failover:
    (finding,) = told(world.incident())
    assert isinstance(finding, Failover)
    return finding


def phases(
    world: World, at: float = 1440.0, *, marker: bool = True, writes: bool = True, until: int = 8
) -> World:
    """Two services lose PostgreSQL, find nobody, then a node that takes no writes."""
    world = healthy(world)
    world.error(at, "web", CLOSED)
    world.error(at + 0.4, "stock", CLOSED)
    for step in range(3):
        world.error(at + 2 + step, "web", REFUSED)
        world.error(at + 2.5 + step, "stock", STARTING)
    if marker:
        world.log(at + 6, "patroni", f"2026-03-14 02:24:06 INFO: {PROMOTED}")
    if writes:
        for step in range(until):
            world.error(at + 8 + step, "web", READ_ONLY)
            world.error(at + 8.3 + step, "stock", READ_ONLY)
    return world


@pytest.mark.parametrize(
    ("closed", "starting", "read_only", "marker"),
    [
        (
            "la connexion au serveur a été coupée de façon inattendue",
            "FATAL: le système de bases de données se lance",
            "ERREUR: ne peut pas exécuter INSERT dans une transaction en lecture seule",
            "a reçu une demande de promotion",
        ),
        (
            "сервер неожиданно закрыл соединение",
            "ВАЖНО: система баз данных запускается",
            'ОШИБКА: в транзакции в режиме "только чтение" нельзя выполнить UPDATE',
            "получен запрос повышения статуса",
        ),
        (
            "サーバーとの接続が想定外にクローズされました",
            "データベースシステムは起動処理中です",
            "リードオンリーのトランザクションでは INSERT を実行できません",
            "アーカイブリカバリが完了しました",
        ),
    ],
)
def test_a_failover_is_told_in_any_language(
    closed: str, starting: str, read_only: str, marker: str
) -> None:
    world = healthy(World())
    for number, service in enumerate(("web", "stock", "mailer")):
        world.error(1440 + number, service, closed)
        world.error(1443 + number, service, starting)
        world.error(1450 + number, service, read_only)
    unmarked = only(world)
    assert unmarked.verdict is Verdict.LIKELY
    assert (unmarked.system, unmarked.closed, unmarked.read_only) == ("postgresql", 3, 3)
    assert unmarked.refused == 3
    world.log(1447, "postgres", f"LOG:  {marker}")
    assert only(world).verdict is Verdict.CERTAIN


def test_a_marker_makes_it_certain() -> None:
    finding = only(phases(World()))
    assert finding.verdict is Verdict.CERTAIN
    assert finding.system == "postgresql"
    assert PROMOTED in finding.marker and finding.moved_at == at(1446)
    assert (finding.closed, finding.refused, finding.read_only) == (2, 6, 16)
    assert finding.stale == ()
    assert "patroni" in finding.weakest_link
    roles = [step.role for step in finding.steps]
    assert roles.index("closed") < roles.index("takeover") < roles.index("read-only")


def test_the_ordered_phases_make_it_likely() -> None:
    finding = only(phases(World(), marker=False))
    assert finding.verdict is Verdict.LIKELY
    assert finding.moved_at is None and "postgresql" in finding.weakest_link


def test_read_only_alone_is_possible() -> None:
    world = healthy(World())
    for step in range(5):
        world.error(1500 + step, "web", READ_ONLY)
    finding = only(world)
    assert finding.verdict is Verdict.POSSIBLE
    assert "nothing else" in finding.weakest_link


def test_read_only_before_anything_broke_is_only_possible() -> None:
    world = healthy(World())
    for step in range(4):
        world.error(1500 + step, "web", READ_ONLY)
        world.error(1520 + step, "web", REFUSED)
    assert only(world).verdict is Verdict.POSSIBLE


def test_phases_whose_order_the_clocks_leave_open() -> None:
    wide = ClockBound(30_000_000_000, 30_000_000_000, "declared")
    world = World(bound=wide)
    world = healthy(world)
    for step in range(3):
        world.error(1440 + step, "web", CLOSED, clock="web-1")
        world.error(1446 + step, "stock", READ_ONLY, clock="stock-1")
    assert only(world).verdict is Verdict.POSSIBLE


@pytest.mark.parametrize(
    ("system", "broken", "refused", "marker"),
    [
        (
            "redis",
            "redis.exceptions.ConnectionError: Connection closed by server.",
            "READONLY You can't write against a read only replica.",
            "+switch-master mymaster 10.0.0.5 6379 10.0.0.6 6379",
        ),
        (
            "mysql",
            "pymysql.err.OperationalError: (2013, 'Lost connection to MySQL server during query')",
            "(1290, 'The MySQL server is running with the --super-read-only option so it cannot "
            "execute this statement')",
            "Plugin group_replication reported: 'A new primary with address db-2:3306'",
        ),
    ],
)
def test_other_systems(system: str, broken: str, refused: str, marker: str) -> None:
    world = healthy(World())
    for step in range(3):
        world.error(1440 + step, "web", broken)
        world.error(1450 + step, "mailer", refused)
    assert only(world).verdict is Verdict.LIKELY
    world.log(1445, "watcher", marker)
    finding = only(world)
    assert finding.verdict is Verdict.CERTAIN and finding.system == system
    assert finding.read_only == 3 and finding.closed == 3


def test_a_marker_of_another_system_proves_nothing() -> None:
    world = phases(World(), marker=False, writes=False)
    world.log(1445, "sentinel", "+switch-master mymaster 10.0.0.5 6379 10.0.0.6 6379")
    assert told(world.incident()) == []


def test_hosts_that_kept_to_the_old_leader() -> None:
    world = phases(World())
    for step in range(12):
        world.error(1460 + step * 20, "web", READ_ONLY, source="web-9.log", clock="web-9")
    finding = only(world)
    assert finding.stale == ("web on web-9",)
    assert finding.well_again is not None and at(1454) < finding.well_again < at(1500)
    assert "web on web-9" in finding.next_action
    assert "still met a read-only node" in finding.sentence()


def test_a_restart_without_a_new_leader_is_silent() -> None:
    assert told(phases(World(), marker=False, writes=False).incident()) == []


def test_routine_writes_to_a_replica_are_silent() -> None:
    world = healthy(World())
    for second in range(5, 2100, 10):
        world.error(float(second), "reports", READ_ONLY)
    assert told(world.incident()) == []


def test_a_peer_that_is_named_a_replica_is_silent() -> None:
    world = healthy(World())
    for step in range(6):
        body = f'connection to server at "pg-replica", port 5432: {READ_ONLY}'
        world.error(1500 + step, "reports", body)
    assert told(world.incident()) == []


def test_an_announced_switchover_only_colours() -> None:
    world = phases(World())
    world.change(1420, "patronictl switchover: shop-pg to node 2")
    finding = only(world)
    assert finding.qualifier
    assert "switchover" in finding.alternatives[0]


def test_writers_who_fail_on_and_on_are_a_fault_though_it_was_announced() -> None:
    world = phases(World(), until=40)
    world.change(1420, "patronictl switchover: shop-pg to node 2")
    finding = only(world)
    assert not finding.qualifier
    assert "switchover" in finding.alternatives[0]


@pytest.mark.parametrize(
    ("actor", "words", "system"),
    [
        ("maxscale", "[mariadbmon] Failover 'sql-1' -> 'sql-2' performed.", "mysql"),
        ("stolon-sentinel", "electing db as the new master db=3ab keeper=k2", "postgresql"),
    ],
)
def test_whoever_watches_over_the_servers_names_the_takeover(
    actor: str, words: str, system: str
) -> None:
    refused = {
        "mysql": "ERROR 1290 (HY000): The MariaDB server is running with the --read-only option",
        "postgresql": READ_ONLY,
    }
    world = healthy(World())
    for step in range(5):
        world.error(1450 + step, "web", refused[system])
    world.log(1453, actor, words)
    finding = only(world)
    assert (finding.system, finding.verdict) == (system, Verdict.CERTAIN)


def test_lines_about_read_only_files_are_no_failover() -> None:
    world = healthy(World())
    for step in range(6):
        world.error(1500 + step, "web", "open /var/lib/app/cache: read-only file system")
    assert told(world.incident()) == []


def test_it_is_one_story_with_the_burst() -> None:
    analysis = analyse(phases(World()).incident(), [FailoverDetector(), NetworkHiccupDetector()])
    assert {finding.term for finding in analysis.findings} == {"failover", "network-hiccup"}
    assert len(analysis.chains) == 1


def test_without_logs_it_is_not_evaluated() -> None:
    world = World()
    world.row(100, "users", 7)
    assert isinstance(FailoverDetector().detect(world.incident()), NotEvaluated)


def test_permutation_shift_and_unrelated_lines() -> None:
    first = only(phases(World()))
    world = phases(World())
    batches = world.batches()
    random.Random(5).shuffle(batches)
    (again,) = told(world.incident(batches))
    assert again == first
    noisy = phases(World())
    for step in range(50):
        noisy.log(30.0 + step * 40, "gardener", f"watered bed {step}")
    assert only(noisy).sentence() == first.sentence()
    moved = only(phases(World(shift=3_600_000_000_000)))
    assert moved.began - first.began == 3_600_000_000_000
    assert moved.verdict is first.verdict and moved.stale == first.stale


@pytest.mark.parametrize("marker", [True, False])
def test_wider_clocks_never_make_it_surer(marker: bool) -> None:
    order = list(Verdict)
    grades = [
        order.index(only(phases(World(bound=ClockBound(by, by)), marker=marker)).verdict)
        for by in (1_000_000, 250_000_000, 5_000_000_000, 60_000_000_000)
    ]
    assert grades == sorted(grades)
