"""The file connector as a collector uses it: preview first, batches, lookups, honest checks."""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
import time
from pathlib import Path

import pytest
from pydantic import ValidationError

from connectors.file import FileConnector, FileOptions
from tests.connectors.logs.reading import T0, WIDE, write
from timeline.batch import Batch, Preview, Remark
from timeline.coverage import Sight
from timeline.event import Event
from timeline.keys import KeyRules
from timeline.problems import Unreachable
from timeline.store import Store
from timeline.window import Budget, Window


def connector(*paths: Path, **options: str) -> FileConnector:
    chosen = FileOptions(paths=[str(path) for path in paths], **options)
    return FileConnector("web", chosen, KeyRules())


def shop_log(folder: Path, count: int = 400) -> Path:
    return write(
        folder,
        "web.jsonl",
        *(
            json.dumps(
                {
                    "timestamp": f"2026-03-14T02:{n // 60 % 60:02d}:{n % 60:02d}.000Z",
                    "level": "info",
                    "message": f"sign-up {n}",
                    "user_id": 4_000 + n,
                }
            )
            for n in range(count)
        ),
    )


def open_descriptors() -> int:
    """How many files this process holds open."""
    held = Path("/proc/self/fd")
    if not held.is_dir():
        pytest.skip("open descriptors are counted through /proc, which this system lacks")
    return len(list(held.iterdir()))


async def test_a_preview_comes_first_and_agrees_with_the_batches(tmp_path: Path) -> None:
    source = connector(shop_log(tmp_path, 1_200))
    answers = [answer async for answer in source.fetch(WIDE, Budget())]
    assert isinstance(answers[0], Preview)
    batches = [answer for answer in answers if isinstance(answer, Batch)]
    assert len(batches) == len(answers) - 1
    store = Store()
    for batch in batches:
        store.add(batch)
    snapshot = store.snapshot()
    assert len(snapshot) == 1_200
    full = {event.id: event for event in snapshot.in_order(0, 1_200)}
    for event in answers[0].events:
        assert full[event.id].body == event.body
        assert set(full[event.id].keys) == set(event.keys)
    assert sum(batch.bytes_read for batch in batches) == (tmp_path / "web.jsonl").stat().st_size
    assert [entry.sight for entry in batches[-1].coverage].count(Sight.FULL) == 1


async def test_a_key_is_found_outside_the_window(tmp_path: Path) -> None:
    source = connector(shop_log(tmp_path, 1_200))
    late = T0 + 10 * 3_600 * 10**9
    span = Window(late, late, late + 1)
    batches = [batch async for batch in source.lookup(["user:4711", "row:users/1"], span, Budget())]
    store = Store()
    for batch in batches:
        store.add(batch)
    snapshot = store.snapshot()
    events: list[Event] = snapshot.in_order(0, len(snapshot))
    assert [event.body for event in events] == ["sign-up 711"]
    assert events[0].keys == ("user:4711",)
    (remark,) = snapshot.remarks
    assert remark.topic == "looked-up"
    assert "for user:4711: 1 events found" in remark.sentence


async def test_a_value_in_the_wrong_field_is_no_key(tmp_path: Path) -> None:
    path = write(tmp_path, "a.log", "2026-03-14T02:07:29Z INFO took 4711 ms for order_id=4711")
    batches = [b async for b in connector(path).lookup(["user:4711"], WIDE, Budget())]
    assert sum(batch.events.height for batch in batches) == 0
    batches = [b async for b in connector(path).lookup(["order:4711"], WIDE, Budget())]
    assert sum(batch.events.height for batch in batches) == 1


async def test_a_lookup_that_ran_out_of_bytes_says_so(tmp_path: Path) -> None:
    path = shop_log(tmp_path, 40_000)
    budget = Budget(bytes=1_500_000)
    batches = [b async for b in connector(path).lookup(["user:nobody"], WIDE, budget)]
    remarks: list[Remark] = [remark for batch in batches for remark in batch.remarks]
    assert [remark.topic for remark in remarks] == ["cut"]
    assert "there may be more" in remarks[0].sentence


async def test_fetch_then_lookup_holds_each_record_once(tmp_path: Path) -> None:
    write(tmp_path, "web.log.1", "2026-03-14T01:00:00Z INFO user_id=1 a")
    write(tmp_path, "web.log", "2026-03-14T02:07:29Z INFO user_id=1 b")
    source = connector(tmp_path)
    store = Store()
    async for answer in source.fetch(WIDE, Budget()):
        if isinstance(answer, Batch):
            store.add(answer)
    before = len(store.snapshot())
    async for batch in source.lookup(["user:1"], WIDE, Budget()):
        store.add(batch)
    assert (before, len(store.snapshot())) == (2, 2)


async def test_check_tells_formats_reach_and_what_it_cannot_see(tmp_path: Path) -> None:
    shop_log(tmp_path)
    write(tmp_path, "odd.log", "no time in here")
    report = await connector(tmp_path).check()
    assert report.system.startswith("2 log files")
    assert any(
        "web.jsonl: json, 2026-03-14 02:00:00Z to 2026-03-14 02:06:39Z" in fact
        for fact in report.facts
    )
    assert any("odd.log" in sentence for sentence in report.cannot_see)
    assert any("UTC is assumed" in sentence for sentence in report.cannot_see)
    with pytest.raises(Unreachable):
        await connector(tmp_path / "gone.log").check()


@pytest.mark.parametrize(
    "options",
    [
        {"paths": []},
        {"paths": ["a.log"], "zone": "Europe/Nowhere"},
        {"paths": ["a.log"], "format": "xml"},
        {"paths": ["a.log"], "path": "typo"},
    ],
)
def test_options_that_cannot_be_right_are_refused(options: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        FileOptions.model_validate(options)


async def test_cancelling_ends_within_a_second(tmp_path: Path) -> None:
    path = shop_log(tmp_path, 200_000)
    source = connector(path)
    before = open_descriptors()

    async def collect() -> None:
        async for _ in source.fetch(WIDE, Budget(rows=10**7)):
            pass

    task = asyncio.ensure_future(collect())
    await asyncio.sleep(0.1)
    begun = time.monotonic()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert time.monotonic() - begun < 1.0
    for _ in range(100):  # the chunk that was being parsed closes the file when it is done
        if open_descriptors() == before:
            break
        await asyncio.sleep(0.1)
    assert open_descriptors() == before


async def test_leaving_early_closes_every_file(tmp_path: Path) -> None:
    path = shop_log(tmp_path, 2_000)
    before = open_descriptors()
    source = connector(path)
    answers = source.fetch(WIDE, Budget())
    await anext(answers)
    await anext(answers)
    await answers.aclose()  # type: ignore[attr-defined]  # an async generator behind the protocol
    await source.close()
    await source.close()
    assert open_descriptors() == before


def test_importing_the_connector_loads_no_polars() -> None:
    script = "import sys, connectors.file, connectors.command; sys.exit('polars' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", script], check=False).returncode == 0


async def test_a_dropped_csv_export_is_a_file(tmp_path: Path) -> None:
    path = write(
        tmp_path,
        "export.csv",
        '"@timestamp",log.level,message,service.name,user_id',
        '"Mar 14, 2026 @ 02:07:29.110",error,"enqueue failed,\nreally",web,4711',
        '"Mar 14, 2026 @ 02:07:28.000",info,"say ""hi""",web,4712',
        "soon,info,undated,web,4713",
    )
    store = Store()
    async for answer in connector(path).fetch(WIDE, Budget()):
        if isinstance(answer, Batch):
            store.add(answer)
    snapshot = store.snapshot()
    events = snapshot.in_order(0, len(snapshot))
    assert [(e.timestamp, e.body) for e in events] == [
        (T0 - 1_110_000_000, 'say "hi"'),
        (T0, "enqueue failed,␊really"),
    ]
    assert [event.severity_number for event in events] == [9, 17]
    assert events[1].keys == ("user:4711",)
    assert events[1].actor == "web"
    assert json.loads(events[1].attributes or "")["user_id"] == "4711"
    assert events[1].ref.endswith("export.csv#row 1")
    assert snapshot.undated["body"].to_list() == [
        "log.level=info message=undated service.name=web user_id=4713"
    ]
