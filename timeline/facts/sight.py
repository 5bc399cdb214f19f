"""What may be said about what is not there: silences of those who should speak, and `absence`.

Every detector that claims a negative asks `absence`. It knows coverage and silences, and it only
ever weakens a claim.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, NamedTuple

import polars as pl

from timeline.coverage import Coverage, Sight
from timeline.event import Lane
from timeline.facts.at_work import (
    Proof,
    host_named_as_before,
    jobs_meanwhile,
    jobs_unnamed,
    measured_as_before,
    named_as_before,
    named_by_others,
    requests_meanwhile,
    siblings_meanwhile,
)
from timeline.facts.named_handlers import Unheard, unheard_handlers
from timeline.facts.pauses_of_speakers import pauses_of
from timeline.facts.words import instant
from timeline.order import Verdict

if TYPE_CHECKING:
    from timeline.incident import Incident

MAX_PARTS = 6
"""Pauses of single hosts, and of ordinary lines, that are looked into, the longest first: each is a
search through what others wrote meanwhile."""


class Part(StrEnum):
    """What fell silent: a writer as a whole, one host of it, or its lines below a warning."""

    WHOLE = "whole"
    HOST = "host"
    ORDINARY = "ordinary"


class Absence(NamedTuple):
    """How sure it is that nothing was there, and every reason against being surer."""

    verdict: Verdict
    reasons: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Silence:
    """An actor of a log source that said nothing in `[start, end)` (ns), against its habit.

    `verdict` is certain when it was provably at work meanwhile, likely when others spoke of it,
    possible when only its siblings went on. `proof` says which, in words; `proof_row` is the event
    that shows it best, or None. `ongoing` is whether it lasts to the end of what was read. Of one
    host of a writer, `actor` is the host.
    """

    actor: str
    source: str
    start: int
    end: int
    verdict: Verdict
    proof: str
    proof_row: int | None
    ongoing: bool
    part: Part = Part.WHOLE


def absence(
    incident: Incident, sources: Iterable[str], start: int, end: int, key: str = ""
) -> Absence:
    """How sure "nothing of the kind happened in `[start, end)`" is, said of all `sources`.

    With `key` the kind is what carries that key, which a look-up may have settled.

    Certain only if every source was fully covered and none of its actors had fallen silent, or left
    out its work, while at work; otherwise possible. Without any source it is possible.
    """
    names = tuple(dict.fromkeys(sources))
    if not names:
        return Absence(Verdict.POSSIBLE, ("no source was read that would hold it",))
    limits = incident.snapshot.coverage.limits(names, start, max(end, start + 1), key=key)
    reasons = [limit.sentence() for limit in limits]
    reasons += [
        f"{silence.actor} is silent from {instant(silence.start)}"
        for silence in incident.silences
        if silence.source in names and silence.start < end and silence.end > start
    ]
    reasons += [
        f"{spot.source}: {spot.reason}"
        for spot in incident.thin_spots
        if spot.source in names and spot.start < end and spot.end > start
    ]
    verdict = Verdict.POSSIBLE if reasons else Verdict.CERTAIN
    return Absence(verdict, tuple(dict.fromkeys(reasons)))


def heard(incident: Incident, lane: Lane) -> tuple[str, ...]:
    """Names of the sources of `lane` that answered at all: with an event, or with some coverage.

    A configured source that could not be reached is none of them.
    """
    covered = {
        entry.source
        for entry in incident.snapshot.coverage.entries
        if entry.sight is not Sight.BLIND
    }
    return tuple(sorted(incident.speakers[lane] | covered.intersection(incident.sources_in(lane))))


def speakers_in(incident: Incident) -> Mapping[Lane, frozenset[str]]:
    """The sources with an event in each lane, for every lane there is."""
    pairs = incident.snapshot.events.group_by("lane", "source").agg()
    told = [(str(lane), str(source)) for lane, source in pairs.iter_rows()]
    return {
        lane: frozenset(source for spoken, source in told if spoken == lane.value) for lane in Lane
    }


def covered_until(incident: Incident, sources: Iterable[str], start: int, key: str = "") -> int:
    """How far all `sources` were fully covered from `start` on, without a hole; `start` if not.

    With `key`, how far for records that carry it.

    A log file is only known to be complete up to its last line, so "nothing until the end of the
    window" can seldom be said, and "nothing until then" can.
    """
    coverage = incident.snapshot.coverage
    return min((_unbroken(coverage.of(name, key), start) for name in set(sources)), default=start)


def _unbroken(entries: Iterable[Coverage], start: int) -> int:
    """How far the entries of one source cover everything from `start` on."""
    after = [entry for entry in entries if entry.end > start]
    weak = [max(entry.start, start) for entry in after if entry.sight is not Sight.FULL]
    reached = start
    for entry in sorted(after, key=lambda item: item.start):
        if entry.sight is Sight.FULL:
            if entry.start > reached:
                break
            reached = max(reached, entry.end)
    return min([reached, *weak])


def read_until(incident: Incident) -> int:
    """The instant (ns) up to which the window was read."""
    window = incident.window
    return min(window.end, incident.collected_at) if incident.collected_at else window.end


def silences_in(incident: Incident) -> tuple[Silence, ...]:
    """All silences with some sign that the actor was, or may have been, at work; by start."""
    pauses = pauses_of(incident, read_until(incident))
    whole = [*pauses.whole.iter_rows(named=True)]
    workers = incident.workers if whole else frozenset()
    found = [_proved(incident, gap, workers) for gap in whole]
    longest = pl.col("end") - pl.col("start")
    for part, prove in ((pauses.hosts, _host_proved), (pauses.ordinary, _ordinary_proved)):
        few = part.sort(longest, "source", "actor", "clock", descending=[True, False, False, False])
        found += [prove(incident, gap) for gap in few.head(MAX_PARTS).iter_rows(named=True)]
    told = [one for one in found if one is not None]
    told += _unheard(unheard_handlers(incident, read_until(incident)), told)
    return tuple(sorted(told, key=lambda s: (s.start, s.actor)))


def _unheard(handlers: Iterable[Unheard], told: Iterable[Silence]) -> list[Silence]:
    """Those who left out what others say they handled, where no silence of theirs is known yet."""
    known = [(one.source, one.actor, one.start, one.end) for one in told]
    return [
        Silence(
            one.name,
            one.source,
            one.start,
            one.end,
            one.proof[0],
            one.proof[1],
            one.proof[2],
            one.ongoing,
            Part.HOST if one.host else Part.WHOLE,
        )
        for one in handlers
        if not any(
            (source, actor) == (one.source, one.name) and start < one.end and end > one.start
            for source, actor, start, end in known
        )
    ]


def _proved(incident: Incident, gap: dict[str, object], workers: frozenset[str]) -> Silence | None:
    actor = str(gap["actor"])
    start, end = _ns(gap["start"]), _ns(gap["end"])
    proof = jobs_meanwhile(incident, actor, start, end, workers)
    if gap["rare"]:
        proof = proof or named_by_others(incident, actor, start, end)
        proof = proof or measured_as_before(incident, actor, start, end)
        proof = proof or siblings_meanwhile(incident, actor, start, end)
    elif not gap["long"] or not jobs_unnamed(incident, actor, start, end, workers):
        proof = None
    if (proof is None or proof[0] is Verdict.POSSIBLE) and gap["unlikely"]:
        sure = named_as_before(incident, actor, start, end)
        sure = sure or measured_as_before(incident, actor, start, end)
        sure = sure or requests_meanwhile(incident, actor, start, end)
        proof = sure or proof
    return _silence(gap, actor, proof, Part.WHOLE)


def _host_proved(incident: Incident, gap: dict[str, object]) -> Silence | None:
    """One host of a writer, which others name as before or whose own figures go on."""
    host, start, end = str(gap["clock"]), _ns(gap["start"]), _ns(gap["end"])
    if not (gap["unlikely"] or gap["rare"]):
        return None
    proof = host_named_as_before(incident, host, start, end)
    proof = proof or measured_as_before(incident, host, start, end)
    return _silence(gap, host, proof, Part.HOST)


def _ordinary_proved(incident: Incident, gap: dict[str, object]) -> Silence | None:
    """The ordinary lines of a writer whose warnings went on, and its work, too."""
    actor, start, end = str(gap["actor"]), _ns(gap["start"]), _ns(gap["end"])
    if not (gap["unlikely"] or gap["rare"]):
        return None
    proof = named_as_before(incident, actor, start, end)
    proof = proof or measured_as_before(incident, actor, start, end)
    proof = proof or requests_meanwhile(incident, actor, start, end)
    return _silence(gap, actor, proof, Part.ORDINARY)


def _silence(gap: dict[str, object], actor: str, proof: Proof | None, part: Part) -> Silence | None:
    if proof is None:
        return None
    verdict, words, row = proof
    start, end, ongoing = _ns(gap["start"]), _ns(gap["end"]), bool(gap["ongoing"])
    return Silence(actor, str(gap["source"]), start, end, verdict, words, row, ongoing, part)


def _ns(value: object) -> int:
    if not isinstance(value, int):
        raise TypeError(f"nanoseconds were expected here, not {value!r}")
    return value
