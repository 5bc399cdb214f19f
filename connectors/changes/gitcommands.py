"""The only git commands that are ever run, and the settings that keep a checkout from running more.

A checkout may belong to somebody else, and its configuration can name programs: a pager, a file
monitor, a diff driver, a signature checker, a transport for missing objects. None of them runs:
what is asked needs none, each is switched off besides, and the environment's GIT_* do not count.
"""

from __future__ import annotations

import os
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

from connectors.logs.process import program_path
from connectors.logs.program import Program
from timeline.clean import clean
from timeline.problems import AccessRefused, BadAnswer, Misconfigured, SourceProblem, Unreachable

ALLOWED: tuple[tuple[str, ...], ...] = (
    ("log",),
    ("rev-parse",),
    ("for-each-ref",),
    ("reflog", "show"),
    ("config", "--get", "remote.origin.url"),
)
REFUSED_FLAGS = ("--output", "--ext-diff", "--textconv", "--show-signature", "-o")
"""Flags of allowed commands that would write a file or start a program."""
HARMLESS = (
    "core.fsmonitor=false",
    "core.hooksPath=/dev/null",
    "core.pager=cat",
    "core.attributesFile=/dev/null",
    "core.quotePath=true",
    "core.sshCommand=false",
    "credential.helper=",
    "diff.external=",
    "gpg.program=false",
    "log.mailmap=false",
    "log.showSignature=false",
    "protocol.allow=never",
)
ENVIRONMENT: Mapping[str, str] = {
    "GIT_OPTIONAL_LOCKS": "0",
    "GIT_NO_LAZY_FETCH": "1",  # git 2.45; before it, no protocol being allowed does the same
    "GIT_ALLOW_PROTOCOL": "none",
    "GIT_NO_REPLACE_OBJECTS": "1",
    "GIT_TERMINAL_PROMPT": "0",
    "GIT_PAGER": "cat",
    "LC_ALL": "C.UTF-8",
}
MOST_BYTES = 16 * 1024 * 1024
"""Of one command's output: some hundred thousand names of files."""


class NotAllowed(ValueError):
    """A command that this connector never runs; a mistake in it, not in the configuration."""


def ensure_allowed(words: Sequence[str]) -> None:
    """Raise `NotAllowed` for a command or a flag that is not meant to be run."""
    if not any(tuple(words[: len(verb)]) == verb for verb in ALLOWED):
        raise NotAllowed(f"git {' '.join(words[:2])} is not among what is ever run")
    for word in words:
        if word.partition("=")[0] in REFUSED_FLAGS:
            raise NotAllowed(f"the flag {word} is not among what is ever given")


def argv_of(path: Path, words: Sequence[str]) -> list[str]:
    """The whole argument list of an allowed command. Raises `NotAllowed`."""
    ensure_allowed(words)
    settings = [word for setting in HARMLESS for word in ("-c", setting)]
    # `env` sets what git's own flags cannot, and hides what this shell has set for git.
    hidden = [word for name in os.environ if name.startswith("GIT_") for word in ("-u", name)]
    given = [f"{name}={value}" for name, value in ENVIRONMENT.items()]
    git = ["git", "-C", str(path), "--no-pager", *settings, *words]
    return ["env", *hidden, *given, *git]


class Git:
    """Runs allowed commands in one checkout."""

    def __init__(self, path: Path) -> None:
        self.path = path.expanduser()
        self.bytes_read = 0

    @property
    def where(self) -> str:
        return f"git checkout {clean(self.path.name or str(self.path))}"

    async def asked(self, words: Sequence[str], seconds: float) -> tuple[bytes, str]:
        """The output, and why it is not whole, if so. Raises `SourceProblem` for a refusal."""
        run = await self._run(words, seconds)
        output = await run.output()
        self.bytes_read += len(output)
        if run.code not in (0, None):
            raise refusal(run.complaint, self.where)
        return output, run.stopped

    async def answer(self, words: Sequence[str], seconds: float) -> str:
        """The short answer of a question that may have none; empty then."""
        run = await self._run(words, seconds)
        output = await run.output()
        return output.decode("utf-8", "replace").strip() if run.code == 0 else ""

    async def _run(self, words: Sequence[str], seconds: float) -> Program:
        argv = argv_of(self.path, words)
        program_path("git")
        if not self.path.is_dir():  # one look at a local folder
            raise Misconfigured(
                "There is no such folder", where=self.where, remedy="Correct git, the path."
            )
        return Program(argv, time.monotonic() + seconds, MOST_BYTES)


def refusal(complaint: str, where: str) -> SourceProblem:
    """What git's words on stderr mean."""
    said = clean(complaint) or "git gave no reason"
    lowered = said.lower()
    if "dubious ownership" in lowered:
        return AccessRefused(
            "The checkout belongs to another user, and git does not read such a one",
            where=where,
            remedy="If you trust it: git config --global --add safe.directory PATH.",
        )
    if "not a git repository" in lowered:
        return Misconfigured(
            "This is no git checkout", where=where, remedy="Give the path of a checkout."
        )
    if "unknown revision" in lowered or "bad revision" in lowered:
        return Misconfigured(said, where=where, remedy="Correct refs: names of branches or tags.")
    if "promisor" in lowered or "not allowed" in lowered or "missing" in lowered:
        return Unreachable(
            "The checkout lacks objects (a partial clone), and nothing is fetched for it",
            where=where,
            remedy="Name a complete clone.",
        )
    return BadAnswer(said, where=where, remedy="Run git log there by hand.")
