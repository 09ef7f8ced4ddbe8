"""Learning curves as a figure of matplotlib's, which notebooks show whether or not they have been told of matplotlib."""

from __future__ import annotations

from collections.abc import Mapping
from io import BytesIO
from pathlib import Path
from typing import Any

from matplotlib.backend_bases import FigureCanvasBase
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from chainrule.errors import SettingError

VALIDATION = "val_"


class LearningCurves(Figure):
    """Axes for every metric, with its validation beside it."""

    @classmethod
    def of(cls, metrics: Mapping[str, list[float]], best_epoch: int | None) -> LearningCurves:
        """The curves of these metrics, one number for every epoch."""
        groups = [name for name in dict.fromkeys(map(_measured, metrics)) if name not in ("learning_rate", "seconds")]
        figure = cls(figsize=(5.2 * max(1, len(groups)), 3.6), layout="constrained")
        for axes, group in zip(figure.subplots(1, max(1, len(groups)), squeeze=False)[0], groups, strict=True):
            for name, values in metrics.items():
                if _measured(name) == group:
                    _draw(axes, name, values)
            if best_epoch is not None:
                axes.axvline(best_epoch + 1, color="0.6", linewidth=1, linestyle=":", label="best epoch")
            axes.set_xlabel("epoch")
            axes.set_ylabel(group, parse_math=False)
            axes.xaxis.set_major_locator(MaxNLocator(integer=True))
            axes.grid(alpha=0.25)
            axes.spines[["top", "right"]].set_visible(False)
            axes.legend(frameon=False)
        return figure

    def _repr_png_(self) -> bytes:
        """A notebook that has not imported pyplot yet knows no picture of a Figure."""
        written = BytesIO()
        self.savefig(written, format="png")
        return written.getvalue()


def check_picture(path: Path) -> None:
    """Raise when a picture cannot be written to a file of this name, whose ending tells the format."""
    known = sorted(FigureCanvasBase.get_supported_filetypes())
    if path.suffix and path.suffix[1:].lower() not in known:
        raise SettingError(
            f"a picture was to be drawn in {path.name!r}, whose ending is no format of pictures; use one of {', '.join(known)}."
        )


def _draw(axes: Any, name: str, values: list[float]) -> None:
    validation = name.startswith(VALIDATION)
    axes.plot(
        range(1, len(values) + 1),
        values,
        label="validation" if validation else "training",
        color="#d55e00" if validation else "#0072b2",
        linestyle="--" if validation else "-",
        marker="o" if len(values) < 2 else None,
    )


def _measured(name: str) -> str:
    """What a metric is, whatever data it is of."""
    return name.removeprefix(VALIDATION)
