"""Lock waits in PostgreSQL's log, whatever language the server speaks, and lines that are none."""

from __future__ import annotations

import pytest

from timeline.detectors.lock_queue import LockQueue, LockQueueDetector
from timeline.facts.lock_lines import circle_of, wait_line
from timeline.finding import NotEvaluated
from timeline.order import Verdict

from .worlds import World, healthy

WAITS = {
    "de": "Prozess {pid} wartet immer noch auf {mode}-Sperre auf Relation 16402 der Datenbank 5 "
    "nach 1000,123 ms",
    "fr": "le processus {pid} est toujours en attente de {mode} sur relation 16402 de la base de "
    "données 5 après 1000.123 ms",
    "es": "el proceso {pid} aún espera {mode} en relación 16402 de la base de datos 5 después de "
    "1000.123 ms",
    "it": "il processo {pid} è ancora un attesa di {mode} su la relazione 16402 del database 5 "
    "dopo 1000.123 ms",
    "ru": 'процесс {pid} продолжает ожидать в режиме {mode} блокировку "отношение 16402 базы '
    'данных 5" в течение 1000.123 мс',
    "ja": "プロセス{pid}は{mode}をデータベース5のリレーション16402で待機しています。"
    "1000.123ミリ秒後",
    "ko": "{pid} PID 프로세스에서 여전히 {mode}(릴레이션 16402, 데이터베이스 5) 작업을 기다리고 "
    "있음(1000.123ms 후)",
    "zh_CN": "进程{pid}在1000.123 ms仍然等待在数据库5的关系16402上的{mode}",
}
GOT = {
    "de": "Prozess 900 erlangte ShareLock-Sperre auf Transaktion 77 nach 4210,5 ms",
    "fr": "processus 900 a acquis ShareLock sur transaction 77 après 4210.500 ms",
    "ru": 'процесс 900 получил в режиме ShareLock блокировку "транзакция 77" через 4210.500 мс',
    "ja": "プロセス900は4210.500 ms後にトランザクション 77上のShareLockを獲得しました",
}
NONE_OF_THEM = (
    "process 812 detected deadlock while waiting for ShareLock on transaction 77 after 1000.1 ms",
    "Prozess 812 hat Verklemmung festgestellt beim Warten auf ShareLock-Sperre auf Transaktion 77 "
    "nach 1000,123 ms",
    "worker 12 acquired the ShareLock of shard 4 after 12 ms",
    "java.util.concurrent: thread 9 still waiting for NonExclusiveLock after 1000 ms",
    "process 812 still waiting for the print queue after 1000.123 ms",
)


def piled(language: str, *, apart: bool = False) -> World:
    """Four sessions behind pid 811; with `apart` every DETAIL is a record of its own."""
    world = healthy(World())
    queue: list[int] = []
    for number, pid in enumerate((812, 900, 901, 902)):
        queue.append(pid)
        mode = "AccessShareLock" if number else "AccessExclusiveLock"
        words = f"2026-03-14 03:14:15.926 CET [{pid}] app@shop LOG:  "
        words += WAITS[language].format(pid=pid, mode=mode)
        told = ", ".join(map(str, queue))
        detail = f"DETAIL:  Process holding the lock: 811. Wait queue: {told}."
        at = 1601.0 + number * 3
        world.log(at, "postgres", words if apart else f"{words}␊{detail}", source="pg.log")
        if apart:
            world.log(at + 0.001, "postgres", f"[{pid}] app@shop {detail}", source="pg.log")
    return world


def only(world: World) -> LockQueue:
    result = LockQueueDetector().detect(world.incident())
    assert not isinstance(result, NotEvaluated)
    (finding,) = result
    assert isinstance(finding, LockQueue)
    return finding


@pytest.mark.parametrize("language", WAITS)
@pytest.mark.parametrize("apart", [False, True])
def test_a_pile_is_told_in_any_language(language: str, apart: bool) -> None:
    finding = only(piled(language, apart=apart))
    assert finding.verdict is Verdict.CERTAIN
    assert finding.root is not None
    assert finding.root.session == "811"
    assert [waiter.session for waiter in finding.waiters] == ["812", "900", "901", "902"]
    assert finding.gate == "812"
    assert finding.target == "relation 16402 of database 5"


@pytest.mark.parametrize("language", GOT)
def test_the_end_of_a_wait_is_told_in_any_language(language: str) -> None:
    line = wait_line(1, 0, "pg.log", GOT[language])
    assert line is not None
    assert (line.acquired, line.pid, line.target) == (True, "900", "transaction 77")
    assert line.waited == 4_210_500_000


@pytest.mark.parametrize("body", NONE_OF_THEM)
def test_other_lines_about_locks_are_no_waits(body: str) -> None:
    assert wait_line(1, 0, "app.log", body) is None


@pytest.mark.parametrize(
    "body",
    [
        "Verklemmung (Deadlock) entdeckt␊DETAIL:  Prozess 11 wartet auf ShareLock-Sperre auf "
        "Transaktion 7; blockiert von Prozess 12.␊Prozess 12 wartet auf ShareLock-Sperre auf "
        "Transaktion 8; blockiert von Prozess 11.",
        "обнаружена взаимоблокировка ПОДРОБНОСТИ: Процесс 11 ожидает в режиме ShareLock блокировку "
        '"транзакция 7"; заблокирован процессом 12. Процесс 12 ожидает в режиме ShareLock '
        'блокировку "транзакция 8"; заблокирован процессом 11.',
        "检测到死锁␊详细信息:  进程11等待在事务 7上的ShareLock; 由进程12阻塞.␊进程12等待在事务 "
        "8上的ShareLock; 由进程11阻塞.",
    ],
)
def test_a_deadlocks_circle_is_read_in_any_language(body: str) -> None:
    assert circle_of(body) == ("11", "12")


def test_a_detail_that_comes_late_or_of_another_server_belongs_to_nobody() -> None:
    world = healthy(World())
    for number, source in enumerate(("pg.log", "other.log", "pg.log", "pg.log")):
        pid = 900 + number
        words = WAITS["es"].format(pid=pid, mode="ShareLock")
        world.log(1601.0 + number, "postgres", words, source="pg.log")
        late = 60.0 if source == "pg.log" else 0.001
        detail = f"DETAIL:  Process holding the lock: 811. Wait queue: {pid}."
        world.log(1601.0 + number + late, "postgres", detail, source=source)
    finding = only(world)
    assert finding.root is None
    assert finding.verdict is Verdict.LIKELY
