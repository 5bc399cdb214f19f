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


def test_the_preview_of_a_file_needs_no_library() -> None:
    loaded = loaded_by("import connectors.logs.preview, halfawake.where, halfawake.collector")
    assert not loaded & {"textual", *HEAVY}
