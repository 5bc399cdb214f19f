"""orphaned-record: a row that was promised something (a job, a mail, the next state) and is alone.

Story: the account is there and its mail was never sent; an order is still pending, an hour after
all others of its minute were paid. Nobody notices, because nothing fails: a row waits.

Predicate: a row of a promise of the team (`Knowledge.contracts`) is older than the promise allows
and shows no trace of the work, or only jobs that failed. Without a promise it is learnt and at most
likely: a state that at least 50 rows left within one usual time and these did not leave in three
times as long; or a follow-up that nine in ten rows of the table have, missing for most of the rows
of one short stretch, or for nearly all of it while the rows before and after it have theirs.

False positives: promises not due yet, states that wait for people, two usual lengths, rows that
never have the follow-up here and there (all silent); a queue that forgets successes makes a job not
visible, never missing (possible); rows whose job still waits or runs are late and not yet alone
(possible). What `ambiguous-enqueue` explains is not learnt again here.

Reference: orphaned record, stuck saga, transactional outbox; a sanity check for bad data.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, ClassVar

import polars as pl

from timeline.detectors.rows_passed_over import rows_passed_over
from timeline.event import Lane
from timeline.facts.contracts import Broken, broken_promise, unreadable
from timeline.facts.dwell import PATIENCE_FOLD, Stuck, stuck_rows
from timeline.facts.follow_ups import FollowUps, clean_cut, missing_follow_ups
from timeline.facts.sight import heard, read_until
from timeline.facts.words import abridged, counted, instant, length, listed, short
from timeline.finding import Finding, NotEvaluated, Stage, Step
from timeline.order import Verdict, at_least, before, weakest

if TYPE_CHECKING:
    from timeline.incident import Incident
    from timeline.knowledge import Contract

SPIKE_SHARE = 0.8
"""Part of the rows that must have entered in one short stretch to date the incident by it."""
SPIKE_WINDOW = 0.1
"""The stretch is short when it is at most this part of the window."""
SPIKE_ROWS = 3
"""Two rows always lie close to something."""
LEARNT_SHARE = 0.9
"""Part of a table's rows that have a follow-up before its absence means anything unasked."""
LEARNT_FOLLOWED = 50
MOSTLY = 0.5
"""Part of a spike's rows that must lack the follow-up: a few of many are those that never need it,
unless they lie closer than `BY_CHANCE`."""
BY_CHANCE = 1e-3
"""How likely rows that never need the follow-up may at most lie as close by chance: a branch for
one kind of customer loses a few of many, and all of them in its own minutes."""
MAX_STEPS = 6
MAX_FINDINGS = 5


@dataclass(frozen=True, slots=True)
class Orphan:
    """One row. `created` ns UTC, `age` ns when it was read; `jobs` those that failed at the work.

    Keys are typed: `key` names the thing, `record` the row.
    """

    key: str
    record: str
    created: int
    age: int
    jobs: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Spike:
    """The shortest stretch `[start, end]` (ns UTC) that holds most of the orphans: `orphans` of
    the `created` rows of the table that were created in it."""

    start: int
    end: int
    orphans: int
    created: int


@dataclass(frozen=True, kw_only=True)
class OrphanedRecord(Finding):
    """Rows of one table that one promise was broken for. `kept` counts the rows that had it.

    `source_of_rule` is `promised` (configured), `usual state` or `usual follow-up` (learnt here).
    `within` is the time allowed, ns. `push_failed` are those keys whose push ended in an error.
    """

    term: ClassVar[str] = "orphaned-record"
    remedy: ClassVar[str] = (
        "Write the row and its job in one transaction (outbox), and run a periodic check that "
        "looks for rows past their promise and alerts."
    )
    stage: ClassVar[Stage] = Stage.EFFECT

    promise: str
    source_of_rule: str
    table: str
    state: str
    lacks: str
    within: int
    orphans: tuple[Orphan, ...]
    kept: int
    spike: Spike | None
    push_failed: tuple[str, ...]

    def sentence(self) -> str:
        names = listed([short(orphan.key) for orphan in self.orphans], 3)
        oldest = max(orphan.age for orphan in self.orphans)
        told = f"{self._what} {self._rule}: {names}; the oldest is {length(oldest)} old"
        if self.spike is not None:
            start, end = instant(self.spike.start), instant(self.spike.end)
            told += f"; {self.spike.orphans} were created from {start} to {end}"
        if failed := [orphan for orphan in self.orphans if orphan.jobs]:
            told += f"; the job of {listed([short(o.key) for o in failed], 3)} failed"
        if self.push_failed:
            told += f"; the push for {listed([short(k) for k in self.push_failed], 3)} failed"
        return f"{abridged(told)}."

    def clause(self) -> str:
        return f"{self._what} {self._lacking}"

    @property
    def _what(self) -> str:
        state = f" with {self.state}" if self.state else ""
        return f"{counted(len(self.orphans), 'row')} of {self.table}{state}"

    @property
    def _lacking(self) -> str:
        if self.source_of_rule == "usual state":
            return "never left that state" if len(self.orphans) > 1 else "has never left that state"
        verb = "have" if len(self.orphans) > 1 else "has"
        tried = " that worked" if any(orphan.jobs for orphan in self.orphans) else ""
        return f"{verb} no {self.lacks}{tried}"

    @property
    def _rule(self) -> str:
        if self.source_of_rule == "promised":
            return f"{self._lacking} within {length(self.within)} as “{self.promise}” promises"
        if self.source_of_rule == "usual state":
            return f"{self._lacking}, which {self.kept} others left within {length(self.within)}"
        return f"{self._lacking}, which {self.kept} others had within {length(self.within)}"


class OrphanedRecordDetector:
    """Finds rows that were left alone; see the module."""

    term: ClassVar[str] = OrphanedRecord.term

    def detect(self, incident: Incident) -> Sequence[Finding] | NotEvaluated:
        if not heard(incident, Lane.DATABASE):
            return NotEvaluated(self.term, "the rows that may be left alone (a database)")
        contracts = incident.knowledge.contracts
        unread = {c.name: why for c in contracts if (why := unreadable(incident, c))}
        found: list[OrphanedRecord] = []
        for contract in contracts:
            broken = None if contract.name in unread else broken_promise(incident, contract)
            if broken is None or not broken.owed:
                continue
            if broken.telling:
                found.append(_of_contract(incident, contract, broken))
            else:
                work = contract.needs.words()
                unread[contract.name] = f"a source that remembers each {work} ({broken.reasons[0]})"
        known = {orphan.key for finding in found for orphan in finding.orphans}
        found += [*_learnt(incident, known)]
        passed = rows_passed_over(incident)
        if not found and not passed and unread:
            return NotEvaluated(self.term, " and ".join(sorted(set(unread.values()))))
        found.sort(key=lambda one: (list(Verdict).index(one.verdict), -len(one.orphans), one.began))
        if found and unread:
            found[0] = _with_unread(found[0], unread)
        return [*passed, *found][:MAX_FINDINGS]


def _with_unread(finding: OrphanedRecord, unread: Mapping[str, str]) -> OrphanedRecord:
    """The finding with a word on the promises that nobody could judge."""
    more = (f"“{name}” was not judged: it needs {why}." for name, why in sorted(unread.items()))
    return replace(finding, would_decide=(*finding.would_decide, *more))


def _of_contract(incident: Incident, contract: Contract, broken: Broken) -> OrphanedRecord:
    orphans = tuple(Orphan(o.key, o.record, o.created, o.age, o.jobs) for o in broken.owed)
    link = (
        broken.reasons[0]
        if broken.reasons
        else (
            f"every source that would show a {contract.needs.words()} was read up to "
            f"{instant(broken.until)}"
        )
    )
    return _finding(
        incident,
        orphans,
        [owed.event_row for owed in broken.owed],
        broken.due_times,
        verdict=broken.verdict,
        link=link,
        promise=contract.name,
        source_of_rule="promised",
        table=contract.table,
        state=f"{contract.column}={contract.value}" if contract.column else "",
        lacks=contract.needs.words(),
        within=contract.within,
        kept=broken.kept,
    )


def _learnt(incident: Incident, known: set[str]) -> Iterator[OrphanedRecord]:
    """What no promise speaks of, and nothing else explains."""
    for stuck in stuck_rows(incident):
        rows = [row for row in stuck.rows if row[0] not in known]
        if rows:
            known |= {row[0] for row in rows}
            yield _of_state(incident, stuck, rows)
    rule = missing_follow_ups(incident)
    if rule is None or rule.followed < LEARNT_FOLLOWED or incident.failed_pushes:
        return
    missing = [key for key in rule.missing if key not in known]
    if len(missing) >= SPIKE_ROWS and (found := _of_follow_up(incident, rule, missing)):
        yield found


def _of_state(
    incident: Incident, stuck: Stuck, rows: list[tuple[str, str, int, int, int]]
) -> OrphanedRecord:
    return _finding(
        incident,
        tuple(Orphan(*row[:4]) for row in rows),
        [row[4] for row in rows],
        stuck.due_times,
        verdict=Verdict.LIKELY,
        link=(
            f"learnt from {stuck.moved} rows that moved on, 99 in 100 of them within "
            f"{length(stuck.usual)}; these had {PATIENCE_FOLD} times as long at least"
        ),
        promise="",
        source_of_rule="usual state",
        table=stuck.table,
        state=f"{stuck.column}={stuck.value}",
        lacks="",
        within=stuck.usual,
        kept=stuck.moved,
    )


def _of_follow_up(incident: Incident, rule: FollowUps, missing: list[str]) -> OrphanedRecord | None:
    """A follow-up that most rows of one short stretch lack and hardly any other row does."""
    records = incident.records.of_entities(missing)
    until = read_until(incident)
    orphans = tuple(
        Orphan(key, record.record, record.created, (record.seen or until) - record.created)
        for key in missing
        if (record := records.get(key)) is not None and record.created is not None
    )
    summary = incident.records.summary
    times = summary.filter(pl.col("table") == rule.table).get_column("created").drop_nulls().sort()
    usual = rule.followed >= LEARNT_SHARE * (rule.followed + len(missing))
    began = times.filter(times >= incident.window.start)
    if not usual and not clean_cut(rule, [orphan.created for orphan in orphans], began):
        return None
    spike = _spike(incident, [orphan.created for orphan in orphans], times)
    if spike is None:
        return None
    chance = _chance(len(orphans), spike, times.len())
    if spike.orphans < MOSTLY * spike.created and chance > BY_CHANCE:
        return None
    rows = [records[orphan.key].any_row for orphan in orphans]
    limit = rule.reasons[0] if rule.reasons else "the rule is learnt from the other rows"
    return _finding(
        incident,
        orphans,
        rows,
        times,
        verdict=weakest((rule.verdict, Verdict.LIKELY)),
        link=limit,
        promise="",
        source_of_rule="usual follow-up",
        table=rule.table,
        state="",
        lacks="visible job" if rule.effect == "job" else f"row in {rule.effect}",
        within=rule.usual,
        kept=rule.followed,
    )


def _finding(
    incident: Incident,
    orphans: tuple[Orphan, ...],
    rows: list[int],
    times: pl.Series,
    *,
    verdict: Verdict,
    link: str,
    promise: str,
    source_of_rule: str,
    table: str,
    state: str,
    lacks: str,
    within: int,
    kept: int,
) -> OrphanedRecord:
    keys = {orphan.key for orphan in orphans}
    pushed = tuple(sorted({push.key for push in incident.failed_pushes} & keys))
    jobs = {job for orphan in orphans for job in orphan.jobs}
    names = listed([short(orphan.key) for orphan in orphans])
    gone = f"there is no {lacks}" if lacks else f"it still has {state}"
    if late := _under_way(incident, keys):
        verdict = Verdict.POSSIBLE
        link = f"{counted(late, 'job')} for them still open: they may only be late"
    certain = at_least(verdict, Verdict.CERTAIN)
    return OrphanedRecord(
        verdict=verdict,
        weakest_link=link,
        began=orphans[0].created,
        ended=orphans[-1].created,
        steps=_steps(incident, rows, orphans, gone),
        keys=tuple(sorted(keys | jobs | {orphan.record for orphan in orphans})),
        would_decide=()
        if certain
        else (f"Ask whoever does the work whether it was done for {names}.",),
        alternatives=() if certain else ("the work was done and its trace is not visible here",),
        next_action=_next(names, table, lacks, certain=certain),
        promise=promise,
        source_of_rule=source_of_rule,
        table=table,
        state=state,
        lacks=lacks,
        within=within,
        orphans=orphans,
        kept=kept,
        spike=_spike(incident, [orphan.created for orphan in orphans], times),
        push_failed=pushed,
    )


def _under_way(incident: Incident, keys: set[str]) -> int:
    """How many jobs about `keys` were put on a queue or begun and have no end yet."""
    jobs = incident.jobs
    wanted = pl.Series(sorted(keys), dtype=pl.String)
    held = jobs.entities.filter(pl.col("key").is_in(wanted.implode())).select("job").unique()
    open_ones = jobs.summary.filter(pl.col("ended").is_null())
    return open_ones.join(held, on="job", how="semi").height


def _next(names: str, table: str, lacks: str, *, certain: bool) -> str:
    if certain and lacks:
        return f"Repair {names} of {table}: the {lacks} is missing."
    return f"Look up {names} of {table} before repairing anything."


def _spike(incident: Incident, entered: list[int], times: pl.Series) -> Spike | None:
    """The shortest stretch with most of `entered` (ascending ns), if it is short and crowded."""
    short_enough = SPIKE_WINDOW * (incident.window.end - incident.window.start)
    most = max(SPIKE_ROWS, math.ceil(SPIKE_SHARE * len(entered)))
    if len(entered) < most:
        return None
    need = len(entered) if entered[-1] - entered[0] <= short_enough else most
    spans = [(entered[i + need - 1] - entered[i], i) for i in range(len(entered) - need + 1)]
    span, first = min(spans)
    if span > short_enough:
        return None
    start, end = entered[first], entered[first] + span
    inside = int(times.is_between(start, end).sum())
    held = sum(start <= stamp <= end for stamp in entered)
    return Spike(start, end, held, inside)


def _chance(missing: int, spike: Spike, rows: int) -> float:
    """At most how likely `spike.orphans` of `missing` rows, drawn by chance from `rows`, lie in one
    stretch of so many rows: the first union bound of a scan statistic."""
    share = spike.created / max(rows, 1)
    ways = math.comb(missing, spike.orphans) * spike.orphans
    return min(1.0, ways * share ** (spike.orphans - 1))


def _steps(
    incident: Incident, rows: list[int], orphans: Sequence[Orphan], gone: str
) -> tuple[Step, ...]:
    steps: list[Step] = []
    events = incident.snapshot.events_at(rows[:MAX_STEPS])
    for event, orphan in zip(events, orphans, strict=False):
        order = before(steps[-1].event, event, incident.clocks) if steps else None
        why = f"{short(orphan.key)} was written; {length(orphan.age)} later {gone}"
        steps.append(Step("left alone", event, why, order))
    return tuple(steps)
