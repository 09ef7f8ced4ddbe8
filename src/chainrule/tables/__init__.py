"""Tables as people have them in files and frames, made into arrays."""

from chainrule.tables.columns import Column, Feature
from chainrule.tables.missing import Missing, Spelling
from chainrule.tables.names import spelled
from chainrule.tables.options import TableError, spell
from chainrule.tables.order import ranks
from chainrule.tables.preparing.learning import lightened
from chainrule.tables.preparing.preparation import Inputs, Preparation
from chainrule.tables.preparing.rescaling import rescaled
from chainrule.tables.preparing.target import Target, Task
from chainrule.tables.sources.frames import only_row, row_of
from chainrule.tables.sources.room import give_back
from chainrule.tables.sources.sampling import sample
from chainrule.tables.sources.source import as_table, cells_of_row
from chainrule.tables.sources.streaming import stream
from chainrule.tables.table import Table
from chainrule.tables.text.reading import read

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
