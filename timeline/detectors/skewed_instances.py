"""The second part of deploy-skew: instances of an older build fail on what newer ones made.

Story: a new build writes its pages to the shared cache in a form that the build before cannot read;
or a migration drops a column, and the playbook that brings the new release stops half-way. Requests
fail on the old hosts only.

Predicate: an error line of a form that its service had never written before comes from some of its
instances alone, while others serve and do not have it, or no longer; chance would not part them so.
Likely where a curve names an older build for all that fail and a newer one for all others, or where
all others were started anew since shortly before the first error and none that fails was, and the
error's words speak of something unknown to the code or to the schema. Possible with either alone.

False positives: a host that is ill (no build, no start and no such words set it apart: silent),
instances of the newer build that fail (`change-before` tells of those), errors that all have.

Reference: rolling-upgrade compatibility (N-1); expand and contract (parallel change) of schemas.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, NamedTuple

import polars as pl

from timeline.detectors.change_findings import short_body
from timeline.facts.builds import Build, builds_of, renewed_in
from timeline.facts.mismatches import ANY_MISFIT
from timeline.facts.parted_errors import SURE, Parted, parted_errors
from timeline.facts.schema_statements import schema_changes
from timeline.facts.words import abridged, counted, instant, listed
from timeline.finding import Finding, Stage, Step
from timeline.order import Verdict, before

if TYPE_CHECKING:
    from timeline.facts.changes_seen import Change
    from timeline.incident import Incident

SHORTLY_NS = 2 * 60_000_000_000
"""Whoever was started so long before the first error may have caused it."""
STRANGE = (
    r"(?i)column .{1,80} does not exist|unknown column|no such (?:column|table|field)"
    r"|relation .{1,80} does not exist|invalid column name|undefined(?:column|table|field)"
    r"|table .{1,80} doesn't exist|undefined class|has no attribute|serialVersionUID"
    r"|unserialize\(|wrong wiretype|not registered in resolver|unknown (?:field|property|enum)"
    r"|cannot be (?:cast|deseriali[sz]ed)|incompatible|unmarshal"
)
"""Something the code, or the schema, does not know: databases' words for a name that is gone, and
what readers of serialised forms say."""
_STRANGE, _MISFIT = re.compile(STRANGE), re.compile(ANY_MISFIT)
_NAME = re.compile(r"[A-Za-z]\w{3,}")
MAX_FINDINGS = 2
MAX_KEYS = 200
ERROR_SHOWN = 40


@dataclass(frozen=True, kw_only=True)
class SkewedInstances(Finding):
    """A new error of `service` on its instances `failing` and not on `spared`. Builds by what a
    curve names, empty where none does; `renewed` of the spared were seen to start."""

    term: ClassVar[str] = "deploy-skew"
    stage: ClassVar[Stage] = Stage.TRIGGER
    remedy: ClassVar[str] = (
        "Give what builds share (schemas, caches, messages) a new form in two steps: first one "
        "that both builds read, then, once no old instance serves, the new one."
    )

    service: str
    failing: tuple[str, ...]
    spared: tuple[str, ...]
    old_build: str
    new_build: str
    renewed: int
    schema: str
    count: int
    error: str

    def sentence(self) -> str:
        old = f" (build {self.old_build})" if self.old_build else ""
        new = f" (build {self.new_build})" if self.new_build else ""
        return abridged(
            f"From {instant(self.began)} on {counted(self.count, 'error')} of a new kind came from "
            f"{listed(self.failing, 2)}{old} and none any more from {listed(self.spared, 1)}{new}: "
            f"“{short_body(self.error, ERROR_SHOWN)}”."
        )

    def clause(self) -> str:
        return f"older instances of {self.service} fail on what the newer ones do not"


class _Apart(NamedTuple):
    """What sets the failing instances apart from the others."""

    old: str
    new: str
    row: int | None
    renewed: Mapping[str, int]
    schema: Change | None
    strange: bool


def skewed_instances(incident: Incident) -> list[SkewedInstances]:
    """Findings by service, strongest first."""
    found: dict[str, SkewedInstances] = {}
    for parted in parted_errors(incident):
        if parted.chance > SURE or parted.kind.service in found:
            continue
        finding = _finding(incident, parted)
        if finding is not None:
            found[parted.kind.service] = finding
    ranked = sorted(found.values(), key=lambda one: (list(Verdict).index(one.verdict), one.began))
    return ranked[:MAX_FINDINGS]


def _apart(incident: Incident, parted: Parted, body: str) -> _Apart | None:
    """None where the instances that fail are the newer ones, or nothing tells which are."""
    kind, hosts = parted.kind, (*parted.failing, *parted.spared)
    builds = builds_of(incident, hosts, kind.last)
    old, new, row = _versions(parted, builds)
    start, end = kind.first - SHORTLY_NS, kind.last
    renewed = renewed_in(incident, kind.service, parted.actors, start, end)
    if any(host in renewed for host in parted.failing) and not old:
        return None
    names = set(_NAME.findall(body.lower()))
    schema = [
        one
        for one in schema_changes(incident)
        if one.timestamp <= kind.first and not names.isdisjoint(_NAME.findall(one.body.lower()))
    ]
    spared = {host: at for host, at in renewed.items() if host in parted.spared}
    return _Apart(old, new, row, spared, schema[-1] if schema else None, _is_strange(body))


def _versions(parted: Parted, builds: Mapping[str, Build]) -> tuple[str, str, int | None]:
    """(older build of all that fail, newer one of all others, its first sample); empty if not so.

    The newer build is the one that was told of later.
    """
    bad = {builds[host].version for host in parted.failing if host in builds}
    good = {builds[host].version for host in parted.spared if host in builds}
    known = all(host in builds for host in (*parted.failing, *parted.spared))
    if not known or len(bad) != 1 or len(good) != 1 or bad == good:
        return "", "", None
    first = min((builds[host] for host in parted.spared), key=lambda one: one.since)
    since = max(builds[host].since for host in parted.failing)
    if first.since <= since:
        return "", "", None
    return bad.pop(), good.pop(), first.row


def _is_strange(body: str) -> bool:
    return bool(_STRANGE.search(body) or _MISFIT.search(body))


def _graded(parted: Parted, apart: _Apart) -> tuple[Verdict, str] | None:
    all_new = all(host in apart.renewed for host in parted.spared)
    if apart.old:
        return Verdict.LIKELY, "that the build matters is read from which instances have the error"
    if apart.strange and (all_new or apart.schema is not None):
        link = "that the failing ones are older is read from their not starting"
        return Verdict.LIKELY if all_new else Verdict.POSSIBLE, link
    if apart.strange:
        return Verdict.POSSIBLE, "which build each instance runs is not on record"
    if all_new:
        return Verdict.POSSIBLE, "the error's words do not speak of versions"
    return None


def _finding(incident: Incident, parted: Parted) -> SkewedInstances | None:
    kind = parted.kind
    (first,) = incident.snapshot.events_at(list(kind.rows[:1]))
    apart = _apart(incident, parted, first.body)
    graded = _graded(parted, apart) if apart is not None else None
    if apart is None or graded is None:
        return None
    verdict, link = graded
    keys = incident.snapshot.keys_of(pl.Series(kind.rows, dtype=pl.UInt32)).get_column("key")
    broad = list(incident.snapshot.broad_keys)
    return SkewedInstances(
        verdict=verdict,
        weakest_link=link,
        began=kind.first,
        ended=kind.last,
        steps=_steps(incident, parted, apart),
        keys=tuple(keys.filter(~keys.is_in(broad)).unique().sort().head(MAX_KEYS)),
        would_decide=("Read on each instance which build it runs, and when it was started.",),
        alternatives=("the failing instances share something else: a host, a zone, a disk",),
        next_action=f"Take {listed(parted.failing)} out of service, or roll them to the build of "
        f"{listed(parted.spared)}.",
        service=kind.service,
        failing=parted.failing,
        spared=parted.spared,
        old_build=apart.old,
        new_build=apart.new,
        renewed=len(apart.renewed),
        schema=apart.schema.body if apart.schema else "",
        count=kind.times,
        error=kind.template,
    )


def _steps(incident: Incident, parted: Parted, apart: _Apart) -> tuple[Step, ...]:
    told: dict[int, tuple[str, str]] = {}
    if apart.schema is not None:
        told[apart.schema.row] = ("change", "the schema was changed")
    if apart.row is not None:
        told[apart.row] = ("build", f"the first sample of build {apart.new}")
    for host, row in list(apart.renewed.items())[:2]:
        told.setdefault(row, ("start", f"{host} runs a build of this time or later"))
    for row in parted.kind.rows[:2]:
        told[row] = ("error", "an instance that was not renewed")
    rows: Sequence[int] = sorted(told)
    events = incident.snapshot.events_at(list(rows))
    ordered = sorted(zip(rows, events, strict=True), key=lambda pair: (pair[1].timestamp, pair[0]))
    steps: list[Step] = []
    for row, event in ordered:
        role, why = told[row]
        order = before(steps[-1].event, event, incident.clocks) if steps else None
        steps.append(Step(role, event, why, order))
    return tuple(steps)
