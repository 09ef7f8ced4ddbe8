"""Looks at a network as a whole: how its numbers are spread, and the landscape of its loss."""

from __future__ import annotations

from typing import Any

import numpy as np

from chainrule.errors import UnknownNameError
from chainrule.explanation.evaluations.evaluation import Evaluation
from chainrule.nn.parameters import flat_names
from chainrule.tracing.program import Variable
from chainrule.training import Batch, Objective, Recording
from chainrule.viewer.component import Component, command, part
from chainrule.viewer.components.reasons import written
from chainrule.viewer.components.time import TIME, Time
from chainrule.viewer.grids import as_grid
from chainrule.viewer.landscape import Landscape, Losses, Ways, along, around, vector_of
from chainrule.viewer.spreads import counts_between, edges_of
from chainrule.viewer.subject import MOMENT

LANDSCAPE = "landscape"
MOMENTS = 40
"""Moments of a training that its way through the landscape is drawn by."""
ROWS, FEWEST, WORK = 256, 32, 2**22
"""Rows that the landscape is of, at most and at least, and between them what rows and parameters make together."""


class Looks(Component):
    """Histograms, and the landscape along the way of the training or downhill."""

    def __init__(self, time: Time) -> None:
        self.time, self.subject = time, time.subject
        self.kind = "path"
        self._of: tuple[Objective, Batch, Losses] | None = None
        self._recordings: list[tuple[str, Recording]] = []
        self._gone: Ways = ()
        self._kept: Landscape | None = None

    # --- histograms

    @part(MOMENT, panel=True, digits=3)
    def histograms(self) -> dict[str, Any] | None:
        """How parameters, their gradients and activations are spread; nothing while a number is hidden, which may be an edge."""
        subject = self.subject
        if subject.hidden:
            return None
        found, evaluation = subject.found, subject.evaluation
        groups = []
        for name in flat_names(subject.parameters):
            x = found.known[name]
            groups.append(self._spread(name, "weights", evaluation.values[x]))
            if (cotangent := evaluation.cotangent(x)) is not None:
                groups.append(self._spread(f"∂{subject.output}/∂{name}", "gradients", cotangent))
        for call in found.layers:
            if isinstance(call.a, Variable):
                groups.append(self._spread(f"{call.name}.a", "activations", evaluation.values[call.a]))
        return {"groups": groups}

    def _spread(self, name: str, what: str, array: Any) -> dict[str, Any]:
        numbers = np.ravel(np.asarray(array, np.float64))
        finite = numbers[np.isfinite(numbers)]
        edges = edges_of(numbers)
        counts = counts_between(numbers, edges) if finite.size else np.zeros(0, int)
        digits = self.subject.digits
        text = "no finite number"
        if finite.size:
            mean, spread = written(float(finite.mean()), digits), written(float(finite.std()), digits)
            text = f"mean {mean}, standard deviation {spread}"
        if finite.size < numbers.size:
            text += f", {numbers.size - finite.size} not finite"
        return {"name": name, "what": what, "ends": edges[[0, -1]].tolist(), "counts": counts.tolist(), "text": text}

    # --- the landscape

    @command
    def landscape(self, kind: str) -> None:
        """Along the "path" of the training, or by the "gradient"."""
        if kind not in ("path", "gradient"):
            raise UnknownNameError.among("landscape", kind, ("path", "gradient"))
        self.kind = kind
        self.subject.topics.touch(LANDSCAPE)

    @part(MOMENT, TIME, LANDSCAPE, slow=True, panel=True)
    def surface(self) -> dict[str, Any]:
        """Losses over the plane of two directions, and the ways of the training and its branches."""
        subject = self.subject
        here, ways = vector_of(subject.parameters), self._ways()
        gradient = _gradient(subject.evaluation, subject.found.known, subject.parameters)
        if self.kind == "path" and ways:
            kind, found = "path", self._along(ways, here)
        else:
            kind, found = "gradient", around(self._losses(), ways, here, subject.parameters, gradient)
        return _data(found, kind, found.place(here), -found.basis @ gradient)

    def _losses(self) -> Losses:
        """The losses of the rows, kept until these are others, or what is lowered is."""
        subject = self.subject
        if self._of is None or self._of[0] is not subject.objective or self._of[1] is not subject.data:
            most = WORK // max(1, vector_of(subject.parameters).size)
            rows = np.arange(min(subject.row_count, ROWS, max(FEWEST, most)))
            losses = Losses(subject.objective, subject.batch(rows), subject.parameters)
            self._of, self._kept = (subject.objective, subject.data, losses), None
        return self._of[2]

    def _ways(self) -> Ways:
        """The ways of the training and its branches, kept until there are others."""
        timeline = self.time.timeline
        if timeline is None or timeline.steps == timeline.first:
            return ()
        recordings = [("training", own) for own in timeline.trunk]
        recordings += [(branch.name, branch.recording) for branch in timeline.branches]
        if recordings != self._recordings:
            ways = []
            for name, recording in recordings:
                steps = np.unique(np.linspace(recording.first, recording.steps, MOMENTS).astype(int))
                ways.append((name, np.array([vector_of(recording.at(int(step)).parameters) for step in steps])))
            self._recordings, self._gone, self._kept = recordings, ways, None
        return self._gone

    def _along(self, ways: Ways, here: Any) -> Landscape:
        """The landscape along the ways, kept as long as it reaches to where one is."""
        losses = self._losses()
        if self._kept is None or not self._kept.reaches(here):
            self._kept = along(losses, ways, here)
        return self._kept


def _gradient(evaluation: Evaluation, known: Any, parameters: Any) -> Any:
    """The gradient by all parameters in one vector; 0 where no derivative goes."""
    parts = []
    for name, x in flat_names(parameters).items():
        found = evaluation.cotangent(known[name])
        parts.append(np.zeros(np.size(x)) if found is None else np.ravel(found))
    return np.concatenate(parts)


def _data(found: Landscape, kind: str, here: Any, downhill: Any) -> dict[str, Any]:
    return {
        "kind": kind,
        "x": found.x,
        "y": found.y,
        **as_grid(found.losses),
        "extent": list(found.extent),
        "paths": [{"name": name, "points": way.tolist()} for name, way in found.paths],
        "here": here.tolist(),
        "gradient": downhill.tolist(),
    }
