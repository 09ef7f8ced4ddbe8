"""Lessons that come with the view, each a walk through one network."""

from chainrule.viewer.lessons.exclusive_or import EXCLUSIVE_OR
from chainrule.viewer.lessons.lesson import Lesson, Question, Step
from chainrule.viewer.lessons.one_neuron import ONE_NEURON
from chainrule.viewer.lessons.two_layers import TWO_LAYERS
from chainrule.viewer.lessons.vanishing import VANISHING

LESSONS: dict[str, Lesson] = {
    "neuron": ONE_NEURON,
    "layers": TWO_LAYERS,
    "xor": EXCLUSIVE_OR,
    "vanishing": VANISHING,
}
"""All of them, by the names that `chainrule view --lesson` knows them by."""

__all__ = ["LESSONS", "Lesson", "Question", "Step"]
