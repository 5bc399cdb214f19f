"""lost-update, as the writers' own logs tell it: two writes that started from one version.

Beside `timeline.detectors.lost_update`, which compares recorded versions. Likely at best: a log
says what a service meant to write, not what the database kept. Possible where neither a line says
that the second write started from that version nor the second had read it before the first wrote.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from timeline.detectors.lost_update import LostUpdate
from timeline.facts.stated_versions import versioned_pairs
from timeline.facts.words import counted, instant, length, listed, short
from timeline.finding import Finding, Stage, Step
from timeline.order import Verdict, before

if TYPE_CHECKING:
    from timeline.incident import Incident

MAX_CASES_SHOWN = 3


@dataclass(frozen=True, slots=True)
class WrittenOver:
    """One record (its keys) that two requests or jobs wrote from `version`. Instants in ns UTC."""

    keys: tuple[str, ...]
    version: str
    first_at: int
    first_run: str
    second_at: int
    second_run: str


@dataclass(frozen=True, kw_only=True)
class LostUpdateTold(Finding):
    """Records of which one service says that it wrote them twice from one version."""

    term: ClassVar[str] = LostUpdate.term
    remedy: ClassVar[str] = LostUpdate.remedy
    stage: ClassVar[Stage] = Stage.EFFECT

    actor: str
    cases: tuple[WrittenOver, ...]

    def sentence(self) -> str:
        case, more = self.cases[0], len(self.cases) - 1
        rest = f"; and {counted(more, 'more record')} likewise" if more else ""
        return (
            f"{counted(len(self.cases), 'update')} by {self.actor or 'one service'} "
            f"{'was' if not more else 'were'} written over unseen: {' '.join(case.keys)} was "
            f"written from version {case.version} at {instant(case.first_at)} "
            f"({short(case.first_run)}) and from version {case.version} again "
            f"{length(case.second_at - case.first_at)} later ({short(case.second_run)}){rest}."
        )

    def clause(self) -> str:
        return f"{counted(len(self.cases), 'update')} by {self.actor} {self._were} written over"

    @property
    def _were(self) -> str:
        return "was" if len(self.cases) == 1 else "were"


def told_in(incident: Incident) -> list[Finding]:
    """One finding for each service and verdict."""
    pairs = versioned_pairs(incident)
    groups: dict[tuple[str, Verdict], list[dict[str, object]]] = {}
    for pair in pairs.iter_rows(named=True):
        groups.setdefault((str(pair["actor"]), _verdict(pair)), []).append(pair)
    return [_finding(incident, *of, cases) for of, cases in groups.items()]


def _verdict(pair: dict[str, object]) -> Verdict:
    sure = pair["says_from"] is True or pair["read_row"] is not None
    return Verdict.LIKELY if sure else Verdict.POSSIBLE


def _finding(
    incident: Incident, actor: str, verdict: Verdict, pairs: Sequence[dict[str, object]]
) -> LostUpdateTold:
    cases = tuple(_case(pair) for pair in pairs)
    link = "a log says what was meant to be written, not what the database kept"
    if verdict is Verdict.POSSIBLE:
        link = "whether the stated version is the one that was read or the one that was left"
    keys = {key for case in cases for key in (*case.keys, case.first_run, case.second_run)}
    names = listed([" ".join(case.keys) for case in cases], MAX_CASES_SHOWN)
    return LostUpdateTold(
        verdict=verdict,
        weakest_link=link,
        began=min(case.first_at for case in cases),
        ended=max(case.second_at for case in cases),
        steps=tuple(step for pair in pairs[:MAX_CASES_SHOWN] for step in _steps(incident, pair)),
        keys=tuple(sorted(keys)),
        would_decide=(f"Compare {names} with what each of the two requests sent.",),
        alternatives=("the two wrote different columns, and only those",),
        next_action=f"Look whether what the first write changed is still there: {names}.",
        actor=actor,
        cases=cases,
    )


def _case(pair: dict[str, object]) -> WrittenOver:
    first, second = pair["first_at"], pair["second_at"]
    if not isinstance(first, int) or not isinstance(second, int):
        raise TypeError("a line has a stamp")
    return WrittenOver(
        keys=tuple(str(pair["subject"]).split(" ")),
        version=str(pair["version"]),
        first_at=first,
        first_run=str(pair["first_run"]),
        second_at=second,
        second_run=str(pair["second_run"]),
    )


def _steps(incident: Incident, pair: dict[str, object]) -> list[Step]:
    told = [(pair["read_row"], "second writer reads", "the version that both started from")]
    told.append((pair["first_row"], "first write", f"from version {pair['version']}"))
    told.append((pair["second_row"], "second write", f"from version {pair['version']} again"))
    known = [(row, role, why) for row, role, why in told if isinstance(row, int)]
    steps: list[Step] = []
    for event, (_, role, why) in zip(
        incident.snapshot.events_at([row for row, _, _ in known]), known, strict=True
    ):
        order = before(steps[-1].event, event, incident.clocks) if steps else None
        steps.append(Step(role, event, why, order))
    return steps
