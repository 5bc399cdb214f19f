"""Who waited for whose lock, and the piles that waiting sessions make behind one root.

Owns the shapes of waits, holders and piles. Where they are read from is `timeline.facts.
lock_evidence`; what a pile means is the detector's. Pure: no event is opened here.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace

SHORT_WAIT_NS = 1_000_000_000
"""A wait below this is ordinary; it is also PostgreSQL's default `deadlock_timeout`, from which on
its log tells waits at all (PostgreSQL 17 documentation, 19.12)."""
APART_NS = 60_000_000_000
"""Waits with a longer pause between them are two piles, even behind one session's number."""
PREPARED = "0"
"""How PostgreSQL numbers a holder without a session: a prepared transaction."""
EXCLUSIVE = "AccessExclusiveLock"
"""What most of ALTER TABLE, DROP, TRUNCATE and VACUUM FULL ask for; even readers queue behind it
(PostgreSQL 17 documentation, 13.3.1)."""


@dataclass(frozen=True, slots=True)
class LockWait:
    """One session that waited. Times are ns UTC of the database's clock.

    `since` is None where the server does not tell it, `until` is the last instant at which it
    certainly still waited. `blockers` are session numbers, empty when nobody told them.
    """

    source: str
    session: str
    who: str
    mode: str
    target: str
    since: int | None
    until: int
    blockers: tuple[str, ...]
    statement: str
    from_state: bool
    row: int

    @property
    def waited(self) -> int:
        """How long it certainly waited, ns; 0 when its beginning is not known."""
        return 0 if self.since is None else self.until - self.since

    @property
    def from_instant(self) -> int:
        """The earliest instant at which it is known to have waited."""
        return self.until if self.since is None else self.since


@dataclass(frozen=True, slots=True)
class Holder:
    """A session as the database showed it; empty texts and None for what it did not tell."""

    session: str
    who: str
    state: str = ""
    began: int | None = None
    idle_since: int | None = None
    seen: int | None = None
    statement: str = ""
    holds: tuple[str, ...] = ()
    row: int | None = None

    @property
    def idle(self) -> bool:
        """In a transaction, waiting for its own application."""
        return self.idle_since is not None

    @property
    def age(self) -> int | None:
        """How long its transaction was open when it was seen, ns."""
        return None if self.began is None or self.seen is None else self.seen - self.began


@dataclass(frozen=True, slots=True)
class Pile:
    """Sessions that waited behind one root, the earliest first.

    `depth` is the most sessions one of them stood behind. `rivals` are other sessions behind whom
    just as many waited. `root` is None when the server did not say who held the lock.
    """

    source: str
    root: Holder | None
    waits: tuple[LockWait, ...]
    depth: int
    rivals: tuple[str, ...] = ()

    @property
    def first(self) -> LockWait:
        return self.waits[0]

    @property
    def last_seen(self) -> int:
        return max(wait.until for wait in self.waits)

    @property
    def long(self) -> int:
        """Sessions that waited longer than a moment, or for nobody knows how long."""
        return sum(w.since is None or w.waited >= SHORT_WAIT_NS for w in self.waits)

    def gate(self) -> LockWait | None:
        """The waiter behind which even readers queue: it asked for a whole table."""
        return next((wait for wait in self.waits if wait.mode == EXCLUSIVE), None)


@dataclass(frozen=True)
class LockWaits:
    """All waits of an incident and the sessions that the database showed, by (source, number)."""

    waits: tuple[LockWait, ...]
    holders: Mapping[tuple[str, str], Holder] = field(default_factory=dict)


def piles(found: LockWaits, least: int) -> list[Pile]:
    """Roots with at least `least` sessions that waited long, the largest pile first.

    What state and log tell of one root and one of its waiters is one pile.
    """
    made: list[Pile] = []
    for source in dict.fromkeys(wait.source for wait in found.waits):
        own = [wait for wait in found.waits if wait.source == source]
        for stretch in _stretches(own):
            made += _piles_of(stretch, found.holders)
    merged = _merged(made)
    kept = [pile for pile in merged if pile.long >= least]
    return sorted(kept, key=lambda pile: (-len(pile.waits), pile.first.from_instant))


def _behind(session: str, waits: Mapping[str, LockWait]) -> dict[str, int]:
    """Everybody `session` waits for in the end, and over how many sessions (breadth first)."""
    met: dict[str, int] = {}
    ahead = [(session, 0)]
    for name, distance in ahead:
        for blocker in waits[name].blockers if name in waits else ():
            if blocker not in met and blocker != session:
                met[blocker] = distance + 1
                ahead.append((blocker, distance + 1))
    return met


def _stretches(waits: Sequence[LockWait]) -> list[list[LockWait]]:
    """Waits (by beginning) cut where nobody is known to have waited for `APART_NS`."""
    stretches: list[list[LockWait]] = []
    reached = 0
    for wait in waits:
        if not stretches or wait.from_instant > reached + APART_NS:
            stretches.append([])
        stretches[-1].append(wait)
        reached = max(reached, wait.until)
    return stretches


def _piles_of(stretch: Sequence[LockWait], holders: Mapping[tuple[str, str], Holder]) -> list[Pile]:
    """The piles of one source and stretch: the root with most waiters first, each wait once."""
    source = stretch[0].source
    waits = _longest_of_each(stretch)
    behind = {name: _behind(name, waits) for name in waits}
    roots = {name: {r for r in met if r not in waits} for name, met in behind.items()}
    made: list[Pile] = []
    left = {name for name, found in roots.items() if found}
    while left:
        counts: dict[str, int] = {}
        for name in left:
            for root in roots[name]:
                counts[root] = counts.get(root, 0) + 1
        ranked = sorted(counts, key=lambda r: (-counts[r], _opened(holders, source, r), r))
        root = ranked[0]
        mine = {name for name in left if root in roots[name]}
        rivals = tuple(sorted(r for r in ranked[1:] if counts[r] == counts[root]))
        holder = holders.get((source, root)) or Holder(root, _named(root))
        if root == PREPARED:
            holder = _prepared(holders, source, (waits[name] for name in mine)) or holder
        depth = max(behind[name][root] for name in mine)
        made.append(Pile(source, holder, _by_beginning(waits[n] for n in mine), depth, rivals))
        left -= mine
    nameless = [wait for wait in waits.values() if not wait.blockers]
    for target in dict.fromkeys(wait.target for wait in nameless):
        alike = _by_beginning(wait for wait in nameless if wait.target == target)
        made.append(Pile(source, None, alike, 1))
    return made


def _longest_of_each(stretch: Iterable[LockWait]) -> dict[str, LockWait]:
    """One wait per session: of several looks at it the one that saw it waiting longest."""
    chosen: dict[str, LockWait] = {}
    for wait in stretch:
        held = chosen.get(wait.session)
        if held is None or (bool(wait.blockers), wait.waited) >= (bool(held.blockers), held.waited):
            chosen[wait.session] = wait
    return chosen


def _by_beginning(waits: Iterable[LockWait]) -> tuple[LockWait, ...]:
    return tuple(sorted(waits, key=lambda w: (w.from_instant, int(w.session or 0))))


def _opened(holders: Mapping[tuple[str, str], Holder], source: str, root: str) -> int:
    holder = holders.get((source, root))
    return 2**63 if holder is None or holder.began is None else holder.began


def _merged(made: Sequence[Pile]) -> list[Pile]:
    """Piles of state and of log behind the same session number with a waiter in common as one."""
    kept: list[Pile] = []
    for pile in sorted(made, key=lambda p: not p.first.from_state):
        for number, other in enumerate(kept):
            if _same_pile(pile, other):
                known = {wait.session for wait in other.waits}
                more = [wait for wait in pile.waits if wait.session not in known]
                both = _by_beginning((*other.waits, *more))
                kept[number] = replace(other, waits=both, depth=max(other.depth, pile.depth))
                break
        else:
            kept.append(pile)
    return kept


def _same_pile(one: Pile, other: Pile) -> bool:
    if one.source == other.source or one.root is None or other.root is None:
        return False
    mine, theirs = ({wait.session for wait in pile.waits} for pile in (one, other))
    close = one.first.from_instant <= other.last_seen + APART_NS
    return one.root.session == other.root.session and bool(mine & theirs) and close


def _prepared(
    holders: Mapping[tuple[str, str], Holder], source: str, waits: Iterable[LockWait]
) -> Holder | None:
    """The prepared transaction whose number one of `waits` waits for."""
    wanted = {wait.target.rpartition(" ")[2] for wait in waits}
    return next((holders[source, f"xid {xid}"] for xid in sorted(wanted)
                 if (source, f"xid {xid}") in holders), None)  # fmt: skip


def _named(session: str) -> str:
    return "a prepared transaction" if session == PREPARED else f"pid {session}"
