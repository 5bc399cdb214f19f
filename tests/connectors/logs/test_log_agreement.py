"""Whatever lines stand in whatever order: the reader by line and the one by column agree."""

from __future__ import annotations

import json

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from connectors.logs.dialect import Dialect, decide, decide_within
from connectors.logs.envelope import DOCKER_JSON, ENVELOPES, KUBECTL_STAMPED, Envelope
from connectors.logs.zones import ZoneRule
from tests.connectors.logs.agreement import agreed
from tests.connectors.logs.reading import T0

NOW = T0 // 10**9
INSIDE = (
    '{"time":"2026-03-14T02:07:29.110Z","level":"warn","msg":"low disk","user_id":4711}',
    '{"time":"2026-03-14T02:07:30Z","msg":"torn',
    "2026-03-14 02:07:29,110 ERROR enqueue failed for user_id=1",
    "Traceback (most recent call last):",
    '  File "x.py", line 1',
    "",
    "\tat shop.Main",
    "2026-03-14 02:07:29.110 UTC [812] app@shop ERROR:  deadlock detected",
    "2026-03-14 02:07:29.110 UTC [812] app@shop DETAIL:  Process 812 waits on transaction 741",
    "2026-03-14 02:07:60.110 UTC [812] LOG:  a leap second",
    "Grüße 🚀 \x1b[31m",
    "Mar 14 02:07:25 web-1 shop[812]: five",
)
STAMPS = ("2026-03-14T02:07:29.110123456Z", "2026-03-14T02:07:30.000000000Z",
          "2026-03-14T02:07:99.000000000Z")  # fmt: skip
ACTORS = ("web-1", "db-1")


def wrapped(name: str, stamp: str, actor: str, tag: str, text: str) -> str:
    """One line in one envelope."""
    if name == "kubectl":
        return f"[pod/{actor}/app] {stamp} {text}"
    if name == "cri":
        return f"{stamp} stdout {tag} {text}"
    if name == "compose":
        return f"{actor}  | {text}"
    if name == "docker-json":
        end = "\n" if tag == "F" else ""
        return json.dumps({"log": text + end, "stream": "stdout", "time": stamp})
    return f"{stamp} {text}"


LINES = st.lists(
    st.tuples(
        st.sampled_from(STAMPS),
        st.sampled_from(ACTORS),
        st.sampled_from("FFFP"),
        st.sampled_from(INSIDE),
        st.booleans(),
    ),
    min_size=1,
    max_size=12,
)
QUICK = settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))


@pytest.mark.parametrize(
    "envelope", [*ENVELOPES, DOCKER_JSON, KUBECTL_STAMPED], ids=lambda item: item.name
)
@QUICK
@given(lines=LINES, knows=st.booleans())
def test_in_every_envelope(
    envelope: Envelope, lines: list[tuple[str, str, str, str, bool]], knows: bool
) -> None:
    texts = [
        text if bare and index else wrapped(envelope.name, stamp, actor, tag, text)
        for index, (stamp, actor, tag, text, bare) in enumerate(lines)
    ]
    sample = texts if knows else [wrapped(envelope.name, STAMPS[0], "web-1", "F", "no format")]
    dialect = decide_within(envelope, sample, ZoneRule(), NOW)
    _compare(texts, dialect)


@QUICK
@given(lines=st.lists(st.sampled_from(INSIDE), min_size=1, max_size=12))
def test_in_no_envelope(lines: list[str]) -> None:
    _compare(lines, decide(lines, ZoneRule(), NOW))


def _compare(texts: list[str], dialect: Dialect) -> None:
    if dialect.known:
        agreed("".join(text + "\n" for text in texts).encode(), dialect)
