"""The short sentences about an incident as a whole: state, blind spots, trust.

The screen's header and the plain rendering say them in the same words. They are made from data
alone and name their limits; nothing here decides anything.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from timeline.words import clock_face, count_of, grouped

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from timeline.analysis import Analysis, State
    from timeline.coverage import Coverage
    from timeline.incident import Incident
    from timeline.progress import SourceStatus


def state_words(state: State) -> str:
    """`recovered 02:08:00`, `still failing since 02:07:29`: the claim and where it ends."""
    from timeline.analysis import Condition  # loaded by whoever analysed; not for the first frame

    if state.condition is Condition.FAILING:
        return "still failing" + (f" since {clock_face(state.since)}" if state.since else "")
    if state.condition is Condition.RECOVERED:
        return "recovered" + (f" {clock_face(state.since)}" if state.since else "")
    until = f" up to {clock_face(state.seen_until)}" if state.seen_until else ""
    if state.condition is Condition.QUIET:
        return f"no error seen{until}"
    return f"state unknown, seen{until}" if until else "state unknown"


def victims_words(state: State) -> str:
    """`4 keys hit, 0 new/min`; no rate where it is unknown; empty when nothing was hit."""
    from timeline.analysis import Condition

    if not state.victims:
        return ""
    hit = f"{count_of(state.distinct_keys, 'key')} hit"
    if state.condition is Condition.UNKNOWN:
        return hit
    return f"{hit}, {state.new_per_minute:.3g} new/min"


def blind_words(coverage: Iterable[Coverage], statuses: Sequence[SourceStatus] = ()) -> list[str]:
    """What could not be seen, one short phrase for each source and reason, failures first."""
    failed = [f"{s.source}: {s.problem.rstrip('.')}" for s in statuses if s.problem]
    silent = {s.source for s in statuses if s.problem}
    weak = [
        f"{entry.source}: {entry.reason or entry.sight.value.replace('_', ' ')}"
        for entry in coverage
        if entry.source not in silent
    ]
    return list(dict.fromkeys([*failed, *weak]))


_TOPICS: tuple[tuple[str, str, bool], ...] = (
    ("zone-assumed", "zone assumed", False),
    ("year-guessed", "year guessed", False),
    ("undated", "undated", True),
    ("out-of-order", "out of order", True),
    ("broken-line", "broken", True),
    ("format-unknown", "format unknown", False),
    ("cut", "cut", False),
)
"""Remarks that change how far the rows can be trusted, in the order they are said: topic, words,
and whether their count is what matters (some lines) or the source is (every line of it)."""


def trust_words(incident: Incident) -> list[str]:
    """Clock bounds, assumed zones, guessed years, undated and out-of-order counts; one each."""
    said = [f"clocks {_widest_clock(incident)}"]
    remarks = incident.snapshot.remarks
    for topic, words, counted in _TOPICS:
        held = [remark for remark in remarks if remark.topic == topic]
        if held:
            sources = ", ".join(sorted({remark.source for remark in held}))
            count = sum(remark.count for remark in held)
            one = f"{grouped(count)} {words} ({sources})"
            said.append(one if counted and count else f"{words}: {sources}")
    undated = incident.snapshot.undated.height
    if undated and not any(remark.topic == "undated" for remark in remarks):
        said.append(f"{count_of(undated, 'record')} undated")
    return said


def _widest_clock(incident: Incident) -> str:
    bounds = [incident.clocks.bound(source.name) for source in incident.sources] or [
        incident.clocks.assumed
    ]
    return max(bounds, key=lambda bound: bound.behind + bound.ahead).words()


def outside_words(incident: Incident) -> str:
    """A sentence when T lies outside everything that was read; empty when it does not."""
    times = incident.snapshot.times
    if not times.len():
        return ""
    first, last, pin = int(times[0]), int(times[-1]), incident.window.pin
    if pin < first:
        return f"T lies before the first row ({clock_face(first)})"
    if pin > last:
        return f"T lies after the last row ({clock_face(last)})"
    return ""


def empty_words(incident: Incident, statuses: Sequence[SourceStatus]) -> str:
    """Why there is not a single row, without claiming an absence nobody could have seen."""
    window = incident.window
    span = f"{clock_face(window.start)} to {clock_face(window.end)}"
    sources = [source.name for source in incident.sources]
    limits = incident.snapshot.coverage.limits(sources, window.start, window.end)
    if statuses and all(status.problem for status in statuses):
        return "No source answered, so nothing can be said."
    if sources and not limits:
        return f"Nothing happened from {span}: every source was read completely."
    weak = ", ".join(dict.fromkeys(entry.source for entry in limits))
    return f"No row from {span}, but not everything could be seen ({weak or 'no source'})."


def common_words(analysis: Analysis) -> list[str]:
    """`actor web-1: 4 of 4 hit, 50 % of the others`: what the victims share, one phrase each."""
    return [
        f"{trait.trait} {trait.value}: {trait.victims_with} of {trait.victims} hit, "
        f"{trait.others_share:.0%} of the others"
        for trait in analysis.common
    ]
