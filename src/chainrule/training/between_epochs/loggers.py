"""Callbacks that write every epoch's metrics down: as CSV, for TensorBoard, for MLflow."""

from __future__ import annotations

import csv
import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from chainrule.errors import MissingExtraError, SettingError
from chainrule.training.between_epochs.callbacks import EpochEnd


class CSVLogger:
    """Every epoch a line of a CSV file, with its number and metrics; written at once, so that it can be watched.

    Parameters
    ----------
    path : str or Path
        The file. What an earlier training wrote there is replaced; a file that is none of these is not touched.
    append : bool
        Whether lines are added to those of earlier trainings, as when a training goes on by `continue_from`. `cr.resume` goes on
        with the file in any case, and takes away the lines of epochs that come again.

    Raises
    ------
    SettingError
        When there is no such folder, when another file is there, or one with other metrics is to be added to.

    Examples
    --------
    >>> import numpy as np, chainrule as cr, pathlib, tempfile
    >>> path = pathlib.Path(tempfile.mkdtemp(), "training.csv")
    >>> X = np.linspace(-1, 1, 50)[:, None]
    >>> history = cr.Network([cr.Dense(1)]).fit(X, 2 * X, epochs=2, callbacks=[cr.CSVLogger(path)], progress=False)
    >>> print(path.read_text().splitlines()[0])
    epoch,loss,learning_rate
    """

    def __init__(self, path: str | os.PathLike[str], *, append: bool = False) -> None:
        self.path, self.append = Path(path), append
        if self.path.is_dir() or not self.path.parent.is_dir():
            raise SettingError(f"CSVLogger was given {str(path)!r}; give the name of a file in a folder that is there.")
        self._names: list[str] | None = None

    def __call__(self, end: EpochEnd) -> None:
        """Write a line; epochs are counted from 1."""
        if self._names is None or end.epoch == 0:
            self._begin(["epoch", *end.metrics])
        with self.path.open("a", encoding="utf-8", newline="") as file:
            csv.writer(file, lineterminator="\n").writerow(
                [end.epoch + 1, *(repr(float(x)) for x in end.metrics.values())]
            )

    def state_dict(self) -> dict[str, Any]:
        """The columns, and how long the file is, for a checkpoint."""
        return {"names": self._names, "bytes": self.path.stat().st_size if self._names and self.path.exists() else 0}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Go on with the file as it was then: lines of epochs that come again are taken away."""
        if state["names"] and self.path.exists():
            self._check(state["names"], exactly=True)
            self._names = list(state["names"])
            os.truncate(self.path, min(state["bytes"], self.path.stat().st_size))

    def _begin(self, names: list[str]) -> None:
        there = self.path.exists() and self.path.stat().st_size > 0
        if there:
            self._check(names, exactly=self.append)
        if not there or not self.append:
            with self.path.open("w", encoding="utf-8", newline="") as file:
                csv.writer(file, lineterminator="\n").writerow(names)
        self._names = names

    def _check(self, names: Sequence[str], *, exactly: bool) -> None:
        """Refuse a file that is no log, or where it is gone on with, one of other metrics."""
        with self.path.open(encoding="utf-8", errors="replace", newline="") as file:
            first = next(csv.reader(file), [])
        if first[:2] != names[:2]:
            raise SettingError(
                f"{self.path} is there already, and no log of a training; give another name, or remove it."
            )
        if exactly and first != names:
            raise SettingError(
                f"{self.path} has the columns {', '.join(first)}, and this training {', '.join(names)}; give another name."
            )


class TensorBoardLogger:
    """Every epoch's metrics as scalars for TensorBoard: `tensorboard --logdir folder` shows them.

    A training that is resumed adds a file to the folder, with the same numbers again for epochs that come again.

    Parameters
    ----------
    folder : str or Path
        Where its event files go; one folder for each training puts their curves beside each other.

    Raises
    ------
    MissingExtraError
        When TensorBoard is not installed.

    Examples
    --------
    >>> import chainrule as cr
    >>> cr.TensorBoardLogger("runs/first").folder.name
    'first'
    """

    def __init__(self, folder: str | os.PathLike[str]) -> None:
        self.folder = Path(folder)
        self._writer: Any = None

    def __call__(self, end: EpochEnd) -> None:
        """Write the metrics of an epoch, the first of which is step 1."""
        if self._writer is None:
            try:
                from tensorboard.summary import Writer
            except ImportError:
                raise MissingExtraError.of("TensorBoard", "tensorboard", "TensorBoardLogger") from None
            self._writer = Writer(str(self.folder))
        for name, value in end.metrics.items():
            self._writer.add_scalar(name, float(value), end.epoch + 1)
        self._writer.flush()

    def __getstate__(self) -> dict[str, Any]:
        """What a copy needs: the folder, in which it has a file of its own."""
        return {"folder": self.folder, "_writer": None}


class MLflowLogger:
    """Every epoch's metrics to MLflow's active run, or to one that is begun; settings are yours to log.

    `cr.resume` goes on with the run that the training had, active or not.

    Parameters
    ----------
    run_id : str, optional
        The run to log to, which need not be active.

    Raises
    ------
    MissingExtraError
        When MLflow is not installed.

    Examples
    --------
    >>> import chainrule as cr
    >>> cr.MLflowLogger().run_id is None
    True
    """

    def __init__(self, run_id: str | None = None) -> None:
        self.run_id = run_id
        self._used: str | None = None
        self._gone_on_with: str | None = None

    def __call__(self, end: EpochEnd) -> None:
        """Log the metrics of an epoch, the first of which is step 1."""
        try:
            import mlflow
        except ImportError:
            raise MissingExtraError.of("MLflow", "mlflow", "MLflowLogger") from None
        run = self.run_id or self._gone_on_with
        mlflow.log_metrics({name: float(value) for name, value in end.metrics.items()}, end.epoch + 1, run_id=run)
        self._used = run or mlflow.active_run().info.run_id

    def state_dict(self) -> dict[str, Any]:
        """The run that is logged to, for a checkpoint."""
        return {"run_id": self._used}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Go on with that run."""
        self._used = self._gone_on_with = state["run_id"]
