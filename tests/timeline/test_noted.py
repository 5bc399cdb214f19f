"""A typed note: which words are its time, which instant that is, and what is refused."""

from __future__ import annotations

from zoneinfo import ZoneInfo

import pytest

from timeline.noted import Meant, note_meant
from timeline.pin import PinProblem
from timeline.window import MINUTE_NS, SECOND_NS, Window

T = 1_773_454_420 * SECOND_NS
"""2026-03-14 02:13:40 UTC."""
WINDOW = Window.around(T)
NOW = T + 31 * MINUTE_NS
BERLIN = ZoneInfo("Europe/Berlin")


def meant(typed: str, zone: ZoneInfo | None = None) -> Meant:
    return note_meant(typed, WINDOW, NOW, zone)


def test_without_a_time_it_is_now() -> None:
    note = meant("  paused   mailers ")
    assert (note.at, note.text, note.to_the_second) == (NOW, "paused mailers", True)
    assert note.words == "now, 02:44:40Z, T +31m00.0s"


@pytest.mark.parametrize(
    ("typed", "seconds_from_t", "to_the_second"),
    [
        ("@02:13 paused", -40, False),
        ("@02:13:05 paused", -35, True),
        ("@-6m paused", -360, False),
        ("@-90s paused", -90, True),
        ("@+5m paused", 300, False),
        ("@10m ago paused", 21 * 60, False),
        ("@now paused", 31 * 60, True),
        ("@02:40 paused", 26 * 60 + 20, False),  # behind the window, in the time of repair
        ("@2026-03-14T02:10:11Z paused", -209, True),
        ("@2026-03-14 02:10 Z paused", -220, False),
        ("@1773454420 paused", 0, True),
    ],
)
def test_a_time_in_front_is_the_time(typed: str, seconds_from_t: int, to_the_second: bool) -> None:
    note = meant(typed)
    assert (note.at - T) // SECOND_NS == seconds_from_t
    assert note.text == "paused"
    assert note.to_the_second is to_the_second


def test_a_number_behind_the_time_stays_in_the_text() -> None:
    assert meant("@02:13 10 mailers paused").text == "10 mailers paused"
    assert meant("@ office, 3 of us").text == "@ office, 3 of us"


def test_the_zone_of_the_person_counts_when_only_it_fits() -> None:
    assert meant("@03:13 paused", BERLIN).at == T - 40 * SECOND_NS
    assert "Europe/Berlin" in meant("@03:13 paused", BERLIN).words
    wide = Window.around(T, 3 * 60 * MINUTE_NS)
    with pytest.raises(PinProblem, match="fits more than once"):
        note_meant("@02:13 paused", wide, NOW, BERLIN)


@pytest.mark.parametrize(
    ("typed", "because"),
    [
        ("", "Say what was done"),
        ("@02:13", "now say what was done"),
        ("@soon paused", "'soon' is no time"),
        ("@23:00 paused", "not in this window"),
        ("@+2h paused", "has not come yet"),
        ("@6m paused", "in which direction"),
    ],
)
def test_what_cannot_be_meant_is_refused_with_a_sentence(typed: str, because: str) -> None:
    with pytest.raises(PinProblem, match=because):
        meant(typed)
