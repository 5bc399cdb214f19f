"""The `notes` connector: what people wrote down, with the times they or their tools wrote.

Owns what a note's time is worth: the writer's clock, to the minute where only hours and minutes
were written; Slack's own, to the second, for its messages. Files are opened read-only and read
anew each time.
"""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import AsyncIterator, Iterator, Sequence
from dataclasses import replace
from typing import ClassVar, Literal

from pydantic import BaseModel, ConfigDict, Field, field_validator

from connectors.contract import LOCAL_FILES, CheckReport
from connectors.discovery import Candidate, Place
from connectors.logs.zones import ZoneRule
from connectors.notes.files import read_notes
from connectors.notes.reading import InWindow, Naming, Reading, Wanted, Written
from connectors.queues.account import Account
from connectors.written_times import Undated, undated_frame
from timeline.batch import Batch, Remark
from timeline.clean import LINE_BREAK, clean
from timeline.clock import ClockReading
from timeline.coverage import Coverage, Sight
from timeline.event import Event, Kind, Lane, Meaning
from timeline.keys import KeyRules
from timeline.problems import NothingHere
from timeline.window import Budget, Window
from timeline.words import count_of

LONGEST_LINE = 16_000
"""Characters of one line; nobody writes more, and a pasted file is no note."""
LONGEST_NAME = 80
"""Characters of a writer's name."""
NOT_WRITTEN = "what nobody wrote down"
TWICE = "this time was twice in {zone} that night; read as the first"
AFTER_MIDNIGHT = "the day after the written one: the clock went past midnight above"
FILE_NAME = "notes.md"


class NotesOptions(BaseModel):
    """`[env.E.sources.NAME]` with `connector = "notes"`."""

    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)

    paths: list[str] = Field(
        min_length=1, description="Files, patterns or folders; `note` appends to the first."
    )
    format: Literal["", "markdown", "slack", "gitlab"] = Field(
        default="", description="What they were written in; recognised by content without."
    )
    zone: str = Field(
        default="", description="Zone of times that carry none; UTC is assumed without."
    )

    @field_validator("zone")
    @classmethod
    def _zone_exists(cls, value: str) -> str:
        ZoneRule.named(value)
        return value


class NotesConnector:
    """The notes of one source. See `connectors.contract.Connector`."""

    system: ClassVar[str] = "notes"
    lane: ClassVar[Lane] = Lane.NOTE
    Options: ClassVar[type[BaseModel]] = NotesOptions

    def __init__(self, source: str, options: BaseModel, key_rules: KeyRules) -> None:
        if not isinstance(options, NotesOptions):
            raise TypeError("NotesConnector needs NotesOptions")
        self.source = source
        self._options = options
        self._key_rules = key_rules
        self._zone = ZoneRule.named(options.zone)

    @staticmethod
    def candidates(place: Place) -> Iterator[Candidate]:
        """`notes.md` of the working directory."""
        if (place.folder / FILE_NAME).is_file():
            yield Candidate("notes", "notes", {"paths": [FILE_NAME]}, FILE_NAME, local=True)

    async def check(self) -> CheckReport:
        """How many notes there are, and which lines could not be placed in time."""
        reading = await self._read()
        if not reading.notes and not reading.undated:
            raise NothingHere(
                "The files hold no note",
                where=", ".join(self._options.paths),
                remedy="Begin a line with its time (03:20 rolled back), or: halfawake note TEXT.",
            )
        said = (count_of(len(reading.notes), "note"), count_of(reading.files, "file"))
        cannot = (NOT_WRITTEN, *(remark.sentence for remark in self._remarks(reading)))
        return CheckReport("notes of people", said, cannot, no_account=LOCAL_FILES)

    async def fetch(self, window: Window, budget: Budget) -> AsyncIterator[Batch]:
        """The notes of the window, nearest T first."""
        account = Account.opened(self.source, time.time_ns(), budget)
        reading = await self._read(InWindow.around(window))
        inside = [event for event in self._events(reading) if window.contains(event.timestamp)]
        inside.sort(key=lambda event: (abs(event.timestamp - window.pin), event.ref))
        yield account.batch(inside, bytes_read=reading.bytes_read)
        yield self._closing(reading, window, account)

    async def lookup(
        self, keys: Sequence[str], span: Window, budget: Budget
    ) -> AsyncIterator[Batch]:
        """Every note that names one of `keys`, whatever its time."""
        account = Account.opened(self.source, time.time_ns(), budget)
        wanted = frozenset(keys)
        named = Naming(tuple(key.partition(":")[2].rpartition("/")[2] for key in keys))
        reading = await self._read(named)
        events = [e for e in self._events(reading) if wanted.intersection(e.keys)]
        cuts = [Remark(self.source, "cut", cut) for cut in account.cuts]
        yield account.batch(events, remarks=cuts)
        found = {key for event in events for key in event.keys}
        if missing := [key for key in keys if key not in found]:
            yield account.not_found(missing, "no note names it")

    async def everything(self) -> list[Event]:
        """Every note that has a time, whatever the window: for who watches the files."""
        return self._events(await self._read())

    async def clock(self) -> ClockReading | None:
        """None: a file has no clock to read."""
        return None

    async def close(self) -> None:
        """Nothing stays open between questions."""

    async def _read(self, wanted: Wanted | None = None) -> Reading:
        options = self._options
        return await asyncio.to_thread(
            read_notes, options.paths, self._zone, options.format, wanted
        )

    def _events(self, reading: Reading) -> list[Event]:
        return [
            self._event(written, written.timestamp)
            for written in reading.notes
            if written.timestamp is not None
        ]

    def _event(self, written: Written, timestamp: int) -> Event:
        note, stamp = written.note, written.moment.stamp
        body, who = _body(written), clean(note.who[:LONGEST_NAME])
        told = {
            "who": who,
            "clock": "Slack's, to the second" if written.clock else "the writer's",
            "written": note.loosely,
            "day": AFTER_MIDNIGHT if written.past_midnight else written.moment.how,
            "ambiguous": TWICE.format(zone=self._zone.declared) if stamp.zone_ambiguous else "",
            "zone": "none written; UTC assumed" if stamp.zone_assumed else "",
            **{name: clean(value) for name, value in note.told.items()},
        }
        return Event(
            timestamp=timestamp,
            source=self.source,
            lane=Lane.NOTE,
            kind=Kind.NOTE,
            body=body,
            ref=f"{clean(written.file)}@{written.offset}",
            seq=written.offset,
            actor=who,
            clock=written.clock or f"writer {who}".strip(),
            meaning=Meaning.DERIVED if written.past_midnight else Meaning.OCCURRED,
            precision=stamp.precision,
            keys=self._key_rules.in_text(body),
            attributes=json.dumps({k: v for k, v in told.items() if v}, ensure_ascii=False),
        )

    def _remarks(self, reading: Reading) -> list[Remark]:
        told: list[Remark] = []

        def say(topic: str, count: int, words: str) -> None:
            if count:
                told.append(Remark(self.source, topic, words, count))

        stamps = [written.moment.stamp for written in reading.notes]
        for reason, count in sorted(reading.reasons.items()):
            say("undated", count, f"{count_of(count, 'note')} without a usable time: {reason}")
        for words, count in sorted(reading.told.items()):
            say("told", count, f"{words}: {count}")
        say("prose", reading.prose, f"{count_of(reading.prose, 'line')} without a time: not told")
        say("broken-line", reading.broken, f"{count_of(reading.broken, 'line')} hold no note")
        assumed = sum(stamp.zone_assumed for stamp in stamps)
        say("zone-assumed", assumed, f"{count_of(assumed, 'time')} without a zone read as UTC")
        twice = sum(stamp.zone_ambiguous for stamp in stamps)
        say("zone-ambiguous", twice, f"{count_of(twice, 'time')} in the hour that "
            f"{self._zone.declared} repeats; read as the first pass")  # fmt: skip
        passed = sum(written.past_midnight for written in reading.notes)
        say("past-midnight", passed, f"{count_of(passed, 'note')} placed on the day after the "
            "written one, because the clock went past midnight")  # fmt: skip
        return told

    def _closing(self, reading: Reading, window: Window, account: Account) -> Batch:
        cuts = (*account.cuts, *reading.cuts, *reading.problems)
        lost = len(reading.undated) + reading.broken
        words = list(cuts)
        if lost:
            words.append(f"{count_of(lost, 'note')} cannot be placed in time")
        sight = Sight.PARTIAL if words else Sight.FULL
        words.append(f"not seen: {NOT_WRITTEN}")
        seen = Coverage(self.source, window.start, window.end, sight, "; ".join(words))
        remarks = [Remark(self.source, "cut", cut) for cut in cuts]
        batch = account.batch((), coverage=(seen,), remarks=(*remarks, *self._remarks(reading)))
        listed = [_undated(written) for written in reading.undated]
        return replace(batch, undated=undated_frame(self.source, listed))


def _body(written: Written) -> str:
    note = written.note
    first = _bounded(f"{note.loosely} {note.text}".strip()) or "(nothing written)"
    further = [_bounded(line.strip()) for line in written.lines]
    return LINE_BREAK.join([first, *further])


def _bounded(line: str, most: int = LONGEST_LINE) -> str:
    cut = f"… [{len(line) - most} more characters, see the source]" if len(line) > most else ""
    return clean(line[:most]) + cut


def _undated(written: Written) -> Undated:
    return Undated(written.moment.stamp.reason, _body(written), f"{written.file}@{written.offset}")
