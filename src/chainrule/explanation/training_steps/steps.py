"""One training step to walk through: its stages, each with numbers and tables."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from chainrule.errors import SettingError
from chainrule.explanation.rendering.json_form import written
from chainrule.explanation.rendering.steps import data_of
from chainrule.explanation.rendering.written import Written
from chainrule.explanation.training_steps.stage import Stage
from chainrule.explanation.training_steps.stages import stages_of
from chainrule.explanation.training_steps.stepping import Steps


class StepByStep(Written):
    """A training step to walk through: `initial`, `forward`, `loss`, `backward`, `gather`, `update`.

    Each is an object with numbers (`step.forward.layers[0].neurons[1].z`) that prints as a table. `next()` and
    `back()` walk through them, with `by="layer"` a layer at a time; iterating gives all six. The network is left as it
    is; `following()` is the step after this one and `preceding()` the one before, each with its own mini-batch. `rows` are the
    rows of the data in this one's, and `number` counts the steps from 0. With numerical gradients `nudges` are in place of
    `backward`.

    What is shown is what `fit` does with these rows: `update.after` are its new parameters, bit for bit.
    `exact` says whether the values in between were read from that very computation as well (see `Seen`).
    """

    initial: Stage
    forward: Stage
    loss: Stage
    backward: Stage
    nudges: Stage
    gather: Stage
    update: Stage

    def __init__(self, steps: Steps, digits: int = 4, states: Sequence[Any] = ()) -> None:
        """The step after those that left the `states`."""
        SettingError.unless_count("step_by_step", "digits", digits)
        self._steps, self._digits, self._states = steps, digits, tuple(states)
        seen, after = steps.watch(len(states), states[-1] if states else None)
        self.number, self.rows, self.exact, self._after = seen.number, seen.rows, seen.exact, after
        self._stages = stages_of(seen, digits)
        vars(self).update(self._stages)
        self._pages = [
            (i, j) for i, stage in enumerate(self) for j in (range(len(stage.layers)) if stage.layers else [None])
        ]
        self._at = -1

    def __getattr__(self, name: str) -> Any:
        raise AttributeError(
            f"this training step has no {name!r}; its stages are {', '.join(vars(self).get('_stages', ()))}."
        )

    def __iter__(self) -> Iterator[Stage]:
        return iter(self._stages.values())

    def __len__(self) -> int:
        return len(self._stages)

    def following(self) -> StepByStep:
        """The next step, on the next mini-batch, from the new parameters and with what the optimizer keeps."""
        return StepByStep(self._steps, self._digits, (*self._states, self._after))

    def preceding(self) -> StepByStep:
        """The step before; of the first one the first again."""
        return StepByStep(self._steps, self._digits, self._states[:-1])

    # --- walking

    @property
    def here(self) -> Stage:
        """The stage that `next` or `back` gave last; the first before either was called."""
        return list(self)[self._pages[max(self._at, 0)][0]]

    def next(self, by: str = "stage") -> Stage:
        """The next stage, or with `by="layer"` the next layer of it; at the end the last again."""
        return self._walk(1, by)

    def back(self, by: str = "stage") -> Stage:
        """The stage before, or with `by="layer"` the layer before; at the beginning the first again."""
        return self._walk(-1, by)

    def _walk(self, step: int, by: str) -> Stage:
        if by not in ("stage", "layer"):
            raise SettingError(f"by was given as {by!r}; use 'stage' or 'layer'.")
        at, last = self._at, len(self._pages) - 1
        if by == "layer" or at < 0:
            self._at = min(max(at + step, 0), last)
        else:
            wanted = min(max(self._pages[at][0] + step, 0), len(self) - 1)
            self._at = next(i for i, (stage, _) in enumerate(self._pages) if stage == wanted)
        stage, layer = self._pages[self._at]
        whole = list(self)[stage]
        return whole if by == "stage" or layer is None else whole.page(layer)

    def forms(self) -> Mapping[str, Callable[[StepByStep], str]]:
        """What writes all stages as text, Markdown and JSON; there every number is in full, by its key."""
        return {
            "text": lambda own: "\n\n".join(f"{i}. {stage}" for i, stage in enumerate(own, 1)),
            "markdown": lambda own: "\n\n".join(stage._repr_markdown_() for stage in own),
            "json": lambda own: written(data_of(own._stages, own.exact)),
        }
