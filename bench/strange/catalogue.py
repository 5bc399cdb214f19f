"""All strange logs, by family and name."""

from __future__ import annotations

from bench.strange import (
    access,
    broken,
    crowds,
    fields,
    platform,
    servers,
    stacks,
    tongues,
    workers,
)
from bench.strange.shape import Shape

SHAPES: tuple[Shape, ...] = (
    *access.SHAPES,
    *platform.SHAPES,
    *stacks.SHAPES,
    *fields.SHAPES,
    *servers.SHAPES,
    *workers.SHAPES,
    *broken.SHAPES,
    *crowds.SHAPES,
    *tongues.SHAPES,
)
BY_NAME: dict[str, Shape] = {shape.name: shape for shape in SHAPES}
