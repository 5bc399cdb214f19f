"""Which instant a paste pins, and which window goes with it; two or more when it cannot be told.

An alert's start is later than the fault, so the window reaches back farther by as much. Instants
of one group that lie close together share a window and the first is T; farther apart, the reader
is asked. A relative phrase counts from the one time at which the message says it was sent.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

from timeline.pasted.contract import Meaning, Pasted, Relative, Stamp
from timeline.pasted.readings import Here, Reading, readings_of, told
from timeline.pin import Pin, PinProblem
from timeline.window import DEFAULT_AFTER_NS, DEFAULT_BEFORE_NS, MINUTE_NS
from timeline.words import day, span_words, wall_time

GROUP_NS = 15 * MINUTE_NS
"""Instants of one paste within this stretch are one incident; the window before T is longer."""
LONGEST_RANGE_NS = 24 * 60 * MINUTE_NS
"""A link whose range is longer names no incident."""
MOST_AFTER_NS = 60 * MINUTE_NS
"""How far after T the window follows an alert to its end."""
MOST_READINGS = 9
"""One key picks a reading."""
HINT = "Say the time yourself: halfawake at 2026-03-14T03:14Z"


class Undecided(NamedTuple):
    """A pasted time with two readings or more, and why."""

    asked: str
    readings: tuple[Pin, ...]
    why: str

    def sentence(self) -> str:
        return f"{self.asked!r} can be more than one instant: {self.why}."


@dataclass(frozen=True, slots=True)
class Settled:
    """T or the readings to ask about, and the window (ns before and after T) that goes with it.

    `meaning` and `text` say where T was read; `notes` what was assumed or left out.
    """

    meant: Pin | Undecided
    meaning: Meaning
    text: str
    before: int
    after: int
    window_why: str
    notes: tuple[str, ...]


class _Choice(NamedTuple):
    ns: int
    words: str
    how: str
    stamp: Stamp | None


def settle(pasted: Pasted, here: Here) -> Settled:
    """One instant when only one can be meant, else all that can.

    Raises `PinProblem` with one sentence when the paste names none.
    """
    begin, end = pasted.of(Meaning.RANGE_START), pasted.of(Meaning.RANGE_END)
    if begin and end:
        return _range(pasted, begin[0], end[0], here)
    for meaning in (Meaning.STARTED, Meaning.LINE, Meaning.SEEN):
        if stamps := pasted.of(meaning):
            return _instant(pasted, meaning, stamps, here, GROUP_NS)
    if phrases := [one for one in pasted.relative if one.meaning is not Meaning.MENTIONED]:
        return _counted_back(pasted, phrases, here)
    if stamps := pasted.of(Meaning.SENT):
        return _instant(pasted, Meaning.SENT, stamps, here, 0)
    mentioned = pasted.of(Meaning.MENTIONED)
    if mentioned and pasted.prose and not pasted.relative:
        return _instant(pasted, Meaning.MENTIONED, mentioned, here, 0)
    raise PinProblem(_no_time(pasted))


def _no_time(pasted: Pasted) -> str:
    if pasted.relative:
        phrase = pasted.relative[0].text
        why = f"{phrase!r} counts from a time that is not in it"
    elif pasted.of(Meaning.RESOLVED):
        why = "only its end is in it"
    elif mentioned := pasted.of(Meaning.MENTIONED):
        why = f"{mentioned[0].text!r} stands in it, but not what happened then"
    else:
        why = "; ".join(pasted.remarks) or "there is no time in it"
    keys = f" It names {pasted.keys[0]}: halfawake at {pasted.keys[0]}." if pasted.keys else ""
    return f"The {pasted.kind} names no instant: {why}. {HINT}.{keys}"


def _instant(
    pasted: Pasted, meaning: Meaning, stamps: list[Stamp], here: Here, group: int
) -> Settled:
    read = [(stamp, readings_of(stamp, here)) for stamp in dict.fromkeys(stamps)]
    possible = [(stamp, found) for stamp, found in read if found]
    if not possible:
        raise PinProblem(f"{stamps[0].text!r} lies in the future. {HINT}.")
    first_stamp, first = min(possible, key=lambda one: one[1][0].ns)
    last_stamp, last = max(possible, key=lambda one: one[1][0].ns)
    choices = [_choice(one, first_stamp, here) for one in first]
    apart = last[0].ns - first[0].ns
    reasons = _reasons(first_stamp, here) if len(first) > 1 else []
    between = span_words(apart)
    if apart > group:
        choices += [_choice(one, last_stamp, here) for one in last]
        reasons.append(f"the first and the last of {len(possible)} times lie {between} apart")
    notes = list(pasted.remarks)
    if len(possible) > 1 and apart <= group:
        notes.append(f"T is the first of {len(possible)} times within {between}")
    if len(choices) == 1:
        notes += _settled_zone(first_stamp, first[0], here)
    meant = _meant(first_stamp.text, choices, reasons)
    before, after, why = _window(pasted, meaning, first_stamp, meant, here)
    return Settled(meant, meaning, first_stamp.text, before, after, why, tuple(notes))


def _choice(reading: Reading, stamp: Stamp, here: Here) -> _Choice:
    return _Choice(reading.ns, told(reading, stamp, here.now), reading.how, stamp)


def _meant(text: str, choices: list[_Choice], reasons: list[str]) -> Pin | Undecided:
    once = list({one.ns: one for one in reversed(choices)}.values())[::-1]
    if len(once) == 1:
        return Pin(once[0].ns, once[0].words.replace(" (read as UTC)", ""))
    pins = tuple(Pin(one.ns, one.words) for one in once[:MOST_READINGS])
    return Undecided(text, pins, ", and ".join(reasons))


def _reasons(stamp: Stamp, here: Here) -> list[str]:
    reasons = []
    if len(stamp.days) > 1:
        reasons.append("its day and month can be read both ways")
    if stamp.or_unstated:
        reasons.append("what follows it is an offset, or the end of a span")
    elif not stamp.zone_stated:
        reasons.append("it names no zone" if not here.zone_named else "its zone was given")
    elif len(stamp.zones) > 1:
        reasons.append("its zone is short for more than one")
    if (stamp.zone_stated or here.zone_named) and len(stamp.zones) < 2 and len(stamp.days) == 1:
        reasons = ["a clock change repeats or skips it"]
    return reasons


def _settled_zone(stamp: Stamp, reading: Reading, here: Here) -> list[str]:
    notes = []
    if not stamp.zone_stated:
        notes.append(f"no zone is stated, it was read as {reading.how}")
    elif len(stamp.zones) > 1 or len(stamp.days) > 1:
        notes.append(f"it was read as {reading.how}: otherwise it would lie in the future")
    if stamp.days and stamp.days[0].year is None:
        notes.append(f"no year is stated, the newest that has passed is {day(reading.ns)[:4]}")
    return notes


def _window(
    pasted: Pasted, meaning: Meaning, stamp: Stamp, meant: Pin | Undecided, here: Here
) -> tuple[int, int, str]:
    before, after, why = DEFAULT_BEFORE_NS, DEFAULT_AFTER_NS, ""
    if pasted.late is not None and meaning in (Meaning.STARTED, Meaning.SENT):
        before, why = before + pasted.late, pasted.late_why
    ends = [
        found[0].ns
        for one in pasted.of(Meaning.RESOLVED)
        if len(found := readings_of(one, here)) == 1
    ]
    if ends and isinstance(meant, Pin) and 0 < max(ends) - meant.ns <= MOST_AFTER_NS:
        after = max(after, max(ends) - meant.ns + MINUTE_NS)
        why = f"{why}; " if why else ""
        why += f"it reaches the end at {wall_time(max(ends), stamp.precision)}Z"
    return before, after, why


def _range(pasted: Pasted, begin: Stamp, end: Stamp, here: Here) -> Settled:
    starts, ends = readings_of(begin, here), readings_of(end, here)
    if not starts:
        raise PinProblem(f"The range of the {pasted.kind} lies in the future. {HINT}.")
    if len(starts) > 1 or len(ends) > 1:
        return _instant(pasted, Meaning.RANGE_START, [begin], here, 0)
    last = ends[0] if ends else Reading(here.now, "")
    length = last.ns - starts[0].ns
    if length <= 0:
        raise PinProblem(f"The range of the {pasted.kind} ends before it begins. {HINT}.")
    if length > LONGEST_RANGE_NS:
        raise PinProblem(f"The range of the {pasted.kind} is {span_words(length)} long. {HINT}.")
    pin = Pin(last.ns, told(last, end, here.now))
    why = "the range of the link; it names no instant, so T is its end"
    return Settled(pin, Meaning.RANGE_END, end.text, length, MINUTE_NS, why, pasted.remarks)


def _counted_back(pasted: Pasted, phrases: list[Relative], here: Here) -> Settled:
    sent = list(dict.fromkeys(pasted.of(Meaning.SENT)))
    known = [one for one in phrases if one.ago >= 0]
    found = readings_of(sent[0], here) if len(sent) == 1 else []
    if not known or not found:
        raise PinProblem(_no_time(pasted))
    choices = []
    for phrase in dict.fromkeys(known):
        for reading in found:
            moved = Reading(reading.ns - phrase.ago, reading.how)
            choices.append(_choice(moved, sent[0], here))
    reasons = _reasons(sent[0], here) if len(found) > 1 else []
    if len(known) > 1:
        reasons.append(f"it says {' and '.join(repr(one.text) for one in known[:3])}")
    unit = max(one.unit for one in known)
    why = f"{known[0].text!r} is rounded to {span_words(unit)}"
    meant = _meant(known[0].text, choices, reasons)
    text = f"{known[0].text} before {sent[0].text}"
    before, after = DEFAULT_BEFORE_NS + unit, DEFAULT_AFTER_NS + unit
    return Settled(meant, known[0].meaning, text, before, after, why, pasted.remarks)
