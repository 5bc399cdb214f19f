"""friday-batch: five times as many statements as ever, and a button that is pressed four times.

The old button's URL is too long now; the new one is refused until the page is opened anew; then the
batch runs into a mailer that keeps every page it rendered, says 202 to everything, and is killed
each time its memory is full. Its log stays in a region that nobody collects.
"""

from __future__ import annotations

import dataclasses
import json
import time
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import Self

import psycopg

from tests.lab.friday_scene import FridayScene
from tests.lab.stories import Timing
from tests.lab.truth import SECOND_NS, Notes, Unlucky

USERS = 2_400
"""The month before there were 480."""
BATCH_RECORDED = Timing(before_s=40.0, late_s=302.0)
AGAIN_S = 12.0
"""Patience of somebody who sees that nothing moves any more,"""
IMPATIENT_S = 15.0
"""and of somebody who cannot see whether anything moves."""
STOPS_WITHIN_S = 240.0


@dataclass(frozen=True)
class Press:
    """One press that was heard: how many users its run found without a statement, how many it
    handed over, and the user at whom it stopped (a key), empty when it came to its end. ns UTC."""

    batch: str
    began_ns: int
    found: int
    handed: int
    stopped_at: str


@dataclass(frozen=True)
class Friday:
    """The truth. Users are keys; instants in ns UTC.

    `handed` counts users that the batcher calls sent. Of those, `not_mailed` got no mail: for want
    of memory, or of an address. `twice` were handed over by two presses.
    """

    story: str
    pin_ns: int
    began_ns: int
    ended_ns: int
    too_long_ns: int
    refused_ns: int
    presses: tuple[Press, ...]
    users: int
    handed: int
    mailed: int
    not_mailed_memory: int
    not_mailed_address: int
    twice: tuple[str, ...]
    never_tried: int
    mailer_started_ns: tuple[int, ...]
    mailer_ended_ns: tuple[int, ...]
    far_lines: int
    """Lines of the log that was not collected."""
    facts: dict[str, str] = field(default_factory=dict)

    def to_json(self) -> str:
        """The truth file."""
        return json.dumps(dataclasses.asdict(self), indent=1) + "\n"

    @classmethod
    def read(cls, path: Path) -> Self:
        """A truth file as `to_json` wrote it."""
        told = json.loads(path.read_text())
        told["presses"] = tuple(Press(**one) for one in told["presses"])
        for name in ("twice", "mailer_started_ns", "mailer_ended_ns"):
            told[name] = tuple(told[name])
        return cls(**told)


def friday_batch(scene: FridayScene, timing: Timing) -> Friday:
    """The whole evening. Raises `Unlucky` when the mailer never ran out of memory."""
    scene.pause(timing.before_s)
    too_long_ns = time.time_ns()
    statuses = [scene.press_with_names()]
    scene.pause(AGAIN_S / 2)
    refused_ns = time.time_ns()
    statuses.append(scene.press(with_token=False))
    scene.pause(AGAIN_S)
    first_ns = time.time_ns()
    statuses += [_press_and_wait(scene, runs=1)]
    scene.pause(AGAIN_S)
    statuses.append(scene.press())
    scene.pause(IMPATIENT_S)
    statuses += [_press_and_wait(scene, runs=3)]
    scene.pause(AGAIN_S)
    statuses += [_press_and_wait(scene, runs=4)]
    pin_ns = max(first_ns + int(timing.late_s * SECOND_NS), time.time_ns())
    scene.pause(max(0, pin_ns - time.time_ns()) / SECOND_NS + 2.0)
    scene.shipper.flush()
    truth = _truth(scene, pin_ns, too_long_ns, refused_ns)
    verify_friday_batch(truth, statuses)
    return truth


def verify_friday_batch(truth: Friday, statuses: list[int]) -> None:
    """Raise `Unlucky` unless every refusal, stop and loss of the story came about."""
    complaints = []
    if statuses != [414, 403, 202, 202, 202, 202]:
        complaints.append(f"the presses were answered {statuses}")
    if sum(bool(press.stopped_at) for press in truth.presses) < 2:
        complaints.append("fewer than two presses stopped before their end")
    for what, found in (
        ("users handed over twice", len(truth.twice)),
        ("users never tried", truth.never_tried),
        ("statements lost for want of memory", truth.not_mailed_memory),
        ("statements without an address", truth.not_mailed_address),
    ):
        if not found:
            complaints.append(f"no {what}")
    if complaints:
        raise Unlucky("; ".join(complaints))


def _press_and_wait(scene: FridayScene, *, runs: int) -> int:
    """Press, and wait until that many runs are over; the status of the answer."""
    status = scene.press()
    deadline = time.monotonic() + STOPS_WITHIN_S
    while True:
        scene.pause(1.0)
        notes = Notes.read(scene.services.measured)
        if len(notes.of("run_stopped")) + len(notes.of("run_ended")) >= runs:
            return status
        if time.monotonic() > deadline:
            raise Unlucky(f"a run went on for {STOPS_WITHIN_S:g} s")


def _truth(scene: FridayScene, pin_ns: int, too_long_ns: int, refused_ns: int) -> Friday:
    notes = Notes.read(scene.services.measured)
    handed = Counter(note["user"] for note in notes.of("handed"))
    batches = Counter(note["batch"] for note in notes.of("handed"))
    stopped = {note["batch"]: note["user"] for note in notes.of("run_stopped")}
    mailed = {note["user"] for note in notes.of("mailed")}
    lost = {why: _lost(notes, why) - mailed for why in ("memory", "address")}
    tried = {*handed, *stopped.values()}
    with psycopg.connect(scene.postgresql.url) as connection:
        users = [row[0] for row in connection.execute("SELECT id FROM users ORDER BY id")]
    return Friday(
        story="friday-batch",
        pin_ns=pin_ns,
        began_ns=scene.began_ns,
        ended_ns=time.time_ns(),
        too_long_ns=too_long_ns,
        refused_ns=refused_ns,
        presses=tuple(
            Press(
                batch=f"batch:{note['batch']}",
                began_ns=int(str(note["at"])),
                found=int(str(note["users"])),
                handed=batches[note["batch"]],
                stopped_at=f"user:{stopped[note['batch']]}" if note["batch"] in stopped else "",
            )
            for note in notes.of("run_began")
        ),
        users=len(users),
        handed=len(handed),
        mailed=len(mailed),
        not_mailed_memory=len(lost["memory"]),
        not_mailed_address=len(lost["address"]),
        twice=tuple(f"user:{user}" for user, times in sorted(handed.items(), key=str) if times > 1),
        never_tried=sum(user not in tried for user in users),
        mailer_started_ns=tuple(int(str(note["at"])) for note in notes.of("mailer_started")),
        mailer_ended_ns=tuple(int(str(note["at"])) for note in notes.of("mailer_ended")),
        far_lines=len(scene.far_log.read_text().splitlines()),
        facts={
            "Elasticsearch": scene.elasticsearch.version,
            "PostgreSQL": scene.postgresql.version,
            "Prometheus": scene.prometheus.version,
        },
    )


def _lost(notes: Notes, why: str) -> set[object]:
    return {note["user"] for note in notes.of("not_mailed") if note["why"] == why}
