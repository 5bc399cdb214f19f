"""The database refused the insert of a few jobs; every one of these jobs is reported as done.

A bare rescue around the last statement. The application does not log it: the only account of the
error is the server's own log, where the framework's query comment names the job.
A person sees it by: an ERROR of the server with the job's id in the comment of its STATEMENT, the
same job's `done` line some milliseconds later, and no row of it in the table of effects.
"""

from __future__ import annotations

from tests.score.families.acts import fault
from tests.score.families.shopfloor import SEVERITY_ERROR, rows_about
from tests.score.healthy import write
from tests.score.queues import SHOWING
from tests.score.truth import Truth
from tests.score.world import PIN_S, Thing, World

BRANDS = SHOWING
REFUSALS = (
    "value too long for type character varying(64)",
    'null value in column "locale" of relation "{table}" violates not-null constraint',
    'new row for relation "{table}" violates check constraint "{table}_total_positive"',
    'invalid input syntax for type json␊DETAIL:  Token "NaN" is invalid.',
    'insert or update on table "{table}" violates foreign key constraint "fk_rails_9b1"␊DETAIL:  '
    'Key (template_id)=(71) is not present in table "templates".',
)
COMMENTS = (
    "/*application:Shop,job:{job},job_id:{jid},db_host:{db}*/",
    "/*action='perform',framework='django%3A5.1',job_id='{jid}',route='{job}'*/",
    "/* app=shop job={job} job_id={jid} */",
)


def inject(world: World) -> Truth:
    firm, rng = world.company, world.rng
    refusal = rng.choice(REFUSALS).format(table=firm.effects)
    comment = rng.choice(COMMENTS)
    end = min(PIN_S - 20, world.onset_s + rng.uniform(200, 600))
    hit: list[Thing] = []
    at, share = world.onset_s, rng.choice((0.08, 0.3, 0.8))
    while at < end:
        if rng.random() < share or not hit:
            hit.append(_refused(world, at, refusal, comment))
        else:
            write(world, at)
        at += rng.uniform(2, 12)
    lost = all(rows_about(world, firm.effects, thing.id) == 0 for thing in hit)
    return fault(
        world,
        "swallowed-error",
        end,
        hit,
        also=("bad-data", "orphaned-record", "poison-job"),
        effect=lost and len(hit) > 1,
    )


def _refused(world: World, at: float, refusal: str, comment: str) -> Thing:
    firm, rng = world.company, world.rng
    thing = write(world, at, job=False)
    host = rng.choice(firm.front.hosts)
    job = world.push(at + 0.03, thing.id, host)
    told = {"job": firm.job_class, "jid": job.id, "id": thing.id, "rid": thing.request}
    world.say(at + 0.033, firm.front, "pushed", told, host=host)
    begun, took = at + rng.uniform(0.1, 0.9), rng.uniform(0.05, 0.5)
    world.run(job, begun, took)
    named = comment.format(job=firm.job_class, jid=job.id, db=firm.database)
    words = f"{refusal}␊STATEMENT:  INSERT INTO {firm.effects} ({firm.thing}_id, body) VALUES"
    world.database_log(
        begun + took * 0.8,
        rng.randint(900, 30_000),
        f"{words} ($1, $2) RETURNING id {named}",
        SEVERITY_ERROR,
    )
    found = world.entity(thing.id, thing.request, job)
    return found
