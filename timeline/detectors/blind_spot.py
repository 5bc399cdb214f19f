"""blind-spot: somebody who should speak is silent, late, or was never here.

Story: the logs exist, but in another region that central logging does not cover; everything looks
quiet there exactly when it matters.

Predicate: `silent`: no line for at least a minute and far beyond the actor's own habit, while jobs,
other actors or siblings show it at work, or for a quarter of a minute while others say by id what
it handled (`timeline.facts.named_handlers`); `lagging`: the same up to the end of what was read;
`never-present`: a service that is expected, or named as a worker, without one line; `region`: a
configured region that no line comes from; `partial`: a log source that could not be read in full
at T; `thinned`: jobs and rows that somebody used to name went on and are no longer named, while all
its lines became few; `unmeasured`: an instance wrote on after its figures had ended, while those of
others went on; `short`: a database or a queue that says it was read in part and
holds nothing from then on; `lossy`: a carrier of logs says itself that it lost lines.

False positives: an idle service and off-hours. Without a sign of activity nothing is said; with
only a sibling's, it is a qualifier. Work that other hands did meanwhile (the service talks on as
before), an instance that is gone (it writes nothing) and a carrier that lost a few lines once are
silent or qualifiers. The claims of other detectors are weakened by `timeline.facts.sight.absence`,
which reads the same silences.

Reference: missing telemetry; fluent/fluent-bit#7521, vectordotdev/vector#21793.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from timeline.coverage import Sight
from timeline.event import Lane
from timeline.facts.counted import counted_actors
from timeline.facts.ended_curves import EndedCurves, ended_curves
from timeline.facts.lost_lines import LostLines, lost_lines
from timeline.facts.regions import MissingRegion, missing_regions
from timeline.facts.short_sources import ShortSource, short_sources
from timeline.facts.sight import Part, Silence, heard, read_until
from timeline.facts.words import counted, instant, length
from timeline.finding import Finding, NotEvaluated, Stage, Step
from timeline.order import Verdict, before

if TYPE_CHECKING:
    from timeline.coverage import Coverage
    from timeline.facts.unnamed_work import Unnamed
    from timeline.incident import Incident


@dataclass(frozen=True, kw_only=True)
class BlindSpot(Finding):
    """An actor or source that cannot be seen in `[began, ended)`; `proof` says why it matters."""

    term: ClassVar[str] = "blind-spot"
    stage: ClassVar[Stage] = Stage.SIGHT
    remedy: ClassVar[str] = (
        "Read it where it is written (the node's own files, `kubectl logs --previous`, the other "
        "region's store) and repair the shipping."
    )

    variant: str
    actor: str
    source: str
    proof: str

    def sentence(self) -> str:
        who = self.actor or self.source
        if self.variant == "never-present":
            span = length(self.ended - self.began)
            return f"{who} wrote no line at all in the {span} that were read; {self.proof}."
        if self.variant == "region":
            return f"No line that was read comes from the region {who}; {self.proof}."
        if self.variant == "partial":
            return f"{who} could not be read in full at T: {self.proof}."
        if self.variant == "short":
            return f"{who} was read up to {instant(self.began)} only: {self.proof}."
        if self.variant == "lossy":
            return f"{who} says that it lost lines from {instant(self.began)} on: {self.proof}."
        if self.variant == "unmeasured":
            return f"No figures of {who} from {instant(self.began)} on; {self.proof}."
        if self.variant == "thinned":
            return f"Lines of {who} are missing from {instant(self.began)} on: {self.proof}."
        end = "to the end" if self.variant == "lagging" else f"until {instant(self.ended)}"
        if self.variant == "ordinary":
            return (
                f"{who} wrote nothing but warnings from {instant(self.began)} on "
                f"({length(self.ended - self.began)}); {self.proof}."
            )
        return (
            f"No line from {who} from {instant(self.began)} {end} "
            f"({length(self.ended - self.began)}); {self.proof}."
        )

    def clause(self) -> str:
        who = self.actor or self.source
        if self.variant == "never-present":
            return f"{who} has no logs here"
        if self.variant == "region":
            return f"no logs from region {who}"
        if self.variant == "partial":
            return f"{who} was not read in full"
        if self.variant == "short":
            return f"{who} was read up to {instant(self.began)[:8]} only"
        if self.variant == "lossy":
            return f"{who} lost lines"
        if self.variant == "unmeasured":
            return f"no figures of {who} since {instant(self.began)[:8]}"
        if self.variant == "thinned":
            return f"most lines of {who} are missing since {instant(self.began)[:8]}"
        if self.variant == "ordinary":
            return f"{who} wrote nothing but warnings since {instant(self.began)[:8]}"
        return f"{who} silent since {instant(self.began)[:8]}"


class BlindSpotDetector:
    """Finds what should be here and is not; see the module."""

    term: ClassVar[str] = BlindSpot.term

    def detect(self, incident: Incident) -> Sequence[Finding] | NotEvaluated:
        if not heard(incident, Lane.LOG):
            return NotEvaluated(self.term, "logs, or a list of the services that should write some")
        silences = incident.silences
        silent = {(one.source, one.actor) for one in silences if one.part is not Part.HOST}
        found = [_silent(incident, silence) for silence in silences]
        found += _never_present(incident)
        found += [_unseen_region(incident, missing) for missing in missing_regions(incident)]
        found += _partial(incident)
        thinned = (one for one in incident.unnamed_work if (one.source, one.teller) not in silent)
        found += [_thinned(incident, one) for one in thinned]
        found += [_unmeasured(incident, one) for one in ended_curves(incident)]
        found += [_short(incident, one) for one in short_sources(incident)]
        found += [_lossy(incident, one) for one in incident.shared(lost_lines)]
        return sorted(found, key=lambda f: (f.qualifier, list(Verdict).index(f.verdict), f.began))


def _silent(incident: Incident, silence: Silence) -> BlindSpot:
    variant = "lagging" if silence.ongoing else "silent"
    ordinary = silence.part is Part.ORDINARY
    other = f"{silence.actor} was told to say less" if ordinary else f"{silence.actor} was idle"
    steps: tuple[Step, ...] = ()
    if silence.proof_row is not None:
        event = incident.snapshot.event(silence.proof_row)
        steps = (Step("at work", event, f"{silence.actor} was at work: {silence.proof}"),)
    return BlindSpot(
        verdict=silence.verdict,
        weakest_link=silence.proof,
        began=silence.start,
        ended=silence.end,
        steps=steps,
        would_decide=(f"Read {silence.actor}'s own log for these minutes where it is written.",),
        alternatives=() if silence.verdict is Verdict.CERTAIN else (other,),
        next_action=f"Fetch {silence.actor}'s log from {instant(silence.start)} on elsewhere.",
        qualifier=silence.verdict is Verdict.POSSIBLE,
        variant="ordinary" if ordinary else variant,
        actor=silence.actor,
        source=silence.source,
        proof=silence.proof,
    )


def _never_present(incident: Incident) -> list[BlindSpot]:
    """Expected services, and workers whose colleagues write logs, without a single line."""
    events = incident.snapshot.events
    logs = events.get_column("actor").filter(events.get_column("lane") == Lane.LOG.value)
    speaking = {str(name) for name in logs.unique() if name}
    counted = counted_actors(incident)
    if "" in counted:
        return []  # records of nobody by name were counted: anyone's may be among them
    speaking |= counted
    workers = set(incident.jobs.transitions.get_column("worker").drop_nulls().to_list())
    missing = {
        name: "it is configured as expected"
        for name in incident.expected_services
        if not _speaks(name, speaking)
    }
    if workers & speaking:  # only then do queue and logs use the same names
        missing |= {
            name: "the queue shows jobs it ran"
            for name in sorted(workers - speaking)
            if name not in missing
        }
    return [_absent(incident, name, proof) for name, proof in missing.items()]


def _speaks(name: str, speaking: set[str]) -> bool:
    """Whether `name` or one of its instances (`name-1`, `name.host`) wrote a line."""
    return any(
        actor == name or (actor.startswith(name) and not actor[len(name)].isalnum())
        for actor in speaking
    )


def _absent(incident: Incident, name: str, proof: str) -> BlindSpot:
    return BlindSpot(
        verdict=Verdict.CERTAIN,
        weakest_link=proof,
        began=incident.window.start,
        ended=read_until(incident),
        would_decide=(f"Find out where {name} writes its log.",),
        next_action=f"Add {name}'s log as a source, or read it by hand.",
        variant="never-present",
        actor=name,
        source="",
        proof=proof,
    )


def _unseen_region(incident: Incident, missing: MissingRegion) -> BlindSpot:
    return BlindSpot(
        verdict=missing.verdict,
        weakest_link=missing.proof,
        began=incident.window.start,
        ended=read_until(incident),
        would_decide=(f"Find out where {missing.region} sends its logs.",),
        alternatives=()
        if missing.verdict is Verdict.CERTAIN
        else (f"lines of {missing.region} are here and do not say so",),
        next_action=f"Add the logs of {missing.region} as a source, or read them there.",
        qualifier=missing.verdict is Verdict.POSSIBLE,
        variant="region",
        actor=missing.region,
        source="",
        proof=missing.proof,
    )


def _partial(incident: Incident) -> list[BlindSpot]:
    """Log sources that were blind or cut at T itself: what woke you may be what is missing."""
    logs, pin = incident.sources_in(Lane.LOG), incident.window.pin
    weak = [
        entry
        for entry in incident.snapshot.coverage.entries
        if entry.source in logs
        and entry.sight in (Sight.BLIND, Sight.PARTIAL)
        and entry.start <= pin < entry.end
    ]
    first = {entry.source: entry for entry in sorted(weak, key=lambda e: (e.start, e.source))}
    return [_cut(entry) for entry in first.values()]


def _cut(entry: Coverage) -> BlindSpot:
    return BlindSpot(
        verdict=Verdict.CERTAIN,
        weakest_link="the source itself said so",
        began=entry.start,
        ended=entry.end,
        would_decide=(entry.remedy,) if entry.remedy else (),
        next_action=entry.remedy,
        qualifier=True,
        variant="partial",
        actor="",
        source=entry.source,
        proof=entry.reason or entry.sight.value,
    )


def _short(incident: Incident, one: ShortSource) -> BlindSpot:
    entry = one.coverage
    proof = (
        f"{entry.reason or entry.sight.value}, and none of its records is later, where "
        f"{counted(one.before, 'record')} lie before"
    )
    event = incident.snapshot.event(one.row)
    return BlindSpot(
        verdict=Verdict.CERTAIN,
        weakest_link="the source itself said so",
        began=entry.start,
        ended=entry.end,
        steps=(Step("last record", event, "nothing later was read of it"),),
        would_decide=(entry.remedy,) if entry.remedy else (),
        next_action=entry.remedy or f"Read {entry.source} again for the time after that.",
        variant="short",
        actor="",
        source=entry.source,
        proof=proof,
    )


def _thinned(incident: Incident, one: Unnamed) -> BlindSpot:
    what = f"{one.kind} jobs" if one.jobs else f"rows of {one.kind}"
    proof = (
        f"it names {one.named or 'none'} of {one.items} {what} from then on"
        f"{'' if one.ongoing else f' until {instant(one.end)}'}, and {one.usual:.0%} at other "
        f"times; of its lines {one.pace:.0%} are left"
    )
    limits = incident.snapshot.coverage.limits((one.source,), one.start, one.end)
    link = "that its lines were lost and not left out is inferred from the work"
    if limits:
        link = f"{one.source} says of itself: {limits[0].reason or limits[0].sight.value}"
    event = incident.snapshot.event(one.row)
    return BlindSpot(
        verdict=Verdict.LIKELY,
        weakest_link=link,
        began=one.start,
        ended=one.end,
        steps=(Step("at work", event, f"{one.teller} says nothing of it, against its habit"),),
        would_decide=(
            f"Read {one.teller}'s own log for these minutes where it is written.",
            "Look for sampling, a rate limit, a changed level or a rotated file.",
        ),
        alternatives=("somebody else did this work", f"{one.teller} was told to say less"),
        next_action=f"Fetch {one.teller}'s log from {instant(one.start)} on where it is written.",
        variant="thinned",
        actor=one.teller,
        source=one.source,
        proof=proof,
    )


def _unmeasured(incident: Incident, one: EndedCurves) -> BlindSpot:
    figure, line = incident.snapshot.events_at([one.figure_row, one.row])
    order = before(figure, line, incident.clocks)
    others = counted(one.others, "other instance")
    proof = (
        f"{counted(one.curves, 'curve')} ended, those of {others} went on, and it wrote "
        f"{counted(one.lines, 'line')} meanwhile"
        f"{'' if one.ongoing else f' (figures again from {instant(one.end)})'}"
    )
    return BlindSpot(
        verdict=order.verdict or Verdict.POSSIBLE,
        weakest_link=f"its own lines are later than its last figure: {order.because}",
        began=one.start,
        ended=one.end,
        steps=(
            Step("last figure", figure, f"nothing is measured of {one.instance} after that"),
            Step("at work", line, f"{one.instance} was at work", order),
        ),
        would_decide=(f"Ask {one.source} why it does not reach {one.instance}.",),
        next_action=f"Read the figures of {one.instance} at the instance itself.",
        variant="unmeasured",
        actor=one.instance,
        source=one.source,
        proof=proof,
    )


def _lossy(incident: Incident, one: LostLines) -> BlindSpot:
    number = f"{counted(one.number, 'line')}" if one.number else "lines"
    whose = f" of {one.whose}" if one.whose else ""
    last = f", last at {instant(one.ended)}" if len(one.rows) > 1 else ""
    proof = f"{number}{whose}, said {counted(len(one.rows), 'time')}{last}"
    place = f" on {one.place}" if one.place not in ("", one.carrier) else ""
    return BlindSpot(
        verdict=Verdict.LIKELY,
        weakest_link="it is the carrier's own word; whether they arrived another way is not known",
        began=one.began,
        ended=max(one.ended, one.began + 1),
        steps=(Step("loss", incident.snapshot.event(one.rows[0]), "the carrier's own word"),),
        would_decide=(f"Read the log where it is written{place}.",),
        next_action=f"Read {one.whose or 'the lost lines'}{place} at the source.",
        qualifier=not one.often,
        variant="lossy",
        actor=f"{one.carrier}{place}",
        source="",
        proof=proof,
    )
