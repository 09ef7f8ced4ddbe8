"""What an optimizer is: a frozen dataclass whose `update` is plain NumPy code for one parameter array."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from chainrule.errors import SettingError
from chainrule.tracing.apply import traced
from chainrule.training.bounds import unless_number
from chainrule.training.schedules import as_schedule

OptimizerState = Mapping[str, Any]

SHARES = ("momentum", "beta1", "beta2", "rho")
"""Settings that say how much is kept from step to step, from 0 to less than 1."""


def zeros(parameter: Any) -> Any:
    """An array of zeros of its shape and dtype, made in a third of the time of NumPy's `zeros_like`."""
    return np.zeros(parameter.shape, parameter.dtype)


def root_of_squares(x: Any) -> Any:
    """√x of a mean or sum of squared gradients. Where they are all 0, as of a column of zeros, it moves with none of them."""
    return traced.root(x)


@dataclass(frozen=True)
class Optimizer:
    """An optimizer of your own: a frozen dataclass with `initial_state` and `update`.

    Parameters
    ----------
    learning_rate : float or schedule
        η, or a schedule such as `cr.Cosine(1e-3, epochs=20)`.

    Its numbers may be traced: code that calls `update` is differentiable by them.

    Examples
    --------
    >>> from dataclasses import dataclass
    >>> import numpy as np, chainrule as cr
    >>> @dataclass(frozen=True)
    ... class SignDescent(cr.Optimizer):
    ...     def update(self, gradient, parameter, state, learning_rate, step):
    ...         return parameter - learning_rate * np.sign(gradient), state
    >>> X = np.linspace(-1, 1, 50)[:, None]
    >>> history = cr.Network([cr.Dense(1)]).fit(X, 2 * X, optimizer=SignDescent(0.01), epochs=5, progress=False)
    >>> history["loss"][-1] < history["loss"][0]
    True
    """

    learning_rate: Any = 0.01

    def __init_subclass__(cls, **given: Any) -> None:
        """`initial_state` was called `slots` before: a class that defines either has both."""
        super().__init_subclass__(**given)
        for name, other in (("initial_state", "slots"), ("slots", "initial_state")):
            if callable(vars(cls).get(name)) and other not in vars(cls):
                setattr(cls, other, vars(cls)[name])

    def __post_init__(self) -> None:
        as_schedule(self.learning_rate)
        for name in SHARES:
            unless_number(type(self).__name__, name, getattr(self, name, 0.0), at_least=0, below=1)
        for name in ("epsilon", "weight_decay"):
            unless_number(type(self).__name__, name, getattr(self, name, 0.0), at_least=0)

    def initial_state(self, parameter: Any) -> OptimizerState:
        """The arrays kept for one parameter, as they are before the first step."""
        return {}

    slots = initial_state

    def update(
        self, gradient: Any, parameter: Any, state: OptimizerState, learning_rate: Any, step: Any
    ) -> tuple[Any, OptimizerState]:
        """The parameter and its state after one step."""
        raise SettingError(
            f"{type(self).__name__} has no update(gradient, parameter, state, learning_rate, step); write one."
        )
