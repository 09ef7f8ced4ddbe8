"""The training run: epochs of batches in blocks of steps, with what happens between them."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from functools import cached_property
from typing import Any

import numpy as np

from chainrule.engines import REFERENCE, preferred
from chainrule.engines.workers import Aside
from chainrule.nn.parameters import Parameters, each, flat_names, to_read
from chainrule.tracing import trees
from chainrule.training.alike import alike
from chainrule.training.batches import Batches, means
from chainrule.training.between_epochs.callbacks import EpochEnd, reason_of
from chainrule.training.between_epochs.checkpoints import Checkpoints
from chainrule.training.between_epochs.divergence import diverged
from chainrule.training.between_epochs.progress import Display, display
from chainrule.training.between_epochs.watching import Watchers, warn_unless_finite
from chainrule.training.data import filled_up, owned
from chainrule.training.evaluation import Evaluator, Scorer, means_of, samples_are_apart
from chainrule.training.history import DIVERGED, FINISHED, History
from chainrule.training.keyframes import Keyframe, Keyframes
from chainrule.training.objective import Batch, in_order, split_frozen
from chainrule.training.position import Position, found
from chainrule.training.run import Progress, Run, as_kept, as_reported, check_settings, checked, kind_as_texts
from chainrule.training.settings import Settings, passes
from chainrule.training.steps.blocks import Block, BlockRunner, Call, Timetable
from chainrule.training.steps.loops import is_settled, prepare_runners
from chainrule.training.steps.step import TrainingStep, parameter_count
from chainrule.training.stored import StoredEvaluator, WindowedRunner, evaluator_of, layout_for

NetworkParameters = Callable[[Parameters], None]
"""Told the parameters after every epoch that somebody looks at; they are not to be written to."""


class Training:
    """A run in progress.

    `begin` lets the optimizer go on from earlier, or the whole training if it is a `Run`, with the parameters there.
    """

    def __init__(
        self,
        step: TrainingStep,
        parameters: Parameters,
        data: Batch,
        validation: Batch | None,
        settings: Settings,
        begin: Progress | None = None,
    ) -> None:
        rows = len(data.inputs[0])
        self.batch_size = min(settings.batch_size or rows, rows)
        self.weighted = data.weights is not None or data.counts is not None
        if is_settled(step) and step.objective.model.trains_as_it_predicts:
            filled = filled_up(data, self.batch_size)
            data = filled if filled is data or samples_are_apart(step.objective, data) else data
        self.data = data = owned(data)
        self.validation = None if validation is None else owned(validation)
        self.validation_rows = 0 if validation is None else len(validation.inputs[0])
        keyed = any(layer.uses_random for layer in step.objective.model.layers.values())
        count, layout = len(data.inputs[0]), layout_for(data, self.batch_size, settings.shuffle)
        engine = preferred(settings.engine)
        self.batches = Batches(rows, count, self.batch_size, settings.seed, settings.shuffle, keyed, layout, engine)
        self.steps_per_epoch = self.batches.steps_per_epoch
        self.order_of_layers = {layer: list(own) for layer, own in parameters.items()}
        learned, _ = split_frozen(parameters, settings.frozen, step.objective.model.specs)
        self.dtype = trees.leaves_of(learned)[0].dtype
        self.learned_names, self.learned_count = list(flat_names(learned)), parameter_count(learned)
        state = self._stand(step, parameters, settings, begin)
        self.timetable = Timetable(self.batches, step.optimizer.learning_rate, self.dtype)
        self.runners, self.structure, self.measures = prepare_runners(
            step, state, data, self.batch_size, settings.engine, settings.gradients, self.dtype, settings.threads,
            self.validation,
        )  # fmt: skip
        self.runner = self.runners()
        self._nest, self._leaves = trees.maker(self.structure), trees.taker(self.structure)
        self.blocks: BlockRunner | None = None
        self.validator: Evaluator | StoredEvaluator | None = None
        self.scorer: Scorer | None = None
        if self.validation is not None and not self.measures:
            self.validator = evaluator_of(step.objective, self.validation, REFERENCE.name)
        self._begin(state, begin)

    def like(self, step: TrainingStep) -> Training:
        """The same with a step of the kind, whose rate and penalties may be others: for others to be like it."""
        _ = self._same_for_all  # found once for all of them
        other = alike(self)
        other.step, other.timetable = step, Timetable(self.batches, step.optimizer.learning_rate, self.dtype)
        return other

    def another(self, parameters: Parameters, settings: Settings, blocks: BlockRunner) -> Training:
        """A training of another network by the same step, on the same data; its seed may be another."""
        other = alike(self)
        other.runner, other.blocks, other.batches = blocks.runner, blocks, self.batches.another(settings.seed)
        other.timetable = self.timetable.another(other.batches)
        other._begin(other._stand(self.step, parameters, settings), None)
        return other

    def _stand(
        self, step: TrainingStep, parameters: Parameters, settings: Settings, begin: Progress | None = None
    ) -> dict[str, Any]:
        """Take what is this training's own, and check it; gives the state it begins with."""
        self.step, self.settings = step, settings
        if begin is not None and type(begin) is not Progress:
            run = checked(begin, parameters)
            parameters = trees.map_leaves(lambda own, kept: np.array(kept), parameters, run.parameters)
        learned, frozen = split_frozen(parameters, settings.frozen, step.objective.model.specs)
        if isinstance(begin, Run):
            check_settings(begin, self.same_to_go_on, settings.epochs)
        state = step.initial_state(learned, frozen)
        if begin is not None:
            state["optimizer"] = trees.map_leaves(as_kept, state["optimizer"], begin.optimizer_state)
        return state

    def _begin(self, state: Any, begin: Progress | None) -> None:
        """Stand before the first epoch, or where a run stands."""
        steps, run = 0 if begin is None else begin.steps, begin if isinstance(begin, Run) else None
        rate, validated = self.step.optimizer.learning_rate, self.validation is not None
        self.watchers = Watchers.of(self.settings.early_stopping, rate, validated, self.steps_per_epoch, run)
        self.history = History()
        self.keyframes: Keyframes | None = None
        self.checkpoints: Checkpoints | None = None
        widths = (own := len(self.step.objective.metrics)), own if self.measures else 0
        under_way = np.empty((0, sum(widths)))
        self._begun_with: Parameters | None = None
        self._restored: Parameters | None = None
        if run is not None:
            self.batches.streams = run.streams
            self.history = run.history.copy()
            self.history.stopped, self.history.best_epoch = FINISHED, None
            under_way, self._begun_with = as_reported(run, under_way.shape[1]), run.begun_with
        self.earlier = steps - self.history.epochs * self.steps_per_epoch - len(under_way)
        nothing = Block.empty(self.history.epochs, self.batches.streams)
        leaves = self._leaves(state)
        self.runner.load(leaves)
        self._at = Position(nothing, [under_way], len(under_way), leaves, self._nest, widths)
        self._began_at: Position | None = None  # and its state, which takes room, where something watches

    # --- where it is

    @property
    def parameters(self) -> Parameters:
        """The parameters as they are now, or as early stopping has restored them; copies."""
        return each(np.array, self._together(self._at.nested, self._restored))

    def now(self, *, own: bool = False) -> Run:
        """All that the training is now; its arrays are those that the training goes on with, or its own."""
        self._show_watchers()  # which an interrupt may have kept from seeing the last epoch
        self._find()
        at, history = self._at.apart() if own else self._at, self.history.copy()
        done = history.epochs - at.block.first
        under_way = at.reported[done * self.steps_per_epoch :]
        asked = len(under_way) > 0 and self.watchers.needs_before
        begun_with = at.learned(done * self.steps_per_epoch, self._began_at, self._begun_with) if asked else None
        best = self.watchers.best
        return Run(
            optimizer_state=at.nested["optimizer"],
            steps=self.earlier + history.epochs * self.steps_per_epoch + len(under_way),
            parameters=self._together(at.nested),
            history=history,
            streams=at.block.after if done == at.block.count else self.batches.later(at.block.before, done),
            under_way=under_way,
            settings=self.same_to_go_on,
            best=best.copy() if own and best is not None else best,
            plateau=self.watchers.position,
            begun_with=found(begun_with, self.runner, at.state),
        )

    @property
    def same_to_go_on(self) -> dict[str, Any]:
        """The settings that decide about the numbers of a training: what has to be the same to go on with a run of it."""
        return {**self._same_for_all, **self.step.as_texts, "seed": int(self.settings.seed)}

    @cached_property
    def _same_for_all(self) -> dict[str, Any]:
        """Those of them that all trainings of the kind have in common."""
        kind = kind_as_texts(self.step.objective, self.step.clipping, self.settings)
        return {
            **kind,
            "learned parameters": self.learned_names,
            "rows": self.batches.rows,
            "weighted": self.weighted,
            "validation rows": self.validation_rows,
            "batch_size": self.batch_size,
            "shuffle": kind["shuffle"] + self.batches.windows,
        }

    def _together(self, nested: Any, learned: Parameters | None = None) -> Parameters:
        """All parameters of a state, in their order, with its own learned ones or with others."""
        return in_order(self.order_of_layers, nested["frozen"], learned or nested["learned"])

    # --- the run

    def run(self, current: NetworkParameters | None = None) -> History:
        """Carry out all epochs, or as many as early stopping, callbacks and Ctrl-C allow."""
        list(self.course(current))  # empty: no call is left to others
        return self.history

    def course(self, current: NetworkParameters | None = None) -> Iterator[Call]:
        """The same, gone through call by call: those that others carry out, which are to be before it goes on."""
        since = self.history.epochs
        if self.settings.record:
            self.keyframes = Keyframes(self.now(own=True), self._keyframe(), self.settings.record)
        try:
            with display(self.settings.epochs, self.settings.progress) as shown:
                yield from self._epochs(shown, current or (lambda parameters: None))
        except KeyboardInterrupt:
            self.history.interrupt()
        finally:
            if isinstance(self.runner, WindowedRunner):
                self.runner.rest()
            self._catch_up()
        warn_unless_finite(self.history, since)
        with suppress(KeyboardInterrupt):  # there is nothing left to be ended
            self._find()
        self._find()
        best = self.watchers.best
        if best is not None and best.parameters is not None:
            self._restored, self.history.best_epoch = best.parameters, best.epoch

    def _epochs(self, shown: Display, current: NetworkParameters) -> Iterator[Call]:
        """All epochs, in blocks; while one is carried out, the next is prepared aside where nothing can change it."""
        settings, share = self.settings, 1.0 if self.keyframes is None else self.keyframes.share
        runner = self.blocks or BlockRunner(self.runner, self.steps_per_epoch, share)
        alone = not self._looked_at and not settings.callbacks
        certain = alone and not runner.by_others and not self.watchers and settings.stop is None
        if self._is_over() or (done := self.history.epochs) == settings.epochs:
            return
        count, ahead = max(-(-self._at.steps // self.steps_per_epoch), self._length(done, runner) if alone else 1), None
        while True:
            block = self.block(done, count) if ahead is None else ahead.result()
            self._at = self._at.before(block)
            following, ahead = block.first + block.count, None
            if certain and runner.knows_its_speed and following < settings.epochs:
                ahead = Aside(self.block, following, self._length(following, runner))
            self._began = time.perf_counter()
            try:
                yield from self._carry_out(block, runner, shown)
            finally:  # also when interrupted or diverged: the epochs that were completed are history
                self._hold(block)
                row = self._note_epochs(block)
                if ahead is not None:
                    ahead.wait()
            if self.history.stopped != FINISHED:
                return
            shown.update(following, row)
            ended = self._ended(row, current) or following >= settings.epochs
            if self.checkpoints is not None:
                self.checkpoints.note(following, None if ended else self.now)
            if ended:
                return
            done, count = following, self._length(following, runner) if alone else 1

    def _length(self, done: int, runner: BlockRunner) -> int:
        """How many epochs from number `done` on one block takes."""
        stop = math.inf if self.settings.stop is None else self.settings.stop.ahead
        return runner.epochs_at_once(min(self.settings.epochs - done, stop, self.watchers.ahead(self.history)))

    def _carry_out(self, block: Block, runner: BlockRunner, shown: Display) -> Iterator[Call]:
        """The steps of a block that are not yet done."""
        self._began_at = None if self.watchers.stopping is None else self._at
        if self.watchers.needs_before and not self._at.steps:
            self._begun_with = self._at.nested["learned"]
        for call in runner.calls(block, self._at.steps):
            if runner.by_others:
                yield call
            report, state = call.ended()
            if not np.isfinite(report[:, : self._at.widths[0]]).all() or not state.is_finite:
                raise self._diverged(block, call, report)
            steps = call.first + call.count
            self._at = self._at.after(report, steps, state)
            if self.keyframes is not None:
                self.keyframes.note(block.first * self.steps_per_epoch + steps, report, self._keyframe)
            if steps < block.count * self.steps_per_epoch:
                so_far = means(self._at.metrics[None, -self.steps_per_epoch :], self.batches.step_rows)[0]
                done = block.first + steps / self.steps_per_epoch
                if self.checkpoints is not None:
                    self.checkpoints.note(int(done), self.now)
                shown.update(done, dict(zip(self.step.objective.metrics, so_far, strict=True)))

    def _diverged(self, block: Block, call: Call, report: Any) -> Exception:
        """The error for a call that left the finite numbers; the training then stands before the step that did."""
        error = diverged(
            self.runner, self._at.state, block.order, call.first, call.scalars, step=self.step, structure=self.structure,
            data=self.data, batch_size=self.batch_size, done=block.first, history=self.history,
        )  # fmt: skip
        done = (error.epoch - block.first) * self.steps_per_epoch + error.batch
        self._at = self._at.after(report[: done - call.first], done, self.runner.state)
        self.history.stopped = DIVERGED
        return error

    def _completed(self, block: Block) -> dict[str, Any]:
        """The metrics of the completed epochs of a block, an array for every name; empty if there are none."""
        steps = self._at.metrics
        taken = block.first * self.steps_per_epoch + len(steps)
        self.history.passes.update(passes(taken, self.settings.gradients, self.learned_count))
        epochs = len(steps) // self.steps_per_epoch
        if not epochs:
            return {}
        whole = steps[: epochs * self.steps_per_epoch].reshape(epochs, self.steps_per_epoch, -1)
        by_epoch = means(whole, self.batches.step_rows)
        columns: dict[str, Any] = dict(zip(self.step.objective.metrics, by_epoch.T, strict=True))
        columns["learning_rate"] = block.rates[self.steps_per_epoch - 1 :: self.steps_per_epoch][:epochs]
        columns["seconds"] = np.full(epochs, (time.perf_counter() - self._began) / block.count)
        if self.measures and self.validation is not None:
            sums = self._at.measured[self.steps_per_epoch - 1 :: self.steps_per_epoch][:epochs]
            found = means_of(sums, self.step.objective, self.validation)
            columns |= {f"val_{name}": values for name, values in found.items()}
        return columns

    def _hold(self, block: Block) -> None:
        """Take the moment at the end of a block before it is history, of which no callback has been told."""
        if self.checkpoints is not None and self._at.steps == block.count * self.steps_per_epoch:
            self.checkpoints.hold(self.now)

    def _catch_up(self) -> None:
        """Note the epochs whose noting was interrupted; what looks at every one has them one at a time, and is never far behind."""
        block = self._at.block
        if not self._looked_at and self.history.epochs == block.first:
            self._hold(block)
            self.history.extend(self._completed(block))
        self._show_watchers()

    def _note_epochs(self, block: Block) -> dict[str, float]:
        """Add the completed epochs of a block to what is known of the training; gives the last one's metrics."""
        columns, names = self._completed(block), self.step.objective.metrics
        if not columns:
            return {}
        if self.settings.stop is not None:
            for i, values in enumerate(zip(*(columns[name].tolist() for name in names), strict=True)):
                row = dict(zip(names, values, strict=True))
                self.history.stopped = self.settings.stop(block.first + i, row) or FINISHED
        seconds = columns.pop("seconds")
        if self.validator is not None:  # then epochs come one at a time
            columns |= {f"val_{k}": [v] for k, v in self.validator(self._together(self._at.nested)).items()}
        if self.scorer is not None:
            columns |= {name: [value] for name, value in self.scorer(self._together(self._at.nested)).items()}
        self.history.extend({**columns, "seconds": seconds})
        self._show_watchers()
        return {name: float(values[-1]) for name, values in columns.items()}

    @property
    def _looked_at(self) -> bool:
        """Whether something looks at every epoch, so that they come one at a time; what watches where others ask it on the way."""
        kept = self.keyframes is not None or self.checkpoints is not None or isinstance(self.runner, WindowedRunner)
        return self.validator is not None or self.scorer is not None or (kept and bool(self.watchers))

    def _show_watchers(self) -> None:
        """Show the last epoch to what watches and has not seen it."""
        self.watchers.see(self.history, self._learned)

    def _learned(self, epoch: int, end: int) -> Any:
        """The learned parameters before (0) or after (1) an epoch of the block, or what they are found by."""
        steps = (epoch + end - self._at.block.first) * self.steps_per_epoch
        return self._at.learned(steps, self._began_at, self._begun_with)

    def _find(self) -> None:
        """Have early stopping's parameters, which may so far be places within a block."""
        self.watchers.find(lambda learned: found(learned, self.runner, self._at.state))

    def _ended(self, row: dict[str, float], current: NetworkParameters) -> bool:
        """Show the last epoch to the callbacks; says whether one of them or early stopping ends the training."""
        if self.settings.callbacks:
            now = self.now()
            current(each(to_read, now.parameters))
            for callback in self.settings.callbacks:
                end = EpochEnd(now.epochs - 1, dict(row), each(np.array, now.parameters), now)
                if reason := reason_of(callback(end)):
                    self.history.stopped = reason
                    return True
        return self._is_over()

    def _is_over(self) -> bool:
        """Whether early stopping has ended the training."""
        if over := self.watchers.are_over(self.history):
            self.history.stopped = "early stopping"
        return over

    def block(self, done: int, count: int) -> Block:
        """Some epochs from number `done` on: orders, learning rates, and keys of the random numbers."""
        by_others = self.blocks is not None and self.blocks.by_others
        return self.timetable.block(done, count, self.earlier, self.watchers.scale, by_others=by_others)

    # --- what is recorded

    def _keyframe(self) -> Keyframe:
        """Where it is now; nothing is copied."""
        at, nested = self._at, self._at.nested
        step = at.block.first * self.steps_per_epoch + at.steps
        return Keyframe(step, nested["learned"], nested["optimizer"], at.block.first, at.block.before)

    def recorded(self) -> Keyframes | None:
        """What was kept on the way, up to where the training is now; `None` if it is not recorded."""
        return None if self.keyframes is None else self.keyframes.ended(self._keyframe(), self._at.reported)
