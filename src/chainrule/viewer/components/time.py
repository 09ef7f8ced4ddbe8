"""The time machine: where in a training one is, forwards and backwards by operation, stage, step and epoch, and branches."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from chainrule.errors import SettingError, UnknownNameError
from chainrule.training import Recording
from chainrule.training.recorded.recording import StepBatch
from chainrule.viewer.component import Component, command, part
from chainrule.viewer.components.reasons import written
from chainrule.viewer.networks import NetworkSubject
from chainrule.viewer.subject import MOMENT
from chainrule.viewer.timeline import Timeline
from chainrule.viewer.trainer import Glimpse, Plan, Trainer, goes_on
from chainrule.viewer.walk import Walk

TIME = "time"
GRAINS = ("operation", "stage", "step", "epoch")
JUMPS = ("start", "end", "loss rose", "unit died")
POINTS = 600
"""Points of a curve that are sent."""


SLOWEST, FASTEST = 0.01, 60.0
"""Moves a second."""


class Time(Component):
    """Where in its training a network is looked at. `rows` says whether the rows shown are those of each step's batch."""

    def __init__(self, subject: NetworkSubject, plan: Plan, recording: Recording | None = None) -> None:
        self.subject, self.plan = subject, plan
        self.timeline: Timeline | None = None
        self.grain, self.speed, self.playing = "step", 8.0, 0
        self.follows_batch = True
        self._live: tuple[int, int] | None = None
        self._under_way: list[list[float]] = []
        self._of: tuple[Any, Plan] | None = None
        self._rows_of: Any = subject.given
        topics = subject.topics
        self.trainer = Trainer(subject, lambda action: topics.post(action), self._ended, self._seen)
        if recording is not None:
            self.timeline = Timeline(recording)
            if goes_on(recording.at(recording.steps)):
                self._of = _of(subject, plan)
            self._arrive()

    # --- going about

    def _timeline(self) -> Timeline:
        if self.timeline is None:
            raise SettingError("there is no training to go through yet; train the network first.")
        return self.timeline

    def _arrive(self) -> None:
        """Show the moment that the timeline is at."""
        timeline = self._timeline()
        batch = self.batch()
        if self.follows_batch and batch is not None:
            self.subject.rows = batch.rows
        self.subject.show(timeline.at(timeline.step).parameters, timeline.owner(timeline.step).rule.objective)
        self._walk(None)
        self.subject.topics.touch(TIME)

    def batch(self) -> StepBatch | None:
        """What the step that comes next was given, at the end the last one; `None` where these are not the data any more."""
        timeline = self.timeline
        if timeline is None or timeline.steps == timeline.first or self._rows_of is not self.subject.given:
            return None
        return timeline.batch(min(timeline.step, timeline.steps - 1))

    def plans(self, plan: Plan) -> None:
        """How the next training goes; where there was none yet, the loss shown is the one that it is to lower."""
        self.plan = plan
        if self.timeline is None and self.subject.objective.penalty != plan.penalty:
            self.subject.lower(replace(self.subject.objective, penalty=plan.penalty))

    def _walk(self, done: int | None) -> None:
        """Show so many operations of the step as done, `None` for all."""
        whole = done is None or done >= Walk(self.subject.evaluation).count
        self.subject.done = None if whole else done
        self.subject.topics.touch(TIME, MOMENT)

    @command
    def go(self, step: int, operation: int | None = None, stage: str | None = None) -> None:
        """Go to the moment after so many steps, and within the next one to a place."""
        timeline = self._timeline()
        _unless_whole("step", step)
        timeline.go(int(step))
        self._arrive()
        if stage is not None:
            stops = dict(zip(("start", "forward", "backward"), Walk(self.subject.evaluation).stops, strict=True))
            if stage not in stops:
                raise UnknownNameError.among("stage", stage, stops)
            operation = stops[stage]
        if operation is not None:
            _unless_whole("operation", operation)
            self._walk(max(0, int(operation)))

    @command
    def move(self, grain: str, by: int = 1) -> bool:
        """So many operations, stages, steps or epochs further, or back; says whether there was anywhere to go."""
        if grain not in GRAINS:
            raise UnknownNameError.among("grain", grain, GRAINS)
        _unless_whole("by", by)
        self.grain = grain
        before = (self._timeline().step, self.subject.done)
        if grain in ("step", "epoch"):
            self._move_by_steps(int(by) * (self._timeline().steps_per_epoch if grain == "epoch" else 1), grain)
        else:
            for _ in range(abs(int(by))):
                if not self._move_within(grain, 1 if by > 0 else -1):
                    break
        self.subject.topics.touch(TIME)
        return before != (self._timeline().step, self.subject.done)

    def _move_by_steps(self, by: int, grain: str) -> None:
        timeline = self._timeline()
        target = timeline.step + by
        if grain == "epoch":  # to where one begins
            epoch = timeline.steps_per_epoch
            target = (timeline.step + by) // epoch * epoch if by > 0 else -(-(timeline.step + by) // epoch) * epoch
        timeline.go(target)
        self._arrive()

    def _move_within(self, grain: str, by: int) -> bool:
        """One operation or stage, if there is one; past the end of a step comes its update, which leads to the next one."""
        timeline, walk = self._timeline(), Walk(self.subject.evaluation)
        done = walk.count if self.subject.done is None else self.subject.done
        stops = range(walk.count + 1) if grain == "operation" else walk.stops
        further = [x for x in stops if (x > done if by > 0 else x < done)]
        if further:
            self._walk(min(further) if by > 0 else max(further))
        elif by > 0 and timeline.step < timeline.steps:
            timeline.go(timeline.step + 1)
            self._arrive()
            self._walk(0)
        elif by < 0 and timeline.step > timeline.first:
            timeline.go(timeline.step - 1)
            self._arrive()
        else:
            return False
        return True

    @command
    def jump(self, to: str) -> str:
        """Go to the start, to the end, or to where something happens next; says what."""
        timeline = self._timeline()
        if to not in JUMPS:
            raise UnknownNameError.among("jump", to, JUMPS)
        if to in ("start", "end"):
            timeline.go(timeline.first if to == "start" else timeline.steps)
            self._arrive()
            return ""
        event = timeline.find(to, after=timeline.step)
        if event is None:
            what = "the loss does not rise from one epoch to the next" if to == "loss rose" else "no unit dies"
            return f"After step {timeline.step} {what} any more."
        timeline.go(event.step)
        self._arrive()
        return f"Step {event.step}: {event.what}."

    # --- by itself

    @command
    def play(self, grain: str | None = None, speed: float | None = None, by: int = 1) -> None:
        """Go on by itself, so many moves a second, backwards if `by` is negative; without a training, begin one."""
        if grain is not None and grain not in GRAINS:
            raise UnknownNameError.among("grain", grain, GRAINS)
        if speed is not None:
            SettingError.unless_number("play", "speed", speed, above=0)
            self.speed = min(max(float(speed), SLOWEST), FASTEST)
        self.grain = grain or self.grain
        if self.timeline is None:
            self.train()
            return
        if by > 0 and self.timeline.step == self.timeline.steps:
            self.timeline.go(self.timeline.first)
            self._arrive()
        self.playing = 1 if by > 0 else -1
        self.subject.topics.repeat(self._play_on, 1.0 / self.speed)
        self.subject.topics.touch(TIME)

    def _play_on(self) -> None:
        going = False
        try:
            going = self.move(self.grain, self.playing)
        finally:
            if not going:
                self.pause()

    @command
    def pause(self) -> None:
        """Stand still; a training under way ends after its epoch."""
        self.playing = 0
        self.trainer.stop()
        self.subject.topics.repeat(None)
        self.subject.topics.touch(TIME)

    def close(self) -> None:
        """Nothing goes on by itself any more."""
        self.pause()

    # --- training

    @command
    def train(self, epochs: int | None = None, wait: bool = False) -> None:
        """Train for so many epochs, from where the last training ended or from the parameters shown."""
        if self.trainer.running:
            raise SettingError("a training is under way, and there is one at a time; call pause before.")
        plan = self.plan if epochs is None else replace(self.plan, epochs=epochs)
        begin, timeline, of = None, self.timeline, _of(self.subject, plan)
        goes_on = timeline is not None and self._of is not None and self._of[0] is of[0] and self._of[1] == of[1]
        if timeline is not None and goes_on:
            begin = timeline.trunk[-1].at(timeline.trunk[-1].steps)
        training = self.trainer.prepare(plan, begin)  # where this is refused, all stays as it is
        self._walk(None)
        if timeline is not None and goes_on:
            timeline.show(None)
        else:  # other data or settings: another training, from the parameters shown
            self.timeline = None
        self._of, self._rows_of = of, self.subject.given
        self.plans(plan)
        self._live, self._under_way = (0, 0), []
        self.trainer.start(training, wait=wait)
        self.subject.topics.touch(TIME)

    def _seen(self, moment: Glimpse) -> None:
        """Show a moment of the training under way."""
        self._live = (moment.step, int(moment.epochs))
        self._under_way.append([moment.step, moment.loss])
        if len(self._under_way) > 2 * POINTS:
            del self._under_way[1::2]
        self.subject.show(moment.parameters)
        self.subject.topics.touch(TIME)

    def _ended(self, recording: Recording | None, says: str) -> None:
        self._live = None
        if recording is not None:
            if self.timeline is None:
                self.timeline = Timeline(recording)
            else:
                self.timeline.trunk.append(recording)
            self.timeline.go(self.timeline.steps)
            self._arrive()
        if says:
            self.subject.topics.say("error", says)
        self.subject.topics.touch(TIME)

    # --- branches

    @command
    def branch(self, settings: dict[str, Any] | None = None, name: str = "") -> int:
        """Go on from here with other settings, and look at that; the number of the branch."""
        timeline = self._timeline()
        timeline.branch(dict(settings or {}), name)
        self._arrive()
        return len(timeline.branches) - 1

    @command
    def show(self, branch: int | None) -> None:
        """Look at a branch, or at the training itself."""
        self._timeline().show(branch)
        self._arrive()

    # --- parts

    @part(MOMENT, TIME)
    def position(self) -> dict[str, Any]:
        """Where one is."""
        common = {"grain": self.grain, "speed": self.speed, "playing": self.playing, "training": self.trainer.running}
        loss = self.subject.number(self.subject.output)
        shared = {**common, "loss": loss, "loss_text": written(loss, self.subject.digits + 2)}
        if self.timeline is None or self._live is not None:
            step, epoch = self._live or (0, 0)
            return {
                **shared,
                "step": step,
                "first": 0,
                "steps": 0,
                "epoch": epoch,
                "epochs": self.plan.epochs,
                "branches": [],
            }
        timeline, walk = self.timeline, Walk(self.subject.evaluation)
        within = timeline.step < timeline.steps
        return {
            **shared,
            "step": timeline.step,
            "first": timeline.first,
            "steps": timeline.steps,
            "epoch": timeline.step // timeline.steps_per_epoch,
            "epochs": -(-timeline.steps // timeline.steps_per_epoch),
            "steps_per_epoch": timeline.steps_per_epoch,
            "stage": None if self.subject.done is None else walk.stage(self.subject.done),
            "operation": self.subject.done,
            "operations": walk.count,
            "says": "" if self.subject.done is None else walk.says(self.subject.done),
            "branch": timeline.shown,
            "branches": [{"name": x.name, "from": x.start, "settings": x.settings} for x in timeline.branches],
            "learning_rate": timeline.batch(timeline.step).learning_rate if within else None,
        }

    @part(TIME)
    def curves(self) -> dict[str, Any] | None:
        """The loss of every step, of the training and of its branches; while one is under way of what was shown."""
        timeline = self.timeline
        under_way = [{"name": "training", "kind": "training", "points": list(self._under_way)}] if self._live else []
        if timeline is None or under_way:
            return {"series": under_way, "x": "step", "y": "loss"} if under_way else None
        kinds: list[tuple[str, str, int | None]] = [("training", "training", None)]
        kinds += [(branch.name, "branch", i) for i, branch in enumerate(timeline.branches)]
        series = [{"name": name, "kind": kind, "points": _thinned(*timeline.losses(i))} for name, kind, i in kinds]
        return {"series": series, "x": "step", "y": "loss"}


def _of(subject: NetworkSubject, plan: Plan) -> tuple[Any, Plan]:
    """What has to be the same for a training to be gone on with."""
    return subject.data, replace(plan, epochs=1)


def _thinned(steps: Any, losses: Any) -> list[list[float]]:
    """As many points as are sent, evenly spread, the last one among them."""
    every = max(1, -(-len(steps) // POINTS))
    kept = list(range(0, len(steps), every))
    if kept and kept[-1] != len(steps) - 1:
        kept.append(len(steps) - 1)
    return [[step, loss] for step, loss in zip(steps[kept].tolist(), losses[kept].tolist(), strict=True)]


def _unless_whole(name: str, value: Any) -> None:
    if isinstance(value, bool) or not isinstance(value, int | float) or value != int(value):
        raise SettingError(f"{name} was given as {value!r}; give a whole number.")
