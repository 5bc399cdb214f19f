"""A setting that all hosts hold in memory is changed; all but one take it up within seconds. The
one missed the message and works with the old value until somebody restarts it.

A person sees it by: the recorded version of the setting with both values; every other host saying
the new value from then on; one host saying the old one, line after line, until its restart.
"""

from __future__ import annotations

from tests.score.families.acts import fault
from tests.score.families.watched import audited, row_names
from tests.score.third_company.house import move_in, watch
from tests.score.third_company.neighbours import neighbours
from tests.score.truth import Entity, Truth
from tests.score.world import World

SETTINGS = (
    ("vat_rate", "19", "21", "invoice_id={id} net={n}.00 vat_rate={v} booked"),
    ("credit_limit", "5000", "2500", 'credit check {{"invoice_id":"{id}","credit_limit":{v}}} ok'),
    ("fx_eur_chf", "0.9412", "0.9655", "converted invoice_id={id} amount={n} fx_eur_chf={v}"),
    ("dunning_days", "14", "10", "[dunning] invoiceId={id} dunning_days={v} next in {n} h"),
)


def prepare(world: World) -> None:
    move_in(world, backs=(3, 7))


def inject(world: World) -> Truth:
    here = watch(world)
    neighbours(here)
    rng = here.rng
    name, old, new, words = rng.choice(SETTINGS)
    service = rng.choice(("invoicing", "rating", "postings"))
    hosts = [f"{service}-{rng.getrandbits(20):05x}" for _ in range(rng.randint(3, 6))]
    deaf = rng.choice(hosts)
    changed = here.onset_s
    until = min(here.end_s - 10, changed + rng.uniform(300, 700))
    taken = {host: changed + rng.uniform(0.2, 8) for host in hosts} | {deaf: until}
    tool = rng.choice(("paper_trail", "audited"))
    pair = {name: (old, new)}
    audited(here, changed, "settings", name, pair, "m.keller", host=service, tool=tool)
    at, hit = 5.0, list[Entity]()
    while at < here.end_s - 5:
        host = rng.choice(hosts)
        invoice = f"DE-2026-{len(here.told):06}"
        told = {"id": invoice, "n": rng.randint(8, 900), "v": old if at < taken[host] else new}
        here.log(at, service, host, words.format(**told))
        if host == deaf and changed + 8 < at < until:
            hit.append(frozenset({f"invoice:{invoice}"}) | row_names("settings", name))
        at += rng.uniform(1.5, 6)
    here.log(until, service, deaf, f"stopping {service}: SIGTERM")
    here.log(until + 4, service, deaf, f"{service} up, settings loaded")
    here.settle_accounts()
    return fault(
        here,
        "stale-read",
        until,
        hit,
        also=("deploy-skew", "change-before"),
        effect=len(hit) >= 4,
    )
