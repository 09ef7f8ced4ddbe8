"""The table that `network.summary()` gives."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from chainrule.errors import SettingError
from chainrule.network.base import BaseNetwork
from chainrule.nn.initializer import LARGEST
from chainrule.notebooks import Text
from chainrule.training import as_optimizer, heads_of
from chainrule.training.steps.memory_use import memory_plan

Row = tuple[str, ...]


class Summary(Text):
    """The table as text, which notebooks show as a table."""

    rows: Sequence[Row]
    ending: Sequence[str]

    def __new__(cls, rows: Sequence[Row], ending: Sequence[str]) -> Summary:
        """From the rows, the heads among them, and the lines below."""
        widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
        lines = ["  ".join([*map(str.ljust, row[:-1], widths[:-1]), row[-1].rjust(widths[-1])]) for row in rows]
        rule = "─" * len(lines[0])
        made = super().__new__(cls, "\n".join([lines[0], rule, *lines[1:], rule, *ending]))
        made.rows, made.ending = tuple(rows), tuple(ending)
        return made

    def __getnewargs__(self) -> tuple[Any, ...]:
        return self.rows, self.ending

    def _repr_html_(self) -> str:
        from chainrule.explanation.rendering.tables import Table

        heads, *rows = self.rows
        return Table("", heads, tuple(rows), "\n".join(self.ending), texts=3)._repr_html_()


def summary(network: BaseNetwork, batch_size: int | None = None, optimizer: Any = "adam", loss: Any = None) -> Summary:
    """Layers with what they give for one row and how many parameters they have, as aligned text.

    With a size of batches, also the memory that a training takes.
    """
    model, parameters = network.model, network.parameters
    rows = [("layer", "kind", "output", "parameters")]
    for name, layer in model.layers.items():
        count = sum(int(np.size(p)) for p in parameters.get(name, {}).values())
        rows.append((name, repr(layer), _shape(model.shapes.get(name, ())), f"{count:,}"))
    total = sum(int(np.size(p)) for own in parameters.values() for p in own.values())
    size = sum(int(p.nbytes) for own in parameters.values() for p in own.values())
    inputs = ", ".join(f"{n} {_shape(s)}" for n, s in zip(network.input_names, model.inputs, strict=True))
    ending = [f"inputs: {inputs} · {total:,} parameters, {network.dtype.name}, {_bytes(size)}"]
    if network.frozen:
        ending.append(f"frozen: {', '.join(network.frozen)}")
    if batch_size is not None:
        ending += _training(network, batch_size, optimizer, loss)
    return Summary(rows, ending)


def _training(network: BaseNetwork, batch_size: int, optimizer: Any, loss: Any) -> list[str]:
    SettingError.unless_count("summary", "batch_size", batch_size, at_most=LARGEST)
    heads = [meaning.head for meaning in network.meanings]
    if loss is not None or not heads:
        heads = [
            replace(h, classifies=h.loss.task == "classification")
            for h in heads_of(network.model, loss or "squared_error")
        ]
    try:
        plan = memory_plan(network.model, tuple(heads), network.parameters, as_optimizer(optimizer), batch_size)
    except MemoryError:
        raise SettingError(
            f"a batch of batch_size={batch_size} rows is more than there is memory for; give fewer."
        ) from None
    return [
        f"training in batches of {batch_size}: {_bytes(plan.total)}",
        f"  parameters {_bytes(plan.parameters)}, optimizer {_bytes(plan.optimizer)}, activations {_bytes(plan.activations)}",
    ]


def _shape(shape: tuple[int, ...]) -> str:
    return f"({', '.join(map(str, shape))})" if len(shape) != 1 else f"({shape[0]},)"


def _bytes(size: int) -> str:
    return (
        f"{size} bytes" if size < 1024 else f"{size / 1024:.1f} KiB" if size < 1024**2 else f"{size / 1024**2:.1f} MiB"
    )
