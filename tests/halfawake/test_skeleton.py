"""The first frame: T at once, in cleaned words, and a terminal that is given back."""

from __future__ import annotations

import io
import os
import signal
import sys
import time

import pytest

from halfawake.skeleton import skeleton
from timeline.window import MINUTE_NS, Window
from timeline.words import REACHING

PIN = 1_773_454_060_000_000_000
"""2026-03-14T02:07:40Z."""
WINDOW = Window.around(PIN, 30 * MINUTE_NS, 5 * MINUTE_NS)


class Terminal(io.TextIOWrapper):
    """Standard output of a given encoding, as bytes."""

    def __init__(self, encoding: str) -> None:
        self.written = io.BytesIO()
        super().__init__(self.written, encoding=encoding)

    @property
    def text(self) -> str:
        return self.written.getvalue().decode("utf-8")


def opened(monkeypatch: pytest.MonkeyPatch, encoding: str = "utf-8") -> Terminal:
    """Standard output from now on; a fixture would be too early for who captures it."""
    terminal = Terminal(encoding)
    monkeypatch.setattr(sys, "stdout", terminal)
    return terminal


def test_t_its_title_and_window_stand_on_a_page_of_their_own(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    terminal = opened(monkeypatch)
    with skeleton("web.log", WINDOW):
        told = terminal.text
    assert told.startswith("\x1b[?1049h")
    assert "web.log   T 2026-03-14 02:07:40Z" in told
    assert "window -30/+5 min" in told
    assert REACHING in told
    assert "\x1b[?1049l" not in terminal.text  # the framework goes on on the same page


def test_a_name_of_a_file_draws_nothing_of_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    terminal = opened(monkeypatch)
    with skeleton("\x1b]0;owned\x07\u202eweb.log\n", WINDOW):
        pass
    assert "\x1b]" not in terminal.text
    assert "\x07" not in terminal.text
    assert "\u202e" not in terminal.text
    assert terminal.text.count("\n") == 1  # between its own two lines


@pytest.mark.parametrize("error", [ValueError, KeyboardInterrupt])
def test_the_terminal_is_given_back_when_the_screen_cannot_be_made(
    monkeypatch: pytest.MonkeyPatch, error: type[BaseException]
) -> None:
    terminal = opened(monkeypatch)
    with pytest.raises(error), skeleton("web.log", WINDOW):
        raise error
    assert terminal.text.endswith("\x1b[?1049l")


def test_a_terminal_without_the_letters_of_a_title_gets_others(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    terminal = opened(monkeypatch, "ascii")
    with skeleton("prüfung.log", WINDOW):
        pass
    assert "pr?fung.log   T " in terminal.text


def test_a_termination_gives_the_terminal_back(monkeypatch: pytest.MonkeyPatch) -> None:
    terminal = opened(monkeypatch)
    usual = signal.getsignal(signal.SIGTERM)
    with pytest.raises(SystemExit) as ended, skeleton("web.log", WINDOW):
        os.kill(os.getpid(), signal.SIGTERM)
        time.sleep(5)
    assert ended.value.code == 128 + signal.SIGTERM
    assert terminal.text.endswith("\x1b[?1049l")
    assert signal.getsignal(signal.SIGTERM) is usual
