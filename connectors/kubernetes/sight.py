"""What a cluster could still show of a window, as coverage; a claim of absence rests on it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from connectors.logs.sight import instant
from timeline.coverage import Coverage, Sight
from timeline.problems import SourceProblem
from timeline.window import SECOND_NS, Window

if TYPE_CHECKING:
    from connectors.kubernetes.podlogs import Told
    from connectors.kubernetes.pods import Pod

NEWEST_FILE = "kubectl shows a container's newest log file only"
NAMED_PODS = 5
QUIET_START_NS = 60 * SECOND_NS
"""A first line that comes later than this after the start was not the first: programs report
themselves within a minute. Silence and rotation look alike from here, so the doubt is said."""


class Sights:
    """Gathers, for one window, what could not be seen."""

    def __init__(self, source: str, window: Window, now: int) -> None:
        self._source = source
        self._window = window
        self._now = now
        self._until = max(min(window.end, now), window.start)
        self._weak: list[Coverage] = []

    def pods(self, present: list[Pod], named: list[str], selected: bool) -> None:
        """Pods are a list of now; events may still name some that are gone."""
        here = {f"{pod.namespace}/{pod.name}" for pod in present}
        gone = sorted({name for name in named if name} - here)
        words = "pods that are gone took their lines and their status with them"
        if gone and not selected:
            more = f" and {len(gone) - NAMED_PODS} more" if len(gone) > NAMED_PODS else ""
            words += f"; events still name {', '.join(gone[:NAMED_PODS])}{more}"
        self._add(Sight.NOW_ONLY, words, "look in the place where the cluster ships its logs")

    def events(self, ttl_s: int) -> None:
        """Events older than their time to live are gone."""
        horizon = self._now - ttl_s * SECOND_NS
        if horizon > self._window.start:
            self._add(
                Sight.PARTIAL,
                f"the cluster keeps events for {ttl_s:,} s, so those before {instant(horizon)} are "
                "gone",
                end=min(horizon, self._until),
            )

    def no_events(self, problem: SourceProblem) -> None:
        self._add(Sight.PARTIAL, f"events could not be read: {problem.what}", problem.remedy)

    def container(self, told: Told, oldest: int | None) -> None:
        """How far back the lines of one container reach."""
        name = told.asked.name
        if told.complaint:
            self._add(Sight.PARTIAL, f"{name}: no lines: {told.complaint}")
        container = told.asked.container
        began = container.started
        if (told.asked.previous or container.waiting) and container.last is not None:
            began = container.last.started
        horizon = oldest if oldest is not None else told.first
        rotated = began is None or (horizon is not None and horizon - began > QUIET_START_NS)
        if horizon is not None and horizon > self._window.start and rotated:
            self._add(
                Sight.PARTIAL,
                f"{name}: {NEWEST_FILE}; it begins {instant(horizon)}",
                "read the node's files for what was rotated away",
                end=min(horizon, self._until),
            )

    def cut(self, sentence: str) -> None:
        self._add(Sight.PARTIAL, sentence, "narrow it with namespace, selector or a shorter window")

    def coverage(self) -> tuple[Coverage, ...]:
        """Everything that is weak, and the stretch that had not happened yet."""
        entries = list(dict.fromkeys(self._weak))
        if self._until < self._window.end:
            words = "this had not happened yet when the cluster was asked"
            start = max(self._until, self._window.start)
            entries.append(Coverage(self._source, start, self._window.end, Sight.PARTIAL, words))
        return tuple(entries)

    def _add(self, sight: Sight, reason: str, remedy: str = "", end: int | None = None) -> None:
        end = self._until if end is None else end
        if end > self._window.start:
            self._weak.append(
                Coverage(self._source, self._window.start, end, sight, reason, remedy)
            )
