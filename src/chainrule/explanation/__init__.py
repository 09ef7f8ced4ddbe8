"""Every gradient open to view: values, steps, derivations, contributions, drawings, read off what was run."""

from chainrule.explanation.evaluation import Edge, Evaluation
from chainrule.explanation.networks import LayerVariables, NetworkEvaluation, evaluate_loss, evaluate_outputs
from chainrule.explanation.values import Value, values

__all__ = [
    "Edge",
    "Evaluation",
    "LayerVariables",
    "NetworkEvaluation",
    "Value",
    "evaluate_loss",
    "evaluate_outputs",
    "values",
]
