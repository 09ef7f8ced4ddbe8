"""Hyperparameters found by gradient descent: trainings one after the other, each with settings that the last one's gradient says."""

from __future__ import annotations

import copy
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from chainrule.autodiff import vjp
from chainrule.engines import Engine
from chainrule.errors import DivergedError, SettingError
from chainrule.network.hyperparameters.trials import Trial
from chainrule.network.network import Network
from chainrule.training import Optimizer, as_optimizer
from chainrule.training.hypergradients.hyperparameters import (
    FIRST,
    LAYER_RATES,
    RATE,
    RATES,
    WEIGHTS,
    adjusted,
    as_names,
    numbers_of,
)
from chainrule.training.optimizer import SHARES
from chainrule.training.optimizers import Rprop
from chainrule.training.schedules import as_schedule

FARTHEST, LARGEST_SHARE = 80.0, 1.0 - 2.0**-24
"""How far settings go on their scale, and how near shares come to 1, in float32 too."""
MOVES = 5
"""How many moves there may be for every training, since some lead to where one was carried out, or nowhere."""
TIMES = (".epochs", ".every", ".times")
"""Settings of schedules that are times; they are tuned where they are named."""


@dataclass(frozen=True)
class Tuned:
    """What was found: the best settings of all that were tried, and a network trained with them.

    Attributes
    ----------
    settings : dict
        The settings by name.
    loss : float
        The loss on the validation data with them.
    losses : array of shape (trainings,)
        That of every training, in order; infinite where it diverged. Fewer where Ctrl-C ended the search, or nothing moved any more.
    tried : tuple of dict
        The settings of every training.
    arguments : dict
        The settings as arguments of `fit`.
    network : Network
        Fitted with these.
    """

    settings: Mapping[str, Any]
    loss: float
    losses: Any = field(repr=False)
    tried: tuple[Mapping[str, Any], ...] = field(repr=False)
    arguments: Mapping[str, Any]
    network: Network = field(repr=False)

    def __str__(self) -> str:
        names = [name for name, x in self.settings.items() if np.ndim(x) == 0]
        rows = [("val_loss", *names)]
        for loss, settings in zip(self.losses, self.tried, strict=True):
            rows.append((f"{loss:.6g}", *(f"{settings[name]:.4g}" for name in names)))
        widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
        return "\n".join("  ".join(x.rjust(w) for x, w in zip(row, widths, strict=True)) for row in rows)


def tune(
    network: Network,
    data: Sequence[Any],
    validation: Sequence[Any],
    *,
    by: Sequence[str] | str | None = None,
    trainings: int = 20,
    descent: Any = None,
    optimizer: Any = "adam",
    loss: Any = None,
    l1: float = 0.0,
    l2: float = 0.0,
    epochs: int = 20,
    batch_size: int | None = 32,
    seed: int = 0,
    shuffle: bool = True,
    sample_weight: Any = None,
    mode: str = "auto",
    engine: str | Engine = "auto",
) -> Tuned:
    """Settings of a training found by descent along `hypergradient`: those with the smallest loss on the validation data.

    Settings move on a scale of their own, by a coordinate u that begins at 0: λ·eᵘ, and for shares such as the momentum
    σ(logit λ + u). Each training begins from the same first parameters; from one that does worse than the best so far, or diverges, u
    goes back halfway to that one's. Ctrl-C ends the search with the trainings that are done; once more ends the last training, too.

    Parameters
    ----------
    network : Network
        It begins from its first parameters, and is left as it is.
    data, validation : (X, y)
        What is learned from, and what is measured on. Tuned on, these say too little about new data: keep others for that.
    by : str or sequence of str, optional
        What to find, beginning from the values given: `"learning_rate"`, `"l1"`, `"l2"`, numbers of the optimizer, numbers and
        knots of its schedule (`"learning_rate.rates"`), `"sample_weight"`. By default the learning rate, the penalties that are
        not 0, and the momentum or betas.
    trainings : int
        How many to carry out; one more at the end leaves the network.
    descent : optimizer, optional
        How to move in u; by default `cr.Rprop(0.5)`.
    optimizer, loss, l1, l2, epochs, batch_size, seed, shuffle, sample_weight, engine
        As for `fit`.
    mode : {"auto", "forward", "reverse"}
        As for `hypergradient`.

    Returns
    -------
    Tuned

    Raises
    ------
    SettingError
        For settings that this training does not have, that are 0, or that `fit` cannot be given.
    DivergedError
        When the first training does.

    Examples
    --------
    >>> import numpy as np, chainrule as cr
    >>> X = np.linspace(-1, 1, 60)[:, None]
    >>> network = cr.Network([cr.Dense(8, "tanh"), cr.Dense(1)])
    >>> data, validation = (X[::2], X[::2] ** 2), (X[1::2], X[1::2] ** 2)
    >>> found = cr.tune(network, data, validation, optimizer=cr.SGD(0.01, momentum=0.5), trainings=8)
    >>> found.settings["learning_rate"] > 0.05, found.losses.argmin() > 3
    (True, np.True_)
    >>> history = network.fit(*data, **found.arguments, progress=False)

    References
    ----------
    Maclaurin, Duvenaud and Adams, "Gradient-based hyperparameter optimization through reversible learning", 2015.
    """
    SettingError.unless_count("tune", "trainings", trainings)
    own, given = as_optimizer(optimizer), {"l1": l1, "l2": l2}
    descent = Rprop(0.5) if descent is None else as_optimizer(descent)
    names = as_names("tune", by)
    chosen = _usual(own, given) if names is None else names
    if not chosen:
        raise SettingError(
            "tune found nothing to tune: the learning rate has no numbers, and penalties, momentum and betas are 0 or not there. "
            "Give a learning rate or schedule of numbers, or penalties."
        )
    options = {
        "loss": loss,
        "epochs": epochs,
        "batch_size": batch_size,
        "seed": seed,
        "shuffle": shuffle,
        "engine": engine,
    }
    trial = Trial(
        network, data, validation, "tune", chosen, optimizer=own, l1=l1, l2=l2, sample_weight=sample_weight, **options
    )
    first = trial.hyperparameters.values
    _check(first, own)
    tried, losses = _descended(trial, first, descent, trainings, trial.mode(mode, "tune"))
    best = int(np.argmin(losses))
    settings: dict[str, Any] = {name: np.asarray(x) if np.ndim(x) else float(x) for name, x in tried[best].items()}
    numbers = {name: tuple(x.tolist()) if np.ndim(x) else x for name, x in settings.items() if name in numbers_of(own)}
    penalties = {name: settings.get(name, x) for name, x in given.items() if name in settings or x}
    weights = (
        {WEIGHTS: settings.get(WEIGHTS, sample_weight)} if WEIGHTS in settings or sample_weight is not None else {}
    )
    kept = {name: x for name, x in options.items() if x is not None or name == "batch_size"}
    arguments = {"optimizer": adjusted(own, numbers), **penalties, **weights, **kept}
    fitted = copy.deepcopy(network)
    fitted.fit(*data, validation_data=tuple(validation), progress=False, **arguments)
    return Tuned(settings, losses[best], np.array(losses), tuple(tried), arguments, fitted)


def _usual(optimizer: Optimizer, penalties: Mapping[str, float]) -> list[str]:
    """The learning rate, the penalties that there are, and what the optimizer keeps from step to step."""
    own = numbers_of(optimizer)
    rates = [
        name for name, x in own.items() if name.partition(".")[0] == RATE and np.any(x) and not name.endswith(TIMES)
    ]
    return [*rates, *(name for name, x in penalties.items() if x), *(name for name in SHARES if own.get(name))]


def _check(values: Mapping[str, Any], optimizer: Optimizer) -> None:
    """Refuse what no training with other settings could be given, and what would never move."""
    for name, value in values.items():
        if name in (RATES, LAYER_RATES, FIRST) or (name == RATE and RATE not in numbers_of(optimizer)):
            raise SettingError(
                f"tune was given by={name!r}, which is no setting of `fit`. Give the optimizer a schedule, such as "
                "cr.PiecewiseLinear(rates, times), and name its numbers: 'learning_rate.rates'."
            )
        if name.endswith(".times"):
            raise SettingError(
                f"tune was given by={name!r}, times that could overtake each other. Choose them, and tune the rates there."
            )
        if not np.any(value):
            raise SettingError(
                f"tune was given {name}=0, and multiples of 0 are 0. Begin with another value, however small."
            )


def _descended(
    trial: Trial, first: Mapping[str, Any], descent: Optimizer, trainings: int, mode: str
) -> tuple[list[Mapping[str, Any]], list[float]]:
    """The settings that were tried, and the losses they led to."""
    place: dict[str, Any] = {name: np.zeros(np.shape(x)) for name, x in first.items()}
    kept = {name: descent.initial_state(x) for name, x in place.items()}
    best, rate = place, as_schedule(descent.learning_rate)
    places: list[Any] = []
    tried: list[Mapping[str, Any]] = []
    losses: list[float] = []
    gradients: list[Any] = []
    for number in range(MOVES * trainings):
        if len(tried) == trainings:
            break
        values, pullback = vjp(lambda place: {name: _moved(name, first[name], u) for name, u in place.items()}, place)
        known = [
            i for i, other in enumerate(places) if all(np.array_equal(u, other[name]) for name, u in place.items())
        ]
        if not known:  # a descent may come back to where it was
            try:
                loss, by_values = trial.gradient(values, mode)[:2]
            except DivergedError:
                if not number:
                    raise
                loss, by_values = np.inf, None
            except KeyboardInterrupt:
                if not number:
                    raise
                break
            known = [len(tried)]
            places.append(place)
            tried.append(values)
            losses.append(loss)
            gradients.append(by_values)
        if losses[known[0]] > min(losses):
            place = {name: (u + best[name]) / 2 for name, u in place.items()}
            continue
        best = place
        (slopes,) = pullback(gradients[known[0]])
        moved = {
            name: descent.update(slopes[name], u, kept[name], float(rate(np.array([number]))[0]), number + 1.0)
            for name, u in place.items()
        }
        place = {name: new for name, (new, _) in moved.items()}
        kept = {name: state for name, (_, state) in moved.items()}
    return tried, losses


def _moved(name: str, value: Any, u: Any) -> Any:
    """A setting at a place on its own scale; at 0 it is where it began."""
    factor = np.exp(np.clip(u, -FARTHEST, FARTHEST))
    if name in SHARES:
        return np.minimum(value / (value + (1.0 - value) / factor), max(value, LARGEST_SHARE))
    return value * factor
