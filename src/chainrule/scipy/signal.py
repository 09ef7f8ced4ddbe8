"""`scipy.signal`, differentiable: convolutions and correlations."""

from __future__ import annotations

from typing import Any

import numpy as np

from chainrule.errors import ShapeError, UnsupportedError
from chainrule.scipy.standing import Standing, names_of, numbers
from scipy import fft, signal

standing = Standing(signal)

LARGE = 2**20
"""Products beyond which a convolution is computed by Fourier's transform, whose memory grows with the lengths only."""


def _windows(a: Any, kernel: tuple[int, ...], mode: str) -> tuple[Any, tuple[int, ...]]:
    """What of `a` every number of the result is a sum of, a row each, and the result's shape."""
    ends = [n - 1 if mode != "valid" else 0 for n in kernel]
    if mode == "full":
        margins = [(n, n) for n in ends]
    elif mode == "same":
        margins = [(n - n // 2, n // 2) for n in ends]
    else:
        margins = [(0, 0)] * len(ends)
    padded = np.pad(a, margins) if any(map(any, margins)) else a
    shape = tuple(padded.shape[i] - n + 1 for i, n in enumerate(kernel))
    numbered = np.arange(int(np.prod(padded.shape))).reshape(padded.shape)
    places = np.lib.stride_tricks.sliding_window_view(numbered, kernel).reshape(int(np.prod(shape)), -1)
    return np.take(np.reshape(padded, -1), places, axis=0), shape


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
    windows, shape = _windows(a, tuple(b.shape), mode)
    return np.reshape(windows @ np.reshape(np.flip(b), -1), shape)


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


globals().update(standing.functions)


def __getattr__(name: str) -> object:
    return getattr(signal, name)


def __dir__() -> list[str]:
    return names_of(signal, standing.functions)
