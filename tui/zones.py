"""A second zone beside UTC, on request: which one, and what its clocks showed at an instant.

The first column stays UTC always. An offset is that of the instant itself, so a clock change in
the window is shown where it happened.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import UTC, datetime, tzinfo

from timeline.event import Precision
from timeline.words import moment

BESIDE_CELLS = 11
"""`04:13:40+02`."""
UNEVEN_CELLS = 14
"""`07:43:40+05:30`, for zones that are not whole hours from UTC."""


class Zones:
    """The zones there are to choose from; none of them is looked up before it is asked for."""

    def __init__(self, known: Callable[[], Sequence[tzinfo]] = tuple) -> None:
        self._known = known
        self._zones: list[tzinfo] | None = None
        self._place = -1

    @property
    def all(self) -> list[tzinfo]:
        """Zones other than UTC: that of this machine, then configured ones."""
        if self._zones is None:
            self._zones = []
            for zone in self._known():
                if zone not in (UTC, *self._zones):
                    self._zones.append(zone)
        return self._zones

    @property
    def of_the_person(self) -> tzinfo | None:
        """The zone whose times the person may type: the one shown, else that of this machine."""
        return self.shown or (self.all[0] if self.all else None)

    @property
    def shown(self) -> tzinfo | None:
        """The zone beside UTC, or None."""
        return self.all[self._place] if self._place >= 0 else None

    def turn(self) -> tzinfo | None:
        """The next zone; after the last one UTC alone."""
        self._place += 1
        if self._place >= len(self.all):
            self._place = -1
        return self.shown


def beside(timestamp: int, precision: Precision, zone: tzinfo) -> str:
    """`04:13:40+02`: the time of day of the zone's clocks, and their offset just then."""
    local = moment(timestamp).astimezone(zone)
    face = local.strftime("%H:%M" if precision is Precision.MINUTE else "%H:%M:%S")
    return f"{face}{offset_words(local)}"


def cells_for(zone: tzinfo | None, at: int) -> int:
    """Cells of the column; none without a zone."""
    if zone is None:
        return 0
    whole = ":" not in offset_words(moment(at).astimezone(zone))
    return BESIDE_CELLS if whole else UNEVEN_CELLS


def offset_words(local: datetime) -> str:
    """`+02`, `+05:30`."""
    offset = local.strftime("%z")
    return offset[:3] if offset[3:5] == "00" else f"{offset[:3]}:{offset[3:5]}"


def short_name(zone: tzinfo, at: int) -> str:
    """`Berlin +01`, for a line with little room."""
    return zone_name(zone, at).rpartition("/")[2]


def zone_name(zone: tzinfo, at: int) -> str:
    """`Europe/Berlin +01` as it was at `at`; the offset alone for a zone without a name."""
    offset = offset_words(moment(at).astimezone(zone))
    name = getattr(zone, "key", None)
    return f"{name} {offset}" if name else f"UTC{offset}"
