"""How far predictions can be trusted: what the members of an ensemble say, or passes with dropout."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from chainrule.errors import MissingExtraError, SettingError
from chainrule.network.base import BaseNetwork
from chainrule.nn.activations import activation
from chainrule.ops.operation import ArrayType
from chainrule.training import as_inputs
from chainrule.training.evaluation import in_chunks

SAMPLES = 100
"""Passes with dropout, unless told otherwise."""


@dataclass(frozen=True, eq=False, repr=False)
class Uncertainty:
    """Several predictions for every row, and how far they are apart.

    Attributes
    ----------
    samples : array of shape (members, rows), (members, rows, outputs) or (members, rows, classes)
        What each member, or each pass with dropout, predicts: values, or probabilities of classes.
    classes : array or None
        The labels that the probabilities are of; of a loss that gives none, such as Hinge, the samples are its scores.

    Examples
    --------
    >>> import numpy as np, chainrule as cr
    >>> X = np.linspace(-1, 1, 40)[:, None]
    >>> network = cr.Network([cr.Dense(16, "tanh"), cr.Dense(1)])
    >>> many = cr.fit_many(network, X, X[:, 0] ** 2, seeds=range(5), optimizer=cr.Adam(0.03), epochs=60, progress=False)
    >>> told = many.ensemble().uncertainty([[0.0], [4.0]])
    >>> told.samples.shape, bool(told.deviation[1] > 5 * told.deviation[0])
    ((5, 2), True)

    References
    ----------
    Lakshminarayanan, Pritzel and Blundell, "Simple and scalable predictive uncertainty estimation using deep ensembles", 2017.
    Gal and Ghahramani, "Dropout as a Bayesian approximation", 2016.
    """

    samples: Any
    classes: Any = None

    def __repr__(self) -> str:
        """How many predictions of how many rows."""
        members, rows = self.samples.shape[:2]
        classes = "" if self.classes is None else f", of {len(self.classes)} classes"
        return f"Uncertainty({members:,} predictions of {rows:,} rows{classes})"

    @property
    def mean(self) -> Any:
        """The mean of the predictions: 1/K Σ_k y_k."""
        return np.mean(self.samples, axis=0)

    @property
    def deviation(self) -> Any:
        """The standard deviation of the predictions, of values or of each class's probability: √(1/K Σ_k (y_k − ȳ)²)."""
        return np.std(self.samples, axis=0)

    @property
    def entropy(self) -> Any:
        """How undecided the mean probabilities are, in nats, one number for every row: H(p̄) = −Σ_c p̄_c·ln p̄_c.

        Raises
        ------
        SettingError
            When values are predicted, which have no probabilities.
        """
        return _entropy(self._probabilities.mean(axis=0))

    @property
    def disagreement(self) -> Any:
        """The part of the entropy that is due to the members being of different opinion: H(p̄) − 1/K Σ_k H(p_k).

        It is large where little was learned of, and small where all members find the classes mixed (Houlsby and others 2011).

        Raises
        ------
        SettingError
            When values are predicted, which have no probabilities.
        """
        apart = self._probabilities
        return np.maximum(_entropy(apart.mean(axis=0)) - _entropy(apart).mean(axis=0), 0.0)

    @property
    def _probabilities(self) -> Any:
        if self.classes is None:
            raise SettingError(
                "entropy and disagreement are of probabilities, and these predictions are values. Ask for the deviation."
            )
        return self.samples.astype(np.float64)

    def plot(self, path: str | Path | None = None, x: Any = None, *, band: float = 2.0) -> Any:
        """Draw the mean with a band of so many standard deviations about it.

        Parameters
        ----------
        path : str or Path, optional
            Where to write the picture, its ending telling the format; without it the figure is only returned.
        x : array-like of shape (rows,), optional
            Where the rows lie; by default they are numbered.
        band : float
            How many standard deviations to either side.

        Returns
        -------
        matplotlib.figure.Figure

        Raises
        ------
        MissingExtraError
            When matplotlib is not installed.
        SettingError, ShapeError, DataError
            When the ending of `path` is no format of pictures, or x has not one number for every row.
        """
        try:
            from chainrule.network.answers.uncertainty_picture import picture
        except ImportError:
            raise MissingExtraError.of("matplotlib", "plot", "Uncertainty.plot") from None
        SettingError.unless_number("plot", "band", band, at_least=0)
        return picture(self.mean, self.deviation, self.classes, x, band, None if path is None else Path(path))


def _entropy(probabilities: Any) -> Any:
    return -np.sum(probabilities * np.log(np.maximum(probabilities, 1e-300)), axis=-1)


def uncertainty(network: BaseNetwork, X: Any, samples: int | None, seed: int) -> Uncertainty:
    """What the members of a network say of rows, or so many passes with dropout."""
    if samples is not None:
        SettingError.unless_count("uncertainty", "samples", samples)
    SettingError.unless_count("uncertainty", "seed", seed, at_least=0, at_most=2**128)
    if not isinstance(network.model.outputs, ArrayType):
        raise SettingError(
            "uncertainty is of networks with one output, and this one has several. Ask one network for each."
        )
    arrays = as_inputs(X, network.dtype, network.input_names, network.model.inputs, network.columns)
    drops = any(layer.uses_random for layer in network.layers.values())
    apart = None if samples is not None else _of_members(network, arrays)
    if apart is None and not drops:
        what = "neither members nor dropout" if samples is None else "no dropout"
        raise SettingError(
            f"uncertainty was asked of a network with {what}, all of whose passes are the same. Make an ensemble, "
            "cr.fit_many(network, X, y, seeds=range(10)).ensemble(), or train it with cr.Dropout(0.1) between its layers."
        )
    if apart is None:
        keys = np.random.default_rng([seed, 3]).integers(0, 2**32, size=samples or SAMPLES, dtype=np.uint32)
        apart = np.stack([_of_pass(network, arrays, key) for key in keys])
    return Uncertainty(apart, _classes(network))


def _of_members(network: BaseNetwork, arrays: list[Any]) -> Any:
    """What each member predicts; `None` where the output is no mean over members."""
    pieces = []
    for rows in in_chunks(len(arrays[0]), lambda: True):
        outcome = network.model.apply(network.parameters, [a[rows] for a in arrays])
        apart = outcome.apart(outcome.outputs)
        if apart is None:
            return None
        pieces.append(np.stack([_predicted(network, outcome, output) for output in apart]))
    return np.concatenate(pieces, axis=1)


def _of_pass(network: BaseNetwork, arrays: list[Any], key: Any) -> Any:
    """What one pass with dropout predicts."""
    pieces = []
    for number, rows in enumerate(in_chunks(len(arrays[0]), lambda: True)):
        own = np.uint32((int(key) + number * 0x9E3779B9) & 0xFFFFFFFF)
        outcome = network.model.apply(network.parameters, [a[rows] for a in arrays], own, predicts=True)
        pieces.append(_predicted(network, outcome, outcome.outputs))
    return np.concatenate(pieces)


def _classes(network: BaseNetwork) -> Any:
    """The classes that it predicts probabilities of; `None` with a loss such as Hinge or squared error, which gives labels alone."""
    found = [m.classes for m in network.meanings if m.head.loss.link in ("sigmoid", "softmax")]
    return None if not found or found[0] is None else found[0].copy()


def _predicted(network: BaseNetwork, outcome: Any, output: Any) -> Any:
    """What an output predicts: probabilities of classes, or values."""
    if not network.meanings:
        return np.asarray(output)
    (meaning,) = network.meanings
    if _classes(network) is not None:
        return np.asarray(meaning.probabilities(outcome, output))
    values = np.asarray(activation(meaning.head.loss.link)(meaning.head.scores(outcome, output)))
    return values[:, 0] if meaning.flat and values.shape[-1] == 1 else values
