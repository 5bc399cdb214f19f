"""Windows that were left, so that pinning and widening can be undone and done again."""

from __future__ import annotations

from collections.abc import Iterable

from timeline.window import Window


class WindowPast:
    """Two stacks around the present window; going anywhere new forgets what was undone."""

    def __init__(self) -> None:
        self._before: list[Window] = []
        self._after: list[Window] = []

    @property
    def before(self) -> tuple[Window, ...]:
        """The windows that `back` goes through, the oldest first."""
        return tuple(self._before)

    def refill(self, before: Iterable[Window]) -> None:
        """Take over the windows of an earlier look at the same incident."""
        self._before, self._after = list(before), []

    def leave(self, present: Window) -> None:
        """Another window is opened from `present`."""
        self._before.append(present)
        self._after.clear()

    def back(self, present: Window) -> Window | None:
        """The window before `present`; None when there is none."""
        return _exchange(self._before, self._after, present)

    def forth(self, present: Window) -> Window | None:
        """The window that `back` left; None when there is none."""
        return _exchange(self._after, self._before, present)


def _exchange(taken: list[Window], kept: list[Window], present: Window) -> Window | None:
    if not taken:
        return None
    kept.append(present)
    return taken.pop()
