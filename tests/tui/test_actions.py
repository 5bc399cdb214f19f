"""The registry is the one place: keys, methods, footer, palette and help agree with it."""

from __future__ import annotations

from collections import Counter

import pytest

from tests.tui import story
from tests.tui.conftest import Opening
from tui import actions
from tui.export_page import ExportScreen
from tui.incident_screen import IncidentScreen
from tui.proof import ProofScreen
from tui.reader import Reader
from tui.sources_page import SourcesScreen
from tui.told_page import PickPage

SCREENS: dict[actions.Scope, type] = {
    "incident": IncidentScreen,
    "reader": Reader,
    "proof": ProofScreen,
    "sources": SourcesScreen,
    "export": ExportScreen,
    "pick": PickPage,
}

TROUBLESOME = frozenset(
    [
        "ctrl+i",
        "ctrl+m",
        "ctrl+h",
        "ctrl+left_square_bracket",
        "ctrl+s",
        "ctrl+z",
        "ctrl+a",
        "ctrl+b",
        "f1",
        "f10",
        "f11",
    ]
)
"""Keys that terminals, multiplexers or flow control take, or that share a byte with another."""


@pytest.mark.parametrize("action", actions.ACTIONS, ids=lambda a: f"{a.scope}.{a.name}")
def test_every_action_has_its_method(action: actions.Action) -> None:
    assert callable(getattr(SCREENS[action.scope], f"action_{action.name}"))


@pytest.mark.parametrize("scope", SCREENS)
def test_no_key_means_two_things(scope: actions.Scope) -> None:
    keys = Counter(key for action in actions.of(scope) for key in action.keys)
    assert [key for key, count in keys.items() if count > 1] == []


def test_no_key_that_a_terminal_keeps() -> None:
    assert not TROUBLESOME & {key for action in actions.ACTIONS for key in action.keys}


def test_every_method_is_registered() -> None:
    for scope, screen in SCREENS.items():
        own = {name.removeprefix("action_") for name in vars(screen) if name.startswith("action_")}
        assert own <= {action.name for action in actions.of(scope)}


def test_the_footer_tells_help_and_quit_first_or_last() -> None:
    labels = [label.text for label in actions.footer_labels("incident")]
    assert labels[:3] == ["n/p step", "1-7 finding", "enter proof"]
    assert "? help" in labels[:6]
    assert labels[-1] == "q quit"


async def test_the_palette_offers_every_action_and_finding(open_night: Opening) -> None:
    async with open_night() as night:
        await night.tell_all()
        titles = [c.title for c in night.app.get_system_commands(night.app.incident_screen)]
        expected = [
            action.title
            for action in actions.of("incident")
            if not action.numbered and action.name != "palette"
        ]
        assert set(expected) <= set(titles)
        assert [t for t in titles if t.startswith("finding: Go to 2")] == [
            f"finding: Go to 2 ({story.FINDINGS[1].term})"
        ]


async def test_a_command_of_the_palette_does_what_its_key_does(open_night: Opening) -> None:
    async with open_night() as night:
        await night.tell_all()
        await night.press("colon", *"halve the window")
        await night.pilot.app.workers.wait_for_complete()
        await night.press("enter")
        await night.pilot.pause()
        assert len(night.collector.windows) == 2
