"""The gateway through which a service reaches the cloud's queue drops a share of its connections.

The request often got there; its answer did not come back. The SDK tries three times and raises.
Of the messages that were given up some were never sent, some are there, and some are there twice,
because each try is a message of its own. The queue shows counts alone, so that only the rows that
the jobs leave behind tell one from the other.
"""

from __future__ import annotations

from tests.score.families.acts import fault
from tests.score.healthy import work
from tests.score.truth import Truth
from tests.score.world import PIN_S, Thing, World
from timeline.event import SEVERITY_ERROR

BRANDS = ("sqs",)
GAVE_UP = {
    "spring": "software.amazon.awssdk.core.exception.SdkClientException: Unable to execute HTTP"
    " request: Read timed out (SDK Attempt Count: 3)",
    "clojure": "software.amazon.awssdk.core.exception.SdkClientException: Unable to execute HTTP"
    " request: Read timed out (SDK Attempt Count: 3)",
    "django": 'botocore.exceptions.ReadTimeoutError: Read timeout on endpoint URL: "{url}"',
    "rails": "Seahorse::Client::NetworkingError: Net::ReadTimeout with #<TCPSocket:(closed)>",
    "node": "TimeoutError: Request did not complete within 3000 ms (attempts: 3) {url}",
    "go": "operation error SQS: SendMessage, exceeded maximum number of attempts, 3, https response"
    ' error StatusCode: 0, RequestID: , request send failed, Post "{url}": context deadline'
    " exceeded (Client.Timeout exceeded while awaiting headers)",
    "elixir": 'ExAws: HTTP ERROR: :timeout for URL: "{url}" ATTEMPT: 3',
    "dotnet": "Amazon.Runtime.AmazonServiceException: A WebException with status Timeout was"
    " thrown. (SendMessage)",
}
NEVER, ONCE, TWICE = 0, 1, 2


def inject(world: World) -> Truth:
    rng = world.rng
    end = min(world.onset_s + rng.uniform(60, 260), PIN_S - 20)
    fates, things = list[int](), list[Thing]()
    at = world.onset_s
    while at < end:
        fates.append(rng.choices((NEVER, ONCE, TWICE), (4, 5, 1))[0])
        things.append(_sent(world, at, fates[-1]))
        at += rng.uniform(6, 25)
    also = [("orphaned-record", NEVER), ("duplicate-enqueue", TWICE), ("duplicate-create", TWICE)]
    return fault(
        world,
        "ambiguous-enqueue",
        end + 12,
        things,
        also=["network-hiccup", *(term for term, fate in also if fate in fates)],
        effect=len(things) >= 3 and NEVER in fates and ONCE in fates,
    )


def _sent(world: World, at: float, fate: int) -> Thing:
    """A committed row, a send that is given up after nine seconds, and what became of it."""
    rng, firm = world.rng, world.company
    thing, rid = world.new_id(), world.request_id()
    told = {"method": "POST", "path": f"/{firm.table}", "rid": rid}
    host = world.say(at, firm.front, "begin", told)
    world.row(at + 0.004, firm.table, thing, columns={"state": "pending"}, commit=at + 0.011)
    world.say(at + 0.006, firm.front, "wrote", {"id": thing, "rid": rid, "ms": 2}, host=host)
    jobs = [world.push(at + 0.02 + 3.1 * n, thing, host) for n in range(fate)]
    for place, job in enumerate(jobs):
        work(world, job, thing, at + 0.1 + 3.1 * place + rng.uniform(0.1, 0.8))
    url = f"https://sqs.{firm.region}.amazonaws.com/"
    error = GAVE_UP[firm.front.style_name].format(url=url)
    given_up = at + 0.02 + 9 + rng.uniform(0.2, 0.9)
    values = {"job": firm.job_class, "rid": rid, "error": error}
    world.say(given_up, firm.front, "push_failed", values, host=host, severity=SEVERITY_ERROR)
    ms = int((given_up - at) * 1000)
    world.say(given_up + 0.002, firm.front, "end", {**told, "status": 500, "ms": ms}, host=host)
    found = world.entity(thing, rid, jobs[0] if jobs else None)
    found.keys |= frozenset(f"job:{job.id}" for job in jobs)
    return found
