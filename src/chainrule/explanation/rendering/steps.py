"""A training step as data: of every stage its words, its formulas, and its arrays by the keys of their numbers."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np

from chainrule.explanation.rendering.json_form import VERSION, exact
from chainrule.nn.parameters import flat_names
from chainrule.tracing import trees


def data_of(stages: Mapping[str, Any], exactly: bool) -> dict[str, Any]:
    """All stages as nested dicts and lists."""
    found = [_stage(name, stage, _ARRAYS[name](stage)) for name, stage in stages.items()]
    return {"version": VERSION, "kind": "training step", "exact": exactly, "stages": found}


def _stage(name: str, stage: Any, arrays: Iterable[tuple[str, Any]]) -> dict[str, Any]:
    numbers = {
        key: {"shape": list(np.shape(x)), "dtype": str(np.asarray(x).dtype), "values": _nested(np.asarray(x))}
        for key, x in arrays
        if x is not None
    }
    formulas = [{"text": update.text, "latex": update.latex} for update in stage.updates]
    return {"name": name, "title": stage.title, "says": stage.says, "formulas": formulas, "numbers": numbers}


def _nested(array: Any) -> Any:
    """Numbers in nested lists; those that are not finite as texts."""
    if array.ndim:
        return [_nested(x) for x in array]
    return exact(float(array)) if array.dtype.kind == "f" else array.item()


def _parameters(parameters: Any, mark: str = "{}") -> list[tuple[str, Any]]:
    return [(mark.format(name), x) for name, x in flat_names(parameters).items()]


def _outputs(outputs: Any, name: str) -> list[tuple[str, Any]]:
    leaves, structure = trees.flatten(outputs)
    paths = trees.paths(structure, name) if structure.kind is not None else [name]
    return list(zip(paths, leaves, strict=True))


def _initial(stage: Any) -> list[tuple[str, Any]]:
    return _parameters(stage.contents["parameters"])


def _forward(stage: Any) -> list[tuple[str, Any]]:
    own = [(f"{x.name}.{part}", getattr(x, part)) for x in stage.layers for part in ("z", "a")]
    return [*own, *_outputs(stage.contents["outputs"], "output")]


def _loss(stage: Any) -> list[tuple[str, Any]]:
    metrics = {"L" if name == "loss" else name: x for name, x in stage.contents["metrics"].items()}
    return [*metrics.items(), *_outputs(stage.contents["gradient"], "∂L/∂output")]


def _backward(stage: Any) -> list[tuple[str, Any]]:
    return [(f"∂L/∂{x.name}.{part[1:]}", getattr(x, part)) for x in stage.layers for part in ("da", "dz")]


def _nudges(stage: Any) -> list[tuple[str, Any]]:
    losses, exact = (_parameters(stage.contents[key]) for key in ("after", "exact"))
    own = [("ε", stage.contents["epsilon"]), ("L", stage.contents["before"])]
    return [*own, *((f"L({name} + ε)", x) for name, x in losses), *((f"∂L/∂{name}", x) for name, x in exact)]


def _gather(stage: Any) -> list[tuple[str, Any]]:
    clipped = _parameters(stage.contents["clipped"], "∂L/∂{} clipped")
    return [*_parameters(stage.contents["gradients"], "∂L/∂{}"), *clipped]


def _update(stage: Any) -> list[tuple[str, Any]]:
    kept = [
        (f"{layer}.{name} {own}", x)
        for layer, names in stage.contents["optimizer_state"].items()
        for name, state in names.items()
        for own, x in dict(state).items()
    ]
    rate = ("learning rate", stage.contents["learning_rate"])
    return [rate, *_parameters(stage.contents["after"]), *kept]


_ARRAYS = {
    "initial": _initial,
    "forward": _forward,
    "loss": _loss,
    "backward": _backward,
    "nudges": _nudges,
    "gather": _gather,
    "update": _update,
}
"""The arrays of every stage, by the keys of their numbers without the places."""
