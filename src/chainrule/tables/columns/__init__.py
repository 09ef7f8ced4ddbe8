"""The kinds of input columns, each one declared once."""

from chainrule.tables.columns.boolean import Boolean
from chainrule.tables.columns.category import Category
from chainrule.tables.columns.column import Column, Feature
from chainrule.tables.columns.left_out import LeftOut
from chainrule.tables.columns.number import Number
from chainrule.tables.columns.text import Text
from chainrule.tables.columns.time import Time

KINDS: tuple[type[Column], ...] = (Boolean, Time, Number, Text, Category, LeftOut)
"""In the order in which a column is tried: the first kind that its cells can be."""

__all__ = ["KINDS", "Boolean", "Category", "Column", "Feature", "LeftOut", "Number", "Text", "Time"]
