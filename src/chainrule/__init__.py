"""Learning by backpropagation on the machine in front of you, with every gradient open to view.

>>> import numpy as np, chainrule as cr
>>> cr.grad(lambda x: np.sum(np.tanh(x)))(np.array([0.0, 1.0])).round(4)
array([1.  , 0.42])
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from chainrule.autodiff import check_grads, derivative, grad, hessian, hvp, jacobian, jvp, value_and_grad, vjp
from chainrule.engines import evaluate
from chainrule.engines.jit import jit
from chainrule.errors import ChainruleError
from chainrule.tracing import Program, check, simplify, trace
from chainrule.tracing.functions import (
    elu,
    erf,
    gelu,
    hard_tanh,
    leaky_relu,
    log_softmax,
    logsumexp,
    relu,
    selu,
    sigmoid,
    silu,
    softmax,
    softplus,
    softsign,
    step,
    stop_gradient,
)
from chainrule.tracing.program import viewers

if TYPE_CHECKING:
    from chainrule.learning import *

__version__ = "0.1.0"

__all__ = [
    "SGD",
    "AbsoluteError",
    "Activation",
    "AdaDelta",
    "AdaGrad",
    "Adam",
    "AdamW",
    "BinaryCrossEntropy",
    "ChainruleError",
    "Constant",
    "ConstantRate",
    "Cosine",
    "CrossEntropy",
    "Dense",
    "Dropout",
    "EarlyStopping",
    "EpochEnd",
    "Exponential",
    "Flatten",
    "GlorotNormal",
    "GlorotUniform",
    "HeNormal",
    "HeUniform",
    "Hinge",
    "History",
    "Huber",
    "KLDivergence",
    "L2Norm",
    "Layer",
    "LeCunNormal",
    "LeCunUniform",
    "LogCosh",
    "Loss",
    "NAdam",
    "Network",
    "Normal",
    "OnPlateau",
    "Optimizer",
    "Orthogonal",
    "Parameter",
    "ParameterSpec",
    "Perceptron",
    "Poisson",
    "Program",
    "RMSprop",
    "Rprop",
    "Run",
    "Schedule",
    "SquaredError",
    "Step",
    "Uniform",
    "Value",
    "WarmUp",
    "Zeros",
    "__version__",
    "check",
    "check_grads",
    "datasets",
    "derivation",
    "derivative",
    "elu",
    "erf",
    "evaluate",
    "evaluation_order",
    "explain",
    "gelu",
    "grad",
    "hard_tanh",
    "hessian",
    "hvp",
    "jacobian",
    "jit",
    "jvp",
    "leaky_relu",
    "load",
    "log_softmax",
    "logsumexp",
    "relu",
    "selu",
    "sigmoid",
    "silu",
    "simplify",
    "softmax",
    "softplus",
    "softsign",
    "step",
    "stop_gradient",
    "trace",
    "value_and_grad",
    "values",
    "vjp",
]


def _draw(program: Program, *inputs: Any, **options: Any) -> Any:
    from chainrule.explanation.drawing import draw_program

    return draw_program(program, *inputs, **options)


viewers["draw"] = _draw


def __getattr__(name: str) -> Any:
    """Names about networks are loaded with the first of them, so that derivatives alone start fast."""
    if name in __all__:
        from chainrule import learning

        return getattr(learning, name)
    raise AttributeError(f"module 'chainrule' has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted(__all__)
