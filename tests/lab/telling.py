"""What halfawake says, run as a person runs it, and how it compares with a story's truth."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol, TypeAlias

from tests.lab.truth import SECOND_NS, Truth

REPOSITORY = Path(__file__).parents[2]
WITHIN_S = 180.0
ONSET_ERROR_S = 2.0
"""How far the onset may be off: a fault is first felt when somebody uses the path."""

Told: TypeAlias = "dict[str, Told] | list[Told] | str | float | None"


@dataclass(frozen=True)
class Telling:
    """One `halfawake findings … --json`: its object, its narration, its exit code."""

    told: dict[str, Told]
    narration: str
    exit_code: int

    def finding(self, term: str) -> Finding:
        """The one finding of that term that is not a mere qualifier."""
        found = [one for one in self.findings() if one.term == term and not one.qualifier]
        assert len(found) == 1, f"{term}: {len(found)} findings among {self.terms()}"
        return found[0]

    def findings(self) -> list[Finding]:
        return [Finding(_object(one)) for one in _list(self.told["findings"])]

    def terms(self) -> list[str]:
        return [f"{one.verdict} {one.term}" for one in self.findings()]

    @property
    def onset_ns(self) -> int:
        """The onset, ns UTC, to the microsecond."""
        from datetime import datetime

        onset = datetime.fromisoformat(str(self.told["onset"]))
        return int(onset.timestamp() * 1_000_000) * 1_000


@dataclass(frozen=True)
class Finding:
    """One finding as the command printed it."""

    told: dict[str, Told]

    @property
    def term(self) -> str:
        return str(self.told["term"])

    @property
    def verdict(self) -> str:
        return str(self.told["verdict"])

    @property
    def qualifier(self) -> bool:
        return bool(self.told["qualifier"])

    def has(self, name: str) -> bool:
        """Whether the evidence has such a part."""
        return name in _object(self.told["evidence"])

    def value(self, name: str) -> Told:
        """One part of the evidence as it is."""
        return _object(self.told["evidence"])[name]

    def evidence(self, name: str) -> list[dict[str, Told]]:
        """A list of objects among the evidence."""
        return [_object(one) for one in _list(_object(self.told["evidence"])[name])]

    def names(self, name: str) -> list[str]:
        """A list of keys among the evidence, sorted."""
        return sorted(str(one) for one in _list(_object(self.told["evidence"])[name]))

    def keys_with(self, outcome: str) -> list[str]:
        """Keys of the cases of one outcome, sorted."""
        return sorted(
            str(case["key"]) for case in self.evidence("cases") if case["outcome"] == outcome
        )


def ask(arguments: Sequence[str | Path]) -> Telling:
    """Run `halfawake findings ARGUMENTS --json`."""
    done = _run("findings", *arguments, "--json")
    assert done.stdout, f"exit code {done.returncode}:\n{done.stderr}"
    return Telling(json.loads(done.stdout), done.stderr, done.returncode)


def show(arguments: Sequence[str | Path]) -> str:
    """Run `halfawake at ARGUMENTS` without a terminal; the text it prints."""
    done = _run("at", *arguments)
    assert done.stdout, f"exit code {done.returncode}:\n{done.stderr}"
    return done.stdout


def _run(*words: str | Path) -> subprocess.CompletedProcess[str]:
    done = _done([sys.executable, "-X", "faulthandler", "-m", "halfawake", *map(str, words)])
    assert "Traceback" not in done.stderr, done.stderr
    return done


def _done(command: list[str]) -> subprocess.CompletedProcess[str]:
    """What the command printed; one that does not end is asked where it stands, then fails."""
    process = subprocess.Popen(
        command,
        cwd=REPOSITORY,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        told, narrated = process.communicate(timeout=WITHIN_S)
    except subprocess.TimeoutExpired:
        process.send_signal(signal.SIGABRT)
        _, narrated = process.communicate()
        raise AssertionError(f"not done within {WITHIN_S:g} s, stood at:\n{narrated}") from None
    return subprocess.CompletedProcess(command, process.returncode, told, narrated)


def assert_onset(telling: Telling, truth: Truth) -> None:
    """The onset is the break of the path, to within `ONSET_ERROR_S`."""
    assert truth.fault_from_ns is not None
    error = (telling.onset_ns - truth.fault_from_ns) / SECOND_NS
    assert abs(error) <= ONSET_ERROR_S, f"the onset is {error:+.1f} s off"


def assert_in_flight(telling: Telling, truth: Truth) -> None:
    """Everything that ran while the path was broken is listed, and nothing else is.

    What ran only in the aftermath (the path was whole again, calls from before were still failing)
    may be listed: no record of the services tells those seconds apart.
    """
    listed = {str(one["id"]) for one in telling.finding("network-hiccup").evidence("in_flight")}
    during = {one.id for one in truth.operations}
    after = {one.id for one in truth.aftermath}
    assert during - listed == set(), "operations that ran while the path was broken are missing"
    assert listed - during - after == set(), "operations that never met the fault are listed"


def assert_pushes(telling: Telling, truth: Truth) -> None:
    """Every push that ended in an error is told with its true outcome."""
    finding = telling.finding("ambiguous-enqueue")
    assert finding.keys_with("lost") == truth.with_enqueue("lost")
    assert finding.keys_with("executed") == truth.with_enqueue("executed")
    assert finding.keys_with("doubled") == truth.with_enqueue("doubled")
    assert finding.keys_with("not sent") == truth.with_enqueue("not_sent")


class Raced(Protocol):
    """A truth that knows which jobs looked for a row too early (keys, sorted)."""

    @property
    def ran_before_visible(self) -> list[str]: ...


def assert_race(telling: Telling, truth: Raced) -> None:
    """The jobs that ran before their rows were visible are proven, and no other is accused."""
    finding = telling.finding("job-before-commit")
    assert finding.verdict == "certain"
    assert sorted(str(one["job"]) for one in finding.evidence("cases")) == truth.ran_before_visible


def assert_without_mail(telling: Telling, truth: Truth) -> None:
    """The accounts that never got their mail, by name."""
    finding = telling.finding("ambiguous-enqueue")
    assert finding.names("without_follow_up") == truth.without_mail


def assert_quiet(telling: Telling) -> None:
    """No finding at likely or above; routine may be mentioned as such."""
    loud = [
        one.term for one in telling.findings() if one.verdict != "possible" and not one.qualifier
    ]
    assert loud == []


def _object(value: Told) -> dict[str, Told]:
    assert isinstance(value, dict), value
    return value


def _list(value: Told) -> list[Told]:
    assert isinstance(value, list), value
    return value
