"""The history of a training run: every epoch's metrics."""

from __future__ import annotations

from collections.abc import Iterator, KeysView, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from chainrule.errors import MissingExtraError, SettingError, ShapeError, UnknownNameError
from chainrule.notebooks import Shown, viewers

FINISHED = "finished"
"""How a training ends that nothing ends early."""

INTERRUPTED = "interrupted"
"""How it ends by Ctrl-C."""

DIVERGED = "diverged"
"""How it ends where the loss leaves the finite numbers."""

MANY = 64
"""Times that epochs were added before what was added is put together; a million epochs of a small network come in ten."""


@dataclass(eq=False)
class History(Shown):
    """What `fit` gives back: a list of metrics for every name, one number for every epoch.

    Attributes
    ----------
    metrics : dict of lists
        `loss` (with penalties), `accuracy` for labels, both again as `val_…` with validation data,
        `learning_rate` and `seconds`. `history["loss"]` is short for `history.metrics["loss"]`.
    stopped : str
        Why training ended: `"finished"`, `"early stopping"`, `"interrupted"`, `"diverged"`, or what a callback said.
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

    trained: Any = field(default=None, repr=False)
    """A weak reference to the network, where the training was recorded."""
    _settled: dict[str, Any] = field(default_factory=dict, repr=False)
    _added: list[tuple[int, dict[str, Any]]] = field(default_factory=list, repr=False)
    _epochs: int = field(default=0, repr=False)
    _lists: dict[str, list[float]] = field(default_factory=dict, repr=False)

    @property
    def metrics(self) -> dict[str, list[float]]:
        """Every metric as a list."""
        return {name: self[name] for name in self._names}

    @property
    def figures(self) -> dict[str, list[float]]:
        """The metrics, by the name they had before."""
        return self.metrics

    @property
    def epochs(self) -> int:
        """Number of epochs completed."""
        return self._epochs

    @property
    def interrupted(self) -> bool:
        """Whether Ctrl-C ended the training."""
        return self.stopped == INTERRUPTED

    def interrupt(self) -> None:
        """Note that the training was interrupted, unless it was over already."""
        if self.stopped == FINISHED:
            self.stopped = INTERRUPTED

    def extend(self, metrics: Mapping[str, Any]) -> None:
        """Add the metrics of some epochs, an array for every name; they are kept as they are until somebody reads them."""
        self._added.append((self._epochs, dict(metrics)))
        self._lists = {}
        self._epochs += max(map(len, metrics.values()), default=0)
        if len(self._added) >= MANY:
            self._settle()

    def _settle(self) -> None:
        """Put what was added into the columns."""
        after = self._epochs
        for begin, metrics in self._added:
            for name in dict.fromkeys([*self._settled, *metrics]):
                column = self._settled.get(name)
                if column is None or len(column) < after:  # room for twice as many, so that adding one costs little
                    larger = np.empty(max(16, 2 * after))
                    larger[:begin] = np.nan if column is None else column[:begin]
                    self._settled[name] = column = larger
                end = begin + max(map(len, metrics.values()), default=0)
                column[begin:end] = metrics.get(name, np.nan)
        self._added = []

    @property
    def _names(self) -> dict[str, None]:
        """The names of the metrics, in the order in which they came."""
        return dict.fromkeys([*self._settled, *(name for _, metrics in self._added for name in metrics)])

    @property
    def _columns(self) -> dict[str, Any]:
        """All metrics, each with room for more epochs behind those there are."""
        if self._added:
            self._settle()
        return self._settled

    def add(self, name: str, values: Any) -> None:
        """Add a metric that was measured elsewhere, one number for every epoch.

        Raises
        ------
        ShapeError
            When it has not as many numbers as there are epochs.
        """
        column = np.asarray(values, np.float64)
        if column.shape != (self._epochs,):
            raise ShapeError(
                f"{name} was given in shape {column.shape}; give one number for each of {self._epochs} epochs."
            )
        self._columns[name], self._lists = column, {}

    def column(self, name: str) -> Any:
        """One metric as an array, to be read and not written to."""
        if name not in self._columns:
            raise UnknownNameError.among("metric", name, self._columns)
        return self._columns[name][: self._epochs]

    def copy(self) -> History:
        """The history as it is now; what is added to one later is no part of the other."""
        done = self._added[0][0] if self._added else self._epochs
        columns = {
            name: column[:done] for name, column in self._settled.items()
        }  # full, so that an extension moves elsewhere
        own = History(self.stopped, self.best_epoch, dict(self.passes), _settled=columns, _epochs=self._epochs)
        own._added = list(self._added)
        return own

    def until(self, epochs: int) -> History:
        """The history as it was after so many epochs, of a training that goes on; its passes are those of the whole."""
        columns = {name: self.column(name)[:epochs] for name in self._columns if epochs}
        return History(passes=dict(self.passes), _settled=columns, _epochs=epochs)

    def keys(self) -> KeysView[str]:
        """The names of the metrics; with them `dict(history)` is a dict of lists."""
        return self._names.keys()

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, History):
            return NotImplemented
        ends = [(h.stopped, h.best_epoch, h.passes, h.epochs, h.keys()) for h in (self, other)]
        return ends[0] == ends[1] and all(np.array_equal(self.column(n), other.column(n), equal_nan=True) for n in self)

    __hash__ = None  # type: ignore[assignment]

    def __getstate__(self) -> dict[str, Any]:
        return vars(self.copy())

    def __getitem__(self, name: str) -> list[float]:
        if name not in self._lists:
            found: list[float] = self.column(name).tolist()
            self._lists[name] = found
        return self._lists[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._names)

    def __contains__(self, name: object) -> bool:
        return name in self._names

    def __len__(self) -> int:
        return self.epochs

    def __repr__(self) -> str:
        shown = [name for name in self._names if self._epochs and name != "seconds"]
        last = ", ".join(f"{name} {self.column(name)[-1]:.4g}" for name in shown)
        return f"History({self.epochs} epochs, {self.stopped}: {last})"

    def _repr_html_(self) -> Any:
        return viewers["History._repr_html_"](self)

    def draw(self, *, digits: int = 4) -> Any:
        """The learning curves, drawn without matplotlib: losses, and accuracies where there are any.

        Parameters
        ----------
        digits : int
            Significant digits of numbers.

        Returns
        -------
        Drawing

        Examples
        --------
        >>> import numpy as np, chainrule as cr
        >>> X = np.linspace(-1, 1, 50)[:, None]
        >>> history = cr.Network([cr.Dense(1)]).fit(X, 2 * X, epochs=3, progress=False)
        >>> history.draw()
        Drawing(3 epochs, finished; ... pixels; .save('picture.svg') writes it)
        """
        return viewers["History.draw"](self, digits=digits)

    def view(self) -> Any:
        """The training to go through, forwards and backwards: the view of the network that was trained with `record=True`.

        Returns
        -------
        View

        Raises
        ------
        SettingError
            When the training was not recorded, or the network is no longer there.

        Examples
        --------
        >>> import numpy as np, chainrule as cr
        >>> X = np.linspace(-1, 1, 50)[:, None]
        >>> network = cr.Network([cr.Dense(1)])
        >>> shown = network.fit(X, 2 * X, epochs=3, record=True, progress=False).view()
        >>> shown.do("go", step=2)
        >>> shown.parts["position"]["epoch"]
        1
        """
        network = None if self.trained is None else self.trained()
        if network is None or network.history is not self:
            raise SettingError(
                "this training cannot be gone through: it was not recorded, or the network was let go or trained again since. "
                "Train it with record=True, and keep the network."
            )
        return viewers["History.view"](network)

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
        SettingError
            When the ending of `path` is no format of pictures.
        """
        try:
            from chainrule.training.learning_curves import LearningCurves, check_picture
        except ImportError:
            raise MissingExtraError.of("matplotlib", "plot", "History.plot") from None
        if path is not None:
            check_picture(Path(path))
        figure = LearningCurves.of(self.metrics, self.best_epoch)
        if path is not None:
            figure.savefig(Path(path), dpi=150)
        return figure
