"""What the estimators' parameters may be, in scikit-learn's own terms, and what the library makes of them."""

from __future__ import annotations

import math
from collections.abc import Mapping
from numbers import Integral, Real
from typing import Any

import numpy as np
from sklearn.utils._param_validation import Interval, Options, StrOptions

from chainrule.engines import Engine
from chainrule.engines.choice import names
from chainrule.nn.activations import ACTIVATIONS
from chainrule.nn.initializers import Uniform
from chainrule.nn.layers import Dense, Dropout
from chainrule.sklearn.solvers import AdamSolver, SGDSolver
from chainrule.training import LOSSES, OPTIMIZERS, Optimizer, as_optimizer

CONSTRAINTS: dict[str, Any] = {
    "hidden_layer_sizes": ["array-like", Interval(Integral, 1, None, closed="left")],
    "activation": [StrOptions({"logistic", *ACTIVATIONS}), callable, list, tuple],
    "solver": [StrOptions({"lbfgs", "sgd", "adam"})],
    "alpha": [Interval(Real, 0, None, closed="left")],
    "batch_size": [StrOptions({"auto"}), Interval(Integral, 1, None, closed="left")],
    "learning_rate": [StrOptions({"constant", "invscaling", "adaptive"})],
    "learning_rate_init": [Interval(Real, 0, None, closed="neither")],
    "power_t": [Interval(Real, 0, None, closed="left")],
    "max_iter": [Interval(Integral, 1, None, closed="left")],
    "shuffle": ["boolean"],
    "random_state": ["random_state"],
    "tol": [Interval(Real, 0, None, closed="left")],
    "verbose": ["verbose"],
    "warm_start": ["boolean"],
    "momentum": [Interval(Real, 0, 1, closed="both")],
    "nesterovs_momentum": ["boolean"],
    "early_stopping": ["boolean"],
    "validation_fraction": [Interval(Real, 0, 1, closed="left")],
    "beta_1": [Interval(Real, 0, 1, closed="left")],
    "beta_2": [Interval(Real, 0, 1, closed="left")],
    "epsilon": [Interval(Real, 0, None, closed="neither")],
    "n_iter_no_change": [Interval(Integral, 1, None, closed="left"), Options(Real, {np.inf})],
    "max_fun": [Interval(Integral, 1, None, closed="left")],
    "optimizer": [StrOptions(set(OPTIMIZERS)), Optimizer, None],
    "dropout": [Interval(Real, 0, 1, closed="left"), list, tuple],
    "callbacks": [list, tuple, callable, None],
    "engine": [StrOptions(set(names())), Engine],
    "threads": [Interval(Integral, 1, None, closed="left"), None],
}
"""What scikit-learn's estimators take, and after `max_fun` what theirs do not have."""

LOSS_NAMES = StrOptions({*LOSSES, "log_loss"})


def hidden_sizes(given: Any) -> list[int]:
    """Numbers of neurons in the hidden layers."""
    sizes = list(given) if hasattr(given, "__iter__") else [given]
    if np.any(np.array(sizes) <= 0):
        raise ValueError(f"hidden_layer_sizes must be > 0, got {sizes}.")
    return [int(size) for size in sizes]


def one_for_each(given: Any, count: int, what: str) -> list[Any]:
    """One setting for every hidden layer, from one for all or a list of them."""
    if not isinstance(given, list | tuple):
        return [given] * count
    if len(given) != count:
        raise ValueError(
            f"{what} was given as {len(given)} values, and there are {count} hidden layers; give one for each."
        )
    return list(given)


def glorot_bound(activation: Any, inputs: int, units: int) -> float:
    """The bound of the uniform law that weights and biases of a layer are drawn from."""
    return math.sqrt((2.0 if activation in ("logistic", "sigmoid") else 6.0) / (inputs + units))


def layers_of(inputs: int, hidden: list[int], outputs: int, activation: Any, dropout: Any) -> list[Any]:
    """The layers of a multilayer perceptron, which start by scikit-learn's law."""
    activations = one_for_each(activation, len(hidden), "activation")
    rates = one_for_each(dropout, len(hidden), "dropout")
    layers: list[Any] = []
    for units, name, rate in zip(hidden, activations, rates, strict=True):
        layers.append(_dense(inputs, units, "sigmoid" if name == "logistic" else name, name))
        if rate:
            layers.append(Dropout(rate))
        inputs = units
    last = activations[-1] if activations else activation
    return [*layers, _dense(inputs, outputs, "identity", last)]


def _dense(inputs: int, units: int, activation: Any, law: Any) -> Dense:
    bound = glorot_bound(law, inputs, units)
    return Dense(units, activation, weight=Uniform(-bound, bound), bias=Uniform(-bound, bound))


def draw(layers: Mapping[str, Any], random: np.random.RandomState, shapes: Mapping[str, Any]) -> dict[str, Any]:
    """First values of all parameters: those that scikit-learn draws from the same random state."""
    values = {}
    for name, own in shapes.items():
        for part in ("weight", "bias"):
            law = getattr(layers[name], part)
            values[f"{name}.{part}"] = random.uniform(law.low, law.high, own[part].shape)
    return values


def solver_of(estimator: Any, rate: Any) -> Optimizer:
    """The optimizer that an estimator's parameters describe, with this learning rate or schedule."""
    if estimator.optimizer is not None:
        return as_optimizer(estimator.optimizer)
    if estimator.solver == "adam":
        return AdamSolver(rate, estimator.beta_1, estimator.beta_2, estimator.epsilon)
    momentum = float(estimator.momentum)
    return SGDSolver(rate, momentum, bool(estimator.nesterovs_momentum and momentum))
