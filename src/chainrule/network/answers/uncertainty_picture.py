"""Predictions with a band about them as a figure of matplotlib's."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from chainrule.errors import ShapeError
from chainrule.nn.numbers import as_array
from chainrule.training.learning_curves import check_picture

COLORS = ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9", "#f0e442", "#000000")

LONGEST = 20
"""Characters of a class's name in the legend."""


def picture(mean: Any, deviation: Any, classes: Any, x: Any, band: float, path: Path | None) -> Figure:
    """A line for every output, or for every class its probability, and the band about it; of many, some."""
    rows = len(mean)
    places = np.arange(rows) if x is None else as_array(x, np.float64, "x")
    if places.shape != (rows,):
        raise ShapeError(f"plot was given x of shape {places.shape}; give one number for each of {rows} rows.")
    if path is not None:
        check_picture(path)
    order = np.argsort(places, kind="stable")
    means, deviations = mean.reshape(rows, -1)[order], deviation.reshape(rows, -1)[order]
    count, drawn = means.shape[1], _drawn(means, classes)
    figure = Figure(figsize=(6.4, 3.8), layout="constrained")
    axes = figure.subplots()
    for color, i in zip(COLORS, drawn, strict=False):
        low, high = (means[:, i] + sign * band * deviations[:, i] for sign in (-1.0, 1.0))
        if classes is not None:
            low, high = np.maximum(low, 0.0), np.minimum(high, 1.0)
        label = "mean" if count == 1 else f"output {i}" if classes is None else _name(classes[i])
        about = f"± {band:g} standard deviations" if i == drawn[-1] else ""
        axes.plot(places[order], means[:, i], color=color, label=label, marker="o" if rows == 1 else None)
        if rows == 1:
            axes.vlines(places, low, high, color=color, alpha=0.2, linewidth=6, label=about)
        else:
            axes.fill_between(places[order], low, high, color=color, alpha=0.2, linewidth=0, label=about)
    axes.set_xlabel("row" if x is None else "x")
    axes.set_ylabel("prediction" if classes is None else "probability")
    axes.grid(alpha=0.25)
    axes.spines[["top", "right"]].set_visible(False)
    if x is None:
        axes.xaxis.set_major_locator(MaxNLocator(integer=True, min_n_ticks=1))
    if len(drawn) < count:
        which = "first" if classes is None else "likeliest"
        axes.set_title(f"the {which} {len(drawn)} of {count}", fontsize="medium")
    legend = axes.legend(frameon=False) if len(drawn) < 4 else figure.legend(frameon=False, loc="outside right upper")
    for text in legend.get_texts():
        text.set_parse_math(False)
    if path is not None:
        figure.savefig(path, dpi=150)
    return figure


def _drawn(means: Any, classes: Any) -> list[int]:
    """Which outputs are drawn, as many as there are colours: of classes those with the highest probabilities."""
    count = means.shape[1]
    places = np.arange(count) if classes is None else np.argsort(-means.max(axis=0), kind="stable")
    found: list[int] = np.sort(places[: len(COLORS)]).tolist()
    return found


def _name(label: Any) -> str:
    """A class's name, not at any length; matplotlib leaves out names that begin with an underscore."""
    text = str(label)
    text = text if len(text) <= LONGEST else f"{text[: LONGEST - 1]}…"
    return f" {text}" if text.startswith("_") else text
