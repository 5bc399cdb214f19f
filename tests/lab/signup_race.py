"""signup-race: a newsletter brings many sign-ups at once, and later the mail gateway is full.

No network breaks here. What happens is the shop's own doing: while the newsletter is written, it
holds the row on which sign-ups count, and their jobs overtake their commits; a receipt's third step
fails after two that cannot be undone, and an operator replays them.
"""

from __future__ import annotations

import dataclasses
import json
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Self

import psycopg
from redis import Redis
from rq import Queue

from tests.lab.scene import Scene
from tests.lab.stories import Timing, close, facts
from tests.lab.truth import SECOND_NS, Notes, SignUp, Unlucky, sign_ups

RUSH_RECORDED = Timing(before_s=160.0, late_s=340.0, cycle_s=12.0)
RUSH = 20
"""Readers who open the link at once,"""
RUSH_S = 3.0
"""while the newsletter is still being written to others."""
CLICKS_APART_S = 0.15
"""A double click that the button did not guard against."""
REFUSED_SHARE = 0.2
"""Of `before_s`, how long the gateway is full,"""
REFUSED_AT_LEAST_S = 12.0
"""and no less than it takes for several orders to meet it."""
ORDERS_MEANWHILE = 6
REPLAYED_LATER = 3
"""The operator stops replaying when customers complain of sales booked twice."""


@dataclass(frozen=True)
class Receipt:
    """The job of one order's receipt: how often each of its three steps was done."""

    job: str
    order: str
    attempts: int
    sales: int
    counted: int
    mails: int
    failed: bool
    """Whether it stands in the failed queue at the end."""

    @property
    def unsafe(self) -> bool:
        """It has done things that a replay would repeat, or has repeated them already."""
        return self.sales > 1 or (self.failed and self.sales > 0)


@dataclass(frozen=True)
class Rush:
    """The truth. Instants in ns UTC; `receipts` are those that a single clean run does not tell.

    `orders_of_one` are the order keys that one double click made.
    """

    story: str
    pin_ns: int
    began_ns: int
    ended_ns: int
    rushed_ns: int
    refused_from_ns: int
    refused_until_ns: int
    replayed_ns: tuple[int, ...]
    sign_ups: tuple[SignUp, ...]
    clean_sign_ups: int
    receipts: tuple[Receipt, ...]
    clean_receipts: int
    orders_of_one: tuple[str, ...]
    jobs_run: int
    facts: dict[str, str] = field(default_factory=dict)

    @property
    def ran_before_visible(self) -> list[str]:
        """Keys of the jobs that looked for a row before it was visible, sorted."""
        return sorted(one.job for one in self.sign_ups if one.ran_before_visible)

    @property
    def unsafe_receipts(self) -> list[str]:
        """Keys of the receipts' jobs that must not simply be replayed, sorted."""
        return sorted(one.job for one in self.receipts if one.unsafe)

    def to_json(self) -> str:
        """The truth file."""
        return json.dumps(dataclasses.asdict(self), indent=1) + "\n"

    @classmethod
    def read(cls, path: Path) -> Self:
        """A truth file as `to_json` wrote it."""
        told = json.loads(path.read_text())
        told["sign_ups"] = tuple(SignUp(**one) for one in told["sign_ups"])
        told["receipts"] = tuple(Receipt(**one) for one in told["receipts"])
        told["replayed_ns"] = tuple(told["replayed_ns"])
        told["orders_of_one"] = tuple(told["orders_of_one"])
        return cls(**told)


def signup_race(scene: Scene, timing: Timing) -> Rush:
    """A newsletter and its rush of sign-ups, a double click, then a mail gateway that is full.

    Raises `Unlucky` when no job overtook its commit or no receipt was left half done.
    """
    part = timing.before_s / 4
    scene.pause(2 * part)
    rushed_ns = time.time_ns()
    _newsletter(scene)
    scene.pause(part / 2)
    clicked_ns = time.time_ns()
    scene.traffic.order(clicks=2, apart_s=CLICKS_APART_S)
    scene.pause(part / 2)
    refused_from_ns, refused_until_ns = _gateway_is_full(scene, timing.before_s * REFUSED_SHARE)
    scene.pause(part / 4)
    _replay(scene, REPLAYED_LATER)
    scene.pause(part / 2)
    pin_ns = max(rushed_ns + int(timing.late_s * SECOND_NS), time.time_ns())
    scene.pause(max(0, pin_ns - time.time_ns()) / SECOND_NS + 1.0)
    close(scene)
    notes = Notes.read(scene.services.measured)
    people = sign_ups(notes, scene.postgresql.url, scene.redis.url)
    receipts = _receipts(notes, scene)
    truth = Rush(
        story="signup-race",
        pin_ns=pin_ns,
        began_ns=scene.began_ns,
        ended_ns=time.time_ns(),
        rushed_ns=rushed_ns,
        refused_from_ns=refused_from_ns,
        refused_until_ns=refused_until_ns,
        replayed_ns=tuple(int(str(note["at"])) for note in notes.of("replayed")),
        sign_ups=tuple(one for one in people if one.enqueue != "clean" or one.mails != 1),
        clean_sign_ups=sum(one.enqueue == "clean" and one.mails == 1 for one in people),
        receipts=tuple(one for one in receipts if one.attempts != 1 or one.failed),
        clean_receipts=sum(one.attempts == 1 and not one.failed for one in receipts),
        orders_of_one=_double_click(notes, clicked_ns),
        jobs_run=len(notes.of("run")),
        facts=facts(scene),
    )
    verify_signup_race(truth)
    return truth


def verify_signup_race(truth: Rush) -> None:
    """Raise `Unlucky` unless the load, the gateway and the replays had their effects."""
    again = [one for one in truth.receipts if one.sales > 1]
    left = [one for one in truth.receipts if one.failed and one.sales == 1]
    effects = (
        ("jobs before their rows were visible", len(truth.ran_before_visible), 2),
        ("receipts that booked their sale again", len(again), 2),
        ("receipts left half done", len(left), 1),
        ("orders of one double click", len(truth.orders_of_one), 2),
    )
    complaints = [
        f"{what}: {found}, the story has at least {wanted}"
        for what, found, wanted in effects
        if found < wanted
    ]
    complaints += [
        f"{one.job} looked after the commit and found nothing"
        for one in truth.sign_ups
        if one.ran_before_visible and (one.looked_up_ns or 0) > (one.visible_ns or 0) > 0
    ]
    complaints += [f"{one.user}: {one.enqueue}" for one in truth.sign_ups if one.enqueue != "clean"]
    if complaints:
        raise Unlucky("; ".join(complaints))


def _newsletter(scene: Scene) -> None:
    """A newsletter goes out, and its first readers sign up."""
    sending = scene.services.start("newsletter", "cron-1")
    scene.services.wait_for_line("newsletter", "cron-1", "readers")
    scene.traffic.rush(RUSH, RUSH_S)
    sending.wait(60)
    scene.services.running.pop("cron-1")


def _gateway_is_full(scene: Scene, seconds: float) -> tuple[int, int]:
    """Orders meet a gateway that refuses; half-way an operator replays what has failed."""
    seconds = max(REFUSED_AT_LEAST_S, seconds)
    began = time.time_ns()
    scene.gateway.refusing = True
    for number in range(ORDERS_MEANWHILE):
        scene.traffic.order()
        scene.pause(seconds / ORDERS_MEANWHILE)
        if number == ORDERS_MEANWHILE // 2:
            _replay(scene)
    scene.drain()
    scene.gateway.refusing = False
    return began, time.time_ns()


def _replay(scene: Scene, at_most: int | None = None) -> None:
    words = ["order_receipt", *([str(at_most)] if at_most else [])]
    scene.services.start("console", "console-1", *words, module="replay").wait(30)
    scene.services.running.pop("console-1")


def _double_click(notes: Notes, clicked_ns: int) -> tuple[str, ...]:
    """The orders that the two clicks made: the first two after it (nobody else orders then)."""
    pushes = [note for note in notes.of("enqueued") if "order_id" in note]
    after = [note for note in pushes if int(str(note["began"])) >= clicked_ns]
    within = clicked_ns + 2 * SECOND_NS
    return tuple(f"order:{n['order_id']}" for n in after if int(str(n["began"])) <= within)[:2]


def _receipts(notes: Notes, scene: Scene) -> list[Receipt]:
    """Every receipt's job, by what its own process measured and what the servers hold now."""
    with Redis.from_url(scene.redis.url) as client:
        failed = set(Queue("mailers", connection=client).failed_job_registry.get_job_ids())
    with psycopg.connect(scene.postgresql.url) as connection:
        counted = "SELECT order_id, count(*) FROM sales GROUP BY order_id"
        sales: dict[object, int] = dict(connection.execute(counted).fetchall())
    runs = [note["job"] for note in notes.of("run")]
    steps = [(note["job"], note["step"]) for note in notes.of("step")]
    return [
        Receipt(
            job=f"job:{note['job']}",
            order=f"order:{note['order_id']}",
            attempts=runs.count(note["job"]),
            sales=sales.get(note["order_id"], 0),
            counted=steps.count((note["job"], "sold")),
            mails=steps.count((note["job"], "mail")),
            failed=note["job"] in failed,
        )
        for note in notes.of("enqueued")
        if "order_id" in note
    ]
