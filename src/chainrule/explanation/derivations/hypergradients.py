"""Why a hypergradient is what it is: Σᵢ (∇θ f)ᵢ · ∂θᵢ/∂λ with its numbers, a line for every parameter that counts."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from html import escape
from typing import Any

import numpy as np

from chainrule.errors import SettingError
from chainrule.explanation.rendering.numerals import numeral, unit_of_last_place
from chainrule.explanation.rendering.tables import Table
from chainrule.notebooks import Shown


@dataclass(frozen=True)
class Share:
    """What one parameter adds to a hypergradient: how the loss changes with it, times how it changes with the setting."""

    name: str
    by_loss: float
    moved: float

    @property
    def product(self) -> float:
        """(∇θ f)ᵢ · ∂θᵢ/∂λ."""
        return self.by_loss * self.moved


@dataclass(frozen=True, repr=False)
class HypergradientExplanation(Shown):
    """Σᵢ (∇θ f)ᵢ · ∂θᵢ/∂λ, printed as text and shown in notebooks.

    Attributes
    ----------
    setting : str
        λ, such as `"learning_rate"`.
    at : float
        Its value.
    loss : float
        f, the loss on the validation data.
    steps : int
        The steps of the training.
    shares : tuple of Share
        One for every parameter, the largest first.
    """

    setting: str
    at: float
    loss: float
    steps: int
    shares: tuple[Share, ...]
    most: int = 10
    digits: int = 6

    @property
    def value(self) -> float:
        """The hypergradient: the sum of all products, rounded once."""
        return math.fsum(share.product for share in self.shares)

    @property
    def formula(self) -> str:
        """The formula and what comes out."""
        return f"∂f/∂λ = Σᵢ (∇θ f)ᵢ · ∂θᵢ/∂λ = {_signed(numeral(self.value, self.digits))}"

    @property
    def legend(self) -> str:
        """What the letters are."""
        return (
            f"f = {_signed(numeral(self.loss, self.digits))}, the loss on the validation data; "
            f"λ = {self.setting} = {_signed(numeral(self.at, self.digits))}; "
            f"θ = {_counted(len(self.shares), 'parameter')} after {_counted(self.steps, 'step')}"
        )

    @property
    def table(self) -> Table:
        """The products. Numbers have as many digits as it takes for them to multiply and add up as printed."""
        shown, rest = self.shares[: self.most], self.shares[self.most :]
        total = numeral(self.value, self.digits)
        others = math.fsum(share.product for share in rest)
        products = self._products([*(share.product for share in shown), *([others] if rest else [])], total)
        rows = []
        for share, product in zip(shown, products, strict=False):
            rows.append((share.name, *(map(_signed, (*self._factors(share, product), product)))))
        if rest:
            rows.append((f"{len(rest)} others together", "", "", _signed(products[-1])))
        rows.append(("the sum", "", "", _signed(total)))
        return Table("parameter by parameter", ("θᵢ", "(∇θ f)ᵢ", "∂θᵢ/∂λ", "product"), tuple(rows))

    def _products(self, values: Sequence[float], total: str) -> list[str]:
        """The products with as many decimals as it takes for what is printed to add up to the total."""
        unit = unit_of_last_place(total)
        decimals = max(0, -math.floor(math.log10(unit)))
        for more in range(1, 16):
            texts = [f"{x:.{decimals + more}f}" for x in values]
            if numeral(math.fsum(map(float, texts)), self.digits) == total:
                break
        return texts

    def _factors(self, share: Share, product: str) -> tuple[str, str]:
        """Both factors with as many digits as it takes for what is printed to multiply to the product."""
        decimals = len(product.partition(".")[2])
        for digits in range(self.digits, 18):
            texts = numeral(share.by_loss, digits), numeral(share.moved, digits)
            if f"{float(texts[0]) * float(texts[1]):.{decimals}f}" == product:
                break
        return texts

    def __str__(self) -> str:
        return f"{self.formula}\n{self.legend}\n\n{self.table}"

    __repr__ = __str__

    def _repr_html_(self) -> str:
        return f"<p><b>{escape(self.formula)}</b><br/>{escape(self.legend)}</p>{self.table._repr_html_()}"


def _counted(count: int, noun: str) -> str:
    return f"{count} {noun}{'s' * (count != 1)}"


def _signed(text: str) -> str:
    return text.replace("-", "−")


def explain_hypergradient(
    setting: str, at: float, loss: float, steps: int, names: Sequence[str], by_loss: Sequence[Any], moved: Sequence[Any],
    *, most: int = 10, digits: int = 6,
) -> HypergradientExplanation:  # fmt: skip
    """The explanation from arrays: the loss's gradient by every parameter, and how each moves with the setting."""
    SettingError.unless_count("explain", "most", most)
    SettingError.unless_count("explain", "digits", digits)
    shares = [
        Share(f"{name}[{', '.join(map(str, place))}]" if place else name, float(g[place]), float(m[place]))
        for name, g, m in zip(names, by_loss, moved, strict=True)
        for place in np.ndindex(g.shape)
    ]
    shares.sort(key=lambda share: -abs(share.product))
    return HypergradientExplanation(setting, at, loss, steps, tuple(shares), most, digits)
