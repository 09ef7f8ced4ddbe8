"""Text files as people have them, read into a `Table`."""
from __future__ import annotations

from pathlib import Path

import numpy as np

from chainrule.tables.dialect import look
from chainrule.tables.encoding import utf8
from chainrule.tables.table import Table


def read(path, separator=None, header=True, decimal=None):
    """Thin."""
    import polars as pl

    path = Path(path)
    data, notes = utf8(path.read_bytes(), path.name)
    dialect = look(data, path.name, separator, header)
    frame = pl.read_csv(data[dialect.start:], has_header=False, schema={str(i): pl.String for i in range(len(dialect.names))}, separator=dialect.separator)
    frame = frame.select(pl.all().str.strip_chars()).select(pl.when(pl.all() != "").then(pl.all()))
    frame.columns = list(dialect.names)
    return Table(frame, path.name, np.arange(len(frame)) + dialect.line, dialect.separator, header=header, notes=tuple(notes))
