"""The first two stories: what happens to the shop, and when. Each ends with a verified `Truth`.

A story decides only what an environment decides: when the path breaks, when somebody restarts a
worker. What follows from that is the shop's own doing.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from datetime import UTC, datetime

from rq.version import VERSION as RQ_VERSION

from tests.lab.proxy import Flow
from tests.lab.scene import WORKERS, Scene
from tests.lab.traffic import CYCLE_S
from tests.lab.truth import (
    SECOND_NS,
    Notes,
    Truth,
    overlapping,
    sign_ups,
    verify_night_hiccup,
    verify_quiet_hour,
)

STALL_S = 2.4
"""Longer than two waits for Redis in a row, so that whoever waits twice meets it twice."""
BEFORE_WAVE_S = 0.15
"""The path breaks just before the next wave of sign-ups: the wrong moment."""
FORGOTTEN_AFTER_S = 2.1
"""The first connection to stall has then been silent for so long that what stands on the way has
forgotten it; younger ones get their bytes through."""
IDLE_S = 5.0
"""A worker's subscription and a web server's spare connections carry nothing for that long."""
RESET_EVERY_S = 8.0
"""What forgets idle connections does so one at a time, each when its own time is up."""


@dataclass(frozen=True)
class Timing:
    """Seconds of ordinary traffic before the fault, and how late the pager is after its onset.

    `cycle_s` is how long it takes from one wave of sign-ups to the next; `as_told` wants exactly
    the story's victims and not one more.
    """

    before_s: float
    late_s: float
    cycle_s: float = CYCLE_S
    as_told: bool = False


RECORDED = Timing(before_s=300.0, late_s=371.0, cycle_s=12.0, as_told=True)
"""Eleven minutes hold enough control windows to compare a burst of errors with; a real pager is
five to fifteen minutes late. By night there are fewer customers."""
SHORT = Timing(before_s=30.0, late_s=25.0)
"""For tests that run everything live. T is then 25 s late, which no pager is."""


def night_hiccup(scene: Scene, timing: Timing) -> Truth:
    """The path from web and inventory to Redis breaks for seconds in the middle of sign-ups.

    Raises `Unlucky` when the race or one of the ambiguous outcomes did not come about.
    """
    scene.pause(timing.before_s)
    wave = scene.traffic.next_wave(time.monotonic() + 1.0)
    time.sleep(max(0.0, wave - BEFORE_WAVE_S - time.monotonic()))
    broken_ns = scene.path.stall()
    time.sleep(STALL_S)
    repaired_ns, _ = scene.path.resume(_young_enough)
    pin_ns = broken_ns + int(timing.late_s * SECOND_NS)
    scene.pause((pin_ns - time.time_ns()) / SECOND_NS + 1.0)
    close(scene)
    notes = Notes.read(scene.services.measured)
    last = max(ended for began, ended in notes.failed_calls() if began >= broken_ns - SECOND_NS)
    ran = notes.operations()
    during = overlapping(ran, broken_ns, repaired_ns)
    after = [one for one in overlapping(ran, repaired_ns, last) if one not in during]
    found = sign_ups(notes, scene.postgresql.url, scene.redis.url)
    truth = Truth(
        story="night-hiccup",
        pin_ns=pin_ns,
        began_ns=scene.began_ns,
        ended_ns=time.time_ns(),
        fault_from_ns=broken_ns,
        fault_until_ns=repaired_ns,
        recovered_ns=last,
        operations=during,
        aftermath=tuple(after),
        sign_ups=tuple(one for one in found if one.enqueue != "clean" or one.mails != 1),
        clean_sign_ups=sum(one.enqueue == "clean" and one.mails == 1 for one in found),
        jobs_run=len(notes.of("run")),
        facts=facts(scene),
    )
    verify_night_hiccup(truth, as_told=timing.as_told)
    return truth


def quiet_hour(scene: Scene, timing: Timing) -> Truth:
    """Nothing is wrong: a nightly job, a rolling restart of the workers, idle connections reset."""
    part = timing.before_s / 4
    scene.pause(part)
    scene.services.start("nightly", "cron-1").wait(30)
    scene.services.running.pop("cron-1")
    scene.drain()
    scene.pause(part)
    for host in WORKERS:
        scene.services.stop(host)
        scene.start_worker(host)
        scene.pause(part / 2)
    reset = _reset_idle_connections(scene)
    scene.pause(part)
    pin_ns = time.time_ns()
    scene.pause(1.0)
    close(scene)
    notes = Notes.read(scene.services.measured)
    found = sign_ups(notes, scene.postgresql.url, scene.redis.url)
    truth = Truth(
        story="quiet-hour",
        pin_ns=pin_ns,
        began_ns=scene.began_ns,
        ended_ns=time.time_ns(),
        sign_ups=tuple(one for one in found if one.enqueue != "clean" or one.mails != 1),
        clean_sign_ups=sum(one.enqueue == "clean" and one.mails == 1 for one in found),
        jobs_run=len(notes.of("run")),
        facts={**facts(scene), "idle connections reset": str(reset)},
    )
    digests = sum(int(str(note["jobs"])) for note in notes.of("nightly"))
    verify_quiet_hour(truth, digests)
    return truth


def instant(timestamp: int) -> str:
    """ISO 8601 with milliseconds, as one types T."""
    moment = datetime.fromtimestamp(timestamp / SECOND_NS, UTC)
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def close(scene: Scene) -> None:
    """No more customers; what is under way ends; everything said is searchable."""
    scene.traffic.__exit__(None, None, None)
    scene.drain()
    scene.pause(1.0)
    scene.shipper.flush()


def _young_enough(flow: Flow) -> bool:
    held = time.time_ns() - (flow.held_since_ns or 0)
    return held < FORGOTTEN_AFTER_S * SECOND_NS


def _reset_idle_connections(scene: Scene) -> int:
    """Reset a few idle connections, one after the other; how many there were to reset."""
    reset = 0
    for path in (scene.worker_path, scene.path, scene.worker_path):
        scene.pause(RESET_EVERY_S)
        reset += path.cut_idlest(IDLE_S)
    return reset


def facts(scene: Scene) -> dict[str, str]:
    """Versions of what was running."""
    return {
        "Elasticsearch": scene.elasticsearch.version,
        "PostgreSQL": scene.postgresql.version,
        "Redis": scene.redis.version,
        "RQ": RQ_VERSION,
    }
