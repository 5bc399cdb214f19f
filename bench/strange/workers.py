"""A good day of workers: Spark, Airflow, Celery, Sidekiq, Oban. Every job ends as it should."""

from __future__ import annotations

import json
from datetime import timedelta
from random import Random

from bench.strange.shape import Moment, Sample, Shape

JOBS = ("ResizePicture", "SendDigest", "SyncStock", "CloseMonth", "IndexArticle")


def job(number: int) -> tuple[str, str]:
    """Class and id (24 digits) of the `number`-th job."""
    drawn = Random(f"job {number}")
    return drawn.choice(JOBS), f"{drawn.getrandbits(96):024x}"


def _pair(at: Moment, gap: int = 40) -> tuple[str, str, bool]:
    """Class and id of a job, and whether it ends: its start stands `gap` lines above."""
    turn, place = divmod(at.number, gap * 2)
    ends = place >= gap
    return *job(turn * gap + place % gap), ends


def _sidekiq(at: Moment) -> str:
    name, jid, ends = _pair(at)
    told = f"elapsed={at.below(900) / 1000:.3f} INFO: done" if ends else "INFO: start"
    return f"{at.iso} pid={4_100 + at.below(2)} tid=o{at.below(9)}k class={name} jid={jid} {told}"


def _celery(at: Moment) -> str:
    name, jid, ends = _pair(at)
    task = f"shop.{name.lower()}[{jid[:8]}-{jid[8:12]}-4{jid[12:15]}-a{jid[15:18]}-{jid[:12]}]"
    clock = f"{at.text('%Y-%m-%d %H:%M:%S')},{at.when.microsecond // 1000:03d}"
    if ends:
        worker = f"ForkPoolWorker-{at.below(8)}"
        return f"[{clock}: INFO/{worker}] Task {task} succeeded in 0.{at.below(999):03d}s: None"
    return f"[{clock}: INFO/MainProcess] Task {task} received"


def _oban(at: Moment) -> str:
    name, jid, ends = _pair(at)
    told = {
        "time": at.iso,
        "severity": "info",
        "source": "oban",
        "event": "job:stop" if ends else "job:start",
        "worker": f"Shop.{name}",
        "queue": "default",
        "job_id": int(jid[:10], 16),
        "attempt": 1,
        "max_attempts": 20,
        "state": "success" if ends else "executing",
        "message": "job:stop" if ends else "job:start",
    }
    return json.dumps(told)


def _spark(at: Moment) -> str:
    stage, task = divmod(at.number // 2, 200)
    name = f"task {task}.0 in stage {stage}.0 (TID {at.number // 2})"
    host, executor = f"10.2.0.{task % 40}", f"executor {task % 40}"
    told = (
        f"Starting {name} ({host}, {executor}, partition {task}, PROCESS_LOCAL,"
        f" {4_000 + at.below(900)} bytes)"
        if at.number % 2 == 0
        else f"Finished {name} in {at.below(900)} ms on {host} ({executor}) ({task + 1}/200)"
    )
    return f"{at.text('%y/%m/%d %H:%M:%S')} INFO TaskSetManager: {told}"


def _airflow(at: Moment) -> str:
    due = at.when - timedelta(days=1)
    clock = at.text("%Y-%m-%dT%H:%M:%S.%f")[:-3]
    dag = f"load_{at.below(80)}"
    told = at.one_of(
        f"Dependencies all met for <TaskInstance: {dag}.extract manual__{due:%Y-%m-%d} [queued]>",
        f"Marking task as SUCCESS. dag_id={dag}, task_id=extract, run_id=r{at.id(32)}",
        "Task exited with return code 0",
    )
    return f"[{clock}+0000] {{taskinstance.py:{at.below(2_000)}}} INFO - {told}"


SHAPES = (
    Shape("sidekiq", _sidekiq, Sample(frozenset([9]))),
    Shape("celery", _celery, Sample(frozenset([9]))),
    Shape("oban", _oban, Sample(frozenset([9]))),
    Shape("spark", _spark, Sample(frozenset([9]))),
    Shape("airflow", _airflow, Sample(frozenset([9]))),
)
