"""Predictions with a band about them as a figure of matplotlib's."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.figure import Figure

from chainrule.errors import ShapeError
from chainrule.nn.numbers import as_array
from chainrule.training.learning_curves import check_picture

COLORS = ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9", "#f0e442", "#000000")


def picture(mean: Any, deviation: Any, classes: Any, x: Any, band: float, path: Path | None) -> Figure:
    """A line for every output, or for every class its probability, and the band about it."""
    rows = len(mean)
    places = np.arange(rows) if x is None else as_array(x, np.float64, "x")
    if places.shape != (rows,):
        raise ShapeError(f"plot was given x of shape {places.shape}; give one number for each of {rows} rows.")
    if path is not None:
        check_picture(path)
    order = np.argsort(places, kind="stable")
    means, deviations = mean.reshape(rows, -1)[order], deviation.reshape(rows, -1)[order]
    figure = Figure(figsize=(6.4, 3.8), layout="constrained")
    axes = figure.subplots()
    for i in range(means.shape[1]):
        color, name = COLORS[i % len(COLORS)], str(classes[i]) if classes is not None else f"output {i}"
        low, high = (means[:, i] + sign * band * deviations[:, i] for sign in (-1.0, 1.0))
        if classes is not None:
            low, high = np.maximum(low, 0.0), np.minimum(high, 1.0)
        label = "mean" if means.shape[1] == 1 else name
        axes.plot(places[order], means[:, i], color=color, label=label, marker="o" if rows == 1 else None)
        about = f"± {band:g} standard deviations" if i == means.shape[1] - 1 else None
        axes.fill_between(places[order], low, high, color=color, alpha=0.2, linewidth=0, label=about)
    axes.set_xlabel("row" if x is None else "x")
    axes.set_ylabel("prediction" if classes is None else "probability")
    axes.grid(alpha=0.25)
    axes.spines[["top", "right"]].set_visible(False)
    axes.legend(frameon=False)
    if path is not None:
        figure.savefig(path, dpi=150)
    return figure
