"""Every gradient open to view: values, steps, derivations, contributions, drawings, read off what was run."""

from chainrule.explanation.derivation import Derivation, derive
from chainrule.explanation.evaluation import Edge, Evaluation
from chainrule.explanation.explain import explain, explain_network
from chainrule.explanation.networks import LayerVariables, NetworkEvaluation, evaluate_loss, evaluate_outputs
from chainrule.explanation.values import Value, values

__all__ = [
    "Derivation",
    "Edge",
    "Evaluation",
    "LayerVariables",
    "NetworkEvaluation",
    "Value",
    "derive",
    "evaluate_loss",
    "evaluate_outputs",
    "explain",
    "explain_network",
    "values",
]
