"""`chainrule export`: a stored model as an ONNX model, for runtimes of other languages and machines."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

import chainrule as cr
from chainrule.cli.console import say
from chainrule.cli.files import to_read, to_write
from chainrule.tabular import TableModel


def export(
    model: Annotated[Path, typer.Argument(help="A model saved by `chainrule train --save`.", metavar="MODEL")],
    output: Annotated[Path, typer.Argument(help="The ONNX file to write, such as model.onnx.", metavar="FILE")],
) -> None:
    """Convert a saved model, including its preparation of columns, to ONNX for runtimes in other languages."""
    to_write(output, "FILE", model=model)
    found = cr.load(to_read(model))
    found.export(output)
    say(f"Wrote {output}.", "bold")
    if isinstance(found, TableModel):
        for column in found.preparation.used:
            say(f"  {column.name}  {column.told_alone}")
