"""What derivations call the numbers of a classification: p, the probabilities made of scores, and t, 1 for the right class."""

from __future__ import annotations

from dataclasses import replace
from itertools import chain, count

import numpy as np

from chainrule.explanation.evaluations.evaluation import Evaluation
from chainrule.explanation.evaluations.networks import NetworkEvaluation
from chainrule.explanation.formulas.rules import only_moves
from chainrule.nn import ACTIVATIONS
from chainrule.tracing.program import Atom, Equation, Literal, Variable

PROBABILITY, RIGHT = "p", "t"


def with_classes(network: NetworkEvaluation) -> tuple[Evaluation, dict[str, str]]:
    """The evaluation with names for these, so that the gradient of a cross-entropy reads p_k − t_k; and which target each t is of.

    Probabilities are those that the loss's own activation makes of scores; where the network ends in it they have a name already.
    """
    evaluation, right = network.evaluation, {}
    for x, activation in network.scores:
        evaluation, made = evaluation.followed_by(ACTIVATIONS[activation], x, _free(evaluation, PROBABILITY))
        samples = evaluation.samples | ({made} if x in evaluation.samples else set())
        evaluation = replace(evaluation, samples=samples, aside=evaluation.aside | {made})
    for equation in evaluation.program.equations:
        target = _compared_with_all(evaluation, equation)
        if target is not None and equation.output not in evaluation.names:
            name = right[evaluation.label(target)] = _free(evaluation, RIGHT)
            names, made = {**evaluation.names, equation.output: name}, equation.output
            evaluation = replace(evaluation, names=names, aside=evaluation.aside | {made})
    return evaluation, right


def _free(evaluation: Evaluation, wanted: str) -> str:
    """The name, or with a number where others have it."""
    taken = set(evaluation.names.values())
    return next(x for x in chain([wanted], (f"{wanted}{i}" for i in count(2))) if x not in taken)


def _compared_with_all(evaluation: Evaluation, equation: Equation) -> Variable | None:
    """The class numbers that were given, where they are compared with those of all classes, 0, 1, 2, …"""
    if equation.op.notation.sign == "=":
        for x, every in (equation.inputs, equation.inputs[::-1]):
            if _counts(every) and (found := _given(evaluation, x)) is not None:
                return found
    return None


def _given(evaluation: Evaluation, x: Atom) -> Variable | None:
    """The whole numbers of the data that these are, in whatever shape."""
    while (maker := evaluation.makers.get(x) if isinstance(x, Variable) else None) is not None and only_moves(maker):
        x = maker.inputs[0]
    if isinstance(x, Variable) and x.dtype.kind in "iu" and x in evaluation.program.inputs:
        return x
    return None


def _counts(x: Atom) -> bool:
    """Whether an array's numbers are 0, 1, 2, …"""
    return isinstance(x, Literal) and np.array_equal(np.ravel(x.value), np.arange(np.size(x.value)))
