"""What is different about the trouble, and one thing beside another like it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from timeline.clean import clean
from tui.gestures.filtering import Filtering

if TYPE_CHECKING:
    from timeline.analysis import Analysis
    from timeline.compare import Comparison
    from timeline.difference import Differences
    from timeline.incident import Incident


class Comparing(Filtering):
    """Opens the pages that compare; everything is worked out in a thread."""

    _first: str = ""
    """The key that was picked to be compared with the next."""

    def action_difference(self) -> None:
        from tui.difference_page import TITLE, difference_page  # not needed for the first frame
        from tui.told_page import PickPage

        glyphs = self._brush.glyphs
        self.app.push_screen(
            PickPage(
                self._brush,
                self._state,
                TITLE,
                _differences,
                lambda told, width, place: difference_page(told, width, place, glyphs),
                lambda told: len(told.found),
                self._show_difference,
            )
        )

    def action_compare(self) -> None:
        """Pick the first of two; with the second open both, twice on one its like."""
        if self.timeline.event is None or self._state.incident is None:
            self.say("There is no row yet that could be compared.")
            return
        key = self._main_key()
        if not key:
            self.say("This row carries no key of a job, a request, an order or a row.")
        elif self._first == key:
            self.compare_with_similar(key)
        elif self._first:
            self._open_comparison(self._first, key)
        else:
            self._first = key
            first = f"{clean(key)} is the first."
            self.say(f"{first} c on another row compares; c here again finds its like.")

    def compare_with_similar(self, key: str) -> None:
        """`key` beside the nearest like it that went well."""
        self._open_comparison(key, "")

    def _open_comparison(self, left: str, right: str) -> None:
        from tui.compare_page import TITLE, compare_page  # not needed for the first frame
        from tui.told_page import ToldPage

        self._first = ""
        glyphs = self._brush.glyphs
        self.app.push_screen(
            ToldPage(
                self._brush,
                self._state,
                TITLE,
                lambda incident, _: _comparison(incident, left, right),
                lambda told, width: compare_page(told[0], width, glyphs, told[1]),
            )
        )

    def _main_key(self) -> str:
        """The key of the row under the cursor that names its job, request or thing; or nothing."""
        event, incident = self.timeline.event, self._state.incident
        if event is None or incident is None:
            return ""
        from timeline.similar import main_key  # whoever made the snapshot has loaded its library

        return main_key(event, incident.snapshot.broad_keys, self._first)

    def _show_difference(self, told: Differences, place: int) -> None:
        """Show only the rows that it is about, or where no filter can say it, go to the first."""
        incident, one = self._state.incident, told.found[place]
        if incident is None or one.row >= incident.snapshot.events.height:
            return
        from timeline.difference_filter import part_of

        event = incident.snapshot.event(one.row)
        named = f"{one.field}:{one.value}"
        part = part_of(one, key=named if named in event.keys else "", body=event.body)
        if part is None:
            if not self.timeline.go_to_event(event):
                self.timeline.go_to_time(event.timestamp)
            self.place_changed()
            self.say(
                f"No filter can say {one.field} {clean(one.value)}: this is the first such row."
            )
            return
        self.timeline.go_to_event(event)
        self.narrow(self._state.sieve.wanted.adding(part))


def _differences(incident: Incident, analysis: Analysis | None) -> Differences:
    from timeline.difference import differences

    if analysis is None:
        raise ValueError("The onset is not known yet: this page fills when the sources answered.")
    return differences(incident, analysis)


def _comparison(incident: Incident, left: str, right: str) -> tuple[Comparison, str]:
    """Both beside each other, and by what the second was chosen; without one, the like of `left`
    that went well."""
    from timeline.compare import compare

    if right:
        return compare(incident, left, right), ""
    from timeline.similar import similar_that_went_well

    found = similar_that_went_well(incident, left)
    return compare(incident, left, found.key), found.by
