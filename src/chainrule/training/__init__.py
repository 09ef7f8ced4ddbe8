"""Training: losses, optimizers, schedules, and the run that brings them together."""

from chainrule.declarations import declared
from chainrule.training import losses, optimizers, schedules
from chainrule.training.between_epochs.callbacks import EarlyStopping, EpochEnd, StopRule, as_early_stopping
from chainrule.training.between_epochs.checkpoints import Checkpoints, Every
from chainrule.training.data import Columns, as_inputs, columns_in, split_off
from chainrule.training.evaluation import CHUNK, Evaluator
from chainrule.training.fit import Training
from chainrule.training.history import History
from chainrule.training.loss import Loss
from chainrule.training.named import LOSSES, OPTIMIZERS, PIECES, as_loss, as_optimizer
from chainrule.training.objective import Batch, Head, Objective, Penalty, heads_of
from chainrule.training.optimizer import Optimizer
from chainrule.training.recorded.recording import Recording
from chainrule.training.run import Best, Progress, Run
from chainrule.training.schedule import Schedule
from chainrule.training.settings import Settings
from chainrule.training.steps.step import Clipping
from chainrule.training.stored import ArrayDataset, BatchDataset, Dataset
from chainrule.training.targets import Targets, are_labels, are_one_hot, as_targets
from chainrule.training.weights import as_weights, class_weights, counted, scaled

globals().update(declared(losses, optimizers, schedules))

__all__ = [
    "CHUNK",
    "LOSSES",
    "OPTIMIZERS",
    "PIECES",
    "ArrayDataset",
    "Batch",
    "BatchDataset",
    "Best",
    "Checkpoints",
    "Clipping",
    "Columns",
    "Dataset",
    "EarlyStopping",
    "EpochEnd",
    "Evaluator",
    "Every",
    "Head",
    "History",
    "Loss",
    "Objective",
    "Optimizer",
    "Penalty",
    "Progress",
    "Recording",
    "Run",
    "Schedule",
    "Settings",
    "StopRule",
    "Targets",
    "Training",
    "are_labels",
    "are_one_hot",
    "as_early_stopping",
    "as_inputs",
    "as_loss",
    "as_optimizer",
    "as_targets",
    "as_weights",
    "class_weights",
    "columns_in",
    "counted",
    "heads_of",
    "scaled",
    "split_off",
]
