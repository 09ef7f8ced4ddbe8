"""A training run made ready from a network and its data, and what it leaves in the network."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any
from weakref import ref

import numpy as np

from chainrule.errors import ArgumentError, DerivativeLostError, SettingError
from chainrule.network.answers.measuring import Measures, as_metrics
from chainrule.network.base import BaseNetwork, batch_for, inputs_of
from chainrule.network.meaning import Meaning, learn_meanings
from chainrule.network.standardising import begin_with_standardise, take_from_rows, warn_of_sizes
from chainrule.network.surveying import columns_of_dataset, first_rows, learned_from, validated_on
from chainrule.nn.parameters import Parameters, each
from chainrule.training import (
    Batch,
    Clipping,
    Dataset,
    History,
    Objective,
    Penalty,
    Progress,
    Recording,
    Settings,
    Training,
    as_optimizer,
    columns_in,
    scaled,
    split_off,
)
from chainrule.training.hypergradients.hyperparameters import is_traced_anywhere
from chainrule.training.steps.blocks import Call
from chainrule.training.steps.step import TrainingStep


def training_for(
    network: BaseNetwork,
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
    continue_from: Progress | None = None,
    standardise: bool = False,
    metrics: Any = (),
) -> Training:
    """The run for data as people have them; the network learns from them what its outputs mean."""
    SettingError.unless_one_of("fit", "standardise", standardise, (True, False))
    if y is None and not isinstance(X, Dataset):
        raise ArgumentError("fit lacks an argument: 'y'; give it, or a dataset that has targets.")
    arrays = inputs_of(network, first_rows(X, y, sample_weight) if isinstance(X, Dataset) else X)
    if standardise:
        begin_with_standardise(network)
    if validation_data is not None and validation_split:
        raise SettingError("validation_data and validation_split were both given; give one of them.")
    if isinstance(X, Dataset):
        columns = columns_of_dataset(network, X)
        meanings, data, validation = learned_from(network, X, loss, class_weight, validation_split, settings.seed)
    else:
        columns = columns_in(X, network.input_names)
        meanings, data = learn_meanings(
            network.model, network.meanings, loss, arrays, y, network.dtype, sample_weight, class_weight
        )
        validation, data = split_off(data, validation_split, settings.seed)
        data = scaled(data)
    if validation_data is not None:
        validation = _validation(network, meanings, validation_data)
    take_from_rows(network, data.inputs[0])
    warn_of_sizes(network, arrays[0] if isinstance(X, Dataset) else data.inputs[0], next(iter(columns.values()), ()))
    training = assemble(network, meanings, data, settings, optimizer, penalty, clipping, validation, continue_from)
    network.columns = network.columns or columns
    if asked := as_metrics(metrics):
        measures = Measures(network, meanings, data if validation is None else validation, asked)
        prefix = "" if validation is None else "val_"
        training.scorer = lambda parameters: {prefix + name: x for name, x in measures(parameters).items()}
    return training


def assemble(
    network: BaseNetwork,
    meanings: Sequence[Meaning],
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
    optimizer = as_optimizer(optimizer)
    if is_traced_anywhere(optimizer):
        raise DerivativeLostError(
            "fit was given an optimizer with a traced setting, whose derivative it would lose. cr.hypergradient takes derivatives "
            "by the settings of a training; in a loop of your own, call the optimizer's update."
        )
    step = TrainingStep(objective, optimizer, clipping or Clipping())
    training = Training(step, network.parameters, data, validation, settings, begin)
    network.meanings = meanings
    return training


def carry_out(network: BaseNetwork, training: Training) -> History:
    """Run it; the network gets the parameters, the history and the run, also where it ends early.

    During callbacks the network has the parameters of the epoch, which cannot be written to.
    """
    list(course(network, training))  # an empty one, as no call is left to others
    return training.history


def course(network: BaseNetwork, training: Training) -> Iterator[Call]:
    """The same, gone through call by call: those that others carry out, which are to be before it goes on."""

    def current(parameters: Parameters) -> None:
        network.hold(parameters, training.history)

    try:
        yield from training.course(current)
    finally:
        try:
            _leave(network, training)
        except BaseException:  # an interrupt of just this; what was learned is kept all the same
            _leave(network, training)
            raise
        if training.checkpoints is not None and network.run is not None:
            training.checkpoints.end(network.run)


def _leave(network: BaseNetwork, training: Training) -> None:
    recording = None if training.recorded() is None else Recording(training)
    if recording is not None:
        training.history.trained = ref(network)
    run = training.now(own=True)
    network.hold(each(np.array, run.left), training.history, run, recording)


def _validation(network: BaseNetwork, meanings: Sequence[Meaning], data: Any) -> Batch:
    if isinstance(data, Dataset):
        return validated_on(network, meanings, data)
    if not isinstance(data, tuple | list) or len(data) not in (2, 3):
        raise SettingError("validation_data must be a pair (X, y), or (X, y, sample_weight), or a dataset.")
    return batch_for(network, meanings, *data)
