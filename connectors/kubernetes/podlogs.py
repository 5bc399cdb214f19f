"""The lines of one container by `kubectl logs --timestamps`, read by their own format.

The kubelet hands out the newest log file of a container alone: what was rotated away before is
not to be had (Kubernetes documentation, "Logging architecture", log rotation). Lines come oldest
first, so a run is ended once it has passed the window.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from contextlib import aclosing
from dataclasses import dataclass, replace
from datetime import UTC, datetime

import polars as pl

from connectors.kubernetes.commands import Kubectl
from connectors.kubernetes.pods import Container, Pod, instant
from connectors.logs.chunk import Chunk, Reading, read_chunk
from connectors.logs.dialect import Dialect, decide_within
from connectors.logs.envelope import KUBECTL_STAMPED
from connectors.logs.locate import RESORT_MARGIN_NS, text_of
from connectors.logs.record import Place
from connectors.logs.recurring import Recurring
from connectors.logs.tally import remarks_of
from connectors.logs.zones import ZoneRule
from timeline.batch import Remark
from timeline.event import intrinsic_seq
from timeline.keys import KeyRules
from timeline.window import SECOND_NS, Window

SAMPLE_LINES = 200
MOST_BYTES = 64 * 1024 * 1024
"""Of one container's lines; what is later than that is said to be cut."""
HEAD_BYTES = 400
"""Enough for the stamp of the first line that the kubelet still holds."""
SEQ_BITS = 24
"""Rows of one stamp in one container; the container's number stands above them in `seq`."""


@dataclass(frozen=True, slots=True)
class Asked:
    """One run for one container; `previous` asks for the one before its last restart."""

    pod: Pod
    container: Container
    previous: bool = False

    @property
    def name(self) -> str:
        before = ", before its restart" if self.previous else ""
        return f"{self.pod.name}/{self.container.name}{before}"

    @property
    def actor(self) -> str:
        return f"{self.pod.name}/{self.container.name}"

    @property
    def words(self) -> list[str]:
        named = f"pod/{self.pod.name}"
        words = ["logs", named, f"--container={self.container.name}", "--timestamps"]
        return [*words, "--previous"] if self.previous else words


@dataclass(frozen=True, slots=True)
class Told:
    """What one run said. `first`/`last` are the runtime's stamps (ns) of its outermost lines."""

    asked: Asked
    chunk: Chunk | None = None
    first: int | None = None
    last: int | None = None
    cut: str = ""
    complaint: str = ""
    bytes: int = 0

    def remarks(self, source: str) -> tuple[Remark, ...]:
        """What the person must know about how these lines were read."""
        if self.chunk is None:
            return ()
        return remarks_of(source, self.chunk.tally, dict(self.chunk.undated_reasons))


def since(window: Window) -> str:
    """The `--since-time` that leaves room for lines that were written late."""
    seconds = (window.start - RESORT_MARGIN_NS) // SECOND_NS
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


class PodLogs:
    """Reads containers one by one."""

    def __init__(
        self, kubectl: Kubectl, source: str, key_rules: KeyRules, zone: ZoneRule, window: Window
    ) -> None:
        self._kubectl = kubectl
        self._source = source
        self._key_rules = key_rules
        self._zone = zone
        self._window = window

    async def read(self, asked: Asked, deadline: float, most_bytes: int) -> Told:
        """The container's events inside the window, and how far back it reaches."""
        words = [*asked.words, f"--since-time={since(self._window)}"]
        run = self._kubectl.program(words, deadline, min(most_bytes, MOST_BYTES))
        late = self._window.end + RESORT_MARGIN_NS
        parts: list[bytes] = []
        passed = False
        async with aclosing(run.blocks()) as blocks:
            async for block in blocks:
                parts.append(block)
                newest = _last_stamp(block)
                if newest is not None and newest > late:
                    passed = True
                    break
        raw = b"".join(parts)
        if not passed and (run.stopped or run.code != 0) and not raw:
            return Told(asked, complaint=run.complaint or run.stopped)
        raw = raw if raw.endswith(b"\n") else raw[: raw.rfind(b"\n") + 1]
        cut = "" if passed else run.stopped or (run.complaint if run.code != 0 else "")
        return await asyncio.to_thread(self._parsed, asked, raw, cut)

    async def oldest(self, asked: Asked, deadline: float) -> int | None:
        """The stamp (ns) of the first line that is still held; None when there is none."""
        run = self._kubectl.program(
            [*asked.words, f"--limit-bytes={HEAD_BYTES}"], deadline, 64 * 1024
        )
        return _stamp_of((await run.output()).partition(b"\n")[0])

    def _parsed(self, asked: Asked, raw: bytes, cut: str) -> Told:
        lines = raw.split(b"\n", SAMPLE_LINES)[:SAMPLE_LINES]
        sample = [text_of(line) for line in lines if line.strip()]
        if not sample:
            return Told(asked, cut=cut)
        not_after = self._window.end // SECOND_NS
        dialect = decide_within(KUBECTL_STAMPED, sample, self._zone, not_after)
        chunk = read_chunk(raw, 0, self._reading(asked, dialect))
        chunk = replace(chunk, events=self._named(chunk.events, asked))
        first, last = _stamp_of(lines[0]), _last_stamp(raw)
        return Told(asked, chunk, first, last, cut, bytes=len(raw))

    def _reading(self, asked: Asked, dialect: Dialect) -> Reading:
        place = Place(self._source, self._file(asked), 0, asked.actor, asked.actor)
        return Reading(place, dialect, self._key_rules, self._window.start, self._window.end)

    @staticmethod
    def _file(asked: Asked) -> str:
        """Names the instance, so that a line keeps its reference when its container restarts."""
        instance = asked.container.restarts - asked.previous
        return f"logs/{asked.pod.namespace}/{asked.pod.name}/{asked.container.name}#{instance}"

    def _named(self, events: pl.DataFrame, asked: Asked) -> pl.DataFrame:
        """References that a second run gives again: the n-th line of a stamp of a container."""
        named = Recurring().named(events, None)
        file = self._file(asked)
        base = (intrinsic_seq(file) >> SEQ_BITS) << SEQ_BITS
        own = pl.col("clock").cast(pl.String)
        clock = pl.when(own != "").then(own).otherwise(pl.lit(asked.pod.node))
        return named.with_columns(
            pl.concat_str(pl.lit(f"{file}@"), "ref").alias("ref"),
            (pl.col("seq") + base).cast(pl.UInt64).alias("seq"),
            clock.cast(pl.Categorical).alias("clock"),
            pl.lit(asked.actor).cast(pl.Categorical).alias("actor"),
        )


def runs_of(pods: Sequence[Pod], window: Window) -> list[Asked]:
    """Which containers to read: every one, and before it the one that ended in the window."""
    found: list[Asked] = []
    for pod in pods:
        for container in pod.containers:
            last = container.last
            if container.has_previous and last and (last.finished or 0) >= window.start:
                found.append(Asked(pod, container, previous=True))
            begun = container.started is None or container.started < window.end
            if begun and not (container.waiting and not container.restarts):
                found.append(Asked(pod, container))
    return found


def _stamp_of(line: bytes) -> int | None:
    return instant(line.partition(b" ")[0].decode("utf-8", "replace"))


def _last_stamp(block: bytes) -> int | None:
    """The stamp of the last whole line."""
    end = block.rfind(b"\n")
    start = block.rfind(b"\n", 0, max(end, 0)) + 1
    return _stamp_of(block[start:end]) if end > 0 else None
