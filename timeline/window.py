"""The pinned instant, the window around it, and what may be spent on reading it.

Plain standard library: these objects exist before the first frame is painted.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

SECOND_NS = 1_000_000_000
MINUTE_NS = 60 * SECOND_NS

DEFAULT_BEFORE_NS = 30 * MINUTE_NS
"""An alert is five to fifteen minutes late, so the window reaches well before T."""
DEFAULT_AFTER_NS = 5 * MINUTE_NS


@dataclass(frozen=True, slots=True)
class Window:
    """A half-open stretch `[start, end)` of nanoseconds UTC around the pinned instant."""

    pin: int
    start: int
    end: int

    def __post_init__(self) -> None:
        if self.end <= self.start:
            raise ValueError(f"window ends ({self.end}) before it begins ({self.start})")

    @classmethod
    def around(
        cls,
        pin: int,
        before: int = DEFAULT_BEFORE_NS,
        after: int = DEFAULT_AFTER_NS,
        now: int | None = None,
    ) -> Window:
        """The window `before`/`after` nanoseconds around `pin`, never reaching past `now`."""
        end = pin + after
        if now is not None:
            end = max(min(end, now), pin + 1)
        return cls(pin, pin - before, end)

    def contains(self, timestamp: int) -> bool:
        return self.start <= timestamp < self.end

    def scaled(self, factor: float, now: int | None = None) -> Window:
        """The same pin with both arms `factor` times as long."""
        before = int((self.pin - self.start) * factor)
        after = int((self.end - self.pin) * factor)
        return Window.around(self.pin, max(before, SECOND_NS), max(after, SECOND_NS), now)

    def repinned(self, pin: int, now: int | None = None) -> Window:
        """A window of the same arms around another instant."""
        return Window.around(pin, self.pin - self.start, self.end - self.pin, now)


@dataclass(frozen=True, slots=True)
class Budget:
    """The most that one source may read for one question. Every cut is shown to the person."""

    rows: int = 50_000
    bytes: int = 512 * 1024 * 1024
    seconds: float = 30.0
    preview: bool = True
    """Whether rows nearest T may be told first; who reads on behind the window needs none."""

    def with_rows(self, rows: int) -> Budget:
        return replace(self, rows=rows)
