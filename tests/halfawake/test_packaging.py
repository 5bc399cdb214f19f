"""What people install is what was tested: a wheel built from the sdist, far from the checkout."""

from __future__ import annotations

import os
import subprocess
import sys
import venv
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]

pytestmark = pytest.mark.skipif(
    "HALFAWAKE_REQUIRE_SERVERS" not in os.environ,
    reason="takes a minute and the package index; set HALFAWAKE_REQUIRE_SERVERS=1",
)


def ran(*argv: str | Path, cwd: Path) -> str:
    done = subprocess.run([str(word) for word in argv], cwd=cwd, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The bin folder of a fresh environment that holds the wheel and nothing of the checkout."""
    folder = tmp_path_factory.mktemp("package")
    ran(sys.executable, "-m", "build", "--outdir", folder, ROOT, cwd=folder)
    wheel = next(folder.glob("*.whl"))
    venv.create(folder / "env", with_pip=True)
    binaries = folder / "env" / "bin"
    constraints = ("--constraint", ROOT / "constraints.txt")
    ran(binaries / "pip", "install", "--quiet", *constraints, f"{wheel}[all]", cwd=folder)
    return binaries


def test_every_module_imports(installed: Path, tmp_path: Path) -> None:
    script = (
        "import importlib, pkgutil\n"
        "for room in ('halfawake', 'connectors', 'timeline', 'tui'):\n"
        "    package = importlib.import_module(room)\n"
        "    assert 'env' in package.__file__, package.__file__\n"
        "    for module in pkgutil.walk_packages(package.__path__, room + '.'):\n"
        "        if not module.name.endswith('__main__'):\n"
        "            importlib.import_module(module.name)\n"
        "            print(module.name)\n"
    )
    names = ran(installed / "python", "-c", script, cwd=tmp_path).split()
    assert {"timeline.store", "connectors.file", "tui.app", "halfawake.cli"} <= set(names)


def test_the_demo_runs(installed: Path, tmp_path: Path) -> None:
    listed = ran(installed / "halfawake", "demo", "--list", cwd=tmp_path)
    assert "night-hiccup" in listed
    assert "quiet-hour" in listed
    shown = ran(installed / "halfawake", "demo", cwd=tmp_path)
    assert "network-hiccup" in shown
