"""How good predictions are: metrics for classes and for amounts, and tables of them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from rich.table import Table as Grid
from rich.text import Text

from chainrule.cli.console import output, say
from chainrule.tables import Target

MOST_CLASSES_SHOWN = 20


@dataclass(frozen=True)
class ClassMetrics:
    """One class: how many rows have it, how many were given it, and how many of both."""

    label: str
    rows: int
    predicted: int
    right: int

    @property
    def precision(self) -> float:
        """The share of right ones among the rows predicted; NaN when none was."""
        return self.right / self.predicted if self.predicted else float("nan")

    @property
    def recall(self) -> float:
        """The share of the class's rows that were found; NaN when it has none."""
        return self.right / self.rows if self.rows else float("nan")


def per_class(truth: NDArray[Any], predicted: NDArray[Any], classes: tuple[str | int, ...]) -> list[ClassMetrics]:
    """The metrics of every class.

    Examples
    --------
    >>> import numpy as np
    >>> cat, dog = per_class(np.array(["cat", "cat", "dog"]), np.array(["cat", "dog", "dog"]), ("cat", "dog"))
    >>> cat.recall, cat.precision, dog.recall, dog.precision
    (0.5, 1.0, 1.0, 0.5)
    """
    return [
        ClassMetrics(
            str(label),
            int((truth == label).sum()),
            int((predicted == label).sum()),
            int(((truth == label) & (predicted == label)).sum()),
        )
        for label in classes
    ]


def metrics(target: Target, truth: NDArray[Any], predicted: NDArray[Any]) -> dict[str, float]:
    """`accuracy` for classes; `rmse`, in the target's units, and `r2` for amounts (NaN when they do not vary).

    Examples
    --------
    >>> import numpy as np
    >>> metrics(Target("y", "regression"), np.array([1.0, 2.0, 3.0]), np.array([1.0, 2.0, 4.0]))
    {'rmse': 0.577..., 'r2': 0.5}
    """
    if target.task == "classification":
        return {"accuracy": float((truth == predicted).mean())}
    squared = float(((truth - predicted) ** 2).mean())
    spread = float(truth.var())
    return {"rmse": squared**0.5, "r2": 1 - squared / spread if spread > 0 else float("nan")}


def report(target: Target, truth: NDArray[Any], predicted: NDArray[Any], loss: float) -> dict[str, float]:
    """Print how good predictions are, and give the metrics."""
    found = {"loss": loss, **metrics(target, truth, predicted)}
    if target.task == "classification":
        _, counts = np.unique(truth, return_counts=True)
        right = int((truth == predicted).sum())
        say(f"  accuracy  {found['accuracy']:.1%}  ({right:,} of {len(truth):,} right; cross-entropy {loss:.4f})")
        say(f"  the most frequent class alone would give {counts.max() / len(truth):.1%}", "dim")
        if len(target.classes) <= MOST_CLASSES_SHOWN:
            _print_classes(per_class(truth, predicted, target.classes))
    else:
        r2 = f"{found['r2']:.4f}" if np.isfinite(found["r2"]) else "not defined, since the target does not vary here"
        say(f"  RMSE  {found['rmse']:.4g}  in the units of {target.name} (squared error, standardised: {loss:.4f})")
        say(f"  R²    {r2}")
        say(f"  predicting the training mean alone, {target.mean:.4g}, would give an RMSE of "
            f"{float(((truth - target.mean) ** 2).mean()) ** 0.5:.4g}", "dim")  # fmt: skip
    return found


def _print_classes(rows: list[ClassMetrics]) -> None:
    grid = Grid(box=None, pad_edge=False, header_style="dim")
    grid.add_column("")
    grid.add_column("class", overflow="fold")
    for column in ("rows", "found", "precision", "recall"):
        grid.add_column(column, justify="right")
    for row in rows:
        grid.add_row(
            "", Text(row.label), f"{row.rows:,}", f"{row.right:,}", percent(row.precision), percent(row.recall)
        )
    output().print(grid)


def percent(share: float) -> str:
    """A share in per cent, or a dash where it is not defined."""
    return f"{share:.1%}" if np.isfinite(share) else "–"
