"""A training run made ready from a network and its data, and what it leaves in the network."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from chainrule.errors import SettingError
from chainrule.network.meaning import Meaning, as_batch, learn_meanings
from chainrule.training import (
    Batch,
    Clipping,
    History,
    Objective,
    Penalty,
    Progress,
    Settings,
    Training,
    as_inputs,
    as_optimizer,
    split_off,
)
from chainrule.training.step import TrainingStep

if TYPE_CHECKING:
    from chainrule.network.network import Network


def training_for(
    network: Network,
    X: Any,
    y: Any,
    settings: Settings,
    *,
    loss: Any,
    optimizer: Any,
    penalty: Penalty,
    clipping: Clipping,
    validation_data: Any,
    validation_split: float,
    sample_weight: Any,
    class_weight: Any,
) -> Training:
    """The run for data as people have them; the network learns from them what its outputs mean."""
    built = network._model
    arrays = as_inputs(X, network.dtype, network.input_names, None if built is None else built.inputs)
    if built is None:
        network.build(*(a.shape[1:] for a in arrays))
    meanings, data = learn_meanings(
        network.model, network._meanings, loss, arrays, y, network.dtype, sample_weight, class_weight
    )
    if validation_data is None:
        validation, data = split_off(data, validation_split, settings.seed)
    else:
        validation = _validation(network, meanings, validation_data, validation_split)
    return assemble(network, meanings, data, settings, optimizer, penalty, clipping, validation)


def assemble(
    network: Network,
    meanings: list[Meaning],
    data: Batch,
    settings: Settings,
    optimizer: Any,
    penalty: Penalty,
    clipping: Clipping | None = None,
    validation: Batch | None = None,
    begin: Progress | None = None,
) -> Training:
    """The run for data that are arrays already, of a network whose outputs mean this."""
    objective = Objective(network.model, tuple(meaning.head for meaning in meanings), penalty)
    step = TrainingStep(objective, as_optimizer(optimizer), clipping or Clipping())
    training = Training(step, network.parameters, data, validation, settings, begin)
    network._meanings = meanings
    return training


def carry_out(network: Network, training: Training) -> History:
    """Run it; the network gets the parameters and the history, also where the run ends early."""
    try:
        training.run()
    finally:
        try:
            _leave(network, training)
        except BaseException:  # an interrupt of just this; what was learned is kept all the same
            _leave(network, training)
            raise
    return training.history


def _leave(network: Network, training: Training) -> None:
    network._parameters = training.parameters
    network.history = training.history


def _validation(network: Network, meanings: list[Meaning], data: Any, share: float) -> Batch:
    if share:
        raise SettingError("validation_data and validation_split were both given; give one of them.")
    if not isinstance(data, tuple | list) or len(data) != 2:
        raise SettingError("validation_data must be a pair (X, y).")
    arrays = as_inputs(data[0], network.dtype, network.input_names, network.model.inputs)
    return as_batch(network.model, meanings, arrays, data[1], network.dtype)
