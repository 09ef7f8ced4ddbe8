"""`scipy.signal`, differentiable: convolutions and correlations; filters are in `filters.py`."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from chainrule.errors import ShapeError
from chainrule.ops.convolutions import convolution_of
from chainrule.ops.operation import example
from chainrule.scipy import filters
from chainrule.scipy.standing import Standing, names_of, numbers, one_of
from chainrule.tracing.apply import traced
from scipy import fft, signal

standing = Standing(signal)
MODES = ("full", "same", "valid")

LARGE = 2**20
"""Products beyond which a convolution is computed by Fourier's transform, whose memory grows with the lengths only."""


def _convolved(a: Any, b: Any, mode: str) -> Any:
    kind = np.result_type(a, b)
    if not a.size or not b.size:
        raise ShapeError(f"a convolution was given shapes {a.shape} and {b.shape}; give arrays that have elements.")
    if kind != np.float16:
        return signal.convolve(a, b, mode)
    return signal.convolve(a.astype(np.float32), b.astype(np.float32), mode).astype(kind)  # SciPy has no half precision


convolution_in_space = convolution_of(
    "convolution_in_space",
    _convolved,
    "scipy.signal.convolve of arrays, the longer one first where they must overlap wholly.",
    (example((4, 3), (2, 2), mode="full"), example((4, 3), (2, 3), mode="valid")),
)


def _by_spectrum(a: Any, b: Any, mode: str, axes: Any = None) -> Any:
    """The convolution along axes, or along all, as the product of spectra; the other axes broadcast."""
    along = tuple(range(len(a.shape))) if axes is None else tuple(sorted(axes))
    lengths = [(n, k) for n, k in zip(a.shape, b.shape, strict=True)]
    whole = [n + k - 1 for n, k in lengths]
    size = tuple(fft.next_fast_len(whole[i], True) for i in along)
    is_real = "c" not in (a.dtype.kind, b.dtype.kind)
    there, back = (np.fft.rfftn, np.fft.irfftn) if is_real else (np.fft.fftn, np.fft.ifftn)
    full = back(there(a, size, along) * there(b, size, along), size, along)
    wanted = {"full": whole, "same": [n for n, _ in lengths], "valid": [n - k + 1 for n, k in lengths]}[mode]
    cut = [slice(None)] * len(a.shape)
    for i in along:
        begin = (whole[i] - wanted[i]) // 2
        cut[i] = slice(begin, begin + wanted[i])
    return full[tuple(cut)]


def _axes(axes: Any, a: Any, b: Any, called: str) -> tuple[int, ...] | None:
    """The axes to convolve along, counted from the front; the others must broadcast."""
    if axes is None:
        return None
    count = len(a.shape)
    found = [int(i) for i in np.atleast_1d(axes)]
    if len(b.shape) != count or not all(-count <= i < count for i in found) or not found:
        raise ShapeError(
            f"{called} was given shapes {tuple(a.shape)} and {tuple(b.shape)} and axes={axes!r}; both must have as many axes, and "
            "axes name some of these."
        )
    return tuple(i % count for i in found)


@standing
def convolve(in1: Any, in2: Any, mode: str = "full", method: str = "auto") -> Any:
    """Σ_j a_j·b_(n−j), along all axes; large ones by their spectra."""
    one_of(method, ("auto", "direct", "fft"), "method", "scipy.signal.convolve")
    one_of(mode, MODES, "mode", "scipy.signal.convolve")
    a, b = numbers(in1), numbers(in2)
    if len(a.shape) != len(b.shape):
        raise ShapeError(
            f"convolve was given shapes {tuple(a.shape)} and {tuple(b.shape)}; they must have as many axes."
        )
    if not a.shape:
        return a * b
    larger = [n >= k for n, k in zip(a.shape, b.shape, strict=True)]
    if mode == "valid" and not all(larger):
        if any(n > k for n, k in zip(a.shape, b.shape, strict=True)):
            raise ShapeError(
                f"convolve with mode='valid' was given shapes {tuple(a.shape)} and {tuple(b.shape)}; "
                "one must be at least as long as the other along every axis."
            )
        a, b = b, a
    if int(np.prod(a.shape)) * int(np.prod(b.shape)) > LARGE:
        return _by_spectrum(a, b, mode)
    if mode != "same":
        return traced.convolution_in_space(a, b, mode=mode)
    begin = [(k - 1) // 2 for k in b.shape]
    middle = tuple(slice(i, i + n) for i, n in zip(begin, a.shape, strict=True))
    return traced.convolution_in_space(a, b, mode="full")[middle]


def _fast(called: str) -> Callable[..., Any]:
    def function(in1: Any, in2: Any, mode: str = "full", axes: Any = None) -> Any:
        one_of(mode, MODES, "mode", f"scipy.signal.{called}")
        a, b = numbers(in1), numbers(in2)
        along = _axes(axes, a, b, called)
        if along is None or set(along) == set(range(len(a.shape))):
            return convolve(a, b, mode)
        if mode == "valid" and any(a.shape[i] < b.shape[i] for i in along):
            if any(a.shape[i] > b.shape[i] for i in along):
                raise ShapeError(
                    f"{called} with mode='valid' was given shapes {tuple(a.shape)} and {tuple(b.shape)}; "
                    "one must be at least as long as the other along every axis."
                )
            a, b = b, a
        return _by_spectrum(a, b, mode, along)

    return function


standing.add("fftconvolve", _fast("fftconvolve"))
standing.add("oaconvolve", _fast("oaconvolve"))
BOUNDARIES = {"fill": "constant", "wrap": "wrap", "circular": "wrap", "symm": "symmetric", "symmetric": "symmetric"}
"""SciPy's names of what is beyond the edges, and NumPy's."""


def _extended(in1: Any, in2: Any, boundary: str, fillvalue: Any, called: str) -> tuple[Any, Any]:
    """Two matrices, the first with what is beyond its edges."""
    a, b = numbers(in1), numbers(in2)
    one_of(boundary, BOUNDARIES, "boundary", f"scipy.signal.{called}")
    if len(a.shape) != 2 or len(b.shape) != 2:
        raise ShapeError(f"{called} was given shapes {tuple(a.shape)} and {tuple(b.shape)}; give two matrices.")
    given: dict[str, Any] = {"constant_values": fillvalue} if boundary == "fill" else {}
    beyond: Any = BOUNDARIES[boundary]
    return np.pad(a, tuple((k - 1, k - 1) for k in b.shape), beyond, **given), b


def _part(whole: Any, mode: str, shape: Any, begin: list[int]) -> Any:
    return whole if mode == "full" else whole[tuple(slice(i, i + n) for i, n in zip(begin, shape, strict=True))]


@standing
def convolve2d(in1: Any, in2: Any, mode: str = "full", boundary: str = "fill", fillvalue: Any = 0) -> Any:
    """The same as `convolve`, of matrices, with zeros, other numbers, or the matrix again beyond the edges."""
    one_of(mode, MODES, "mode", "scipy.signal.convolve2d")
    a, b = _extended(in1, in2, boundary, fillvalue, "convolve2d")
    if mode == "valid":
        return convolve(in1, b, mode)
    return _part(convolve(a, b, "valid"), mode, np.shape(in1), [(k - 1) // 2 for k in b.shape])


@standing
def correlate(in1: Any, in2: Any, mode: str = "full", method: str = "auto") -> Any:
    """Σ_j a_(n+j)·b̄_j, along all axes."""
    a, b = numbers(in1), numbers(in2)
    return convolve(a, np.flip(b).conj(), mode, method)


@standing
def correlate2d(in1: Any, in2: Any, mode: str = "full", boundary: str = "fill", fillvalue: Any = 0) -> Any:
    """The same as `correlate`, of matrices, with zeros, other numbers, or the matrix again beyond the edges."""
    one_of(mode, MODES, "mode", "scipy.signal.correlate2d")
    a, b = _extended(in1, in2, boundary, fillvalue, "correlate2d")
    if mode == "valid":
        given = numbers(in1)
        if given.shape[0] < b.shape[0]:  # SciPy exchanges them, and conjugates the larger then
            return np.flip(correlate(b, given, mode))
        return correlate(given, b, mode)
    return _part(correlate(a, b, "valid"), mode, np.shape(in1), [k // 2 for k in b.shape])


for _derived in filters.FUNCTIONS:
    standing(_derived)
globals().update(standing.functions)


def __getattr__(name: str) -> object:
    return getattr(signal, name)


def __dir__() -> list[str]:
    return names_of(signal, standing.functions)
