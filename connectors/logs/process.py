"""Start one program without a shell, read it, and end it for certain."""

from __future__ import annotations

import asyncio
import contextlib
import os
import shutil
import signal
import time
from collections.abc import Sequence
from datetime import UTC, datetime

from timeline.clean import clean_bytes
from timeline.problems import AccessRefused, Misconfigured, Unreachable
from timeline.window import SECOND_NS, Window

GRACE_S = 0.35
"""Between the polite and the final signal; both together stay within the second we promise."""
STDERR_BYTES = 8 * 1024
"""Kept of what a command complains; the rest is read and dropped, so that it never blocks."""
STDERR_LINES = 3


def filled(argv: Sequence[str], window: Window) -> list[str]:
    """The arguments with the window's ends filled in, widened to whole seconds."""
    start, end = window.start // SECOND_NS, -(-window.end // SECOND_NS)
    values = {
        "{from}": _iso(start),
        "{to}": _iso(end),
        "{from_epoch}": str(start),
        "{to_epoch}": str(end),
    }
    found = []
    for argument in argv:
        for name, value in values.items():
            argument = argument.replace(name, value)
        found.append(argument)
    return found


def _iso(seconds: int) -> str:
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def program_path(program: str) -> str:
    """Where the program is; `Misconfigured` when it is not on the PATH."""
    path = shutil.which(program)
    if path is None:
        raise Misconfigured(
            f"The program {program!r} was not found",
            where="argv",
            remedy="Install it, or give its full path.",
        )
    return path


async def start(argv: Sequence[str]) -> asyncio.subprocess.Process:
    """Start the program in a process group of its own. Raises a `SourceProblem` if it cannot."""
    program_path(argv[0])
    try:
        return await asyncio.create_subprocess_exec(
            *argv,
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
            start_new_session=True,
        )
    except PermissionError as error:
        raise AccessRefused(f"{argv[0]} may not be executed", where="argv") from error
    except OSError as error:
        raise Unreachable(f"{argv[0]} did not start: {error.strerror}", where="argv") from error


async def end(process: asyncio.subprocess.Process, complaints: asyncio.Task[str]) -> None:
    """Terminate the process and what it started, kill it if it does not go, close its pipes."""
    for number in (signal.SIGTERM, signal.SIGKILL):
        if process.returncode is not None:
            break
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(process.pid, number)
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(process.wait(), GRACE_S)
    with contextlib.suppress(TimeoutError):  # a pipe closes only when it was read to its end
        async with asyncio.timeout(GRACE_S / 2):
            if process.stdout is not None:
                while await process.stdout.read(STDERR_BYTES):
                    pass
            await complaints
    complaints.cancel()


async def gone(process: asyncio.subprocess.Process, deadline: float) -> bool:
    """Wait for the end of a process that closed its output, up to `deadline` (monotonic s)."""
    try:
        await asyncio.wait_for(process.wait(), max(deadline - time.monotonic(), GRACE_S))
    except TimeoutError:
        return False
    return True


async def said(complaints: asyncio.Task[str]) -> str:
    """What was complained of, without waiting for a pipe that something else holds open."""
    await asyncio.wait([complaints], timeout=GRACE_S)
    return complaints.result() if complaints.done() and not complaints.cancelled() else ""


async def complaint(stream: asyncio.StreamReader) -> str:
    """The first lines of stderr, cleaned, after reading all of it."""
    kept = b""
    while block := await stream.read(STDERR_BYTES):
        kept += block[: STDERR_BYTES - len(kept)]
    lines = [line for line in kept.splitlines() if line.strip()]
    return " · ".join(clean_bytes(line.strip()) for line in lines[:STDERR_LINES])
