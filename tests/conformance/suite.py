"""The conformance suite: what every connector must do, whichever system it reads.

Inherit `ConnectorConformance` in a test module and provide a `subject` fixture; every test below
then runs against that connector. See CONTRIBUTING for the walk-through and `test_rq.py` in this
folder for an example.
"""

from __future__ import annotations

import asyncio
import re
import subprocess
import sys
import time
from collections.abc import Iterable
from dataclasses import replace

import pytest
from pydantic import ValidationError

from tests.conformance.collecting import (
    BlackHole,
    Collected,
    closed_port,
    drained,
    fetched,
    looked_up,
)
from tests.conformance.subject import Subject, settled
from timeline.batch import PREVIEW_ROWS
from timeline.clean import UNSAFE_PATTERN
from timeline.columns import EVENT_SCHEMA, KEY_SCHEMA
from timeline.coverage import CoverageMap, Sight
from timeline.event import Event
from timeline.problems import SourceProblem
from timeline.window import MINUTE_NS, Budget, Window

CANCEL_S = 1.0
"""The contract: cancelling releases the connection within one second."""
SCHEDULING_S = 0.25
"""What a busy machine may add to that before a test calls it late."""
TYPED_KEY = re.compile(r"[a-z][a-z0-9_.-]*:.+", re.DOTALL)
YEAR_MINUTES = 366 * 24 * 60


class ConnectorConformance:
    """Inherit and provide the `subject` fixture."""

    @pytest.fixture
    def subject(self) -> Subject:
        raise NotImplementedError("describe the connector under test: a `subject` fixture")

    # Configuration

    def test_unknown_option_is_refused(self, subject: Subject) -> None:
        with pytest.raises(ValidationError, match="no_such_setting"):
            subject.connector(no_such_setting=1)

    def test_importing_the_module_imports_no_driver(self, subject: Subject) -> None:
        program = (
            f"import sys, {subject.connector_class.__module__}\n"
            f"sys.exit(', '.join(m for m in {subject.drivers!r} if m in sys.modules) or None)"
        )
        done = subprocess.run(
            [sys.executable, "-c", program], capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, f"imported at once: {done.stderr.strip()}"

    def test_closing_an_unused_connector_twice(self, subject: Subject) -> None:
        async def close_twice() -> None:
            connector = subject.connector()
            await connector.close()
            await connector.close()

        asyncio.run(close_twice())

    # What the events look like

    def test_batches_follow_the_schemas(self, subject: Subject) -> None:
        for batch in _fetched(subject).batches:
            assert dict(batch.events.schema) == EVENT_SCHEMA
            assert dict(batch.keys.schema) == KEY_SCHEMA
            rows = batch.keys.get_column("row")
            assert rows.is_empty() or rows.max() < batch.events.height  # type: ignore[operator]  # u32

    def test_every_event_is_dated_named_and_placed(self, subject: Subject) -> None:
        events = _fetched(subject).events
        assert len(events) >= 5, "plant at least five records for the suite"
        for event in events:
            assert event.timestamp > 0
            assert event.source == "subject"
            assert event.lane is subject.connector_class.lane
            assert event.body
            assert event.ref
            assert 0 <= event.severity_number <= 24

    def test_events_lie_inside_the_window(self, subject: Subject) -> None:
        for event in _fetched(subject).events:
            assert subject.window.contains(event.timestamp) or subject.is_present(event)

    def test_keys_are_typed(self, subject: Subject) -> None:
        keys = {key for event in _fetched(subject).events for key in event.keys}
        assert keys >= set(subject.known_keys)
        assert not [key for key in keys if not TYPED_KEY.fullmatch(key)]

    def test_no_event_is_told_twice(self, subject: Subject) -> None:
        told = [(event.ref, event.timestamp, event.kind) for event in _fetched(subject).events]
        assert len(told) == len(set(told))

    def test_a_preview_comes_first_and_is_small(self, subject: Subject) -> None:
        collected = _fetched(subject)
        assert collected.preview_first
        for preview in collected.previews:
            assert len(preview.events) <= PREVIEW_ROWS
            times = [event.timestamp for event in preview.events]
            assert times == sorted(times)
            assert {e.id for e in preview.events} <= {e.id for e in collected.events}

    def test_hostile_text_is_cleaned(self, subject: Subject) -> None:
        collected = _fetched(subject)
        unsafe = re.compile(UNSAFE_PATTERN)
        for event in collected.events:
            for text in (event.body, event.ref, event.actor, event.attributes or "", *event.keys):
                assert not unsafe.search(text), repr(text)
        if subject.hostile:
            assert any(subject.hostile in event.body for event in collected.events), (
                "the rest of the hostile record must survive"
            )

    # Completeness, honestly

    def test_totals_do_not_depend_on_the_page_size(self, subject: Subject) -> None:
        if not subject.page_option:
            pytest.skip("this connector reads no pages")
        whole = _lasting(subject, _fetched(subject))
        for size in (1, 2, 3, 7):
            paged = fetched(subject.connector(**{subject.page_option: size}), subject.window)
            assert _lasting(subject, paged) == whole

    def test_two_windows_tell_what_one_does(self, subject: Subject) -> None:
        window = subject.window
        halves = (
            Window(window.pin - 1, window.start, window.pin),
            Window(window.pin, window.pin, window.end),
        )
        parts = [_lasting(subject, fetched(subject.connector(), half)) for half in halves]
        assert all(parts), "plant records on both sides of the pin"
        assert sorted([*parts[0], *parts[1]], key=_place) == _lasting(subject, _fetched(subject))

    def test_two_fetches_tell_the_same(self, subject: Subject) -> None:
        assert _lasting(subject, _fetched(subject)) == _lasting(subject, _fetched(subject))

    def test_a_cut_is_said(self, subject: Subject) -> None:
        collected = fetched(subject.connector(), subject.window, Budget(rows=3))
        assert 0 < len(collected.events) <= 3
        counted = any(batch.counts is not None for batch in collected.batches)
        said = {"cut", "counted"} if counted else {"cut"}  # only who counted may say so
        assert any(remark.topic in said for remark in collected.remarks)
        assert any(entry.sight is not Sight.FULL for entry in collected.coverage)

    def test_the_whole_window_has_a_coverage(self, subject: Subject) -> None:
        entries = _fetched(subject).coverage
        claimed = CoverageMap(tuple(replace(entry, sight=Sight.FULL) for entry in entries))
        gaps = claimed.limits(["subject"], subject.window.start, subject.window.end)
        assert not gaps, f"nothing is said about {gaps}"

    def test_an_empty_window_is_not_silence(self, subject: Subject) -> None:
        year_ago = subject.window.start - YEAR_MINUTES * MINUTE_NS
        window = Window.around(year_ago, MINUTE_NS, MINUTE_NS)
        collected = fetched(subject.connector(), window)
        assert [event for event in collected.events if not subject.is_present(event)] == []
        assert collected.coverage

    # Look-ups

    def test_a_look_up_tells_the_same_as_the_window(self, subject: Subject) -> None:
        if not subject.known_keys:
            pytest.skip("this connector holds no keys")
        in_window = {_identity(event): event for event in _settled(_fetched(subject).events)}
        for key in subject.known_keys:
            found = _settled(looked_up(subject.connector(), (key,), subject.window).events)
            shared = [event for event in found if _identity(event) in in_window]
            assert shared, f"{key} was not found"
            assert shared == [in_window[_identity(event)] for event in shared]

    def test_not_finding_is_said(self, subject: Subject) -> None:
        if not subject.absent_key:
            pytest.skip("this connector holds no keys")
        collected = looked_up(subject.connector(), (subject.absent_key,), subject.window)
        assert collected.events == []
        said = [remark.sentence for remark in collected.remarks]
        said += [entry.reason for entry in collected.coverage]
        assert any(subject.absent_key in sentence for sentence in said)

    def test_a_key_of_a_foreign_type_yields_nothing(self, subject: Subject) -> None:
        collected = looked_up(subject.connector(), ("nonesuch:1",), subject.window)
        assert collected.events == []

    # Clock, failures, interruption

    def test_the_clock_is_bounded(self, subject: Subject) -> None:
        async def read() -> None:
            connector = subject.connector()
            try:
                reading = await connector.clock()
            finally:
                await connector.close()
            if reading is not None:
                assert reading.error > 0
                assert abs(reading.offset) <= reading.error, "the server shares this host's clock"
                assert abs(reading.read_at - time.time_ns()) < MINUTE_NS

        asyncio.run(read())

    def test_check_states_the_system(self, subject: Subject) -> None:
        async def check() -> None:
            connector = subject.connector()
            try:
                report = await connector.check()
            finally:
                await connector.close()
            assert report.system
            assert not _leaks(subject, [repr(report)])

        asyncio.run(check())

    def test_a_refused_connection_is_our_error(self, subject: Subject) -> None:
        if subject.at_port is None:
            pytest.skip("this connector makes no connection")
        with closed_port() as port:
            options = subject.at_port(port)
            problems = [
                _problem_of(subject.with_options(options), subject.window, method)
                for method in ("check", "fetch", "lookup", "clock")
            ]
        for problem in problems:
            assert problem.what
            assert problem.remedy
            assert str(port) in problem.sentence()
            assert not _leaks(subject, _chain(problem))

    def test_secrets_stay_out_of_everything(self, subject: Subject) -> None:
        connector = subject.connector()
        options = subject.connector_class.Options.model_validate(dict(subject.options))
        collected = _fetched(subject)
        shown = [repr(connector), str(connector), repr(options), str(options)]
        shown += [repr(event) for event in collected.events]
        shown += [repr(entry) for entry in (*collected.coverage, *collected.remarks)]
        assert not _leaks(subject, shown)

    def test_cancelling_a_stuck_fetch(self, subject: Subject) -> None:
        if subject.at_port is None:
            pytest.skip("this connector makes no connection")
        at_port = subject.at_port

        async def cancel() -> None:
            async with BlackHole().serving() as hole:
                connector = subject.with_options(at_port(hole.port))
                task = asyncio.create_task(drained(connector.fetch(subject.window, Budget())))
                while not hole.open:
                    await asyncio.sleep(0.01)
                    assert not task.done(), "the fetch gave up before it reached the server"
                await _cancelled(task)
                assert await hole.emptied(CANCEL_S)

        asyncio.run(cancel())

    def test_cancelling_a_fetch_leaves_no_connection(self, subject: Subject) -> None:
        if subject.connections is None:
            pytest.skip("this connector keeps no connection")
        connections = subject.connections
        assert connections() == 0, "an earlier test left a connection"

        async def cancel() -> None:
            connector = subject.connector()
            begun = asyncio.Event()

            async def read() -> None:
                async for _ in connector.fetch(subject.window, Budget()):
                    begun.set()
                    await asyncio.sleep(3600)

            task = asyncio.create_task(read())
            waiting = asyncio.create_task(begun.wait())
            await asyncio.wait({task, waiting}, return_when=asyncio.FIRST_COMPLETED)
            assert not task.done(), f"the fetch ended before its first answer: {task}"
            assert connections() > 0
            await _cancelled(task)
            await connector.close()

        asyncio.run(cancel())
        assert _soon(lambda: connections() == 0)

    def test_a_connector_works_again_after_an_interruption(self, subject: Subject) -> None:
        async def interrupted_then_whole() -> Collected:
            connector = subject.connector()
            answers = connector.fetch(subject.window, Budget())
            await anext(answers)
            await answers.aclose()  # type: ignore[attr-defined]  # a generator, as all of ours
            try:
                return await drained(connector.fetch(subject.window, Budget()))
            finally:
                await connector.close()

        again = asyncio.run(interrupted_then_whole())
        assert _lasting(subject, again) == _lasting(subject, _fetched(subject))


def _fetched(subject: Subject) -> Collected:
    return fetched(subject.connector(), subject.window)


def _lasting(subject: Subject, collected: Collected) -> list[Event]:
    """Events about the window in an order of their own, without what says when we looked."""
    lasting = [event for event in collected.events if not subject.is_present(event)]
    return sorted(_settled(lasting), key=_place)


def _settled(events: Iterable[Event]) -> list[Event]:
    return [settled(event) for event in events]


def _place(event: Event) -> tuple[int, str, str]:
    return event.timestamp, event.ref, event.kind


def _identity(event: Event) -> tuple[str, str, int]:
    return event.ref, event.kind, event.timestamp


def _problem_of(connector: object, window: Window, method: str) -> SourceProblem:
    async def ask() -> None:
        from connectors.contract import Connector

        asked: Connector = connector  # type: ignore[assignment]  # made by the subject
        try:
            if method == "check":
                await asked.check()
            elif method == "clock":
                await asked.clock()
            elif method == "fetch":
                await drained(asked.fetch(window, Budget()))
            else:
                await drained(asked.lookup(("job:1", "user:1"), window, Budget()))
        finally:
            await asked.close()

    with pytest.raises(SourceProblem) as caught:
        asyncio.run(ask())
    return caught.value


def _chain(error: BaseException | None) -> list[str]:
    """Everything that a traceback with local variables could show of an error and its causes."""
    shown: list[str] = []
    while error is not None:
        shown += [str(error), repr(error), repr(vars(error))]
        error = error.__cause__ or error.__context__
    return shown


def _leaks(subject: Subject, shown: Iterable[str]) -> list[str]:
    return [secret for text in shown for secret in subject.secrets if secret in text]


async def _cancelled(task: asyncio.Task[object] | asyncio.Task[None]) -> None:
    task.cancel()
    started = time.monotonic()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert time.monotonic() - started < CANCEL_S + SCHEDULING_S


def _soon(condition: object, within_s: float = CANCEL_S + SCHEDULING_S) -> bool:
    assert callable(condition)
    until = time.monotonic() + within_s
    while time.monotonic() < until:
        if condition():
            return True
        time.sleep(0.02)
    return bool(condition())
