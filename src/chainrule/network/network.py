"""`Network`: the face of the library, whose methods hand over to the packages that do the work."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from chainrule.autodiff import grad
from chainrule.engines import Engine
from chainrule.errors import NotBuiltError
from chainrule.network import exporting
from chainrule.network.advice import advised
from chainrule.network.answers.answering import Answers, CompiledNetwork, Question
from chainrule.network.answers.measuring import Asked, Measures, as_metrics
from chainrule.network.base import batch_for
from chainrule.network.explaining import meanings_of, objective_of
from chainrule.network.files import storage
from chainrule.network.summary import Summary, summary
from chainrule.network.surveying import encoder_for, first_rows, learned_from
from chainrule.network.trainable import TrainableNetwork
from chainrule.nn.parameters import Parameters
from chainrule.nn.readings import LayerReading, Readings, names_of_calls
from chainrule.training import Dataset, Objective
from chainrule.training.stored import evaluator_of

if TYPE_CHECKING:
    from chainrule.network.answers.uncertainty import Uncertainty


class Network(TrainableNetwork):
    """A neural network: layers in a row, or any function of arrays that calls layers.

    Parameters
    ----------
    layers : list or callable
        A list of layers and plain functions, each applied to the output of the one before; or a function of one or
        several arrays of shape (batch, features) that calls layers made outside it. A layer called twice shares
        its parameters.
    seed : int
        First weights are drawn from it.
    dtype : {"float32", "float64"}
        The numbers it computes with.
    frozen : sequence of str
        Patterns of parameter names that are not learned, such as `["*.bias", "dense_0.*"]`.
    parameters : mapping, optional
        First values for some parameters, nested or by name: `{"dense_0.weight": W}`.

    Attributes
    ----------
    layers : dict
        Layer by name, once the shapes are known.
    is_built : bool
        Whether they are.
    meanings : sequence
        What each output means: its loss, and the labels it tells apart. Empty before the first `fit`.
    history : History or None
        Of the last `fit`.
    run : Run or None
        All that the training was when the last `fit` ended, to go on from: `fit(..., continue_from=network.run)`.
    recording : Recording or None
        Every moment of the last `fit`, if it was given `record=True`. It holds the data; set it to `None` to let them go.
    notes : dict
        JSON-able facts of the user's, saved with the network.

    Examples
    --------
    >>> import numpy as np, chainrule as cr
    >>> X = np.array([[0, 0], [0, 1], [1, 0], [1, 1]])
    >>> network = cr.Network([cr.Dense(8, "tanh"), cr.Dense(1)], seed=1)
    >>> history = network.fit(X, [0, 1, 1, 0], epochs=300, optimizer=cr.Adam(0.05), progress=False)
    >>> network.predict(X)
    array([0, 1, 1, 0])
    """

    @advised("Network", "give the layers in one list, cr.Network([cr.Dense(8), cr.Dense(1)])")
    def __init__(
        self,
        layers: Sequence[Any] | Callable[..., Any],
        *,
        seed: int = 0,
        dtype: Any = "float32",
        frozen: Sequence[str] = (),
        parameters: Mapping[str, Any] | None = None,
    ) -> None:
        super().__init__(layers, seed=seed, dtype=dtype, frozen=frozen, parameters=parameters)
        self._asked: Answers | None = None

    # --- outputs

    def __call__(self, *inputs: Any, engine: str | Engine = "auto") -> Any:
        """The raw outputs for rows of inputs: whatever the last layer gives. The engine is as for `predict`."""
        return self._answers.ask("outputs", self.parameters, inputs[0] if len(inputs) == 1 else inputs, engine)

    def forward(self, *inputs: Any) -> Readings:
        """One pass, with every layer's and every neuron's values to be read; they are copies, and none of the network's own.

        Examples
        --------
        >>> import numpy as np, chainrule as cr
        >>> network = cr.Network([cr.Dense(3, "tanh", name="hidden"), cr.Dense(1)]).build(2)
        >>> reading = network.forward(np.ones((1, 2)))
        >>> neuron = reading["hidden"].neurons[1]
        >>> bool(neuron.a[0] == np.tanh(neuron.z[0]))
        True
        """
        arrays = [x.copy() for x in self._answers.checked(inputs[0] if len(inputs) == 1 else inputs)]
        parameters = {layer: {name: x.copy() for name, x in own.items()} for layer, own in self.parameters.items()}
        outcome = self.model.apply(parameters, arrays)
        made, calls = self.model.neurons, names_of_calls(name for name, *_ in outcome.readings)
        layers = [
            LayerReading(call, x, z, a, parameters.get(name, {}), made[name])
            for call, (name, x, z, a) in zip(calls, outcome.readings, strict=True)
        ]
        return Readings(layers, outcome.outputs)

    def predict(self, X: Any, *, engine: str | Engine = "auto") -> Any:
        """What the outputs mean: labels for classification, values for regression, one for every row.

        Parameters
        ----------
        X : array-like of shape (rows, features)
            For several inputs a tuple, or a dict by the names of the function's arguments; or a `Dataset`.
        engine : {"auto", "llvm", "numpy"}
            `auto` is NumPy unless machine code saves in this call as much time as compiling it takes (about 0.1 s), by
            an estimate from the sizes of the network and of X alone: equal networks answer equally, whatever they
            were asked before. For many small calls there is `compiled`.

        Raises
        ------
        ShapeError, DataError
            When X does not fit the network, or has NaN or infinite values.
        UnsupportedError
            For `llvm`, when an operation has no machine code or a row's outputs depend on other rows.
        """
        return self._answers.ask("predict", self.parameters, X, engine)

    def predict_proba(self, X: Any, *, engine: str | Engine = "auto") -> Any:
        """Probabilities of the classes, shape (rows, classes), in the order of `classes`."""
        return self._answers.ask("predict_proba", self.parameters, X, engine)

    def compiled(self) -> CompiledNetwork:
        """The network with its parameters as they are now in machine code, for many small calls.

        It has `predict`, `predict_proba` and is called like the network; a call costs about 3 µs beyond its arithmetic.
        What the network learns later is no part of it.

        Raises
        ------
        UnsupportedError
            With the first call: when an operation has no machine code or a row's outputs depend on other rows.

        Examples
        --------
        >>> import numpy as np, chainrule as cr
        >>> network = cr.Network([cr.Dense(3, "tanh"), cr.Dense(1)]).build(2)
        >>> fast = network.compiled()
        >>> bool(np.allclose(fast(np.ones((1, 2))), network(np.ones((1, 2)))))
        True
        """
        return CompiledNetwork(self._answers, self.parameters)

    def uncertainty(self, X: Any, samples: int | None = None, *, seed: int = 0) -> Uncertainty:
        """How far predictions can be trusted: what the members of an ensemble predict, or passes with dropout.

        Parameters
        ----------
        X : array-like
            As for `predict`.
        samples : int, optional
            How many passes in which dropout leaves out numbers as it does in training (Monte Carlo dropout); by default those of
            the members, or 100 passes where the network has none.
        seed : int
            Decides what dropout leaves out.

        Raises
        ------
        SettingError
            When the network has neither members nor dropout, or several outputs.

        Examples
        --------
        >>> import numpy as np, chainrule as cr
        >>> X = np.linspace(-1, 1, 40)[:, None]
        >>> network = cr.Network([cr.Dense(16, "tanh"), cr.Dropout(0.1), cr.Dense(1)])
        >>> _ = network.fit(X, X[:, 0] ** 2, progress=False)
        >>> told = network.uncertainty(X, samples=20)
        >>> told.samples.shape, told.mean.shape
        ((20, 40), (40,))
        """
        from chainrule.network.answers.uncertainty import uncertainty

        return uncertainty(self, X, samples, seed)

    def keeps_rows_apart(self, question: Question) -> bool:
        """Whether `predict`, `predict_proba` or `outputs` of a row is proven to depend on that row alone.

        Then a table can be answered piece by piece, however long it is.
        """
        return self._answers.rows_are_apart(question)

    def evaluate(
        self,
        X: Any,
        y: Any = None,
        sample_weight: Any = None,
        *,
        loss: Any = None,
        metrics: Sequence[Asked] | Asked = (),
        engine: str | Engine = "auto",
    ) -> dict[str, float]:
        """The metrics on data with known targets: `loss`, and `accuracy` for labels. The engine is as for `predict`.

        Parameters
        ----------
        X, y, sample_weight
            As for `fit`; a `Dataset` has all of them.
        loss : str, loss or callable, optional
            By default that of the last fit. With it a network that was never fitted is evaluated with the parameters it
            has, and what its outputs mean is read off `y`.
        metrics : sequence of str or callables
            Further ones, as for `fit`.

        Examples
        --------
        >>> import numpy as np, chainrule as cr
        >>> X = np.linspace(-1, 1, 50)[:, None]
        >>> network = cr.Network([cr.Dense(1)])
        >>> _ = network.fit(X, 2 * X, optimizer=cr.SGD(0.5), epochs=20, progress=False)
        >>> network.evaluate(X, 2 * X)["loss"] < 1e-4
        True
        >>> given = cr.Network([cr.Dense(1, weight=[[3.0]])], dtype="float64").build(1)
        >>> given.evaluate([[1.0], [2.0]], [[2.0], [4.0]], loss="squared_error")
        {'loss': 2.5}
        >>> given.evaluate([[1.0], [2.0]], [[2.0], [4.0]], loss="squared_error", metrics=["mae", "r2"])
        {'loss': 2.5, 'mae': 1.5, 'r2': -1.5}
        """
        if loss is None and not self.meanings:
            raise NotBuiltError(
                "evaluate needs a network that has been fitted, or a loss: call fit(X, y) first, or give loss='squared_error'."
            )
        if isinstance(X, Dataset):
            first_rows(X, y, sample_weight)
            meanings = list(self.meanings) if loss is None else learned_from(self, X, loss)[0]
            batch = encoder_for(self, meanings, X).stored(X).batch
        elif loss is not None:
            meanings, batch = meanings_of(self, X, y, loss, sample_weight)
        else:
            meanings, batch = list(self.meanings), batch_for(self, self.meanings, X, y, sample_weight)
        objective = Objective(self.model, tuple(meaning.head for meaning in meanings))
        found, asked = evaluator_of(objective, batch, engine)(self.parameters), as_metrics(metrics)
        return found | Measures(self, meanings, batch, asked, engine)(self.parameters) if asked else found

    def gradients(
        self,
        X: Any,
        y: Any,
        *,
        loss: Any = None,
        sample_weight: Any = None,
        l1: float = 0.0,
        l2: float = 0.0,
    ) -> Parameters:
        """The gradient of the loss by every parameter, nested as `parameters` are; the network stays as it is.

        Parameters
        ----------
        X, y : array-like
            As for `fit`, taken as one batch. Dropout does nothing.
        loss, sample_weight, l1, l2
            As for `fit`; the loss is by default that of the last fit.

        Examples
        --------
        >>> import chainrule as cr
        >>> network = cr.Network([cr.Dense(1, weight=[[3.0]])], dtype="float64").build(1)
        >>> network.gradients([[1.0], [2.0]], [[2.0], [4.0]], loss="squared_error")
        {'dense_0': {'weight': array([[5.]]), 'bias': array([3.])}}
        """
        objective, batch = objective_of(self, X, y, loss, sample_weight, l1, l2)
        found: Parameters = grad(lambda parameters: objective(parameters, batch)[0])(self.parameters)
        return found

    # --- describing and saving

    def save(self, path: str | Path, notes: Mapping[str, Any] | None = None, *, run: bool = False) -> None:
        """Write the network to a safetensors file: arrays, and the architecture as JSON in its metadata.

        Parameters
        ----------
        path : str or Path
            The file, by custom with the ending `.safetensors`. An existing file is replaced as a whole.
        notes : mapping, optional
            JSON-able facts to keep with the network, found again as `network.notes`.
        run : bool
            Whether `network.run` goes with it, all that the last `fit` was when it ended, the optimizer's state included. It is
            found again as `cr.load(path).run`, and `fit(X, y, ..., continue_from=run)` goes on exactly.

        Examples
        --------
        >>> import os, tempfile, numpy as np, chainrule as cr
        >>> X, path = np.linspace(-1, 1, 50)[:, None], os.path.join(tempfile.mkdtemp(), "model.safetensors")
        >>> in_two, at_once = cr.Network([cr.Dense(1)]), cr.Network([cr.Dense(1)])
        >>> _ = in_two.fit(X, 2 * X, epochs=10, progress=False)
        >>> in_two.save(path, run=True)
        >>> again = cr.load(path)
        >>> _ = again.fit(X, 2 * X, epochs=20, continue_from=again.run, progress=False)
        >>> _ = at_once.fit(X, 2 * X, epochs=20, progress=False)
        >>> bool(again.parameters["dense_0"]["weight"] == at_once.parameters["dense_0"]["weight"])
        True
        """
        storage.save(self, path, self.notes if notes is None else notes, run=run)

    def export(self, path: str | Path, answers: Question | Sequence[Question] | None = None) -> None:
        """Write what the network computes as an ONNX model, for runtimes of other languages and machines.

        Its inputs are called `X`, or as the function's arguments are, and take any number of rows; its outputs are called as the
        methods that give the same. Nothing can be learned from it further: `save` writes what `cr.load` reads.

        Parameters
        ----------
        path : str or Path
            The file, by custom with the ending `.onnx`. An existing file is replaced as a whole.
        answers : {"predict", "predict_proba", "outputs"}, or several of them, optional
            What it answers; by default `predict`, with `predict_proba` where there are probabilities, or of a network that was
            never fitted `outputs`.

        Raises
        ------
        MissingExtraError
            When the package onnx is not installed.
        UnsupportedError
            When ONNX has no nodes for an operation, or what it gives depends on the number of rows otherwise than by its length.

        Examples
        --------
        >>> import os, tempfile, numpy as np, chainrule as cr
        >>> network = cr.Network([cr.Dense(3, "tanh"), cr.Dense(1)]).build(2)
        >>> path = os.path.join(tempfile.mkdtemp(), "model.onnx")
        >>> network.export(path)
        >>> from onnx.reference import ReferenceEvaluator
        >>> (found,) = ReferenceEvaluator(path).run(["outputs"], {"X": np.ones((5, 2), np.float32)})
        >>> np.abs(found - network(np.ones((5, 2)))).max() < 1e-6
        np.True_
        """
        exporting.export(self, path, answers)

    def summary(self, batch_size: int | None = None, *, optimizer: Any = "adam", loss: Any = None) -> Summary:
        """A table of the layers, what they give, and how many parameters they have.

        Parameters
        ----------
        batch_size : int, optional
            With it the memory is told that training in such batches takes in machine code, the data aside.
        optimizer, loss
            Those of that training, as for `fit`; the loss is by default that of the last fit, or squared error.
        """
        return summary(self, batch_size, optimizer, loss)

    # --- what the methods above share

    @property
    def _answers(self) -> Answers:
        """What the network answers as it is now built and understood."""
        found = self._asked
        of = (self.model, self.meanings, self.columns)
        if found is None or any(
            a is not b for a, b in zip((found.model, found.meanings, found.columns), of, strict=True)
        ):
            found = self._asked = Answers(self.model, self.meanings, self.dtype, self.input_names, self.columns)
        return found
