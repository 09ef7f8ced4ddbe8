"""What the layers make of the data: their plane bent into the space of each layer, and spreads of numbers over the training."""

from __future__ import annotations

from typing import Any

import numpy as np

from chainrule.explanation.evaluations.networks import evaluate_loss, evaluate_outputs
from chainrule.nn.parameters import Parameters, flat_names
from chainrule.tracing.program import Variable
from chainrule.training import Recording
from chainrule.viewer.component import Component, command, part
from chainrule.viewer.components.plane import Plane
from chainrule.viewer.components.settings import SETTINGS
from chainrule.viewer.components.time import TIME
from chainrule.viewer.grids import as_grid
from chainrule.viewer.spreads import counts_between, edges_of
from chainrule.viewer.subject import MOMENT, unless_known

SPREAD = "spread"
LINES, PLACES = 11, 41
"""Lines of the grid in each direction, and places along each."""
POINTS = 300
MOMENTS = 40


class Warps(Component):
    """The plane as every layer sees it, and how the numbers of one array went over time."""

    def __init__(self, plane: Plane) -> None:
        self.plane, self.time, self.subject = plane, plane.time, plane.subject
        self.chosen: str | None = None
        self._looked_at: Recording | None = None
        self._moments: list[tuple[int, Parameters]] = []

    # --- the plane, bent

    @part(MOMENT, SETTINGS, panel=True, digits=2)
    def warp(self) -> dict[str, Any] | None:
        """Of every hidden layer the images of the points and of a grid: of two units those, of more their principal plane."""
        if not self.plane.is_there:
            return None
        subject = self.subject
        x0, x1, y0, y1 = self.plane.extent
        grid = _grid(x0, x1, y0, y1)
        points = np.asarray(subject.data.inputs[0])[:POINTS]
        rows = np.concatenate([points, grid]).astype(subject.network.dtype)
        with np.errstate(all="ignore"):
            found = evaluate_outputs(subject.network.model, subject.parameters, [rows], subject.network.input_names)
        layers = []
        for call in found.layers:
            if isinstance(call.a, Variable) and len(call.a.shape) == 2 and call.a is not found.outputs[0]:
                values = np.asarray(found.evaluation.values[call.a], np.float64)
                places, x, y = _flat(values, len(points))
                layers.append(
                    {"name": call.name, "x": x, "y": y, "points": len(points), "lines": 2 * LINES, **as_grid(places)}
                )
        return {"layers": layers}

    # --- spreads over time

    @command
    def spread_of(self, name: str) -> None:
        """Which array's numbers are shown over the training: a parameter, its gradient or a layer's activation."""
        unless_known(name, dict.fromkeys(self._names()), "array")
        self.chosen = name
        self.subject.topics.touch(SPREAD)

    def _names(self) -> list[str]:
        parameters, subject = list(flat_names(self.subject.parameters)), self.subject
        calls = [f"{call.name}.a" for call in subject.found.layers if isinstance(call.a, Variable)]
        return [*parameters, *(f"∂{subject.output}/∂{name}" for name in parameters), *calls]

    @part(MOMENT, TIME, SPREAD, slow=True, panel=True)
    def spread(self) -> dict[str, Any] | None:
        """How the numbers of one array were spread at moments of the training."""
        timeline, names = self.time.timeline, self._names()
        if timeline is None or timeline.steps == timeline.first or self.subject.hidden:
            return None
        name = self.chosen if self.chosen in names else names[0]
        if self._looked_at is not timeline.recording:  # else they are as they were
            steps = np.unique(np.linspace(timeline.first, timeline.steps, MOMENTS).astype(int)).tolist()
            self._moments = [(step, timeline.at(step).parameters) for step in steps]
            self._looked_at = timeline.recording
        arrays = [self._array(name, parameters) for _, parameters in self._moments]
        edges = edges_of(np.concatenate(arrays))
        counts = [counts_between(x, edges).tolist() for x in arrays]
        return {
            "name": name,
            "names": names,
            "steps": [step for step, _ in self._moments],
            "edges": edges.tolist(),
            "counts": counts,
            "at": timeline.step,
        }

    def _array(self, name: str, parameters: Parameters) -> Any:
        flat = flat_names(parameters)
        if name in flat:
            return np.ravel(np.asarray(flat[name], np.float64))
        subject = self.subject
        with np.errstate(all="ignore"):
            found = evaluate_loss(subject.objective, parameters, subject.batch(), subject.network.input_names)
        evaluation, own = found.evaluation, name.removeprefix(f"∂{subject.output}/∂")
        x = found.known[own]
        array = evaluation.values[x] if own == name else evaluation.cotangent(x)
        return np.ravel(np.zeros(x.shape) if array is None else np.asarray(array, np.float64))


def _grid(x0: float, x1: float, y0: float, y1: float) -> Any:
    """Upright and level lines as places along them, shape (2 · LINES · PLACES, 2)."""
    across, along_x = np.meshgrid(np.linspace(x0, x1, LINES), np.linspace(y0, y1, PLACES), indexing="ij")
    down, along_y = np.meshgrid(np.linspace(y0, y1, LINES), np.linspace(x0, x1, PLACES), indexing="ij")
    upright, level = np.stack([across, along_x], axis=-1), np.stack([along_y, down], axis=-1)
    return np.concatenate([upright, level]).reshape(-1, 2)


def _flat(values: Any, points: int) -> tuple[Any, str, str]:
    """Values in two numbers each, and what these are: the two units that there are, or the principal components of the points.

    Values that are not finite have no components: of them the first two units.
    """
    units = values.shape[1]
    if units <= 2 or not np.isfinite(values).all():
        shown = values[:, :2]
        return np.concatenate([shown, np.zeros((len(values), 2 - shown.shape[1]))], axis=1), "unit 0", "unit 1"
    middle = values[:points].mean(axis=0)
    directions = np.linalg.svd(values[:points] - middle, full_matrices=False)[2][:2]
    if len(directions) < 2:
        directions = np.eye(2, units)
    signs = np.where(np.take_along_axis(directions, np.abs(directions).argmax(axis=1)[:, None], axis=1) < 0, -1.0, 1.0)
    return (values - middle) @ (directions * signs).T, "first component", "second component"
