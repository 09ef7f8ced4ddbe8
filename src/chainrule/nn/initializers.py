"""Initialisers: how the first values of parameters are drawn."""

from __future__ import annotations

import math
from dataclasses import dataclass, fields
from typing import Any, ClassVar

import numpy as np

from chainrule.errors import SettingError
from chainrule.nn.initializer import Random, fans


class _Numbers:
    """Settings that are finite numbers."""

    def __post_init__(self) -> None:
        for field in fields(self):  # type: ignore[arg-type]
            SettingError.unless_number(type(self).__name__, field.name, getattr(self, field.name))


@dataclass(frozen=True)
class Uniform(_Numbers):
    """Evenly from low to high.

    Examples
    --------
    >>> import numpy as np, chainrule as cr
    >>> cr.Uniform(0.0, 1.0)((2,), np.random.default_rng(0)).round(3)
    array([0.637, 0.27 ])
    """

    low: float = -0.05
    high: float = 0.05

    def __post_init__(self) -> None:
        _Numbers.__post_init__(self)
        if not self.low <= self.high:
            raise SettingError(f"Uniform was given low={self.low} above high={self.high}; give the smaller one as low.")

    def __call__(self, shape: tuple[int, ...], random: Random) -> Any:
        """Draw the values."""
        return random.uniform(self.low, self.high, shape)


@dataclass(frozen=True)
class Normal(_Numbers):
    """From the normal distribution with this mean and standard deviation."""

    std: float = 0.05
    mean: float = 0.0

    def __post_init__(self) -> None:
        _Numbers.__post_init__(self)
        SettingError.unless_number("Normal", "std", self.std, at_least=0)

    def __call__(self, shape: tuple[int, ...], random: Random) -> Any:
        """Draw the values."""
        return random.normal(self.mean, self.std, shape)


@dataclass(frozen=True)
class GlorotUniform(_Numbers):
    """Uniform in ±√(6/(fan-in + fan-out)); keeps variances alike forwards and backwards (Glorot and Bengio 2010)."""

    gain: float = 1.0

    def __call__(self, shape: tuple[int, ...], random: Random) -> Any:
        """Draw the values."""
        bound = self.gain * math.sqrt(6.0 / max(1, sum(fans(shape))))
        return random.uniform(-bound, bound, shape)


@dataclass(frozen=True)
class GlorotNormal(_Numbers):
    """Normal with variance 2/(fan-in + fan-out) (Glorot and Bengio 2010)."""

    gain: float = 1.0

    def __call__(self, shape: tuple[int, ...], random: Random) -> Any:
        """Draw the values."""
        return random.normal(0.0, self.gain * math.sqrt(2.0 / max(1, sum(fans(shape)))), shape)


@dataclass(frozen=True)
class HeUniform:
    """Uniform in ±√(6/fan-in), for ReLU networks (He et al. 2015)."""

    def __call__(self, shape: tuple[int, ...], random: Random) -> Any:
        """Draw the values."""
        bound = math.sqrt(6.0 / max(1, fans(shape)[0]))
        return random.uniform(-bound, bound, shape)


@dataclass(frozen=True)
class HeNormal:
    """Normal with variance 2/fan-in, for ReLU networks (He et al. 2015)."""

    def __call__(self, shape: tuple[int, ...], random: Random) -> Any:
        """Draw the values."""
        return random.normal(0.0, math.sqrt(2.0 / max(1, fans(shape)[0])), shape)


@dataclass(frozen=True)
class LeCunUniform:
    """Uniform in ±√(3/fan-in) (LeCun et al. 1998)."""

    known_as: ClassVar[tuple[str, ...]] = ("lecun_uniform",)

    def __call__(self, shape: tuple[int, ...], random: Random) -> Any:
        """Draw the values."""
        bound = math.sqrt(3.0 / max(1, fans(shape)[0]))
        return random.uniform(-bound, bound, shape)


@dataclass(frozen=True)
class LeCunNormal:
    """Normal with variance 1/fan-in, for SELU networks (LeCun et al. 1998; Klambauer et al. 2017)."""

    known_as: ClassVar[tuple[str, ...]] = ("lecun_normal",)

    def __call__(self, shape: tuple[int, ...], random: Random) -> Any:
        """Draw the values."""
        return random.normal(0.0, math.sqrt(1.0 / max(1, fans(shape)[0])), shape)


@dataclass(frozen=True)
class Zeros:
    """All 0."""

    def __call__(self, shape: tuple[int, ...], random: Random) -> Any:
        """The values."""
        return np.zeros(shape)


@dataclass(frozen=True)
class Ones:
    """All 1."""

    def __call__(self, shape: tuple[int, ...], random: Random) -> Any:
        """The values."""
        return np.ones(shape)


@dataclass(frozen=True)
class Constant(_Numbers):
    """All the same number."""

    known_as: ClassVar[tuple[str, ...]] = ()  # a name would not say which number
    value: float = 0.0

    def __call__(self, shape: tuple[int, ...], random: Random) -> Any:
        """The values."""
        return np.full(shape, self.value)


@dataclass(frozen=True)
class Orthogonal(_Numbers):
    """Rows or columns of unit length at right angles, times `gain` (Saxe et al. 2014)."""

    gain: float = 1.0

    def __call__(self, shape: tuple[int, ...], random: Random) -> Any:
        """Draw the values."""
        rows, columns = (1, shape[0]) if len(shape) == 1 else fans(shape)
        q, r = np.linalg.qr(random.normal(size=(max(rows, columns), min(rows, columns))))
        q = q * np.sign(np.diag(r))
        return self.gain * (q if rows >= columns else q.T).reshape(shape)
