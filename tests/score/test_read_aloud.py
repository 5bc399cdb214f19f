"""Every text of every kind of finding, read aloud by somebody who was just woken.

The scenarios are chosen so that each term is spoken at least once; what else is found in them is
read as well.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest

from tests.score.catalogue import detectors
from tests.score.played import DEMO, played
from timeline.facts.words import abridged
from timeline.finding import Finding

LONGEST = 240
"""Characters of a sentence: two lines of a terminal of 120 columns."""
SPOKEN = (
    "demo:friday-batch",
    "demo:kicked-can",
    "demo:night-hiccup",
    "demo:signup-race",
    "ambiguous-enqueue",
    "backlog",
    "bad-data",
    "batch-scattered",
    "change-before",
    "clock-skew",
    "connections-exhausted",
    "deadlocks",
    "old-worker-new-message",
    "dns-failure",
    "double-click",
    "duplicate-create",
    "expired",
    "two-schedulers",
    "failover",
    "forked-baton",
    "full",
    "job-before-commit",
    "killed-with-hands-full",
    "last-write-wins",
    "lease-shorter-than-work",
    "lock-pile-up",
    "lost-baton",
    "lost-update",
    "memory-leak",
    "missed-run",
    "network-hiccup",
    "orphaned-record",
    "overlapping-runs",
    "poison-job",
    "rate-spike",
    "re-press",
    "region-silent",
    "rejected-by-limit",
    "resume-herd",
    "retry-storm",
    "run-overlap",
    "stale-read",
    "swallowed-error",
    "third-party",
    "unsafe-replay",
)
IMPERATIVES = re.compile(
    "Add|Alert|Ask|Check|Compare|Confirm|Count|Declare|Do|Fetch|Find|Forbid|Free|Give|Hand|Handle"
    "|Hold|Keep|Let|Look|Make|Mend|Move|Name|Obey|Open|Pause|Push|Put|Read|Reconnect|Recycle|Remove"
    "|Renew|Repair|Replay|Restart|Resume|Roll|Run|Search|Send|Set|Size|Stop|Take|Trust|Wait|Watch|Work"
    "|Write"
)
_QUOTED = re.compile(r"“[^”]*”|\([^()]*\)")
_NEXT_SENTENCE = re.compile(r"[.!?] +[A-Z]")
_ONE_OF_MANY = re.compile(r"(?<![\w.,:/-])1 (?!(?:\w*ss|was|has|is|ms|does)\b)([a-z]{2,}s)\b")
_RAW = re.compile(r"\bNone\b|\bnan\b|\bNaN\b|\[\]|\{\}|\(\)|  |\bTrue\b|\bFalse\b|<[A-Z]\w+\.")
_DOUBLE_UNIT = re.compile(r"\b(ms|s|min|h|MB|GB|%) \1\b")


def findings() -> Iterator[tuple[str, Finding]]:
    for scenario in SPOKEN:
        yield from ((scenario, finding) for finding in played(scenario))


def test_every_term_is_spoken() -> None:
    spoken = {finding.term for _, finding in findings()}
    assert {detector.term for detector in detectors()} - spoken == set()


@pytest.mark.parametrize("scenario", SPOKEN)
def test_a_sentence_can_be_read_aloud(scenario: str) -> None:
    for finding in played(scenario):
        told = finding.sentence()
        assert told.endswith(".") and not told.endswith(".."), told
        assert len(told) <= LONGEST, f"{finding.term}, {len(told)}: {told}"
        assert re.search(r"\d", told), f"no time, length or count: {told}"
        assert not _NEXT_SENTENCE.search(_QUOTED.sub("", told)), told


@pytest.mark.parametrize("scenario", SPOKEN)
def test_nothing_of_the_program_shows_in_what_is_said(scenario: str) -> None:
    for finding in played(scenario):
        for text in texts(finding):
            bare = re.sub(r"“[^”]*”", "“…”", text)
            assert not _RAW.search(bare), f"{finding.term}: {text}"
            assert not _ONE_OF_MANY.search(bare), f"{finding.term}: {text}"
            assert not _DOUBLE_UNIT.search(bare), f"{finding.term}: {text}"


@pytest.mark.parametrize("scenario", SPOKEN)
def test_what_to_do_begins_with_the_verb(scenario: str) -> None:
    """Where nothing is left to do about these very keys, the remedy is what is said instead. What
    a source says of its own limits is told in its own words."""
    for finding in played(scenario):
        if finding.term == "blind-spot" and finding.qualifier:
            continue
        for text in (finding.next_action, finding.remedy, *finding.would_decide):
            if text is finding.remedy or text:
                assert IMPERATIVES.fullmatch(text.split()[0]), f"{finding.term}: {text}"
                assert text.endswith("."), f"{finding.term}: {text}"


def texts(finding: Finding) -> tuple[str, ...]:
    return (
        finding.sentence(),
        finding.clause(),
        finding.next_action,
        finding.remedy,
        finding.weakest_link,
        *finding.figures,
        *finding.assumes,
        *finding.would_decide,
        *finding.alternatives,
    )


def test_ids_that_nobody_reads_aloud_are_cut_short_and_others_are_not() -> None:
    long = "job 081b3e47-7d36-4858-97ae-312e9e6cf8a7 of order_id=01JK7VQSWZ73HFG3PESBK91PNS"
    assert abridged(long) == "job 081b…f8a7 of order_id=01JK…1PNS"
    for kept in ("4711", "web-5f9c7d-abcde", "2026-03-14", "internationalisation", "orders/88210"):
        assert abridged(kept) == kept


def test_recordings_speak_as_well() -> None:
    assert all(played(name) for name in SPOKEN if name.startswith(DEMO))
