"""Derivatives by settings of a training: how the loss on validation data changes with learning rate, momentum and penalties."""

from __future__ import annotations

import copy
import dataclasses
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from chainrule.autodiff import jvp, value_and_grad, vmap
from chainrule.engines.jit import jit
from chainrule.errors import DivergedError, SettingError
from chainrule.network.base import BaseNetwork, batch_for
from chainrule.network.fitting import training_for
from chainrule.tracing import trees
from chainrule.training import Clipping, Objective, Penalty, Settings, Training
from chainrule.training.objective import merged
from chainrule.training.optimizer import Optimizer
from chainrule.training.step import TrainingStep

RATE, RATES = "learning_rate", "learning_rates"
PENALTIES = ("l1", "l2")


@dataclass(frozen=True)
class Hypergradient:
    """The loss on the validation data after a training, and its derivatives by the training's settings.

    Attributes
    ----------
    value : float
        The loss.
    gradients : dict
        By the names of settings: numbers, and for `learning_rates` one for every epoch.
    parameters : dict
        What the training ended with, by layer.
    """

    value: float
    gradients: Mapping[str, Any]
    parameters: Mapping[str, Mapping[str, Any]]

    def __getitem__(self, name: str) -> Any:
        return self.gradients[name]


def hypergradient(
    network: BaseNetwork,
    data: Sequence[Any],
    validation: Sequence[Any],
    *,
    optimizer: Any = "adam",
    loss: Any = None,
    l1: float = 0.0,
    l2: float = 0.0,
    epochs: int = 20,
    batch_size: int | None = 32,
    seed: int = 0,
    shuffle: bool = True,
    by: Sequence[str] | None = None,
) -> Hypergradient:
    """The derivatives of the validation loss by the settings of the training that `fit` would carry out.

    ∂L/∂λ = Σ ∂L/∂θ · ∂θ/∂λ at the last step; ∂θ/∂λ is carried along from step to step, in forward mode.

    Parameters
    ----------
    network : Network
        It begins from its first parameters, and is left as it is. In float64 the result is as exact as can be.
    data, validation : (X, y)
        What is learned from, and what is measured on.
    optimizer, loss, l1, l2, epochs, batch_size, seed, shuffle
        As for `fit`.
    by : sequence of str, optional
        The settings: `"learning_rate"` (of a schedule: what is added to all its rates), `"learning_rates"` (that of every epoch by
        itself), `"l1"`, `"l2"`, and the optimizer's numbers, such as `"momentum"` or `"beta1"`. By default the learning rate, the
        penalties that are not 0, and the optimizer's numbers that are not 0.

    Returns
    -------
    Hypergradient

    Raises
    ------
    SettingError
        For a setting that this training does not have.
    DivergedError
        When the training leaves the finite numbers.

    Examples
    --------
    >>> import numpy as np, chainrule as cr
    >>> X = np.linspace(-1, 1, 40)[:, None]
    >>> network = cr.Network([cr.Dense(4, "tanh"), cr.Dense(1)], dtype="float64")
    >>> found = cr.hypergradient(
    ...     network, (X[::2], X[::2] ** 2), (X[1::2], X[1::2] ** 2), optimizer=cr.SGD(0.05, momentum=0.9), epochs=200
    ... )
    >>> found["learning_rate"] < 0  # a larger one would learn more in as many steps
    True

    References
    ----------
    Franceschi et al., "Forward and reverse gradient-based hyperparameter optimization", 2017.
    """
    (X, y), (X_validation, y_validation) = _pair("data", data), _pair("validation", validation)
    own = copy.deepcopy(network)
    settings = Settings(
        epochs=epochs, batch_size=batch_size, seed=seed, shuffle=shuffle, progress=False, engine="numpy"
    )
    training = training_for(
        own, X, y, settings, loss=loss, optimizer=optimizer, penalty=Penalty(l1, l2), clipping=Clipping(),
        validation_data=None, validation_split=0.0, sample_weight=None, class_weight=None,
    )  # fmt: skip
    values = _settings(training.step, by)
    state, moved = _carried(training, values, epochs)
    learned, frozen = state["learned"], state["frozen"]
    held_out = batch_for(own, own.meanings, X_validation, y_validation)
    objective = Objective(training.step.objective.model, training.step.objective.heads, Penalty())

    def on_validation(learned: Any) -> Any:
        return objective(merged(frozen, learned), held_out, None, {})[0]

    value, by_learned = value_and_grad(on_validation)(learned)
    pairs = zip(trees.flatten(by_learned)[0], trees.flatten(moved["learned"])[0], strict=True)
    totals: Any = sum(np.sum(g * m, axis=tuple(range(1, m.ndim))) for g, m in pairs)
    gradients, place = {}, 0
    for name in values:
        count = epochs if name == RATES else 1
        gradients[name] = np.array(totals[place : place + count]) if name == RATES else float(totals[place])
        place += count
    return Hypergradient(float(value), gradients, merged(frozen, learned))


def _pair(name: str, given: Any) -> tuple[Any, Any]:
    if not isinstance(given, tuple | list) or len(given) != 2:
        raise SettingError(f"hypergradient needs {name} as a pair (X, y).")
    return given[0], given[1]


def _settings(step: TrainingStep, by: Sequence[str] | None) -> dict[str, float]:
    """The settings to differentiate by, with their values."""
    optimizer, strengths = step.optimizer, step.objective.penalty.strengths
    numbers = {
        f.name: float(getattr(optimizer, f.name))
        for f in dataclasses.fields(optimizer)
        if f.name != RATE and isinstance(getattr(optimizer, f.name), float)
    }
    known = {RATE: 1.0, RATES: 1.0, **numbers, **dict.fromkeys(PENALTIES, 0.0), **strengths}
    chosen = [RATE, *strengths, *(n for n, x in numbers.items() if x)] if by is None else list(by)
    for name in chosen:
        if name not in known:
            raise SettingError(
                f"hypergradient was given by={name!r}; this training has {', '.join(known)}. Name one of these, or leave `by` out."
            )
    return {name: known[name] for name in chosen}


def _carried(training: Training, values: dict[str, float], epochs: int) -> tuple[Any, Any]:
    """The state after all steps, and how it moves with every setting, along a first axis."""
    step, dtype = training.step, training.dtype
    names = [name for name in values if name not in (RATE, RATES)]
    ways = sum(epochs if name == RATES else 1 for name in values)
    state = step.initial_state(*_parts(training))
    state["penalty"] = {name: np.asarray(values.get(name, x), dtype) for name, x in state["penalty"].items()}
    for name in PENALTIES:
        if name in names:
            state["penalty"].setdefault(name, np.asarray(0.0, dtype))
    moving = ("learned", "optimizer")
    still = trees.map_leaves(lambda x: np.zeros((ways, *x.shape), x.dtype), {part: state[part] for part in moving})
    constants = np.array([values[name] for name in names], dtype)
    toward = np.zeros((ways, len(names)), dtype)
    place = 0
    for name in values:
        if name in names:
            toward[place, names.index(name)] = 1.0
        place += epochs if name == RATES else 1

    def taken(numbers: Any, part: Any, rate: Any, batch: list[Any], rest: Any, count: Any, key: Any) -> Any:
        penalty = {n: numbers[names.index(n)] if n in names else x for n, x in rest["penalty"].items()}
        given = {n: numbers[names.index(n)] for n in names if n not in PENALTIES}
        changed = dataclasses.replace(step, optimizer=_with(step.optimizer, given))
        new, _ = changed({**rest, **part, "penalty": penalty}, training.data.like(batch), rate, count, key)
        return {name: new[name] for name in moving}

    def both(numbers: Any, part: Any, rate: Any, ways: Any, batch: Any, rest: Any, count: Any, key: Any) -> Any:
        new = taken(numbers, part, rate, batch, rest, count, key)
        along = vmap(
            lambda n, p, r: jvp(
                lambda n, p, r: taken(n, p, r, batch, rest, count, key), (numbers, part, rate), (n, p, r)
            )[1]
        )
        return new, along(*ways)

    fast = jit(both, engine="auto")
    part = {name: state[name] for name in moving}
    rest = {"frozen": state["frozen"], "penalty": state["penalty"]}
    block = training.block(0, epochs)
    arrays = training.data.arrays()
    for number in range(epochs * training.steps_per_epoch):
        epoch, batch = divmod(number, training.steps_per_epoch)
        rows = block.order[epoch, batch * training.batch_size : (batch + 1) * training.batch_size]
        rate, count, key = (np.asarray(x[number]) for x in block.scalars)
        rates = _rates(values, epochs, epoch, rate)
        given = [np.take(x, rows, axis=0) for x in arrays]
        part, still = fast(constants, part, rate, (toward, still, rates), given, rest, count, key)
    if not all(np.isfinite(x).all() for x in trees.flatten((part, still))[0]):
        raise DivergedError(
            f"the training, or its derivative by {', '.join(values)}, left the finite numbers within {epochs} epochs. Use a smaller "
            "learning rate, or fewer epochs."
        )
    return {**part, **rest}, still


def _rates(values: dict[str, float], epochs: int, epoch: int, rate: Any) -> Any:
    """How the learning rate of a step moves with every setting: for a constant one by itself, for an epoch's by its own."""
    moved: list[Any] = []
    for name in values:
        if name == RATES:
            moved += [np.ones_like(rate) if e == epoch else np.zeros_like(rate) for e in range(epochs)]
        else:
            moved.append(np.ones_like(rate) if name == RATE else np.zeros_like(rate))
    return np.stack(moved)


def _parts(training: Training) -> tuple[Any, Any]:
    state = trees.unflatten(training.structure, training.runner.state)
    return state["learned"], state["frozen"]


def _with(optimizer: Optimizer, values: Mapping[str, Any]) -> Optimizer:
    """An optimizer with traced numbers in place of its own, which are checked already."""
    changed = copy.copy(optimizer)
    for name, value in values.items():
        object.__setattr__(changed, name, value)
    return changed
