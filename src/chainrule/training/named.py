"""Losses and optimizers by name, and every piece that a network or a training is made from, read off their declarations."""

from __future__ import annotations

from typing import Any

from chainrule.declarations import by_name, declared, other_names
from chainrule.errors import SettingError, UnknownNameError, shortened
from chainrule.nn import embeddings, ensembles, initializers, layers, normalising, standardising
from chainrule.training import losses, optimizers, schedules
from chainrule.training.loss import FunctionLoss, Loss
from chainrule.training.optimizer import Optimizer

PIECES = declared(
    layers, embeddings, ensembles, normalising, standardising, initializers, losses, optimizers, schedules
)
"""Classes by their names: each is `cr.<name>`, and files of networks may name it."""

LOSSES: dict[str, Loss] = by_name(declared(losses))
"""Losses by name."""

OTHER_NAMES = other_names(declared(losses))
"""Further names of losses, each with the first one."""

OPTIMIZERS: dict[str, Optimizer] = by_name(declared(optimizers))
"""Optimizers by name."""


def as_loss(given: Any) -> Loss:
    """A loss from its name, itself, or a plain function of outputs and targets."""
    if isinstance(given, str):
        name = OTHER_NAMES.get(given, given)
        if name not in LOSSES:
            raise UnknownNameError.among("loss", given, LOSSES)
        return LOSSES[name]
    if isinstance(given, Loss):
        return given
    if isinstance(given, type) and issubclass(given, Loss):
        return given()
    if callable(given) and not isinstance(given, type):
        return FunctionLoss(given)
    raise SettingError(
        f"{shortened(given)} is no loss; give a name, a loss such as cr.Huber(), or a function of outputs and targets."
    )


def as_optimizer(given: Any) -> Optimizer:
    """An optimizer from its name or itself."""
    if isinstance(given, str):
        if given.lower() not in OPTIMIZERS:
            raise UnknownNameError.among("optimizer", given, OPTIMIZERS)
        return OPTIMIZERS[given.lower()]
    if isinstance(given, type) and issubclass(given, Optimizer):
        return given()
    if not isinstance(given, Optimizer):
        raise SettingError(f"{shortened(given)} is no optimizer; give a name, or an optimizer such as cr.Adam(1e-3).")
    return given
