"""Every gradient open to view: values, steps, derivations, contributions, drawings, read off what was run."""

from chainrule.explanation.contributions import Contribution, Contributions, Split, contributions_to
from chainrule.explanation.derivation import Derivation, derive
from chainrule.explanation.differentiation import FormulaDerivation, derivation
from chainrule.explanation.evaluation import Edge, Evaluation
from chainrule.explanation.explain import explain, explain_network
from chainrule.explanation.networks import LayerVariables, NetworkEvaluation, evaluate_loss, evaluate_outputs
from chainrule.explanation.values import Value, values

__all__ = [
    "Contribution",
    "Contributions",
    "Derivation",
    "Edge",
    "Evaluation",
    "FormulaDerivation",
    "LayerVariables",
    "NetworkEvaluation",
    "Split",
    "Value",
    "contributions_to",
    "derivation",
    "derive",
    "evaluate_loss",
    "evaluate_outputs",
    "explain",
    "explain_network",
    "values",
]
