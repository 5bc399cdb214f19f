"""Rows wait in a state in which a person must act; the promise is about another state."""

from __future__ import annotations

from dataclasses import replace

from tests.score.world import World
from timeline.knowledge import Contract, Work
from timeline.window import SECOND_NS

TERMS = ("orphaned-record",)


def disturb(world: World) -> None:
    for n in range(8):
        columns: dict[str, object] = {"state": "draft"}
        world.row(world.onset_s + n * 10, "proposals", world.new_id(), columns=columns)
    contract = Contract(
        "a sent proposal has a document",
        "proposals",
        Work(table="documents"),
        within=60 * SECOND_NS,
        column="state",
        value="sent",
    )
    world.knowledge = replace(world.knowledge, contracts=(*world.knowledge.contracts, contract))
