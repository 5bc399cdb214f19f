"""What really happened in a story: built from what the processes and the servers themselves know.

The processes' side channel tells when operations ran; the database, the queue and the mails tell
what came of them. Nothing is taken from the logs that halfawake reads, and nothing is assumed: a
story whose fault did not have its effect is `Unlucky` and does not count.
"""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Self

import psycopg
from redis import Redis

CONNECT_FAILURE = "connecting to"
"""redis-py 8: "Timeout connecting to server", "Error 111 connecting to …": nothing was sent."""

SECOND_NS = 1_000_000_000

Note = dict[str, object]


class Unlucky(Exception):
    """The fault had another effect than the story is about; the message says which."""


@dataclass(frozen=True)
class Operation:
    """A request or a job run as its own process measured it, ns UTC."""

    id: str
    kind: str
    start_ns: int
    end_ns: int


@dataclass(frozen=True)
class SignUp:
    """One account and what became of its welcome mail.

    `enqueue`: `clean`, or after an error `lost` (sent, never arrived), `executed` (arrived after
    all), `doubled`, `not_sent` (no connection) or `rolled_back` (the job ran, the row is gone).
    """

    user: str
    request: str
    job: str
    row: bool
    enqueue: str
    mails: int
    visible_ns: int | None
    """When the commit had returned; the row was visible no later."""
    looked_up_ns: int | None
    """When the job's lookup ended; None when the job never ran."""
    found: bool | None

    @property
    def ran_before_visible(self) -> bool:
        """The row is there, and the job did not find it."""
        return self.row and self.found is False


@dataclass(frozen=True)
class Truth:
    """One story. The path was broken from `fault_from_ns` to `fault_until_ns`; None if never.

    `recovered_ns` is when the last call that failed because of it had returned. `operations` ran
    while the path was broken, `aftermath` only between its repair and `recovered_ns`.
    """

    story: str
    pin_ns: int
    began_ns: int
    ended_ns: int
    fault_from_ns: int | None = None
    fault_until_ns: int | None = None
    recovered_ns: int | None = None
    operations: tuple[Operation, ...] = ()
    aftermath: tuple[Operation, ...] = ()
    sign_ups: tuple[SignUp, ...] = ()
    """Those that were not clean; the others are counted."""
    clean_sign_ups: int = 0
    jobs_run: int = 0
    facts: dict[str, str] = field(default_factory=dict)
    """Versions and the like, for whoever reads the file."""

    def with_enqueue(self, outcome: str) -> list[str]:
        """Keys of the accounts whose enqueue ended so, sorted."""
        return sorted(one.user for one in self.sign_ups if one.enqueue == outcome)

    @property
    def ran_before_visible(self) -> list[str]:
        """Keys of the jobs that looked for a row before it was visible, sorted."""
        return sorted(one.job for one in self.sign_ups if one.ran_before_visible)

    @property
    def without_mail(self) -> list[str]:
        """Keys of the accounts that exist and got no welcome mail, sorted."""
        return sorted(one.user for one in self.sign_ups if one.row and one.mails == 0)

    def to_json(self) -> str:
        """The truth file."""
        return json.dumps(dataclasses.asdict(self), indent=1) + "\n"

    @classmethod
    def read(cls, path: Path) -> Self:
        """A truth file as `to_json` wrote it."""
        told = json.loads(path.read_text())
        told["operations"] = tuple(Operation(**one) for one in told["operations"])
        told["aftermath"] = tuple(Operation(**one) for one in told["aftermath"])
        told["sign_ups"] = tuple(SignUp(**one) for one in told["sign_ups"])
        return cls(**told)


@dataclass(frozen=True)
class Notes:
    """The side channel of all processes, as they wrote it."""

    lines: tuple[Note, ...]

    @classmethod
    def read(cls, path: Path) -> Self:
        return cls(tuple(json.loads(line) for line in path.read_text().splitlines()))

    def of(self, what: str) -> list[Note]:
        return [note for note in self.lines if note["what"] == what]

    def operations(self) -> list[Operation]:
        """Every request and every job run, by start."""
        requests = [
            Operation(f"request:{note['id']}", "request", _ns(note["start"]), _ns(note["end"]))
            for note in self.of("request")
        ]
        runs = [
            Operation(f"job:{note['job']}", "job", _ns(note["start"]), _ns(note["end"]))
            for note in self.of("run")
        ]
        return sorted((*requests, *runs), key=lambda one: (one.start_ns, one.id))

    def failed_calls(self) -> list[tuple[int, int]]:
        """Begin and end of every call to Redis that failed, ns."""
        calls = [note for note in (*self.of("cache"), *self.of("enqueued")) if note["error"]]
        return [(_ns(note["began"]), _ns(note["ended"])) for note in calls]


def sign_ups(notes: Notes, database_url: str, redis_url: str) -> list[SignUp]:
    """Every sign-up of the side channel, completed by what the servers hold now."""
    visible = {note["request"]: _ns(note["at"]) for note in notes.of("committed")}
    lookups = {note["job"]: note for note in notes.of("lookup")}
    runs = [str(note["job"]) for note in notes.of("run")]
    tried = [note for note in notes.of("enqueued") if "user_id" in note]
    with psycopg.connect(database_url) as connection, Redis.from_url(redis_url) as queue:
        rows = {row[0] for row in connection.execute("SELECT id FROM users")}
        counted = "SELECT user_id, count(*) FROM mails WHERE kind = 'welcome' GROUP BY user_id"
        mails: dict[object, int] = dict(connection.execute(counted).fetchall())
        found = []
        for note in tried:
            job, user = str(note["job"]), note["user_id"]
            known = job in runs or bool(queue.exists(f"rq:job:{job}"))
            lookup = lookups.get(job)
            found.append(
                SignUp(
                    user=f"user:{user}",
                    request=f"request:{note['request']}",
                    job=f"job:{job}",
                    row=user in rows,
                    enqueue=_outcome(note, runs.count(job), known=known, row=user in rows),
                    mails=mails.get(user, 0),
                    visible_ns=visible.get(note["request"]),
                    looked_up_ns=_ns(lookup["at"]) if lookup else None,
                    found=bool(lookup["found"]) if lookup else None,
                )
            )
    return found


def _outcome(note: Note, runs: int, *, known: bool, row: bool) -> str:
    if not row and known:
        return "rolled_back"
    if runs > 1:
        return "doubled"
    if not note["error"]:
        return "clean"
    if known:
        return "executed"
    return "not_sent" if CONNECT_FAILURE in str(note["error"]) else "lost"


def overlapping(operations: Iterable[Operation], first: int, last: int) -> tuple[Operation, ...]:
    """Operations that ran at some instant of `[first, last]`."""
    return tuple(one for one in operations if one.start_ns <= last and one.end_ns >= first)


def verify_night_hiccup(truth: Truth, *, as_told: bool) -> None:
    """Raise `Unlucky` unless the fault had every effect that the story tells of.

    `as_told` also wants no more victims than that: on a busy machine a job may beat a commit
    without any fault, which is as true but makes another story.
    """
    effects = (
        ("enqueue lost", truth.with_enqueue("lost"), 1),
        ("enqueue executed after a time-out", truth.with_enqueue("executed"), 1),
        ("enqueues without a connection", truth.with_enqueue("not_sent"), 2),
        ("job before its row was visible", truth.ran_before_visible, 1),
        ("accounts without a mail", truth.without_mail, 4),
    )
    complaints = [
        f"{what}: {len(found)}, the story has {wanted}"
        for what, found, wanted in effects
        if len(found) < wanted or (as_told and len(found) > wanted)
    ]
    complaints += [
        f"{one.job} looked after the commit and found nothing"
        for one in truth.sign_ups
        if one.ran_before_visible
        and one.looked_up_ns is not None
        and one.visible_ns is not None
        and one.looked_up_ns > one.visible_ns
    ]
    if complaints:
        raise Unlucky("; ".join(complaints))


def verify_quiet_hour(truth: Truth, digests: int) -> None:
    """Raise `Unlucky` unless everything went well and the night's work was done."""
    complaints = [f"{one.user}: {one.enqueue}, {one.mails} mails" for one in truth.sign_ups]
    if digests == 0:
        complaints.append("no digest mail was sent")
    if complaints:
        raise Unlucky("; ".join(complaints))


def _ns(value: object) -> int:
    if not isinstance(value, int):
        raise TypeError(f"the side channel holds {value!r} where nanoseconds were expected")
    return value
