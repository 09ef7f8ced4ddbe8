"""What a network shows of itself: methods of `Network` that hand over to the package `explanation`.

That package stands below this one and is loaded when one of these is first called.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from chainrule.network.meaning import learn_meanings, nested
from chainrule.training import Batch, Objective, Penalty, as_inputs

if TYPE_CHECKING:
    from chainrule.explanation import NetworkEvaluation
    from chainrule.network.network import Network


def objective_of(
    network: Network, X: Any, y: Any, loss: Any = None, sample_weight: Any = None, l1: float = 0.0, l2: float = 0.0
) -> tuple[Objective, Batch]:
    """What a fit to these data would lower, and the data as one batch; the loss is that of the last fit if not given."""
    built = network._model
    arrays = as_inputs(X, network.dtype, network.input_names, None if built is None else built.inputs)
    if built is None:
        network.build(*(a.shape[1:] for a in arrays))
    if loss is None and network._meanings:
        loss = nested(network.model, [meaning.head.loss for meaning in network._meanings])
    meanings, batch = learn_meanings(network.model, network._meanings, loss, arrays, y, network.dtype, sample_weight)
    return Objective(network.model, tuple(m.head for m in meanings), Penalty(l1, l2)), batch


def evaluation(
    self: Network,
    X: Any,
    y: Any = None,
    *,
    loss: Any = None,
    sample_weight: Any = None,
    l1: float = 0.0,
    l2: float = 0.0,
) -> NetworkEvaluation:
    """Every value of one pass, and with targets the loss and its derivative by every value.

    Parameters
    ----------
    X, y : array-like
        As for `fit`, taken as one batch. Without `y` there is no loss and no derivative.
    loss, sample_weight, l1, l2
        As for `fit`; the loss is by default that of the last fit.

    Examples
    --------
    >>> import numpy as np, chainrule as cr
    >>> network = cr.Network([cr.Dense(2, "tanh"), cr.Dense(1)], dtype="float64").build(2)
    >>> seen = network.evaluation(np.ones((1, 2)), [1.0])
    >>> seen.evaluation.cotangent(seen.variable("dense_0.z")).shape
    (1, 2)
    """
    from chainrule.explanation import evaluate_loss, evaluate_outputs

    if y is None:
        built = self._model
        arrays = as_inputs(X, self.dtype, self.input_names, None if built is None else built.inputs)
        if built is None:
            self.build(*(a.shape[1:] for a in arrays))
        return evaluate_outputs(self.model, self.parameters, arrays, self.input_names)
    objective, batch = objective_of(self, X, y, loss, sample_weight, l1, l2)
    return evaluate_loss(objective, self.parameters, batch, self.input_names)
