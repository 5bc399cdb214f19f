"""The list of keys: one line each, safe to open in a spreadsheet, redacted."""

from __future__ import annotations

import csv
import io
from dataclasses import dataclass, replace
from typing import ClassVar

import pytest

from timeline.export.keys import COLUMNS, KeysExporter
from timeline.finding import Finding, Repair
from timeline.order import Verdict

from .world import ANALYSIS, OPTIONS, T, incident


@dataclass(frozen=True, kw_only=True)
class Batch(Finding):
    """A finding that says what became of each key."""

    term: ClassVar[str] = "partial-batch"
    remedy: ClassVar[str] = "Keep a ledger."
    became: tuple[Repair, ...]

    def sentence(self) -> str:
        return "Half of it was done."

    def repairs(self) -> tuple[Repair, ...]:
        return self.became


def rows(*became: Repair, qualifier: bool = False) -> list[list[str]]:
    batch = Batch(
        verdict=Verdict.CERTAIN,
        weakest_link="",
        began=T,
        ended=T,
        became=became,
        qualifier=qualifier,
    )
    analysis = replace(ANALYSIS, findings=(batch,))
    text = KeysExporter().render(incident(()), analysis, OPTIONS)
    assert text.endswith("\n")
    return [*csv.reader(io.StringIO(text))]


def test_keys_stand_in_the_order_of_work() -> None:
    found = rows(Repair("app:9", "never tried"), Repair("app:1", "failed", "time-out, then gone"))
    assert found == [
        [*COLUMNS],
        ["partial-batch", "certain", "app:9", "never tried", ""],
        ["partial-batch", "certain", "app:1", "failed", "time-out, then gone"],
    ]


def test_a_finding_without_a_list_of_its_own_names_its_keys() -> None:
    text = KeysExporter().render(incident(()), ANALYSIS, OPTIONS)
    listed = [line[2] for line in csv.reader(io.StringIO(text))][1:]
    assert listed == [key for finding in ANALYSIS.findings for key in finding.keys]
    assert listed


def test_routine_is_nobodys_work() -> None:
    assert rows(Repair("app:1", "done"), qualifier=True) == [[*COLUMNS]]


@pytest.mark.parametrize("begins", ["=1+1", "+1", "-1", "@SUM(A1)", '=HYPERLINK("http://x","y")'])
def test_no_cell_is_a_formula(begins: str) -> None:
    line = rows(Repair(begins, begins, begins))[1]
    assert [cell[0] for cell in line[2:]] == ["'"] * 3


def test_a_line_break_starts_no_new_row_and_no_secret_leaves() -> None:
    found = rows(Repair("order:1", "failed", "password=hunter2secret\r\n=1+1"))
    assert len(found) == 2
    assert "hunter2secret" not in found[1][4]
