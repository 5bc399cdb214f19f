"""What stays unloaded: a subprocess per claim, because import graphs cannot see late imports."""

from __future__ import annotations

import subprocess
import sys

import pytest

HEAVY = ("polars", "pydantic", "httpx", "elasticsearch", "psycopg", "redis", "rq")


def loaded_by(statement: str) -> set[str]:
    """Top-level modules that are loaded after `statement` ran in a fresh interpreter."""
    code = f"{statement}\nimport sys; print(*{{name.partition('.')[0] for name in sys.modules}})"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    return set(done.stdout.split())


@pytest.mark.parametrize(
    "arguments", [["--version"], ["demo", "--list"], ["at", "--help"], ["findings", "--help"]]
)
def test_headless_words_import_no_screen_and_no_driver(arguments: list[str]) -> None:
    statement = (
        "import contextlib, io\nfrom halfawake.cli import run\n"
        "with contextlib.suppress(SystemExit), contextlib.redirect_stdout(io.StringIO()):\n"
        f"    run({arguments!r})"
    )
    assert not loaded_by(statement) & {"textual", "rich", *HEAVY}


@pytest.mark.parametrize("connector", ["command", "elasticsearch", "file", "postgresql", "rq"])
def test_importing_a_connector_imports_no_driver(connector: str) -> None:
    loaded = loaded_by(
        f"from halfawake.plugins import connector_class; connector_class({connector!r})"
    )
    assert not loaded & {"httpx", "elasticsearch", "elastic_transport", "psycopg", "redis", "rq"}


def test_the_screen_is_painted_from_the_standard_library_and_textual() -> None:
    assert not loaded_by("import tui.app") & set(HEAVY)


def modules_after(statement: str) -> set[str]:
    """Every module of ours, by its whole name, that `statement` loads in a fresh interpreter."""
    code = f"{statement}\nimport sys; print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    rooms = {"halfawake", "timeline", "tui", "connectors"}
    return {name for name in done.stdout.split() if name.partition(".")[0] in rooms}


SKELETON_MODULES = 30
"""Modules of ours before the skeleton; there were 22 when this was written."""
SCREEN_MODULES = 90
"""The same before the first frame of the screen; there were 74. Each takes a quarter of a
millisecond of a frame that takes forty more than a bare program's."""


def test_the_skeleton_is_written_before_the_framework_is_loaded() -> None:
    statement = "import halfawake.commands.at, halfawake.show, halfawake.where, halfawake.collector"
    assert not loaded_by(statement) & {"textual", "rich", "json", *HEAVY}
    assert len(modules_after(statement)) <= SKELETON_MODULES


def test_the_first_frame_loads_what_it_draws_and_no_more() -> None:
    loaded = modules_after("import halfawake.show, halfawake.at_hand, halfawake.handover, tui.app")
    assert len(loaded) <= SCREEN_MODULES
    later = {
        "timeline.clock", "timeline.order", "timeline.batch", "timeline.coverage",
        "timeline.jump", "timeline.noted", "timeline.filter_line", "timeline.filters",
        "halfawake.collection", "halfawake.telling", "halfawake.config",
        "tui.reader", "tui.picker", "tui.proof", "tui.help_page", "tui.restore",
    }  # fmt: skip
    assert not loaded & later


def test_the_preview_of_a_file_needs_no_library() -> None:
    loaded = loaded_by("import connectors.logs.preview, halfawake.where, halfawake.collector")
    assert not loaded & {"textual", *HEAVY}
