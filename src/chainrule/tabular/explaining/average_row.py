"""The average training row, at which attributions begin."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from chainrule.errors import ModelFileError
from chainrule.tables.columns import Feature


@dataclass(frozen=True)
class AverageRow:
    """The average training row: means of numbers and flags, and how often each category of a column of codes occurs.

    Attributes
    ----------
    means : tuple of float
        Of numbers and flags, in the order of the features.
    shares : tuple of tuples of float
        For every column of codes the share of the rows that have each code.

    Examples
    --------
    >>> from chainrule.tables.columns import Feature
    >>> features = (Feature("age", "age", "number"), Feature("town", "town", "code", 3))
    >>> AverageRow.of(np.array([[1.0, 2.0], [2.0, 2.0], [6.0, 0.0], [3.0, 1.0]]), features)
    AverageRow(means=(3.0,), shares=((0.25, 0.25, 0.5),))
    """

    means: tuple[float, ...]
    shares: tuple[tuple[float, ...], ...] = ()

    @classmethod
    def of(cls, X: Any, features: Sequence[Feature]) -> AverageRow:
        """The average of prepared rows."""
        sizes = [feature.size for feature in features if feature.kind == "code"]
        first = len(features) - len(sizes)
        counts = [np.bincount(X[:, first + i].astype(np.intp), minlength=size) for i, size in enumerate(sizes)]
        means: list[float] = np.asarray(np.mean(X[:, :first], axis=0, dtype=np.float64)).tolist()
        return cls(tuple(means), tuple(tuple((c / c.sum()).tolist()) for c in counts))

    def to_json(self) -> dict[str, Any]:
        """As JSON can hold it, to be stored with a model."""
        return {"means": list(self.means), "shares": [list(x) for x in self.shares]}

    @classmethod
    def from_json(cls, data: Any, features: Sequence[Feature]) -> AverageRow:
        """The row of these features that `to_json` described.

        Raises
        ------
        ModelFileError
            When `data` describes none.
        """
        try:
            found = cls(tuple(map(float, data["means"])), tuple(tuple(map(float, shares)) for shares in data["shares"]))
            json.dumps(found.to_json(), allow_nan=False)
            sizes = [feature.size for feature in features if feature.kind == "code"]
            if [len(found.means), *map(len, found.shares)] != [len(features) - len(sizes), *sizes]:
                raise ValueError(f"{len(found.means)} means and shares of {len(found.shares)} columns")
        except (KeyError, TypeError, ValueError) as error:
            raise ModelFileError(
                f"the model's notes do not describe an average row ({error!r}); train it again."
            ) from error
        return found
