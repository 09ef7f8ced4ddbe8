"""Layers, optimizers, schedules and data made from declarations alone, so that a new one is tested at once."""

from __future__ import annotations

from dataclasses import MISSING, fields
from typing import Any

import numpy as np

import chainrule as cr

BY_TYPE = {
    "int": 3,
    "float": 0.5,
    "ActivationName": "tanh",
    "tuple[int, ...]": (4,),
    "tuple[float, ...]": (0.25, 0.5),
    "tuple[tuple[float, ...], ...]": ((-1.0, 0.0, 2.0), (-0.5, 0.5)),
    "tuple[tuple[Any, ...], ...]": ((cr.Dense(3, "tanh"),), (cr.Dense(3),)),
    "Any": 0.5,
}
"""A value for every kind of setting that has no default."""


def exported(base: type) -> list[Any]:
    """Every public subclass of `base`."""
    found = [getattr(cr, name) for name in cr.__all__]
    return [kind for kind in found if isinstance(kind, type) and issubclass(kind, base) and kind is not base]


def made(kind: Any, **given: Any) -> Any:
    """An instance with as few settings as it can be made with."""
    needed = [f for f in fields(kind) if f.default is MISSING and f.default_factory is MISSING]
    return kind(**{f.name: BY_TYPE[f.type] for f in needed} | given)


def called(layer: Any) -> Any:
    """A function of one array that uses a layer: with the same array for all inputs that it takes."""
    return (lambda x: x * layer) if isinstance(layer, cr.Parameter) else (lambda x: layer(*[x] * (layer.takes or 1)))


def with_a_category(rows: Any) -> Any:
    """The rows with a last number that is positive, as is that of a category, which a layer may take it for."""
    return np.concatenate([rows[:, :-1], np.abs(rows[:, -1:])], axis=1)


def first_set(kind: Any, value: float) -> Any:
    """An instance whose first setting is this number, or a row of it."""
    first = fields(kind)[0]
    return made(kind, **{first.name: (value, value) if first.type.startswith("tuple") else value})


def targets_for(loss: Any, rows: int, width: int, seed: int = 0) -> Any:
    """Targets such as a loss takes: encoded labels, probabilities, or counts."""
    random = np.random.default_rng(seed)
    if loss.task == "classification":
        classes = max(width, 2)
        return np.asarray(loss.encode(random.integers(0, classes, rows), classes, width), np.float64)
    if loss.link == "softmax":
        return random.dirichlet(np.ones(width), rows)
    return random.poisson(2.0, (rows, width)).astype(float)


def numerical_gradient(function: Any, x: Any, step: float = 1e-5) -> Any:
    """Central differences of a function of one float64 array, number by number."""
    gradient = np.empty_like(x)
    for place in np.ndindex(x.shape):
        up, down = x.copy(), x.copy()
        up[place] += step
        down[place] -= step
        gradient[place] = (function(up) - function(down)) / (2 * step)
    return gradient


def moons(rows: int = 60, seed: int = 0) -> tuple[Any, Any]:
    """Points in two classes that a small network tells apart, and their class numbers."""
    random = np.random.default_rng(seed)
    X = random.normal(size=(rows, 2))
    return X, (X[:, 0] * X[:, 1] > 0).astype(int)
