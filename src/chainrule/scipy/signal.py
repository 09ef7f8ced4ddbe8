"""`scipy.signal`, differentiable: convolutions and correlations; filters are in `filters.py`."""

from __future__ import annotations

from typing import Any

import numpy as np

from chainrule.errors import ShapeError, UnsupportedError
from chainrule.ops.convolutions import convolution_of
from chainrule.ops.operation import example
from chainrule.scipy import filters
from chainrule.scipy.standing import Standing, names_of, numbers
from chainrule.tracing.apply import traced
from scipy import fft, signal

standing = Standing(signal)

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


def _by_spectrum(a: Any, b: Any, mode: str) -> Any:
    """The convolution as the product of spectra."""
    whole = tuple(n + k - 1 for n, k in zip(a.shape, b.shape, strict=True))
    size, axes = tuple(fft.next_fast_len(n, True) for n in whole), tuple(range(len(whole)))
    is_real = "c" not in (a.dtype.kind, b.dtype.kind)
    there, back = (np.fft.rfftn, np.fft.irfftn) if is_real else (np.fft.fftn, np.fft.ifftn)
    full = back(there(a, size, axes) * there(b, size, axes), size, axes)
    shape = {
        "full": whole, "same": tuple(a.shape), "valid": tuple(n - k + 1 for n, k in zip(a.shape, b.shape, strict=True)),
    }[mode]  # fmt: skip
    return full[tuple(slice((n - k) // 2, (n - k) // 2 + k) for n, k in zip(whole, shape, strict=True))]


@standing
def convolve(in1: Any, in2: Any, mode: str = "full", method: str = "auto") -> Any:
    """Σ_j a_j·b_(n−j), along all axes; large ones by their spectra."""
    a, b = numbers(in1), numbers(in2)
    if len(a.shape) != len(b.shape):
        raise ShapeError(
            f"convolve was given shapes {tuple(a.shape)} and {tuple(b.shape)}; they must have as many axes."
        )
    if mode not in ("full", "same", "valid"):
        raise UnsupportedError(f"convolve was given mode={mode!r}; known are 'full', 'same' and 'valid'.")
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


@standing
def fftconvolve(in1: Any, in2: Any, mode: str = "full") -> Any:
    """The same as `convolve`."""
    return convolve(in1, in2, mode)


@standing
def oaconvolve(in1: Any, in2: Any, mode: str = "full") -> Any:
    """The same as `convolve`."""
    return convolve(in1, in2, mode)


@standing
def convolve2d(in1: Any, in2: Any, mode: str = "full") -> Any:
    """The same as `convolve`, of matrices, with zeros beyond the edges."""
    return convolve(in1, in2, mode)


@standing
def correlate(in1: Any, in2: Any, mode: str = "full", method: str = "auto") -> Any:
    """Σ_j a_(n+j)·b̄_j, along all axes."""
    a, b = numbers(in1), numbers(in2)
    return convolve(a, np.flip(b).conj(), mode)


@standing
def correlate2d(in1: Any, in2: Any, mode: str = "full") -> Any:
    """The same as `correlate`, of matrices, with zeros beyond the edges."""
    a, b = numbers(in1), numbers(in2)
    if mode == "valid" and a.shape[0] < b.shape[0]:  # SciPy exchanges them, and conjugates the larger then
        return np.flip(correlate(b, a, mode))
    if mode != "same":
        return correlate(a, b, mode)
    return correlate(a, b)[tuple(slice(k // 2, k // 2 + n) for n, k in zip(a.shape, b.shape, strict=True))]


for _derived in filters.FUNCTIONS:
    standing(_derived)
globals().update(standing.functions)


def __getattr__(name: str) -> object:
    return getattr(signal, name)


def __dir__() -> list[str]:
    return names_of(signal, standing.functions)
