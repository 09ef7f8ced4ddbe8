"""Derivatives by hyperparameters: how the loss on validation data changes with the settings of the training before it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from chainrule.engines import Engine
from chainrule.errors import SettingError
from chainrule.network.base import BaseNetwork
from chainrule.network.hyperparameters.trials import Trial
from chainrule.tracing import trees

if TYPE_CHECKING:
    from chainrule.explanation.derivations.hypergradients import HypergradientExplanation


@dataclass(frozen=True)
class Hypergradient:
    """The loss on the validation data after a training, and its derivatives by the training's settings.

    Attributes
    ----------
    value : float
        The loss.
    gradients : dict
        By the names of settings: numbers, arrays, and by layer what settings have by layer. `found["momentum"]` is the short form.
    parameters : dict
        What the training ended with, by layer.
    mode : {"forward", "reverse"}
        How the derivatives were carried.
    settings : dict
        The settings where the derivatives were taken, nested as `gradients` are.
    """

    value: float
    gradients: Mapping[str, Any]
    parameters: Mapping[str, Mapping[str, Any]] = field(repr=False)
    mode: str
    settings: Mapping[str, Any] = field(repr=False)
    trial: Trial | None = field(repr=False, compare=False)

    def __getitem__(self, name: str) -> Any:
        return self.gradients[name]

    def __getstate__(self) -> dict[str, Any]:
        """What is copied and stored, which is all but the training."""
        return {**self.__dict__, "trial": None}

    def explain(self, where: str, *, most: int = 10, digits: int = 6) -> HypergradientExplanation:
        """Σᵢ (∇θ f)ᵢ · ∂θᵢ/∂λ with its numbers: how each parameter moves with one setting, and what the loss makes of it.

        Parameters
        ----------
        where : str
            One number of the settings: `"learning_rate"`, `"sample_weight[3]"`, `"initial_parameters.dense_0.weight[0, 1]"`.
        most : int
            Parameters shown one by one, those that count most; the others are added up.
        digits : int
            Significant digits. Products and factors get more where the printed ones would not multiply or add up.

        Returns
        -------
        HypergradientExplanation
            Printed as text, shown in notebooks; `shares` has the numbers.

        Examples
        --------
        >>> import chainrule as cr
        >>> line = cr.Network([cr.Dense(1, weight=[[0.0]], bias=None)], dtype="float64")
        >>> data = [[1.0]], [1.0]
        >>> found = cr.hypergradient(line, data, data, optimizer=cr.SGD(0.1), epochs=1)
        >>> found.explain("learning_rate")  # f = (w − 1)² with w = 2·λ
        ∂f/∂λ = Σᵢ (∇θ f)ᵢ · ∂θᵢ/∂λ = −3.2
        f = 0.64, the loss on the validation data; λ = learning_rate = 0.1; θ = 1 parameter after 1 step
        <BLANKLINE>
          parameter by parameter
            θᵢ                      (∇θ f)ᵢ  ∂θᵢ/∂λ  product
            dense_0.weight[0, 0]     −1.6       2    −3.20
            the sum                                   −3.2
        """
        from chainrule.explanation.derivations.hypergradients import explain_hypergradient
        from chainrule.explanation.evaluations.places import find

        if self.trial is None:
            raise SettingError(
                "this result was copied or loaded without its training; call hypergradient again to explain it."
            )
        leaves, structure = trees.flatten(dict(self.settings))
        known: dict[str, Any] = dict(zip(trees.paths(structure), enumerate(leaves), strict=True))
        found: Any = find(known, where)
        (number, array), place = found[0], tuple(found[1] or ())
        shape = np.shape(array)
        if len(place) != len(shape) or not all(
            isinstance(i, int) and -n <= i < n for i, n in zip(place, shape, strict=True)
        ):
            name = where.partition("[")[0]
            raise SettingError(
                f"{where!r} was to be explained, and {name} has shape {shape}; name one number of it, such as "
                f"{name}[{', '.join('0' * len(shape))}]."
            )
        units = [np.zeros(np.shape(x)) for x in leaves]
        units[number][place] = 1.0
        at = float(np.asarray(array)[place])
        learned, moved = self.trial.forward(self.settings, [trees.unflatten(structure, units)])
        loss, by_learned = self.trial.on_validation(learned)
        gradients, inner = trees.flatten(by_learned)
        along = [x[0] for x in trees.flatten(moved)[0]]
        return explain_hypergradient(
            where, at, float(loss), self.trial.steps, trees.paths(inner), gradients, along, most=most, digits=digits
        )


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
    sample_weight: Any = None,
    by: Sequence[str] | str | None = None,
    mode: str = "auto",
    engine: str | Engine = "auto",
) -> Hypergradient:
    """The derivatives of the validation loss by the settings of the training that `fit` would carry out.

    ∂f/∂λ = Σᵢ (∇θ f)ᵢ · ∂θᵢ/∂λ, with θ the parameters after the last step, through all steps before it. Forward mode carries
    ∂θ/∂λ along from step to step; reverse mode carries ∂f/∂θ back, over states of which it keeps about the square root.

    Parameters
    ----------
    network : Network
        It begins from its first parameters, and is left as it is. In float64 the result is as exact as can be.
    data, validation : (X, y)
        What is learned from, and what is measured on.
    optimizer, loss, l1, l2, epochs, batch_size, seed, shuffle, sample_weight, engine
        As for `fit`.
    by : str or sequence of str, optional
        The settings. Of the learning rate: `"learning_rate"` (of a schedule: what is added to all its rates), `"learning_rates"`
        (that of every epoch by itself), `"layer_learning_rates"` (that of every layer), and a schedule's own numbers and knots,
        such as `"learning_rate.final"`. The optimizer's numbers, such as `"momentum"` or `"beta1"`. `"l1"`, `"l2"`,
        `"sample_weight"` (one for every row) and `"initial_parameters"` (the first weights). By default the learning rate, the
        penalties, and the numbers of optimizer and schedule that are not 0.
    mode : {"auto", "forward", "reverse"}
        Forward mode takes time for every number of the settings, reverse mode the same for all: `auto` is forward up to 4.

    Returns
    -------
    Hypergradient
        With `explain`, which shows the formula with its numbers.

    Raises
    ------
    SettingError
        For a setting that this training does not have, and for `OnPlateau`, whose rates are decided by jumps.
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
    Franceschi et al., "Forward and reverse gradient-based hyperparameter optimization", 2017. Maclaurin, Duvenaud and Adams,
    "Gradient-based hyperparameter optimization through reversible learning", 2015.
    """
    trial = Trial(
        network, data, validation, "hypergradient", by, optimizer=optimizer, loss=loss, l1=l1, l2=l2,
        sample_weight=sample_weight, epochs=epochs, batch_size=batch_size, seed=seed, shuffle=shuffle,
        engine=engine,
    )  # fmt: skip
    values = trial.hyperparameters.values
    chosen = trial.mode(mode, "hypergradient")
    value, gradients, learned = trial.gradient(values, chosen)
    plain = trees.map_leaves(lambda x: np.asarray(x) if np.ndim(x) else float(x), gradients)
    return Hypergradient(value, plain, trial.whole(learned), chosen, values, trial)
