"""Branches: a training gone on from a moment with other settings."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from chainrule.nn.parameters import Parameters
from chainrule.tracing import trees
from chainrule.training.named import as_optimizer
from chainrule.training.run import Run, as_text
from chainrule.training.steps.step import TrainingStep


def changed(rule: TrainingStep, optimizer: Any, learning_rate: Any, l1: float | None, l2: float | None) -> TrainingStep:
    """A step with another optimizer, learning rate or penalty, as far as they are given."""
    new = rule.optimizer if optimizer is None else as_optimizer(optimizer)
    if learning_rate is not None:
        new = replace(new, learning_rate=learning_rate)
    penalty = rule.objective.penalty
    penalty = replace(penalty, l1=penalty.l1 if l1 is None else l1, l2=penalty.l2 if l2 is None else l2)
    return replace(rule, optimizer=new, objective=replace(rule.objective, penalty=penalty))


def run_of_branch(run: Run, old: TrainingStep, new: TrainingStep, learned: Parameters, seed: int) -> Run:
    """The run of one step for another, without early stopping.

    The state of an optimizer serves another of its kind that keeps as much; where a plateau stands is what its schedule
    made of the past.
    """
    settings = {
        **run.settings,
        "optimizer": as_text(new.optimizer),
        "penalty": as_text(new.objective.penalty),
        "early_stopping": None,
        "seed": seed,
    }
    run = replace(run, settings=settings, best=None, begun_with=None)
    if as_text(new.optimizer.learning_rate) != as_text(old.optimizer.learning_rate):
        run = replace(run, plateau=None)
    fresh = new.initial_state(learned, {})["optimizer"]
    if type(new.optimizer) is type(old.optimizer) and trees.flatten(fresh)[1] == trees.flatten(run.optimizer_state)[1]:
        return run
    return replace(run, steps=0, optimizer_state=fresh)
