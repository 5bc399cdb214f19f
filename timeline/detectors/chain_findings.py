"""What became of a baton, work that puts itself back on its queue: it broke, or it forked.

Shared by `missed-run` (no successor) and `extra-runs` (several). The chains and the places where
they end are facts (`timeline.facts.chains`); graded here is how sure the missing or the second
successor is.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from timeline.facts.chains import Chain, Fork, Hop
from timeline.facts.sight import absence, read_until
from timeline.facts.words import abridged, counted, instant, length, listed, often, short
from timeline.finding import Finding, Stage, Step
from timeline.order import Verdict, before, weakest

if TYPE_CHECKING:
    from timeline.incident import Incident

MAX_STEPS = 6
FAILED = ("failed", "dead")


@dataclass(frozen=True, kw_only=True)
class BrokenChain(Finding):
    """A baton whose last hop has no successor. Instants and lengths in ns (UTC).

    `hops` counts those that were seen, `period` is the usual time between two, `last` names the
    last message (a key, or empty), `run` the run it was for. `taken` is False when the last message
    was put on the queue and never seen again.
    """

    term: ClassVar[str] = "missed-run"
    stage: ClassVar[Stage] = Stage.EFFECT
    remedy: ClassVar[str] = (
        "Let a timer outside the queue start each run from a stored schedule, and alert on the age "
        "of the last run: a message that carries its own schedule takes it along when it is lost."
    )

    work: str
    hops: int
    period: int
    last: str
    run: str
    taken: bool
    last_seen: int
    outcome: str
    consequence: str

    def sentence(self) -> str:
        name = f"message {short(self.last)}" if self.last else "message"
        run = f" for {self.run}" if self.run else ""
        fate = "was taken" if self.taken else "was put on the queue and never taken"
        end = f" ({self.outcome})" if self.outcome in FAILED else ""
        left = " and put nothing back" if self.taken else ""
        if self.outcome == "put back":
            fate, left = "was put back", " and never seen again"
        return abridged(
            f"The chain of {self.work} broke: after {counted(self.hops, 'hop')} about "
            f"{length(self.period)} apart its last {name}{run} {fate} at "
            f"{instant(self.last_seen)}{end}{left}; {self.consequence}."
        )

    def clause(self) -> str:
        return f"the chain of {self.work} broke at {instant(self.last_seen)}"


@dataclass(frozen=True, slots=True)
class ForkedHop:
    """One message (key) with the keys of the messages that followed it; `deliveries` counts how
    often it was taken."""

    hop: str
    at: int
    successors: tuple[str, ...]
    deliveries: int


@dataclass(frozen=True, kw_only=True)
class ForkedChain(Finding):
    """A baton that has been two or more since a hop with several successors.

    `cause`: `delivered again` or `pushed twice`; `alive` counts the branches that still move.
    """

    term: ClassVar[str] = "extra-runs"
    stage: ClassVar[Stage] = Stage.EFFECT
    remedy: ClassVar[str] = (
        "Let a unique key of schedule and instant in a database decide who may run, so that a "
        "message that is delivered twice cannot become two schedules."
    )

    work: str
    forks: tuple[ForkedHop, ...]
    cause: str
    alive: int

    def sentence(self) -> str:
        first = self.forks[0]
        more = "" if len(self.forks) == 1 else f", and {len(self.forks) - 1} later hops likewise"
        name = f"message {short(first.hop)}" if first.hop else "one message"
        why = (
            f"it was delivered {often(first.deliveries)}"
            if self.cause == "delivered again"
            else "it was put back more than once"
        )
        return abridged(
            f"The chain of {self.work} forked at {instant(first.at)}: {name} has "
            f"{len(first.successors)} successors, as {why}{more}; "
            f"{counted(self.alive, 'branch', 'branches')} still moved at the end, and every later "
            f"run comes as often."
        )

    def clause(self) -> str:
        return f"the chain of {self.work} forked at {instant(self.forks[0].at)}"


def broken_chains(incident: Incident) -> tuple[list[Finding], int]:
    """A finding for each chain that is over, and how many chains were looked at."""
    chains = incident.chains
    found: list[Finding] = [
        _broken(incident, chain, chain.last) for chain in chains if chain.last is not None
    ]
    return found, len(chains)


def forked_chains(incident: Incident) -> Iterator[Finding]:
    """A finding for each chain with a hop that has several successors."""
    for chain in incident.chains:
        if chain.forks:
            yield _forked(incident, chain)


def _broken(incident: Incident, chain: Chain, last: Hop) -> BrokenChain:
    gone = absence(incident, chain.sources, last.at + 1, last.at + chain.patience)
    verdict, link = Verdict.CERTAIN, "ids link the hops, and no later one is in what was read"
    if not chain.exact:
        verdict, link = Verdict.LIKELY, "that the lines are one chain is read from their form"
        if chain.told_by == "jobs":
            link = "that the hops are one chain is read from the runs in which they were pushed"
    if chain.told_by == "lines" and verdict is Verdict.CERTAIN:
        verdict = Verdict.LIKELY
        link = "its own log is all there is: a hop that nobody logged would not be seen"
    if gone.reasons:
        verdict = weakest((verdict, gone.verdict))
        link = f"a successor may not have been seen: {gone.reasons[0]}"
    period = length(chain.period)
    return BrokenChain(
        verdict=verdict,
        weakest_link=link,
        began=last.at,
        ended=min(last.at + chain.patience, read_until(incident)),
        steps=_steps(incident, _story_of_end(incident, chain, last)),
        keys=(last.id,) if last.id else (),
        would_decide=(
            "Look on the queue, and among its dead letters, for a message of this kind.",
            f"Look in the log of {last.actor or 'the last consumer'} right after "
            f"{instant(last.at)} for an error or a stop.",
        ),
        alternatives=("the chain was ended on purpose", "its messages now go to another queue"),
        next_action=(
            f"Put one such message on its queue{f', for {last.run} or after' if last.run else ''}, "
            f"to start the chain of {chain.name} again."
        ),
        work=chain.name,
        hops=len(chain.hops),
        period=chain.period,
        last=last.id,
        run=last.run,
        taken=last.taken is not None,
        last_seen=last.taken or last.at,
        outcome=last.outcome,
        consequence=f"no successor exists although one came every {period}: every later run is "
        "lost too",
    )


def _story_of_end(incident: Incident, chain: Chain, last: Hop) -> Sequence[tuple[int, str, str]]:
    """(row, role, why): the hop before, the last hop, and what was said of it since."""
    earlier = [hop for hop in chain.hops if hop.at < last.at][-1:]
    told = [(hop.row, "hop before", "it had a successor") for hop in earlier]
    told.append((last.row, "last hop", "it has none"))
    if last.id:
        rows = incident.snapshot.rows_with([last.id])
        stamps = incident.snapshot.events.get_column("timestamp").gather(rows)
        later = rows.filter(stamps > (last.taken or last.at)).to_list()
        told += [(row, "afterwards", "the last that was heard of it") for row in later[-2:]]
    return told


def _forked(incident: Incident, chain: Chain) -> ForkedChain:
    fork = chain.forks[0]
    delivered = any(one.deliveries > 1 for one in chain.forks)
    verdict, link = Verdict.CERTAIN, "ids link the message with each of its successors"
    if not chain.exact:
        verdict = Verdict.LIKELY
        link = "the successors are known by the run during which they were pushed, not by an id"
    until = read_until(incident)
    recent = [hop for hop in chain.hops if until - hop.at <= 2 * max(chain.period, 1)]
    forks = tuple(
        ForkedHop(one.hop.id, _parted(one), tuple(hop.id for hop in one.successors), one.deliveries)
        for one in chain.forks
    )
    names = sorted({hop.id for one in chain.forks for hop in one.successors if hop.id})
    return ForkedChain(
        verdict=verdict,
        weakest_link=link,
        began=_parted(fork),
        ended=max(hop.at for hop in chain.hops),
        steps=_steps(incident, _story_of_fork(fork)),
        keys=tuple(sorted({*names, *([fork.hop.id] if fork.hop.id else [])})),
        would_decide=("Count the messages of this kind that are on the queue now.",),
        alternatives=("somebody put a second message on the queue by hand",),
        next_action=(
            f"Take all but one branch of {chain.name} off the queue: "
            f"{listed([short(name) for name in names])}."
        ),
        work=chain.name,
        forks=forks,
        cause="delivered again" if delivered else "pushed twice",
        alive=min(len(recent), len(forks) + 1),
    )


def _parted(fork: Fork) -> int:
    """When a hop became two (ns UTC): as its second successor was pushed, or it was taken again."""
    pushed = sorted(hop.sent for hop in fork.successors if hop.sent is not None)
    return pushed[1] if len(pushed) > 1 else fork.hop.at


def _story_of_fork(fork: Fork) -> Sequence[tuple[int, str, str]]:
    told = [(fork.hop.row, "forked hop", "it has more than one successor")]
    for hop in fork.successors[: MAX_STEPS - 1]:
        if hop.row != fork.hop.row:
            told.append((hop.row, "successor", "it goes on as a chain of its own"))
    return told


def _steps(incident: Incident, told: Sequence[tuple[int, str, str]]) -> tuple[Step, ...]:
    unique = {row: (role, why) for row, role, why in reversed(told)}
    rows = list(dict.fromkeys(row for row, _, _ in told))[:MAX_STEPS]
    steps: list[Step] = []
    for row, event in zip(rows, incident.snapshot.events_at(rows), strict=True):
        role, why = unique[row]
        order = before(steps[-1].event, event, incident.clocks) if steps else None
        steps.append(Step(role, event, why, order))
    return tuple(steps)
