"""A shop in Portugal on a broker of which only counts are known.

`task_id` names the work, four hosts write under one service name, and nothing but their lines tells
when work began and how it ended.
"""

from __future__ import annotations

from timeline.event import Event, Kind, Lane
from timeline.finding import Detector, Finding, NotEvaluated

from .worlds import World, at

HOSTS = ("fat-0", "fat-1", "fat-2", "fat-3")
BEGUN = 1200.0
BROKEN = "NotaInvalida: campo 'nif' em branco"


def say(world: World, seconds: float, host: str, words: str, severity: int = 9) -> None:
    world.log(seconds, "faturador", words, severity=severity, source="logs", clock=host)


def taken(world: World, seconds: float, host: str, job: str) -> None:
    say(world, seconds, host, f"tarefa assumida EmitirNota task_id={job} pedido_id={job[1:]}")


def done(world: World, seconds: float, host: str, job: str) -> None:
    say(world, seconds, host, f"tarefa entregue task_id={job} pedido_id={job[1:]} ms=212")


def failed(world: World, seconds: float, host: str, job: str, error: str = BROKEN) -> None:
    words = f"tarefa devolvida task_id={job} pedido_id={job[1:]}: {error}"
    say(world, seconds, host, words, 17)


def ran(world: World, seconds: float, host: str, job: str, error: str = "") -> None:
    taken(world, seconds, host, job)
    if error:
        failed(world, seconds + 0.4, host, job, error)
    else:
        done(world, seconds + 0.4, host, job)


def night() -> World:
    """An ordinary night: a request each ten seconds, its row, its task, done within a second."""
    world = World()
    for number in range(180):
        seconds, order = number * 10.0, 7000 + number
        request = f"request_id=r{order}"
        world.log(seconds, "loja", f"POST /pedidos {request}")
        world.row(seconds + 0.01, "pedidos", order)
        world.log(seconds + 0.02, "loja", f"pedido_id={order} gravado {request}")
        world.log(seconds + 0.04, "loja", f"EmitirNota enviada task_id=t{order} {request}")
        world.log(seconds + 0.05, "loja", f"201 POST /pedidos {request}")
        ran(world, seconds + 0.2, HOSTS[number % 4], f"t{order}")
    world._add(
        Event(
            timestamp=at(2000),
            source="broker",
            lane=Lane.QUEUE,
            kind=Kind.METRIC,
            body="notas: 0 waiting, 1 in flight",
            ref=world._ref("depth"),
            seq=world._number,
            actor="notas",
        )
    )
    return world


def found(detector: Detector, world: World) -> list[Finding]:
    result = detector.detect(world.incident())
    assert not isinstance(result, NotEvaluated), result.needs
    return [one for one in result if not one.qualifier]
