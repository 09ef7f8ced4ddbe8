"""Runs as values, numbers, texts and arrays in dicts, and made of these again, with nothing believed before it is checked."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

import numpy as np

from chainrule.nn.parameters import Parameters, flat_names
from chainrule.training.history import History
from chainrule.training.run import Best, Run
from chainrule.training.schedules import PlateauPosition


def values_of(run: Run) -> dict[str, Any]:
    """A run as values; the arrays are its own."""
    best = run.best
    return {
        "parameters": run.parameters,
        "optimizer_state": run.optimizer_state,
        "steps": run.steps,
        "history": values_of_history(run.history),
        "streams": run.streams,
        "under_way": run.under_way,
        "settings": run.settings,
        "best": best and {"epoch": best.epoch, "parameters": best.parameters, "before": best.before},
        "plateau": run.plateau and asdict(run.plateau),
        "begun_with": run.begun_with,
    }


def values_of_history(history: History) -> dict[str, Any]:
    """A history as values."""
    return {
        "columns": {name: history.column(name) for name in history},
        "stopped": history.stopped,
        "best_epoch": history.best_epoch,
        "passes": history.passes,
    }


def run_of(values: Any, parameters: Parameters) -> Run:
    """The run of a network with such parameters.

    Raises
    ------
    ValueError
        When the values are none of it.
    """
    kinds = {
        "parameters": dict,
        "optimizer_state": dict,
        "steps": int,
        "history": dict,
        "streams": dict,
        "settings": dict,
    }
    if not isinstance(values, dict) or not all(isinstance(values.get(name), kind) for name, kind in kinds.items()):
        raise ValueError("the run in it is none.")
    best, plateau, under_way = (values.get(name) for name in ("best", "plateau", "under_way"))
    for learned in (values["parameters"], values["begun_with"], *(best[x] for x in ("parameters", "before") if best)):
        _check_parameters(learned, parameters)
    if set(flat_names(values["parameters"])) != set(flat_names(parameters)):
        raise ValueError("the run in it has other parameters than the network.")
    if not isinstance(under_way, np.ndarray) or under_way.ndim != 2 or under_way.dtype != np.float64:
        raise ValueError("what the steps under way have reported is given in another form.")
    history = history_of(values["history"])
    if values["steps"] < 0 or (best and not (type(best["epoch"]) is int and 0 <= best["epoch"] < history.epochs)):
        raise ValueError("the run in it has a best epoch or a number of steps that cannot be.")
    for stream in (values["streams"]["order"], values["streams"]["keys"]):
        if stream is not None:
            np.random.default_rng(0).bit_generator.state = stream
    return Run(
        parameters=values["parameters"],
        optimizer_state=values["optimizer_state"],
        steps=values["steps"],
        history=history,
        streams=values["streams"],
        under_way=under_way,
        settings=values["settings"],
        best=best and Best(best["epoch"], best["parameters"], best["before"]),
        plateau=plateau and PlateauPosition(float(plateau["best"]), plateau["waited"], float(plateau["scale"])),
        begun_with=values["begun_with"],
    )


def _check_parameters(found: Any, known: Parameters) -> None:
    """Refuse what are no parameters of the network, all or some; `None` is none of them."""
    if found is None:
        return
    ours = flat_names(known)
    for name, x in flat_names(found).items():
        own = ours.get(name)
        if own is None or not isinstance(x, np.ndarray) or (x.shape, x.dtype) != (own.shape, own.dtype):
            raise ValueError(f"the run in it has another parameter {name} than the network.")


def history_of(values: Mapping[str, Any]) -> History:
    """The history that these are the values of."""
    columns, passes, best = values["columns"], values["passes"], values["best_epoch"]
    if len({np.shape(column) for column in columns.values()}) > 1 or not all(
        isinstance(name, str) and isinstance(column, np.ndarray) and column.ndim == 1 and column.dtype == np.float64
        for name, column in columns.items()
    ):
        raise ValueError("the history in it has columns of other forms than one number an epoch.")
    history = History(str(values["stopped"]), best and int(best), {str(k): int(n) for k, n in passes.items()})
    if columns:
        history.extend(columns)
    return history
