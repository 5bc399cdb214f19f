"""From a configuration (or bare files) to connectors ready to be asked. Opens no connection."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING

from halfawake import plugins
from halfawake.config import Config, ConfigProblem, SourceConfig, explain, line_of
from halfawake.file_groups import grouped
from timeline.clock import ClockTable
from timeline.incident import SourceInfo
from timeline.keys import KeyRules
from timeline.knowledge import Knowledge
from timeline.problems import SourceProblem
from timeline.window import Budget

if TYPE_CHECKING:
    from connectors.contract import Connector
    from halfawake.config import EnvironmentConfig
    from halfawake.questions import Question
    from halfawake.reach import Tunnel
    from timeline.finding import Detector

ROOMS = ("halfawake", "connectors", "timeline", "tui")
"""Our own packages: one of these missing is a broken installation, not a missing driver."""

LOCAL_BUDGET = Budget(rows=20_000_000, bytes=8 * 1024**3, seconds=120.0)
"""Files on this machine: reading them disturbs nobody but us."""
LOCAL = frozenset(["file", "notes"])
"""Connectors that read files on this machine and nothing else."""
REMOTE_BUDGET = Budget(rows=50_000, bytes=64 * 1024**2, seconds=20.0)
"""A system under investigation: bounded rows and a deadline that a half-awake person accepts."""


@dataclass(frozen=True)
class PreparedSource:
    """One source that can be asked, or the problem that kept it from being prepared."""

    info: SourceInfo
    connector: Connector | None
    budget: Budget
    problem: SourceProblem | None = None
    tunnel: Tunnel | None = None


@dataclass(frozen=True)
class Setup:
    """Everything a collection needs. `release` ends tunnels and the like."""

    sources: tuple[PreparedSource, ...]
    key_rules: KeyRules = field(default_factory=KeyRules)
    clocks: ClockTable = ClockTable()
    detectors: tuple[Detector, ...] = ()
    environment: str = ""
    expected_services: tuple[str, ...] = ()
    knowledge: Knowledge = field(default_factory=Knowledge)
    """What is configured beyond sources, with a blank for every answer that is still to come."""
    questions: tuple[Question, ...] = ()
    """The queries that fill those blanks."""
    release: Callable[[], None] = lambda: None


def setup_for_files(paths: Sequence[Path], zone: str | None = None) -> Setup:
    """One `file` source per named path, or per rotation set. No configuration involved."""
    rules = KeyRules()
    sources = tuple(
        _prepare(name, "file", {"paths": [str(path) for path in group], "zone": zone}, rules)
        for name, group in grouped(paths).items()
    )
    return Setup(sources, key_rules=rules, detectors=plugins.detectors())


def notes_source(name: str, path: Path, zone: str | None, rules: KeyRules) -> PreparedSource:
    """A file of notes that was named on the command line."""
    return _prepare(name, "notes", {"paths": [str(path)], "zone": zone or ""}, rules)


def setup_for_environment(
    config: Config, path: Path, environment: str | None, only: Sequence[str] = ()
) -> Setup:
    """The sources of one environment. Raises `ConfigProblem` for options that cannot be right."""
    from platformdirs import user_config_path, user_state_path

    from halfawake.reach import Reach
    from halfawake.trust import commands_in, ensure_trusted

    name, chosen = config.environment(environment)
    unknown = [source for source in only if source not in chosen.sources]
    if unknown:
        known = ", ".join(chosen.sources) or "none"
        raise ConfigProblem(f"No source {unknown[0]!r} in environment {name!r}; there is {known}.")
    if path.parent.resolve() != user_config_path("halfawake").resolve():
        ensure_trusted(path, commands_in(chosen), user_state_path("halfawake") / "trusted.json")
    rules = config.key_rules()
    knowledge, questions = _knowledge(path, name, chosen, rules)
    reach = Reach()
    prepared = []
    for source, settings in chosen.sources.items():
        if only and source not in only:
            continue
        try:
            options = reach.options_for(source, settings)
        except SourceProblem as problem:
            prepared.append(_refused(source, settings.connector, problem))
            continue
        try:
            ready = _prepare(source, settings.connector, options, rules, settings)
            prepared.append(replace(ready, tunnel=reach.used_by.get(source)))
        except _OptionsProblem as problem:
            reach.close()
            text = path.read_text(encoding="utf-8")
            place = ("env", name, "sources", source)
            raise ConfigProblem(explain(problem.error, path, text, problem.model, place)) from None
        except plugins.UnknownPlugin as problem:
            reach.close()
            raise ConfigProblem(f"{path}: source {source!r}: {problem}") from None
    return Setup(
        tuple(prepared),
        key_rules=rules,
        clocks=config.clock_table(),
        detectors=plugins.detectors(),
        environment=chosen.title or name,
        expected_services=chosen.expected_services,
        knowledge=knowledge,
        questions=questions,
        release=reach.close,
    )


def _knowledge(
    path: Path, name: str, chosen: EnvironmentConfig, rules: KeyRules
) -> tuple[Knowledge, tuple[Question, ...]]:
    from halfawake.knowledge_config import KnowledgeProblem, check_references, knowledge_of

    knowledge, questions = knowledge_of(chosen)
    if not questions:
        return knowledge, questions
    askable = {source: _answers(settings.connector) for source, settings in chosen.sources.items()}
    try:
        check_references(chosen, rules, askable)
    except KnowledgeProblem as problem:
        place = ("env", name, *problem.place)
        line = line_of(path.read_text(encoding="utf-8"), place)
        raise ConfigProblem(f"{path}, line {line}: {'.'.join(place)}: {problem}") from None
    return knowledge, questions


def _answers(system: str) -> bool:
    """Whether its sources answer queries; a connector that cannot be loaded says why later."""
    from halfawake.questions import can_answer

    try:
        return can_answer(plugins.connector_class(system))
    except (ImportError, plugins.UnknownPlugin):
        return True


class _OptionsProblem(Exception):
    def __init__(self, error: object, model: type) -> None:
        super().__init__(str(error))
        from pydantic import ValidationError

        assert isinstance(error, ValidationError)  # noqa: S101  # narrows the stored type
        self.error = error
        self.model = model


def _prepare(
    source: str,
    system: str,
    options: dict[str, object],
    rules: KeyRules,
    settings: SourceConfig | None = None,
) -> PreparedSource:
    from pydantic import ValidationError

    try:
        cls = plugins.connector_class(system)
    except ModuleNotFoundError as error:
        if (error.name or "").partition(".")[0] in ROOMS:
            raise
        from timeline.problems import MissingDriver

        problem = MissingDriver(
            f"The connector {system!r} needs a driver that is not installed: {error.name}",
            where=f"source {source}",
            remedy=f"Install it: pip install 'halfawake[{system}]'",
        )
        return _refused(source, system, problem)
    try:
        validated = cls.Options.model_validate(options)
    except ValidationError as error:
        raise _OptionsProblem(error, cls.Options) from None
    budget = LOCAL_BUDGET if system in LOCAL else REMOTE_BUDGET
    if settings is not None and settings.timeout is not None:
        budget = Budget(budget.rows, budget.bytes, settings.timeout / 1_000)
    info = SourceInfo(source, cls.lane, system)
    return PreparedSource(info, cls(source, validated, rules), budget)


def _refused(source: str, system: str, problem: SourceProblem) -> PreparedSource:
    from timeline.event import Lane

    try:
        lane = plugins.connector_class(system).lane
    except (ImportError, plugins.UnknownPlugin):
        lane = Lane.LOG
    return PreparedSource(SourceInfo(source, lane, system), None, REMOTE_BUDGET, problem)
