"""The result as a page of Markdown, as measured, and as JSON for whoever wants to compute on it."""

from __future__ import annotations

import dataclasses
import json
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence

from tests.score.intervals import upper_rate, wilson
from tests.score.measure import (
    ALARMING,
    Result,
    calibration,
    false_alarms,
    mean,
    onset_errors,
)
from tests.score.observe import HEALTHY, Observation
from tests.score.recorded import NIGHTS
from timeline.order import Verdict

GOALS = {"developed": 0.95, "kept-aside": 0.85}
"""Recall at the first screen that is asked for."""
CERTAIN_GOAL = 0.99
FALSE_GOAL = 0.2
NAMED = 12
"""Wrong sentences shown one by one."""


def as_markdown(result: Result) -> str:
    """The whole page."""
    parts = (
        _head(result),
        _verdicts(result),
        _healthy(result),
        _recorded(result),
        _families(result),
        _missed(result),
        _entities(result),
        _confusers(result),
        _degraded(result),
        _wrong(result),
    )
    return "\n".join(line for part in parts for line in (*part, "")).rstrip() + "\n"


def _head(result: Result) -> Iterator[str]:
    plan = result.plan
    yield "# Score"
    yield ""
    yield (
        f"{len(result.terms)} detectors on {len(result.by_family())} fault families "
        f"({plan.seeds} seeds each), {len(result.healthy)} healthy windows and "
        f"{len(result.degraded)} looks with less to be seen; {result.seconds:.0f} s on "
        f"{plan.processes} processes. Shares stand with their 95 % interval (Wilson)."
    )
    events = [o.events for o in result.clear]
    if events:
        yield f"A window holds {min(events):,} to {max(events):,} events."
    if broken := sorted({words for o in result.clear for words in o.broken}):
        yield ""
        yield "Detectors that broke: " + "; ".join(broken)
    if idle := [o for o in result.clear if o.term and not o.effect]:
        names = Counter(o.task.name for o in idle)
        yield ""
        yield f"Injections without an effect, not counted: {dict(names)}"


def _verdicts(result: Result) -> Iterator[str]:
    yield "## Against the goals"
    yield ""
    yield "| goal | measured | met |"
    yield "|---|---|---|"
    for group, goal in GOALS.items():
        looks = [o for o in result.faults(group) if result.looked_for(o)]
        hits = sum(o.first_screen for o in looks)
        met = bool(looks) and hits / len(looks) >= goal
        share = _share(hits, len(looks))
        yield f"| recall at first screen ≥ {goal:.2f}, {group} | {share} | {_yes(met)} |"
    counted = calibration(result.faults() + result.healthy)
    true, of = counted[Verdict.CERTAIN]
    met = bool(of) and true / of >= CERTAIN_GOAL
    yield f"| of findings graded certain ≥ {CERTAIN_GOAL} true | {_share(true, of)} | {_yes(met)} |"
    windows, wrong = len(result.healthy), false_alarms(result.healthy)
    certain = sum(said.verdict is Verdict.CERTAIN for said in wrong)
    rate = len(wrong) / windows if windows else 0.0
    bound = upper_rate(len(wrong), windows)
    yield (
        f"| ≤ {FALSE_GOAL} false findings at likely or above per healthy window | "
        f"{len(wrong)} in {windows}: {rate:.3f} (≤ {bound:.3f}) | {_yes(rate <= FALSE_GOAL)} |"
    )
    bound = upper_rate(certain, windows)
    share = f"{certain} in {windows} (≤ {bound:.3f})"
    yield f"| 0 certain in healthy windows | {share} | {_yes(not certain)} |"
    confused = [o for o in result.confused if o.disturbed]
    yield (
        f"| every confuser silent | {len(confused)} of {len(result.confused)} spoke | "
        f"{_yes(not confused)} |"
    )
    dropped = [o for o in result.degraded if o.task.label.startswith("without")]
    sure = false_alarms(dropped)
    yield (
        f"| confidently wrong with a source removed: 0 | {len(sure)} in {len(dropped)} looks | "
        f"{_yes(bool(dropped) and not sure)} |"
    )
    yield ""
    yield "| verdict | true of said | goal |"
    yield "|---|---|---|"
    for verdict, asked in (
        (Verdict.CERTAIN, "≥ 0.99"),
        (Verdict.LIKELY, "≥ 0.80"),
        (Verdict.POSSIBLE, ""),
    ):
        true, of = counted[verdict]
        yield f"| {verdict.value} | {_share(true, of)} | {asked} |"


def _healthy(result: Result) -> Iterator[str]:
    windows = len(result.healthy)
    yield "## False findings in healthy windows, by detector"
    yield ""
    counted: defaultdict[str, Counter[Verdict]] = defaultdict(Counter)
    for observation in result.healthy:
        for said in observation.said:
            counted[said.term][said.verdict] += 1
    yield f"{windows} windows; detectors that are not listed said nothing."
    yield ""
    yield "| term | certain | likely | possible | per window at likely or above |"
    yield "|---|---|---|---|---|"
    for term, count in sorted(counted.items()):
        loud = sum(count[v] for v in ALARMING)
        yield (
            f"| {term} | {count[Verdict.CERTAIN]} | {count[Verdict.LIKELY]} | "
            f"{count[Verdict.POSSIBLE]} | {loud / windows:.3f} "
            f"(≤ {upper_rate(loud, windows):.3f}) |"
        )


def _recorded(result: Result) -> Iterator[str]:
    if not result.recorded:
        return
    yield "## Recorded on real servers"
    yield ""
    yield "One night each; `place` is where the fault stands among the claims."
    yield ""
    yield "| night | fault | place | verdict | false at likely or above |"
    yield "|---|---|---|---|---|"
    for night, said in zip(NIGHTS, result.recorded, strict=True):
        wrong = [one.term for one in said if not one.true and one.verdict in ALARMING]
        for fault in night.faults:
            found = next((one for one in said if one.term == fault), None)
            place = f"{found.place} | {found.verdict.value}" if found else "**not found** | —"
            yield f"| {night.story} | {fault} | {place} | {', '.join(wrong) or '—'} |"


def _families(result: Result) -> Iterator[str]:
    yield "## Fault families"
    yield ""
    yield "False: claims at likely or above that the truth of that world refutes, per window."
    yield ""
    yield (
        "| family | group | term | detector | recall at first screen | top 1 | verdicts | "
        "onset error s, median / p90 | false |"
    )
    yield "|---|---|---|---|---|---|---|---|---|"
    for (group, name), looks in sorted(result.by_family().items()):
        hits, tops = sum(o.first_screen for o in looks), sum(o.top for o in looks)
        verdicts = Counter(o.verdict for o in looks if o.verdict)
        words = ", ".join(f"{n} {v}" for v, n in sorted(verdicts.items())) or "—"
        median, worst = onset_errors(looks)
        there = "yes" if any(result.looked_for(o) for o in looks) else "none yet"
        yield (
            f"| {name} | {group} | {looks[0].term} | {there} | {_share(hits, len(looks))} | "
            f"{tops / len(looks):.2f} | {words} | {_figure(median)} / {_figure(worst)} | "
            f"{len(false_alarms(looks)) / len(looks):.2f} |"
        )


def _missed(result: Result) -> Iterator[str]:
    yield "## What was missed, by wording and queue"
    yield ""
    yield "Windows whose fault some detector could have found and none had on the first screen."
    yield ""
    yield "| family | seed | front | workers | queue |"
    yield "|---|---|---|---|---|"
    for observation in result.faults():
        if result.looked_for(observation) and not observation.first_screen:
            cells = (
                observation.task.name,
                str(observation.task.seed),
                observation.front,
                observation.worker,
                observation.queue,
            )
            yield f"| {' | '.join(cells)} |"


def _entities(result: Result) -> Iterator[str]:
    yield "## Entities: precision and recall, against the trivial answers"
    yield ""
    yield (
        "Nearest errors: keys of the 20 error lines nearest T. "
        "Novel: keys of 20 lines whose kind was never seen before."
    )
    yield ""
    yield "| family | precision | recall | nearest errors' precision | novel lines' precision |"
    yield "|---|---|---|---|---|"
    for (_, name), looks in sorted(result.by_family().items()):
        if all(o.nearest_precision is None and o.entity_precision is None for o in looks):
            continue
        figures = (
            mean(o.entity_precision for o in looks),
            mean(o.entity_recall for o in looks),
            mean(o.nearest_precision for o in looks),
            mean(o.novel_precision for o in looks),
        )
        yield f"| {name} | " + " | ".join(_figure(value, 2) for value in figures) + " |"


def _confusers(result: Result) -> Iterator[str]:
    yield "## Look-alikes"
    yield ""
    yield "| confuser | must stay silent | windows | spoke | other false findings |"
    yield "|---|---|---|---|---|"
    found: defaultdict[str, list[Observation]] = defaultdict(list)
    for observation in result.confused:
        found[observation.task.name].append(observation)
    from tests.score.catalogue import scenario

    for name, looks in sorted(found.items()):
        terms = scenario(name).terms
        spoke = sum(bool(o.disturbed) for o in looks)
        others = Counter(s.term for s in false_alarms(looks) if s.term not in terms)
        words = ", ".join(f"{term} {n}" for term, n in sorted(others.items())) or "—"
        yield f"| {name} | {', '.join(terms)} | {len(looks)} | {spoke} | {words} |"


def _degraded(result: Result) -> Iterator[str]:
    if not result.degraded:
        return
    yield "## With less to be seen"
    yield ""
    yield "Confidently wrong: claims at likely or above that the full truth refutes."
    yield ""
    yield (
        "| seen | windows with a fault | recall at first screen | confidently wrong | "
        "of them in healthy windows |"
    )
    yield "|---|---|---|---|---|"
    found: defaultdict[str, list[Observation]] = defaultdict(list)
    for observation in result.degraded:
        if observation.effect:
            found[observation.task.label].append(observation)
    for label, looks in sorted(found.items()):
        faults = [o for o in looks if o.term]
        hits, wrong = sum(o.first_screen for o in faults), false_alarms(looks)
        healthy = false_alarms(o for o in looks if o.task.name == HEALTHY)
        share = _share(hits, len(faults))
        yield f"| {label} | {len(faults)} | {share} | {len(wrong)} | {len(healthy)} |"


def _wrong(result: Result) -> Iterator[str]:
    yield "## Wrong sentences"
    yield ""
    yield (
        "One example of each kind of claim at likely or above that its world refutes, "
        "with the command that shows it."
    )
    yield ""
    first: dict[tuple[str, str, str], tuple[Observation, str]] = {}
    counted: Counter[tuple[str, str, str]] = Counter()
    looks = (*result.clear, *(o for o in result.degraded if o.task.label.startswith("without")))
    for observation in looks:
        for said in false_alarms([observation]):
            kind = (said.term, said.verdict.value, observation.task.name)
            counted[kind] += 1
            first.setdefault(kind, (observation, said.sentence))
    if not first:
        yield "None."
    for kind, count in counted.most_common():
        observation, sentence = first[kind]
        task = observation.task
        without = "".join(f" --without {name}" for name in sorted(task.view.without))
        without += " --unregistered" if task.unregistered else ""
        yield (
            f"- {kind[0]} ({kind[1]}) in {kind[2]}, {count} times: “{sentence[:200]}” "
            f"`python -m tests.score --family {task.name} --seed {task.seed} --show{without}`"
        )


def as_json(result: Result) -> str:
    """Every observation, for other tools."""
    looks: Sequence[Observation] = (*result.clear, *result.degraded)
    told = {
        "terms": result.terms,
        "seconds": round(result.seconds, 1),
        "observations": [_plain(observation) for observation in looks],
    }
    return json.dumps(told, indent=1) + "\n"


def _plain(observation: Observation) -> dict[str, object]:
    told = dataclasses.asdict(observation)
    told["task"]["view"]["without"] = sorted(observation.task.view.without)
    told["accepted"] = sorted(observation.accepted)
    return told


def _share(hits: int, of: int) -> str:
    if not of:
        return "not measured"
    low, high = wilson(hits, of)
    return f"{hits}/{of} = {hits / of:.2f} ({low:.2f}–{high:.2f})"


def _figure(value: float | None, digits: int = 1) -> str:
    return "—" if value is None else f"{value:.{digits}f}"


def _yes(met: bool) -> str:
    return "yes" if met else "**no**"
