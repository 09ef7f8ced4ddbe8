"""Names of columns: each is made to occur once."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from numbers import Integral

from chainrule.errors import SettingError, shortened
from chainrule.tables.composed import composed


def spelled(name: object) -> str:
    """A column's name as a table has it: text, also where pandas counts its columns, 0, 1, 2, …, or names them in levels.

    Raises
    ------
    SettingError
        When it is no name, such as the column itself.

    Examples
    --------
    >>> spelled("age"), spelled(2), spelled(("sales", 2024))
    ('age', '2', 'sales_2024')
    """
    if isinstance(name, str):
        return composed(name)
    if isinstance(name, Integral) and not isinstance(name, bool):
        return str(name)
    if isinstance(name, tuple) and name:
        return composed("_".join(map(str, name)))
    raise SettingError(
        f"a column was given as {shortened(name)}; give the name of one that the table has. (Inputs and target apart, X and y, are "
        "what TableClassifier and TableRegressor of chainrule.sklearn take.)"
    )


def unique_names(given: Sequence[str], unused: Collection[int] = ()) -> tuple[list[str], tuple[str, ...], list[str]]:
    """Names that occur once each, those that were given twice, and notes; of the `unused` columns none is said.

    Examples
    --------
    >>> unique_names(["a", "a", ""])
    (['a', 'a_2', 'column_3'], ('a',), ["column 3 has no name; called 'column_3' here", "column 2 is another 'a'; called 'a_2' here"])
    """
    names, unnamed, again = list(given), list[str](), list[str]()
    repeated: list[str] = []
    for i, name in enumerate(names):
        if not name:
            names[i] = f"column_{i + 1}"
            if i not in unused:
                unnamed.append(f"column {i + 1} has no name; called {names[i]!r} here")
    taken, seen, number = set(names), set[str](), dict[str, int]()
    for i, name in enumerate(names):
        if name in seen:
            number[name] = number.get(name, 1) + 1
            while (other := f"{name}_{number[name]}") in taken:
                number[name] += 1
            names[i] = other
            taken.add(other)
            repeated.append(name)
            again.append(f"column {i + 1} is another {name!r}; called {other!r} here")
        seen.add(names[i])
    return names, tuple(repeated), [*_some(unnamed), *_some(again)]


def _some(notes: Sequence[str], most: int = 5) -> list[str]:
    """The first of many notes, and how many there are."""
    return list(notes) if len(notes) <= most else [*notes[:most], f"and so on, {len(notes):,} columns in all"]
