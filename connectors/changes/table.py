"""Deployments from tables that a team keeps: one row, one deployment, read anew each time."""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path

from connectors.changes.change import Change, Told
from connectors.changes.columns import roles_of
from connectors.changes.options import ChangesOptions
from connectors.changes.rows import Row, Rows, rows_of
from connectors.contract import LOCAL_FILES, CheckReport
from connectors.logs.stamps import NO_TIME, Stamp
from connectors.logs.zones import ZoneRule
from connectors.queues.account import Account
from connectors.written_times import Undated, read_written
from timeline.batch import Remark
from timeline.clean import clean
from timeline.clock import ClockReading
from timeline.coverage import Sight
from timeline.problems import BadAnswer, Misconfigured, NothingHere
from timeline.window import Window
from timeline.words import count_of

RECORDED = "deployments that nobody wrote into the file"
NAMED_COLUMNS = 12
MOST_LISTED = 200
"""Rows without a time that are listed one by one; all are counted."""


class DeployFiles:
    """The files of one source. See `connectors.changes.change.Place`."""

    def __init__(self, source: str, options: ChangesOptions) -> None:
        self._source = source
        self._options = options
        self._paths = [path.expanduser() for path in options.deploys]
        self._zone = ZoneRule.named(options.zone)

    @property
    def name(self) -> str:
        return clean(", ".join(path.name for path in self._paths))

    @property
    def service(self) -> str:
        return self._options.service

    async def now(self) -> int:
        return time.time_ns()

    async def check(self) -> CheckReport:
        """Which columns were recognised, how many rows there are, which cannot be read."""
        facts: list[str] = []
        told = Told()
        for path in self._paths:
            read = await asyncio.to_thread(rows_of, path)
            changes = list(self._changes(path, read, told))
            roles = ", ".join(f"{role}: {clean(name)}" for role, name in _roles(read).items())
            facts.append(f"{path.name}: {count_of(len(changes), 'deployment')} ({roles})")
            if not read.rows:
                raise NothingHere(
                    "The file holds no row", where=str(path), remedy="Write deployments into it."
                )
        cannot = (RECORDED, *(remark.sentence for remark in told.remarks))
        return CheckReport(
            f"deployments in {self.name}", tuple(facts), cannot, no_account=LOCAL_FILES
        )

    async def between(self, window: Window, account: Account) -> Told:
        """Every row of the files; whoever asked keeps those inside the window."""
        told = Told(reason=f"every row was read; not seen: {RECORDED}")
        for path in self._paths:
            read = await asyncio.to_thread(rows_of, path)
            told.changes += self._changes(path, read, told)
            told.bytes_read += read.bytes_read
            if read.cut:
                account.cut(read.cut)
        return told

    async def of(self, commits: Sequence[str], span: Window, account: Account) -> Told:
        """Every row; whoever asked keeps those that name one of the commits."""
        return await self.between(span, account)

    async def clock(self) -> ClockReading | None:
        """None: a file has no clock to read."""
        return None

    async def close(self) -> None:
        """Nothing stays open between questions."""

    def _changes(self, path: Path, read: Rows, told: Told) -> Iterator[Change]:
        roles = _roles(read)
        if read.rows and "time" not in roles:
            names = ", ".join(clean(name) for name in read.columns[:NAMED_COLUMNS])
            raise Misconfigured(
                f"No column of the file is called like a time; there are: {names}",
                where=path.name,
                remedy="Call one of them time, or deployed_at.",
            )
        reasons: Counter[str] = Counter()
        assumed = ambiguous = 0
        for number, row in read.rows:
            stamp = self._stamp(row, roles)
            if stamp.ns is None:
                reasons[stamp.reason] += 1
                if len(told.undated) < MOST_LISTED:
                    body = ", ".join(cell for cell in row.values() if cell)
                    told.undated.append(Undated(stamp.reason, body, f"{path.name}#row {number}"))
                continue
            assumed += stamp.zone_assumed
            ambiguous += stamp.zone_ambiguous
            yield self._change(stamp, stamp.ns, row, roles, f"{path.name}#row {number}")
        self._say(path, read, reasons, assumed, ambiguous, told)

    def _stamp(self, row: Row, roles: dict[str, str]) -> Stamp:
        written = row.get(roles.get("time", ""), "").strip()
        if not written:
            return Stamp(None, reason=NO_TIME)
        stamp = read_written(written, self._zone)
        if (
            stamp.ns is None and "day" in roles
        ):  # the day and the time of day in columns of their own
            day = row.get(roles["day"], "").strip()
            return read_written(f"{day} {written}", self._zone)
        return stamp

    def _change(self, stamp: Stamp, ns: int, row: Row, roles: dict[str, str], ref: str) -> Change:
        def cell(role: str) -> str:
            return row.get(roles.get(role, ""), "").strip()

        taken = set(roles.values())
        further = {n: v for n, v in row.items() if n and n not in taken and v and v.strip()}
        return Change(
            ns,
            _words(cell("service"), cell("version"), cell("environment"), cell("status"),
                   cell("who"), cell("what")),
            ref,
            version=cell("version"),
            who=cell("who"),
            service=cell("service"),
            precision=stamp.precision,
            status=cell("status"),
            details={
                "environment": cell("environment"),
                "url": cell("url"),
                "zone": _zone_words(stamp, self._zone),
                **further,
            },
        )  # fmt: skip

    def _say(
        self,
        path: Path,
        read: Rows,
        reasons: Counter[str],
        assumed: int,
        ambiguous: int,
        told: Told,
    ) -> None:
        def say(topic: str, count: int, words: str) -> None:
            told.remarks.append(Remark(self._source, topic, f"{path.name}: {words}", count))

        if read.broken:
            rows = count_of(read.broken, "row")
            say("broken-line", read.broken,
                f"{rows} cannot be read, the first is row {read.first_broken}")  # fmt: skip
        for reason, count in sorted(reasons.items()):
            say("undated", count, f"{count_of(count, 'row')} without a usable time: {reason}")
        if assumed:
            say("zone-assumed", assumed, f"{count_of(assumed, 'time')} without a zone read as UTC")
        if ambiguous:
            say("zone-ambiguous", ambiguous,
                f"{count_of(ambiguous, 'time')} in the hour that {self._zone.declared} repeats; "
                "read as the first pass")  # fmt: skip
        if read.broken or reasons:
            lost = read.broken + sum(reasons.values())
            told.sight = Sight.PARTIAL
            told.reason = f"{count_of(lost, 'row')} of {path.name} cannot be placed in time"
            told.remedy = "Correct those rows."
        if read.rows and sum(reasons.values()) == len(read.rows):
            raise BadAnswer(
                f"No row holds a time that can be read: {next(iter(reasons))}",
                where=path.name,
                remedy="Write times as 2026-03-14T03:14:00Z.",
            )


def _roles(read: Rows) -> dict[str, str]:
    return roles_of(read.columns)


def _words(service: str, version: str, environment: str, status: str, who: str, what: str) -> str:
    """`deploy of shop v412 to prod by ann: success: hotfix`, as far as it is known."""
    parts = ["deploy"]
    parts += [f"of {service}"] if service else []
    parts += [version] if version else []
    parts += [f"to {environment}"] if environment else []
    parts += [f"by {who}"] if who else []
    head = " ".join(parts)
    if head == "deploy" and what:
        head, what = what, ""
    return ": ".join(part for part in (head, status, what) if part)


def _zone_words(stamp: Stamp, zone: ZoneRule) -> str:
    if stamp.zone_ambiguous:
        return f"this time was twice in {zone.declared}; read as the first"
    return "no zone written; UTC assumed" if stamp.zone_assumed else ""
