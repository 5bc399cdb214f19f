"""A configuration either means what it says or is refused with file, line, key and remedy."""

from __future__ import annotations

from pathlib import Path

import pytest

from halfawake.config import ConfigProblem, find_config, load_config
from timeline.clock import MILLISECOND_NS

GOOD = """\
default_env = "prod"
before = "10m"

[keys.user]
table = "users"
fields = ["user_id"]

[clocks.web-1]
error = "20ms"

[env.prod]
expected_services = ["web", "mailer"]

[env.prod.sources.orders]
connector = "postgresql"
dsn = "postgresql://reader:${PG_PASSWORD}@db/shop"
tables = [{ name = "users" }]

[env.staging.sources.web]
connector = "file"
paths = ["web.log"]
"""


def written(folder: Path, text: str) -> Path:
    path = folder / "halfawake.toml"
    path.write_text(text, encoding="utf-8")
    return path


def refusal(folder: Path, text: str, environ: dict[str, str] | None = None) -> str:
    with pytest.raises(ConfigProblem) as caught:
        load_config(written(folder, text), environ or {})
    return str(caught.value)


def test_a_good_file_is_understood(tmp_path: Path) -> None:
    config = load_config(written(tmp_path, GOOD), {"PG_PASSWORD": "s3cret"})
    name, environment = config.environment(None)
    assert name == "prod"
    assert environment.sources["orders"].options["dsn"] == "postgresql://reader:s3cret@db/shop"
    assert config.key_rules().for_table("public.users") is not None
    assert config.clock_table().bound("web-1").ahead == 20 * MILLISECOND_NS
    assert config.clock_table().bound("web-1").how == "declared"


def test_an_unset_variable_is_named_with_its_line(tmp_path: Path) -> None:
    said = refusal(tmp_path, GOOD)
    assert "halfawake.toml, line 16" in said
    assert "PG_PASSWORD" in said


@pytest.mark.parametrize(
    ("wrong", "line", "said"),
    [
        (GOOD.replace("fields =", "feilds ="), 6, "keys.user.feilds. Did you mean 'fields'?"),
        (GOOD.replace("[env.prod]\nexpected_", "[env.prod]\nexpceted_"), 12, "'expected_services'"),
        (GOOD.replace('error = "20ms"', 'error = "20"'), 9, "is not a duration"),
        (GOOD.replace('connector = "postgresql"\n', ""), 14, "connector is missing"),
        (GOOD.replace("default_env", "default_enf"), 1, "Did you mean 'default_env'?"),
    ],
)
def test_a_wrong_key_is_refused_with_its_line(
    tmp_path: Path, wrong: str, line: int, said: str
) -> None:
    message = refusal(tmp_path, wrong, {"PG_PASSWORD": "x"})
    assert f"line {line}:" in message
    assert said in message


def test_broken_toml_is_one_sentence(tmp_path: Path) -> None:
    assert "is not valid TOML" in refusal(tmp_path, "[env\n")


def test_environments_are_never_guessed(tmp_path: Path) -> None:
    text = GOOD.replace('default_env = "prod"\n', "")
    config = load_config(written(tmp_path, text), {"PG_PASSWORD": "x"})
    with pytest.raises(ConfigProblem, match=r"Which environment\? .* prod, staging"):
        config.environment(None)
    with pytest.raises(ConfigProblem, match="Did you mean 'staging'"):
        config.environment("stagin")


def test_the_project_file_comes_before_the_users(tmp_path: Path) -> None:
    user = tmp_path / "user"
    user.mkdir()
    written(user, GOOD)
    assert find_config(None, tmp_path, user) == user / "halfawake.toml"
    project = written(tmp_path, GOOD)
    assert find_config(None, tmp_path, user) == project
    with pytest.raises(ConfigProblem, match="no configuration file"):
        find_config(tmp_path / "other.toml", tmp_path, user)
