"""Coverage: silence is never coverage, and the weaker claim holds."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from timeline.coverage import Coverage, CoverageMap, Sight

ENTRIES = st.lists(
    st.builds(
        lambda source, start, length, sight: Coverage(source, start, start + length, sight, sight),
        st.sampled_from(["web", "db"]),
        st.integers(0, 20),
        st.integers(1, 10),
        st.sampled_from(list(Sight)),
    ),
    max_size=8,
)


def limits(entries: list[Coverage], start: int, end: int) -> list[tuple[int, int, Sight]]:
    found = CoverageMap(tuple(entries)).limits(["web"], start, end)
    return [(entry.start, entry.end, entry.sight) for entry in found]


def test_full_sight_from_touching_pieces() -> None:
    pieces = [Coverage("web", 10, 20, Sight.FULL), Coverage("web", 0, 10, Sight.FULL)]
    assert limits(pieces, 0, 20) == []
    assert limits(pieces, 5, 15) == []


def test_what_nobody_spoke_of_is_blind_and_named_exactly() -> None:
    pieces = [Coverage("web", 5, 10, Sight.FULL), Coverage("web", 12, 15, Sight.FULL)]
    assert limits(pieces, 0, 20) == [
        (0, 5, Sight.BLIND),
        (10, 12, Sight.BLIND),
        (15, 20, Sight.BLIND),
    ]
    assert limits([], 0, 20) == [(0, 20, Sight.BLIND)]
    assert limits([Coverage("db", 0, 20, Sight.FULL)], 0, 20) == [(0, 20, Sight.BLIND)]


def test_a_weak_claim_counts_even_beside_a_full_one() -> None:
    weak = Coverage("web", 8, 12, Sight.PARTIAL, "cut at 50,000 rows")
    pieces = [Coverage("web", 0, 20, Sight.FULL), weak]
    assert limits(pieces, 0, 20) == [(8, 12, Sight.PARTIAL)]
    assert limits(pieces, 12, 20) == []


@settings(deadline=None)
@given(ENTRIES, st.integers(0, 30), st.integers(1, 10))
def test_no_limits_means_that_every_instant_was_fully_seen(
    entries: list[Coverage], start: int, length: int
) -> None:
    end = start + length
    seen = all(
        (covering := [e for e in entries if e.source == "web" and e.start <= t < e.end])
        and all(entry.sight is Sight.FULL for entry in covering)
        for t in range(start, end)
    )
    assert (limits(entries, start, end) == []) == seen


@settings(deadline=None)
@given(ENTRIES, st.integers(0, 30), st.integers(1, 10), st.randoms(use_true_random=False))
def test_tidying_changes_no_answer_and_forgets_the_order(
    entries: list[Coverage], start: int, length: int, chance: object
) -> None:
    shuffled = list(entries)
    chance.shuffle(shuffled)  # type: ignore[attr-defined]  # a random.Random
    tidy = CoverageMap(tuple(entries)).tidy()
    assert CoverageMap(tuple(shuffled)).tidy() == tidy == tidy.tidy()
    for source in ("web", "db"):
        before = CoverageMap(tuple(entries)).limits([source], start, start + length)
        after = tidy.limits([source], start, start + length)
        assert {e.sight for e in before} == {e.sight for e in after}
        assert bool(before) == bool(after)


def test_adding_keeps_each_claim_once() -> None:
    claim = Coverage("web", 0, 10, Sight.FULL)
    assert CoverageMap((claim,)).adding([claim, claim]).entries == (claim,)


def test_sentences() -> None:
    entry = Coverage("web", 0, 1, Sight.PARTIAL, "cut at 50,000 rows", "narrow the window")
    assert entry.sentence() == "web: cut at 50,000 rows (narrow the window)"
    assert Coverage("web", 0, 1, Sight.BLIND).sentence() == "web: blind"
    assert CoverageMap((entry, Coverage("web", 1, 2, Sight.FULL))).blind() == (entry,)
