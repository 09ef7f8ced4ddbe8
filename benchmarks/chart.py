"""The chart of a run: how many times longer than chainrule every peer takes for a step of every workload."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from benchmarks.training import Result

MARKS = {"JAX": ("o", "#1b6ca8"), "PyTorch": ("s", "#d1601f"), "scikit-learn": ("D", "#5b8a3a")}
LANES = {"JAX": -0.24, "PyTorch": 0.0, "scikit-learn": 0.24}
"""Each peer has a lane of its own in a workload's row."""


def draw(results: Sequence[Result], path: Path) -> None:
    """Write the chart as SVG."""
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot as plt

    plt.rcParams.update({"svg.hashsalt": "chainrule", "svg.fonttype": "none", "font.family": "sans-serif"})
    figure, axes = plt.subplots(figsize=(8, 0.6 * len(results) + 1.5), layout="constrained")
    rows = range(len(results))
    axes.axvspan(1e-9, 1, color="#f3e9e4", zorder=0)
    axes.axvline(1, color="black", linewidth=1, zorder=1)
    for row, result in zip(rows, results, strict=True):
        for peer in result.peers:
            (marker, colour), lane, ratio = MARKS[peer], row + LANES[peer], result.ratio(peer)
            axes.plot([1, ratio], [lane, lane], color=colour, linewidth=1, zorder=2)
            axes.plot(ratio, lane, marker, color=colour, markersize=7, markeredgecolor="white", zorder=3)
            label = f"{ratio:.2f}" if ratio < 1 else f"{ratio:.1f}" if ratio < 10 else f"{ratio:.0f}"
            side = -1 if ratio < 1 else 1
            axes.annotate(
                label,
                (ratio, lane),
                (7 * side, 0),
                textcoords="offset points",
                ha="right" if side < 0 else "left",
                va="center",
                fontsize=7,
                color=colour,
            )
        axes.plot([result.workload.goal] * 2, [row - 0.46, row - 0.31], color="black", linewidth=2, zorder=2.5)
    axes.set_xscale("log")
    every = [result.ratio(peer) for result in results for peer in result.peers] or [1.0]
    axes.set_xlim(min(0.2, 0.7 * min(every)), 1.8 * max(10, *every))
    axes.set_yticks(rows, [f"{r.workload.name}\n{'-'.join(map(str, r.workload.sizes))}" for r in results], fontsize=8)
    axes.set_ylim(len(results) - 0.4, -0.6)
    axes.xaxis.set_major_formatter(lambda x, _: f"{x:g}×")
    axes.set_xlabel("time of a training step relative to chainrule's (logarithmic); left of 1×: faster than chainrule")
    axes.spines[["top", "right", "left"]].set_visible(False)
    axes.tick_params(axis="y", length=0)
    for peer, (marker, colour) in MARKS.items():
        if any(peer in result.microseconds for result in results):
            axes.plot([], [], marker, color=colour, markeredgecolor="white", markersize=8, label=peer)
    axes.plot([], [], "|", color="black", markersize=12, markeredgewidth=2, label="goal for the fastest")
    figure.legend(loc="outside upper center", ncols=4, frameon=False, fontsize=8)
    figure.savefig(path, metadata={"Date": None})
    plt.close(figure)
