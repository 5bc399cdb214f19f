"""The negative space of an export: what each source is, saw and could not see.

A claim of absence is worth what this part says, so nothing here is left out for length; formats
that must cut say how much they cut.
"""

from __future__ import annotations

from itertools import groupby
from typing import TYPE_CHECKING

import polars as pl

from timeline.analysis import Analysis, Condition
from timeline.clean import clean
from timeline.columns import UNDATED_SCHEMA
from timeline.coverage import Coverage, Sight
from timeline.event import Lane, Precision
from timeline.export.document import SourceReport, Stretch, Undated
from timeline.export.times import table_time
from timeline.order import Verdict
from timeline.words import count_of, grouped

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from timeline.batch import Remark
    from timeline.incident import Incident

SIGHT_WORDS = {
    Sight.FULL: "saw",
    Sight.PARTIAL: "may have missed some of",
    Sight.NOW_ONLY: "keeps the present only, for",
    Sight.BLIND: "did not see",
}
"""How a stretch is told, the source being named before."""
NO_DOUBTS = frozenset({"looked-up"})
"""Topics of remarks that report what was done and leave nothing to verify."""
NOT_FOUND = "not-found"
"""The topic of a key that was looked for, and was not there."""
UNDATED_LISTED = 50
"""Records without a time that are listed; all of them are counted."""
UNDATED_CHARACTERS = 1_000
CLOCKS_NAMED = 8
"""Clocks of one source that are listed with their bound; a fleet has hundreds."""


def reports(incident: Incident) -> tuple[SourceReport, ...]:
    """Every source that was configured, spoke, or said what it could not see; by name."""
    snapshot = incident.snapshot
    known = {source.name: source for source in incident.sources}
    coverage = snapshot.coverage.entries
    names = {*known, *snapshot.sources, *(entry.source for entry in coverage)}
    counts = _records(incident)
    clocks = _clocks(incident)
    found = []
    for name in sorted(names):
        info = known.get(name)
        report = SourceReport(
            name=name,
            lane=info.lane if info else None,
            system=info.system if info else "",
            forgets=info.forgets if info else "",
            records=counts.get(name, 0),
            clocks=clocks.get(name, ()),
            coverage=stretches(entry for entry in coverage if entry.source == name),
            remarks=tuple(r.sentence for r in snapshot.remarks if r.source == name),
        )
        found.append(report)
    return tuple(found)


def stretches(entries: Iterable[Coverage]) -> tuple[Stretch, ...]:
    """Coverage of one source with touching pieces of one kind joined; what was not seen first."""

    def kind(entry: Coverage) -> tuple[bool, str, str, str]:
        return (entry.sight is Sight.FULL, entry.sight.value, entry.reason, entry.remedy)

    joined: list[Stretch] = []
    ordered = sorted(entries, key=lambda entry: (kind(entry), entry.start, entry.end))
    for _, pieces in groupby(ordered, key=kind):
        current: Stretch | None = None
        for piece in pieces:
            if current is not None and piece.start <= current.end:
                end = max(current.end, piece.end)
                current = Stretch(current.start, end, piece.sight, piece.reason, piece.remedy)
                joined[-1] = current
            else:
                current = Stretch(piece.start, piece.end, piece.sight, piece.reason, piece.remedy)
                joined.append(current)
    return tuple(joined)


def stretch_words(stretch: Stretch) -> str:
    """`did not see 2026-03-14 02:06:58 to 2026-03-14 02:13:40 UTC: reason (remedy)`."""
    start = table_time(stretch.start, Precision.SECOND)
    end = table_time(stretch.end, Precision.SECOND)
    reason = f": {stretch.reason}" if stretch.reason else ""
    words = f"{SIGHT_WORDS[stretch.sight]} {start} to {end} UTC{reason}"
    return f"{words} ({stretch.remedy})" if stretch.remedy else words


def unknown(incident: Incident, analysis: Analysis) -> tuple[str, ...]:
    """What to verify before anybody relies on this: decisive checks first, then blind spots."""
    bullets: dict[str, None] = {}
    for finding in analysis.findings:
        if finding.verdict is not Verdict.CERTAIN and not finding.qualifier:
            bullets[f"{finding.term} is only {finding.verdict}: {finding.weakest_link}"] = None
            bullets.update((f"{finding.term}: {check}", None) for check in finding.would_decide)
    bullets.update(dict.fromkeys(_state(analysis, incident.window.end)))
    remarks = _doubts(incident)
    said = {(remark.source, remark.sentence) for remark in incident.snapshot.remarks}
    blind = sorted(
        (entry for entry in analysis.blind if (entry.source, entry.reason) not in said),
        key=lambda entry: entry.source,
    )
    for source, entries in groupby(blind, key=lambda entry: entry.source):
        bullets.update((f"{source} {stretch_words(s)}", None) for s in stretches(entries))
    told = {(entry.source, entry.reason) for entry in blind}
    for info in incident.sources:
        if info.forgets and (info.name, info.forgets) not in told:
            bullets[f"{info.name}: {info.forgets}"] = None
    bullets.update(dict.fromkeys(_undated(incident)))
    bullets.update((f"{remark.source}: {remark.sentence}", None) for remark in remarks)
    return tuple(bullets)


def _doubts(incident: Incident) -> list[Remark]:
    """Remarks that leave something to verify. No metric has keys: not finding one says nothing."""
    curves = {info.name for info in incident.sources if info.lane is Lane.METRIC}
    return [
        remark
        for remark in incident.snapshot.remarks
        if remark.topic not in NO_DOUBTS
        and not (remark.topic == NOT_FOUND and remark.source in curves)
    ]


def _state(analysis: Analysis, end: int) -> list[str]:
    state = analysis.state
    if state.condition is Condition.UNKNOWN:
        return ["Whether it still fails: the sources that would tell could not be read up to now"]
    if not 0 < state.seen_until < end:
        return []
    reach = table_time(state.seen_until, Precision.SECOND)
    return [f"Anything after {reach} UTC: the sources that hold errors reach no further"]


def _undated(incident: Incident) -> list[str]:
    """Rows without a time never get one; they are counted here by source and reason."""
    undated = incident.snapshot.undated
    if undated.is_empty():
        return []
    counted = (
        undated.select(pl.col("source").cast(pl.String), "reason")
        .group_by("source", "reason")
        .len()
        .sort("source", "reason")
    )
    return [
        f"{source}: {count_of(count, 'record')} without a usable time, in no timeline ({reason})"
        for source, reason, count in counted.iter_rows()
    ]


def undated_listed(incident: Incident, root: str) -> tuple[Undated, ...]:
    """The first records without a time, by source and reference."""
    text = [pl.col(name).cast(pl.String).fill_null("") for name in UNDATED_SCHEMA]
    first = (
        incident.snapshot.undated.select(text).sort("source", "ref", "body").head(UNDATED_LISTED)
    )
    return tuple(
        Undated(source, reason, clean(body[:UNDATED_CHARACTERS]), relative_reference(ref, root))
        for source, reason, body, ref in first.select("source", "reason", "body", "ref").iter_rows()
    )


def relative_reference(ref: str, root: str) -> str:
    """`ref` below `root`; of another absolute path its last two parts, never the whole.

    Nobody's home folder is one of the two, and an address stays whole: what is left of either
    could no longer be known for what it is.
    """
    if root and ref.startswith(root.rstrip("/") + "/"):
        return ref[len(root.rstrip("/")) + 1 :]
    if not ref.startswith("/") or "://" in ref:
        return ref
    *folders, folder, name = ref.split("/")
    return name if folders[-1:] in (["home"], ["Users"]) or not folders else f"{folder}/{name}"


def _records(incident: Incident) -> Mapping[str, int]:
    counted = incident.snapshot.events.group_by(pl.col("source").cast(pl.String)).len()
    return dict(counted.iter_rows())


def _clocks(incident: Incident) -> Mapping[str, tuple[str, ...]]:
    """The bound of each clock that stamped a source's records, in words."""
    names = [pl.col(name).cast(pl.String) for name in ("source", "clock")]
    pairs = incident.snapshot.events.select("source", "clock").unique().select(names)
    found: dict[str, tuple[str, ...]] = {}
    for source, clocks in groupby(sorted(pairs.fill_null("").rows()), key=lambda pair: pair[0]):
        named = [clock or source for _, clock in clocks]
        words = [f"{name} {incident.clocks.bound(name).words()}" for name in named[:CLOCKS_NAMED]]
        if len(named) > CLOCKS_NAMED:
            words.append(f"and {grouped(len(named) - CLOCKS_NAMED)} more clocks")
        found[source] = tuple(words)
    return found
