"""The crontab moved to a new machine and stayed on the old one, too: every turn runs twice.

The new machine's cron was started in the middle of the night. From then on each turn is begun by
both, a few seconds apart, and each writes its line of rollups.

A person sees it by: the journals of two machines, with cron's line for the same command at the same
minute; two lines of rollups for one turn where there was one; the hosts behind them.
"""

from __future__ import annotations

from dataclasses import replace

from tests.score.families.acts import fault
from tests.score.families.rota import ticks, unit_says
from tests.score.truth import Truth
from tests.score.world import World
from timeline.knowledge import Schedule, Work
from timeline.window import SECOND_NS

_COMMANDS = (
    ("cd /srv/app && bin/rake usage:rollup", "usage rollup written"),
    ("/usr/bin/php /var/www/artisan usage:roll --quiet", "Usage rolled up"),
    ("/opt/jobs/rollup.sh >> /var/log/rollup.log 2>&1", "rollup: wrote partition"),
)


def inject(world: World) -> Truth:
    rng = world.rng
    command, line = rng.choice(_COMMANDS)
    every = rng.choice((120.0, 180.0, 300.0))
    old, new = f"batch-{rng.randint(1, 4)}", f"cron-{rng.getrandbits(16):04x}"
    due = ticks(rng.uniform(5, 60), world.end_s - 20, every)
    unit_says(world, world.onset_s - 20, new, "cron", "(CRON) INFO (pidfile fd = 3)")
    unit_says(world, world.onset_s - 20, new, "systemd", "Started Regular background program.")
    rolls = rng.random() < 0.5
    turns = 0
    for at in due:
        hosts = [old] if at < world.onset_s else [old, new]
        turns += len(hosts) == 2
        for host in hosts:
            begun = at + rng.uniform(0.01, 0.9)
            pid = rng.randint(900, 40_000)
            unit_says(world, begun, host, "CRON", f"[{pid}] (deploy) CMD ({command})")
            done = begun + rng.uniform(1, 11)
            words = f"{line} rows={rng.randint(900, 1_100)} took={done - begun:.1f}s"
            world.log(done, "rollup", host, words, source="rollup-log")
            if rolls:
                columns = {"kind": "usage", "rows": 1_000}
                world.row(
                    done, "rollups", str(rng.randint(10**5, 10**7)), columns=columns, host=host
                )
    if rng.random() < 0.5:
        schedule = Schedule("usage", Work(log=line), every=int(every * SECOND_NS))
        world.knowledge = replace(world.knowledge, schedules=(*world.knowledge.schedules, schedule))
    return fault(
        world,
        "extra-runs",
        world.end_s,
        alternates=("overlapping-runs", "run-overlap", "re-press", "duplicate-create"),
        also=("duplicate-enqueue",),
        effect=turns >= 1 and len(due) - turns >= 2,
    )
