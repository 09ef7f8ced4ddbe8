"""What a network is: its function, shapes, parameters, and what its outputs mean. All else is written in these."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Self

import numpy as np

from chainrule.errors import DataError, NotBuiltError, SettingError, ShapeError, shortened
from chainrule.network.meaning import Meaning, as_batch, nested
from chainrule.nn.model import Model, as_function, build, names_of_inputs
from chainrule.nn.parameters import Parameters, as_patterns, initial, replaced
from chainrule.training import Batch, Columns, History, Recording, Run, as_inputs


class BaseNetwork:
    """A function of arrays that calls layers, with parameters once its shapes are known.

    Modules that fit, explain, save or describe a network take one of these, and use what is public here.

    Attributes
    ----------
    function : callable
        What it computes, as plain code that calls layers.
    input_names : tuple of str
        The names of the function's arguments.
    first_values : dict
        The parameters that were given when it was made.
    meanings : sequence of Meaning
        What each output means: its loss, and the labels it tells apart. Empty before the first fit.
    columns : mapping
        For inputs that the first fit was given as frames, the names of their columns. Later frames are matched by them.
    history : History or None
        Of the last fit.
    run : Run or None
        All that the training was when the last fit ended.
    recording : Recording or None
        Every moment of the last fit, if it was recorded.
    notes : dict
        JSON-able facts of the user's, saved with the network.
    """

    def __init__(
        self,
        layers: Sequence[Any] | Callable[..., Any],
        *,
        seed: int = 0,
        dtype: Any = "float32",
        frozen: Sequence[str] = (),
        parameters: Mapping[str, Any] | None = None,
    ) -> None:
        self.function = as_function(layers)
        SettingError.unless_count("Network", "seed", seed, at_least=0, at_most=2**128)
        named = isinstance(dtype, str | type | np.dtype)
        if not named or dtype not in ("float32", "float64", np.float32, np.float64):
            raise SettingError(f"Network was given dtype={shortened(dtype)}; use 'float32' or 'float64'.")
        if parameters is not None and not isinstance(parameters, Mapping):
            raise SettingError(
                f"Network was given parameters={shortened(parameters)}; give a dict from names to values."
            )
        self.seed, self.dtype = seed, np.dtype(dtype)
        self.frozen = as_patterns(frozen)
        self.history: History | None = None
        self.run: Run | None = None
        self.recording: Recording | None = None
        self.notes: dict[str, Any] = {}
        self.input_names = names_of_inputs(self.function)
        self.first_values = dict(parameters or {})
        self._model: Model | None = None
        self._parameters: Parameters = {}
        self.meanings: Sequence[Meaning] = ()
        self.columns: Columns = {}

    def build(self, *inputs: int | tuple[int, ...]) -> Self:
        """Fix the shapes and draw the first weights; `fit` does it by itself.

        Parameters
        ----------
        *inputs : int or tuple of ints
            For every input the number of features, or the shape of one sample.
        """
        shapes = [tuple(i) if isinstance(i, tuple | list) else (i,) for i in inputs]
        if len(shapes) != len(self.input_names):
            raise ShapeError(
                f"this network has {len(self.input_names)} inputs ({', '.join(self.input_names)}); build was given {len(shapes)}."
            )
        model = build(self.function, shapes)
        self._parameters = replaced(initial(model.specs, self.seed, self.dtype), self.first_values)
        self._model = model  # last: whoever finds it finds the parameters, also when this was interrupted
        return self

    def restore(self, parameters: Mapping[str, Any], *inputs: tuple[int, ...]) -> Self:
        """Fix the shapes and take these parameters, by their full names, in place of first ones: none are drawn."""
        model = build(self.function, inputs)
        expected = {
            f"{layer}.{name}": (spec.shape, self.dtype)
            for layer, own in model.specs.items()
            for name, spec in own.items()
        }
        found = {name: (value.shape, value.dtype) for name, value in parameters.items()}
        for name in sorted({*expected, *found}):
            if expected.get(name) != found.get(name):
                raise ShapeError(
                    f"among the parameters given, {name} is {_told(found.get(name))}, and the network expects "
                    f"{_told(expected.get(name))}."
                )
            if not np.isfinite(parameters[name]).all():
                raise DataError(f"{name} was given values that are NaN or infinite; give finite numbers.")
        self._parameters = {
            layer: {name: parameters[f"{layer}.{name}"] for name in own} for layer, own in model.specs.items()
        }
        self._model = model
        return self

    @property
    def is_built(self) -> bool:
        """Whether the shapes are known, so that there are parameters."""
        return self._model is not None

    @property
    def model(self) -> Model:
        """The network as a pure function of parameters and inputs."""
        if self._model is None:
            raise NotBuiltError(
                "the shapes of this network are not known yet. Call fit(X, y), or build(2) for inputs with 2 features."
            )
        return self._model

    @property
    def layers(self) -> Mapping[str, Any]:
        """Layers by name, in the order they are first called."""
        return self.model.layers

    @property
    def parameters(self) -> Parameters:
        """The parameters, layer name → parameter name → array; assign to set some or all of them."""
        _ = self.model
        return self._parameters

    @parameters.setter
    def parameters(self, new: Mapping[str, Any]) -> None:
        _ = self.model
        self._parameters = replaced(self._parameters, new)

    def hold(
        self, parameters: Parameters, history: History, run: Run | None = None, recording: Recording | None = None
    ) -> None:
        """Take what a training has come to: its parameters, unchecked and not copied, its history, and where it stands.

        With a run it has ended, and the recording is that of it.
        """
        self._parameters, self.history = parameters, history
        if run is not None:
            self.run, self.recording = run, recording

    @property
    def classes(self) -> Any:
        """The labels this network tells apart, an array of the caller's; `None` for regression and before `fit`."""
        known = [None if meaning.classes is None else meaning.classes.copy() for meaning in self.meanings]
        return nested(self.model, known) if known else None

    def __repr__(self) -> str:
        if hasattr(self.function, "layers"):
            return f"{type(self).__name__}([{', '.join(map(repr, self.function.layers))}])"
        return f"{type(self).__name__}({getattr(self.function, '__name__', self.function)!s})"


def _told(facts: Any) -> str:
    return "not there" if facts is None else f"of shape {facts[0]} and dtype {facts[1]}"


def inputs_of(network: BaseNetwork, X: Any) -> list[Any]:
    """The rows as arrays; a network whose shapes are not known yet is built for them."""
    built = network.model.inputs if network.is_built else None
    arrays: list[Any] = as_inputs(X, network.dtype, network.input_names, built, network.columns)
    if built is None:
        network.build(*(a.shape[1:] for a in arrays))
    return arrays


def batch_for(network: BaseNetwork, meanings: Sequence[Meaning], X: Any, y: Any, sample_weight: Any = None) -> Batch:
    """Rows and targets of known meaning as arrays, for a network whose shapes are known."""
    arrays = as_inputs(X, network.dtype, network.input_names, network.model.inputs, network.columns)
    return as_batch(network.model, meanings, arrays, y, network.dtype, sample_weight)
