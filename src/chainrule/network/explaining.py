"""What a network shows of itself: methods that hand over to the package `explanation`.

That package stands below this one and is loaded when one of these is first called.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from chainrule.engines import Engine
from chainrule.errors import SettingError
from chainrule.network.base import BaseNetwork, inputs_of
from chainrule.network.meaning import Meaning, learn_meanings, nested
from chainrule.network.standardising import begun_with
from chainrule.network.summary import summary
from chainrule.nn.parameters import as_patterns, flat_names
from chainrule.notebooks import Shown
from chainrule.training import (
    Batch,
    Clipping,
    Objective,
    Penalty,
    Settings,
    Training,
    as_optimizer,
    scaled,
)
from chainrule.training.steps.step import TrainingStep

if TYPE_CHECKING:
    from chainrule.explanation.derivations.derivation import Derivation
    from chainrule.explanation.drawing import Drawing
    from chainrule.explanation.evaluations.networks import NetworkEvaluation
    from chainrule.explanation.splits.contributions import Contributions
    from chainrule.explanation.training_steps.steps import StepByStep


class ExplainableNetwork(BaseNetwork, Shown):
    """A network that shows what it computes and why its gradients are what they are."""

    def evaluation(
        self,
        X: Any,
        y: Any = None,
        *,
        loss: Any = None,
        sample_weight: Any = None,
        l1: float = 0.0,
        l2: float = 0.0,
    ) -> NetworkEvaluation:
        """Every value of one pass, and with targets the loss and its derivative by every value.

        Parameters
        ----------
        X, y : array-like
            As for `fit`, taken as one batch. Without `y` there is no loss and no derivative.
        loss, sample_weight, l1, l2
            As for `fit`; the loss is by default that of the last fit.

        Examples
        --------
        >>> import numpy as np, chainrule as cr
        >>> network = cr.Network([cr.Dense(2, "tanh"), cr.Dense(1)], dtype="float64").build(2)
        >>> seen = network.evaluation(np.ones((1, 2)), [1.0])
        >>> seen.evaluation.cotangent(seen.variable("dense_0.z")).shape
        (1, 2)
        """
        from chainrule.explanation.evaluations.networks import evaluate_loss, evaluate_outputs

        if y is None:
            arrays = inputs_of(self, X)
            return evaluate_outputs(self.model, self.parameters, arrays, self.input_names)
        objective, batch = objective_of(self, X, y, loss, sample_weight, l1, l2)
        return evaluate_loss(objective, self.parameters, batch, self.input_names)

    def explain(
        self,
        X: Any,
        y: Any,
        where: str,
        *,
        of: str | None = None,
        depth: str = "factors",
        most: int = 3,
        digits: int = 6,
        check: bool = False,
        symbols: Mapping[str, str] | None = None,
        loss: Any = None,
        sample_weight: Any = None,
        l1: float = 0.0,
        l2: float = 0.0,
    ) -> Derivation:
        """Why the loss, or a value, changes as it does with one weight, bias, input or value: the chain rule, line by line.

        Values are those of the pass that `evaluate` makes on this batch; derivatives are computed from them in double
        precision.

        Parameters
        ----------
        X, y : array-like
            As for `fit`, taken as one batch. With `of`, `y` may be `None`.
        where : str
            What the derivative is by, such as `"hidden.weight[0, 1]"`, `"hidden.z[1]"` or `"x[0]"`. Letters in the index,
            as in `"hidden.weight[i, j]"`, give the formula for all of them, without numbers.
        of : str, optional
            What the derivative is of, such as `"output.a[1]"`; by default the loss.
        depth : {"factors", "layers", "terms"}
            A line for every named value, for every layer, or for every operation.
        most : int
            Terms of a sum, and values of a kind, that are shown one by one.
        digits : int
            Significant digits. Factors get more where the printed ones would not multiply to the printed result.
        check : bool
            Whether to put finite differences beside all gradients; one that differs is marked, and warned of. Of a formula with
            letters, up to 100 of the gradients that it is for are compared.
        symbols : mapping, optional
            Other names in the formulas, such as `{"hidden.weight": "w", "target": "t"}`.
        loss, sample_weight, l1, l2
            As for `fit`; the loss is by default that of the last fit.

        Returns
        -------
        Derivation
            Printed as text, shown in notebooks; `to("latex")`, "markdown", "html", "mathml", "json" give other forms.

        Examples
        --------
        >>> import chainrule as cr
        >>> layers = [cr.Dense(3, "sigmoid", name="hidden"), cr.Dense(2, "sigmoid", name="output")]
        >>> network = cr.Network(layers, dtype="float64").build(2)
        >>> names = {"hidden.weight": "w", "output.weight": "u", "x": "x", "hidden.a": "h", "output.a": "y", "target": "t"}
        >>> data = [[0.4, -0.7]], [[0.2, 0.9]]
        >>> print(network.explain(*data, "output.weight[i, j]", loss="l2_norm", depth="layers", symbols=names))
        ∂L/∂u_ij = (y_j − t_j)·y_j(1 − y_j)·h_i
        ...
        """
        from chainrule.explanation.explain import explain_network

        if y is None and of is None:
            raise SettingError('explain was given no targets; give y, or of="output.a[0]", say, which needs none.')
        found = self.evaluation(X, y, loss=loss, sample_weight=sample_weight, l1=l1, l2=l2)
        return explain_network(found, where, of=of, depth=depth, most=most, digits=digits, check=check, symbols=symbols)

    def contributions(
        self,
        X: Any,
        y: Any,
        where: str,
        *,
        largest: int = 20,
        digits: int = 6,
        sample_names: Sequence[str] | None = None,
        loss: Any = None,
        sample_weight: Any = None,
        l1: float = 0.0,
        l2: float = 0.0,
    ) -> Contributions:
        """How much of one gradient comes by way of each output, each sample and each path; the parts add up to it.

        Parameters
        ----------
        X, y : array-like
            As for `fit`, taken as one batch.
        where : str
            What the gradient is by, such as `"hidden.weight[0, 1]"`.
        largest : int
            Paths listed where there are more than 10,000; the rest is one part, exact.
        digits : int
            Significant digits where it is printed.
        sample_names : sequence of str, optional
            What the samples are called, by default "sample 0" and so on.
        loss, sample_weight, l1, l2
            As for `fit`; the loss is by default that of the last fit.

        Returns
        -------
        Contributions
            `by_output`, `by_sample`, `by_path`, each part with its `index`. Printing gives a table, `draw()` a picture.

        Examples
        --------
        >>> import chainrule as cr
        >>> hidden = cr.Dense(2, "sigmoid", weight=[[0.15, 0.25], [0.20, 0.30]], bias=0.35, name="hidden")
        >>> output = cr.Dense(2, "sigmoid", weight=[[0.40, 0.50], [0.45, 0.55]], bias=0.60, name="output")
        >>> network = cr.Network([hidden, output], dtype="float64").build(2)
        >>> found = network.contributions([[0.05, 0.10]], [[0.01, 0.99]], "hidden.weight[0, 0]", loss="l2_norm")
        >>> [round(part.value, 12) for part in found.by_output]
        [0.000668396021, -0.000229828287]
        """
        from chainrule.explanation.splits.contributions import contributions_to

        found = self.evaluation(X, y, loss=loss, sample_weight=sample_weight, l1=l1, l2=l2)
        return contributions_to(found, where, largest=largest, digits=digits, sample_names=sample_names)

    def step_by_step(
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
        batch_size: int | None = None,
        shuffle: bool = True,
        gradients: str = "chain rule",
        engine: str | Engine = "auto",
        digits: int = 4,
    ) -> StepByStep:
        """The training step that `fit` would take with these data, stage by stage; the network stays as it is.

        Parameters
        ----------
        X, y : array-like
            As for `fit`.
        batch_size : int, optional
            Rows in the step's mini-batch; by default all are one batch. `following()` goes on through the mini-batches and epochs.
        gradients : {"chain rule", "numerical"}
            Whether gradients are found backwards, or by nudging every parameter: w ← w + ε, (L(w + ε) − L(w))/ε, and back.
        loss, optimizer, seed, sample_weight, class_weight, l1, l2, clip_value, clip_norm, frozen, shuffle, engine
            As for `fit`; the loss is by default that of the last fit.
        digits : int
            Significant digits where numbers are printed.

        Returns
        -------
        StepByStep
            With `initial`, `forward`, `loss`, `backward` (`nudges`), `gather` and `update`. `update.after` are the parameters
            that `fit(X, y, epochs=1, batch_size=len(X))` would leave, bit for bit, on every engine.

        Raises
        ------
        ChainruleError
            As `fit`.

        Examples
        --------
        >>> import chainrule as cr
        >>> network = cr.Network([cr.Dense(2, "sigmoid", name="hidden"), cr.Dense(1, name="output")]).build(2)
        >>> step = network.step_by_step([[0.0, 1.0]], [1.0], optimizer=cr.SGD(0.5))
        >>> step.forward.layers[0].neurons[1].z.shape, step.backward["hidden"].neurons[1].delta.shape
        ((1,), (1,))
        >>> history = network.fit([[0.0, 1.0]], [1.0], optimizer=cr.SGD(0.5), epochs=1, progress=False)
        >>> bool((network.parameters["hidden"]["weight"] == step.update.after["hidden"]["weight"]).all())
        True
        >>> measured = network.step_by_step([[0.0, 1.0]], [1.0], gradients="numerical").nudges
        >>> measured.passes, bool(abs(measured.measured["output"]["bias"] - measured.exact["output"]["bias"]).max() < 1e-3)
        ({'forward': 10, 'backward': 0}, True)
        """
        from chainrule.explanation.training_steps.stepping import Steps
        from chainrule.explanation.training_steps.steps import StepByStep

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
            batch_size=batch_size,
            shuffle=shuffle,
            gradients=gradients,
            engine=engine,
        )
        return StepByStep(Steps(training), digits)

    def draw(
        self,
        X: Any = None,
        y: Any = None,
        *,
        loss: Any = None,
        depth: int | None = None,
        focus: str | None = None,
        digits: int = 4,
    ) -> Drawing:
        """The network layer by layer, drawn: weights on the connections; with data, neurons with z and a, and gradients.

        More than about 200 neurons and connections, and what would not fit a page, are folded into blocks with heat maps.
        A network that is no row of layers is drawn as a graph with a block for every call of a layer.

        Parameters
        ----------
        X, y : array-like, optional
            As for `fit`, taken as one batch. Without `y` there are no gradients, without `X` no activations either.
        loss
            As for `fit`; by default that of the last fit.
        depth : int, optional
            1 for a block for every layer, 2 for every neuron, 3 for every connection; by default as far as the picture
            stays legible and fits a page.
        focus : str, optional
            A layer to be unfolded while the others are folded.
        digits : int
            Significant digits of numbers.

        Examples
        --------
        >>> import chainrule as cr
        >>> network = cr.Network([cr.Dense(3, "tanh"), cr.Dense(1)]).build(2)
        >>> network.draw()
        Drawing(2-3-1 network; ... pixels; .save('picture.svg') writes it)
        """
        from chainrule.explanation.drawing import draw_network, without_data
        from chainrule.explanation.evaluations.networks import evaluate_outputs

        if X is None:
            if y is not None:
                raise SettingError("draw was given y without X; give both, or neither.")
            rows = [np.zeros((1, *shape), self.dtype) for shape in self.model.inputs]
            found = evaluate_outputs(self.model, self.parameters, rows, self.input_names)
            found = without_data(found, flat_names(self.parameters))
        else:
            found = self.evaluation(X, y, loss=loss)
        own = getattr(self.function, "__name__", "")
        name = own if own.isidentifier() and not hasattr(self.function, "layers") else None
        return draw_network(found, self.layers, title=name, depth=depth, focus=focus, digits=digits)

    def _repr_html_(self) -> str | None:
        return summary(self)._repr_html_() if self.is_built else None


def objective_of(
    network: BaseNetwork,
    X: Any,
    y: Any,
    loss: Any = None,
    sample_weight: Any = None,
    l1: float = 0.0,
    l2: float = 0.0,
    class_weight: Any = None,
) -> tuple[Objective, Batch]:
    """What a fit to these data would lower, and the data as one batch; the loss is that of the last fit if not given."""
    meanings, batch = meanings_of(network, X, y, loss, sample_weight, class_weight)
    return Objective(network.model, tuple(m.head for m in meanings), Penalty(l1, l2)), batch


def meanings_of(
    network: BaseNetwork, X: Any, y: Any, loss: Any = None, sample_weight: Any = None, class_weight: Any = None
) -> tuple[list[Meaning], Batch]:
    """What the outputs would mean after a fit to these data, and the data as one batch."""
    arrays = inputs_of(network, X)
    if loss is None and network.meanings:
        loss = nested(network.model, [meaning.head.loss for meaning in network.meanings])
    meanings, batch = learn_meanings(
        network.model, network.meanings, loss, arrays, y, network.dtype, sample_weight, class_weight
    )
    return meanings, scaled(batch)


def training_of(
    network: BaseNetwork,
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
    batch_size: int | None = None,
    shuffle: bool = True,
    gradients: str = "chain rule",
    engine: str | Engine = "auto",
) -> Training:
    """The training that `fit` would begin with these arguments, in mini-batches or one; the network stays as it is."""
    objective, batch = objective_of(network, X, y, loss, sample_weight, l1, l2, class_weight)
    chosen = network.frozen if frozen is None else as_patterns(frozen)
    settings = Settings(
        batch_size=batch_size,
        seed=seed,
        shuffle=shuffle,
        engine=engine,
        gradients=gradients,
        frozen=chosen,
        progress=False,
    )
    step = TrainingStep(objective, as_optimizer(optimizer), Clipping(clip_value, clip_norm))
    return Training(step, begun_with(network, batch.inputs[0]), batch, None, settings)
