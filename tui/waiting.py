"""Who is still being waited for, and the words for how far each source is.

Pure. "Slow" is what a person has begun to wonder about, not what is wrong.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from timeline.words import count_of, grouped
from tui.actions import key_of

if TYPE_CHECKING:
    from timeline.progress import SourceStatus

SLOW_S = 5.0
"""A page or a window that answers within this is waited for without a thought; after it a person
wonders whether to go on without."""
WORTH_TELLING_S = 2.0
"""Shorter waits are over before they are read."""
_BYTE_UNITS = ((1 << 30, "GiB"), (1 << 20, "MiB"), (1 << 10, "KiB"))


def slowest(statuses: Sequence[SourceStatus]) -> SourceStatus | None:
    """The source that is waited for longest; of equals, the one that told least."""
    waited = [status for status in statuses if not status.answered]
    return max(waited, key=lambda s: (int(s.elapsed_s), -s.rows, -s.bytes_read), default=None)


def skip_hint(statuses: Sequence[SourceStatus]) -> str:
    """`x skip jobs (12 s)` while something is slow, else empty: the first words of the footer."""
    status = slowest(statuses)
    if status is None or status.elapsed_s < SLOW_S:
        return ""
    return f"{key_of('skip_slowest')} skip {status.source} ({status.elapsed_s:.0f} s)"


def reading_words(statuses: Sequence[SourceStatus]) -> str:
    """`Reading jobs (7 s of 30 s), shop.`; empty when nobody is waited for."""
    waited = [_waited(status) for status in statuses if not status.answered]
    return f"Reading {', '.join(waited)}." if waited else ""


def progress_words(status: SourceStatus) -> str:
    """`1 204 rows, 14.2 MiB, 3.4 s of 20 s`: rows, bytes, time, and the deadline until answered."""
    parts = [count_of(status.rows, "row")]
    if status.bytes_read:
        parts.append(bytes_words(status.bytes_read))
    elapsed = f"{status.elapsed_s:.1f} s"
    if status.deadline_s and not status.answered:
        elapsed += f" of {status.deadline_s:.0f} s"
    return ", ".join([*parts, elapsed])


def so_far(status: SourceStatus, cells: int) -> str:
    """What one source told yet, in at most `cells` cells: `12 304 so far`, `12 304 rows, 7 s`."""
    waited = f"{status.elapsed_s:.0f} s" if status.elapsed_s >= WORTH_TELLING_S else ""
    rows = grouped(status.rows)
    if not status.rows:
        said = [f"{status.phase.value} {waited}" if waited else "", f"{status.phase.value}..."]
    else:
        said = [f"{rows} rows, {waited}", f"{rows}, {waited}"] if waited else []
        said.append(f"{rows} so far")
    return next((words for words in said if words and len(words) <= cells), rows)


def bytes_words(count: int) -> str:
    """`14.2 MiB`, `512 bytes`."""
    for size, unit in _BYTE_UNITS:
        if count >= size:
            return f"{count / size:.1f} {unit}"
    return f"{grouped(count)} bytes"


def _waited(status: SourceStatus) -> str:
    if status.elapsed_s < WORTH_TELLING_S:
        return status.source
    most = f" of {status.deadline_s:.0f} s" if status.deadline_s else ""
    return f"{status.source} ({status.elapsed_s:.0f} s{most})"
