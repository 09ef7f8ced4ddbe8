"""A trial: a training as a function of its hyperparameters, with the loss on validation data that it ends with."""

from __future__ import annotations

import copy
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from chainrule.autodiff import flatten, jvp, value_and_grad, vjp
from chainrule.autodiff.modes import as_mode
from chainrule.engines import Engine
from chainrule.errors import DivergedError, SettingError, shortened
from chainrule.network.base import BaseNetwork, batch_for, inputs_of
from chainrule.network.fitting import training_for
from chainrule.tracing import trees
from chainrule.training import Clipping, Objective, Penalty, Settings
from chainrule.training.hypergradients.hyperparameters import WEIGHTS, Hyperparameters, as_names
from chainrule.training.hypergradients.unrolled import Unrolled
from chainrule.training.objective import merged

MODES = ("auto", "forward", "reverse")
FEW = 4
"""Up to so many directions are followed forward. Each takes 0.5 (small networks) to 1.6 times (large ones) as long as the training
itself, and reverse mode 7 to 4 times, however many there are: it carries out the steps twice, and back."""


class Trial:
    """A training on data as a function of its hyperparameters, with the loss on validation data at its end."""

    def __init__(
        self,
        network: BaseNetwork,
        data: Sequence[Any],
        validation: Sequence[Any],
        owner: str,
        by: Any,
        *,
        optimizer: Any,
        loss: Any,
        l1: float,
        l2: float,
        sample_weight: Any,
        engine: str | Engine,
        **settings: Any,
    ) -> None:
        if not isinstance(network, BaseNetwork):
            raise SettingError(
                f"{owner} was given {shortened(network)}; give a network, such as cr.Network([cr.Dense(1)])."
            )
        (X, y), (X_validation, y_validation) = _pair(owner, "data", data), _pair(owner, "validation", validation)
        own = copy.deepcopy(network)
        names = as_names(owner, by)
        weights = sample_weight
        if weights is None and WEIGHTS in (names or ()):
            weights = np.ones(len(inputs_of(own, X)[0]))
        self.training = training_for(
            own, X, y, Settings(**settings, frozen=own.frozen, progress=False, engine="numpy"), loss=loss, optimizer=optimizer,
            penalty=Penalty(l1, l2), clipping=Clipping(), validation_data=None, validation_split=0.0,
            sample_weight=weights, class_weight=None,
        )  # fmt: skip
        self.hyperparameters = Hyperparameters(self.training, names, weights, owner)
        self.steps = settings["epochs"] * self.training.steps_per_epoch
        chosen = self.hyperparameters
        self._unrolled = Unrolled(self.training, chosen.of_optimizer, WEIGHTS in chosen.values, engine)
        objective = self.training.step.objective
        self._objective = Objective(objective.model, objective.heads, Penalty())
        self._held_out = batch_for(own, own.meanings, X_validation, y_validation)
        self._frozen = trees.unflatten(self.training.structure, self.training.runner.state)["frozen"]

    def on_validation(self, learned: Any) -> tuple[float, Any]:
        """The loss on the validation data, and its gradient by the parameters that were learned."""
        with np.errstate(all="ignore"):
            found: tuple[float, Any] = value_and_grad(
                lambda own: self._objective(merged(self._frozen, own), self._held_out, None, {})[0]
            )(learned)
        if not all(np.isfinite(x).all() for x in trees.flatten(found)[0]):
            raise DivergedError(
                f"the loss on the validation data, {found[0]:.6g}, or its gradient is not finite. Bring the targets to numbers of "
                "usual size, or use a smaller learning rate."
            )
        return found

    def forward(self, values: Mapping[str, Any], directions: Sequence[Any]) -> tuple[Any, Any]:
        """What is learned with such hyperparameters, and how it moves along each direction, a first axis."""
        both = [jvp(self.hyperparameters.course, (dict(values),), (direction,)) for direction in directions]
        tangents = trees.map_leaves(lambda *parts: np.stack(parts), *(moved for _, moved in both))
        state, along = self._unrolled.push(both[0][0], tangents)
        return state["learned"], along["learned"]

    def gradient(self, values: Mapping[str, Any], mode: str) -> tuple[float, Any, Any]:
        """The loss, its derivatives by the hyperparameters, nested as they are, and what was learned."""
        values = dict(values)
        if mode == "forward":
            vector, nested = flatten(values)
            learned, moved = self.forward(values, [nested(unit) for unit in np.eye(len(vector))])
            loss, by_learned = self.on_validation(learned)
            pairs = zip(trees.flatten(by_learned)[0], trees.flatten(moved)[0], strict=True)
            totals: Any = sum(np.sum(g * m, axis=tuple(range(1, m.ndim)), dtype=float) for g, m in pairs)
            return float(loss), nested(totals), learned
        course, pullback = vjp(self.hyperparameters.course, values)
        losses: list[Any] = []

        def cotangent(state: Any) -> Any:
            loss, by_learned = self.on_validation(state["learned"])
            losses.append(loss)
            return {"learned": by_learned, "optimizer": trees.map_leaves(np.zeros_like, state["optimizer"])}

        state, found = self._unrolled.pull(course, cotangent)
        return float(losses[0]), pullback(found)[0], state["learned"]

    def mode(self, asked: str, owner: str) -> str:
        """Forward for few directions and reverse for many, unless one is asked for."""
        mode = as_mode(owner, asked, MODES)
        return ("forward" if self.hyperparameters.directions <= FEW else "reverse") if mode == "auto" else mode

    def whole(self, learned: Any) -> Any:
        """All parameters, those that are not learned too."""
        return merged(self._frozen, learned)


def _pair(owner: str, name: str, given: Any) -> tuple[Any, Any]:
    if not isinstance(given, tuple | list) or len(given) != 2:
        raise SettingError(f"{owner} needs {name} as a pair (X, y).")
    return given[0], given[1]
