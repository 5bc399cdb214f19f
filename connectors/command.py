"""Any command that prints JSON lines, CSV or text: `kubectl logs`, `psql --csv`, `ssh …`.

Runs without a shell, with stdin closed, in a process group of its own that is ended by id. What
the command may do is the person's own choice; halfawake adds nothing to the argument list but
the window's ends.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import aclosing
from typing import ClassVar

from pydantic import BaseModel, Field

from connectors.contract import Answer, CheckReport
from connectors.file import LogOptions
from connectors.logs.zones import ZoneRule
from timeline.batch import Batch
from timeline.clock import ClockReading
from timeline.event import Lane
from timeline.keys import KeyRules
from timeline.window import Budget, Window

DEFAULT_TIMEOUT_S = 30.0
OWN_COMMAND = "what your own command may do is decided by it; halfawake only reads what it prints"


class CommandOptions(LogOptions):
    """Options of a `command` source."""

    argv: list[str] = Field(
        min_length=1,
        description="Program and arguments; {from} {to} {from_epoch} {to_epoch} are filled in.",
    )
    timeout_s: float = Field(default=DEFAULT_TIMEOUT_S, gt=0, description="Seconds it may take.")


class CommandConnector:
    """One command, run once per window."""

    system: ClassVar[str] = "command"
    lane: ClassVar[Lane] = Lane.LOG
    Options: ClassVar[type[BaseModel]] = CommandOptions
    runs: ClassVar[tuple[str, ...]] = ("argv",)

    def __init__(self, source: str, options: BaseModel, key_rules: KeyRules) -> None:
        if not isinstance(options, CommandOptions):
            raise TypeError(f"CommandOptions were expected, not {type(options).__name__}")
        self._source = source
        self._options = options
        self._key_rules = key_rules

    async def check(self) -> CheckReport:
        """Whether the program is there. It is not run: only a window says what for."""
        from connectors.logs.process import program_path

        path = await asyncio.to_thread(program_path, self._options.argv[0])
        cannot = []
        if not any("{from" in argument for argument in self._options.argv):
            cannot.append("the window: without {from} and {to} the command prints what it likes")
        if self._options.zone is None:
            cannot.append("the zone of stamps that carry none: UTC is assumed; set zone")
        return CheckReport(f"command {path}", (), tuple(cannot), no_account=OWN_COMMAND)

    async def fetch(self, window: Window, budget: Budget) -> AsyncIterator[Answer]:
        """Run the command for the window; what it printed before failing is kept."""
        from connectors.logs.output import CommandRun

        options = self._options
        run = CommandRun(
            self._source,
            options.argv,
            window,
            budget,
            self._key_rules,
            zone=ZoneRule.named(options.zone),
            service=options.service or "",
            format_name=options.format,
            timeout_s=options.timeout_s,
        )
        async with aclosing(run.batches()) as batches:
            async for batch in batches:
                yield batch

    async def lookup(
        self, keys: Sequence[str], span: Window, budget: Budget
    ) -> AsyncIterator[Batch]:
        """Nothing: a command is asked for a time range, never for a key."""
        del keys, span, budget
        return
        yield  # makes this an asynchronous generator

    async def clock(self) -> ClockReading | None:
        """None: a command's output carries no reading of its clock."""
        return None

    async def close(self) -> None:
        """Nothing stays running between questions."""
