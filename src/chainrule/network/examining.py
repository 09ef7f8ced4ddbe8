"""What is wrong: a network's training step examined, and gradients of one's own compared with the right ones."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from chainrule.engines import Engine
from chainrule.network.explaining import ExplainableNetwork, training_of
from chainrule.nn.parameters import flat_names

if TYPE_CHECKING:
    from chainrule.explanation.comparison import Comparison
    from chainrule.explanation.diagnosis import Diagnosis
    from chainrule.network.rate_search import RateSearch


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
        engine: str | Engine = "auto",
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
        (['vanishing_gradient'], ('hidden_1', 'hidden_2', 'hidden_3'))

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

    def find_learning_rate(
        self,
        X: Any,
        y: Any = None,
        *,
        lowest: float = 1e-6,
        highest: float = 10.0,
        steps: int = 200,
        loss: Any = None,
        optimizer: Any = "adam",
        batch_size: int | None = 32,
        seed: int = 0,
        sample_weight: Any = None,
        class_weight: Any = None,
        l1: float = 0.0,
        l2: float = 0.0,
        engine: str | Engine = "auto",
    ) -> RateSearch:
        """Which learning rate suits: the loss of every step of a training whose rate grows from step to step.

        A copy is trained, and the network stays as it is. At rates that are too small the loss stays where it is, then it falls,
        and at rates that are too large it rises: ηₖ = lowest · (highest/lowest)^(k/(steps − 1)).

        Parameters
        ----------
        X, y : array-like
            As for `fit`; a dataset in place of both too.
        lowest, highest : float
            The first and the last rate.
        steps : int
            How many steps are taken; it ends before where the loss leaves the finite numbers.
        loss, optimizer, batch_size, seed, sample_weight, class_weight, l1, l2, engine
            As for `fit`; what the optimizer says of its own rate is left aside.

        Returns
        -------
        RateSearch
            `learning_rate`, where a curve through the losses falls fastest, `rates` and `losses`; printed as a table, shown in
            notebooks with a picture, which is `draw()`.

        Raises
        ------
        ShapeError, DataError, SettingError
            As `fit` does.

        Examples
        --------
        >>> import numpy as np, chainrule as cr
        >>> X = np.random.default_rng(0).normal(size=(500, 4))
        >>> found = cr.Network([cr.Dense(16, "relu"), cr.Dense(1)]).find_learning_rate(X, X[:, 0] * X[:, 1])
        >>> 0.001 < found.learning_rate < 1.0
        True

        References
        ----------
        Smith 2017, "Cyclical learning rates for training neural networks", arXiv 1506.01186.
        """
        from chainrule.network.rate_search import search_rates

        return search_rates(
            self, X, y, lowest=lowest, highest=highest, steps=steps, loss=loss, optimizer=optimizer, batch_size=batch_size,
            seed=seed, sample_weight=sample_weight, class_weight=class_weight, l1=l1, l2=l2, engine=engine,
        )  # fmt: skip

    def compare(
        self,
        X: Any,
        y: Any,
        my_gradients: Mapping[str, Any],
        *,
        loss: Any = None,
        learning_rate: float | None = None,
        sample_weight: Any = None,
        l1: float = 0.0,
        l2: float = 0.0,
        digits: int = 6,
    ) -> Comparison:
        """In which way gradients of one's own differ from those of this network's loss, as `cr.compare` says it of a function.

        Parameters
        ----------
        X, y : array-like
            As for `fit`, taken as one batch.
        my_gradients : mapping
            Of all parameters or of some, by names: `{"hidden": {"weight": …}}` or `{"hidden.weight": …}`. Gradients of values in
            between may be among them, `{"output.z": …, "hidden.a": …}`; then the first wrong one on the way back is told.
        loss, sample_weight, l1, l2
            As for `fit`; the loss is by default that of the last fit.
        learning_rate : float, optional
            That of one's own step; so that a gradient with it, or after it, is known.
        digits : int
            Significant digits.

        Returns
        -------
        Comparison
            `differences`, the mistakes that give these numbers, and `gradients`, each beside the right one.

        Raises
        ------
        UnknownNameError, DataError
            For names that the network does not have, and for what is no array of numbers.

        Examples
        --------
        >>> import numpy as np, chainrule as cr
        >>> network = cr.Network([cr.Dense(2, "sigmoid", name="output")], dtype="float64").build(3)
        >>> X, t = np.array([[1.0, 0.5, -1.0], [0.0, 2.0, 1.0]]), np.array([[0.0, 1.0], [1.0, 0.0]])
        >>> delta = (network(X) - t) / 2  # of the mean of ½Σ(a − t)²; times a·(1 − a), which is forgotten
        >>> found = network.compare(X, t, {"output": {"weight": X.T @ delta, "bias": delta.sum(axis=0)}}, loss="l2_norm")
        >>> found.differences[0].kind, found.differences[0].names
        ('missing_slope', ('output.bias', 'output.weight'))
        """
        from chainrule.explanation.comparison import compare_network

        found = self.evaluation(X, y, loss=loss, sample_weight=sample_weight, l1=l1, l2=l2)
        names = flat_names(self.parameters)
        return compare_network(found, names, self.model.biases, my_gradients, learning_rate, digits)
