"""partial-batch: a batch stopped before all of its items were done.

Story: the Friday batch runs for five times as many users as ever, stops somewhere, and a few in a
hundred fail for their own reasons; or some nights half of the apps have a backup.

Predicate: of the expected items (a configured set, the children of one parent or batch key, the
set of the rounds before, or a number that lines, jobs' arguments or a curve climb toward) some were
done, some were not, and for five times the usual gap between two items nothing more came. Failed,
skipped and never tried are told apart: never tried is what is left to resume.

Shape: `prefix` (it stopped at an item), `cap` (at a page size or limit), `aligned` (the missing
share one region, host, shard…), `stable` or `unstable` (the same items, or others, failed in two
presses), `scattered`.

Certain when the expected items are explicit and every source that shows one was read in full;
likely when their number is stated only; possible where items may have been done unseen.

False positives: a batch still under way, items that were skipped on purpose, a failure that a later
try healed (all silent).

Reference: partial failure, resumable batch; netbox-community/netbox#484,
django-commons/django-tasks-scheduler#401.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

import polars as pl

from timeline.event import Lane
from timeline.facts.batches import Batch, unusable_sets
from timeline.facts.presses import PressShare, presses_of, shares, signs_by_press
from timeline.facts.shapes import (
    CAPS,
    Shape,
    aligned,
    in_two_presses,
    stopped_after,
    traits_of,
)
from timeline.facts.sight import absence, covered_until, heard, read_until
from timeline.facts.stated import stated_batches
from timeline.facts.stated_climbs import climbing
from timeline.facts.words import capital, counted, instant, length, listed, short
from timeline.finding import Finding, NotEvaluated, Repair, Stage, Step
from timeline.order import Verdict, before, weakest
from timeline.words import grouped

if TYPE_CHECKING:
    from timeline.incident import Incident

FEW_FAILED = 3
"""Fewer items that failed, with none left out, are those items' own trouble."""
MAX_TRAITS_READ = 5_000
"""Items whose traits are read one by one; a larger set is sampled from its beginning."""
MAX_FINDINGS = 8
MAX_STEPS = 5


@dataclass(frozen=True, kw_only=True)
class PartialBatch(Finding):
    """A batch with items left undone. Counts are of items; `resume` holds the keys never tried, in
    the order of processing, `failures` those that failed, `unfinished` those begun without an end,
    `doubled` those done more often than they should be.

    `seen_all` is whether what was read would show every item that was tried. `told_by` are those
    on whose word alone items count as done, empty where rows show it. `basis` says where
    the expected items come from, `shape` what the gap looks like. `last_item` is
    the last that was done (a key) and `stopped` when (ns UTC). `presses` has one entry for each
    time the batch was begun, empty where that is not visible.
    """

    term: ClassVar[str] = "partial-batch"
    stage: ClassVar[Stage] = Stage.EFFECT
    remedy: ClassVar[str] = (
        "Make each item a piece of work of its own with a record of its state, and let a check "
        "compare expected with done after every run."
    )

    batch: str
    basis: str
    total: int
    done: int
    failed: int
    skipped: int
    tried: int
    never: int
    seen_all: bool
    told_by: tuple[str, ...]
    shape: Shape | None
    stopped: int
    last_item: str
    resume: tuple[str, ...]
    doubled: tuple[str, ...]
    failures: tuple[str, ...]
    unfinished: tuple[str, ...]
    presses: tuple[PressShare, ...]

    def sentence(self) -> str:
        rest = [
            f"{grouped(number)} {word}"
            for number, word in (
                (self.failed, "failed"),
                (self.skipped, "skipped"),
                (self.tried, "begun without an end"),
                (len(self.doubled), "done more than once"),
                (self.never, "never tried" if self.seen_all else "without a sign in what was read"),
            )
            if number
        ]
        shape = f"; {self.shape.words}" if self.shape else ""
        press = f", over {len(self.presses)} presses" if len(self.presses) > 1 else ""
        return (
            f"{capital(self.batch)} stopped at {instant(self.stopped)} with {grouped(self.done)} "
            f"of {grouped(self.total)} done{self._word}{press}: {', '.join(rest)}{shape}."
        )

    @property
    def _word(self) -> str:
        verb = "says" if len(self.told_by) == 1 else "say"
        return f", as {listed(self.told_by, 2)} {verb}" if self.told_by else ""

    def repairs(self) -> list[Repair]:
        """What is left first, in the order of processing."""
        untold = "never tried" if self.seen_all else "no sign of it"
        states = (
            (untold, self.resume),
            ("failed", self.failures),
            ("begun, no end", self.unfinished),
            ("done more than once", self.doubled),
        )
        return [Repair(key, state) for state, keys in states for key in keys]

    def clause(self) -> str:
        if self.told_by:
            return f"{self.batch} stopped at {grouped(self.done)} of {grouped(self.total)} items"
        return f"{self.batch} stopped with {grouped(self.done)} of {grouped(self.total)} done"


class PartialBatchDetector:
    """Finds batches that stopped before their end; see the module."""

    term: ClassVar[str] = PartialBatch.term

    def detect(self, incident: Incident) -> Sequence[Finding] | NotEvaluated:
        lanes = (Lane.QUEUE, Lane.LOG, Lane.DATABASE, Lane.METRIC)
        if not any(heard(incident, lane) for lane in lanes):
            return NotEvaluated(self.term, "a job queue, or logs that name the items of a batch")
        batches = incident.batches
        found: list[Finding] = [
            finding for batch in batches if (finding := _finding(incident, batch)) is not None
        ]
        found.extend(_stated(incident, batches))
        problems = unusable_sets(incident)
        if not found and (problems or not batches):
            return NotEvaluated(self.term, _needs(incident, problems))
        found.sort(key=lambda one: (one.qualifier, list(Verdict).index(one.verdict), one.began))
        return found[:MAX_FINDINGS]


def _needs(incident: Incident, problems: Sequence[str]) -> str:
    if problems:
        return problems[0]
    for wanted in incident.knowledge.expected:
        return f"a source that shows items of {wanted.name}: none was seen in what was read"
    return "a batch: an expected set, jobs of one parent, or a line that says how many there are"


def _finding(incident: Incident, batch: Batch) -> PartialBatch | None:
    counts = batch.counts
    undone = counts["failed"] + counts["tried"] + counts["never"]
    if not counts["done"] + counts["failed"]:
        return None  # what ended is forgotten, or nothing has ended yet
    if not undone or (undone == batch.items.height and not counts["failed"] + counts["tried"]):
        return None
    if not batch.stands_still(incident):
        return None
    presses = presses_of(incident, batch)
    signs, _ = signs_by_press(incident, presses, batch.signs) if presses else (batch.signs, True)
    verdict, link = _verdict(incident, batch)
    resume = batch.keys("never")
    done = batch.items.filter(pl.col("outcome") == "done").sort("at", "position")
    last = done.row(-1, named=True) if done.height else None
    told_by = batch.told_by(incident)
    return PartialBatch(
        verdict=verdict,
        weakest_link=link,
        began=batch.began,
        ended=batch.ended,
        steps=_steps(incident, batch),
        keys=tuple(sorted(batch.keys("failed", "tried", "never"))),
        would_decide=(
            f"Look at what was logged right after {instant(batch.ended)}.",
            "Compare with a source that keeps the result of each item.",
        ),
        alternatives=_alternatives(batch, told_by),
        next_action=_next_action(batch, resume, seen_all=verdict is not Verdict.POSSIBLE),
        qualifier=not counts["never"] and not counts["tried"] and counts["failed"] < FEW_FAILED,
        batch=batch.name,
        basis=batch.basis,
        total=batch.items.height,
        done=counts["done"],
        failed=counts["failed"],
        skipped=counts["skipped"],
        tried=counts["tried"],
        never=counts["never"],
        seen_all=verdict is not Verdict.POSSIBLE,
        told_by=told_by,
        shape=shape_of(incident, batch, signs),
        stopped=batch.ended,
        last_item="" if last is None else str(last["key"]),
        resume=resume,
        doubled=tuple(sorted(key for key, n in batch.times.items() if 0 < batch.each < n)),
        failures=batch.keys("failed"),
        unfinished=batch.keys("tried"),
        presses=tuple(shares(presses, signs, batch.items.height)),
    )


def _verdict(incident: Incident, batch: Batch) -> tuple[Verdict, str]:
    grades: list[tuple[Verdict, str]] = []
    if batch.inferred:
        grades.append((Verdict.LIKELY, batch.inferred))
    until = min(batch.ended + batch.patience, read_until(incident))
    gone = absence(incident, batch.sources, batch.began, until)
    if gone.reasons:
        grades.append((gone.verdict, f"items may have been done unseen: {gone.reasons[0]}"))
    if batch.began - incident.window.start <= batch.patience and batch.counts["never"]:
        why = "it may have begun before the window, where items were done unseen"
        grades.append((Verdict.POSSIBLE, why))
    verdict = weakest(grade for grade, _ in grades)
    link = next((why for grade, why in grades if grade is verdict), "")
    one = len(batch.sources) == 1
    read = f"source {listed(batch.sources)} was" if one else f"{listed(batch.sources)} were"
    return verdict, link or f"{batch.basis}, and {read} read in full"


def _alternatives(batch: Batch, told_by: Sequence[str]) -> tuple[str, ...]:
    told = []
    if told_by:
        verb = "calls" if len(told_by) == 1 else "call"
        told.append(f"some that {listed(told_by, 2)} {verb} done failed elsewhere, in silence")
    if batch.counts["never"]:
        told.append("the rest was left out on purpose")
    if batch.name.startswith(("batch", "parent", "group")):
        told.append("its workers are paused, and the rest still waits in the queue")
    return tuple(told)


def _next_action(batch: Batch, resume: Sequence[str], *, seen_all: bool) -> str:
    if resume and not seen_all:
        return (
            f"Check which of the {counted(len(resume), 'item')} without a sign are done before "
            f"{batch.name} is run again."
        )
    if resume:
        first = listed([short(key) for key in resume], 3)
        return (
            f"Resume {batch.name} with the {counted(len(resume), 'item')} never tried ({first}), "
            "rather than from the beginning."
        )
    failed = [short(key) for key in batch.keys("failed", "tried")]
    return f"Look at {listed(failed)} one by one before running {batch.name} again."


def shape_of(incident: Incident, batch: Batch, signs: pl.DataFrame) -> Shape | None:
    """What the missing items of `batch` look like; None where nothing stands out."""
    items = batch.items
    positions = dict(items.select("key", "position").iter_rows())
    never = set(batch.keys("never"))
    missing = never or set(batch.keys("failed", "tried"))
    others = set(positions) - missing
    repeated = in_two_presses(signs, FEW_FAILED)
    if not never and repeated is not None:
        return repeated
    in_order = batch.ordered or _done_in_order(batch)
    if never and in_order:
        tried, left = [positions[key] for key in others], [positions[key] for key in never]
        if stopped_after(tried, left):
            return _stop(batch, len(others))
    read = [key for key in positions if key in missing or key in others][:MAX_TRAITS_READ]
    rows = dict(items.drop_nulls("row").select("key", "row").iter_rows())
    found = aligned(missing, others, traits_of(incident, read, rows)) if others else None
    if found is not None:
        trait, value = found
        words = f"nearly all that are missing have {trait} {value}, and hardly any other item has"
        return Shape("aligned", words, trait=trait, value=value)
    if len(others) in CAPS and never:
        return Shape("cap", _cap_words(len(others)), index=len(others))
    scattered = len(missing) >= FEW_FAILED and len(others) >= FEW_FAILED
    return Shape("scattered", "they stand here and there among the others") if scattered else None


def _stop(batch: Batch, index: int) -> Shape:
    if index in CAPS:
        return Shape("cap", _cap_words(index), index=index)
    last = batch.items.filter(pl.col("outcome") != "never").sort("position")["key"][-1]
    words = f"it went through its items in order and stopped after {short(str(last))}"
    return Shape("prefix", words, index=index)


def _cap_words(index: int) -> str:
    return f"exactly {grouped(index)} were tried, which looks like a limit or a page size"


def _done_in_order(batch: Batch) -> bool:
    """Whether the items came in the order of the set: hardly any step goes back."""
    came = batch.signs.unique("key", keep="first", maintain_order=True).join(
        batch.items.select("key", "position"), on="key", maintain_order="left"
    )
    steps = came.get_column("position").cast(pl.Int64).diff().drop_nulls()
    return steps.len() >= FEW_FAILED and int((steps > 0).sum()) >= 0.9 * steps.len()


def _steps(incident: Incident, batch: Batch) -> tuple[Step, ...]:
    signs = batch.signs
    told: dict[int, tuple[str, str]] = {signs["row"][0]: ("first item", "the batch is under way")}
    failed = signs.filter(pl.col("sign") == "failed").get_column("row").head(2).to_list()
    for row in failed:
        told.setdefault(row, ("failed item", "it did not end well"))
    told[signs["row"][-1]] = (
        "last item",
        f"nothing more came in the {length(max(read_until(incident) - batch.ended, 0))} after it",
    )
    rows = list(told)[:MAX_STEPS]
    steps: list[Step] = []
    for row, event in zip(rows, incident.snapshot.events_at(rows), strict=True):
        order = before(steps[-1].event, event, incident.clocks) if steps else None
        steps.append(Step(told[row][0], event, told[row][1], order))
    return tuple(steps)


def _stated(incident: Incident, batches: Sequence[Batch]) -> Iterator[PartialBatch]:
    """Work whose size only a line states; silent where the items themselves are known."""
    known = {batch.items.height for batch in batches}
    told: set[tuple[str, int]] = set()
    for one in (*stated_batches(incident), *climbing(incident)):
        left = one.total - one.done - one.failed
        if one.total in known or left + one.failed <= 0 or (one.actor, one.total) in told:
            continue
        told.add((one.actor, one.total))
        reach = covered_until(incident, [one.source], one.began)
        verdict, link = Verdict.LIKELY, f"what was done is counted {one.how}"
        if one.doubt:
            verdict, link = Verdict.POSSIBLE, one.doubt
        elif reach < one.last:
            verdict = Verdict.POSSIBLE
            link = f"{one.source} was not read in full while it ran"
        events = incident.snapshot.events_at(list(one.rows))
        yield PartialBatch(
            verdict=verdict,
            weakest_link=link,
            began=one.began,
            ended=one.last,
            steps=tuple(
                Step(
                    "last heard" if place else "stated",
                    event,
                    f"how far it came, {one.how}" if place else f"{one.total} {one.things} to do",
                    before(events[0], event, incident.clocks) if place else None,
                )
                for place, event in enumerate(events)
            ),
            would_decide=(
                f"Ask {one.actor} or its database which {one.things} are not done.",
                f"Look at what was logged right after {instant(one.last)}.",
            ),
            alternatives=("it goes on without saying so",),
            next_action=f"Find the {grouped(left + one.failed)} {one.things} that were not done.",
            batch=f"the work of {one.actor}" if one.actor else "a batch",
            basis=f"{grouped(one.total)} {one.things} stated by {one.actor or one.source}",
            total=one.total,
            done=one.done,
            failed=one.failed,
            skipped=0,
            tried=0,
            never=left,
            seen_all=False,
            told_by=(one.actor,) if one.actor else (),
            shape=Shape("cap", _cap_words(one.done), index=one.done) if one.done in CAPS else None,
            stopped=one.last,
            last_item="",
            resume=(),
            doubled=(),
            failures=(),
            unfinished=(),
            presses=(),
        )
