"""Files the commands read and write: checked before the work begins, not after."""

from __future__ import annotations

import importlib.util
from collections.abc import Iterable
from pathlib import Path

import chainrule as cr
from chainrule.errors import ChainruleError, MissingExtraError, ModelFileError, nearest
from chainrule.tabular import TableModel

STDIN = "-"
SAMPLES = {"penguins": cr.datasets.penguins_path}
"""Tables that come with the package, by the names they have here where no file has them."""

PAGES = (".html", ".htm")
PATTERNS = frozenset("*?[")


class FileError(ChainruleError):
    """A file that is not where it was said to be, or a place where none can be written.

    Fails: `chainrule train dta.csv --target y`, when the file is called data.csv.
    Works: `chainrule train data.csv --target y`.
    """


def to_read(path: Path, known: Iterable[str] = ()) -> Path:
    """`path`, when a file is there; `known` are further names that may have been meant."""
    if path.is_dir():
        raise FileError(f"{path} is a folder; a file is needed.")
    if not path.exists():
        folder = path.parent
        names = [entry.name for entry in folder.iterdir()] if folder.is_dir() else []
        hint = nearest(path.name, [*names, *known]) if folder.is_dir() else f": there is no folder {folder}"
        raise FileError(f"there is no file {path}{hint}" + ("" if hint.endswith("?") else "."))
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
            raise FileError(f"{option} {path} is the file of the {what}, which would be lost; give another name.")


def to_save(path: Path | None, **others: str | Path | None) -> None:
    """Raise when no model can be saved at `path`, or when what stands there is no model and would be lost."""
    to_write(path, "--save", **others)
    if path is None or not path.exists() or not path.stat().st_size:
        return
    with path.open("rb") as file:
        beginning = file.read(9)
    if beginning[8:9] != b"{" or int.from_bytes(beginning[:8], "little") > path.stat().st_size:
        raise FileError(f"--save {path} is there already, and is no model; give another name, or remove it first.")


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
        raise FileError(f"--report {path} is a page; give a name that ends in .html.")


def load_model(path: Path) -> TableModel:
    """The model of a table in a file."""
    model = cr.load(to_read(path))
    if not isinstance(model, TableModel):
        raise ModelFileError(
            f"{path} holds a network, but not how a table becomes its inputs: it was not saved by `chainrule train`. "
            "Use it in Python: chainrule.load(path).predict(X)."
        )
    return model
