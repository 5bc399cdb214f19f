"""A form is saved over a decision that was made while it was open.

A clerk's request loads the whole record and, after a call that takes its time, stores all of it
with one field changed. Meanwhile the service that decides has stored a new state; the form puts
the old state back. Both were answered with 200.

A person sees it by: the audit trail, where a state goes there and back within seconds; the form's
own lines, which loaded the old state before the decision was stored and stored it after; the
caller's field list, in which the state does not stand.
"""

from __future__ import annotations

from tests.score.families.acts import fault
from tests.score.fifth_company.deeds import saying, spread
from tests.score.fifth_company.harbour import Watch, settle, watch
from tests.score.fifth_company.history import Edit, Value, Values, edited, row_now, version
from tests.score.fifth_company.surroundings import surroundings
from tests.score.healthy import write
from tests.score.truth import Truth
from tests.score.world import Thing, World
from timeline.event import Kind

_DECISIONS = (("review", "granted"), ("open", "suspended"), ("draft", "released"))


def prepare(world: World) -> None:
    settle(world)


def inject(world: World) -> Truth:
    night = watch(world)
    rng = night.rng
    old, new = rng.choice(_DECISIONS)
    _ordinary_edits(night, old, new)
    times = spread(night, night.onset_s, min(night.onset_s + 400, 1780), rng.randint(2, 6))
    times[0] = night.onset_s
    hit = [_saved_over(night, at, old, new) for at in times]
    surroundings(night)
    night.close_the_books()
    undone = [
        event
        for event, _ in night.told
        if event.kind is Kind.ROW_VERSION and f"state {new} → {old}" in event.body
    ]
    loaded = [
        saying(night, "loaded", thing.id, f"{old}", since=night.onset_s - 30) for thing in hit
    ]
    return fault(
        night,
        "lost-update",
        times[-1] + 10,
        hit,
        also=("overlapping-runs",),
        effect=len(undone) == len(hit) and all(len(found) >= 2 for found in loaded),
    )


def _saved_over(night: Watch, at: float, old: str, new: str) -> Thing:
    rng = night.rng
    first, second = rng.randint(11, 40), rng.randint(41, 90)
    begun = _row(old, first)
    decided, saved = _row(new, first), _row(old, second)
    created = at - rng.uniform(90, 200)
    thing = write(night, created, columns=saved)
    version(night, created + 0.004, thing.id, _from_nothing(begun), action="created")
    gap = rng.uniform(0.5, 6)
    decision = at + gap * rng.uniform(0.4, 0.9)
    back = night.firm.backs[0]
    decide = Edit(thing.id, decision - rng.uniform(0.02, 0.1), decision, begun, decided)
    edited(night, back, decide, begun)
    form = Edit(thing.id, at, at + gap, begun, saved, form="officer_id")
    rid = edited(night, night.firm.front, form, decided)
    row_now(night, at + gap, thing.id, saved)
    thing.keys |= {f"request:{rid}"}
    return thing


def _ordinary_edits(night: Watch, old: str, new: str) -> None:
    """Forms and decisions that do not meet; now and then both of one thing, minutes apart."""
    for at in spread(night, 150, 1700, night.rng.randint(15, 35)):
        officer = night.rng.randint(11, 90)
        begun, decided = (
            _row(old, officer),
            _row(new, officer),
        )
        handed = _row(new, night.rng.randint(11, 90))
        twice = night.rng.random() < 0.2
        thing = write(night, at - 60, columns=handed if twice else decided).id
        version(night, at - 59.996, thing, _from_nothing(begun), action="created")
        back = night.firm.backs[0]
        edited(night, back, Edit(thing, at - 0.05, at, begun, decided), begun)
        if twice:
            form = Edit(thing, at + 45, at + 46.5, decided, handed, form="officer_id")
            edited(night, night.firm.front, form, decided)
        row_now(night, at + (46.5 if twice else 0), thing, handed if twice else decided)


def _row(state: str, officer: int) -> Values:
    return {"state": state, "officer_id": officer}


def _from_nothing(values: Values) -> dict[str, tuple[Value, Value]]:
    return {name: (None, value) for name, value in values.items()}
