"""A checked-out configuration never runs a command that nobody has looked at."""

from __future__ import annotations

import io
import sys
from pathlib import Path

import pytest

from halfawake.config import ConfigProblem, load_config
from halfawake.plugins import CONNECTORS, connector_class, names
from halfawake.trust import commands_in, ensure_trusted

TEXT = """
[env.prod.sources.db]
connector = "postgresql"
via = "ssh bastion"
password_command = ["op", "read", "db"]
[env.prod.sources.pods]
connector = "command"
argv = ["kubectl", "logs"]
"""


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def answer(monkeypatch: pytest.MonkeyPatch, text: str) -> Terminal:
    shown = Terminal()
    monkeypatch.setattr(sys, "stdin", Terminal(text))
    monkeypatch.setattr(sys, "stderr", shown)
    return shown


def test_every_command_is_listed(tmp_path: Path) -> None:
    path = tmp_path / "halfawake.toml"
    path.write_text(TEXT, encoding="utf-8")
    _, environment = load_config(path).environment(None)
    assert commands_in(environment) == ("kubectl logs", "op read db", "ssh bastion")


@pytest.mark.parametrize(
    ("connector", "option", "value"),
    [
        ("kubernetes", "kubectl", ["./kubectl"]),
        ("kubernetes", "kubeconfig", "./stolen.yaml"),  # an exec plugin in it is a program too
        ("journald", "journalctl", ["./journalctl"]),
    ],
)
def test_a_connector_that_runs_a_program_has_it_listed(
    tmp_path: Path, connector: str, option: str, value: str | list[str]
) -> None:
    path = tmp_path / "halfawake.toml"
    source = f'[env.prod.sources.x]\nconnector = "{connector}"\n{option} = {value!r}\n'
    path.write_text(source, encoding="utf-8")
    _, environment = load_config(path).environment(None)
    assert commands_in(environment) == (value if isinstance(value, str) else value[0],)


def test_every_option_that_runs_a_program_is_an_option() -> None:
    for name in names(CONNECTORS):
        found = connector_class(name)
        assert set(getattr(found, "runs", ())) <= set(found.Options.model_fields), name


def test_agreement_is_asked_once_and_for_these_commands_only(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path, state = tmp_path / "halfawake.toml", tmp_path / "state" / "trusted.json"
    shown = answer(monkeypatch, "y\n")
    ensure_trusted(path, ["ssh bastion"], state)
    assert "ssh bastion" in shown.getvalue()
    answer(monkeypatch, "")
    ensure_trusted(path, ["ssh bastion"], state)
    with pytest.raises(ConfigProblem, match="not agreed"):
        ensure_trusted(path, ["ssh evil"], state)


def test_without_a_terminal_nothing_runs(tmp_path: Path) -> None:
    with pytest.raises(ConfigProblem, match="nobody has agreed"):
        ensure_trusted(tmp_path / "halfawake.toml", ["ssh bastion"], tmp_path / "trusted.json")


def test_no_commands_no_question(tmp_path: Path) -> None:
    ensure_trusted(tmp_path / "halfawake.toml", [], tmp_path / "trusted.json")
