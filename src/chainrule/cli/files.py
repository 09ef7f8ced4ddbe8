"""Files the commands read and write: checked before the work begins, not after."""

from __future__ import annotations

import csv
import importlib.util
from collections.abc import Iterable, Sequence
from pathlib import Path

import chainrule as cr
from chainrule.errors import ChainruleError, MissingExtraError, MissingFileError, ModelFileError
from chainrule.tabular import TableModel

STDIN = "-"
SAMPLES = {"penguins": cr.datasets.penguins_path}
"""Tables that come with the package, by the names they have here where no file has them."""

PAGES = (".html", ".htm")
PATTERNS = frozenset("*?[")


class FileError(ChainruleError):
    """A folder where a file is needed, or a place where none can be written.

    Fails: `chainrule train data.csv --target y --save models/`, which is a folder.
    Works: `chainrule train data.csv --target y --save models/small.model`.
    """


def to_read(path: Path, known: Iterable[str] = ()) -> Path:
    """`path`, when a file is there; `known` are further names that may have been meant."""
    if path.is_dir():
        raise FileError(f"{path} is a folder; give a file.")
    MissingFileError.unless_there(path, known)
    return path


def table_to_read(given: str) -> str:
    """A table as it was given: `-` for standard input, a file, a folder, a pattern of several files, or a sample's name."""
    if given in SAMPLES and not Path(given).exists():
        return str(SAMPLES[given]())
    if given == STDIN or PATTERNS & set(given) or Path(given).is_dir():
        return given
    return str(to_read(Path(given), SAMPLES))


def to_write(path: Path | None, option: str, **others: str | Path | None) -> None:
    """Raise when no file can be written at `path`, which `option` gave, or when one of the `others` would be lost by it."""
    if path is None:
        return
    if path.is_dir():
        raise FileError(f"{option} {path} is a folder; give the name of a file.")
    if not path.parent.is_dir():
        raise FileError(f"{option} {path} cannot be written: there is no folder {path.parent}; make it first.")
    for what, other in others.items():
        if other is not None and str(other) != STDIN and path.resolve() == Path(other).resolve():
            raise FileError(f"{option} {path} is the file of the {what} and would overwrite it; give another name.")


def to_list(path: Path | None, header: Sequence[str]) -> None:
    """Raise when what stands at `path` is no list of predictions with this header, and would be lost."""
    if path is None or not path.exists() or not path.is_file() or not path.stat().st_size:
        return
    with path.open(encoding="utf-8", errors="replace", newline="") as stream:
        first = next(csv.reader(stream), [])
    if first != list(header):
        raise FileError(
            f"--output {path} already exists and does not look like these predictions: its first line is not "
            f"{','.join(header)[:80]!r}. Give another name, or remove it first."
        )


def to_save(path: Path | None, **others: str | Path | None) -> None:
    """Raise when no model can be saved at `path`, or when what stands there is no model and would be lost."""
    to_write(path, "--save", **others)
    if path is None or not path.exists() or not path.stat().st_size:
        return
    with path.open("rb") as file:
        beginning = file.read(9)
    if beginning[8:9] != b"{" or int.from_bytes(beginning[:8], "little") > path.stat().st_size:
        raise FileError(f"--save {path} already exists and is not a model; give another name, or remove it first.")


def can_draw() -> bool:
    """Whether matplotlib is installed."""
    return importlib.util.find_spec("matplotlib") is not None


def to_draw(path: Path | None, **others: str | Path | None) -> None:
    """Raise when no picture can be drawn at `path`, or when one of the `others` would be lost by it."""
    to_write(path, "--plot", **others)
    if path is None:
        return
    if not can_draw():
        raise MissingExtraError.of("matplotlib", "plot", f"drawing {path}")
    from chainrule.training.learning_curves import check_picture

    check_picture(path)


def to_report(path: Path | None, **others: str | Path | None) -> None:
    """Raise when no page can be written at `path`, or when one of the `others` would be lost by it."""
    to_write(path, "--report", **others)
    if path is not None and path.suffix.lower() not in PAGES:
        raise FileError(f"--report {path} would be an HTML page; give a name that ends in .html.")


def load_model(path: Path) -> TableModel:
    """The model of a table in a file."""
    model = cr.load(to_read(path))
    if not isinstance(model, TableModel):
        raise ModelFileError(
            f"{path} holds a network without the preparation of a table: it was not saved by `chainrule train`. "
            "Use it in Python: chainrule.load(path).predict(X)."
        )
    return model
