"""The search server takes a bulk request, answers 200, and has refused some of the documents.

The indexer looks at the status alone. Its jobs end well, and the documents cannot be found.
A person sees it by: the server's own warning about one document, which names the thing; the job
about the same thing that ends as done some milliseconds later; no second warning or retry of it.
"""

from __future__ import annotations

from tests.score.families.acts import fault
from tests.score.families.shopfloor import SEVERITY_WARN, bodies, side_line
from tests.score.third_company.acts import close, order, run_on
from tests.score.third_company.house import Watch, move_in, watch
from tests.score.third_company.queues import QUEUES
from tests.score.truth import Truth
from tests.score.world import PIN_S, Thing, World

REASONS = (
    "org.elasticsearch.index.mapper.DocumentParsingException: [1:214] failed to parse field"
    " [total] of type [long] in document with id '{id}'. Preview of field's value: '1.203,90'",
    "org.elasticsearch.index.mapper.StrictDynamicMappingException: [1:96] mapping set to strict,"
    " dynamic introduction of [channel] within [_doc] is not allowed",
    "java.lang.IllegalArgumentException: Limit of total fields [1000] has been exceeded while"
    " adding new fields [1]",
)


def prepare(world: World) -> None:
    move_in(world, tuple(q for q in QUEUES if q != "rabbitmq"))


def inject(world: World) -> Truth:
    here = watch(world)
    rng = here.rng
    reason, share = rng.choice(REASONS), rng.uniform(0.05, 0.4)
    end = min(PIN_S - 10, here.onset_s + rng.uniform(150, 500))
    hit: list[Thing] = []
    at = here.onset_s
    while at < end:
        bad = rng.random() < share or not hit
        thing, job = order(here, at, job_class=f"Index{here.house.thing.title()}")
        begun, took = at + rng.uniform(0.1, 1.2), rng.uniform(0.1, 0.4)
        run_on(here, job, begun, took)
        if bad:
            _refusal(here, begun + took * 0.6, thing.id, reason)
            hit.append(thing)
        at += rng.uniform(1, 8)
    close(here)
    told = bodies(here)
    effect = len(hit) > 1 and all(f"[{thing.id}]" in told for thing in hit)
    return fault(
        here,
        "swallowed-error",
        end,
        hit,
        also=("bad-data", "poison-job", "orphaned-record"),
        effect=effect,
    )


def _refusal(here: Watch, at: float, thing: str, reason: str) -> None:
    firm = here.house
    index = f"{firm.table}-v7"
    words = (
        f"[es-data-{here.rng.randint(0, 1)}] [{index}][{here.rng.randint(0, 4)}] failed"
        f" to execute bulk item (index) index {{[{index}][{thing}], source[{{"
        f'"{firm.thing}_id":"{thing}","state":"open"}}]}}␊{reason.format(id=thing)}'
    )
    side_line(here, at, "elasticsearch", "es-data-0", words, SEVERITY_WARN)
