"""Every gradient open to view: values, steps, derivations, contributions, drawings, read off what was run."""

from chainrule.explanation.contributions import Contribution, Contributions, Split, contributions_to
from chainrule.explanation.derivation import Derivation, derive
from chainrule.explanation.differentiation import FormulaDerivation, derivation
from chainrule.explanation.evaluation import Edge, Evaluation
from chainrule.explanation.explain import explain, explain_network
from chainrule.explanation.hypergradients import HypergradientExplanation, Share, explain_hypergradient
from chainrule.explanation.networks import LayerVariables, NetworkEvaluation, evaluate_loss, evaluate_outputs
from chainrule.explanation.orders import Count, EvaluationOrder, evaluation_order
from chainrule.explanation.stepping import Seen, Steps
from chainrule.explanation.steps import StepByStep
from chainrule.explanation.tree import tree
from chainrule.explanation.values import Value, values

__all__ = [
    "Contribution",
    "Contributions",
    "Count",
    "Derivation",
    "Edge",
    "Evaluation",
    "EvaluationOrder",
    "FormulaDerivation",
    "HypergradientExplanation",
    "LayerVariables",
    "NetworkEvaluation",
    "Seen",
    "Share",
    "Split",
    "StepByStep",
    "Steps",
    "Value",
    "contributions_to",
    "derivation",
    "derive",
    "evaluate_loss",
    "evaluate_outputs",
    "evaluation_order",
    "tree",
    "explain",
    "explain_hypergradient",
    "explain_network",
    "values",
]
