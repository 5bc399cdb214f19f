"""GitHub's deployments and their statuses (REST API, version 2022-11-28).

A deployment is created once; each status it reaches is a record with a time of its own. The list
runs from the newest back, so that reading stops where the window was long over.
"""

from __future__ import annotations

import time
from collections.abc import Sequence

from connectors.answers import at, text, whole
from connectors.changes.api import ForgeAPI
from connectors.changes.change import SHOWN_DIGITS, Change, Told
from connectors.changes.options import ChangesOptions
from connectors.contract import CheckReport
from connectors.logs.jsonshape import JsonValue
from connectors.queues.account import Account
from connectors.written_times import in_utc
from timeline.batch import Remark
from timeline.clock import ClockReading
from timeline.coverage import Sight
from timeline.problems import NothingHere
from timeline.window import SECOND_NS, Window
from timeline.words import count_of

VERSION = "2022-11-28"
STATUS_LAG_NS = 24 * 3600 * SECOND_NS
"""How long after its creation a deployment's statuses are still looked for."""
MOST_STATUS_LISTS = 100
"""Deployments whose statuses are asked for: one request each, of an hourly limit."""
PRESENT_LAG = "statuses that a deployment reached more than a day after its creation"
_NAME = r"/repos/[\w.-]+/[\w.-]+"
PATHS = (_NAME, rf"{_NAME}/deployments", rf"{_NAME}/deployments/[0-9]+/statuses")


class GitHub:
    """One repository. See `connectors.changes.change.Place`."""

    def __init__(self, source: str, options: ChangesOptions) -> None:
        self._source = source
        self._options = options
        self._root = f"/repos/{options.github}"
        headers = {"accept": "application/vnd.github+json", "x-github-api-version": VERSION}
        if options.token is not None:
            headers["authorization"] = f"Bearer {options.token.get_secret_value()}"
        self._api = ForgeAPI("GitHub", options, headers, PATHS)

    @property
    def name(self) -> str:
        return f"GitHub {self._options.github}"

    @property
    def service(self) -> str:
        return self._options.service or self._options.github.rpartition("/")[2]

    async def now(self) -> int:
        answer = await self._api.answer(self._root)
        return answer.stamp or time.time_ns()

    async def check(self) -> CheckReport:
        """The repository, and the newest deployment of the environment."""
        content = (await self._api.answer(self._root)).content()
        parameters = {"per_page": "1", **self._wanted()}
        newest = (await self._api.answer(f"{self._root}/deployments", None, **parameters)).content()
        if not isinstance(newest, list) or not newest:
            raise NothingHere(
                "The repository has no deployment",
                where=self.name,
                remedy="Correct environment, or read a table of deployments instead.",
            )
        facts = (
            f"repository {text(at(content, 'full_name')) or self._options.github}",
            f"newest deployment {text(at(newest[0], 'created_at'))}"
            f" to {text(at(newest[0], 'environment'))}",
        )
        may_push = at(content, "permissions", "push")
        refused = None if may_push is None else may_push is not True
        cannot = ("deployments that were not told to GitHub", PRESENT_LAG)
        clock = await self.clock()
        return CheckReport(f"GitHub REST API {VERSION}", facts, cannot, clock, refused)

    async def between(self, window: Window, account: Account) -> Told:
        """Deployments created up to a day before the window, and their statuses."""
        earliest = window.start - STATUS_LAG_NS
        found: list[JsonValue] = []
        path = f"{self._root}/deployments"
        async for page in self._api.pages(path, account, "deployments", **self._wanted()):
            made = [in_utc(text(at(item, "created_at"))).ns for item in page]
            found += [
                item
                for item, stamp in zip(page, made, strict=True)
                if stamp is None or earliest <= stamp < window.end
            ]
            if all(stamp is not None and stamp < earliest for stamp in made):
                break
        told = await self._told(found, window.pin, account)
        told.sight = Sight.PARTIAL
        told.reason = f"not seen: deployments that were not told to GitHub; {PRESENT_LAG}"
        return told

    async def of(self, commits: Sequence[str], span: Window, account: Account) -> Told:
        """Deployments of these commits among the newest pages."""
        found: list[JsonValue] = []
        path = f"{self._root}/deployments"
        async for page in self._api.pages(path, account, "deployments", **self._wanted()):
            found += [i for i in page if text(at(i, "sha")).lower().startswith(tuple(commits))]
        return await self._told(found, span.pin, account)

    async def clock(self) -> ClockReading | None:
        return await self._api.clock(self._source, self._root)

    async def close(self) -> None:
        await self._api.close()

    def _wanted(self) -> dict[str, str]:
        return {"environment": self._options.environment} if self._options.environment else {}

    async def _told(self, found: list[JsonValue], pin: int, account: Account) -> Told:
        told = Told()
        undated = 0
        stamped = []
        for item in found:
            change = _created(item)
            if change is None:
                undated += 1
                continue
            told.changes.append(change)
            stamped.append((abs(change.timestamp - pin), item))
        stamped.sort(key=lambda pair: (pair[0], whole(at(pair[1], "id"))))
        for nth, (_, item) in enumerate(stamped):
            if nth == MOST_STATUS_LISTS or account.late:
                account.cut(
                    f"{count_of(len(stamped) - nth, 'deployment')}: their statuses were not read"
                )
                break
            path = f"{self._root}/deployments/{whole(at(item, 'id'))}/statuses"
            async for page in self._api.pages(path, account, "statuses"):
                reached = [_reached(item, status) for status in page]
                told.changes += [change for change in reached if change is not None]
                undated += reached.count(None)
        if undated:
            words = f"{count_of(undated, 'record')} of GitHub without a usable time"
            told.remarks.append(Remark(self._source, "undated", words, undated))
        told.bytes_read = self._api.unreported()
        return told


def _created(item: JsonValue) -> Change | None:
    stamp = in_utc(text(at(item, "created_at")))
    if stamp.ns is None or not whole(at(item, "id")):
        return None
    who, sha = text(at(item, "creator", "login")), text(at(item, "sha"))
    said = text(at(item, "description"))
    words = f"deployment of {_what(item)} begun{_by(who)}"
    return Change(
        stamp.ns,
        f"{words}: {said}" if said else words,
        f"deployment/{whole(at(item, 'id'))}",
        version=sha,
        who=who,
        clock="github",
        precision=stamp.precision,
        details={
            "ref": text(at(item, "ref")),
            "environment": text(at(item, "environment")),
            "task": text(at(item, "task")),
        },
    )


def _reached(item: JsonValue, status: JsonValue) -> Change | None:
    stamp = in_utc(text(at(status, "created_at")))
    if stamp.ns is None:
        return None
    who, state = text(at(status, "creator", "login")), text(at(status, "state"))
    said = text(at(status, "description"))
    words = f"deployment of {_what(item)}: {state or 'no state said'}{_by(who)}"
    return Change(
        stamp.ns,
        f"{words}: {said}" if said else words,
        f"deployment/{whole(at(item, 'id'))}/status/{whole(at(status, 'id'))}",
        version=text(at(item, "sha")),
        who=who,
        clock="github",
        precision=stamp.precision,
        status=state,
        details={
            "environment": text(at(item, "environment")),
            "url": text(at(status, "log_url")) or text(at(status, "target_url")),
        },
    )


def _what(item: JsonValue) -> str:
    """`main 1a2b3c4d5e6f to production`."""
    ref, sha = text(at(item, "ref")), text(at(item, "sha"))
    named = sha[:SHOWN_DIGITS] if ref in ("", sha) else f"{ref} {sha[:SHOWN_DIGITS]}"
    return f"{named} to {text(at(item, 'environment')) or 'an unnamed environment'}"


def _by(who: str) -> str:
    return f" by {who}" if who else ""
