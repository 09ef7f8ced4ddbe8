"""Training: losses, optimizers, schedules, and the run that brings them together."""

from chainrule.training.callbacks import EarlyStopping, EpochEnd, StopRule, as_early_stopping
from chainrule.training.data import Targets, are_labels, as_inputs, as_targets, as_weights, split_off
from chainrule.training.evaluation import CHUNK, Evaluator
from chainrule.training.fit import Training
from chainrule.training.history import History
from chainrule.training.losses import (
    LOSSES,
    AbsoluteError,
    BinaryCrossEntropy,
    CrossEntropy,
    Hinge,
    Huber,
    KLDivergence,
    L2Norm,
    LogCosh,
    Loss,
    Poisson,
    SquaredError,
)
from chainrule.training.objective import Batch, Head, Objective, Penalty, heads_of
from chainrule.training.optimizers import (
    OPTIMIZERS,
    SGD,
    AdaDelta,
    AdaGrad,
    Adam,
    AdamW,
    NAdam,
    Optimizer,
    RMSprop,
    Rprop,
    as_optimizer,
)
from chainrule.training.run import Best, Progress, Run
from chainrule.training.schedules import ConstantRate, Cosine, Exponential, OnPlateau, Schedule, Step, WarmUp
from chainrule.training.settings import Settings
from chainrule.training.step import Clipping

__all__ = [
    "CHUNK",
    "LOSSES",
    "OPTIMIZERS",
    "SGD",
    "AbsoluteError",
    "AdaDelta",
    "AdaGrad",
    "Adam",
    "AdamW",
    "Batch",
    "Best",
    "BinaryCrossEntropy",
    "Clipping",
    "ConstantRate",
    "Cosine",
    "CrossEntropy",
    "EarlyStopping",
    "EpochEnd",
    "Evaluator",
    "Exponential",
    "Head",
    "Hinge",
    "History",
    "Huber",
    "KLDivergence",
    "L2Norm",
    "LogCosh",
    "Loss",
    "NAdam",
    "Objective",
    "OnPlateau",
    "Optimizer",
    "Penalty",
    "Poisson",
    "Progress",
    "RMSprop",
    "Rprop",
    "Run",
    "Schedule",
    "Settings",
    "SquaredError",
    "Step",
    "StopRule",
    "Targets",
    "Training",
    "WarmUp",
    "are_labels",
    "as_early_stopping",
    "as_inputs",
    "as_optimizer",
    "as_targets",
    "as_weights",
    "heads_of",
    "split_off",
]
