"""`[redact]` of the configuration: used by every way out, refused with file, line and key."""

from __future__ import annotations

import re
import time
from pathlib import Path

import pytest

from halfawake.config import load_config
from halfawake.redact_config import RedactionProblem, team_redaction
from halfawake.redact_patterns import ORDINARY, TIMES, problem_of
from timeline.export.redact import Redactor
from timeline.export.rules import RULES

GOOD = r"""
[redact]
keep = ["*@shop.example", "203.0.113.5"]

[redact.rules.patient]
pattern = '\bMRN-(?P<secret>[0-9]{4,12})'
numbered = true

[redact.rules.voucher]
pattern = 'VC[0-9]{4}'
label = "gift-card"
"""


def _written(folder: Path, text: str) -> Path:
    path = folder / "team.toml"
    path.write_text(text, encoding="utf-8")
    return path


def test_rules_and_values_to_keep_are_applied(tmp_path: Path) -> None:
    team = team_redaction(_written(tmp_path, GOOD))
    redactor = Redactor((*team.rules, *RULES), keep=team.keep)
    text = (
        "MRN-004711 MRN-004712 MRN-004711 VC1234 from Help@Shop.example, x@y.example 203.0.113.5 "
        "203.0.113.6"
    )
    assert redactor.text(text) == (
        "MRN-patient#1 MRN-patient#2 MRN-patient#1 {redacted:gift-card} from Help@Shop.example, "
        "email#1 203.0.113.5 ip#1"
    )
    assert redactor.counts == (("email", 1), ("gift-card", 1), ("ip", 1), ("patient", 3))


def test_a_whole_configuration_knows_the_table(tmp_path: Path) -> None:
    config = load_config(_written(tmp_path, GOOD))
    assert [rule.name for rule in config.redact.redaction().rules] == ["patient", "gift-card"]


def test_without_a_file_or_a_table_nothing_is_added(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    assert team_redaction().rules == ()
    assert team_redaction(_written(tmp_path, "default_env = 'prod'\n")).rules == ()


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("[redact.rules.x]\npattern = '['\n", "line 2: redact.rules.x.pattern: '[' is no regular"),
        (
            "\n[redact.rules.x]\npatern = 'VC1'\n",
            "line 3: there is no setting redact.rules.x.patern. Did you mean 'pattern'?",
        ),
        ("[redact.rules.x]\nlabel = 'y'\n", "redact.rules.x.pattern is missing"),
        (
            "[redact.rules.x]\npattern = 'a*'\n",
            "line 2: redact.rules.x.pattern: it matches where nothing stands",
        ),
        (
            "[redact.rules.x]\npattern = '[0-9]{2}:[0-9]{2}'\n",
            "it matches the time '2026-03-14T02:07:29.117Z'",
        ),
        ("[redact.rules.x]\npattern = '[a-z]{4}'\n", "ordinary lines, such as"),
        ("[redact.rules.x]\npattern = '(?P<card>VC[0-9]{4})'\n", "its group 'card' is not known"),
        ("[redact]\nkeep = ['*']\n", "line 2: redact.keep.0: '*' would keep too much"),
        ("[redact.rules.Big]\npattern = 'VC1'\n", "redact.rules.Big"),
        ("[redact\n", "cannot be read"),
    ],
)
def test_what_cannot_be_used_is_refused_with_its_place(
    tmp_path: Path, text: str, said: str
) -> None:
    with pytest.raises(RedactionProblem) as refused:
        team_redaction(_written(tmp_path, text))
    assert "team.toml" in str(refused.value)
    assert said in str(refused.value)


@pytest.mark.parametrize(
    "pattern",
    [r"(a+)+$", r"token=([a-z0-9]+)*!", r"(x+x+)+y", r"(.*)(.*)(.*)(.*)=q", r"^(\w+\s?)*$"],
)
def test_a_pattern_that_takes_exponential_or_cubic_time_is_refused(pattern: str) -> None:
    started = time.process_time()
    assert "characters; bound its repetitions" in problem_of(pattern)
    assert time.process_time() - started < 10


@pytest.mark.parametrize(
    "pattern",
    [
        r"\bMRN-(?P<secret>[0-9]{4,12})",
        r"(?i)customer[ _-]?(?:no|number)[:=]\s{0,2}(?P<secret>\S{1,64})",
        r"acct_[A-Za-z0-9]{16}",
        r"(?<=tenant=)\w{1,40}",
    ],
)
def test_reasonable_patterns_are_taken(pattern: str) -> None:
    assert problem_of(pattern) == ""
    assert re.compile(pattern)


def test_no_built_in_rule_would_be_refused_for_being_too_broad() -> None:
    redactor = Redactor()
    for text in (*TIMES, *ORDINARY):
        assert redactor.text(text) == text
