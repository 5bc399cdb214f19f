"""Log files on this machine: plain, rotated, compressed; lines, JSON, CSV, a container's output.

Files are opened read-only and never as a whole: the window is found by bisection. The first rows
come from `logs.preview`, which needs no library; the rest is parsed in chunks, nearest T first.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncIterator, Generator, Iterator, Sequence
from contextlib import aclosing
from typing import TYPE_CHECKING, ClassVar

from pydantic import BaseModel, ConfigDict, Field, field_validator

from connectors.contract import Answer, CheckReport
from connectors.discovery import Candidate, Place
from connectors.logs.bridge import in_thread
from connectors.logs.formats import NAMES
from connectors.logs.preview import preview_files
from connectors.logs.zones import ZoneRule
from timeline.batch import Batch, Preview
from timeline.clock import ClockReading
from timeline.event import Lane
from timeline.keys import KeyRules
from timeline.window import Budget, Window

if TYPE_CHECKING:
    from connectors.logs.sources import OpenSource, Settings


LOG_FOLDERS = ("log", "logs", "storage/logs")
"""Where frameworks write on a developer's machine: Rails, most others, Laravel."""


class LogOptions(BaseModel):
    """What can be said of any log text, from a file or a command."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    zone: str | None = Field(
        default=None,
        description="Zone of stamps that carry none: IANA name or +hh:mm. UTC is assumed without.",
    )
    service: str | None = Field(
        default=None, description="Who speaks, for lines that name no service themselves."
    )
    format: str | None = Field(
        default=None, description="One of the format names; decided from a sample without."
    )

    @field_validator("zone")
    @classmethod
    def _zone_exists(cls, zone: str | None) -> str | None:
        ZoneRule.named(zone)
        return zone

    @field_validator("format")
    @classmethod
    def _format_exists(cls, name: str | None) -> str | None:
        if name is not None and name not in NAMES:
            raise ValueError(f"format {name!r} is not one of {', '.join(NAMES)}")
        return name


class FileOptions(LogOptions):
    """Options of a `file` source."""

    paths: list[str] = Field(
        min_length=1, description="Files, patterns (/var/log/shop/*.log) or folders."
    )


class FileConnector:
    """The files of one source; rotation sets are read as one."""

    system: ClassVar[str] = "file"
    lane: ClassVar[Lane] = Lane.LOG
    Options: ClassVar[type[BaseModel]] = FileOptions

    def __init__(self, source: str, options: BaseModel, key_rules: KeyRules) -> None:
        if not isinstance(options, FileOptions):
            raise TypeError(f"FileOptions were expected, not {type(options).__name__}")
        self._source = source
        self._options = options
        self._key_rules = key_rules
        self._numbers: dict[str, int] = {}

    @staticmethod
    def candidates(place: Place) -> Iterator[Candidate]:
        """Folders of the checkout in which frameworks leave `*.log`; these are local by nature."""
        for folder in LOG_FOLDERS:
            if any((place.folder / folder).glob("*.log")):
                paths = {"paths": [f"{folder}/*.log"]}
                yield Candidate("file", "files", paths, f"the folder {folder}", local=True)

    async def check(self) -> CheckReport:
        """Open every file, decide its format and read its first and last stamp."""
        from connectors.logs.describe import describe

        return await asyncio.to_thread(describe, self._source, self._settings())

    async def fetch(self, window: Window, budget: Budget) -> AsyncIterator[Answer]:
        """A preview around T, then the window in batches; the last one carries the coverage."""
        if budget.preview:
            preview = await asyncio.to_thread(self._preview, window)
            if preview.events:
                yield preview
        stop = threading.Event()
        async with aclosing(in_thread(self._load(window, budget, stop), stop)) as batches:
            async for batch in batches:
                yield batch

    async def lookup(
        self, keys: Sequence[str], span: Window, budget: Budget
    ) -> AsyncIterator[Batch]:
        """Every record that carries one of `keys`, whatever its time."""
        stop = threading.Event()
        found = self._look_up(keys, span, budget, stop)
        async with aclosing(in_thread(found, stop)) as batches:
            async for batch in batches:
                yield batch

    async def clock(self) -> ClockReading | None:
        """None: a file has no clock to read."""
        return None

    async def close(self) -> None:
        """Nothing stays open between questions."""

    def _preview(self, window: Window) -> Preview:
        options = self._options
        return preview_files(
            self._source,
            options.paths,
            window,
            zone=options.zone,
            service=options.service,
            format_name=options.format,
            key_rules=self._key_rules,
        )

    def _load(
        self, window: Window, budget: Budget, stop: threading.Event
    ) -> Generator[Batch, None, None]:
        from connectors.logs.load import WindowLoad

        opened = self._open()
        try:
            load = WindowLoad(self._source, opened, self._key_rules, window, budget, stop)
            yield from load.batches()
        finally:
            opened.close()

    def _look_up(
        self, keys: Sequence[str], span: Window, budget: Budget, stop: threading.Event
    ) -> Generator[Batch, None, None]:
        from connectors.logs.lookup import look_up

        opened = self._open()
        try:
            yield from look_up(self._source, opened, keys, span, budget, self._key_rules, stop)
        finally:
            opened.close()

    def _settings(self) -> Settings:
        from connectors.logs.sources import Settings

        options = self._options
        return Settings(
            tuple(options.paths),
            ZoneRule.named(options.zone),
            options.service or "",
            options.format,
        )

    def _open(self) -> OpenSource:
        from connectors.logs.sources import open_source

        return open_source(self._source, self._settings(), self._numbers)
