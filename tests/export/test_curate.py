"""Which rows are chosen: few enough to read, none of the proof lost, repeats collapsed."""

from __future__ import annotations

from dataclasses import replace

from hypothesis import given, settings
from hypothesis import strategies as st

from tests.export.world import (
    ANALYSIS,
    DEPLOY,
    EVENTS,
    HICCUP,
    NOTE,
    QUIET,
    RACE,
    TIMEOUTS,
    TRACE,
    incident,
    log,
)  # fmt: skip
from timeline.event import Event
from timeline.export.curate import ROWS_SHOWN, Pick, picks
from timeline.export.document import Place
from timeline.finding import Finding, Step


def chosen(
    events: tuple[Event, ...] = EVENTS,
    findings: tuple[Finding, ...] = ANALYSIS.findings,
    marked: tuple[Event, ...] = (),
    onset: int | None = ANALYSIS.onset,
) -> tuple[Pick, ...]:
    return picks(incident(events), findings, marked, onset)


def bodies(found: tuple[Pick, ...]) -> list[str]:
    return [pick.event.body for pick in found]


def test_every_step_of_the_proofs_is_in_and_in_time_order() -> None:
    found = chosen()
    shown = {event.id for pick in found for event in pick.events}
    assert {step.event.id for finding in ANALYSIS.findings for step in finding.steps} <= shown
    times = [pick.event.timestamp for pick in found]
    assert times == sorted(times)


def test_repeats_become_one_row_with_their_number_and_span() -> None:
    first = next(pick for pick in chosen() if pick.event == TIMEOUTS[0])
    assert (first.repeats, first.place) == (31, Place.FIRST)
    assert first.repeats_span == TIMEOUTS[-1].timestamp - TIMEOUTS[0].timestamp
    last = next(pick for pick in chosen() if pick.event == TIMEOUTS[-1])
    assert (last.repeats, last.place) == (31, Place.LAST)


def test_a_record_between_the_first_and_the_last_of_its_repeats_says_so() -> None:
    middle = replace(HICCUP, steps=(Step("an error", TIMEOUTS[7], "one of many"),))
    found = chosen(findings=(middle,))
    pick = next(pick for pick in found if pick.event == TIMEOUTS[7])
    assert (pick.repeats, pick.place) == (31, Place.BETWEEN)


def test_neighbours_that_say_the_same_become_one_row_that_cites_both() -> None:
    twice = [log("02:07:31.1", "retry 1 of 5"), log("02:07:31.4", "retry 2 of 5")]
    found = chosen((*EVENTS, *twice), findings=(), marked=tuple(twice))
    pick = next(pick for pick in found if pick.event == twice[0])
    assert pick.events == tuple(twice)
    assert (pick.repeats, pick.repeats_span) == (2, 300_000_000)


def test_the_same_words_about_other_keys_stay_apart() -> None:
    twice = [
        log("02:07:31.1", "sign-up 1 failed", keys=("user:1",), severity=9),
        log("02:07:31.4", "sign-up 2 failed", keys=("user:2",), severity=9),
    ]
    found = chosen((*EVENTS, *twice), findings=(), marked=tuple(twice))
    assert {"sign-up 1 failed", "sign-up 2 failed"} <= set(bodies(found))


def test_without_findings_the_kinds_of_errors_are_shown_and_healthy_lines_are_not() -> None:
    found = chosen(findings=())
    assert TIMEOUTS[0].body in bodies(found)
    assert TRACE.body in bodies(found)
    assert not set(bodies(found)) & {event.body for event in QUIET}


def test_changes_and_notes_are_shown_beside_the_work() -> None:
    found = bodies(chosen((*EVENTS, NOTE)))
    assert DEPLOY.body in found
    assert NOTE.body not in found, "a note after the window's end is another story"


def test_errors_outside_of_the_window_are_not_counted() -> None:
    old = tuple(log(f"00:00:{second:02d}", "old error") for second in range(30))
    assert "old error" not in bodies(chosen((*EVENTS, *old), findings=()))


def test_marked_rows_always_stay() -> None:
    many = tuple(log(f"02:09:{second:02d}", f"row {chr(65 + second)}") for second in range(20))
    found = bodies(chosen((*EVENTS, *many), marked=many))
    assert {event.body for event in many} <= set(found)


def test_a_long_proof_leaves_room_for_the_others() -> None:
    lines = tuple(log(f"02:08:{second:02d}", f"step {chr(65 + second)}") for second in range(26))
    long = replace(HICCUP, steps=tuple(Step("step", event, "why") for event in lines))
    found = chosen((*EVENTS, *lines), findings=(long, RACE))
    assert len(found) <= ROWS_SHOWN
    assert {step.event.id for step in RACE.steps} <= {pick.event.id for pick in found}


def test_no_event_at_all_gives_no_row() -> None:
    assert chosen((), findings=()) == ()


@settings(max_examples=30, deadline=None)
@given(
    st.lists(
        st.tuples(st.integers(0, 59), st.sampled_from(["boom", "bang 7", "x"]), st.booleans()),
        max_size=60,
    )
)
def test_rows_stay_within_their_number_whatever_happens(
    lines: list[tuple[int, str, bool]],
) -> None:
    events = tuple(
        log(f"02:06:{second:02d}.{n:03d}", body, severity=17 if failed else 9, byte=n)
        for n, (second, body, failed) in enumerate(lines)
    )
    found = chosen((*EVENTS, *events))
    assert 5 <= len(found) <= ROWS_SHOWN
    assert len({event.id + event.kind for pick in found for event in pick.events}) >= len(found)
