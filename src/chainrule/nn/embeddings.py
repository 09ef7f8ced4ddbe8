"""Layers that turn columns of a table into vectors: numbers by where they lie, categories by which they are."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from chainrule.errors import DataError, SettingError, ShapeError, is_finite, shortened
from chainrule.nn.activations import Activation as ActivationName
from chainrule.nn.activations import activation
from chainrule.nn.initializer import LARGEST
from chainrule.nn.initializers import Normal, Uniform
from chainrule.nn.layer import Arrays, Layer, Shape
from chainrule.nn.parameters import ParameterSpec
from chainrule.tracing.apply import plain_numbers


@dataclass(frozen=True)
class PiecewiseEmbedding(Layer):
    """The first columns, each as a learned piecewise linear curve in `width` dimensions, beside all columns as they are.

    Column i has edges e₀ < e₁ < … < e_B, by custom its quantiles. A number x is told by how far it has come in every bin,
    h_b = clip((x − e_b) / (e_{b+1} − e_b), 0, 1), and its vector is relu(Σ_b h_b·W[i, b] + B[i]). So a network bends
    where the data lie, as trees do, and learns jumps that plain inputs would have to be very large for.

    Parameters
    ----------
    edges : tuple of tuples of floats
        The edges of every column's bins, rising: as many tuples as columns are embedded, the first ones of the input.
    width : int
        Numbers in the vector of a column.

    The output has shape (batch, columns + embedded columns · width).

    References
    ----------
    Gorishniy, Rubachev and Babenko, "On embeddings for numerical features in tabular deep learning", 2022.

    Examples
    --------
    >>> import numpy as np, chainrule as cr
    >>> network = cr.Network([cr.PiecewiseEmbedding(((0.0, 1.0, 3.0),), width=2)]).build(2)
    >>> network(np.array([[2.0, 7.0]])).shape
    (1, 4)
    """

    edges: tuple[tuple[float, ...], ...]
    width: int = 8

    def __post_init__(self) -> None:
        SettingError.unless_count("PiecewiseEmbedding", "width", self.width, at_most=LARGEST)
        try:
            edges = tuple(tuple(map(float, own)) for own in self.edges)
        except (TypeError, ValueError):
            edges = ()
        rising = all(len(own) > 1 and all(map(is_finite, own)) and (np.diff(own) > 0).all() for own in edges)
        if not edges or not rising:
            raise SettingError(
                f"PiecewiseEmbedding was given edges={shortened(self.edges)}; give the edges of every column's bins, two or "
                "more and rising."
            )
        object.__setattr__(self, "edges", edges)

    @cached_property
    def _bins(self) -> tuple[Any, Any]:
        """Where every bin of every column begins, and one by its width; 0 for bins that a column lacks."""
        first, slope = np.zeros((2, len(self.edges), max(map(len, self.edges)) - 1), np.float32)
        for column, own in enumerate(self.edges):
            first[column, : len(own) - 1] = own[:-1]
            slope[column, : len(own) - 1] = 1.0 / np.diff(own)
        return first, slope

    def parameters(self, *shapes: Shape) -> Mapping[str, ParameterSpec]:
        """W of shape (columns, bins, width) and B of shape (columns, width)."""
        (shape,) = shapes
        if len(shape) != 2 or shape[-1] < len(self.edges):
            raise ShapeError(
                f"PiecewiseEmbedding embeds {len(self.edges)} columns and was given an input of shape {shape}; give it rows "
                "of as many numbers or more."
            )
        bins = max(map(len, self.edges)) - 1
        start = Normal(1.0 / math.sqrt(bins))
        return {
            "weight": ParameterSpec((len(self.edges), bins, self.width), start, bias=False),
            "bias": ParameterSpec((len(self.edges), self.width), "zeros", bias=True),
        }

    def forward(self, parameters: Arrays, *inputs: Any) -> Any:
        """All columns, and the vectors of the first ones."""
        (x,) = inputs
        columns, (first, slope) = len(self.edges), self._bins
        inside = np.clip((x[:, :columns, None] - first) * slope, 0.0, 1.0)
        vectors = np.einsum("nfb,fbd->nfd", inside, parameters["weight"]) + parameters["bias"]
        vectors = np.maximum(vectors, 0.0)
        return np.concatenate([x, np.reshape(vectors, (x.shape[0], columns * self.width))], axis=-1)


@dataclass(frozen=True)
class PeriodicEmbedding(Layer):
    """The first columns, each as learned waves in `width` dimensions, beside all columns as they are.

    A number x of column i has the vector act(Σ_k cos(2π·(F[i, k]·x + P[i, k]))·W[i, k] + B[i]), with learned frequencies F,
    phases P, weights W and biases B. With `activation="relu"` it is Gorishniy's PLR; as it stands the PBLD of Holzmüller.

    Parameters
    ----------
    width : int
        Numbers in the vector of a column.
    frequencies : int
        Waves of a column.
    deviation : float
        Of the normal law that frequencies are drawn from: larger for targets that change faster.
    activation : str, callable or None
        A name such as `"relu"`, or any function of one array written in NumPy.
    columns : int, optional
        How many of the first columns are embedded; by default all.

    The output has shape (batch, columns of the input + embedded columns · width).

    References
    ----------
    Gorishniy, Rubachev and Babenko, "On embeddings for numerical features in tabular deep learning", 2022.
    Holzmüller, Grinsztajn and Steinwart, "Better by default: strong pre-tuned MLPs and boosted trees on tabular data", 2024.

    Examples
    --------
    >>> import numpy as np, chainrule as cr
    >>> network = cr.Network([cr.PeriodicEmbedding(width=3, columns=1), cr.Dense(1)]).build(2)
    >>> {name: value.shape for name, value in network.parameters["periodicembedding_0"].items()}
    {'frequency': (1, 16), 'phase': (1, 16), 'weight': (1, 16, 3), 'bias': (1, 3)}
    >>> network.parameters["dense_0"]["weight"].shape
    (5, 1)
    """

    width: int = 3
    frequencies: int = 16
    deviation: float = 0.1
    activation: ActivationName = "identity"
    columns: int | None = None

    def __post_init__(self) -> None:
        if self.activation is None:
            object.__setattr__(self, "activation", "identity")
        activation(self.activation)
        for name in ("width", "frequencies", "columns"):
            if (given := getattr(self, name)) is not None or name != "columns":
                SettingError.unless_count("PeriodicEmbedding", name, given, at_most=LARGEST)
        SettingError.unless_number("PeriodicEmbedding", "deviation", self.deviation, above=0)

    def parameters(self, *shapes: Shape) -> Mapping[str, ParameterSpec]:
        """F and P of shape (columns, frequencies), W of shape (columns, frequencies, width), B of shape (columns, width)."""
        (shape,) = shapes
        columns = shape[-1] if self.columns is None else self.columns
        if len(shape) != 2 or shape[-1] < columns:
            raise ShapeError(
                f"PeriodicEmbedding embeds {columns} columns and was given an input of shape {shape}; give it rows of as many "
                "numbers or more."
            )
        waves, bound = (columns, self.frequencies), 1.0 / math.sqrt(self.frequencies)
        return {
            "frequency": ParameterSpec(waves, Normal(self.deviation), bias=False),
            "phase": ParameterSpec(waves, Uniform(-0.5, 0.5), bias=True),
            "weight": ParameterSpec((*waves, self.width), Uniform(-bound, bound), bias=False),
            "bias": ParameterSpec((columns, self.width), Uniform(-bound, bound), bias=True),
        }

    def forward(self, parameters: Arrays, *inputs: Any) -> Any:
        """All columns, and the vectors of the first ones."""
        (x,) = inputs
        columns, width = parameters["bias"].shape
        turns = x[:, :columns, None] * parameters["frequency"] + parameters["phase"]
        waves = np.cos(2.0 * math.pi * turns)
        vectors = np.einsum("nfk,fkd->nfd", waves, parameters["weight"]) + parameters["bias"]
        return np.concatenate(
            [x, np.reshape(activation(self.activation)(vectors), (x.shape[0], columns * width))], axis=-1
        )


@dataclass(frozen=True)
class CategoryEmbedding(Layer):
    """The last columns, each a category's number, replaced by that category's learned vector.

    Parameters
    ----------
    sizes : tuple of ints
        How many categories each of the last columns has; it holds numbers from 0 to below that, whose fractions
        are dropped, and all else is refused.
    widths : int or tuple of ints
        Numbers in the vectors, for every column alike or column by column.

    The output has shape (batch, columns − categorical columns + sum of the widths).

    References
    ----------
    Guo and Berkhahn, "Entity embeddings of categorical variables", 2016.

    Examples
    --------
    >>> import numpy as np, chainrule as cr
    >>> network = cr.Network([cr.CategoryEmbedding(sizes=(50,), widths=4, name="town"), cr.Dense(1)]).build(3)
    >>> network.parameters["town"]["weight_0"].shape, network(np.array([[0.5, -1.0, 49.0]])).shape
    ((50, 4), (1, 1))
    """

    sizes: tuple[int, ...]
    widths: int | tuple[int, ...] = 8

    def __post_init__(self) -> None:
        for name in ("sizes", "widths"):
            given = getattr(self, name)
            row = tuple(given) if isinstance(given, list | tuple) else (given,)
            for value in row:
                SettingError.unless_count("CategoryEmbedding", name, value, at_most=LARGEST)
            object.__setattr__(self, name, row if isinstance(given, list | tuple) or name == "sizes" else given)
        if isinstance(self.widths, tuple) and len(self.widths) != len(self.sizes):
            raise SettingError(
                f"CategoryEmbedding was given {len(self.sizes)} sizes and {len(self.widths)} widths; give as many of both."
            )

    def _widths(self) -> tuple[int, ...]:
        return self.widths if isinstance(self.widths, tuple) else (self.widths,) * len(self.sizes)

    def parameters(self, *shapes: Shape) -> Mapping[str, ParameterSpec]:
        """A table of vectors for every column, `weight_0`, `weight_1`, …, each of shape (size, width)."""
        (shape,) = shapes
        if len(shape) != 2 or shape[-1] < len(self.sizes):
            raise ShapeError(
                f"CategoryEmbedding embeds {len(self.sizes)} columns and was given an input of shape {shape}; give it rows "
                "of as many numbers or more."
            )
        return {
            f"weight_{i}": ParameterSpec((size, width), Normal(1.0 / math.sqrt(width)), bias=False)
            for i, (size, width) in enumerate(zip(self.sizes, self._widths(), strict=True))
        }

    def forward(self, parameters: Arrays, *inputs: Any) -> Any:
        """The other columns, and the vectors."""
        (x,) = inputs
        others = x.shape[-1] - len(self.sizes)
        tables = [parameters[f"weight_{i}"] for i, _ in enumerate(self.sizes)]
        numbers = _places(x[:, others:], np.array([len(table) for table in tables], x.dtype))
        vectors = [table[numbers[:, i]] for i, table in enumerate(tables)]
        return np.concatenate([x[:, :others], *vectors], axis=-1)


def _places(given: Any, sizes: Any) -> Any:
    """Categories' numbers; what is none is refused, or where that is not known yet, becomes a place that no table has."""
    meant = (given >= 0) & (given < sizes)
    strange = np.argwhere(~plain_numbers(meant))
    if len(strange):
        row, column = strange[0]
        raise DataError(
            f"CategoryEmbedding was given {given[row, column]} in row {row} as one of {sizes[column]:.0f} categories; give "
            f"whole numbers from 0 to {sizes[column] - 1:.0f}."
        )
    return np.where(meant, given, sizes).astype(np.int32)
