"""Networks as subjects: parameters, data and the rows that are shown, with the loss of these rows."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from chainrule.errors import SettingError
from chainrule.explanation.derivations.derivation import Derivation
from chainrule.explanation.drawing import draw_network
from chainrule.explanation.drawing.scene import Scene
from chainrule.explanation.evaluations.evaluation import Evaluation
from chainrule.explanation.evaluations.networks import NetworkEvaluation, evaluate_loss, names_of_batch
from chainrule.explanation.explain import explain_network
from chainrule.explanation.splits.contributions import Contributions, contributions_to
from chainrule.network.meaning import Meaning
from chainrule.network.network import Network
from chainrule.nn.parameters import Parameters, flat_names
from chainrule.tracing.program import Variable
from chainrule.training import Batch, Objective
from chainrule.training.run import copied
from chainrule.viewer.subject import Subject, unless_changeable, with_number
from chainrule.viewer.topics import Topics

FEW = 8
"""Rows that are shown all together unless others are asked for."""


class NetworkSubject(Subject):
    """A network on rows of data.

    Attributes
    ----------
    network : Network
        Whose layers are shown; it stays as it is.
    objective : Objective
        What its training lowers.
    data : Batch
        All rows.
    meanings : sequence of Meaning
        What the outputs mean for these data.
    rows : array of int
        Those that are shown, as one batch.
    parameters : nested dict of arrays
        As they are now, at some moment of a training or changed by hand.
    """

    kind = "network"

    def __init__(
        self,
        topics: Topics,
        network: Network,
        objective: Objective,
        data: Batch,
        meanings: Sequence[Meaning] = (),
        symbols: Mapping[str, str] | None = None,
        digits: int = 4,
    ) -> None:
        super().__init__(topics, digits)
        SettingError.unless_texts("view", "symbols", symbols, "{'hidden.weight': 'w'}")
        self.network, self.objective, self.symbols = network, objective, dict(symbols or {})
        self.title, self.meanings = _title(network), meanings
        self.data = self._given = data.like([np.array(x) for x in data.arrays()])
        self.parameters: Parameters = copied(network.parameters)
        self._before = self.parameters
        self.rows = np.arange(self.row_count if self.row_count <= FEW else 1)

    # --- what is shown

    @property
    def row_count(self) -> int:
        """How many rows there are."""
        return int(self.data.inputs[0].shape[0])

    def show_rows(self, rows: Sequence[int]) -> None:
        """Show these rows as one batch."""
        found = np.asarray(rows)
        if found.ndim != 1 or not found.size or found.dtype.kind not in "iu":
            raise SettingError(f"rows were given as {rows!r}; give numbers of rows, such as [0, 3].")
        if found.min() < 0 or found.max() >= self.row_count:
            raise SettingError(
                f"rows {rows!r} were asked for, and there are {self.row_count}; give numbers counted from 0."
            )
        self.rows = found
        self.touch()

    @property
    def given(self) -> Batch:
        """All rows, as they were before numbers were set by hand."""
        return self._given

    def show(self, parameters: Parameters, objective: Objective | None = None) -> None:
        """Show these parameters, those of some moment, and the loss that was lowered then; what was set by hand is taken back."""
        self.parameters = self._before = parameters
        self.objective = objective or self.objective
        self.touch()

    def lower(self, objective: Objective) -> None:
        """Show another loss of the same network."""
        self.objective = objective
        self.touch()

    def batch(self, rows: Any = None) -> Batch:
        """The rows shown, or others, as one batch."""
        chosen = self.rows if rows is None else rows
        return self.data.like([np.asarray(x)[chosen] for x in self.data.arrays()])

    def evaluated(self) -> NetworkEvaluation:
        """The loss of the rows shown, and all that leads to it."""
        with np.errstate(all="ignore"):
            return evaluate_loss(self.objective, self.parameters, self.batch(), self.network.input_names)

    @property
    def found(self) -> NetworkEvaluation:
        """The same, kept until a number changes."""
        found: NetworkEvaluation = self._now
        return found

    @property
    def evaluation(self) -> Evaluation:
        """That as an evaluation, after a backward pass."""
        return self.found.evaluation

    @property
    def known(self) -> Mapping[str, Variable]:
        """The variables by the names that users ask for them by."""
        return self.found.known

    def explain(self, key: str, depth: str, check: bool) -> Derivation:
        """Why the gradient of the loss by a number is what it is."""
        return explain_network(
            self.found, self.key(key), depth=depth, check=check, digits=self.digits + 2, symbols=self.symbols
        )

    def contributions(self, key: str) -> Contributions | None:
        """The gradient of the loss by a number, by output, sample and path."""
        return contributions_to(self.found, self.key(key))

    def drawn(self) -> Scene:
        """The network layer by layer."""
        found = self.found
        partial = NetworkEvaluation(
            self.partial(found.evaluation), found.layers, found.outputs, found.loss, found.known
        )
        return draw_network(
            partial,
            self.network.layers,
            title=self.title,
            focus=self.unfolded,
            digits=self.digits,
            steady=True,
            symbols=self.symbols,
        ).scene

    # --- numbers set by hand

    def changeable(self, key: str) -> bool:
        """Whether it is a parameter, an input or a target."""
        name = self.evaluation.label(self.element(key).variable)
        return name in flat_names(self.parameters) or name in self._arrays

    @property
    def _arrays(self) -> list[str]:
        """The names of the data's arrays that numbers of may be set, those of classes aside."""
        names = names_of_batch(self.objective, self.data, self.network.input_names)
        return [name for name in names if not name.startswith("label") and name != "row_count"]

    def put(self, key: str, value: float) -> None:
        """Set a parameter, or in a shown row an input or a target."""
        unless_changeable(self, key)
        element = self.element(key)
        name, place = self.evaluation.label(element.variable), element.place
        if name in self._arrays:
            names = names_of_batch(self.objective, self.data, self.network.input_names)
            arrays = self.data.arrays()
            at = names.index(name)
            arrays[at] = with_number(arrays[at], (int(self.rows[place[0]]), *place[1:]), value)
            self.data = self.data.like(arrays)
        else:
            layer, _, own = name.rpartition(".")
            new = with_number(self.parameters[layer][own], place, value)
            self.parameters = {**self.parameters, layer: {**self.parameters[layer], own: new}}
        self.touch()

    @property
    def held(self) -> tuple[Parameters, Batch]:
        """Parameters and data, as they are."""
        return self.parameters, self.data

    def hold(self, held: tuple[Parameters, Batch]) -> None:
        """Take these again."""
        self.parameters, self.data = held
        self.touch()

    def replace_data(self, data: Batch) -> None:
        """Take other rows as the data; rows that were shown and are no longer there are left out."""
        self.data = self._given = data
        kept = self.rows[self.rows < self.row_count]
        self.rows = kept if kept.size else np.arange(1)
        self.touch()

    def reset(self) -> None:
        """Take back all that was set by hand."""
        self.parameters, self.data = self._before, self._given
        self.touch()


def _title(network: Network) -> str:
    own = getattr(network.function, "__name__", "")
    if own.isidentifier() and not hasattr(network.function, "layers"):
        return own
    sizes = [str(int(np.prod(shape))) for shape in network.model.inputs]
    widths = [str(layer.units) for layer in network.layers.values() if hasattr(layer, "units")]
    return f"{'-'.join(['+'.join(sizes), *widths])} network"
