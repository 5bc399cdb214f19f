"""swallowed-error by the service itself: it failed, wrote so, and answered with success.

Story: the callee catches everything, logs it and says 200. Its caller is content, the job succeeds,
and nothing was done.

Predicate: under one request or trace id a service logs an error and then nothing but its success,
at least three times, and nobody else in it tells of trouble. Likely where rows tell: nearly all
other things that it answered for have a row that these have not. Possible where no rows can tell
and another service called it a success as well.

False positives: a retry or a fallback of which the service says something (silent), one that the
rows show to have worked (silent), errors beside the work that were only logged (possible at most).

Reference: error hiding; the same as `timeline.detectors.swallowed_error`, one process earlier.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from timeline.facts.polite_errors import Contrast, Polite, contrast, polite_errors
from timeline.facts.words import abridged, counted, instant, listed, short
from timeline.finding import Finding, Step
from timeline.order import Verdict, before

if TYPE_CHECKING:
    import polars as pl

    from timeline.incident import Incident

TERM = "swallowed-error"
MAX_STEPS = 6


@dataclass(frozen=True, kw_only=True)
class PoliteError(Finding):
    """Work that `actor` failed at and answered with success; `contrast` is what rows tell of it,
    or None where they do not. `cases` in time order."""

    term: ClassVar[str] = TERM
    remedy: ClassVar[str] = (
        "Answer what failed with a failing status, and let whoever calls decide what to make of it."
    )

    actor: str
    callers: tuple[str, ...]
    cases: tuple[Polite, ...]
    contrast: Contrast | None

    def sentence(self) -> str:
        names = listed([short(key) for key in _harmed(self.cases)], 3)
        told = (
            f"{self.actor} answered {counted(len(self.cases), 'request')} with success that it had "
            f"logged an error for, from {instant(self.began)} to {instant(self.ended)}: {names}"
        )
        if self.contrast is not None:
            told += f"; {self.contrast.words}"
        return f"{abridged(told)}."

    def clause(self) -> str:
        return f"{self.actor} answered {counted(len(self.cases), 'failed request')} with success"


def polite(incident: Incident, held: pl.DataFrame) -> Iterator[PoliteError]:
    """One finding per service that hid its own errors; none where rows show the work done.

    `held` is what `timeline.facts.outcomes.failed_work` tells.
    """
    for actor, cases in polite_errors(incident, held).items():
        told = contrast(incident, actor, cases)
        callers = tuple(sorted({name for case in cases for name in case.others}))
        if told is not None and (told.done or not told.missing):
            continue
        if told is None and not callers:
            continue
        yield _finding(incident, actor, cases, callers, told)


def _finding(
    incident: Incident,
    actor: str,
    cases: Sequence[Polite],
    callers: tuple[str, ...],
    told: Contrast | None,
) -> PoliteError:
    names = listed([short(key) for key in _harmed(cases)])
    if told is None:
        verdict, link = Verdict.POSSIBLE, "whether the work was done all the same is not visible"
    else:
        verdict = Verdict.LIKELY
        link = f"that nothing was done is read from {told.table}, where others have a row"
    keys = {key for case in cases for key in (case.key, *case.entities)}
    return PoliteError(
        verdict=verdict,
        weakest_link=link,
        began=cases[0].failed_at,
        ended=max(case.said_at for case in cases),
        steps=_steps(incident, cases),
        keys=tuple(sorted(keys)),
        would_decide=(f"Look up in {actor} what was done for {names}.",),
        alternatives=(f"{actor} tried another way and logs nothing of that",),
        next_action=f"Do not trust the success of {actor}: check {names}.",
        actor=actor,
        callers=callers,
        cases=tuple(cases),
        contrast=told,
    )


def _harmed(cases: Sequence[Polite]) -> list[str]:
    keys = [case.entities[0] if case.entities else case.key for case in cases]
    return list(dict.fromkeys(keys))


def _steps(incident: Incident, cases: Sequence[Polite]) -> tuple[Step, ...]:
    steps: list[Step] = []
    for case in cases[: MAX_STEPS // 2]:
        failed, said = incident.snapshot.events_at([case.error_row, case.said_row])
        name = short(case.key)
        steps.append(Step("failed", failed, f"{case.actor} fails at {name}"))
        order = before(failed, said, incident.clocks)
        steps.append(Step("called it a success", said, f"its answer to {name}", order))
    return tuple(steps)
