"""`[links]` in a configuration: what is refused, with file, line and key, and what is exported."""

from __future__ import annotations

from pathlib import Path

import pytest

from halfawake.cli import run
from halfawake.config import load_config
from halfawake.link_config import LinkProblem, team_links

GOOD = """\
[links.kibana]
kind = "kibana"
base = "https://kibana.example.com"
data_view = "logs"
sources = ["logs"]
around = "2m"

[links.jobs]
base = "https://jobs.example.com/{job}?from={from}"
sources = ["queue"]
"""


def written(folder: Path, text: str) -> Path:
    path = folder / "halfawake.toml"
    path.write_text(text, encoding="utf-8")
    return path


def test_templates_come_in_the_order_of_the_file(tmp_path: Path) -> None:
    path = written(tmp_path, GOOD)
    kibana, jobs = team_links(path)
    assert (kibana.name, kibana.kind, kibana.sources) == ("kibana", "kibana", ("logs",))
    assert kibana.around == 120 * 10**9
    assert jobs.kind == "url"
    assert set(load_config(path, {}).links) == {"kibana", "jobs"}


def test_no_file_and_no_table_are_no_links(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "none"))
    monkeypatch.chdir(tmp_path)
    assert team_links() == ()
    written(tmp_path, 'default_env = "prod"\n')
    assert team_links() == ()


@pytest.mark.parametrize(
    ("change", "line", "said"),
    [
        (('base = "https://kibana', 'base = "javascript:kibana'), 3, "no http:// or https://"),
        (("https://kibana.example", "https://me:pw@kibana.example"), 3, "user name"),
        (('data_view = "logs"\n', ""), 1, "needs data_view"),
        (('kind = "kibana"', 'kind = "splunk"'), 2, "kind"),
        (("data_view", "dataview"), 4, "Did you mean 'data_view'?"),
        (("{from}", "{when}"), 8, "{when} is nothing a record has"),
        (('around = "2m"', 'around = "soon"'), 6, "duration"),
        (('sources = ["queue"]\n', ""), 8, "sources is missing"),
    ],
)
def test_what_is_wrong_is_refused_with_its_line_and_key(
    change: tuple[str, str], line: int, said: str, tmp_path: Path
) -> None:
    assert change[0] in GOOD
    path = written(tmp_path, GOOD.replace(*change))
    with pytest.raises(LinkProblem) as problem:
        team_links(path)
    assert f"{path}, line {line}: " in str(problem.value)
    assert "links." in str(problem.value)
    assert said in str(problem.value)


def test_the_command_links_and_refuses(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    written(tmp_path, GOOD)
    run(["export", "demo:signup-race", "--format", "list"])
    told = capsys.readouterr().out
    assert "<https://kibana.example.com/app/discover#/?_g=%28" in told
    assert "<https://jobs.example.com/" in told
    day = told.removeprefix("Incident at ").partition(" ")[0]
    assert f"?from={day}T" in told
    written(tmp_path, GOOD.replace("https://kibana", "file://kibana"))
    assert run(["export", "demo:signup-race", "--format", "list"]) == 2
    captured = capsys.readouterr()
    assert "line 3: links.kibana.base: " in captured.err
    assert captured.out == ""
