"""An outbox relay dies after sending and before noting it, and sends the same page again.

Things wait in an outbox table; a relay reads a page of them, enqueues a job for each and then
marks the page. It is killed in between and started again by its supervisor: the page is read once
more, and every thing on it has two jobs, which both do their work.

A person sees it by: the supervisor's lines, killed and restarted; the relay's lines, the same
outbox numbers and things sent before and after with different jobs; in the queue two jobs of one
class with the same argument, both finished; two rows where the others have one.
"""

from __future__ import annotations

from collections import Counter

from tests.score.company import Service
from tests.score.families.acts import fault
from tests.score.fifth_company.deeds import WORD, saying, spread
from tests.score.fifth_company.harbour import KEEPING, Watch, settle, watch
from tests.score.fifth_company.surroundings import surroundings
from tests.score.healthy import work
from tests.score.second_company.elsewhere import job_keys
from tests.score.truth import Truth
from tests.score.world import Thing, World

RELAY = "outbox-relay"


def prepare(world: World) -> None:
    settle(world, KEEPING)


def inject(world: World) -> Truth:
    night = watch(world)
    rng = night.rng
    base = rng.randint(40_000, 900_000)
    for at in spread(night, 60, night.end_s - 60, rng.randint(12, 25)):
        if abs(at - night.onset_s) > 40:
            base = _page(night, at, rng.randint(2, 9), base)[0]
    size = rng.randint(8, 40)
    base, page = _page(night, night.onset_s - 2, size, base, marked=False)
    unit = f"{RELAY}.service"
    died = night.onset_s - 1
    _supervisor(night, died, f"{unit}: Main process exited, code=killed, status=9/KILL", 13)
    _supervisor(night, died + 0.1, f"{unit}: Failed with result 'signal'.", 13)
    up = night.onset_s + rng.uniform(0, 0.5)
    again = up + rng.uniform(3, 30)
    _supervisor(night, up, f"{unit}: Scheduled restart job, restart counter is at 1.")
    night.note(again - 1, _relay(night), "starting", host=f"{RELAY}-1")
    number = base - size
    for place, thing in enumerate(page):
        number += 1
        _send(night, again + place * 0.01, thing, number)
    _mark(night, again + size * 0.01 + 0.05, size, base)
    surroundings(night)
    night.close_the_books()
    jobs = Counter((job.job_class, job.args) for job in night.jobs)
    ended = {job.args for job in night.jobs if job.state() == "finished"}
    sent = Counter(
        word
        for event, _ in night.told
        if event.actor == RELAY
        for word in {*WORD.findall(event.body)}
    )
    argument = f"{night.firm.thing}_id="
    return fault(
        night,
        "duplicate-enqueue",
        again + 60,
        page,
        also=("lost-worker", "duplicate-create", "delivered-again"),
        effect=all(
            jobs[night.firm.job_class, argument + thing.id] == 2
            and argument + thing.id in ended
            and sent[thing.id] == 2
            for thing in page
        )
        and len(saying(night, "status=9/KILL")) == 1,
        onset_s=died,
    )


def _supervisor(night: Watch, at: float, words: str, severity: int = 9) -> None:
    night.log(at, "systemd", f"{RELAY}-1", words, severity, source="journal")


def _relay(night: Watch) -> Service:
    """A service of its own, in the language of the workers, on one host."""
    worker = night.firm.worker
    return type(worker)(RELAY, (f"{RELAY}-1",), worker.style_name)


def _page(
    night: Watch, at: float, size: int, base: int, *, marked: bool = True
) -> tuple[int, list[Thing]]:
    """A page of things that were written a moment ago, sent one after the other."""
    things: list[Thing] = []
    for place in range(size):
        thing, rid = night.new_id(), night.request_id()
        written = at - night.rng.uniform(0.5, 4)
        told = {"method": "POST", "path": f"/{night.firm.table}", "rid": rid}
        host = night.say(written - 0.006, night.firm.front, "begin", told)
        night.row(written, night.firm.table, thing, columns={"state": "pending"}, commit=written)
        night.say(written + 0.003, night.firm.front, "wrote", {"id": thing, "rid": rid}, host=host)
        done = {**told, "status": 201, "ms": 21}
        night.say(written + 0.015, night.firm.front, "end", done, host=host)
        things.append(night.entity(thing, rid))
        _send(night, at + place * 0.01, things[-1], base + place + 1)
    if marked:
        _mark(night, at + size * 0.01 + 0.05, size, base + size)
    return base + size, things


def _send(night: Watch, at: float, thing: Thing, number: int) -> None:
    """One message: the job, the relay's line, and the work, a little later."""
    job = night.push(at, thing.id, f"{RELAY}-1")
    fields = {**night.named(thing.id), "job_id": job.id, "outbox_no": number}
    night.note(at + 0.002, _relay(night), "sent", fields, host=f"{RELAY}-1")
    work(night, job, thing.id, at + night.rng.uniform(0.05, 1.2))
    thing.keys |= job_keys(job.id)


def _mark(night: Watch, at: float, size: int, last: int) -> None:
    night.note(
        at, _relay(night), "page marked as sent", {"rows": size, "up_to": last}, host=f"{RELAY}-1"
    )
