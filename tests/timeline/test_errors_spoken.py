"""What applications and supervisors say in words of their own: kills, losses, stops, misses."""

from __future__ import annotations

import polars as pl
import pytest

from timeline.facts.effects import DONE, NOT_DONE
from timeline.facts.errors import MISSING_ENTITY
from timeline.facts.kills import KILL_LINE, MEMORY
from timeline.facts.lifecycle import STOP_LINE
from timeline.facts.lookups import MODEL_WORDINGS
from timeline.facts.lost_attempt import DEATH


def says(pattern: str, line: str) -> bool:
    """As the facts ask: with the regexes of polars."""
    return bool(pl.Series([line]).str.contains(pattern)[0])


@pytest.mark.parametrize(
    ("line", "by_memory"),
    [
        ("shop-worker.service: Failed with result 'oom-kill'.", True),
        ("ruby invoked oom-killer: gfp_mask=0xcc0, order=0", True),
        ('level=info msg="TaskOOM event" container=worker-3', True),
        ("FATAL ERROR: Reached heap limit Allocation failed - JavaScript heap out of memory", True),
        ("Terminating due to java.lang.OutOfMemoryError: Java heap space", True),
        ("memory allocation of 1073741824 bytes failed", True),
        ("PHP Fatal error: Allowed memory size of 134217728 bytes exhausted", True),
        ("container worker-3 terminated: exitCode=137", False),
        ("Runtime exited with error: signal: killed", False),
        (
            "! Terminating timed out worker (Worker 1 failed to check in within 60 seconds): 4711",
            False,
        ),
        ("worker=1 PID:4711 timeout (61s > 60s), killing", False),
        ("DAMN ! worker 1 (pid: 4711) died, killed by signal 9 :( trying respawn ...", False),
        ("GenServer Shop.Mailer terminating: ** (stop) killed", False),
        ("main.service: Main process exited, code=dumped, status=11/SEGV", False),
    ],
)
def test_a_kill_is_told_in_many_words(line: str, by_memory: bool) -> None:
    assert says(KILL_LINE, line)
    assert (MEMORY.search(line) is not None) is by_memory


@pytest.mark.parametrize(
    "line",
    [
        "process 4711 exited with code 0",
        "worker exited with status 1",
        "memory limit set to 512 MB, oom_score_adj=0",
        "killed the session cookie of user 9",
        "job 137 finished with code 0",
        "signal 15 received, stopping",
        "heap usage 80 % of the limit",
    ],
)
def test_an_ordinary_end_is_no_kill(line: str) -> None:
    assert not says(KILL_LINE, line)


@pytest.mark.parametrize(
    "error",
    [
        "Worker went away",
        "Job terminated unexpectedly (exit code: 0, signal: 9)",
        "Work-horse process was terminated unexpectedly",
        "Stuck job rescued by Rescuer",
        "asynq: task lease expired",
        "job failed by timeout in active state",
    ],
)
def test_queues_file_a_lost_worker_in_their_own_words(error: str) -> None:
    assert says(DEATH, error)


@pytest.mark.parametrize(
    "error", ["job timed out after 30 s", "worker answered 500", "lease taken"]
)
def test_another_failure_is_no_lost_worker(error: str) -> None:
    assert not says(DEATH, error)


@pytest.mark.parametrize(
    "line",
    [
        "worker: Warm shutdown (MainProcess)",
        "Worker exiting (pid: 4711)",
        "INFO: Waiting for application shutdown.",
        "received immediate shutdown request",
        "Handling signal: term",
        "Server shop:1 caught stopping signal...",
        "RabbitMQ is asked to stop...",
    ],
)
def test_a_planned_stop_is_told_in_many_words(line: str) -> None:
    assert says(STOP_LINE, line)


@pytest.mark.parametrize("line", ["bus stop 4 added", "waiting for stock", "signal quality 15 %"])
def test_other_stops_are_no_planned_stop(line: str) -> None:
    assert not says(STOP_LINE, line)


@pytest.mark.parametrize(
    "line",
    [
        "Order 4711 doesn't exist",
        "no order with id 4711",
        "OrderNotFoundException: order 4711",
        "Err(NotFound { id: 4711 })",
        "order not found: %{id: 4711}",
        "order not found {:order-id 4711}",
        "Bestellung 4711 nicht gefunden",
        "Commande 4711 introuvable",
        "Pedido 4711 no encontrado",
        "Pedido 4711 não encontrado",
        "Заказ 4711 не найден",
        "注文4711が見つかりません",
    ],
)
def test_a_missing_row_is_told_in_many_words(line: str) -> None:
    assert says(MISSING_ENTITY, line)


@pytest.mark.parametrize(
    "line",
    [
        "order 4711 rejected",
        "no retries left for order 4711",
        "line 12 is missing a comma",
        "Rechnung 4711 nicht bezahlt",
        "found 3 orders",
    ],
)
def test_another_complaint_about_a_row_is_no_miss(line: str) -> None:
    assert not says(MISSING_ENTITY, line)


@pytest.mark.parametrize(
    ("line", "model"),
    [
        ('Key (order_id)=(4711) is not present in table "orders".', "orders"),
        ("No class com.shop.Order entity with id 4711 exists!", "Order"),
        ("Entity OrderEntity, id=4711 not found in the database", "Order"),
        ("Document(s) not found for class Order with id(s) 4711.", "Order"),
        ('No document found for query "{ _id: 4711 }" on model "Order"', "Order"),
        ("got none in query: from o0 in Shop.Sales.Order, where: o0.id == ^4711", "Order"),
        ("shop.OrderNotFoundException: 4711", "Order"),
    ],
)
def test_the_kind_of_the_missing_thing_is_read(line: str, model: str) -> None:
    found = {match.group(1) for pattern in MODEL_WORDINGS for match in pattern.finditer(line)}
    assert model in found


@pytest.mark.parametrize(
    ("line", "done"),
    [
        ("dispatched confirmation to user 12", True),
        ("deducted 3 points from account 9", True),
        ("persisted invoice 4711", True),
        ("not dispatched: dry run", False),
        ("would have deducted 3 points", False),
    ],
)
def test_an_effect_is_told_in_the_past_tense(line: str, done: bool) -> None:
    match = DONE.search(line)
    assert match is not None
    assert (NOT_DONE.search(line[: match.start()]) is None) is done
