"""Classic sets of points in the plane, drawn anew each time from one seed: two classes, 0 and 1."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

ROWS = 200


def in_the_plane(name: str, rows: int = ROWS, seed: int = 0) -> tuple[Any, Any]:
    """Points of shape (rows, 2) and their classes.

    >>> points, classes = in_the_plane("circle", rows=6)
    >>> points.shape, classes.tolist()
    ((6, 2), [0, 1, 0, 1, 0, 1])
    """
    random = np.random.default_rng(seed)
    classes = np.arange(rows) % 2
    return PLANE[name](random, classes), classes


def _circle(random: Any, classes: Any) -> Any:
    radius = np.where(classes == 0, random.uniform(0.0, 0.5, classes.size), random.uniform(0.7, 1.0, classes.size))
    angle = random.uniform(0, 2 * np.pi, classes.size)
    return np.stack([radius * np.cos(angle), radius * np.sin(angle)], axis=1)


def _xor(random: Any, classes: Any) -> Any:
    points = random.uniform(0.05, 1.0, (classes.size, 2)) * random.choice([-1.0, 1.0], (classes.size, 1))
    return points * np.where(classes == 1, 1.0, -1.0)[:, None] ** np.array([0, 1])


def _gauss(random: Any, classes: Any) -> Any:
    return random.normal(0.0, 0.22, (classes.size, 2)) + np.where(classes == 1, 0.5, -0.5)[:, None]


def _spiral(random: Any, classes: Any) -> Any:
    way = np.sqrt(random.uniform(0.01, 1.0, classes.size))
    angle = 3.5 * np.pi * way + np.pi * classes
    return np.stack([way * np.cos(angle), way * np.sin(angle)], axis=1) + random.normal(0, 0.02, (classes.size, 2))


def _moons(random: Any, classes: Any) -> Any:
    angle = random.uniform(0, np.pi, classes.size)
    outer = np.stack([np.cos(angle) - 0.5, np.sin(angle) - 0.25], axis=1)
    inner = np.stack([0.5 - np.cos(angle), 0.25 - np.sin(angle)], axis=1)
    return np.where(classes[:, None] == 0, outer, inner) * 0.7 + random.normal(0, 0.05, (classes.size, 2))


def _plane(random: Any, classes: Any) -> Any:
    points = random.uniform(-1.0, 1.0, (classes.size, 2))
    side = points @ (0.6, 0.8)
    wanted = np.where(classes == 1, 1.0, -1.0)
    moved = wanted * (np.abs(side) + 0.06) - side
    return points + moved[:, None] * (0.6, 0.8)


def _stripes(random: Any, classes: Any) -> Any:
    stripe = 2 * random.integers(0, 2, classes.size) + classes
    return np.stack(
        [(stripe + random.uniform(0.08, 0.92, classes.size)) / 2 - 1.0, random.uniform(-1, 1, classes.size)], axis=1
    )


def _chessboard(random: Any, classes: Any) -> Any:
    column, half = random.integers(0, 4, classes.size), random.integers(0, 2, classes.size)
    cell = np.stack([column, 2 * half + (column + classes) % 2], axis=1)
    return (cell + random.uniform(0.08, 0.92, (classes.size, 2))) / 2 - 1.0


PLANE: dict[str, Callable[[Any, Any], Any]] = {
    "circle": _circle,
    "xor": _xor,
    "gauss": _gauss,
    "spiral": _spiral,
    "moons": _moons,
    "plane": _plane,
    "stripes": _stripes,
    "chessboard": _chessboard,
}
"""The sets, by name."""
