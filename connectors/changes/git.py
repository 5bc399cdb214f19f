"""Commits, tags and (where asked for) moves of HEAD of a local checkout.

Owns how git's answers are read. A commit's stamp is the clock of whoever committed it, and says
nothing of when it was deployed; a checkout knows only what was fetched into it.
"""

from __future__ import annotations

import re
import time
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from urllib.parse import urlsplit

from connectors.changes.change import SHOWN_DIGITS, Change, Told
from connectors.changes.gitcommands import Git
from connectors.changes.options import ChangesOptions
from connectors.contract import LOCAL_FILES, CheckReport
from connectors.queues.account import Account
from connectors.written_times import whole_second
from timeline.batch import Remark
from timeline.clean import clean
from timeline.clock import ClockReading
from timeline.coverage import Sight
from timeline.problems import Misconfigured, NothingHere
from timeline.window import SECOND_NS, Window
from timeline.words import count_of

NO_DEPLOY = "a commit's stamp is its committer's clock; when it was deployed, git does not know"
UNFETCHED = "commits that were never fetched into this checkout"
SLACK_S = 24 * 3600
"""Read before the window: git stops walking at the first old commits, and a wrong clock in
between must not hide the ones behind it."""
MOST_COMMITS = 2_000
MOST_TAGS = 500
MOST_MOVES = 2_000
NAMED_FILES = 3
ASK_S = 5.0
_START = b"//"
"""Begins a commit's line: no path in a tree begins so, and git quotes names with odd bytes."""
_FIELDS = ("%H", "%P", "%ct", "%at", "%cn", "%an", "%s")
_TAG_FIELDS = ("refname:short", "*objectname", "taggerdate:unix", "taggername", "subject")
_MOVE_FIELDS = ("%H", "%gd", "%gn", "%gs")
_HEADS = ("HEAD", "@{upstream}", "refs/remotes/origin/HEAD")
_MOVED_AT = re.compile(r"@\{([0-9]+)\}")


class Checkout:
    """One checkout as a place of changes. See `connectors.changes.change.Place`."""

    def __init__(self, source: str, options: ChangesOptions) -> None:
        assert options.git is not None  # noqa: S101  # whoever chose this place has looked
        self._source = source
        self._options = options
        self._git = Git(options.git)
        self._migrating = _inside(options.migrations)

    @property
    def name(self) -> str:
        return f"git of {self.service or 'this folder'}"

    @property
    def service(self) -> str:
        return self._options.service or clean(self._git.path.absolute().name.removesuffix(".git"))

    async def now(self) -> int:
        return time.time_ns()

    async def check(self) -> CheckReport:
        """The newest commit, where it was cloned from, what is missing."""
        await self._git.asked(["rev-parse", "--git-dir"], ASK_S)
        tips = await self._tips()
        if not tips:
            raise NothingHere(
                "The checkout holds no commit", where=self._git.where, remedy="Fetch first."
            )
        output, _ = await self._git.asked([*_log(), "--max-count=1", *tips], ASK_S)
        newest = next(self._changes_in(output), None)
        facts = [f"{count_of(len(tips), 'history', 'histories')} read (HEAD, upstream, or refs)"]
        if newest is not None:
            stamp = datetime.fromtimestamp(newest.timestamp // SECOND_NS, UTC)
            facts.append(f"newest commit {newest.commit()} of {stamp:%Y-%m-%d %H:%M:%SZ}")
        url = await self._git.answer(["config", "--get", "remote.origin.url"], ASK_S)
        if url:
            facts.append(f"cloned from {_without_login(url)}")
        cannot = [NO_DEPLOY, UNFETCHED]
        if await self._shallow():
            cannot.append("older commits: the clone is shallow")
        version = await self._git.answer(["rev-parse", "--show-object-format"], ASK_S)
        return CheckReport(f"git checkout ({version or 'sha1'})", tuple(facts), tuple(cannot),
                           no_account=LOCAL_FILES)  # fmt: skip

    async def between(self, window: Window, account: Account) -> Told:
        """Commits whose committer's stamp lies near the window, and annotated tags."""
        start, end = window.start // SECOND_NS - SLACK_S, window.end // SECOND_NS + 1
        tips = await self._tips()
        told = Told(sight=Sight.PARTIAL, reason=f"{NO_DEPLOY}; not seen: {UNFETCHED}")
        if tips:
            bounds = [f"--since={_iso(start)}", f"--until={_iso(end)}"]
            limit = [f"--max-count={MOST_COMMITS}"]
            told.changes += await self._log([*bounds, *limit, *tips], account)
            if len(told.changes) >= MOST_COMMITS:
                account.cut(f"more than {MOST_COMMITS} commits: the older ones were not read")
        told.changes += await self._tags(account)
        if self._options.reflog:
            told.changes += await self._moves(account)
        if await self._shallow():
            told.remarks.append(
                Remark(self._source, "shallow", "the clone is shallow: older commits are missing")
            )
        told.remarks.append(Remark(self._source, "clock", NO_DEPLOY))
        told.bytes_read = self._git.bytes_read
        return told

    async def of(self, commits: Sequence[str], span: Window, account: Account) -> Told:
        """These commits if the checkout has them, and the tags that name one."""
        told = Told()
        for commit in commits:
            known = await self._git.answer(
                ["rev-parse", "--verify", "--quiet", "--end-of-options", f"{commit}^{{commit}}"],
                ASK_S,
            )
            if known:
                told.changes += await self._log(["--max-count=1", known], account)
        told.changes += await self._tags(account)
        if self._options.reflog:
            told.changes += await self._moves(account)
        told.bytes_read = self._git.bytes_read
        return told

    async def clock(self) -> ClockReading | None:
        """None: a repository has no clock."""
        return None

    async def close(self) -> None:
        """Nothing stays running between questions."""

    async def _tips(self) -> list[str]:
        found: dict[str, None] = {}
        for name in self._options.refs or _HEADS:
            known = await self._git.answer(
                ["rev-parse", "--verify", "--quiet", "--end-of-options", f"{name}^{{commit}}"],
                ASK_S,
            )
            if known:
                found[known] = None
            elif self._options.refs:
                raise Misconfigured(
                    f"There is no branch or tag {name!r}",
                    where=self._git.where,
                    remedy="Correct refs, or fetch it.",
                )
        return list(found)

    async def _shallow(self) -> bool:
        return await self._git.answer(["rev-parse", "--is-shallow-repository"], ASK_S) == "true"

    async def _log(self, words: list[str], account: Account) -> list[Change]:
        output, stopped = await self._git.asked([*_log(), *words], _left(account))
        if stopped:
            account.cut(f"git log did not end: {stopped}; the older commits are missing")
        return list(self._changes_in(output))

    def _changes_in(self, output: bytes) -> Iterator[Change]:
        head, files = b"", list[str]()
        for line in output.split(b"\n"):
            if line.startswith(_START):
                if (change := self._change(head, files)) is not None:
                    yield change
                head, files = line[len(_START) :], []
            elif line:
                files.append(_path(line))
        if (change := self._change(head, files)) is not None:
            yield change

    def _change(self, head: bytes, files: list[str]) -> Change | None:
        fields = head.decode("utf-8", "replace").split("\0")
        if len(fields) != len(_FIELDS) or (stamp := whole_second(fields[2])) is None:
            return None
        commit, parents, _, authored, committer, author, subject = fields
        touched = [name for name in files if self._migrating.search(f"/{name}")]
        by = author if author == committer else f"{author}, committed by {committer}"
        merge = " (a merge)" if " " in parents else ""
        words = f"commit {commit[:SHOWN_DIGITS]}{merge} by {by}: {subject}"
        if touched:
            more = f" and {len(touched) - 1} more" if len(touched) > 1 else ""
            words += f" · touches a migration: {touched[0]}{more}"
        return Change(
            stamp,
            words,
            f"commit/{commit}",
            version=commit,
            who=author,
            clock=f"committer {committer}",
            details={
                "committer": committer,
                "authored": _told(authored),
                "files": len(files),
                "migrations": touched[:NAMED_FILES],
                "stamp": "committer's clock, not the deploy's",
            },
        )

    async def _tags(self, account: Account) -> list[Change]:
        fields = "%00".join(f"%({name})" for name in _TAG_FIELDS)
        words = ["for-each-ref", f"--format={fields}", "--sort=-taggerdate", f"--count={MOST_TAGS}"]
        output, _ = await self._git.asked([*words, "refs/tags"], _left(account))
        found = []
        for line in output.decode("utf-8", "replace").split("\n"):
            parts = line.split("\0")
            stamp = whole_second(parts[2]) if len(parts) == len(_TAG_FIELDS) else None
            if stamp is None:  # a lightweight tag: nobody knows when it was set
                continue
            name, commit, _, tagger, subject = parts
            found.append(
                Change(
                    stamp,
                    f"tag {name} on {commit[:SHOWN_DIGITS]} by {tagger}: {subject}",
                    f"tag/{name}",
                    version=commit,
                    who=tagger,
                    clock=f"committer {tagger}",
                    details={"tag": name, "stamp": "tagger's clock, not the deploy's"},
                )
            )
        return found

    async def _moves(self, account: Account) -> list[Change]:
        """Where HEAD of this checkout went, and when, by this machine's clock."""
        fields = "%x00".join(_MOVE_FIELDS)
        words = ["reflog", "show", "--date=unix", f"--format={fields}", f"--max-count={MOST_MOVES}"]
        output, _ = await self._git.asked([*words, "HEAD", "--"], _left(account))
        found = []
        for line in output.decode("utf-8", "replace").split("\n"):
            parts = line.split("\0")
            moved = _MOVED_AT.search(parts[1]) if len(parts) == len(_MOVE_FIELDS) else None
            stamp = whole_second(moved.group(1)) if moved else None
            if stamp is None:
                continue
            commit, _, who, how = parts
            found.append(
                Change(
                    stamp,
                    f"the checkout moved to {commit[:SHOWN_DIGITS]}: {how} ({who})",
                    f"reflog/{stamp // SECOND_NS}/{commit}",
                    version=commit,
                    who=who,
                    clock="checkout",
                )
            )
        return list({change.ref: change for change in found}.values())


def _log() -> list[str]:
    form = "%x00".join(_FIELDS)
    return [
        "log",
        "--no-ext-diff", "--no-textconv", "--no-show-signature", "--no-color", "--no-decorate",
        "--no-renames", "--no-mailmap", "--no-notes", "--encoding=UTF-8", "--name-only",
        "--ignore-submodules=all", "--diff-merges=first-parent", f"--format=//{form}",
    ]  # fmt: skip


def _inside(folders: Sequence[str]) -> re.Pattern[str]:
    """Finds a path below one of the folders, wherever that stands; nothing for no folders."""
    named = "|".join(re.escape(folder) for folder in folders)
    return re.compile(rf"/(?:{named})/" if named else r"(?!)")


def _path(line: bytes) -> str:
    """The name as git prints it; odd bytes stay in its escapes, in quotes."""
    return line.decode("utf-8", "replace").strip('"')


def _left(account: Account) -> float:
    return max(account.deadline - time.monotonic(), 0.05)


def _iso(seconds: int) -> str:
    return datetime.fromtimestamp(max(seconds, 0), UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _told(seconds: str) -> str:
    return _iso(int(seconds)) if whole_second(seconds) is not None else ""


def _without_login(url: str) -> str:
    """The address without user name and password, which people put there."""
    try:
        parts = urlsplit(url)
    except ValueError:
        return "an address that cannot be read"
    if not parts.scheme or not parts.netloc:
        return clean(url.rpartition("@")[2])
    return clean(parts._replace(netloc=parts.netloc.rpartition("@")[2], query="").geturl())
