"""One incident as detectors, screen and exports see it: a window, a snapshot, clocks, knowledge.

Frozen. Facts that several detectors share (error hits, jobs, rows, executions) are built once,
when first asked for, by the modules of `timeline.facts`.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, TypeVar

from timeline.clock import ClockTable
from timeline.event import Lane
from timeline.keys import KeyRules
from timeline.knowledge import Knowledge
from timeline.once import built_once, hand_over, once

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    import polars as pl

    from timeline.facts.batches import Batch
    from timeline.facts.chains import Chain
    from timeline.facts.executions import Executions
    from timeline.facts.jobs import Jobs
    from timeline.facts.lookups import Lookup
    from timeline.facts.lost_attempt import LostAttempt
    from timeline.facts.new_kinds import NewKind
    from timeline.facts.presses import Press
    from timeline.facts.pushes import FailedPush
    from timeline.facts.records import Records
    from timeline.facts.replicas import Replicas
    from timeline.facts.schedules import Planned
    from timeline.facts.sight import Silence
    from timeline.facts.streams import Stream
    from timeline.facts.thin_spots import ThinSpot
    from timeline.facts.unnamed_work import Unnamed
    from timeline.store import Snapshot
    from timeline.templates import Templates
    from timeline.window import Window


_Fact = TypeVar("_Fact")


@dataclass(frozen=True, slots=True)
class SourceInfo:
    """A configured source: what it is called, which lane it speaks in, which system it is."""

    name: str
    lane: Lane
    system: str
    """Connector name and, once known, version: `postgresql 15.18 (primary)`."""
    forgets: str = ""
    """What this system does not keep, in words: `keeps no successes after 500 s`."""


@dataclass(frozen=True)
class Incident:
    """Everything known about one pinned instant at one moment."""

    window: Window
    snapshot: Snapshot
    clocks: ClockTable = ClockTable()
    key_rules: KeyRules = field(default_factory=KeyRules)
    sources: tuple[SourceInfo, ...] = ()
    environment: str = ""
    expected_services: tuple[str, ...] = ()
    """Services that should speak in this environment, configured or empty."""
    reading: tuple[str, ...] = ()
    """Sources that are still being read. Their coverage says so, and while there are any, nothing
    may be said to be absent: the next page may hold it."""
    knowledge: Knowledge = field(default_factory=Knowledge)
    """What the team configured about its own systems; empty when nothing."""
    collected_at: int = 0
    """When the collection ended, ns UTC; `now` for every claim about the present."""

    def with_clocks(self, clocks: ClockTable) -> Incident:
        """The same incident by better known clocks; no stamp and no shared fact changes.

        Facts are built from stamps and ids alone, never from bounds, so they are kept.
        """
        other = replace(self, clocks=clocks)
        hand_over(self, other)
        return other

    def shared(self, fact: Callable[[Incident], _Fact]) -> _Fact:
        """`fact(self)`, built when first asked for: for facts that two or three detectors want.

        Like every fact it must rest on stamps and ids, not on the bounds of clocks.
        """
        return built_once(self, fact, lambda: fact(self))

    def sources_in(self, *lanes: Lane) -> tuple[str, ...]:
        """Names of the sources that speak in any of `lanes`."""
        return tuple(source.name for source in self.sources if source.lane in lanes)

    @once
    def few_alike(self) -> tuple[pl.DataFrame, ...]:
        """Lines that are alike and seldom enough to be a schedule's; `facts.paced_lines`."""
        from timeline.facts.paced_lines import alike_lines

        return tuple(alike_lines(self))

    @once
    def errors(self) -> pl.DataFrame:
        """Every event that is a known error; see `timeline.facts.errors` for the columns."""
        from timeline.facts.errors import error_hits

        return error_hits(self)

    @once
    def jobs(self) -> Jobs:
        """Every job seen, with its transitions."""
        from timeline.facts.jobs import jobs_in

        return jobs_in(self)

    @once
    def handled(self) -> pl.DataFrame:
        """Attempts of jobs as workers' logs tell them; see `timeline.facts.handled`."""
        from timeline.facts.handled import handled_in

        return handled_in(self)

    @once
    def records(self) -> Records:
        """Every database row seen, with its versions."""
        from timeline.facts.records import records_in

        return records_in(self)

    @once
    def executions(self) -> Executions:
        """Everything that had a beginning and an end: requests and job runs."""
        from timeline.facts.executions import executions_in

        return executions_in(self)

    @once
    def lost_attempts(self) -> tuple[LostAttempt, ...]:
        """Every attempt of a job that was lost with its worker."""
        from timeline.facts.lost_work import lost_attempts

        return lost_attempts(self)

    @once
    def tries(self) -> pl.DataFrame:
        """Every end of an attempt, by queues and logs; see `timeline.facts.tries`."""
        from timeline.facts.tries import tries_in

        return tries_in(self)

    @once
    def failed_pushes(self) -> tuple[FailedPush, ...]:
        """Pushes of jobs that ended in a network error; see `timeline.facts.pushes`."""
        from timeline.facts.pushes import failed_pushes

        return tuple(failed_pushes(self))

    @once
    def failed_lookups(self) -> tuple[Lookup, ...]:
        """Lookups inside jobs that found nothing; see `timeline.facts.lookups`."""
        from timeline.facts.lookups import failed_lookups

        return tuple(failed_lookups(self))

    @once
    def replicas(self) -> Replicas:
        """What is known of replicas and how far behind they were; see `timeline.facts.replicas`."""
        from timeline.facts.replicas import replicas_in

        return replicas_in(self)

    @once
    def speakers(self) -> Mapping[Lane, frozenset[str]]:
        """The sources with an event in each lane."""
        from timeline.facts.sight import speakers_in

        return speakers_in(self)

    @once
    def silences(self) -> tuple[Silence, ...]:
        """Stretches in which somebody who should have spoken did not."""
        from timeline.facts.sight import silences_in

        return silences_in(self)

    @once
    def changes_told(self) -> pl.DataFrame:
        """Values before and after a change, by rows and lines; see `timeline.facts.told_values`."""
        from timeline.facts.told_values import all_changes

        return all_changes(self)

    @once
    def stated_after(self) -> pl.DataFrame:
        """Lines that state a value after such a change; see `timeline.facts.told_values`."""
        from timeline.facts.told_values import stated_after

        return stated_after(self, self.changes_told)

    @once
    def unnamed_work(self) -> tuple[Unnamed, ...]:
        """Work that those who used to name it no longer do; see `timeline.facts.unnamed_work`."""
        from timeline.facts.unnamed_work import unnamed_work

        return tuple(unnamed_work(self))

    @once
    def thin_spots(self) -> tuple[ThinSpot, ...]:
        """Stretches in which lines of a source are missing; see `timeline.facts.thin_spots`."""
        from timeline.facts.thin_spots import thin_spots

        return thin_spots(self)

    @once
    def failures(self) -> pl.DataFrame:
        """Every failing event inside the window; see `timeline.facts.failures`."""
        from timeline.facts.failures import failures_in

        return failures_in(self)

    @once
    def points(self) -> pl.DataFrame:
        """Every point of every curve that was read; see `timeline.facts.series`."""
        from timeline.facts.series import points_in

        return points_in(self)

    @once
    def templates(self) -> Templates:
        """The grave lines of the window by what they say; see `timeline.templates`."""
        from timeline.templates import templates_in

        return templates_in(self)

    @once
    def spoken(self) -> pl.DataFrame:
        """Log lines about planned work: schedules, batons, batches; `timeline.facts.spoken`."""
        from timeline.facts.spoken import spoken_lines

        return spoken_lines(self)

    @once
    def turned_away(self) -> pl.DataFrame:
        """Requests that were refused or found nothing; see `timeline.facts.requests`."""
        from timeline.facts.requests import turned_away

        return turned_away(self)

    @once
    def chains(self) -> tuple[Chain, ...]:
        """Work that puts itself back on its queue; see `timeline.facts.chains`."""
        from timeline.facts.chains import chains_in

        return chains_in(self)

    @once
    def new_kinds(self) -> tuple[NewKind, ...]:
        """Trouble that nobody had before; see `timeline.facts.new_kinds`."""
        from timeline.facts.new_kinds import new_kinds

        return new_kinds(self)

    @once
    def statements(self) -> pl.DataFrame:
        """What databases' own logs tell; see `timeline.facts.schema_statements`."""
        from timeline.facts.schema_statements import statements_in

        return statements_in(self)

    @once
    def planned(self) -> tuple[Planned, ...]:
        """Work that is due at known instants; see `timeline.facts.schedules`."""
        from timeline.facts.schedules import planned_works

        return planned_works(self)

    @once
    def batches(self) -> tuple[Batch, ...]:
        """Batches whose items are known by their keys; see `timeline.facts.batches`."""
        from timeline.facts.batches import batches_in

        return batches_in(self)

    @once
    def streams(self) -> tuple[Stream, ...]:
        """What was written of one thing after another; see `timeline.facts.streams`."""
        from timeline.facts.streams import streams_in

        return streams_in(self)

    @once
    def presses(self) -> tuple[tuple[Press, ...], ...]:
        """Operations that were begun more than once; see `timeline.facts.presses`."""
        from timeline.facts.presses import presses_in

        return presses_in(self)

    @once
    def workers(self) -> frozenset[str]:
        """Log actors that run jobs; see `timeline.facts.roles`."""
        from timeline.facts.roles import worker_actors

        return worker_actors(self)
