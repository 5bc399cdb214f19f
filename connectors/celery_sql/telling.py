"""What a person must know beside the events: what is where, what was assumed, what is forgotten."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from connectors.celery_sql.options import CelerySqlOptions
from connectors.celery_sql.parts import Begun
from connectors.queues.account import Memory
from connectors.queues.transitions import iso
from connectors.sqlqueue.memory import memory_of
from timeline.batch import Remark
from timeline.clean import clean
from timeline.window import SECOND_NS

AHEAD_NS = 60 * SECOND_NS
"""A stamp further ahead of the server's clock than this was written in another zone."""
NAMED = 5
"""Tasks named one by one in a sentence."""
REMEDY = "Its worker's log can tell; result_extended and task_track_started keep more."


async def facts_of(begun: Begun) -> list[str]:
    """For `check`: the tables, what waits, and what the results keep."""
    facts = []
    if begun.messages is not None:
        depths = await begun.messages.reading.depths()
        queues = ", ".join(
            f"{clean(str(queue))} ({waiting} waiting)" for queue, waiting, *_ in depths
        )
        facts.append(f"messages are read from {begun.messages.here.jobs.label}")
        facts.append(f"queues with waiting messages: {queues or 'none'}")
    for part in begun.results:
        extended = part.here.column_type("name") or part.here.column_type("task_name")
        kept = (
            "names and arguments where result_extended is on"
            if extended
            else ("without names and arguments: the table is older than result_extended")
        )
        facts.append(f"results are read from {part.here.jobs.label} ({kept})")
    return [*facts, *(f"not read: {reason}" for reason in begun.unread), *begun.account.cuts]


def cannot_see(begun: Begun) -> tuple[str, ...]:
    """What none of the tables that are here can tell."""
    told = ["when a task started, unless task_track_started is on"]
    if any(not part.here.column_type("date_started") for part in begun.results):
        told[0] += ": then that it did, not when"
    if begun.messages is None:
        told.append("messages: the broker's tables are not in this database")
    else:
        told += [
            "when a task was sent: messages carry no such stamp",
            "whether a message that was taken is run, waits in its worker for its eta, or died "
            "with it: this broker gives nothing out again",
        ]
    if not begun.results:
        told.append("how a task ended: no table of results is in this database")
    else:
        told += [
            "the end of tasks with ignore_result, and results that were deleted when they expired",
            "attempts before the last state: a result is overwritten",
        ]
    return tuple(told)


def depth_note(started: Mapping[str, int]) -> str:
    """What `running` counts, said where it may be less than what runs."""
    if unnamed := started.get("", 0):
        return f"{unnamed} more tasks are started on a queue that their results do not name"
    return "running counts results in state STARTED: without task_track_started there are none"


async def memory(begun: Begun) -> Memory:
    """How far back silence means something, by the part that forgets most."""
    if begun.messages is None:
        return Memory(begun.server.now, f"Celery's results table {_forgets(begun)}", REMEDY)
    if not begun.results:
        words = "only what was taken is visible: no table of results is in this database"
        return Memory(begun.server.now, words, REMEDY)
    if begun.resultless:
        count = len(begun.resultless)
        words = f"{count} messages taken in this stretch have no result, so ends may be invisible"
        return Memory(begun.server.now, words, REMEDY)
    kept = []
    for part in begun.parts:
        oldest = await part.reading.oldest_finished()
        kept.append(memory_of(part.here, begun.server, oldest))
    return max(kept, key=lambda one: one.horizon or 0)


def _forgets(begun: Begun) -> str:
    return begun.results[0].here.system.forgets


async def remarks(source: str, begun: Begun, options: CelerySqlOptions) -> list[Remark]:
    """Everything odd or assumed, each as a sentence."""
    told = [Remark(source, "rights", f"not read: {reason}") for reason in begun.unread]
    told += _resultless(source, begun)
    unopened = [closed for part in begun.parts for closed in part.unopened.values()]
    if unopened:
        sentence = f"{len(unopened)} tasks' arguments were not opened ({unopened[0]})"
        told.append(Remark(source, "opaque", sentence, len(unopened)))
    if begun.damaged:
        count = len(begun.damaged)
        sentence = f"{count} rows of the broker hold no message of kombu's, or one too large"
        told.append(Remark(source, "damaged", sentence, count))
    return [*told, *_zones(source, begun, options), *await _ahead(source, begun)]


def _resultless(source: str, begun: Begun) -> Iterator[Remark]:
    lost = begun.resultless
    if lost and begun.results:
        named = ", ".join(f"{name} {task}" for task, name in list(lost.items())[:NAMED])
        yield Remark(
            source,
            "no-result",
            f"{len(lost)} messages were taken in this stretch and have no result: their tasks run, "
            "wait in a worker for their eta, keep no result, or were lost with their worker (this "
            f"broker gives nothing out again): {named}",
            len(lost),
        )


def _zones(source: str, begun: Begun, options: CelerySqlOptions) -> Iterator[Remark]:
    """How stamps without a zone were read, where nobody said it."""
    if begun.messages is not None and not options.taken_zone:
        table = begun.messages.here.jobs.label
        sentence = (
            f"timestamp of {table}: workers write it in their hosts' zone; read as UTC. "
            "Set taken_zone if they run in another."
        )
        yield Remark(source, "zone-assumed", sentence, 1)
    for part in begun.results:
        if options.zone or part.here.column_type("date_done") != "timestamp":
            continue
        sentence = (
            f"date_done of {part.here.jobs.label}: no time zone; read as {part.zone}, this "
            "database's TimeZone, in which drivers store it. Set zone if the application's "
            "sessions have another."
        )
        yield Remark(source, "zone-assumed", sentence, 1)


async def _ahead(source: str, begun: Begun) -> list[Remark]:
    """The newest stamps that cannot be right: they lie ahead of the server's clock."""
    told, now = [], begun.server.now
    for part in begun.parts:
        for search in part.here.system.jobs.searches:
            newest = await part.reading.largest(search)
            if newest is not None and newest - now > AHEAD_NS:
                sentence = (
                    f"the newest {search.name} of {part.here.jobs.label} is "
                    f"{(newest - now) / SECOND_NS:.0f} s ahead of the server's clock ({iso(now)}): "
                    f"it was not written in {part.zone}, or its worker's clock is wrong"
                )
                told.append(Remark(source, "clock", sentence))
    return told
