"""What every test shares: real servers by fixture, and a machine cut off at one seam."""

from __future__ import annotations

from pathlib import Path

import hypothesis
import pytest

# a busy machine is no failure: what a property needs is examples, not milliseconds
hypothesis.settings.register_profile("halfawake", deadline=None)
hypothesis.settings.load_profile("halfawake")

pytest_plugins = ["tests.servers.pytest_fixtures"]


@pytest.fixture(autouse=True)
def no_discovered_configuration(
    monkeypatch: pytest.MonkeyPatch, tmp_path_factory: pytest.TempPathFactory
) -> Path:
    """No test sees the developer's own configuration, bundles or trust decisions."""
    folder = tmp_path_factory.mktemp("home")
    for name in ("XDG_CONFIG_HOME", "XDG_STATE_HOME"):
        monkeypatch.setenv(name, str(folder / name.lower()))
    monkeypatch.setenv("TEXTUAL_ANIMATIONS", "none")
    return folder
