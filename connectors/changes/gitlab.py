"""GitLab's deployments (REST API v4).

GitLab keeps of each deployment when it was created, when it ended and when it last changed, with
its last status only; what it went through in between is not told.
"""

from __future__ import annotations

import time
from collections.abc import AsyncIterator, Iterator, Sequence
from datetime import UTC, datetime
from urllib.parse import quote

from connectors.answers import at, items, text, whole
from connectors.changes.api import ForgeAPI
from connectors.changes.change import SHOWN_DIGITS, Change, Told
from connectors.changes.options import ChangesOptions
from connectors.contract import CheckReport
from connectors.logs.jsonshape import JsonValue
from connectors.queues.account import Account
from connectors.written_times import in_utc
from timeline.batch import Remark
from timeline.clean import clean
from timeline.clock import ClockReading
from timeline.event import Meaning
from timeline.problems import NothingHere, SourceProblem
from timeline.window import SECOND_NS, Window
from timeline.words import count_of

LAST_ONLY = "statuses that a deployment went through: GitLab keeps the last one"
_PROJECT = r"/api/v4/projects/[\w.%-]+"
_OWN_ACCESS = "/api/v4/personal_access_tokens/self"
PATHS = (_PROJECT, rf"{_PROJECT}/deployments", _OWN_ACCESS)
READING = frozenset(
    (
        "read_api",
        "read_user",
        "read_repository",
        "read_registry",
        "read_virtual_registry",
        "openid",
        "profile",
        "email",
    )
)
"""Scopes that change nothing (GitLab, "Personal access token scopes")."""


class GitLab:
    """One project. See `connectors.changes.change.Place`."""

    def __init__(self, source: str, options: ChangesOptions) -> None:
        self._source = source
        self._options = options
        self._root = f"/api/v4/projects/{quote(options.gitlab, safe='')}"
        token = options.token
        headers = {"private-token": token.get_secret_value()} if token is not None else {}
        self._api = ForgeAPI("GitLab", options, headers, PATHS)

    @property
    def name(self) -> str:
        return f"GitLab {self._options.gitlab}"

    @property
    def service(self) -> str:
        return self._options.service or self._options.gitlab.rpartition("/")[2]

    async def now(self) -> int:
        answer = await self._api.answer(self._root)
        return answer.stamp or time.time_ns()

    async def check(self) -> CheckReport:
        """The project, and its newest deployment to the environment."""
        content = (await self._api.answer(self._root)).content()
        parameters = {"per_page": "1", "order_by": "created_at", "sort": "desc", **self._wanted()}
        newest = (await self._api.answer(f"{self._root}/deployments", None, **parameters)).content()
        if not isinstance(newest, list) or not newest:
            raise NothingHere(
                "The project has no deployment",
                where=self.name,
                remedy="Correct environment, or read a table of deployments instead.",
            )
        facts = (
            f"project {text(at(content, 'path_with_namespace')) or self._options.gitlab}",
            f"newest deployment {text(at(newest[0], 'created_at'))}"
            f" to {text(at(newest[0], 'environment', 'name'))}",
        )
        cannot = ("deployments that were not told to GitLab", LAST_ONLY)
        refused, said = await self._rights()
        clock = await self.clock()
        return CheckReport("GitLab REST API v4", facts, cannot, clock, refused, rights=(said,))

    async def _rights(self) -> tuple[bool | None, str]:
        """Whether our token refuses writes, from its own scopes, and what that rests on."""
        if self._options.token is None:
            return True, "no token is sent"
        try:
            content = (await self._api.answer(_OWN_ACCESS)).content()
        except SourceProblem as problem:
            return None, f"GitLab did not tell the scopes of the token: {problem.what}"
        scopes = [clean(text(scope)) for scope in items(at(content, "scopes"))]
        if not scopes:
            return None, "GitLab did not tell the scopes of the token"
        return READING.issuperset(scopes), f"the scopes of the token: {', '.join(scopes)}"

    async def between(self, window: Window, account: Account) -> Told:
        """Deployments that changed since the window began; whoever began in it is among them."""
        since = datetime.fromtimestamp(window.start // SECOND_NS, UTC)
        found: list[JsonValue] = []
        async for page in self._pages(
            account, updated_after=since.strftime("%Y-%m-%dT%H:%M:%SZ"), order_by="updated_at"
        ):
            found += page
        told = self._told(found)
        told.reason = f"every deployment told to GitLab; not seen: {LAST_ONLY}"
        return told

    async def of(self, commits: Sequence[str], span: Window, account: Account) -> Told:
        """Deployments of these commits among the newest pages."""
        found: list[JsonValue] = []
        async for page in self._pages(account, order_by="created_at"):
            found += [i for i in page if text(at(i, "sha")).lower().startswith(tuple(commits))]
        return self._told(found)

    async def clock(self) -> ClockReading | None:
        return await self._api.clock(self._source, self._root)

    async def close(self) -> None:
        await self._api.close()

    def _pages(self, account: Account, **parameters: str) -> AsyncIterator[list[JsonValue]]:
        wanted = {**parameters, "sort": "desc", **self._wanted()}
        return self._api.pages(f"{self._root}/deployments", account, "deployments", **wanted)

    def _wanted(self) -> dict[str, str]:
        return {"environment": self._options.environment} if self._options.environment else {}

    def _told(self, found: list[JsonValue]) -> Told:
        told = Told()
        undated = 0
        for item in found:
            own = list(_changes(item))
            undated += not own
            told.changes += own
        if undated:
            words = f"{count_of(undated, 'record')} of GitLab without a usable time"
            told.remarks.append(Remark(self._source, "undated", words, undated))
        told.bytes_read = self._api.unreported()
        return told


def _changes(item: JsonValue) -> Iterator[Change]:
    """The beginning of a deployment, and its end as far as it is told."""
    created, number = text(at(item, "created_at")), whole(at(item, "id"))
    status = text(at(item, "status"))
    if not number:
        return
    yield from _change(item, created, f"deployment/{number}", "begun", "")
    ended = text(at(item, "finished_at")) or text(at(item, "deployable", "finished_at"))
    ref = f"deployment/{number}/end"
    if ended:
        yield from _change(item, ended, ref, status or "ended", status)
    elif (updated := text(at(item, "updated_at"))) and updated != created:
        words = f"{status or 'changed'} (when it last changed)"
        yield from _change(item, updated, ref, words, status, Meaning.DERIVED)


def _change(
    item: JsonValue,
    written: str,
    ref: str,
    words: str,
    status: str,
    meaning: Meaning = Meaning.OCCURRED,
) -> Iterator[Change]:
    stamp = in_utc(written)
    if stamp.ns is None:
        return
    who = text(at(item, "user", "username")) or text(at(item, "user", "name"))
    sha, branch = text(at(item, "sha")), text(at(item, "ref"))
    environment = text(at(item, "environment", "name"))
    named = f"{branch} {sha[:SHOWN_DIGITS]}".strip()
    by = f" by {who}" if who else ""
    yield Change(
        stamp.ns,
        f"deployment of {named} to {environment or 'an unnamed environment'}: {words}{by}",
        ref,
        version=sha,
        who=who,
        clock="gitlab",
        meaning=meaning,
        precision=stamp.precision,
        status=status,
        details={
            "ref": branch,
            "environment": environment,
            "url": text(at(item, "deployable", "web_url")),
        },
    )
