"""Data with two inputs as a plane: the network's answer everywhere, its points, and what every neuron makes of it."""

from __future__ import annotations

from typing import Any

import numpy as np

from chainrule.errors import SettingError
from chainrule.explanation.evaluations.networks import evaluate_outputs
from chainrule.tracing.program import Variable
from chainrule.training import Batch
from chainrule.viewer.component import Component, command, part
from chainrule.viewer.components.settings import SETTINGS
from chainrule.viewer.components.time import Time
from chainrule.viewer.datasets import PLANE, in_the_plane
from chainrule.viewer.grids import as_grid
from chainrule.viewer.subject import MOMENT, unless_known

DATA = "data"
CELLS = 48
"""Places along each side at which the network is asked."""
POINTS = 2_000
"""Points that are shown."""
NEURONS = 64
"""Neurons whose responses are shown."""


class Plane(Component):
    """The plane of a network's two inputs."""

    def __init__(self, time: Time) -> None:
        self.time, self.subject = time, time.subject
        self._known = self.subject.data

    @property
    def is_there(self) -> bool:
        """Whether the network has one input of two numbers and one output."""
        model = self.subject.network.model
        return [tuple(x) for x in model.inputs] == [(2,)] and len(self.subject.objective.heads) == 1

    @part(MOMENT, DATA, SETTINGS)
    def data(self) -> dict[str, Any] | None:
        """The plane as it is now."""
        if not self.is_there:
            return None
        subject = self.subject
        x0, x1, y0, y1 = self.extent
        across, down = np.linspace(x0, x1, CELLS), np.linspace(y1, y0, CELLS)
        grid = np.stack([x.ravel() for x in np.meshgrid(across, down)], axis=1).astype(subject.network.dtype)
        with np.errstate(all="ignore"):
            found = evaluate_outputs(subject.network.model, subject.parameters, [grid], subject.network.input_names)
        head = subject.objective.heads[0]
        values = found.evaluation.values
        (output,) = found.outputs
        scores = (
            values[output] if isinstance(output, Variable) else np.broadcast_to(output.value, (len(grid), head.width))
        )
        neurons: list[dict[str, Any]] = []
        for call in found.layers:
            if isinstance(call.a, Variable) and len(call.a.shape) == 2 and call.a is not output:
                for j in range(min(call.a.shape[1], NEURONS - len(neurons))):
                    name = f"{call.name}[{j}]"
                    neurons.append(
                        {"key": f"{call.name}.a[0, {j}]", "name": name, "surface": _surface(values[call.a][:, j])}
                    )
        classes = subject.meanings[0].classes if subject.meanings else None
        return {
            "x": "x[0]",
            "y": "x[1]",
            "kind": "classes" if head.classifies else "values",
            "points": self._points(),
            "extent": [x0, x1, y0, y1],
            "classes": [] if classes is None else [str(x) for x in classes],
            "surface": _surface(self._answers(np.asarray(scores))),
            "ends": self._ends,
            "neurons": neurons,
            "sets": list(PLANE),
        }

    @property
    def _ends(self) -> list[float]:
        """The least and the greatest target, or two beside the only one."""
        targets = _targets(self.subject.data)
        low, high = min(targets), max(targets)
        return [low, high] if low < high else [low - 1.0, low + 1.0]

    @property
    def extent(self) -> tuple[float, float, float, float]:
        """The part of the plane that is shown: all points, and some room around them."""
        points = np.asarray(self.subject.data.inputs[0], np.float64)
        low, high = points.min(axis=0), points.max(axis=0)
        alike = high - low <= 1e-9 * np.maximum(1.0, np.abs(high))
        room = np.where(alike, 1.0, 0.15 * (high - low))
        (x0, y0), (x1, y1) = low - room, high + room
        return float(x0), float(x1), float(y0), float(y1)

    def _answers(self, scores: Any) -> Any:
        """A number for every place: the value, the probability of the second class, or the class and how sure that is."""
        head, ends_in = self.subject.objective.heads[0], self.subject.network.model.ends_in[0]
        link = head.loss.link
        if not head.classifies or (head.width == 1 and link != "sigmoid"):
            return scores[:, 0]
        if ends_in == link:
            shares = scores
        elif link == "sigmoid":
            shares = 1.0 / (1.0 + np.exp(-scores))
        else:
            shifted = np.exp(scores - scores.max(axis=1, keepdims=True))
            shares = shifted / shifted.sum(axis=1, keepdims=True)
        if head.width <= 2:
            return shares[:, -1]
        return np.argmax(shares, axis=1) + np.max(shares, axis=1) * 0.999

    def _points(self) -> list[dict[str, Any]]:
        subject = self.subject
        places, targets = np.asarray(subject.data.inputs[0], np.float64), _targets(subject.data)
        shown = set(subject.rows.tolist())
        return [
            {"row": i, "x": float(x), "y": float(y), "target": target, "chosen": i in shown}
            for i, ((x, y), target) in enumerate(zip(places[:POINTS], targets[:POINTS], strict=True))
        ]

    # --- commands

    def _unless_there(self) -> None:
        if not self.is_there:
            raise SettingError(
                "points are in the plane of a network of one input of two numbers and one output, which this one is not; "
                "set its inputs one by one."
            )

    @command
    def point(self, what: str, row: int | None = None, x: float = 0.0, y: float = 0.0, target: float = 0.0) -> None:
        """Add, move, relabel or remove a point; a training that was recorded stays what it was."""
        self._unless_there()
        subject, data = self.subject, self.subject.data
        if what not in ("add", "move", "relabel", "remove"):
            raise SettingError(f"a point was to be {what!r}; use 'add', 'move', 'relabel' or 'remove'.")
        if what != "add" and (row is None or not 0 <= row < subject.row_count):
            raise SettingError(
                f"point {row!r} was named, and there are {subject.row_count}; give a number counted from 0."
            )
        arrays = [np.array(a) for a in data.arrays()]
        kept = data.like(arrays)
        if what == "remove":
            if subject.row_count == 1:
                raise SettingError("the last point cannot be removed, as data need one; give another one first.")
            kept = data.like([np.delete(a, int(row or 0), axis=0) for a in arrays])
        elif what == "add":
            kept = data.like([np.concatenate([a, a[-1:]]) for a in arrays])
            row = subject.row_count
        if what in ("add", "move"):
            kept.inputs[0][row] = (float(x), float(y))
            if not np.isfinite(kept.inputs[0][row]).all():
                raise SettingError(
                    f"a point was to be at ({x}, {y}), which is too far away for {kept.inputs[0].dtype}; give one nearer to 0."
                )
        if what in ("add", "relabel"):
            _put_target(kept, int(row or 0), float(target), self._known)
        subject.replace_data(kept)
        subject.topics.touch(DATA)

    @command
    def dataset(self, name: str) -> None:
        """Take one of the classic sets as data; what was learned stays."""
        self._unless_there()
        unless_known(name, PLANE, "data set")
        head = self.subject.objective.heads[0]
        points, classes = in_the_plane(name)
        data = self.subject.data
        rows = np.zeros(len(points), int)
        fresh = data.like([np.asarray(a)[rows].copy() for a in data.arrays()])
        fresh.inputs[0][:] = points
        for i, label in enumerate(classes):
            _put_target(fresh, i, float(label) if head.classifies else float(2.0 * label - 1.0), self._known)
        self.subject.replace_data(fresh)
        self.subject.topics.touch(DATA)

    @command
    def probe(self, x: float, y: float) -> None:
        """Show the network at a place of the plane: the point nearest to it."""
        self._unless_there()
        places = np.asarray(self.subject.data.inputs[0], np.float64)
        x0, x1, y0, y1 = self.extent
        away = (places - (float(x), float(y))) / (x1 - x0, y1 - y0)
        self.time.follows_batch = False
        self.subject.show_rows([int(np.argmin((away**2).sum(axis=1)))])
        self.subject.topics.touch(SETTINGS)


def _surface(values: Any) -> dict[str, Any]:
    """Numbers of all places of the plane, row by row from the top left."""
    return as_grid(np.reshape(values, (CELLS, CELLS)))


def _targets(data: Batch) -> list[float]:
    """A number for every row: its class, or its target."""
    classes = data.class_indices[0]
    found = np.asarray(classes if classes is not None else data.targets[0], np.float64)
    return [float(x) for x in found.reshape(len(found), -1)[:, 0]]


def _put_target(data: Batch, row: int, target: float, known: Batch) -> None:
    """Give a row another class, with the targets that a row of the data `known` has for it, or another target."""
    targets, classes = data.targets[0], data.class_indices[0]
    if classes is None:
        targets[row] = target
        return
    alike = np.flatnonzero(np.asarray(known.class_indices[0]) == target)
    if not alike.size:
        raise SettingError(
            f"no point was of class {target:g}; give one of the classes that there were points of, which the network tells apart."
        )
    classes[row] = int(target)
    targets[row] = np.asarray(known.targets[0])[alike[0]]
