"""The view: one interactive picture of a network, a value or a function."""

from chainrule.viewer.interface import View, view

__all__ = ["View", "view"]
