"""A trained model of a table as an ONNX model: its columns as inputs, prepared in the graph, and what it predicts."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

import numpy as np

from chainrule.network.answers.answering import Question
from chainrule.network.exporting import answered, labelled
from chainrule.network.files.storage import as_path
from chainrule.network.files.writing import replace_file
from chainrule.ops.operation import ArrayType
from chainrule.tables import Column, Preparation
from chainrule.tabular.reporting.reportable import ReportableModel
from chainrule.tracing import simplify, trace

if TYPE_CHECKING:
    from chainrule.onnx import Graph, Value
    from chainrule.tabular.reporting.gathering import Trained

TOLD = "A model of a table by chainrule. Every column is an input with one value for every row."


class ExportableModel(ReportableModel):
    """Methods of a trained model that write it for others."""

    def export(self: Trained, path: str | os.PathLike[str]) -> None:
        """Write the model, its preparation with it, as an ONNX model, for runtimes of other languages and machines.

        Every column that is learned from is an input of its name, shape (rows,). Numbers are doubles in training's unit, dates and
        times too, as seconds since 1970-01-01 by training's clock, both NaN where missing; categories and booleans are texts as the
        table spells them, empty where missing. Missing values are filled. The outputs are `predict`, labels or amounts, and for
        classes `predict_proba`.

        Parameters
        ----------
        path : str or Path
            The file, by custom with the ending `.onnx`. An existing file is replaced as a whole.

        Raises
        ------
        MissingExtraError
            When the package onnx is not installed.
        TableError
            When a column of longer texts is learned from: there are no nodes that take these apart.

        Examples
        --------
        >>> import os, tempfile, numpy as np, chainrule as cr
        >>> people = {"height": np.linspace(150.0, 190.0, 60), "town": ["Rome", "Oslo"] * 30, "weight": np.linspace(50.0, 90.0, 60)}
        >>> model = cr.TableModel(epochs=5, folds=2, search=False, progress=False).fit(people, target="weight")
        >>> path = os.path.join(tempfile.mkdtemp(), "weight.onnx")
        >>> model.export(path)
        >>> from onnx.reference import ReferenceEvaluator
        >>> row = {"height": np.array([170.0]), "town": np.array(["Oslo"], object)}
        >>> bool(np.allclose(ReferenceEvaluator(path).run(["predict"], row)[0], model.predict({"height": [170.0], "town": ["Oslo"]})))
        True
        """
        from chainrule.onnx import Graph

        place, graph = as_path(path), Graph()
        read = [_input(graph, column, self.preparation) for column in self.preparation.used]
        (X,) = _written(graph, lambda *values: self.preparation.arranged(values), read)
        target, classes = self.preparation.target, self.preparation.target.classes
        asked: Question = "predict_proba" if classes else "outputs"
        said = answered(graph, self.network, [X], (asked,))[asked]
        if classes:
            (chosen,) = _written(graph, lambda shares: np.argmax(shares, axis=1), [said])
            found = {"predict": labelled(chosen, np.array(classes)), asked: said}
        else:
            restored = target.in_use.restored
            found = {"predict": _written(graph, lambda y: restored(np.reshape(y.astype(np.float64), (-1,))), [said])[0]}
        for name, value in found.items():
            graph.output(name, value.name, value.dtype, value.shape)
        replace_file(place, [graph.model("table", TOLD)])


def _input(graph: Graph, column: Column, preparation: Preparation) -> Value:
    """A column as the numbers that are read of it."""
    from chainrule.onnx import Rows, given

    words = column.words(preparation.spelled)
    if words is None:
        number = given(graph, column.name, np.float64, (Rows(),), column.told_alone)
        absent: Any = np.isinf(number)
        for mark in preparation.spelled.numbers if column.of_numbers else ():
            absent = np.logical_or(absent, np.equal(number, mark))
        found: Value = absent.choose(np.nan, number)
        return found
    text = given(graph, column.name, np.str_, (Rows(),), column.told_alone)
    keys, values = list(words.places), list(words.places.values())
    named = graph.node(
        "LabelEncoder",
        text.name,
        domain="ai.onnx.ml",
        keys_strings=keys,
        values_floats=values,
        default_float=words.others,
    )
    return type(text)(graph, named, np.float32, text.shape).astype(np.float64)


def _written(graph: Graph, function: Any, inputs: list[Value]) -> list[Value]:
    """A function of columns as nodes."""
    from chainrule.onnx import Rows, written

    def program(rows: int) -> Any:
        shapes = [tuple(rows * n.times if isinstance(n, Rows) else n for n in x.shape) for x in inputs]
        return simplify(trace(function, *(ArrayType(s, x.dtype) for s, x in zip(shapes, inputs, strict=True))))

    return written(graph, program, inputs)
