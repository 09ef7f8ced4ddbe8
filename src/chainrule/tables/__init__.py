"""Tables as people have them in CSV files, made into arrays."""

from chainrule.tables.columns import Category, Numeric
from chainrule.tables.missing import Missing
from chainrule.tables.options import TableError, spell
from chainrule.tables.preparation import Inputs, Preparation
from chainrule.tables.preparing import Prepared, prepare
from chainrule.tables.reading import read
from chainrule.tables.table import Table
from chainrule.tables.target import Target, Task

__all__ = [
    "Category",
    "Inputs",
    "Missing",
    "Numeric",
    "Preparation",
    "Prepared",
    "Table",
    "TableError",
    "Target",
    "Task",
    "prepare",
    "read",
    "spell",
]
