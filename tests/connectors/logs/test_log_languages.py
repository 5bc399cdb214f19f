"""PostgreSQL's own log in the languages of `lc_messages`: levels are read, explanations belong."""

from __future__ import annotations

from pathlib import Path

import pytest

from connectors.logs.levels import severity_of
from connectors.logs.pglevels import TRANSLATED
from tests.connectors.logs.reading import load

SAID = [
    ("FEHLER", "ANWEISUNG: ", 17),
    ("ERREUR", "INSTRUCTION : ", 17),
    ("ERRORE", "ISTRUZIONE: ", 17),
    ("BŁĄD", "WYRAŻENIE: ", 17),
    ("ОШИБКА", "ОПЕРАТОР: ", 17),
    ("错误", "语句: ", 17),
    ("WARNUNG", "TIPP: ", 13),
    ("ATTENTION", "ASTUCE : ", 13),
    ("FATALE", "DETTAGLI: ", 21),
    ("HINWEIS", "DETAIL: ", 10),
    ("LOGG", "DETALJ: ", 9),
    ("ERROR", "SENTENCIA: ", 17),
]


@pytest.mark.parametrize(("level", "explains", "severity"), SAID)
def test_a_level_is_read_and_its_explanation_is_no_event(
    tmp_path: Path, level: str, explains: str, severity: int
) -> None:
    log = tmp_path / "postgresql.log"
    begin = "2026-03-14 02:07:29.110 UTC [812] shop@shop"
    log.write_text(
        f"{begin} {level}:  doppelter Schlüsselwert\n"
        f"{begin} {explains} INSERT INTO users VALUES (1)\n"
        "2026-03-14 02:07:30.000 UTC [813] shop@shop LOG:  next\n"
    )
    first, second = load(log).events
    assert first.severity_number == severity
    assert "INSERT INTO users" in first.body
    assert "shop@shop" not in first.body.partition("\n")[2]
    assert second.severity_number == 9


@pytest.mark.parametrize(("word", "english"), TRANSLATED.items())
def test_every_word_means_its_english_level(word: str, english: str) -> None:
    assert severity_of(word) == severity_of(english) > 0


def test_a_word_of_no_catalogue_begins_no_message(tmp_path: Path) -> None:
    log = tmp_path / "postgresql.log"
    begin = "2026-03-14 02:07:29.110 UTC [812] shop@shop"
    log.write_text(f"{begin} LOG:  one\n{begin} Quatsch:  two\n{begin} LOG:  three\n")
    assert len([e for e in load(log).events if e.severity_number == 9]) == 2
