"""Further metrics of a network on one set of data: those of the registry by name, and functions of the user's."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any

import numpy as np

from chainrule.engines.choice import AUTO
from chainrule.engines.engine import Engine
from chainrule.errors import SettingError, UnknownNameError, shortened
from chainrule.network.answers.answering import Answers
from chainrule.network.base import BaseNetwork
from chainrule.network.meaning import Meaning
from chainrule.nn.parameters import Parameters
from chainrule.tracing import trees
from chainrule.training.metrics import METRICS, Metric, Task, metric_for
from chainrule.training.objective import Batch
from chainrule.training.stored import store_of
from chainrule.training.weights import counted

Asked = str | Callable[..., Any]
"""A metric of the registry by its name, or a function of the right answers and the predictions."""

ALWAYS = ("loss", "accuracy")
"""What is measured anyway, of labels."""


def as_metrics(given: Any) -> tuple[Asked, ...]:
    """What was asked for as `metrics`, each a name or a function."""
    asked = (given,) if isinstance(given, str) or callable(given) else given
    if not isinstance(asked, list | tuple):
        raise SettingError(
            f"metrics was given as {shortened(given)}; give a list of names, such as ['auc'], or functions."
        )
    for one in asked:
        if not isinstance(one, str) and not callable(one):
            raise SettingError(
                f"{shortened(one)} is among the metrics; give names, or functions of (truth, predictions)."
            )
        if isinstance(one, type):
            raise SettingError(
                f"the class {one.__name__} is among the metrics; give a name such as 'auc', or a function."
            )
    return tuple(asked)


def metric_name(asked: Asked) -> str:
    """What a metric is called in a history."""
    return asked if isinstance(asked, str) else getattr(asked, "__name__", type(asked).__name__).strip("<>")


def is_known(name: str) -> bool:
    """Whether a metric of the registry has this name."""
    return any(name.lower() in (one.name, *one.known_as) for one in METRICS.values())


class Measures:
    """Metrics of a network's predictions for some rows, by name.

    Parameters
    ----------
    network : BaseNetwork
        Which is built.
    meanings : sequence of Meaning
        What its outputs mean.
    data : Batch
        The rows; of those that a dataset reads in parts, answers and weights alone are kept in memory.
    asked : sequence of str or callable
    engine : str or Engine

    Raises
    ------
    UnknownNameError
        For names of no metric that suits an output.
    SettingError
        For metrics of probabilities where there are none, and two metrics of one name.
    """

    def __init__(
        self,
        network: BaseNetwork,
        meanings: Sequence[Meaning],
        data: Batch,
        asked: Sequence[Asked],
        engine: str | Engine = AUTO,
    ) -> None:
        self._answers = Answers(network.model, meanings, network.dtype, network.input_names, {})
        self._meanings, self._engine = meanings, engine
        self._data = data
        known = [self._known(block) for block in self._blocks()]
        *self._truths, self._weights = (
            parts[0] if len(parts) == 1 else np.concatenate(parts) for parts in zip(*known, strict=True)
        )
        self._wanted: dict[str, tuple[int, Asked | Metric]] = {}
        for one in asked:
            self._want(one)

    def __call__(self, parameters: Parameters) -> dict[str, float]:
        """The metrics of the network with these parameters."""
        parts = [self._said(parameters, block) for block in self._blocks()]
        said = parts[0] if len(parts) == 1 else [np.concatenate(own) for own in zip(*parts, strict=True)]
        return {
            name: self._value(metric, self._meanings[place], self._truths[place], said[place])
            for name, (place, metric) in self._wanted.items()
        }

    def _blocks(self) -> Iterable[Batch]:
        """The rows: of a dataset those that are read together, one block after the other."""
        store = store_of(self._data)
        return [self._data] if store is None else store.blocks()

    def _known(self, block: Batch) -> list[Any]:
        """The right answers of every output, and how much each row counts."""
        block = counted(block)
        pairs = zip(self._meanings, block.targets, block.class_indices, strict=True)
        weights = np.ones(len(block.inputs[0])) if block.counts is None else np.asarray(block.counts, np.float64)
        return [*(truth_of(*known) for known in pairs), weights]

    def _said(self, parameters: Parameters, block: Batch) -> list[Any]:
        """What every output says."""
        inputs = block.inputs[0] if len(block.inputs) == 1 else tuple(block.inputs)
        return trees.flatten(self._answers.ask("likeliest", parameters, inputs, self._engine))[0]

    def _want(self, asked: Asked) -> None:
        """Add a metric, for every output that it is for."""
        suited = False
        for place, meaning in enumerate(self._meanings):
            task: Task = "classification" if meaning.tells_apart else "regression"
            try:
                metric = metric_for(task, asked.lower()) if isinstance(asked, str) else asked
            except UnknownNameError:
                if place == len(self._meanings) - 1 and not suited:
                    raise
                continue
            suited, own = True, metric.name if isinstance(metric, Metric) else metric_name(metric)
            if own in ALWAYS and isinstance(metric, Metric) and meaning.classes is not None:
                continue
            name = f"{own}_{meaning.head.name}" if meaning.head.name else own
            if name in self._wanted or own in ALWAYS:
                raise SettingError(f"two metrics are called {name!r}; give each once, and functions other names.")
            if isinstance(metric, Metric) and task == "classification" and not meaning.has_probabilities:
                raise SettingError(
                    f"the metric {own!r} is one of probabilities, and the loss {type(meaning.head.loss).__name__} gives none; use "
                    "loss='cross_entropy' or 'binary_cross_entropy', or give a function of (truth, predictions)."
                )
            self._wanted[name] = place, metric

    def _value(self, metric: Asked | Metric, meaning: Meaning, truth: Any, said: Any) -> float:
        if not isinstance(metric, Metric):
            assert not isinstance(metric, str)
            return float(metric(_named(meaning, truth), _named(meaning, predicted_of(meaning, said))))
        if meaning.tells_apart and meaning.classes is None:  # yes or no in every column
            pairs = [(truth[:, i].astype(np.intp), np.stack([1.0 - p, p], axis=1)) for i, p in enumerate(said.T)]
        elif truth.ndim == 2:
            pairs = [(truth[:, i], said[:, i]) for i in range(truth.shape[1])]
        else:
            pairs = [(truth, said)]
        return float(np.mean([metric.of(t, p, self._weights) for t, p in pairs]))


def truth_of(meaning: Meaning, target: Any, class_indices: Any) -> Any:
    """The right answers: class numbers, or values as predictions have them."""
    if meaning.classes is not None:
        return class_indices
    return target[:, 0] if meaning.flat and target.shape[-1] == 1 else target


def predicted_of(meaning: Meaning, said: Any) -> Any:
    """Class numbers of probabilities, or truth values; other answers as they are."""
    if not (meaning.tells_apart and meaning.has_probabilities):
        return said
    return np.argmax(said, axis=1) if meaning.classes is not None else (said > 0.5).astype(int)


def _named(meaning: Meaning, answer: Any) -> Any:
    """Labels of class numbers."""
    return meaning.classes.take(answer) if meaning.classes is not None else answer
