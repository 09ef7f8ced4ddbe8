"""Hyperparameters: the settings of a training by name, as numbers to take derivatives by, and the course they lead to."""

from __future__ import annotations

import copy
import dataclasses
import numbers
from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np

from chainrule.errors import SettingError, shortened
from chainrule.tracing import trees
from chainrule.training.bounds import is_traced
from chainrule.training.fit import Training
from chainrule.training.schedules import as_schedule, plateau_of

RATE, RATES, LAYER_RATES = "learning_rate", "learning_rates", "layer_learning_rates"
WEIGHTS, FIRST = "sample_weight", "initial_parameters"
PENALTIES = ("l1", "l2")


class Course(NamedTuple):
    """What goes into the steps of a training; its tangents and cotangents are nested likewise.

    Attributes
    ----------
    numbers : dict
        `optimizer` and `penalty`, numbers by name; `layers`, what is added to the learning rate of every layer.
    rates : array of shape (steps,)
    weights : array of shape (rows,), or None
        Where rows have weights that derivatives are taken by.
    state : dict
        `learned` and `optimizer`.
    """

    numbers: dict[str, dict[str, Any]]
    rates: Any
    weights: Any
    state: dict[str, Any]


def numbers_of(piece: Any, prefix: str = "") -> dict[str, Any]:
    """The numbers, and rows of numbers, among the settings of an optimizer or schedule, by their paths."""
    found: dict[str, Any] = {}
    for field in dataclasses.fields(piece):
        value, name = getattr(piece, field.name), prefix + field.name
        if dataclasses.is_dataclass(value) and not isinstance(value, type):
            found |= numbers_of(value, f"{name}.")
        elif is_traced(value) or (
            isinstance(value, numbers.Real) and not isinstance(value, bool) and field.type != "int"
        ):
            found[name] = value
        elif isinstance(value, tuple | list) and value and all(isinstance(x, numbers.Real) for x in value):
            found[name] = np.array(value, float)
    return found


def is_traced_anywhere(piece: Any) -> bool:
    """Whether a derivative is taken by one of its numbers."""
    if dataclasses.is_dataclass(piece) and not isinstance(piece, type):
        return any(is_traced_anywhere(getattr(piece, field.name)) for field in dataclasses.fields(piece))
    return any(map(is_traced, piece)) if isinstance(piece, tuple) else is_traced(piece)


def adjusted(piece: Any, values: Mapping[str, Any]) -> Any:
    """An optimizer or schedule with other numbers at these paths, traced ones too; they are checked already."""
    if not values:
        return piece
    changed = copy.copy(piece)
    for field in dataclasses.fields(piece):
        inside = {
            name.removeprefix(f"{field.name}."): x for name, x in values.items() if name.startswith(f"{field.name}.")
        }
        if field.name in values:
            object.__setattr__(changed, field.name, values[field.name])
        elif inside:
            object.__setattr__(changed, field.name, adjusted(getattr(piece, field.name), inside))
    return changed


def as_names(owner: str, by: Any) -> list[str] | None:
    """The names of settings from one of them or a row; `None` where none are given."""
    if by is None or isinstance(by, str):
        return by if by is None else [by]
    if not isinstance(by, list | tuple) or not all(isinstance(name, str) for name in by):
        raise SettingError(f"{owner} was given by={shortened(by)}; give the name of a setting, or a list of names.")
    return list(by)


class Hyperparameters:
    """The hyperparameters that a training has, those that were chosen, and the course that values of them lead to.

    Attributes
    ----------
    values : dict
        The chosen ones as they are: numbers, arrays, and for `initial_parameters` arrays by layer.
    """

    def __init__(self, training: Training, by: list[str] | None, weights: Any, owner: str) -> None:
        self._training, self._step = training, training.step
        if plateau_of(self._step.optimizer.learning_rate) is not None:
            raise SettingError(
                f"{owner} was given cr.OnPlateau, whose rates are decided by jumps and have no derivative. Give another schedule."
            )
        known = self._known(weights)
        chosen = self._usual() if by is None else by
        if not chosen:
            raise SettingError(
                f"{owner} was given no settings in `by`; name some of {', '.join(known)}, or leave `by` out."
            )
        for name in chosen:
            if name not in known:
                raise SettingError(
                    f"{owner} was given by={name!r}; this training has {', '.join(known)}. Name some of these, or leave `by` out."
                )
        self.values = {name: known[name] for name in chosen}

    @property
    def of_optimizer(self) -> list[str]:
        """Those that are numbers of the optimizer, its schedule's apart."""
        own = numbers_of(self._step.optimizer)
        return [name for name in self.values if name in own and name.partition(".")[0] != RATE]

    @property
    def directions(self) -> int:
        """How many numbers they are."""
        return sum(int(np.size(x)) for x in trees.flatten(self.values)[0])

    def _known(self, weights: Any) -> dict[str, Any]:
        training, strengths = self._training, self._step.objective.penalty.strengths
        nested = trees.unflatten(training.structure, training.runner.state)["learned"]
        own = numbers_of(self._step.optimizer)
        return {
            RATE: own.pop(RATE, 0.0),
            RATES: np.zeros(training.settings.epochs),
            LAYER_RATES: dict.fromkeys(nested, 0.0),
            **own,
            **dict.fromkeys(PENALTIES, 0.0),
            **strengths,
            WEIGHTS: np.ones(training.batches.rows) if weights is None else np.asarray(weights, float),
            FIRST: trees.map_leaves(lambda x: x.astype(float), nested),
        }

    def _usual(self) -> list[str]:
        """The learning rate, the penalties and numbers of the optimizer that are not 0, and those of its schedule."""
        own = {name: x for name, x in numbers_of(self._step.optimizer).items() if np.ndim(x) or x}
        return list(dict.fromkeys([RATE, *self._step.objective.penalty.strengths, *own]))

    def course(self, values: Mapping[str, Any]) -> Course:
        """The course for such values, as plain NumPy code of them."""
        training, step = self._training, self._step
        epochs, per_epoch = training.settings.epochs, training.steps_per_epoch
        own = {name: x for name, x in values.items() if name in numbers_of(step.optimizer)}
        optimizer = adjusted(step.optimizer, own)
        times = np.arange(epochs * per_epoch) / per_epoch
        rates = as_schedule(optimizer.learning_rate)(times)
        if RATE in values and RATE not in own:
            rates = rates + values[RATE]
        if RATES in values:
            rates = rates + np.repeat(values[RATES], per_epoch)
        nested = trees.unflatten(training.structure, training.runner.state)
        learned = values.get(FIRST, nested["learned"])
        state = dataclasses.replace(step, optimizer=optimizer).initial_state(learned, {})
        penalty = {name: values[name] for name in PENALTIES if name in values}
        weights = values.get(WEIGHTS)
        return Course(
            {
                "optimizer": {name: values[name] for name in self.of_optimizer},
                "penalty": {**step.objective.penalty.strengths, **penalty},
                "layers": dict(values.get(LAYER_RATES, {})),
            },
            rates,
            None if weights is None else weights / np.mean(weights),
            {"learned": state["learned"], "optimizer": state["optimizer"]},
        )
