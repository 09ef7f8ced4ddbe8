"""Amounts to predict as numbers of ordinary size, and back: standardised, or their logarithms."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal, Self

import numpy as np
from numpy.typing import NDArray

from chainrule.tables.columns.column import checked

ScaleKind = Literal["plain", "log"]
SKEWED = 1.0
"""Amounts with more skewness than this are offered as logarithms."""


@dataclass(frozen=True)
class Scale:
    """z = (y − mean)/deviation; as "log" of ln(y + offset) in place of y.

    Attributes
    ----------
    kind : {"plain", "log"}
        Which.
    mean, deviation : float
        Of the training rows' y, or of its logarithms.
    offset : float
        What is added before the logarithm, so that 0 has one.
    low, high : float
        Between these are restored logarithms kept: the range in training, half as wide again on either side.

    Examples
    --------
    >>> log = scales_of(np.array([1.0, 10.0, 100.0, 1000.0, 100000.0]))[1]
    >>> log.scaled(np.array([10.0, 1000.0])).round(2), log.restored(log.scaled(np.array([10.0, 1000.0]))).round(6)
    (array([-0.7 ,  0.46]), array([  10., 1000.]))
    """

    kind: ScaleKind
    mean: float
    deviation: float
    offset: float = 0.0
    low: float = 0.0
    high: float = 0.0

    def scaled(self, values: NDArray[np.float64]) -> NDArray[np.float64]:
        """Amounts as the network learns them; NaN stays."""
        if self.kind == "log":
            values = np.log(np.maximum(values + self.offset, np.finfo(float).tiny))
        return (values - self.mean) / self.deviation

    def restored(self, scaled: NDArray[np.float64]) -> NDArray[np.float64]:
        """What the network gives, as amounts."""
        values = scaled * self.deviation + self.mean
        return np.exp(np.clip(values, self.low, self.high)) - self.offset if self.kind == "log" else values

    @classmethod
    def from_json(cls, data: dict[str, Any]) -> Self:
        """The scale that `dataclasses.asdict` described; ValueError, KeyError or TypeError where it describes none."""
        kind = data["kind"]
        numbers = {name: checked(data[name], float, name) for name in ("mean", "deviation", "offset", "low", "high")}
        if kind not in ("plain", "log") or not numbers["deviation"] > 0:
            raise ValueError(f"a scale of kind {kind!r} with deviation {numbers['deviation']!r}")
        return cls(kind=kind, **numbers)


def scales_of(values: NDArray[np.float64]) -> tuple[Scale, ...]:
    """The scales that amounts can be learned on; logarithms where none is negative and they are less skewed. None if too large."""
    with np.errstate(over="ignore", invalid="ignore"):
        mean, deviation = float(values.mean()), float(values.std())
    if not (np.isfinite(mean) and np.isfinite(deviation) and deviation > 0):
        return ()
    plain = Scale("plain", mean, deviation)
    low, skew = float(values.min()), _skewness(values)
    if low < 0 or skew < SKEWED:
        return (plain,)
    whole = bool((values % 1 == 0).all())
    offset = 0.0 if low > 0 else 1.0 if whole else float(values[values > 0].min())
    logs = np.log(values + offset)
    if logs.std() == 0 or abs(_skewness(logs)) >= skew:
        return (plain,)
    first, last = float(logs.min()), float(logs.max())
    half = (last - first) / 2
    log = Scale("log", float(logs.mean()), float(logs.std()), offset, first - half, min(last + half, 690.0))
    return (plain, log)


def _skewness(values: NDArray[np.float64]) -> float:
    z = (values - values.mean()) / values.std()
    return float(np.mean(z * z * z))
