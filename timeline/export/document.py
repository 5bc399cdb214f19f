"""The one neutral document that every format renders: what is said, and the evidence for it.

Plain frozen data. Instants are int ns UTC with the precision they were recorded in, texts are
complete (formats clip them after redaction, because half a secret is one that no rule knows).
`timeline.export.build` makes it; a format must add nothing that does not stand here.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from timeline.analysis import Condition
from timeline.coverage import Sight
from timeline.event import Kind, Lane, Meaning, Precision
from timeline.finding import JsonValue
from timeline.order import Verdict


class Origin(StrEnum):
    """Who says that a row of the timeline happened."""

    RECORDED = "recorded"
    PIN = "pin"
    """T, the instant that the person named."""
    INFERRED = "inferred"
    """Computed here from other rows; printed with the word."""
    NOTE = "note"
    """A person wrote it down."""


class Place(StrEnum):
    """Where a shown record stands among its repeats."""

    FIRST = "first"
    LAST = "last"
    BETWEEN = "between"


@dataclass(frozen=True, slots=True)
class Moment:
    """An instant (ns UTC) and the unit it is known in."""

    timestamp: int
    precision: Precision


@dataclass(frozen=True, slots=True)
class Address:
    """Where a record is found in a tool of the team's; only with a template of theirs."""

    name: str
    url: str


@dataclass(frozen=True, slots=True)
class Evidence:
    """One record that the document cites, as cleaned at ingest and redacted on the way out.

    `label` (`E3`) numbers the records of this document in time order; `id` is the same in every
    run and version. Two entries may share an `id` when one record tells two transitions.
    """

    label: str
    id: str
    moment: Moment
    meaning: Meaning
    clock: str
    """Bound of the clock that stamped it, in words: `±12 ms measured`."""
    source: str
    lane: Lane
    kind: Kind
    actor: str
    severity: str
    """Short OpenTelemetry name, empty when unspecified."""
    body: str
    attributes: JsonValue
    ref: str
    keys: tuple[str, ...]
    addresses: tuple[Address, ...] = ()


@dataclass(frozen=True, slots=True)
class Row:
    """One row of the curated timeline."""

    moment: Moment
    origin: Origin
    speaker: str
    """Who speaks: `web-1 log`, `mailers queue`, or `halfawake` for inferred rows."""
    label: str
    """Severity or kind that precedes the text: `ERROR`, `job.failed`; may be empty."""
    text: str
    """First line of the record; all of them stand in its evidence."""
    repeats: int
    """How many like it there are in the window, 1 when it stands alone."""
    repeats_span: int
    """From the first to the last of them, ns."""
    place: Place
    cites: tuple[str, ...]
    """Labels of evidence."""


@dataclass(frozen=True, slots=True)
class Milestone:
    """What people say they did: `acknowledged`, `mitigated`, `resolved`, by the notes it cites.

    `moment` is None where several notes claim it; `since_began` (ns) only when both are known.
    """

    what: str
    moment: Moment | None
    text: str
    since_began: int | None
    cites: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Recount:
    """One read of a source that counts the same there: `count` of `one` or `many`, in words.

    `language` is `sql`, `search`, `redis` or `shell`. An empty `query` stands for one that
    redaction broke. `keys` are those of the claim that it accounts for.
    """

    source: str
    one: str
    many: str
    count: int
    language: str
    query: str
    keys: tuple[str, ...]
    at_least: bool = False
    """The source holds more than was read, so that the query may count more."""
    note: str = ""


@dataclass(frozen=True, slots=True)
class Counted:
    """How a number of keys can be counted again. `unasked` are those that no query counts."""

    keys: int
    place: str
    """Where the keys stand in what `command` prints: `findings[0].keys`."""
    queries: tuple[Recount, ...] = ()
    unasked: tuple[str, ...] = ()
    too_many: bool = False
    """More than a query can name."""
    command: str = "halfawake findings FILE.halfawake --json"
    """Makes the whole count again, the join of the sources included."""


@dataclass(frozen=True, slots=True)
class Impact:
    """What is said first. `duration` (ns) is only known when began and recovered are."""

    headline: str
    next_action: str
    condition: Condition
    began: Moment | None
    began_cites: tuple[str, ...]
    detected: Moment
    recovered: Moment | None
    duration: int | None
    affected: tuple[str, ...]
    new_per_minute: float
    seen_until: Moment
    common: tuple[str, ...]
    milestones: tuple[Milestone, ...] = ()
    """In the order of their doing; only what a note says."""
    counted: Counted | None = None
    """How `affected` can be counted again; None when nothing is."""


@dataclass(frozen=True, slots=True)
class ProofStep:
    """One step of a finding. `order`: None for the first, else a verdict or `contradicted`."""

    role: str
    cites: str
    why: str
    order: str | None
    because: str


@dataclass(frozen=True, slots=True)
class Proof:
    """One finding as data and as a sentence."""

    term: str
    verdict: Verdict
    sentence: str
    weakest_link: str
    began: int
    ended: int
    qualifier: bool
    steps: tuple[ProofStep, ...]
    affected: tuple[str, ...]
    figures: tuple[str, ...]
    assumes: tuple[str, ...]
    would_decide: tuple[str, ...]
    alternatives: tuple[str, ...]
    next_action: str
    remedy: str
    details: Mapping[str, JsonValue]
    counted: Counted | None = None
    """How `affected` can be counted again; None when nothing is."""


@dataclass(frozen=True, slots=True)
class Stretch:
    """What one source saw of `[start, end)`, ns UTC."""

    start: int
    end: int
    sight: Sight
    reason: str
    remedy: str


@dataclass(frozen=True, slots=True)
class SourceReport:
    """One source: what it is, how much it gave, what it saw and what must be known about it."""

    name: str
    lane: Lane | None
    system: str
    forgets: str
    records: int
    clocks: tuple[str, ...]
    coverage: tuple[Stretch, ...]
    remarks: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Bar:
    """Records of one source in `[start, start + width)` ns, apart by severity."""

    start: int
    width: int
    calm: int
    warnings: int
    errors: int

    @property
    def records(self) -> int:
        return self.calm + self.warnings + self.errors


@dataclass(frozen=True, slots=True)
class Mark:
    """A change or a note, drawn through all lanes."""

    moment: Moment
    text: str


@dataclass(frozen=True, slots=True)
class Band:
    """One source as a picture draws it; only formats that draw ask for it."""

    source: str
    lane: Lane
    bars: tuple[Bar, ...]
    """In time order, those without a record left out."""
    waiting: tuple[tuple[int, int], ...]
    """(ns UTC, how much waited in all queues of the source); a value stands until the next. One
    alone is a look at one instant, and no curve."""
    marks: tuple[Mark, ...]
    unseen: tuple[Stretch, ...]
    """What the source did not see in full of the window, by what it says itself."""


@dataclass(frozen=True, slots=True)
class Undated:
    """A record that carries no usable time. It never gets one: it is listed apart."""

    source: str
    reason: str
    body: str
    ref: str


@dataclass(frozen=True, slots=True)
class Document:
    """Everything an export says, in reading order."""

    title: str
    environment: str
    pin: Moment
    window_start: int
    window_end: int
    impact: Impact
    timeline: tuple[Row, ...]
    unknown: tuple[str, ...]
    findings: tuple[Proof, ...]
    not_evaluated: tuple[str, ...]
    looked_for: tuple[str, ...]
    """Terms of detectors that ran and found nothing in what could be seen."""
    evidence: tuple[Evidence, ...]
    sources: tuple[SourceReport, ...]
    records_total: int
    records_in_window: int
    undated: int
    undated_listed: tuple[Undated, ...]
    """The first of them, by source and reference."""
    collected_at: int
    """ns UTC, 0 when not known."""
    local_zone: str
    """The reader's zone and its offset at T, or empty."""
    tool_version: str
    no_redact_reason: str
    redactions: tuple[tuple[str, int], ...] = ()
    ids_replaced: bool = False
    """Ids are stand-ins, equal ones for equal ids."""
    bands: tuple[Band, ...] = ()
    """Lane by lane, when a format asked for them."""
