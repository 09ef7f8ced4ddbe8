"""What a network answers for rows of inputs: layer by layer in NumPy, or by an engine's functions of rows."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Literal

import numpy as np

from chainrule.autodiff.arguments import owned
from chainrule.engines.blas import quiet
from chainrule.engines.choice import AUTO, COMPILER, ENGINES, REFERENCE, environment, named, quickest
from chainrule.engines.engine import Engine
from chainrule.engines.rows import HeldFunction, RowFunction
from chainrule.errors import DataError, NotBuiltError, UnsupportedError
from chainrule.network.meaning import Meaning, nested
from chainrule.nn.model import Model, Outcome
from chainrule.nn.parameters import Parameters
from chainrule.ops.operation import ArrayType
from chainrule.tracing import Program, simplify, trace, trees
from chainrule.training import Columns, as_inputs
from chainrule.training.cache import Cache, are_settled, key_of
from chainrule.training.evaluation import finiteness, in_chunks, keeps_rows_apart, parameter_types, sizes_of
from chainrule.training.stored import Dataset, checked_pieces, passed_over

Question = Literal["outputs", "predict", "predict_proba", "likeliest"]
"""What is asked: raw outputs; answers; probabilities; or what metrics are taken of: probabilities of outputs that tell classes apart
by them, answers of others."""

_functions = Cache()


class Answers:
    """A model whose outputs mean something, asked about rows."""

    def __init__(
        self, model: Model, meanings: Sequence[Meaning], dtype: Any, names: Sequence[str], columns: Columns
    ) -> None:
        self.model, self.meanings, self.dtype, self.names, self.columns = model, meanings, dtype, names, columns
        self._settled = are_settled(model.function, tuple(meaning.head for meaning in meanings))
        self._sizes = sizes_of(model)
        self._functions: dict[tuple[Question, Engine, tuple[str, ...]], RowFunction] = {}
        self._apart: dict[Question, bool] = {}

    def __getstate__(self) -> dict[str, Any]:
        return {**self.__dict__, "_functions": {}}  # machine code is made anew in another process

    def ask(self, question: Question, parameters: Parameters, X: Any, engine: str | Engine = AUTO) -> Any:
        """The answers for all rows, by the engine of that name."""
        if isinstance(X, Dataset):
            return self._of_dataset(question, parameters, X, engine)
        arrays = self.arrays(X)
        function = self._chosen(question, arrays, engine)
        leaves = None if function is None else function(trees.flatten(parameters)[0], arrays)
        if leaves is None:
            return self.by_numpy(question, parameters, X)
        return self.named(question, leaves)

    def by_numpy(self, question: Question, parameters: Parameters, X: Any) -> Any:
        """The answers, layer by layer, a bounded number of rows at once."""
        arrays = self.checked(X)
        pieces = []
        with quiet(len(arrays[0]), self._sizes[0]):
            for part in in_chunks(len(arrays[0]), lambda: self.rows_are_apart(question)):
                rows = [np.asarray(a[part], self.dtype) for a in arrays]
                pieces.append(self.read(question, self.model.apply(parameters, rows)))
        whole = pieces[0] if len(pieces) == 1 else [np.concatenate(parts) for parts in zip(*pieces, strict=True)]
        return self.named(question, owned(whole, [*arrays, *(x for own in parameters.values() for x in own.values())]))

    def _of_dataset(self, question: Question, parameters: Parameters, dataset: Dataset, engine: str | Engine) -> Any:
        """The answers for all rows of a dataset, which is read piece by piece."""
        if not self.rows_are_apart(question):
            raise UnsupportedError(
                f"the answer of this network for a row may depend on other rows, so {type(dataset).__name__} cannot be answered "
                "piece by piece. Give arrays."
            )
        pieces = [
            trees.flatten(answer)
            for part in passed_over(
                dataset, sum(int(np.prod(shape)) for shape in self.model.inputs) * self.dtype.itemsize
            )
            for answer in checked_pieces(dataset, *part, lambda piece: self.ask(question, parameters, piece[0], engine))
        ]
        leaves = [np.concatenate(parts) for parts in zip(*(leaves for leaves, _ in pieces), strict=True)]
        return trees.unflatten(pieces[0][1], leaves)

    def rows_are_apart(self, question: Question) -> bool:
        """Whether the answer for a row is proven to depend on that row alone."""
        if question not in self._apart:
            self._apart[question] = keeps_rows_apart(self._program(question), self._held)
        return self._apart[question]

    def holding(self, question: Question, parameters: Sequence[Any]) -> HeldFunction:
        """A question to be asked again and again of the same parameters, in machine code."""
        return HeldFunction(self.function(question, ENGINES[COMPILER]), parameters)

    def arrays(self, X: Any) -> list[Any]:
        """The inputs as arrays. One of the right type is taken as it is, and functions of rows look whether it is finite."""
        inputs = self.model.inputs
        if type(X) is np.ndarray and X.dtype == self.dtype and len(inputs) == 1 and X.shape[1:] == inputs[0] and len(X):
            return [X]
        return self.checked(X)

    def checked(self, X: Any) -> list[Any]:
        """The inputs as arrays of finite numbers, or refused."""
        return as_inputs(X, self.dtype, self.names, self.model.inputs, self.columns)

    def read(self, question: Question, outcome: Outcome) -> list[Any]:
        """What a pass through the network answers, as plain NumPy code: one array for every output."""
        outputs, _ = trees.flatten(outcome.outputs)
        if question == "predict_proba":
            if not self.meanings:
                raise NotBuiltError("predict_proba needs a network that has been fitted; call fit(X, y) first.")
            return [m.probabilities(outcome, output) for m, output in zip(self.meanings, outputs, strict=True)]
        if question == "likeliest":
            return [
                (m.probabilities if m.tells_apart and m.has_probabilities else m.answer)(outcome, output)
                for m, output in zip(self.meanings, outputs, strict=True)
            ]
        if question == "outputs" or not self.meanings:
            return outputs
        return [m.answer(outcome, output) for m, output in zip(self.meanings, outputs, strict=True)]

    def named(self, question: Question, leaves: list[Any]) -> Any:
        """Answers as people are given them, nested as the network's outputs are."""
        if question == "predict" and self.meanings:
            leaves = [meaning.named(leaf) for meaning, leaf in zip(self.meanings, leaves, strict=True)]
        return leaves[0] if isinstance(self.model.outputs, ArrayType) else nested(self.model, leaves)

    def function(self, question: Question, engine: Engine) -> RowFunction:
        """The function of rows that answers, remembered for networks of the same kind.

        Raises
        ------
        UnsupportedError
            When there can be none.
        """
        asked = question, engine, environment()
        found = self._functions.get(asked)
        if found is None:
            types = parameter_types(self.model, self.dtype)
            heads = tuple((m.head, m.classes is not None, m.flat) for m in self.meanings)
            key = key_of(self.model.function, (heads, question), (types, self._inputs(1)), asked[1:])
            found = _functions.find(key, lambda: RowFunction(self._program(question), self._held, engine))
            self._functions[asked] = found
        return found

    @property
    def _held(self) -> int:
        """How many arrays the parameters are."""
        return len(trees.flatten(parameter_types(self.model, self.dtype))[0])

    def _inputs(self, rows: int) -> list[ArrayType]:
        return [ArrayType((rows, *shape), self.dtype) for shape in self.model.inputs]

    def _program(self, question: Question) -> Callable[[int], Program]:
        """The Program that answers for so many rows."""
        types = parameter_types(self.model, self.dtype)

        def answer(parameters: Any, arrays: list[Any]) -> Any:
            return *self.read(question, self.model.apply(parameters, arrays)), finiteness(arrays)

        return lambda rows: simplify(trace(answer, types, self._inputs(rows)))

    def _chosen(self, question: Question, arrays: list[Any], engine: str | Engine) -> RowFunction | None:
        """The function of rows to use; `None` for NumPy, layer by layer.

        Unasked there is one if it saves in this call alone the time that compiling takes, so that the answer does not
        depend on what was asked before; and only for the library's own layers: code of the user's may do something else
        the next time.
        """
        asked = chosen = named(engine)
        if chosen is None:
            chosen = quickest(*self._sizes, len(arrays[0])) if self._settled else REFERENCE
        if chosen is REFERENCE:
            return None
        try:
            return self.function(question, chosen)
        except UnsupportedError:
            if asked is not None:
                raise
            return None


class CompiledNetwork:
    """A network as it was when `Network.compiled` was called, in machine code: it answers, and learns no more.

    A call costs about 3 µs beyond its arithmetic. The first call of every method, and the first with 1, with up to 255
    and with more rows, compiles. It may be called from several threads at once.
    """

    def __init__(self, answers: Answers, parameters: Parameters) -> None:
        self._answers = answers
        self._parameters = [np.array(p) for p in trees.flatten(parameters)[0]]
        self._held: dict[Question, HeldFunction] = {}

    def __getstate__(self) -> dict[str, Any]:
        return {**self.__dict__, "_held": {}}  # machine code is made anew in a copy or another process

    def __call__(self, *inputs: Any) -> Any:
        """The raw outputs, as the network's own call gives them."""
        return self._ask("outputs", inputs[0] if len(inputs) == 1 else inputs)

    def predict(self, X: Any) -> Any:
        """Labels or values, as `Network.predict` gives them."""
        return self._ask("predict", X)

    def predict_proba(self, X: Any) -> Any:
        """Probabilities, as `Network.predict_proba` gives them."""
        return self._ask("predict_proba", X)

    def _ask(self, question: Question, X: Any) -> Any:
        held = self._held.get(question)
        if held is None:
            held = self._held[question] = self._answers.holding(question, self._parameters)
        arrays = self._answers.arrays(X)
        leaves = held(arrays)
        if leaves is None:
            self._answers.checked(X)  # says what is wrong
            raise DataError("X has NaN or infinite values in a file on disk; remove those rows, or fill them in.")
        return self._answers.named(question, leaves)
