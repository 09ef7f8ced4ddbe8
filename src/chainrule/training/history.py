"""The history of a training run: every epoch's metrics."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from chainrule.errors import MissingExtraError, UnknownNameError

FINISHED = "finished"
"""How a training ends that nothing ends early."""


@dataclass
class History:
    """What `fit` gives back: a list of metrics for every name, one number for every epoch.

    Attributes
    ----------
    metrics : dict of lists
        `loss` (with penalties), `accuracy` for labels, both again as `val_…` with validation data,
        `learning_rate` and `seconds`. `history["loss"]` is short for `history.metrics["loss"]`.
    stopped : str
        Why training ended: `"finished"`, `"early stopping"`, `"interrupted"`, or what a callback said.
    best_epoch : int or None
        With early stopping, the epoch whose weights the network has, counted from 0.
    passes : dict
        How many forward and backward passes over a batch training took.

    Examples
    --------
    >>> import numpy as np, chainrule as cr
    >>> X = np.linspace(-1, 1, 50)[:, None]
    >>> history = cr.Network([cr.Dense(1)]).fit(X, 2 * X, epochs=3, progress=False)
    >>> history.epochs, sorted(history)
    (3, ['learning_rate', 'loss', 'seconds'])
    """

    stopped: str = FINISHED
    best_epoch: int | None = None
    passes: dict[str, int] = field(default_factory=lambda: {"forward": 0, "backward": 0})

    _lists: dict[str, list[float]] = field(default_factory=dict, repr=False)
    _arrays: list[Mapping[str, Any]] = field(default_factory=list, repr=False)

    @property
    def metrics(self) -> dict[str, list[float]]:
        """Every metric as a list. Metrics come as arrays for many epochs at once, and become lists when looked at."""
        for metrics in self._arrays:
            for name, values in metrics.items():
                self._lists.setdefault(name, []).extend(np.asarray(values, np.float64).tolist())
        self._arrays.clear()
        return self._lists

    @property
    def figures(self) -> dict[str, list[float]]:
        """The metrics, by the name they had before."""
        return self.metrics

    @property
    def epochs(self) -> int:
        """Number of epochs completed."""
        return max((len(values) for values in self.metrics.values()), default=0)

    @property
    def interrupted(self) -> bool:
        """Whether Ctrl-C ended the training."""
        return self.stopped == "interrupted"

    def extend(self, metrics: Mapping[str, Any]) -> None:
        """Add the metrics of some epochs, an array for every name."""
        self._arrays.append(metrics)

    def __getitem__(self, name: str) -> list[float]:
        if name not in self.metrics:
            raise UnknownNameError.among("metric", name, self.metrics)
        return self.metrics[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self.metrics)

    def __contains__(self, name: object) -> bool:
        return name in self.metrics

    def __len__(self) -> int:
        return self.epochs

    def __repr__(self) -> str:
        last = ", ".join(
            f"{name} {values[-1]:.4g}" for name, values in self.metrics.items() if values and name != "seconds"
        )
        return f"History({self.epochs} epochs, {self.stopped}: {last})"

    def plot(self, path: str | Path | None = None) -> Any:
        """Draw the learning curves: losses, and accuracies where there are any.

        Parameters
        ----------
        path : str or Path, optional
            Where to write the picture, its ending telling the format; without it the figure is only returned.

        Returns
        -------
        matplotlib.figure.Figure

        Raises
        ------
        MissingExtraError
            When matplotlib is not installed.
        """
        try:
            from matplotlib.figure import Figure
            from matplotlib.ticker import MaxNLocator
        except ImportError:
            raise MissingExtraError.of("matplotlib", "plot", "History.plot") from None
        groups = [kind for kind in ("loss", "accuracy") if any(_kind(name) == kind for name in self.metrics)]
        figure = Figure(figsize=(5.2 * max(1, len(groups)), 3.6), layout="constrained")
        for axes, kind in zip(figure.subplots(1, max(1, len(groups)), squeeze=False)[0], groups, strict=True):
            for name, values in self.metrics.items():
                if _kind(name) == kind:
                    validation = name.startswith("val_")
                    axes.plot(
                        range(1, len(values) + 1),
                        values,
                        label="validation" if validation else "training",
                        color="#d55e00" if validation else "#0072b2",
                        linestyle="--" if validation else "-",
                        marker="o" if len(values) < 2 else None,
                    )
            if self.best_epoch is not None:
                axes.axvline(self.best_epoch + 1, color="0.6", linewidth=1, linestyle=":", label="best epoch")
            axes.set_xlabel("epoch")
            axes.set_ylabel(kind)
            axes.xaxis.set_major_locator(MaxNLocator(integer=True))
            axes.grid(alpha=0.25)
            axes.spines[["top", "right"]].set_visible(False)
            axes.legend(frameon=False)
        if path is not None:
            figure.savefig(Path(path), dpi=150)
        return figure


def _kind(name: str) -> str:
    return name.removeprefix("val_").split("_")[0]
