"""Tables as people have them in files and frames, made into arrays."""

from chainrule.tables.columns import Column, Feature
from chainrule.tables.frames import only_row, row_of
from chainrule.tables.learning import lightened
from chainrule.tables.missing import Missing, Spelling
from chainrule.tables.names import spelled
from chainrule.tables.options import TableError, spell
from chainrule.tables.order import ranks
from chainrule.tables.preparation import Inputs, Preparation
from chainrule.tables.reading import read
from chainrule.tables.rescaling import rescaled
from chainrule.tables.room import give_back
from chainrule.tables.sampling import sample
from chainrule.tables.sources import as_table, cells_of_row
from chainrule.tables.streaming import stream
from chainrule.tables.table import Table
from chainrule.tables.target import Target, Task

__all__ = [
    "Column",
    "Feature",
    "Inputs",
    "Missing",
    "Preparation",
    "Spelling",
    "Table",
    "TableError",
    "Target",
    "Task",
    "as_table",
    "cells_of_row",
    "give_back",
    "lightened",
    "ranks",
    "read",
    "rescaled",
    "only_row",
    "row_of",
    "sample",
    "spell",
    "spelled",
    "stream",
]
