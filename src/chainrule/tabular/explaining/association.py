"""Which columns say the same: how far each is a linear function of another's ranks and categories."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from chainrule.tables.columns import Feature
from chainrule.training.metrics import Array

ALIKE = 0.9
MOST_CATEGORIES, MOST_COLUMNS = 20, 200
"""Categories that count of one column, and columns that are compared."""


def places_of(features: Sequence[Feature]) -> dict[str, NDArray[np.intp]]:
    """Where the features of every column are in X, by the column's name."""
    found: dict[str, list[int]] = {}
    for place, feature in enumerate(features):
        found.setdefault(feature.column, []).append(place)
    return {name: np.array(places, np.intp) for name, places in found.items()}


def associations(X: Array, features: Sequence[Feature], columns: Sequence[str]) -> NDArray[np.float64]:
    """How far pairs of columns determine each other, from 0 to 1: √(‖QᵃᵀQᵇ‖²/min(kᵃ, kᵇ)).

    Q holds an orthonormal basis of a column's centred ranks, or of its k − 1 flags; of two columns of numbers it is |ρ|,
    Spearman's rank correlation, of a number and categories √R². The square is the mean of their squared canonical
    correlations (Ramsay and others 1984).
    """
    places = places_of(features)
    bases = [_basis(X, features, places[name]) for name in columns]
    found = np.eye(len(columns))
    for i, a in enumerate(bases):
        for j in range(i):
            least = min(a.shape[1], bases[j].shape[1])
            if least:
                found[i, j] = found[j, i] = np.sqrt(min(1.0, float(np.sum((a.T @ bases[j]) ** 2)) / least))
    return found


def _basis(X: Array, features: Sequence[Feature], places: NDArray[np.intp]) -> NDArray[np.float64]:
    kinds = {features[i].kind for i in places}
    if "number" in kinds:
        wide = np.stack([_ranks(X[:, i]) for i in places if features[i].kind == "number"], axis=1)
    else:
        parts = [_flags(X[:, i]) if features[i].kind == "code" else X[:, i, None] for i in places]
        wide = np.concatenate(parts, axis=1)[:, :MOST_CATEGORIES]
    centred = np.asarray(wide, np.float64) - wide.mean(axis=0)
    vectors, sizes, _ = np.linalg.svd(centred, full_matrices=False)
    return np.asarray(vectors[:, sizes > 1e-6 * max(float(sizes.max(initial=0.0)), 1e-12)])


def _ranks(values: Array) -> Array:
    """Ranks, equal numbers sharing the mean of theirs."""
    _, place, counts = np.unique(values, return_inverse=True, return_counts=True)
    return np.asarray((np.cumsum(counts) - 0.5 * (counts - 1))[place])


def _flags(codes: Array) -> Array:
    """A flag for each of the codes that occur most."""
    known, counts = np.unique(codes, return_counts=True)
    most = known[np.argsort(-counts, kind="stable")[:MOST_CATEGORIES]]
    return np.asarray(codes[:, None] == most)


def groups_of(columns: Sequence[str], strengths: NDArray[np.float64]) -> list[tuple[str, ...]]:
    """Columns that are linked by strengths of at least 0.9, two or more together, in the order given."""
    group = list(range(len(columns)))
    for i, j in np.argwhere(np.triu(strengths, 1) >= ALIKE):
        old, new = max(group[i], group[j]), min(group[i], group[j])
        group = [new if g == old else g for g in group]
    found: dict[int, list[str]] = {}
    for name, g in zip(columns, group, strict=True):
        found.setdefault(g, []).append(name)
    return [tuple(names) for names in found.values() if len(names) > 1]


def with_the_outputs(X: Array, features: Sequence[Feature], outputs: Array) -> Mapping[str, float]:
    """Of every column the largest correlation of one of its features with one of the outputs: cheap, and of any number of columns."""
    centred = outputs.reshape(len(outputs), -1) - outputs.reshape(len(outputs), -1).mean(axis=0)
    scale = np.sqrt(np.sum(centred**2, axis=0)) + 1e-12
    found: dict[str, float] = {}
    for name, places in places_of(features).items():
        own = np.asarray(X[:, places], np.float64)
        own = own - own.mean(axis=0)
        size = np.sqrt(np.sum(own**2, axis=0)) + 1e-12
        found[name] = float(np.abs((own / size).T @ (centred / scale)).max())
    return found


def named(columns: Sequence[Any], most: int = 4) -> str:
    """Columns in a sentence: `a, b and c`."""
    names = [str(x) for x in columns]
    if len(names) > most:
        return f"{', '.join(names[: most - 1])} and {len(names) - most + 1} more"
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"
