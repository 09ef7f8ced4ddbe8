"""`chainrule diagnose`: what is wrong with a training step of a stored model on a table."""

from __future__ import annotations

import json
from dataclasses import replace
from enum import StrEnum
from typing import Annotated, Any

import typer

from chainrule.cli.explain import Form, print_parts
from chainrule.cli.options import Decimal, Encoding, Separator
from chainrule.cli.predict import AsTrained, DataPath, ModelPath
from chainrule.cli.rows import chosen, tell
from chainrule.training import as_optimizer

STEP: Any = {"rich_help_panel": "The step"}


class DiagnosisForm(StrEnum):
    """What a diagnosis is written as."""

    text = "text"
    markdown = "markdown"
    json = "json"
    html = "html"


def diagnose(
    model: ModelPath,
    data: DataPath,
    row: Annotated[
        list[int] | None,
        typer.Option(min=1, help="A row of DATA, counted from 1; several form one batch. By default all.", metavar="N"),
    ] = None,
    optimizer: Annotated[
        str, typer.Option(help="The optimizer: adam, sgd, rmsprop, ….", **STEP, metavar="NAME")
    ] = "adam",
    learning_rate: Annotated[
        float | None, typer.Option(help="The learning rate. By default the optimizer's own.", **STEP, metavar="RATE")
    ] = None,
    missing: AsTrained = None,
    separator: Separator = None,
    encoding: Encoding = None,
    decimal: Decimal = None,
    digits: Annotated[int, typer.Option(min=1, max=17, help="Significant digits.", metavar="N")] = 3,
    form: Annotated[DiagnosisForm, typer.Option("--format", help="The output format.")] = DiagnosisForm.text,
) -> None:
    """Diagnose a training step: vanishing gradients, dead units, steps that are too large, NaN, and what to try.

    chainrule diagnose model.safetensors data.csv
    """
    chosen_optimizer = as_optimizer(optimizer)
    if learning_rate is not None:
        chosen_optimizer = replace(chosen_optimizer, learning_rate=learning_rate)
    rows = chosen(model, data, row or [], missing, separator, encoding, decimal)
    found = rows.network.diagnose(rows.X, rows.y, optimizer=chosen_optimizer, digits=digits)
    if form is DiagnosisForm.text:
        tell(rows)
    whole = found.to(form.value)
    print_parts([json.loads(whole) if form is DiagnosisForm.json else whole], Form(form.value))
