"""`Network`: the face of the library, whose methods hand over to the packages that do the work."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from chainrule.autodiff import grad
from chainrule.errors import NotBuiltError
from chainrule.network import storage
from chainrule.network.advice import NOT_TAKEN, advised
from chainrule.network.answering import Answers, CompiledNetwork, Question
from chainrule.network.base import batch_for
from chainrule.network.examining import ExaminableNetwork
from chainrule.network.explaining import objective_of
from chainrule.network.fitting import carry_out, training_for
from chainrule.network.summary import Summary, summary
from chainrule.nn.parameters import Parameters, as_patterns
from chainrule.nn.readings import LayerReading, Readings, names_of_calls
from chainrule.training import (
    Clipping,
    EarlyStopping,
    Evaluator,
    History,
    Objective,
    Penalty,
    Run,
    Settings,
    as_early_stopping,
)
from chainrule.training.progress import Display


class Network(ExaminableNetwork):
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

    def __call__(self, *inputs: Any, engine: str = "auto") -> Any:
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

    def predict(self, X: Any, *, engine: str = "auto") -> Any:
        """What the outputs mean: labels for classification, values for regression, one for every row.

        Parameters
        ----------
        X : array-like of shape (rows, features)
            For several inputs a tuple, or a dict by the names of the function's arguments.
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

    def predict_proba(self, X: Any, *, engine: str = "auto") -> Any:
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

    def keeps_rows_apart(self, question: Question) -> bool:
        """Whether `predict`, `predict_proba` or `outputs` of a row is proven to depend on that row alone.

        Then a table can be answered piece by piece, however long it is.
        """
        return self._answers.rows_are_apart(question)

    def evaluate(
        self, X: Any, y: Any, sample_weight: Any = None, *, loss: Any = None, engine: str = "auto"
    ) -> dict[str, float]:
        """The metrics on data with known targets: `loss`, and `accuracy` for labels. The engine is as for `predict`.

        Parameters
        ----------
        X, y, sample_weight
            As for `fit`.
        loss : str, loss or callable, optional
            By default that of the last fit. With it a network that was never fitted is evaluated with the parameters it
            has, and what its outputs mean is read off `y`.

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
        """
        if loss is None and not self.meanings:
            raise NotBuiltError(
                "evaluate needs a network that has been fitted, or a loss: call fit(X, y) first, or give loss='squared_error'."
            )
        if loss is not None:
            objective, batch = objective_of(self, X, y, loss, sample_weight)
        else:
            objective = Objective(self.model, tuple(meaning.head for meaning in self.meanings))
            batch = batch_for(self, self.meanings, X, y, sample_weight)
        return Evaluator(objective, batch, engine)(self.parameters)

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

    # --- training

    @advised("fit", "name all but X and y, fit(X, y, epochs=30)", **NOT_TAKEN)
    def fit(
        self,
        X: Any,
        y: Any,
        *,
        loss: Any = None,
        optimizer: Any = "adam",
        epochs: int = 20,
        batch_size: int | None = 32,
        seed: int = 0,
        shuffle: bool = True,
        validation_data: Sequence[Any] | None = None,
        validation_split: float = 0.0,
        early_stopping: EarlyStopping | int | bool | None = None,
        sample_weight: Any = None,
        class_weight: Any = None,
        l1: float = 0.0,
        l2: float = 0.0,
        clip_value: float | None = None,
        clip_norm: float | None = None,
        frozen: Sequence[str] | None = None,
        callbacks: Sequence[Callable[..., Any]] = (),
        gradients: str = "chain rule",
        engine: str = "auto",
        threads: int | None = None,
        progress: bool | Display | None = None,
        continue_from: Run | None = None,
        record: bool | int = False,
        standardise: bool = False,
    ) -> History:
        """Learn from data, starting from the parameters as they are.

        Parameters
        ----------
        X : array-like of shape (rows, features)
            Arrays, lists, or data frames of numbers; for several inputs a tuple or a dict. The names of a frame's columns
            are remembered, and later frames matched by them.
        y : array-like of shape (rows,) or (rows, outputs)
            Labels of any kind, or values. For several outputs nested as they are. Text, booleans and whole numbers in one
            column are labels, and so are one-hot rows for a network that ends in softmax. A network that has learned
            labels refuses others.
        loss : str, loss or callable, optional
            By default cross-entropy for labels and squared error for values.
        optimizer : str or optimizer
            Such as `"adam"` or `cr.SGD(0.1, momentum=0.9)`; its learning rate may be a schedule.
        epochs, batch_size : int
            Passes over the data, and rows in a batch; `batch_size=None` means all. The last, smaller batch
            of an epoch is trained on like the others.
        seed : int
            Decides the order of rows and the numbers of dropout.
        shuffle : bool
            Whether rows come in a new order in every epoch.
        validation_data : (X, y) or (X, y, sample_weight), optional
            Data whose metrics are reported after every epoch.
        validation_split : float
            The share of rows, taken at random, to be validation data instead of being learned from.
        early_stopping : EarlyStopping, int or True, optional
            When to stop before the last epoch; an integer is the patience.
        sample_weight : array-like of shape (rows,), optional
            How much each row counts, against the mean weight of all rows learned from: the loss of a batch is its rows'
            mean of weight · loss, with weights whose mean over all rows is 1.
        class_weight : "balanced" or dict, optional
            How much each label counts.
        l1, l2 : float
            The penalty l1·Σ|w| + ½·l2·Σw² over all parameters but biases: those of layers, and every `Parameter` that is
            only ever added to something that depends on the inputs or says `bias=True`.
        clip_value, clip_norm : float, optional
            Bounds of each number of the gradient, and of its length.
        frozen : sequence of str, optional
            Patterns of parameter names not to learn; by default the network's own.
        callbacks : sequence of callables
            Each called with an `EpochEnd` after every epoch; `True` or a text stops the training.
        gradients : {"chain rule", "numerical"}
            How gradients are found: by backpropagation, or by nudging every parameter in turn.
        engine : {"auto", "llvm", "numpy"}
            What carries out the steps: machine code, or NumPy. `auto` is machine code wherever it can be.
        threads : int, optional
            The most threads that machine code shares a large step out to; by default what OMP_NUM_THREADS says, or as
            many as there are cores. Never more than the cores this process may use, nor than its share of them where
            several of its threads train. The results are the same, to the bit, for any number.
        progress : bool or object, optional
            Whether to show a progress bar; by default when standard error is a terminal. Or what is told, by
            `update(epochs, metrics)`: within epochs too, some thirty times a second.
        continue_from : Run, optional
            `network.run` or an `EpochEnd.run` of an earlier `fit`, to go on where it stood, with the same bits as if it
            had never stopped. Data and settings are to be given as they were; `epochs` counts all epochs, so that
            `epochs=20` with a run of 10 carries out 10 more. Engine, threads, callbacks and patience may be others.
        record : bool or int
            Whether to leave a `network.recording`, from which every moment of the training can be had again, to the bit; as a
            number, how many megabytes it may keep of the states on the way (`True`: 64).
        standardise : bool
            Whether the network is given a first layer `Standardise`, with the means and deviations of the rows learned from.

        Returns
        -------
        History
            Every epoch's metrics. Ctrl-C ends training early; what was learned so far is kept.

        Raises
        ------
        DataError, ShapeError, SettingError, UnknownNameError
            When data or settings are refused; the message says why and what to do.
        DivergedError
            When the loss leaves the finite numbers; the network keeps the last finite weights.
        """
        settings = Settings(
            epochs=epochs, batch_size=batch_size, seed=seed, shuffle=shuffle, engine=engine, threads=threads,
            gradients=gradients, early_stopping=as_early_stopping(early_stopping), callbacks=callbacks,
            frozen=self.frozen if frozen is None else as_patterns(frozen), progress=progress, record=record,
        )  # fmt: skip
        training = training_for(
            self, X, y, settings, loss=loss, optimizer=optimizer, penalty=Penalty(l1, l2),
            clipping=Clipping(clip_value, clip_norm), validation_data=validation_data, validation_split=validation_split,
            sample_weight=sample_weight, class_weight=class_weight, continue_from=continue_from, standardise=standardise,
        )  # fmt: skip
        return carry_out(self, training)

    # --- describing and saving

    def save(self, path: str | Path, notes: Mapping[str, Any] | None = None) -> None:
        """Write the network to a safetensors file: arrays, and the architecture as JSON in its metadata.

        Parameters
        ----------
        path : str or Path
            The file, by custom with the ending `.safetensors`. An existing file is replaced as a whole.
        notes : mapping, optional
            JSON-able facts to keep with the network, found again as `network.notes`.
        """
        storage.save(self, path, self.notes if notes is None else notes)

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
