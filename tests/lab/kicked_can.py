"""kicked-can: nightly backups without a timer, by a message that carries itself on.

One night its work-horse is killed after it had put on the next message: the queue delivers it
again, the apps have two backups and there are two messages. They both come due the night after,
until an operator removes one. One night the worker dies with the message in its hand, half-way
through the apps: no night after has a backup. A night is shortened to less than a minute.
"""

from __future__ import annotations

import dataclasses
import json
import time
from collections import Counter
from dataclasses import dataclass, field
from datetime import date, timedelta
from pathlib import Path
from typing import Self

import psycopg
from rq.version import VERSION as RQ_VERSION

from tests.lab.backup_scene import BackupScene
from tests.lab.stories import Timing
from tests.lab.truth import SECOND_NS, Notes, Unlucky

APPS = 16
PERIOD_S = 40.0
CAN_RECORDED = Timing(before_s=PERIOD_S, late_s=305.0)
"""`before_s` is how long a night is, `late_s` how long after the loss somebody asks."""
NIGHTS = 6
FORKED, DOUBLED, LOST, NEVER = 2, 3, 4, 5
"""Places in the row of nights, from 0."""


@dataclass(frozen=True)
class Message:
    """One message of the chain (a job key), and the messages it put on the queue."""

    job: str
    night: str
    following: tuple[str, ...]


@dataclass(frozen=True)
class Night:
    """One night: when it was due (ns UTC) and how many apps had 0, 1, 2, … backups."""

    night: str
    due_ns: int
    apps_by_backups: tuple[int, ...]


@dataclass(frozen=True)
class Can:
    """The truth. Jobs and apps are keys, instants ns UTC.

    `forked` is the message that was delivered again at the end of its run, `lost` the one that died
    in its worker's hand; `without` are the apps that it had not come to.
    """

    story: str
    pin_ns: int
    began_ns: int
    ended_ns: int
    nights: tuple[Night, ...]
    messages: tuple[Message, ...]
    forked: str
    forked_ns: int
    dropped: tuple[str, ...]
    lost: str
    lost_ns: int
    without: tuple[str, ...]
    facts: dict[str, str] = field(default_factory=dict)

    def to_json(self) -> str:
        """The truth file."""
        return json.dumps(dataclasses.asdict(self), indent=1) + "\n"

    @classmethod
    def read(cls, path: Path) -> Self:
        """A truth file as `to_json` wrote it."""
        told = json.loads(path.read_text())
        told["nights"] = tuple(
            Night(one["night"], one["due_ns"], tuple(one["apps_by_backups"]))
            for one in told["nights"]
        )
        told["messages"] = tuple(
            Message(one["job"], one["night"], tuple(one["following"])) for one in told["messages"]
        )
        told["dropped"], told["without"] = tuple(told["dropped"]), tuple(told["without"])
        return cls(**told)


def kicked_can(scene: BackupScene, timing: Timing) -> Can:
    """Six nights. Raises `Unlucky` when a kill came too early or too late."""
    first_due = time.time() + scene.period_s
    today = date.today()  # noqa: DTZ011  # a name for the night, not an instant
    nights = [(today + timedelta(days=number)).isoformat() for number in range(NIGHTS)]
    scene.once("first", nights[0], str(first_due))
    try:
        forked, forked_ns = _kill_after_putting_on(scene, nights[FORKED], nights[FORKED + 1])
        scene.wait_for("night_ended", 3 * scene.period_s, times=2, night=nights[DOUBLED])
        scene.once("drop")
        lost, lost_ns = _kill_half_way(scene, nights[LOST])
    except TimeoutError as late:
        raise Unlucky(str(late)) from late
    pin_ns = lost_ns + int(timing.late_s * SECOND_NS)
    scene.pause(max(0, pin_ns - time.time_ns()) / SECOND_NS + 2.0)
    scene.shipper.flush()
    truth = _truth(scene, pin_ns, nights, first_due, (forked, forked_ns), (lost, lost_ns))
    verify_kicked_can(truth)
    return truth


def verify_kicked_can(truth: Can) -> None:
    """Raise `Unlucky` unless every night went as the story tells."""
    half = len(truth.without)
    apps = sum(truth.nights[0].apps_by_backups)
    complaints = []
    for place, night in enumerate(truth.nights):
        counts = {times: number for times, number in enumerate(night.apps_by_backups) if number}
        wanted = {FORKED: {2: apps}, DOUBLED: {2: apps}, NEVER: {0: apps}}.get(place, {1: apps})
        if place == LOST:
            wanted = {0: half, 1: apps - half}
        if counts != wanted:
            complaints.append(f"{night.night}: {counts}, the story has {wanted}")
    if not 0 < half < apps:
        complaints.append(f"{half} of {apps} apps were left out")
    forks = [one.job for one in truth.messages if len(one.following) > 1]
    if forks != [truth.forked]:
        complaints.append(f"{len(forks)} messages have two successors")
    if len(truth.dropped) != 1:
        complaints.append(f"{len(truth.dropped)} messages were removed by hand")
    if complaints:
        raise Unlucky("; ".join(complaints))


def _kill_after_putting_on(scene: BackupScene, night: str, tomorrow: str) -> tuple[str, int]:
    """Kill the work-horse that has just put on the message for `tomorrow`."""
    within_s = scene.period_s * NIGHTS
    last = scene.wait_for("backed_up", within_s, times=scene.apps, night=night)
    put_on = scene.wait_for("put_on", 30.0, night=tomorrow)
    job = str(put_on["job"])
    if job != last["job"]:
        raise Unlucky("another message was put on first")
    return f"job:{job}", scene.kill(scene.worker_of(job), whole=False)


def _kill_half_way(scene: BackupScene, night: str) -> tuple[str, int]:
    """Kill the worker that has the message in its hand, when half of the apps are done."""
    within_s = scene.period_s * NIGHTS
    half = scene.wait_for("backed_up", within_s, times=scene.apps // 2, night=night)
    job = str(half["job"])
    host = scene.worker_of(job)
    lost_ns = scene.kill(host, whole=True)
    scene.pause(5.0)
    scene.start_worker(host)
    return f"job:{job}", lost_ns


def _truth(
    scene: BackupScene,
    pin_ns: int,
    nights: list[str],
    first_due: float,
    forked: tuple[str, int],
    lost: tuple[str, int],
) -> Can:
    notes = Notes.read(scene.services.measured)
    with psycopg.connect(scene.postgresql.url) as connection:
        rows = connection.execute("SELECT app_id, night::text FROM backups").fetchall()
        apps = [row[0] for row in connection.execute("SELECT id FROM apps ORDER BY id")]
    done = Counter((app, night) for app, night in rows)
    following: dict[str, list[str]] = {}
    night_of = {str(note["job"]): str(note["night"]) for note in notes.of("first")}
    for note in notes.of("put_on"):
        following.setdefault(str(note["job"]), []).append(f"job:{note['following']}")
        night_of[str(note["following"])] = str(note["night"])
    told = []
    for number, night in enumerate(nights):
        times = Counter(done[app, night] for app in apps)
        counts = tuple(times[number] for number in range(max(times) + 1))
        due = first_due + number * scene.period_s
        told.append(Night(night, int(due * SECOND_NS), counts))
    return Can(
        story="kicked-can",
        pin_ns=pin_ns,
        began_ns=scene.began_ns,
        ended_ns=time.time_ns(),
        nights=tuple(told),
        messages=tuple(
            Message(f"job:{job}", night, tuple(following.get(job, ())))
            for job, night in night_of.items()
        ),
        forked=forked[0],
        forked_ns=forked[1],
        dropped=tuple(f"job:{note['job']}" for note in notes.of("dropped")),
        lost=lost[0],
        lost_ns=lost[1],
        without=tuple(f"app:{app}" for app in apps if not done[app, nights[LOST]]),
        facts={
            "Elasticsearch": scene.elasticsearch.version,
            "PostgreSQL": scene.postgresql.version,
            "Redis": scene.redis.version,
            "RQ": RQ_VERSION,
        },
    )
