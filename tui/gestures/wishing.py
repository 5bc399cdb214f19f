"""What was asked for before the screen opened: a service, the keys and words of a pasted alert.

Becomes the filter's chips, as if they had been typed: Esc takes them back, nothing is lost. What a
person has narrowed meanwhile stands.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from tui.gestures.filtering import Filtering

if TYPE_CHECKING:
    from timeline.store import Snapshot
    from timeline.wish import Wish


class Wishing(Filtering):
    """Grants a wish once all sources have answered."""

    def grant(self, wish: Wish, snapshot: Snapshot) -> None:
        """Narrow to what is wished where some row has it, and say so in the footer."""
        from timeline.wish import filter_of

        sieve = self._state.sieve
        wanted = filter_of(snapshot, wish)
        said = [f"no row was spoken by {name}" for name in wish.services if not wanted]
        if wanted and not sieve.narrowed:
            self.narrow(wanted)
            said.append("esc shows all rows")
        held = [key for key in wish.keys if len(snapshot.rows_with([key]))]
        if held:
            said.append(f"f follows {held[0]}")
        elif wish.keys and not sieve.follow:
            said.append(f"no row carries {wish.keys[0]}")
        if said:
            self.say("; ".join(said))
