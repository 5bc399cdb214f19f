"""What the four accounts tell, and that each part of it ends in a finding that a person sees.

The table is the product's promise: a part of a story, in our words; where it is played (a recorded
incident, or a developed family of the score); and the terms of which one must stand on the first
screen. Recordings are of real servers; families are drawn anew from their seed. How often each is
found over many seeds is the score's to say.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from itertools import chain

import pytest

from halfawake.demo import STORIES
from tests.score.catalogue import detectors
from tests.score.observe import FIRST_SCREEN
from tests.score.played import DEMO, played
from tests.score.truth import claims


@dataclass(frozen=True)
class Part:
    """One part of a story. `played` are scenarios, each of which must end in one of `terms`."""

    story: str
    told: str
    played: tuple[str, ...]
    terms: tuple[str, ...]


HICCUP, SIGN_UP, FRIDAY, CAN = "the hiccup", "the sign-up", "the batch", "the can"
TABLE = (
    Part(HICCUP, "an exception that no input explains", ("lost-update",), ("lost-update",)),
    Part(HICCUP, "a record in a state it cannot have", ("bad-data",), ("bad-data",)),
    Part(
        HICCUP,
        "the network failed for seconds just before",
        ("demo:night-hiccup", "network-hiccup", "flaky-switch"),
        ("network-hiccup",),
    ),
    Part(
        HICCUP,
        "it met the few lines without a rescue, and they raced",
        ("demo:night-hiccup", "hiccup-and-race"),
        ("job-before-commit",),
    ),
    Part(
        HICCUP,
        "somebody far away is left without what was promised",
        ("demo:night-hiccup", "paid-never-shipped"),
        ("ambiguous-enqueue", "orphaned-record"),
    ),
    Part(HICCUP, "workers are held back and work piles up", ("backlog",), ("backlog",)),
    Part(
        HICCUP,
        "a row that was put right is written over again",
        ("last-write-wins",),
        ("lost-update",),
    ),
    Part(
        HICCUP,
        "let go all at once, they bring it down again",
        ("resume-herd", "floodgate"),
        ("resume-herd", "connections-exhausted", "retry-storm"),
    ),
    Part(
        SIGN_UP,
        "the push timed out: there, or not there, or twice",
        ("ambiguous-enqueue", "receipts-maybe-queued/1"),
        ("ambiguous-enqueue",),
    ),
    Part(
        SIGN_UP,
        "an account that nobody can use, and that stops a second one",
        ("orphaned-record", "demo:night-hiccup"),
        ("orphaned-record", "ambiguous-enqueue"),
    ),
    Part(
        SIGN_UP,
        "the job looked for a row that was not there yet",
        ("demo:signup-race", "job-before-commit", "consumer-beats-commit"),
        ("job-before-commit",),
    ),
    Part(
        SIGN_UP,
        "a later step breaks, and a replay repeats the ones before",
        ("demo:signup-race", "third-step-throws", "unsafe-replay"),
        ("unsafe-replay",),
    ),
    Part(SIGN_UP, "the gateway that sends the mails is down", ("third-party",), ("third-party",)),
    Part(
        SIGN_UP,
        "a service in between fails and its caller does not hear of it",
        ("swallowed-error",),
        ("swallowed-error",),
    ),
    Part(
        FRIDAY,
        "too many ids for one address, and the form that replaces it is turned away",
        ("too-many-ids", "rejected-by-limit"),
        ("rejected-by-limit",),
    ),
    Part(
        FRIDAY,
        "it ran, it stopped, and most of it was never tried",
        ("demo:friday-batch", "batch-prefix", "batch-cap"),
        ("partial-batch",),
    ),
    Part(
        FRIDAY,
        "the button is pressed again, and each time it comes a little further",
        ("demo:friday-batch", "re-press", "impatient-operator"),
        ("re-press",),
    ),
    Part(FRIDAY, "a few fail for reasons of their own", ("batch-scattered",), ("partial-batch",)),
    Part(
        FRIDAY,
        "the caller says that all is well, the callee does not",
        ("green-but-empty/1",),
        ("swallowed-error",),
    ),
    Part(
        FRIDAY,
        "memory climbs to its limit and the process begins anew",
        ("demo:friday-batch", "memory-leak"),
        ("memory-leak",),
    ),
    Part(
        FRIDAY,
        "the service that did the work writes its log where nobody collects it",
        ("demo:friday-batch", "never-collected", "region-silent"),
        ("blind-spot",),
    ),
    Part(
        FRIDAY,
        "what should run by the clock has not run, and nothing said so",
        ("silent-crontab", "missed-run"),
        ("missed-run",),
    ),
    Part(
        CAN,
        "the message that carries itself on was lost: no night after has a run",
        ("demo:kicked-can", "lost-baton", "dropped-baton"),
        ("missed-run",),
    ),
    Part(
        CAN,
        "one night was run two or three times",
        ("demo:kicked-can", "forked-baton", "two-schedulers"),
        ("extra-runs", "duplicate-enqueue"),
    ),
    Part(
        CAN,
        "one night half of them had theirs",
        ("half-the-shops", "batch-half"),
        ("partial-batch",),
    ),
    Part(
        CAN,
        "a message came back to the queue while it was worked on",
        ("visibility-expiry", "lease-shorter-than-work"),
        ("delivered-again",),
    ),
)


@pytest.mark.parametrize(
    ("part", "scenario"),
    [(part, scenario) for part in TABLE for scenario in part.played],
    ids=lambda value: value if isinstance(value, str) else value.told,
)
def test_what_is_told_is_found(part: Part, scenario: str) -> None:
    found = [finding.term for finding in claims(played(scenario))[:FIRST_SCREEN]]
    assert set(found) & set(part.terms), f"{scenario} says {found}"


def test_every_account_is_played_by_a_recording_and_every_recording_is_used() -> None:
    played = {(part.story, name) for part in TABLE for name in part.played if DEMO in name}
    assert {story for story, _ in played} == {HICCUP, SIGN_UP, FRIDAY, CAN}
    used = {name.removeprefix(DEMO) for _, name in played}
    assert used == {story.name for story in STORIES} - {"quiet-hour"}


def test_the_table_tells_nothing_twice() -> None:
    told = Counter(part.told for part in TABLE)
    assert max(told.values()) == 1
    terms = set(chain.from_iterable(part.terms for part in TABLE))
    assert terms <= {detector.term for detector in detectors()}
