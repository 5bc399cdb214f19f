"""Commands: run without a shell, read while they print, ended for certain, failures told."""

from __future__ import annotations

import asyncio
import json
import os
import sys
import time
from pathlib import Path

import pytest
from pydantic import ValidationError

from connectors.command import CommandConnector, CommandOptions
from tests.connectors.logs.reading import T0, WIDE
from timeline.batch import Batch
from timeline.coverage import Sight
from timeline.event import Event
from timeline.keys import KeyRules
from timeline.problems import Misconfigured, Unreachable
from timeline.store import Snapshot, Store
from timeline.window import Budget, Window

LINES = "2026-03-14T02:07:28Z INFO one user_id=1\n2026-03-14T02:07:29Z ERROR two\n    at frame\n"


def connector(*argv: str, **options: object) -> CommandConnector:
    chosen = CommandOptions.model_validate({"argv": list(argv), **options})
    return CommandConnector("kube", chosen, KeyRules())


def printing(text: str, *, code: int = 0, complaint: str = "") -> tuple[str, ...]:
    script = (
        f"import sys; sys.stdout.write({text!r}); sys.stderr.write({complaint!r}); sys.exit({code})"
    )
    return (sys.executable, "-c", script)


async def collected(
    source: CommandConnector, window: Window = WIDE, budget: Budget | None = None
) -> Snapshot:
    store = Store()
    async for answer in source.fetch(window, budget or Budget()):
        assert isinstance(answer, Batch)
        store.add(answer)
    return store.snapshot()


def events_of(snapshot: Snapshot) -> list[Event]:
    return snapshot.in_order(0, len(snapshot))


async def test_text_is_read_like_a_file() -> None:
    events = events_of(await collected(connector(*printing(LINES), service="web")))
    assert [(event.body, event.severity_number) for event in events] == [
        ("one user_id=1", 9),
        ("two␊    at frame", 17),
    ]
    assert [event.actor for event in events] == ["web", "web"]
    assert events[0].keys == ("user:1",)


async def test_json_lines_keep_their_fields_as_attributes() -> None:
    line = json.dumps(
        {"time": "2026-03-14T02:07:29.110Z", "msg": "m", "level": 50, "job_id": "8f2c"}
    )
    (event,) = events_of(await collected(connector(*printing(line + "\n"))))
    assert (event.timestamp, event.severity_number, event.keys) == (T0, 17, ("job:8f2c",))
    assert json.loads(event.attributes or "")["job_id"] == "8f2c"


async def test_csv_from_psql_is_read_by_its_time_column() -> None:
    text = (
        "id,user_id,created_at,state\n"
        "1,4711,2026-03-14 02:07:29.11+00,new\n"
        "2,4712,2026-03-14 03:07:29.11+01,new\n"
    )
    events = events_of(await collected(connector(*printing(text))))
    assert [event.timestamp for event in events] == [T0, T0]
    assert [event.keys for event in events] == [("user:4711",), ("user:4712",)]
    assert events[0].body == "id=1 user_id=4711 state=new"


async def test_the_ends_of_the_window_are_filled_in() -> None:
    script = "import sys; print('2026-03-14T02:07:29Z INFO ' + ' '.join(sys.argv[1:]))"
    source = connector(
        sys.executable, "-c", script, "--since={from}", "--until={to}", "{from_epoch}-{to_epoch}"
    )
    window = Window(T0, T0 - 10 * 10**9, T0 + 10 * 10**9)
    snapshot = await collected(source, window)
    (event,) = events_of(snapshot)
    assert event.body == (
        "--since=2026-03-14T02:07:19Z --until=2026-03-14T02:07:40Z 1773454039-1773454060"
    )
    assert [entry.sight for entry in snapshot.coverage.entries] == [Sight.FULL]


async def test_without_the_windows_ends_coverage_ends_at_the_last_line() -> None:
    snapshot = await collected(connector(*printing(LINES)))
    sights = sorted((entry.start, entry.sight) for entry in snapshot.coverage.entries)
    assert [sight for _, sight in sights] == [Sight.PARTIAL, Sight.FULL, Sight.PARTIAL]


async def test_the_same_lines_are_the_same_events_in_another_run() -> None:
    more = "2026-03-14T02:07:27Z INFO earlier\n" + LINES
    first = {e.id: e.body for e in events_of(await collected(connector(*printing(LINES))))}
    second = {e.id: e.body for e in events_of(await collected(connector(*printing(more))))}
    assert first.items() < second.items()


async def test_many_rows_of_one_instant_are_all_kept() -> None:
    script = "for n in range(30_000): print('2026-03-14T02:07:29Z INFO', 'x' * 80, 'row', n)"
    snapshot = await collected(connector(sys.executable, "-c", script))
    events = events_of(snapshot)
    assert [int(event.body.split()[-1]) for event in events] == list(range(30_000))


async def test_a_failure_keeps_what_was_printed_and_tells_why() -> None:
    command = printing(LINES, code=3, complaint="error: \x1b[31mforbidden\x1b[0m\nmore\n")
    snapshot = await collected(connector(*command))
    assert len(snapshot) == 2
    (remark,) = [item for item in snapshot.remarks if item.topic == "command-failed"]
    assert "exit code 3" in remark.sentence
    assert "forbidden" in remark.sentence
    assert remark.sentence.isprintable()
    assert Sight.FULL not in {entry.sight for entry in snapshot.coverage.entries}


async def test_a_failure_without_output_is_a_problem() -> None:
    with pytest.raises(Unreachable) as caught:
        await collected(connector(*printing("", code=1, complaint="no such pod")))
    assert "no such pod" in caught.value.sentence()


async def test_a_program_that_is_not_there_is_named() -> None:
    source = connector("halfawake-no-such-program", "--flag")
    with pytest.raises(Misconfigured) as caught:
        await collected(source)
    assert "halfawake-no-such-program" in caught.value.sentence()
    with pytest.raises(Misconfigured):
        await source.check()


async def test_no_shell_ever_sees_the_arguments(tmp_path: Path) -> None:
    trap = tmp_path / "trap"
    script = "import sys; print('2026-03-14T02:07:29Z INFO ' + sys.argv[1])"
    source = connector(sys.executable, "-c", script, f"; touch {trap} #")
    (event,) = events_of(await collected(source))
    assert event.body == f"; touch {trap} #"
    assert not trap.exists()


async def test_an_unknown_format_lists_the_lines() -> None:
    snapshot = await collected(connector(*printing("hello\nworld\n")))
    assert len(snapshot) == 0
    assert snapshot.undated["body"].to_list() == ["hello", "world"]
    assert "format-unknown" in {remark.topic for remark in snapshot.remarks}
    assert [entry.sight for entry in snapshot.coverage.entries] == [Sight.BLIND]


SLEEPER = (
    "import os, sys, time\n"
    "open(sys.argv[1], 'w').write(str(os.getpid()))\n"
    "print('2026-03-14T02:07:29Z INFO before', flush=True)\n"
    "time.sleep(60)\n"
)


def gone(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return True
    return False


async def test_a_slow_command_is_ended_at_its_deadline(tmp_path: Path) -> None:
    mark = tmp_path / "pid"
    source = connector(sys.executable, "-c", SLEEPER, str(mark), timeout_s=1.0)
    begun = time.monotonic()
    snapshot = await collected(source)
    assert time.monotonic() - begun < 4.0
    assert [event.body for event in events_of(snapshot)] == ["before"]
    assert "after 1 s" in next(r.sentence for r in snapshot.remarks if r.topic == "cut")
    assert gone(int(mark.read_text(encoding="utf-8")))


async def test_a_command_that_only_closed_its_output_is_ended_too(tmp_path: Path) -> None:
    closing = SLEEPER.replace("time.sleep", "os.close(1); os.close(2); time.sleep")
    mark = tmp_path / "pid"
    begun = time.monotonic()
    await collected(connector(sys.executable, "-c", closing, str(mark), timeout_s=1.0))
    assert time.monotonic() - begun < 4.0
    assert gone(int(mark.read_text(encoding="utf-8")))


async def test_cancelling_ends_a_stubborn_command_within_a_second(tmp_path: Path) -> None:
    mark = tmp_path / "pid"
    stubborn = "import signal\nsignal.signal(signal.SIGTERM, signal.SIG_IGN)\n" + SLEEPER
    source = connector(sys.executable, "-c", stubborn, str(mark))
    task = asyncio.ensure_future(collected(source))
    while not mark.exists() or not mark.read_text(encoding="utf-8"):  # noqa: ASYNC110  another process writes it
        await asyncio.sleep(0.02)
    begun = time.monotonic()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert time.monotonic() - begun < 1.0
    assert gone(int(mark.read_text(encoding="utf-8")))


async def test_leaving_early_ends_the_command(tmp_path: Path) -> None:
    mark = tmp_path / "pid"
    endless = (
        "import os, sys\n"
        "open(sys.argv[1], 'w').write(str(os.getpid()))\n"
        "while True: print('2026-03-14T02:07:29Z INFO ' + 'x' * 200)\n"
    )
    answers = connector(sys.executable, "-c", endless, str(mark)).fetch(WIDE, Budget())
    assert isinstance(await anext(answers), Batch)
    await answers.aclose()  # type: ignore[attr-defined]  # an async generator behind the protocol
    assert gone(int(mark.read_text(encoding="utf-8")))


async def test_a_row_budget_is_kept_and_said() -> None:
    text = "".join(f"2026-03-14T02:07:{n % 60:02d}Z INFO row {n}\n" for n in range(500))
    snapshot = await collected(connector(*printing(text)), budget=Budget(rows=50))
    assert len(snapshot) == 50
    assert "cut" in {remark.topic for remark in snapshot.remarks}
    assert Sight.FULL not in {entry.sight for entry in snapshot.coverage.entries}


async def test_a_key_is_never_asked_of_a_command() -> None:
    source = connector(*printing(LINES))
    assert [batch async for batch in source.lookup(["user:1"], WIDE, Budget())] == []


def test_a_command_needs_at_least_a_program() -> None:
    with pytest.raises(ValidationError):
        CommandOptions.model_validate({"argv": []})
