"""Two web processes reserve the same article at once: each reads the count, each writes its own.

A PHP back office keeps the pieces on hand in one column. A reservation reads it, subtracts in the
application and saves the model. Most articles are asked for by one customer at a time; during a
sale a few are asked for by two within the same tenths of a second, on two hosts.

A person sees it by: two reservations of an article that both say the same count before either of
them has said the count it saved; the second saved count, which is not the first less its pieces;
for all other articles of the night every count read is the count that was saved before.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field

from tests.score.families.acts import fault
from tests.score.families.watched import in_files, row_names
from tests.score.truth import Entity, Truth
from tests.score.world import World
from timeline.event import Kind

TABLE = "articles"
CHANNEL = "production.INFO: "


def prepare(world: World) -> None:
    in_files(world)


@dataclass
class _Shelf:
    """What is on hand of each article, and when anybody last touched it."""

    world: World
    hosts: tuple[str, str]
    on_hand: dict[str, int]
    touched: dict[str, float] = field(default_factory=dict)

    def say(self, seconds: float, host: str, words: str, told: dict[str, object]) -> None:
        body = f"{CHANNEL}{words} {json.dumps(told, separators=(',', ':'))} []"
        self.world.log(seconds, "backoffice", host, body, source="laravel-log")

    def read(self, seconds: float, host: str, article: str, pieces: int) -> str:
        """A reservation begins; returns its request."""
        rid = self.world.request_id()
        told = {"article_id": article, "pieces": pieces, "on_hand": self.on_hand[article]}
        self.say(seconds, host, "reserve", {**told, "request_id": rid})
        return rid

    def save(self, seconds: float, host: str, article: str, rid: str, left: int) -> None:
        self.on_hand[article] = left
        self.touched[article] = seconds
        told = {"article_id": article, "on_hand": left, "request_id": rid}
        self.say(seconds, host, "stock saved", told)


def inject(world: World) -> Truth:
    rng = world.rng
    count = rng.randint(40, 90)
    articles = [f"{rng.choice('KTRW')}X-{rng.randint(1000, 9999)}" for _ in range(count)]
    shelf = _Shelf(
        world,
        (f"backoffice-{rng.randint(1, 3)}", f"backoffice-{rng.randint(4, 6)}"),
        {article: rng.randint(60, 400) for article in articles},
    )
    names = list(shelf.on_hand)
    struck = rng.sample(names, rng.randint(3, 7))
    races = sorted((world.onset_s + rng.uniform(0, 200), article) for article in struck)
    races[0] = (world.onset_s, races[0][1])
    _day(shelf, names, struck, races)
    hit = [_race(shelf, at, article) for at, article in races]
    for article, at in shelf.touched.items():
        columns = {"on_hand": shelf.on_hand[article], "state": "listed"}
        world.row(at, TABLE, article, kind=Kind.ROW_UPDATED, columns=columns)
    return fault(
        world,
        "lost-update",
        races[-1][0] + 2,
        hit,
        effect=len(hit) == len(struck) and _same_read_twice(world) == len(struck),
    )


def _day(
    shelf: _Shelf, names: list[str], struck: list[str], races: list[tuple[float, str]]
) -> None:
    """Ordinary reservations, one after the other for each article."""
    rng, first = shelf.world.rng, {article: at for at, article in races}
    free = dict.fromkeys(names, 0.0)
    moments = sorted(rng.uniform(5, shelf.world.end_s - 5) for _ in range(rng.randint(250, 500)))
    for at in moments:
        article = rng.choice(names)
        if at < free[article] or (article in struck and at > first[article] - 3):
            continue
        host, pieces = rng.choice(shelf.hosts), rng.randint(1, 4)
        took = rng.uniform(0.03, 0.3)
        rid = shelf.read(at, host, article, pieces)
        shelf.save(at + took, host, article, rid, shelf.on_hand[article] - pieces)
        free[article] = at + took + 0.5


def _race(shelf: _Shelf, at: float, article: str) -> Entity:
    """Two reservations that both begin before either is saved."""
    rng = shelf.world.rng
    before = shelf.on_hand[article]
    one, two = rng.sample((1, 2, 3, 4, 6), 2)
    first = shelf.read(at, shelf.hosts[0], article, one)
    later = at + rng.uniform(0.005, 0.05)
    second = shelf.read(later, shelf.hosts[1], article, two)
    shelf.save(later + rng.uniform(0.02, 0.1), shelf.hosts[0], article, first, before - one)
    shelf.save(later + rng.uniform(0.12, 0.4), shelf.hosts[1], article, second, before - two)
    requests = frozenset((f"request:{first}", f"request:{second}"))
    return row_names(TABLE, article) | {f"article:{article}"} | requests


def _same_read_twice(world: World) -> int:
    """How many counts of an article two requests read before anybody had saved another."""
    open_reads: dict[str, int] = {}
    raced = 0
    said = [(e.timestamp, e.body) for e, _ in world.told if e.source == "laravel-log"]
    for _, body in sorted(said):
        told = json.loads(body[body.index("{") : body.rindex("}") + 1])
        article, opened = told["article_id"], "pieces" in told
        if opened:
            raced += open_reads.get(article) == told["on_hand"]
            open_reads[article] = told["on_hand"]
        else:
            open_reads.pop(article, None)
    return raced
