"""Discrete Fourier transforms along one axis, as long as the axis is; every other transform is written in these.

Sums F·x with F[k, j] = s·e^(∓2πi·jk/n), where `norm` says the scale s as in `numpy.fft`. F is symmetric, so it is its own transpose,
which is what carries cotangents back.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from chainrule.errors import ShapeError
from chainrule.ops.axes import mixing
from chainrule.ops.kinds.custom import Custom
from chainrule.ops.operation import ArrayType, cast, dtype_of, example, shape_of

OTHER_WAY = {"backward": "forward", "forward": "backward", "ortho": "ortho"}
"""The norm with which the transform in the other direction has the same scale."""


def _fft(x: Any, axis: int, inverse: bool, norm: Any) -> Any:
    return (np.fft.ifft if inverse else np.fft.fft)(x, axis=axis, norm=norm)


def _irfft(x: Any, length: int, axis: int, norm: Any) -> Any:
    if x.shape[axis] != length // 2 + 1:  # NumPy would cut them off, or add zeros
        raise ShapeError(
            f"irfft of length {length} was given {x.shape[axis]} numbers; give {length // 2 + 1}, the half of the transform."
        )
    return np.fft.irfft(x, length, axis=axis, norm=norm)


def _kind(transform: Any, x: Any) -> Any:
    """The dtype that NumPy's transform gives."""
    return transform(np.zeros(2, np.result_type(dtype_of(x)))).dtype


def _of_length(shape: tuple[int, ...], axis: int, length: int) -> tuple[int, ...]:
    return (*shape[:axis], length, *shape[axis + 1 :])


def _weights(n: int, ndim: int, axis: int, dtype: Any) -> Any:
    """How often a frequency of n real numbers stands in their transform, along an axis: once or twice, its mirror image too."""
    weights = np.full(n // 2 + 1, 2.0, np.empty(0, dtype).real.dtype)
    weights[0] = 1.0
    if n % 2 == 0:
        weights[-1] = 1.0
    return weights.reshape([-1 if i == axis else 1 for i in range(ndim)])


def _rfft_reverse(m: Any, g: Any, y: Any, x: Any, axis: int, norm: str) -> list[Any]:
    n = x.shape[axis]
    half = m.conjugate(g) / _weights(n, len(x.shape), axis, g.dtype)
    return [cast(m, m.irfft(half, length=n, axis=axis, norm=OTHER_WAY[norm]), x.dtype)]


def _irfft_reverse(m: Any, g: Any, y: Any, x: Any, length: int, axis: int, norm: str) -> list[Any]:
    back = m.conjugate(m.rfft(g, axis=axis, norm=OTHER_WAY[norm]))
    return [cast(m, back * _weights(length, len(x.shape), axis, g.dtype), x.dtype)]


fft = Custom(
    "fft",
    value=_fft,
    type=lambda x, axis, inverse, norm: ArrayType(shape_of(x), _kind(np.fft.fft, x)),
    forward=lambda m, tangents, y, x, **how: cast(m, m.fft(tangents[0], **how), y.dtype),
    reverse=lambda m, g, y, x, **how: [cast(m, m.fft(g, **how), x.dtype)],
    links=lambda x, axis, inverse, norm: (mixing(len(shape_of(x)), axis),),
    batched=lambda m, size, batched, x, axis, **how: m.fft(x, axis=axis + 1, **how),
    latex=r"\mathcal{{F}} {0}",
    differential=r"\mathcal{{F}} \, d{0}",
    examples=(
        example((6,), axis=0, inverse=False, norm="backward"),
        example((3, 5), axis=1, inverse=True, norm="backward"),
        example((3, 2), axis=0, inverse=True, norm="ortho"),
    ),
    doc="The discrete Fourier transform along an axis, or its inverse.",
    complex=True,
    to_complex=True,
)
rfft = Custom(
    "rfft",
    value=lambda x, axis, norm: np.fft.rfft(x, axis=axis, norm=norm),
    type=lambda x, axis, norm: ArrayType(
        _of_length(shape_of(x), axis, shape_of(x)[axis] // 2 + 1), _kind(np.fft.rfft, x)
    ),
    forward=lambda m, tangents, y, x, **how: m.rfft(tangents[0], **how),
    reverse=_rfft_reverse,
    links=lambda x, axis, norm: (mixing(len(shape_of(x)), axis),),
    batched=lambda m, size, batched, x, axis, norm: m.rfft(x, axis=axis + 1, norm=norm),
    latex=r"\mathcal{{F}} {0}",
    differential=r"\mathcal{{F}} \, d{0}",
    examples=(
        example((6,), axis=0, norm="backward"),
        example((3, 5), axis=1, norm="ortho"),
        example((1, 2), axis=0, norm="forward"),
    ),
    doc="The first half of the Fourier transform of real numbers, of which the other half is the mirror image.",
    to_complex=True,
)
irfft = Custom(
    "irfft",
    value=_irfft,
    type=lambda x, length, axis, norm: ArrayType(
        _of_length(shape_of(x), axis, length), _kind(lambda x: np.fft.irfft(x, 2), x)
    ),
    forward=lambda m, tangents, y, x, **how: m.irfft(tangents[0], **how),
    reverse=_irfft_reverse,
    links=lambda x, length, axis, norm: (mixing(len(shape_of(x)), axis),),
    batched=lambda m, size, batched, x, axis, **how: m.irfft(x, axis=axis + 1, **how),
    latex=r"\mathcal{{F}}^{{-1}} {0}",
    differential=r"\mathcal{{F}}^{{-1}} d{0}",
    examples=(
        example((4,), length=6, axis=0, norm="backward"),
        example((2, 3), length=5, axis=1, norm="ortho"),
        example((1, 2), length=1, axis=0, norm="forward"),
    ),
    doc="The real numbers, `length` of them, that a half has come from by `rfft`.",
    complex=True,
)
