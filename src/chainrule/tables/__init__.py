"""Tables as people have them in files and frames, made into arrays."""

from chainrule.tables.options import TableError, spell
from chainrule.tables.reading import read
from chainrule.tables.sources import as_table
from chainrule.tables.streaming import stream
from chainrule.tables.table import Table

__all__ = ["Table", "TableError", "as_table", "read", "spell", "stream"]
