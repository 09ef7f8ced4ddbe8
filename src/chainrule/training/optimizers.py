"""Optimizers: frozen dataclasses whose `update` is plain NumPy code for one parameter array.

`initial_state(parameter)` gives the arrays an optimizer keeps for a parameter between steps, and
`update(gradient, parameter, state, learning_rate, step)` the new parameter and the new state. `step` counts from 1.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from chainrule.errors import SettingError
from chainrule.tracing.apply import traced
from chainrule.training.bounds import is_nothing, unless_number
from chainrule.training.optimizer import Optimizer, OptimizerState, root_of_squares, zeros


@dataclass(frozen=True)
class SGD(Optimizer):
    """Gradient descent, w ← w − η g; with momentum v ← μ v − η g and w ← w + v.

    Parameters
    ----------
    learning_rate : float or schedule
        η.
    momentum : float
        μ, at least 0 and less than 1.
    nesterov : bool
        Nesterov's momentum, w ← w + μ v − η g with the new v (Sutskever et al. 2013).
    """

    learning_rate: Any = 0.01
    momentum: float = 0.0
    nesterov: bool = False

    def __post_init__(self) -> None:
        Optimizer.__post_init__(self)
        SettingError.unless_one_of("SGD", "nesterov", self.nesterov, (False, True))
        if self.nesterov and is_nothing(self.momentum):
            raise SettingError("SGD was given nesterov=True without momentum; give both, such as momentum=0.9.")

    def initial_state(self, parameter: Any) -> OptimizerState:
        """The velocity, if there is momentum."""
        return {} if is_nothing(self.momentum) else {"velocity": zeros(parameter)}

    def update(
        self, gradient: Any, parameter: Any, state: OptimizerState, learning_rate: Any, step: Any
    ) -> tuple[Any, OptimizerState]:
        """The parameter and its state after one step."""
        if "velocity" not in state:
            return parameter - learning_rate * gradient, state
        velocity = self.momentum * state["velocity"] - learning_rate * gradient
        move = self.momentum * velocity - learning_rate * gradient if self.nesterov else velocity
        return parameter + move, {"velocity": velocity}


@dataclass(frozen=True)
class AdaGrad(Optimizer):
    """w ← w − η g / (√Σg² + ε), the sum over all steps (Duchi, Hazan and Singer 2011).

    Parameters
    ----------
    learning_rate : float or schedule
        η.
    epsilon : float
        ε, which keeps the divisor from 0.
    initial_accumulator_value : float
        What the sum starts at; 0.1 in TensorFlow and Keras.
    epsilon_under_root : bool
        Whether the divisor is √(Σg² + ε), as in Duchi's paper and Keras.
    """

    known_as: ClassVar[tuple[str, ...]] = ("adagrad",)
    learning_rate: Any = 0.01
    epsilon: float = 1e-8
    initial_accumulator_value: float = 0.0
    epsilon_under_root: bool = False

    def __post_init__(self) -> None:
        Optimizer.__post_init__(self)
        given = self.initial_accumulator_value
        unless_number("AdaGrad", "initial_accumulator_value", given, at_least=0)

    def initial_state(self, parameter: Any) -> OptimizerState:
        """The sum of squared gradients."""
        return {"sum": zeros(parameter) + self.initial_accumulator_value}

    def update(
        self, gradient: Any, parameter: Any, state: OptimizerState, learning_rate: Any, step: Any
    ) -> tuple[Any, OptimizerState]:
        """The parameter and its state after one step."""
        total = state["sum"] + np.square(gradient)
        divisor = _rooted(total, self.epsilon, self.epsilon_under_root)
        return parameter - learning_rate * gradient / divisor, {"sum": total}


def _rooted(squares: Any, epsilon: float, under_root: bool) -> Any:
    """√squares, kept from 0 by ε beside the root or under it."""
    return np.sqrt(squares + epsilon) if under_root else root_of_squares(squares) + epsilon


@dataclass(frozen=True)
class AdaDelta(Optimizer):
    """Steps scaled by the running size of earlier steps over that of gradients (Zeiler 2012)."""

    known_as: ClassVar[tuple[str, ...]] = ("adadelta",)
    learning_rate: Any = 1.0
    rho: float = 0.95
    epsilon: float = 1e-6

    def initial_state(self, parameter: Any) -> OptimizerState:
        """Running means of squared gradients and squared steps."""
        return {"gradients": zeros(parameter), "steps": zeros(parameter)}

    def update(
        self, gradient: Any, parameter: Any, state: OptimizerState, learning_rate: Any, step: Any
    ) -> tuple[Any, OptimizerState]:
        """The parameter and its state after one step."""
        gradients = self.rho * state["gradients"] + (1.0 - self.rho) * np.square(gradient)
        move = np.sqrt(state["steps"] + self.epsilon) / np.sqrt(gradients + self.epsilon) * gradient
        steps = self.rho * state["steps"] + (1.0 - self.rho) * np.square(move)
        return parameter - learning_rate * move, {"gradients": gradients, "steps": steps}


@dataclass(frozen=True)
class RMSprop(Optimizer):
    """w ← w − η g / (√v + ε), v the running mean of g² (Tieleman and Hinton 2012).

    Parameters
    ----------
    learning_rate : float or schedule
        η.
    rho : float
        How much of the running mean is kept in a step.
    epsilon : float
        ε, which keeps the divisor from 0.
    epsilon_under_root : bool
        Whether the divisor is √(v + ε), as in Keras.
    """

    known_as: ClassVar[tuple[str, ...]] = ("rmsprop",)
    learning_rate: Any = 0.001
    rho: float = 0.9
    epsilon: float = 1e-8
    epsilon_under_root: bool = False

    def initial_state(self, parameter: Any) -> OptimizerState:
        """The running mean of squared gradients."""
        return {"mean_square": zeros(parameter)}

    def update(
        self, gradient: Any, parameter: Any, state: OptimizerState, learning_rate: Any, step: Any
    ) -> tuple[Any, OptimizerState]:
        """The parameter and its state after one step."""
        mean = self.rho * state["mean_square"] + (1.0 - self.rho) * np.square(gradient)
        divisor = _rooted(mean, self.epsilon, self.epsilon_under_root)
        return parameter - learning_rate * gradient / divisor, {"mean_square": mean}


@dataclass(frozen=True)
class Adam(Optimizer):
    """w ← w − η m̂ / (√v̂ + ε), with m and v the running means of g and g², corrected for their start at 0.

    Parameters
    ----------
    learning_rate : float or schedule
        η.
    beta1, beta2 : float
        How much of the running means is kept in a step.
    epsilon : float
        Keeps the divisor from 0.

    References
    ----------
    Kingma and Ba, "Adam: a method for stochastic optimization", 2015, algorithm 1.
    """

    learning_rate: Any = 0.001
    beta1: float = 0.9
    beta2: float = 0.999
    epsilon: float = 1e-8

    def initial_state(self, parameter: Any) -> OptimizerState:
        """The running means of gradients and of their squares."""
        return {"mean": zeros(parameter), "mean_square": zeros(parameter)}

    def _means(self, gradient: Any, state: OptimizerState) -> tuple[Any, Any]:
        mean = self.beta1 * state["mean"] + (1.0 - self.beta1) * gradient
        return mean, self.beta2 * state["mean_square"] + (1.0 - self.beta2) * np.square(gradient)

    def update(
        self, gradient: Any, parameter: Any, state: OptimizerState, learning_rate: Any, step: Any
    ) -> tuple[Any, OptimizerState]:
        """The parameter and its state after one step."""
        mean, mean_square = self._means(gradient, state)
        corrected = learning_rate / risen(self.beta1, step)
        root = root_of_squares(mean_square) * (1.0 / np.sqrt(risen(self.beta2, step)))
        return parameter - corrected * mean / (root + self.epsilon), {"mean": mean, "mean_square": mean_square}


def risen(beta: float, step: Any) -> Any:
    """1 − βᵗ, exact to the last digit also in float32 and for β near 1."""
    if isinstance(beta, int | float):
        return traced.complement_of_power(step, base=beta) if beta else 1.0
    return -np.expm1(step * np.log(beta))  # one that derivatives are taken by


@dataclass(frozen=True)
class AdamW(Adam):
    """Adam, with every weight also shrunk by η·weight_decay in each step (Loshchilov and Hutter 2019)."""

    known_as: ClassVar[tuple[str, ...]] = ("adamw",)
    weight_decay: float = 0.01

    def update(
        self, gradient: Any, parameter: Any, state: OptimizerState, learning_rate: Any, step: Any
    ) -> tuple[Any, OptimizerState]:
        """The parameter and its state after one step."""
        shrunk = parameter * (1.0 - learning_rate * self.weight_decay)
        return Adam.update(self, gradient, shrunk, state, learning_rate, step)


@dataclass(frozen=True)
class NAdam(Adam):
    """Adam with Nesterov's look ahead: (β₁ m̂ + (1 − β₁) g / (1 − β₁ᵗ)) in place of m̂ (Dozat 2016)."""

    known_as: ClassVar[tuple[str, ...]] = ("nadam",)

    def update(
        self, gradient: Any, parameter: Any, state: OptimizerState, learning_rate: Any, step: Any
    ) -> tuple[Any, OptimizerState]:
        """The parameter and its state after one step."""
        mean, mean_square = self._means(gradient, state)
        ahead = self.beta1 * mean / risen(self.beta1, step + 1.0)
        ahead = ahead + (1.0 - self.beta1) * gradient / risen(self.beta1, step)
        root = root_of_squares(mean_square / risen(self.beta2, step))
        return parameter - learning_rate * ahead / (root + self.epsilon), {"mean": mean, "mean_square": mean_square}


@dataclass(frozen=True)
class Rprop(Optimizer):
    """Each weight has its own step, longer while the gradient keeps its sign and shorter when it turns.

    For whole batches (`batch_size=None`): with small ones the signs are noise. The learning rate is the first step.

    References
    ----------
    Riedmiller and Braun 1993; the variant that takes no step after a turn, iRprop− (Igel and Hüsken 2000).
    """

    learning_rate: Any = 0.01
    shrink: float = 0.5
    grow: float = 1.2
    smallest: float = 1e-6
    largest: float = 50.0

    def __post_init__(self) -> None:
        Optimizer.__post_init__(self)
        unless_number("Rprop", "shrink", self.shrink, above=0, below=1)
        unless_number("Rprop", "grow", self.grow, above=1)
        unless_number("Rprop", "smallest", self.smallest, at_least=0)
        unless_number("Rprop", "largest", self.largest, at_least=self.smallest)

    def initial_state(self, parameter: Any) -> OptimizerState:
        """The steps, relative to the learning rate, and the gradients before."""
        return {"size": np.ones_like(parameter), "gradient": zeros(parameter)}

    def update(
        self, gradient: Any, parameter: Any, state: OptimizerState, learning_rate: Any, step: Any
    ) -> tuple[Any, OptimizerState]:
        """The parameter and its state after one step."""
        agreement = gradient * state["gradient"]
        factor = np.where(agreement > 0, self.grow, np.where(agreement < 0, self.shrink, np.ones_like(parameter)))
        size = np.clip(state["size"] * factor, self.smallest, self.largest)
        kept = np.where(agreement < 0, 0.0, gradient)
        return parameter - learning_rate * size * np.sign(kept), {"size": size, "gradient": kept}
