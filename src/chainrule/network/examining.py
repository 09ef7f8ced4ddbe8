"""What is wrong: a network's training step examined, and gradients of one's own compared with the right ones."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from chainrule.network.explaining import ExplainableNetwork, training_of

if TYPE_CHECKING:
    from chainrule.explanation.diagnosis import Diagnosis


class ExaminableNetwork(ExplainableNetwork):
    """A network that says what is wrong with it, and with gradients that are said to be its own."""

    def diagnose(
        self,
        X: Any,
        y: Any,
        *,
        loss: Any = None,
        optimizer: Any = "adam",
        seed: int = 0,
        sample_weight: Any = None,
        class_weight: Any = None,
        l1: float = 0.0,
        l2: float = 0.0,
        clip_value: float | None = None,
        clip_norm: float | None = None,
        frozen: Sequence[str] | None = None,
        engine: str = "auto",
        digits: int = 3,
    ) -> Diagnosis:
        """What is wrong with the training step that `fit` would take, in words; the network stays as it is.

        At every layer ‖∂L/∂z‖, and the factor to it from the layer above, split as that of act′ and that of the weights,
        ‖∂L/∂z‖/‖∂L/∂z above‖ = ‖∂L/∂z‖/‖∂L/∂a‖ · ‖∂L/∂a‖/‖∂L/∂z above‖; of every parameter ‖∂L/∂W‖, ‖∂L/∂W‖/‖W‖ and ‖ΔW‖/‖W‖.

        Parameters
        ----------
        X, y : array-like
            As for `fit`, taken as one batch.
        loss, optimizer, seed, sample_weight, class_weight, l1, l2, clip_value, clip_norm, frozen, engine
            As for `fit`; the loss is by default that of the last fit.
        digits : int
            Significant digits in tables.

        Returns
        -------
        Diagnosis
            `findings`: vanishing, exploding or missing gradients, dead, saturated and equal units by name, NaN with the operation
            where it began, steps too large or too small, kinks, uneven features, a loss at its minimum; each a sentence with its
            numbers and what to try. `layers` and `parameters` have the measures. Printed as text, shown in notebooks;
            `to("json")` has every number.

        Raises
        ------
        ShapeError, DataError, SettingError
            As `fit` does.

        Examples
        --------
        >>> import numpy as np, chainrule as cr
        >>> layers = [cr.Dense(30, "sigmoid", name=f"hidden_{i}") for i in range(1, 6)]
        >>> network = cr.Network([*layers, cr.Dense(2, name="output")])
        >>> found = network.diagnose(np.random.default_rng(0).normal(size=(50, 8)), np.arange(50) % 2, loss="cross_entropy")
        >>> [finding.illness for finding in found.findings], found["vanishing_gradient"][0].names
        (['vanishing_gradient'], ('hidden_1', 'hidden_2', 'hidden_3', 'hidden_4'))

        References
        ----------
        Nielsen 2015, *Neural Networks and Deep Learning*, chapter 5; Glorot and Bengio 2010.
        """
        from chainrule.explanation.diagnosis import diagnose

        training = training_of(
            self,
            X,
            y,
            loss=loss,
            optimizer=optimizer,
            seed=seed,
            sample_weight=sample_weight,
            class_weight=class_weight,
            l1=l1,
            l2=l2,
            clip_value=clip_value,
            clip_norm=clip_norm,
            frozen=frozen,
            engine=engine,
        )
        return diagnose(training, self.input_names, digits)
