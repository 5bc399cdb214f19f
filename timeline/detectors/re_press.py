"""re-press: an operation was begun again before the first time had settled.

Story: the Friday batch stops; the admins press the button again, and again, each press getting a
little further, and nobody knows which items were worked on twice.

Predicate: the same operation (a request that changes something, a line that says that a batch
begins, or a job with equal arguments) was begun at least twice, and at the second time items of the
first had no terminal state, or the first still went on. Items belong to a press by a key that no
other press has, else by time. Without any press on record, rows of one table that go through the
same items in the same order once more tell of it, and lines while a job ran that failed and was
pushed again by hand.

Certain that the two overlapped when keys tell the presses' items apart and the clocks order the
second press before the last item of the first; likely where the items are told apart by time.

False positives: independent runs over disjoint items, a press after everything was done, requests
of ordinary traffic, a list shown twice (all silent).

Reference: double submission, concurrent re-run; Opentrons/opentrons#5239, apache/devlake#3654,
epam/ai-dial-admin-frontend#4502.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

import polars as pl

from timeline.detectors.asked_again import asked_again
from timeline.event import Lane
from timeline.facts.batches import Batch, signs_under
from timeline.facts.keys_under import with_many_things
from timeline.facts.passes import Passes, repeated_passes
from timeline.facts.presses import (
    Press,
    PressShare,
    in_words,
    on_a_clock,
    presses_of,
    shares,
    signs_by_press,
)
from timeline.facts.reruns import reruns
from timeline.facts.sight import absence, heard
from timeline.facts.words import capital, counted, instant, listed, often, short
from timeline.finding import Finding, NotEvaluated, Repair, Step
from timeline.order import Order, Verdict, before, weakest
from timeline.words import grouped

if TYPE_CHECKING:
    from timeline.incident import Incident

MIN_COMMON = 5
"""Items that two presses without a known batch must share to be one operation pressed twice."""
MIN_TOUCHED = 3
"""Items that the first press and one more must have worked on; a line that begins one item touches
one."""
MIN_RUN_NS = 10_000_000_000
"""A press that lasts less is a request, not a batch."""
GEOMETRIC = 0.25
"""Presses that each did within this share of the same number died of the same thing."""
SAME_PRESS_NS = 5_000_000_000
"""A request, the job that it pushes and the line with which that begins follow so closely."""
MAX_STEPS = 6
STATED = re.compile(
    r"(?i)\b(?:items|rows|records|total|count|size)\W{1,3}(\d{1,9})\b"
    r"|\b(\d{1,9}) (?:items|rows|records|users|recipients|tenants|apps|accounts|orders)\b"
)
"""How a begin line says how much there is to do."""
MAX_FINDINGS = 5


@dataclass(frozen=True, kw_only=True)
class RePress(Finding):
    """One operation that was begun more than once over the same items.

    `presses` tells what each did and left; `both` are items (keys) that more than one press worked
    on, `done_twice` those that more than one finished. `overlap` is how sure it is that a press
    began while the one before it still went on, None when it was over. `alike` is whether the
    presses each came about as far: the mark of a limit rather than of chance.
    """

    term: ClassVar[str] = "re-press"
    remedy: ClassVar[str] = (
        "Let a run hold a lock and show how far it is, so that a second press is told so, and make "
        "items safe to repeat."
    )

    operation: str
    batch: str
    total: int
    presses: tuple[PressShare, ...]
    both: tuple[str, ...]
    done_twice: tuple[str, ...]
    overlap: Verdict | None
    overlap_because: str
    alike: bool

    def sentence(self) -> str:
        times = listed([instant(press.at) for press in self.presses], 3)
        left = ", ".join(grouped(press.left) for press in self.presses)
        alike = "; each came about as far" if self.alike else ""
        return (
            f"{self._begins} was begun {often(len(self.presses))} ({times}) "
            f"over {self.batch}, "
            f"leaving {left} of {grouped(self.total)} undone{alike}; "
            f"{self._both}{self._overlap}."
        )

    def clause(self) -> str:
        return f"{self.operation} was begun {often(len(self.presses))} before it was done"

    def repairs(self) -> list[Repair]:
        """The items of more than one press: what was finished twice may have its effect twice."""
        twice = frozenset(self.done_twice)
        return [
            Repair(key, "done more than once" if key in twice else "in more than one press")
            for key in self.keys
        ]

    @property
    def _begins(self) -> str:
        """The operation as the first words of a sentence; a name in code keeps its letters."""
        return capital(self.operation) if self.operation.startswith("the ") else self.operation

    @property
    def _both(self) -> str:
        if not self.both:
            return "no item was worked on in two of them"
        twice = f", {grouped(len(self.done_twice))} finished twice" if self.done_twice else ""
        return f"{counted(len(self.both), 'item')} worked on in more than one{twice}"

    @property
    def _overlap(self) -> str:
        if self.overlap is None:
            return ""
        return f"; that two ran at once is {self.overlap.value}"


class RePressDetector:
    """Finds operations that were begun again before they had settled; see the module."""

    term: ClassVar[str] = RePress.term

    def detect(self, incident: Incident) -> Sequence[Finding] | NotEvaluated:
        found: list[RePress] = []
        used: set[int] = set()
        for batch in incident.batches:
            presses = presses_of(incident, batch)
            finding = _of_batch(incident, batch, presses) if presses else None
            if finding is not None and presses[0].row not in used:
                found.append(finding)
                used |= {press.row for press in presses}
        groups = [[key for press in presses for key in press.own] for presses in incident.presses]
        many = with_many_things(incident, groups, MIN_COMMON)
        for place, presses in enumerate(incident.presses):
            if place in many and used.isdisjoint(press.row for press in presses):
                finding = _of_keys(incident, presses)
                if finding is not None and not any(_same(finding, one) for one in found):
                    found.append(finding)
                    used |= {press.row for press in presses}
        for finding in (*_of_reruns(incident), *_of_passes(incident)):
            if not any(set(finding.both) & set(one.both) for one in found):
                found.append(finding)
        again = asked_again(incident, used)
        if (
            not found
            and not again
            and not heard(incident, Lane.LOG)
            and not heard(incident, Lane.QUEUE)
        ):
            return NotEvaluated(self.term, "request logs, or a job queue")
        found.sort(key=lambda one: (list(Verdict).index(one.verdict), one.began))
        return [*found[:MAX_FINDINGS], *again]


def _of_batch(incident: Incident, batch: Batch, presses: tuple[Press, ...]) -> RePress | None:
    """Presses over a batch whose items are known: items were undone when it was pressed again.

    Presses before the first that touched anything were refused; they began nothing.
    """
    signs, _ = signs_by_press(incident, presses, batch.signs)
    touched = [share.touched for share in shares(presses, signs, batch.items.height)]
    first = next((place for place, number in enumerate(touched) if number), 0)
    presses = presses[first:]
    signs, exact = signs_by_press(incident, presses, batch.signs)
    told = tuple(shares(presses, signs, batch.items.height))
    busy = [share for share in told if share.touched >= MIN_TOUCHED]
    if not told[0].left or told[0] not in busy or len(busy) < 2:
        return None
    basis = "each item's lines carry the key of its press"
    verdict, link = Verdict.CERTAIN, basis
    if not exact:
        verdict, link = Verdict.LIKELY, "which press an item belongs to is told by time alone"
    if batch.inferred:
        verdict, link = weakest((verdict, Verdict.LIKELY)), batch.inferred
    return _finding(
        incident, presses, signs, (verdict, link), batch.name, batch.items.height, exact=exact
    )


def _of_keys(incident: Incident, presses: tuple[Press, ...]) -> RePress | None:
    """Presses without a known batch: what stands under each one's own keys is its items."""
    if not all(press.own for press in presses) or on_a_clock(presses):
        return None
    signs = signs_under(incident, [key for press in presses for key in press.own])
    if signs.get_column("key").n_unique() < MIN_COMMON:
        return None
    placed, _ = signs_by_press(incident, presses, signs)
    both = _in_several(placed, "done", "failed", "tried", "skipped")
    known = placed.get_column("key").n_unique()
    stated = _stated(incident, presses[0])
    told = tuple(shares(presses, placed, max(known, stated)))
    further = stated > told[0].touched > 0 and sum(one.touched > 0 for one in told) > 1
    lasted = max((share.last or share.at) - share.at for share in told)
    overlap = _overlap(incident, presses, placed)
    settled = overlap.verdict is None and not told[0].failed and not _open_at_second(placed)
    pressed_again = (len(both) >= MIN_COMMON and not settled) or further
    if not pressed_again or lasted < MIN_RUN_NS:
        return None
    link = "the items are those that stand under each press's own keys"
    name = "the same items" if both else f"the {stated} items that the first one stated"
    return _finding(
        incident, presses, placed, (Verdict.LIKELY, link), name, max(known, stated), exact=True
    )


def _of_reruns(incident: Incident) -> Iterator[RePress]:
    """Jobs that failed and were pushed again by hand, each run over the same items."""
    for runs, signs, kind in reruns(incident):
        presses = tuple(Press(run.operation, run.pushed, run.row, "", (), ()) for run in runs)
        link = "which items a run worked on is read from the lines written while it went on"
        yield _finding(
            incident,
            presses,
            signs,
            (Verdict.LIKELY, link),
            f"the same {kind} items",
            signs.get_column("key").n_unique(),
            exact=True,
            negative=False,
        )


def _of_passes(incident: Incident) -> Iterator[RePress]:
    for passes in repeated_passes(incident):
        yield _of_rows(incident, passes)


def _of_rows(incident: Incident, passes: Passes) -> RePress:
    """The same items in the same order once more, before the first time had got to its end."""
    name = passes.stream.name.removeprefix("the ")
    presses = tuple(
        Press(name, int(part["at"][0]), int(part["row"][0]), "", (), ()) for part in passes.parts
    )
    signs = pl.concat(
        part.with_columns(sign=pl.lit("done"), form=pl.lit("row"), press=pl.lit(number))
        for number, part in enumerate(passes.parts)
    ).sort("at", "row", "key")
    items = signs.get_column("key").n_unique()
    verdict = Verdict.LIKELY if passes.unsettled else Verdict.POSSIBLE
    link = f"that it was begun anew is read from the order of its items in {passes.stream.name}"
    return _finding(
        incident,
        presses,
        signs,
        (verdict, link),
        f"the same {passes.stream.kind} items",
        items,
        exact=True,
        negative=False,
    )


def _same(finding: RePress, other: RePress) -> bool:
    """Whether both tell of the same presses: a button's request, its job, and what either logs."""
    times, others = ([press.at for press in one.presses] for one in (finding, other))
    return len(times) == len(others) and all(
        abs(one - two) < SAME_PRESS_NS for one, two in zip(times, others, strict=True)
    )


def _stated(incident: Incident, press: Press) -> int:
    """How many items the press says it has; 0 where its line does not say."""
    told = STATED.search(incident.snapshot.event(press.row).body)
    return int(told.group(1) or told.group(2)) if told else 0


def _open_at_second(signs: pl.DataFrame) -> bool:
    """Whether items of the first press had begun and had no end in it."""
    first = signs.filter(pl.col("press") == 0)
    ended = first.filter(pl.col("sign") != "tried").select("key")
    return not first.join(ended, on="key", how="anti").is_empty()


def _in_several(signs: pl.DataFrame, *kinds: str) -> tuple[str, ...]:
    """Items with a sign of any of `kinds` in more than one press, sorted."""
    held = signs.filter(pl.col("sign").is_in(kinds)).drop_nulls("press")
    counted_ = held.group_by("key").agg(presses=pl.n_unique("press"))
    return tuple(sorted(counted_.filter(pl.col("presses") > 1).get_column("key").to_list()))


def _overlap(incident: Incident, presses: Sequence[Press], signs: pl.DataFrame) -> Order:
    """How sure it is that some press began before the last sign of the one before it."""
    best = Order(None, "each press had come to rest before the next")
    for number, press in enumerate(presses[1:], 1):
        earlier = signs.filter(pl.col("press") == number - 1)
        if earlier.is_empty():
            continue
        rows = [press.row, int(earlier["row"][-1])]
        again, last = incident.snapshot.events_at(rows)
        order = before(again, last, incident.clocks)
        if order.verdict is not None and (
            best.verdict is None or weakest((best.verdict, order.verdict)) is best.verdict
        ):
            best = order
    return best


def _finding(
    incident: Incident,
    presses: tuple[Press, ...],
    signs: pl.DataFrame,
    grade: tuple[Verdict, str],
    batch: str,
    total: int,
    *,
    exact: bool,
    negative: bool = True,
) -> RePress:
    """`negative` is whether the claim rests on something that an item did not have."""
    told = tuple(shares(presses, signs, total))
    both = _in_several(signs, "done", "failed", "tried", "skipped")
    twice = _in_several(signs, "done")
    overlap = (
        _overlap(incident, presses, signs)
        if exact
        else Order(Verdict.POSSIBLE, "which press an item belongs to is told by time alone")
    )
    verdict, link = grade
    sources = signs.get_column("source").unique().to_list()
    seen = absence(incident, sources, presses[0].at, presses[-1].at)
    if negative and seen.reasons:
        verdict = weakest((verdict, seen.verdict))
        link = f"items of a press may have ended unseen: {seen.reasons[0]}"
    operation = in_words(presses[0].operation)
    return RePress(
        verdict=verdict,
        weakest_link=link,
        began=presses[1].at,
        ended=max(press.last or press.at for press in told),
        steps=_steps(incident, presses, told),
        keys=both,
        would_decide=("Ask who pressed, and what the screen showed of the run before.",),
        alternatives=("a retry of the client or of a proxy began it again",),
        next_action=(
            f"Stop pressing; check {listed([short(key) for key in twice or both])} for double "
            "effects."
            if both
            else f"Do not begin {operation} again before the run is over: "
            f"{counted(told[-1].left, 'item')} left."
        ),
        operation=operation,
        batch=batch,
        total=total,
        presses=told,
        both=both,
        done_twice=twice,
        overlap=overlap.verdict,
        overlap_because=overlap.because,
        alike=_alike(told),
    )


def _alike(told: Sequence[PressShare]) -> bool:
    """Whether at least three presses each finished about the same number of items."""
    numbers = [press.done for press in told if press.done]
    if len(numbers) < 3 or not told[-1].left:
        return False
    return max(numbers) - min(numbers) <= GEOMETRIC * max(numbers)


def _steps(
    incident: Incident, presses: Sequence[Press], told: Sequence[PressShare]
) -> tuple[Step, ...]:
    steps: list[Step] = []
    shown = presses[:MAX_STEPS]
    for press, share, event in zip(
        shown, told, incident.snapshot.events_at([press.row for press in shown]), strict=False
    ):
        order = before(steps[-1].event, event, incident.clocks) if steps else None
        by = f" by {press.actor}" if press.actor else ""
        why = f"begun{by}; it finished {grouped(share.done)} items and left {grouped(share.left)}"
        steps.append(Step("press", event, why, order))
    return tuple(steps)
