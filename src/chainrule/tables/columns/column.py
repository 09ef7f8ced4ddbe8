"""What every kind of input column is: read into numbers, encoded as features, stored as JSON."""

from __future__ import annotations

import dataclasses
import math
import typing
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar, Literal, NamedTuple, Self

import numpy as np
from numpy.typing import NDArray

from chainrule.tables.missing import Spelling

if TYPE_CHECKING:
    import polars as pl

FeatureKind = Literal["number", "plain", "flag", "code"]
FEATURE_KINDS: tuple[FeatureKind, ...] = ("number", "plain", "flag", "code")

Encoder = Callable[[Sequence[NDArray[np.float64]]], NDArray[np.floating[Any]]]


class Feature(NamedTuple):
    """One input of the network.

    Attributes
    ----------
    name : str
        Such as `age`, `city=Rome`, `age is missing`.
    column : str
        The column of the table it comes from.
    kind : {"number", "plain", "flag", "code"}
        A scaled number, which curves may be made of; one that is taken as it is; 0 or 1; a whole number from 0 to `size` − 1
        for an embedding, 0 for all that is not known.
    size : int
        How many codes there are; 1 for other kinds.
    """

    name: str
    column: str
    kind: FeatureKind
    size: int = 1


class Reading(NamedTuple):
    """Cells as numbers.

    Attributes
    ----------
    values : float64 array, (rows,) or (rows, parts)
        What `encode` takes; NaN where there is no value.
    remarks : tuple of str
        What could not be read.
    new : tuple of str
        What did not occur in training.
    """

    values: NDArray[np.float64]
    remarks: tuple[str, ...] = ()
    new: tuple[str, ...] = ()


class Words(NamedTuple):
    """The texts that a column reads.

    Attributes
    ----------
    places : mapping of str to float
        What each is read as.
    others : float
        What any other text is read as.
    """

    places: Mapping[str, float]
    others: float = math.nan


@dataclass(frozen=True)
class Column:
    """A column of the table, as learned from all training rows. Each kind is a frozen dataclass of plain values.

    Attributes
    ----------
    name : str
        The column's name in the table.
    why : str
        Why it is of this kind, for the report.
    """

    kind: ClassVar[str]
    of_numbers: ClassVar[bool] = False
    """Whether cells are read as numbers alone, so that a file's text may be read so for many columns at once."""

    name: str
    why: str

    @classmethod
    def has_form(cls, form: str) -> bool:
        """Whether columns may be asked to be of this kind in such a form, as in `number:quantile`."""
        return False

    @classmethod
    def learn(
        cls, name: str, cells: pl.Series, spelling: Spelling, forced: str | None = None, **settings: Any
    ) -> Column | None:
        """What the cells teach; None if the column is not of this kind, or cannot be though `forced` asks for it."""
        raise NotImplementedError

    @property
    def features(self) -> tuple[Feature, ...]:
        """The network's inputs, in the order of `encode`."""
        raise NotImplementedError

    def read(self, cells: pl.Series, spelling: Spelling) -> Reading:
        """Cells as numbers, one or several a row."""
        raise NotImplementedError

    def doubts(self, cells: pl.Series, values: NDArray[np.float64], spelling: Spelling) -> tuple[str, ...]:
        """What the cells that it was learned from, read as these values, could mean as well, with the option that says so."""
        return ()

    def words(self, spelling: Spelling) -> Words | None:
        """The texts that it reads; None for columns whose cells are numbers."""
        return None

    @property
    def told_alone(self) -> str:
        """What one of its cells is where there is no table around it, as in an exported model."""
        return f"{self.kind}: text as the table spells it, empty where missing"

    def read_one(self, cell: Any, spelling: Spelling) -> Any:
        """One cell as `read` would have it; kinds that can be quicker than by a series say so."""
        import polars as pl

        cells = pl.Series([cell], strict=False)
        if cells.dtype == pl.Object:  # of another library, such as pandas' spans of time: columns of these are text
            cells = pl.Series([str(cell)])
        return self.read(cells, spelling).values[0]

    def is_sure(self, cell: Any, value: Any) -> bool:
        """Whether `read` gives this too of a table with this cell, and nothing to say of it; kinds that cannot tell say no."""
        return False

    def encode(self, values: NDArray[np.float64]) -> NDArray[np.floating[Any]]:
        """What was read as features, shape (rows, features)."""
        raise NotImplementedError

    @classmethod
    def encoder(cls, columns: Sequence[Self]) -> Encoder:
        """A function from what was read of several columns to their features side by side."""
        encode = [column.encode for column in columns]
        return lambda values: np.concatenate([one(x) for one, x in zip(encode, values, strict=True)], axis=1)

    @property
    def told(self) -> str:
        """What the network gets of it, for the report."""
        raise NotImplementedError

    def to_json(self) -> dict[str, Any]:
        """The column as JSON can hold it."""
        fields = {field.name: getattr(self, field.name) for field in dataclasses.fields(self)}
        return {"kind": self.kind} | {k: list(v) if isinstance(v, tuple) else v for k, v in fields.items()}

    @classmethod
    def from_json(cls, data: dict[str, Any]) -> Self:
        """The column that `to_json` described; ValueError, KeyError or TypeError where it describes none."""
        types = typing.get_type_hints(cls)
        return cls(**{x.name: checked(data[x.name], types[x.name], x.name) for x in dataclasses.fields(cls)})


def checked(given: Any, wanted: Any, name: str) -> Any:
    """A value from JSON, when it is of the type that a field says: str, bool, int, finite float, or a tuple of one."""
    if typing.get_origin(wanted) is tuple:
        if not isinstance(given, list):
            raise TypeError(f"{name} is {given!r}, not a list")
        return tuple(checked(one, typing.get_args(wanted)[0], name) for one in given)
    if wanted is float and isinstance(given, int | float) and not isinstance(given, bool) and math.isfinite(given):
        return float(given)
    if wanted is not float and type(given) is wanted:
        return given
    raise TypeError(f"{name} is {given!r}, not {getattr(wanted, '__name__', wanted)}")


def require(held: bool, otherwise: str) -> None:
    """Refuse a column that cannot be, as a damaged file may describe one."""
    if not held:
        raise ValueError(otherwise)
