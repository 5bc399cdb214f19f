"""Meters with a new firmware send telegrams whose checksum is wrong, and a substitute is stored.

Nothing fails: the service that takes the telegrams in has words for this that it never needed
before, and says them for every one of these meters from then on.
"""

from __future__ import annotations

from tests.score.company import Service
from tests.score.families.acts import fault
from tests.score.seventh_company.acts import counted, in_tongue, opened
from tests.score.seventh_company.utility import Shift, move_in
from tests.score.truth import Entity, Truth
from tests.score.world import World
from timeline.event import SEVERITY_WARN

LEAST = 15
MARK = "substitute value"
WORDS = {
    "nest": "[TelegramParser] checksum 0x{got:04x} of telegram does not match 0x{want:04x}, storing"
    " substitute value gatewayId={gateway}",
    "slog": '{{"level":"WARN","msg":"telegram checksum mismatch, storing substitute value",'
    '"got":"0x{got:04x}","want":"0x{want:04x}","gateway_id":"{gateway}"}}',
    "loguru": "app.telegrams:parse:131 - checksum 0x{got:04x} != 0x{want:04x}, storing substitute"
    " value | gateway_id={gateway}",
    "quarkus": "[de.sw.meter.TelegramDecoder] (executor-thread-3) checksum mismatch 0x{got:04x}"
    " (expected 0x{want:04x}): storing substitute value gatewayId={gateway}",
}
STORED = {
    "nest": "[TelegramParser] telegram stored, {n} registers gatewayId={gateway}",
    "slog": '{{"level":"INFO","msg":"telegram stored","registers":{n},"gateway_id":"{gateway}"}}',
    "loguru": "app.telegrams:store:152 - telegram stored, {n} registers | gateway_id={gateway}",
    "quarkus": "[de.sw.meter.TelegramDecoder] (executor-thread-3) telegram stored, {n} registers"
    " gatewayId={gateway}",
}


def prepare(world: World) -> None:
    move_in(world)


def inject(world: World) -> Truth:
    here = opened(world)
    begin, known = here.onset_s, {back.name: back for back in here.utility.backs}
    by = known.get("meterhub", here.utility.backs[0])
    batch = [f"sgw-{here.rng.randint(10_000, 99_999)}" for _ in range(here.rng.randint(6, 14))]
    _stored(here, by, batch)
    named: set[str] = set()
    at, every = begin, here.rng.uniform(4, 14)
    while at < here.end_s - 1:
        gateway = here.rng.choice(batch)
        values = {"got": here.rng.getrandbits(16), "want": here.rng.getrandbits(16)}
        words = in_tongue(by, WORDS, gateway=gateway, **values)
        here.line(at, by, words, SEVERITY_WARN)
        named.add(gateway)
        at += here.rng.expovariate(1 / every)
    hit: list[Entity] = [frozenset((f"gateway:{gateway}",)) for gateway in sorted(named)]
    return fault(
        here,
        "novel-template",
        here.end_s,
        hit,
        also=("bad-data",),
        effect=counted(here, MARK, begin) >= LEAST and counted(here, MARK, 0, begin - 1) == 0,
    )


def _stored(here: Shift, by: Service, batch: list[str]) -> None:
    """What the same service says of telegrams all night; of the batch until its new firmware."""
    others = [f"sgw-{here.rng.randint(10_000, 99_999)}" for _ in range(60)]
    at = here.rng.uniform(1, 15)
    while at < here.end_s - 1:
        known = [*others, *batch] if at < here.onset_s else others
        values = {"n": here.rng.randint(2, 8), "gateway": here.rng.choice(known)}
        here.line(at, by, in_tongue(by, STORED, **values))
        at += here.rng.expovariate(1 / 9)
