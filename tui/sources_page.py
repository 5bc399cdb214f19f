"""Every source on one page: what it answered, what it could not see, and what to do about it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from timeline.progress import Phase, SourceStatus
from timeline.words import LANE_WORDS, clock_face, count_of, grouped
from tui.lanes import Known, known_sources
from tui.pieces import Line, paragraph
from tui.reader import Page

if TYPE_CHECKING:
    from timeline.coverage import Coverage
    from tui.state import ScreenState
    from tui.theme import Role

_PHASE_ROLES: dict[Phase, Role] = {
    Phase.DONE: "success",
    Phase.CUT: "warning",
    Phase.FAILED: "error",
}
_BYTE_UNITS = ((1 << 30, "GiB"), (1 << 20, "MiB"), (1 << 10, "KiB"))


def sources_page(state: ScreenState, width: int) -> Page:
    """One block for each source, then records that carry no time."""
    count = len(state.statuses)
    title: Line = [
        (" sources ", "badge"),
        (f" {state.answered} of {count} answered", "text"),
    ]
    lines: list[Line] = []
    for known in known_sources(state):
        lines += [[], *_source_lines(state, known, width)]
    lines += _undated_lines(state, width)
    if state.analysis is not None and state.analysis.looked_for:
        lines += [[], [(" looked for, and not found in what the sources show", "info")]]
        lines += paragraph(", ".join(state.analysis.looked_for), width, first="   ")
    if state.analysis is not None and state.analysis.not_evaluated:
        lines += [[], [(" detectors that could not look", "info")]]
        for entry in state.analysis.not_evaluated:
            lines += paragraph(entry.sentence(), width, first="   ")
    return Page(title, lines)


def _source_lines(state: ScreenState, known: Known, width: int) -> list[Line]:
    status = known.status
    head: list[tuple[str, Role]] = [
        (f" {known.name}", "strong"),
        (f"  {LANE_WORDS[known.lane]}", "dim"),
    ]
    if status is not None:
        head += [
            (f"  {status.system}", "dim"),
            (f"  {status.phase.value}", _PHASE_ROLES.get(status.phase, "accent")),
            (f"  {_progress(status)}", "text"),
        ]
    lines: list[Line] = [head]
    if status is not None and status.problem:
        lines += paragraph(status.problem, width, "error", first="   ")
    if status is not None and status.remedy:
        lines += paragraph(status.remedy, width, "info", first="   do: ")
    incident = state.incident
    if incident is None:
        return lines
    forgets = next((s.forgets for s in incident.sources if s.name == known.name), "")
    if forgets:
        lines += paragraph(forgets, width, "warning", first="   forgets: ")
    lines += paragraph(incident.clocks.bound(known.name).words(), width, first="   clock: ")
    for entry in incident.snapshot.coverage.of(known.name):
        lines += paragraph(_coverage_words(entry), width, first="   sight: ")
    for remark in incident.snapshot.remarks:
        if remark.source == known.name:
            lines += paragraph(remark.sentence, width, "warning", first="   note: ")
    return lines


def _progress(status: SourceStatus) -> str:
    parts = [count_of(status.rows, "row"), bytes_words(status.bytes_read)]
    elapsed = f"{status.elapsed_s:.1f} s"
    if status.deadline_s and not status.answered:
        elapsed += f" of {status.deadline_s:.0f} s"
    return ", ".join([*parts, elapsed])


def bytes_words(count: int) -> str:
    """`14.2 MiB`, `512 bytes`."""
    for size, unit in _BYTE_UNITS:
        if count >= size:
            return f"{count / size:.1f} {unit}"
    return f"{grouped(count)} bytes"


def _coverage_words(entry: Coverage) -> str:
    sight = entry.sight.value.replace("_", " ")
    words = f"{sight} {clock_face(entry.start)} to {clock_face(entry.end)}"
    words += f", {entry.reason}" if entry.reason else ""
    return f"{words}. {entry.remedy}" if entry.remedy else words


UNDATED_SHOWN = 20
"""Undated records printed on the page; they are counted in full."""


def _undated_lines(state: ScreenState, width: int) -> list[Line]:
    if state.incident is None or not state.incident.snapshot.undated.height:
        return []
    undated = state.incident.snapshot.undated
    lines: list[Line] = [[], [(f" {count_of(undated.height, 'record')} without a time", "info")]]
    for source, reason, body, ref in undated.head(UNDATED_SHOWN).iter_rows():
        lines += paragraph(f"{body}", width, "dim", first=f"   {source} {ref}, {reason}: ")
    return lines
