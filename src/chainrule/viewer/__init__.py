"""The view: one interactive picture of a network, a value or a function."""

from chainrule.viewer.interface import View, lesson, view

__all__ = ["View", "lesson", "view"]
