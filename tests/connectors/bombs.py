"""Bodies that write a file when somebody loads them: proof that nobody did, and that they would."""

from __future__ import annotations

import os
import pickle
from pathlib import Path

import yaml


class PickleBomb:
    """Unpickling it creates `path`."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def __reduce__(self) -> tuple[object, ...]:
        return os.mkdir, (str(self._path),)


def pickled(path: Path) -> bytes:
    """A pickle that creates the folder `path` when it is loaded."""
    return pickle.dumps(PickleBomb(path))


def yaml_text(path: Path) -> bytes:
    """YAML that creates the folder `path` when it is loaded with Python's tags."""
    return f'--- !!python/object/apply:os.mkdir ["{path}"]\n'.encode()


def assert_armed(folder: Path) -> None:
    """Both do what they say, elsewhere: a bomb that cannot go off would prove nothing."""
    pickle.loads(pickled(folder / "by-pickle"))
    yaml.unsafe_load(yaml_text(folder / "by-yaml"))
    assert (folder / "by-pickle").exists()
    assert (folder / "by-yaml").exists()
