"""The job is sent from a promise that nobody waits for. A process is killed, a buffer overflows,
or a new branch returns too early: the row is there, the answer was 201, and no job ever was."""

from __future__ import annotations

from dataclasses import replace

from tests.score.families.acts import fault, mute
from tests.score.fourth_company.acts import SEVERITY_WARN, deployed, named, recorded
from tests.score.fourth_company.brands import QUEUES
from tests.score.fourth_company.company import Shift, relocate, shift
from tests.score.fourth_company.neighbours import surround
from tests.score.truth import Entity, Truth
from tests.score.world import World
from timeline.knowledge import Contract, Work
from timeline.window import SECOND_NS


def prepare(world: World) -> None:
    relocate(world, QUEUES)


def inject(world: World) -> Truth:
    night, rng = shift(world), world.rng
    surround(night)
    firm, onset = night.house, night.onset_s
    way = rng.choice(("branch", "killed", "buffer"))
    also: tuple[str, ...] = ()
    if way == "branch":
        deployed(night, onset - rng.uniform(5, 60), firm.front)
        also = ("change-before",)
        times = sorted(rng.uniform(onset, night.end_s - 60) for _ in range(rng.randint(8, 30)))
        hit = [_alone(night, at, columns={"channel": "agency"}) for at in (onset, *times)]
    elif way == "killed":
        also = ("lost-worker",)
        hit = _killed(night)
    else:
        begin = onset
        hit = [_alone(night, begin + n * rng.uniform(0.1, 1.2)) for n in range(rng.randint(6, 18))]
        words = f"send buffer full, {len(hit)} messages dropped (high watermark 512)"
        night.line(begin + 20, firm.front, words, SEVERITY_WARN)
    if rng.random() < 0.6:
        contract = Contract(
            f"a new {firm.thing} has its {firm.effects} within two minutes",
            firm.table,
            Work(table=firm.effects),
            within=120 * SECOND_NS,
        )
        known = night.knowledge
        night.knowledge = replace(known, contracts=(*known.contracts, contract))
    night.samples()
    return fault(night, "orphaned-record", night.end_s, hit, also=also)


def _alone(night: Shift, seconds: float, columns: dict[str, object] | None = None) -> Entity:
    thing, rid, _ = recorded(night, seconds, columns=columns)
    return named(night, thing, rid)


def _killed(night: Shift) -> list[Entity]:
    """A host of the front dies between the commits and the pushes of what it had in hand."""
    rng, firm = night.rng, night.house
    host = rng.choice(firm.front.hosts)
    hit = []
    for _ in range(rng.randint(4, 9)):
        at = night.onset_s + rng.uniform(0, 0.4)
        thing, rid, _ = recorded(night, at, host=host, answered=False)
        hit.append(named(night, thing, rid))
    mute(night, [host], night.onset_s + 0.5, night.onset_s + 9)
    words = f"Main process exited, code=killed, status=9/KILL unit {firm.front.name}.service"
    night.aside(night.onset_s + 0.6, "systemd", words, SEVERITY_WARN, host)
    told = {"service": firm.front.name, "version": "2026.2.1"}
    night.say(night.onset_s + 9, firm.front, "boot", told, host=host)
    return hit
