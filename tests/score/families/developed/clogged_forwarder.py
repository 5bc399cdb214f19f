"""A service works and answers, but its lines no longer arrive: the forwarder's buffer is full, the
journal suppresses them, the file was rotated under an open handle, or the way out was closed."""

from __future__ import annotations

from collections import Counter

from tests.score.company import Service
from tests.score.families.acts import fault, mute
from tests.score.fourth_company.acts import SEVERITY_ERROR, SEVERITY_WARN
from tests.score.fourth_company.brands import QUEUES
from tests.score.fourth_company.company import Shift, relocate, shift
from tests.score.fourth_company.neighbours import surround
from tests.score.truth import Truth
from tests.score.world import World
from timeline.event import Lane


def prepare(world: World) -> None:
    relocate(world, QUEUES)


def inject(world: World) -> Truth:
    night, rng = shift(world), world.rng
    surround(night)
    firm, onset = night.house, night.onset_s
    lines = Counter(event.actor for event, _ in night.told if event.lane is Lane.LOG)
    silent = max(firm.backs, key=lambda back: lines[back.name])
    answered = _calls(night, silent)
    until = night.end_s if rng.random() < 0.7 else rng.uniform(onset + 240, night.end_s - 30)
    gone = mute(night, silent.hosts, onset, until)
    way = rng.choice(("buffer", "journal", "rotated", "policy"))
    if way == "buffer":
        _forwarder(night, onset, until)
    elif way == "journal":
        for host in silent.hosts:
            words = f"Suppressed {rng.randint(900, 9000)} messages from {silent.name}.service"
            night.aside(until - 2, "systemd-journald", words, SEVERITY_WARN, host)
    elif way == "policy":
        night.change(onset - 1, "network policy logging-egress tightened", who="security")
    night.expected = tuple(service.name for service in firm.services)
    night.samples()
    return fault(
        night,
        "blind-spot",
        until,
        also=("change-before",) if way == "policy" else (),
        effect=gone >= 10 and answered >= 15,
    )


def _calls(night: Shift, callee: Service) -> int:
    """The front tells of each call to it all night; how many after the onset."""
    rng, firm = night.rng, night.house
    at, after = rng.uniform(2, 12), 0
    while at < night.end_s - 2:
        words = f"upstream {callee.name} answered 200 in {rng.randint(4, 90)} ms"
        night.line(at, firm.front, f"{words} request_id={night.request_id()}")
        after += at > night.onset_s
        at += rng.uniform(4, 14)
    return after


def _forwarder(night: Shift, onset: float, until: float) -> None:
    at, task = onset + 3, night.rng.randint(1, 90)
    while at < until:
        words = (
            f"[engine] failed to flush chunk '1-17{task}.flb', retry in 11 seconds: task_id={task}"
        )
        night.aside(at, "fluent-bit", words, SEVERITY_WARN)
        task += 1
        at += night.rng.uniform(15, 60)
    words = f"[engine] chunk '1-17{task}.flb' cannot be retried: task_id={task}, output=http.0"
    night.aside(min(at, night.end_s - 3), "fluent-bit", words, SEVERITY_ERROR)
