"""Networks as ONNX models, for runtimes of other languages and machines."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from chainrule.errors import SettingError
from chainrule.network.answers.answering import Answers, Question
from chainrule.network.base import BaseNetwork
from chainrule.network.files.storage import as_path
from chainrule.network.files.writing import replace_file
from chainrule.nn.parameters import flat_names
from chainrule.ops.operation import ArrayType
from chainrule.tracing import Program, simplify, trace, trees
from chainrule.training.evaluation import parameter_types

if TYPE_CHECKING:
    from chainrule.onnx import Graph, Value

QUESTIONS: tuple[Question, ...] = ("predict", "predict_proba", "outputs")
TOLD = "A network of chainrule. Inputs and outputs have one row for every sample."


def export(network: BaseNetwork, path: Any, answers: Question | Sequence[Question] | None = None) -> None:
    """Write what a network answers as an ONNX model; the file appears whole or not at all."""
    from chainrule.onnx import Graph, Rows, given

    target, asked = as_path(path), _questions(network, answers)
    graph = Graph()
    names = ["X"] if len(network.input_names) == 1 else network.input_names
    pairs = zip(names, network.model.inputs, strict=True)
    inputs = [given(graph, name, network.dtype, (Rows(), *shape)) for name, shape in pairs]
    for name, value in answered(graph, network, inputs, asked).items():
        graph.output(name, value.name, value.dtype, value.shape)
    replace_file(target, [graph.model("network", TOLD)])


def answered(
    graph: Graph, network: BaseNetwork, inputs: Sequence[Value], questions: Sequence[Question]
) -> dict[str, Value]:
    """What a network answers to values of a graph, by the names of the questions, with those of outputs where there are several."""
    from chainrule.onnx import known, written

    found = Answers(network.model, network.meanings, network.dtype, network.input_names, network.columns)
    types = parameter_types(network.model, network.dtype)

    def answer(parameters: Any, arrays: list[Any]) -> Any:
        outcome = network.model.apply(parameters, arrays)
        return [leaf for question in questions for leaf in found.read(question, outcome)]

    def program(rows: int) -> Program:
        return simplify(
            trace(answer, types, [ArrayType((rows, *shape), network.dtype) for shape in network.model.inputs])
        )

    held = [known(graph, array, name) for name, array in flat_names(network.parameters).items()]
    values = iter(written(graph, program, [*held, *inputs]))
    structure = trees.flatten(network.model.outputs)[1]
    ends = [""] if structure.kind is None else [f"_{path.strip('[]')}" for path in trees.paths(structure)]
    told = {}
    for question in questions:
        for place, end in enumerate(ends):
            value = next(values)
            if question == "predict" and network.meanings:
                value = _named(value, network.meanings[place].classes)
            told[question + end] = value
    return told


def _named(value: Value, classes: Any) -> Value:
    """Labels of class numbers; yes and no as 1 and 0."""
    value = value.astype(np.int64) if value.dtype.kind == "b" else value
    if classes is None:
        return value
    return labelled(value, classes)


def labelled(places: Value, classes: Any) -> Value:
    """Labels by their places."""
    from chainrule.onnx import known

    labels = known(places.graph, classes, "classes")
    return type(places)(places.graph, places.graph.node("Gather", labels.name, places.name), labels.dtype, places.shape)


def _questions(network: BaseNetwork, asked: Question | Sequence[Question] | None) -> tuple[Question, ...]:
    """What is written: by default labels and probabilities, or values; of a network that was never fitted its outputs."""
    if asked is None:
        if not network.meanings:
            return ("outputs",)
        probable = all(meaning.has_probabilities for meaning in network.meanings)
        return ("predict", "predict_proba") if probable else ("predict",)
    questions: tuple[Question, ...] = (asked,) if isinstance(asked, str) else tuple(asked)
    for question in questions:
        SettingError.unless_one_of("export", "answers", question, QUESTIONS)
    return questions
