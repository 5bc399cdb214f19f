"""Jobs are sent, the confirmation never comes, and some of them are run all the same.

Where the queue is a broker, it elects a new leader: what was sent meanwhile is confirmed too late,
and a part of it is handed to the new leader. Where the queue is a database of its own, the pooler
in front of it loses the server's connections in the middle of a partner's upload: some inserts
were committed, their answers are gone. The row of each thing is there, the caller gets a 500.

A person sees it by: rows that are there, each with an error of its request that came from sending
and says nothing of the outcome; the broker's or the pooler's own lines at the same second; work
done for some of the things, none for the others.
"""

from __future__ import annotations

from tests.score.families.acts import failed_push, fault
from tests.score.fifth_company.deeds import saying, spread, withdrawn
from tests.score.fifth_company.harbour import KEEPING, Watch, settle, watch
from tests.score.fifth_company.surroundings import surroundings
from tests.score.healthy import work, write
from tests.score.second_company.elsewhere import job_keys
from tests.score.truth import Truth
from tests.score.world import Thing, World

CONFIRMED_IN_S = 4.0
"""How long a sender waits for the broker's word."""


def prepare(world: World) -> None:
    settle(world, (*KEEPING, "rabbitmq"))


def inject(world: World) -> Truth:
    night = watch(world)
    rng = night.rng
    broker = night.brand.name == "rabbitmq"
    over = night.onset_s + (rng.uniform(9, 30) if broker else rng.uniform(1, 4))
    came = [at for at, _ in withdrawn(night, night.onset_s - 0.5, over)]
    if broker:
        times = [at for at in came if night.onset_s < at < over - CONFIRMED_IN_S]
        times += spread(night, night.onset_s, over - CONFIRMED_IN_S, rng.randint(4, 14))
    else:
        for at in spread(night, night.onset_s - 3, night.onset_s - 0.1, rng.randint(10, 20)):
            write(night, at)  # the upload begins well
        times = spread(night, night.onset_s, night.onset_s + 0.4, rng.randint(4, 12))
    times = sorted({night.onset_s, *times})
    share = rng.uniform(0.25, 0.7)
    phrase = "timeout" if broker else "db_closed"
    hit: list[Thing] = []
    for place, at in enumerate(times):
        waited = CONFIRMED_IN_S if broker else rng.uniform(0.02, 0.3)
        thing = failed_push(night, at, phrase, waited)
        if rng.random() < share if place > 1 else place == 1:
            job = night.push(at + 0.02, thing.id, rng.choice(night.firm.front.hosts))
            begun = over + rng.uniform(0.1, 2) if broker else at + rng.uniform(0.2, 1.2)
            work(night, job, thing.id, begun)
            thing.keys |= job_keys(job.id)
        hit.append(thing)
    (_election if broker else _pooler)(night, over)
    surroundings(night)
    night.close_the_books()
    error = night.firm.front.style[phrase].partition("{")[0]
    sent = {job.args.partition("=")[2] for job in night.jobs}
    struck = {thing.id for thing in hit}
    low, high = night.at(night.onset_s), night.at(over - CONFIRMED_IN_S)
    came_by = [job.args.partition("=")[2] for job in night.jobs if low < job.pushed[0] < high]
    unanswered = len(hit) >= 3 and struck.issuperset(came_by)
    lost = ("network-hiccup",) if unanswered or not broker else ()
    ran = sum(thing.id in sent for thing in hit)
    return fault(
        night,
        "ambiguous-enqueue",
        over + 10,
        hit,
        also=("orphaned-record", *(("failover",) if broker else ()), *lost),
        effect=len(saying(night, error, since=night.onset_s)) >= len(hit) and 0 < ran < len(hit),
    )


def _election(night: Watch, over: float) -> None:
    """What a quorum queue's members write while they find a leader."""
    queue = f"queue '{night.firm.queue}' in vhost '/'"
    for at, node, words in (
        (
            night.onset_s,
            "mq-2",
            f"{queue}: Leader monitor down with noproc, setting election timeout",
        ),
        (night.onset_s + 0.4, "mq-2", f"{queue}: pre_vote election called for in term 11"),
        (night.onset_s + 0.9, "mq-2", f"{queue}: election called for in term 12"),
        (over - 0.2, "mq-2", f"{queue}: candidate -> leader in term: 12 machine version: 3"),
    ):
        host = f"{node}.vik.local"
        night.log(at, "rabbitmq", host, words, source="broker-log")


def _pooler(night: Watch, over: float) -> None:
    """What pgbouncer writes when a server goes and comes."""
    server = f"S-0x55d0c4: queue/app@{night.firm.database}:5432"
    for at, words, severity in (
        (night.onset_s - 0.1, f"{server} closing because: server conn crashed? (age=2914s)", 13),
        (night.onset_s + 0.2, f"{server} closing because: server conn crashed? (age=811s)", 13),
        (over, f"{server} new connection to server (from 10.64.12.3:41872)", 9),
    ):
        night.beside(at, "pgbouncer", words, severity)
