"""Filtering on the screen: typed, picked, taken back, set aside; search and jumps as typed."""

from __future__ import annotations

import asyncio
from dataclasses import replace

import pytest
from textual.widgets import Input

from tests.tui import story
from tests.tui.conftest import Night, Opening
from timeline.event import Event
from timeline.filter_terms import Field, Filter, Part
from timeline.incident import Incident
from timeline.progress import IncidentGrew, PreviewArrived, StatusChanged
from timeline.words import grouped
from tui.chips import chips_line, chips_of
from tui.filter_state import Draft, Sieve
from tui.pieces import plain, width_of
from tui.rows import identity

ALL = len(story.CAST) + len(story.crowd())
ROWS = grouped(ALL)
ERRORS = sum(
    event.severity_number >= 17 or event.kind.value == "job.failed"
    for event in [*story.CAST, *story.crowd()]
)


def chips(night: Night) -> str:
    """The line above the rows."""
    top = night.timeline.region.y
    return night.screen_lines()[top - 1]


async def typed(night: Night, line: str, *keys: str) -> None:
    await night.press("w", *line, *keys)


async def test_a_typed_filter_hides_rows_and_says_how_many(open_night: Opening) -> None:
    async with open_night() as night:
        await night.tell_all()
        lanes = night.screen_lines()[7:14]
        await typed(night, "level:error", "enter")
        assert len(night.state.rows) == ERRORS
        assert "ERROR and worse" in chips(night)
        assert f"{ERRORS} shown of {ROWS} rows" in chips(night)
        bodies = [night.state.rows.event(n).severity_number for n in range(ERRORS)]
        assert min(bodies[n] or 17 for n in range(ERRORS)) >= 17
        assert [line[:55] for line in night.screen_lines()[7:14]] == [line[:55] for line in lanes]


async def test_what_is_searched_before_the_rows_are_read_is_found_when_they_are(
    open_night: Opening,
) -> None:
    async with open_night() as night:
        await night.tell(StatusChanged(story.statuses()))
        await night.tell(PreviewArrived(story.preview()))
        await night.press("/", *"redis:6379 answers", "enter")
        assert "No row holds" not in "".join(night.screen_lines())
        assert "esc ends" in chips(night)
        await night.tell(IncidentGrew(story.incident(), story.ANALYSIS))
        assert night.timeline.event is not None
        assert night.timeline.event.body == story.RECOVERED.body
        await night.press("escape", "/", *"there is no such row", "enter")
        assert "No row holds" in "".join(night.screen_lines())


def so_far(*bodies: str) -> Incident:
    """The story while its logs are still being read: the rows of the cast without these."""
    kept = [event for event in [*story.CAST, *story.crowd()] if event.body not in bodies]
    return replace(story.incident(kept), reading=("web",))


async def test_what_is_searched_while_sources_are_read_is_found_when_it_comes(
    open_night: Opening,
) -> None:
    async with open_night() as night:
        await night.tell(StatusChanged(story.statuses(answered=2)))
        await night.tell(IncidentGrew(so_far(story.RECOVERED.body), None))
        await night.press("/", *"redis:6379 answers", "enter")
        shown = "".join(night.screen_lines())
        assert "No row read so far holds 'redis:6379 answers'" in shown
        assert "esc ends" in chips(night)
        await night.tell(IncidentGrew(story.incident(), story.ANALYSIS))
        assert night.timeline.event is not None
        assert night.timeline.event.body == story.RECOVERED.body


async def test_who_has_moved_on_is_not_taken_to_a_match_that_comes(open_night: Opening) -> None:
    async with open_night() as night:
        await night.tell(IncidentGrew(so_far(story.RECOVERED.body), None))
        await night.press("/", *"redis:6379 answers", "enter", "up", "up")
        here = night.read
        await night.tell(IncidentGrew(story.incident(), story.ANALYSIS))
        assert night.read == here
        assert "1 found" in chips(night)
        await night.press("escape", "/", *"there is no such row", "enter")
        assert "No row holds" in "".join(night.screen_lines())


async def test_that_no_row_holds_it_is_said_when_the_last_source_is_read(
    open_night: Opening,
) -> None:
    async with open_night() as night:
        await night.tell(IncidentGrew(so_far(story.RECOVERED.body), None))
        await night.press("/", *"there is no such row", "enter")
        assert "No row holds" not in "".join(night.screen_lines())
        await night.tell(IncidentGrew(story.incident(), story.ANALYSIS))
        assert "No row holds 'there is no such row'." in "".join(night.screen_lines())
        assert not night.state.search


async def test_what_was_understood_is_shown_before_it_is_applied(open_night: Opening) -> None:
    async with open_night() as night:
        await night.tell_all()
        await typed(night, "level:error -source:web mail")
        assert 'ERROR and worse   not source web   "mail"' in chips(night)
        assert f"of {ROWS} rows" in chips(night)
        assert len(night.state.rows) == ALL
        await night.press("escape")
        assert len(night.state.rows) == ALL
        assert "ERROR and worse" not in night.screen_text()


@pytest.mark.parametrize(
    ("line", "told"),
    [
        ("/(a/", "/(a/ is wrong at character 1: unclosed group."),
        ("level:eror", "level:eror is none of fatal"),
        ("source:nope", "is none of the sources: web, mailer, jobs, shop, deploys."),
        ("from:25:00", "from: 25:00 is not on any clock"),
    ],
)
async def test_a_bad_filter_is_a_sentence_and_the_one_before_stays(
    open_night: Opening, line: str, told: str
) -> None:
    async with open_night() as night:
        await night.tell_all()
        await typed(night, "level:error", "enter")
        await night.press("w", "ctrl+u", *line, "enter")
        assert told in chips(night)
        assert night.app.query_one("#search", Input).display
        assert len(night.state.rows) == ERRORS
        await night.press("escape")
        assert "ERROR and worse" in chips(night)


async def test_esc_takes_back_one_step_and_backspace_all(open_night: Opening) -> None:
    async with open_night() as night:
        await night.tell_all()
        await typed(night, "level:warn", "enter")
        warnings = len(night.state.rows)
        await typed(night, "source:web", "enter")
        assert night.state.sieve.wanted.parts[1] == Part(Field.SOURCE, "web")
        fewer = len(night.state.rows)
        assert fewer < warnings
        await night.press("escape")
        assert len(night.state.rows) == warnings
        await night.press("escape")
        assert len(night.state.rows) == ALL
        await typed(night, "level:warn", "enter")
        await night.press("slash", *"timeout", "enter", "backspace")
        assert len(night.state.rows) == ALL
        assert night.state.search == ""
        await night.press("backspace")
        assert "Nothing is hidden" in night.screen_text()


async def test_the_filter_opens_as_it_is_and_can_be_changed(open_night: Opening) -> None:
    async with open_night() as night:
        await night.tell_all()
        await typed(night, 'level:warn "reading from"', "enter")
        await night.press("w")
        assert night.app.query_one("#search", Input).value == 'level:warn "reading from" '
        await night.press(*"-retrying", "enter")
        assert night.state.sieve.wanted.hidden == (Part(Field.TEXT, "retrying", hides=True),)


async def test_lines_like_the_one_under_the_cursor(open_night: Opening) -> None:
    async with open_night() as night:
        await night.tell_all()
        await night.press("home", "slash", *"sent welcome", "enter", "plus")
        assert "like: sent welcome mail *" in night.screen_text()
        assert "300 rows" in night.screen_text()
        await night.press("enter")
        assert len(night.state.rows) == 300
        await night.press("escape", "escape", "minus", "enter")
        assert "not like: sent welcome mail *" in chips(night)
        assert len(night.state.rows) == ALL - 300


async def test_every_condition_of_a_row_is_offered_with_what_it_leaves(open_night: Opening) -> None:
    async with open_night() as night:
        await night.tell_all()
        await night.press("1", "plus")
        text = night.screen_text()
        for words in ("ERROR and worse", "source web", "actor web-1", "lane log", "user:4715"):
            assert words in text, words
        await night.press("escape")
        assert len(night.state.rows) == ALL


async def test_a_row_among_all_and_back_to_the_filtered_place(open_night: Opening) -> None:
    async with open_night() as night:
        await night.tell_all()
        await typed(night, "level:error", "enter")
        await night.press("home", "down", "down")
        place = night.read
        await night.press("z")
        assert len(night.state.rows) == ALL
        assert night.read == place
        assert "aside: ERROR and worse" in chips(night)
        assert f"among all {ROWS} rows" in chips(night)
        await night.press("up", "up", "up", "z")
        assert len(night.state.rows) == ERRORS
        assert night.read == place
        await night.press("z", "escape")
        assert len(night.state.rows) == ERRORS


async def test_a_step_the_filter_hides_is_shown_among_all(open_night: Opening) -> None:
    async with open_night() as night:
        await night.tell_all()
        await typed(night, "source:mailer", "enter")
        await night.press("2")
        assert night.read == identity(story.INSERTED)
        assert "z goes back" in night.screen_text()
        await night.press("z")
        assert {night.state.rows.event(n).source for n in range(9)} == {"mailer"}


async def test_the_filter_survives_rows_that_arrive_marks_and_another_window(
    open_night: Opening,
) -> None:
    async with open_night() as night:
        await night.tell_all()
        await typed(night, "level:error", "enter")
        await night.press("space")
        read = night.read
        late = story.log("02:14:00", "web", 17, "late error", seq=990_000)
        more = story.incident([*story.CAST, *story.crowd(), late])
        await night.tell(IncidentGrew(more))
        assert len(night.state.rows) == ERRORS + 1
        assert night.read == read
        assert "1 marked" in night.screen_text() or len(night.state.marks) == 1
        await night.press("right_square_bracket")
        window = night.collector.windows[-1]
        await night.tell(IncidentGrew(story.incident(window=window)))
        assert len(night.state.rows) == ERRORS
        assert "ERROR and worse" in chips(night)


async def test_nothing_left_says_which_condition_and_which_key(open_night: Opening) -> None:
    async with open_night() as night:
        await night.tell_all()
        await typed(night, "level:error nowhere-at-all", "enter")
        assert f'None of {ROWS} rows passes "nowhere-at-all"' in night.screen_text()
        assert "backspace shows all rows" in night.screen_text()
        await night.press("escape")
        await typed(night, "source:shop level:error", "enter")
        assert f"no row of {ROWS} meets them all" in night.screen_text()


async def test_a_followed_key_and_a_filter_together(open_night: Opening) -> None:
    async with open_night() as night:
        await night.tell_all()
        night.state.follow_key("user:4711")
        await typed(night, "lane:queue", "enter")
        assert {event.id for event in _shown(night)} == {story.ENQUEUED.id}
        assert len(night.state.rows) == 3
        assert "following user:4711" in chips(night)
        await night.press("escape")
        assert len(night.state.rows) == 5


async def test_a_filter_typed_before_the_first_rows_waits_for_them(open_night: Opening) -> None:
    async with open_night() as night:
        await typed(night, "level:error", "enter")
        await night.tell_all()
        assert len(night.state.rows) == ERRORS


async def test_search_counts_finds_while_typing_and_goes_back(open_night: Opening) -> None:
    async with open_night() as night:
        await night.tell_all()
        start = night.read
        await night.press("slash", *"retrying")
        assert "1 of 38" in chips(night)
        assert night.timeline.event is not None and "retrying" in night.timeline.event.body
        await night.press("escape")
        assert night.read == start
        assert night.state.search == ""
        await night.press("slash", *"retrying", "enter", "full_stop", "full_stop")
        assert "3 of 38" in chips(night)
        await night.press("comma")
        assert "2 of 38" in chips(night)


async def test_search_by_expression_sets_off_what_it_found(open_night: Opening) -> None:
    async with open_night() as night:
        await night.tell_all()
        await night.press("home", "slash", *r"/user_id=47\d5/", "enter")
        assert night.read == identity(story.TIMED_OUT)
        assert "1 of 1" in chips(night)
        assert _set_off(night) == ["user_id=4715"]
        await night.press("slash", "ctrl+u", *"/(a/", "enter")
        assert "wrong at character 1" in night.screen_text()
        await night.press("escape")
        assert night.state.search == r"/user_id=47\d5/"


async def test_a_capital_letter_minds_case(open_night: Opening) -> None:
    async with open_night() as night:
        await night.tell_all()
        await night.press("slash", *"redis.exceptions.Conn", "enter")
        assert _set_off(night) == ["redis.exceptions.Conn"]
        await night.press("escape", "slash", *"REDIS", "enter")
        assert "No row holds 'REDIS'." in night.screen_text()


async def test_a_thread_answers_for_many_rows_and_the_last_wish_wins(
    open_night: Opening, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tui.filter_state.AT_ONCE_ROWS", 0)
    monkeypatch.setattr("tui.gestures.filtering.AT_ONCE_ROWS", 0)
    async with open_night() as night:
        await night.tell_all()
        await typed(night, "level:warn", "enter")
        await typed(night, "level:error", "enter")
        await _answered(night)
        assert len(night.state.rows) == ERRORS
        assert f"{ERRORS} shown of" in chips(night)
        await night.press("home", "slash", *"lookup", "enter")
        await _answered(night)
        assert night.read == identity(story.NOT_FOUND)
        assert "1 of 2" in chips(night)
        late = story.log("02:14:00", "web", 17, "late lookup", seq=990_000)
        await night.tell(IncidentGrew(story.incident([*story.CAST, *story.crowd(), late])))
        await _answered(night)
        assert "1 of 3" in chips(night)
        assert len(night.state.rows) == ERRORS + 1


async def test_what_letters_wished_for_comes_no_more_once_enter_was_pressed(
    open_night: Opening, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tui.filter_state.AT_ONCE_ROWS", 0)
    monkeypatch.setattr("tui.gestures.filtering.TYPING_PAUSE_S", 1.0)
    async with open_night() as night:
        await night.tell_all()
        await night.press("home")
        for key in ("slash", *"lookup", "enter"):
            night.app.simulate_key(key)
        await night.pilot.pause()
        await _answered(night)
        assert night.read == identity(story.NOT_FOUND)
        await night.press("down")
        below = night.read
        await night.pilot.pause(1.5)
        assert night.read == below != identity(story.NOT_FOUND)


async def test_jumping_to_a_typed_time(open_night: Opening) -> None:
    async with open_night() as night:
        await night.tell_all()
        await night.press("at", *"-6m")
        assert "02:07:40Z, T -6m00.0s; enter goes there." in night.screen_text()
        await night.press("enter")
        assert story.T - 361 * story.SECOND < night.read_at <= story.T - 360 * story.SECOND
        await night.press("at", *"02:10:00.5", "enter")
        assert abs(night.read_at - story.at("02:10:00")) < 2 * story.SECOND
        read = night.read
        await night.press("at", *"04:00", "enter")
        assert "not in this window" in night.screen_text()
        assert night.read == read
        await night.press("escape", "at", *"2026-03-14T05:00Z", "enter")
        assert "the nearest row is 2 h 41 min earlier" in night.screen_text()


async def test_redo_goes_forward_again_until_something_new_is_opened(open_night: Opening) -> None:
    async with open_night() as night:
        await night.tell_all()
        await night.press("left_square_bracket")
        half = night.collector.windows[-1]
        await night.press("left_square_bracket", "u", "u")
        assert night.collector.windows[-1] == story.WINDOW
        await night.press("U")
        assert night.collector.windows[-1] == half
        await night.press("right_square_bracket", "U")
        assert "Nothing was undone" in night.screen_text()


async def test_letters_that_follow_the_key_at_once_are_typed(open_night: Opening) -> None:
    async with open_night() as night:
        await night.tell_all()
        for key in ("w", "q", "z", "1"):
            night.app.simulate_key(key)
        await night.pilot.pause()
        assert night.app.is_running
        assert night.app.query_one("#search", Input).value == "qz1"


async def test_a_plain_terminal_gets_plain_chips(open_night: Opening) -> None:
    async with open_night(encoding="ascii") as night:
        await night.tell_all()
        await typed(night, "level:error -Grüße", "enter")
        await night.press("slash", *"lookup", "enter")
        assert chips(night).isascii()
        assert 'not "Gr??e"' in chips(night)


HOSTILE = "\x1b]52;c;aGk=\x07[red]\u202eboom[/red]"


async def test_hostile_text_in_line_and_chips_is_text(open_night: Opening) -> None:
    async with open_night() as night:
        evil = replace(story.PAGED, actor='[b]x[/b] "q"', body="[red] 5 ␛]52 boom")
        await night.tell_all()
        await night.tell(IncidentGrew(story.incident([evil, *story.CAST[:3]])))
        night.timeline.go_to_event(evil)
        await night.press("plus")
        assert "actor [b]x[/b]" in night.screen_text()
        await night.press("down", "down", "down", "enter")
        assert 'actor [b]x[/b] "q"' in chips(night)
        assert len(night.state.rows) == 1
        await night.press("w")
        assert night.app.query_one("#search", Input).value == r'actor:"[b]x[/b] \"q\"" '
        await night.press("enter")
        assert len(night.state.rows) == 1
    sieve = Sieve()
    sieve.wanted = Filter((Part(Field.TEXT, HOSTILE),))
    assert width_of(chips_line(sieve, 0, 80)) == 80


@pytest.mark.parametrize("width", [20, 40, 80, 140])
def test_chips_fit_any_width_and_counts_stay(width: int) -> None:
    sieve = Sieve()
    parts = [Part(Field.ACTOR, f"name-{n}" * 9, hides=n % 2 > 0) for n in range(7)]
    for count in range(8):
        sieve.wanted = Filter(tuple(parts[:count]))
        sieve.draft = Draft(sieve.wanted) if count % 3 == 0 else None
        line = chips_line(sieve, 0, width)
        assert width_of(line) == width
        if width >= 80 and count and sieve.draft is None:
            assert "0 shown of 0 rows" in plain(line)
    assert "+" in plain(chips_of([(f"chip number {n}", "badge") for n in range(9)], 60))


def _shown(night: Night) -> list[Event]:
    return [night.state.rows.event(n) for n in range(len(night.state.rows))]


def _set_off(night: Night) -> list[str]:
    """What is underlined in the row under the cursor."""
    y = night.timeline.region.y + night.timeline.cursor_line
    strip = night.app.screen._compositor.render_strips()[y]
    return [s.text for s in strip if s.style is not None and s.style.underline]


async def _answered(night: Night) -> None:
    for _ in range(200):
        await asyncio.sleep(0.02)
        await night.pilot.pause()
        if not night.state.sieve.stale:
            return
    raise AssertionError("the rows asked for never came")
