"""What `TableModel` is given, checked before it is used."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from chainrule.errors import SettingError, shortened
from chainrule.tables.columns.number import SCALINGS
from chainrule.tables.missing import as_marks
from chainrule.tables.preparing.target import TASKS
from chainrule.tabular.learning.judging import check_choosing
from chainrule.tabular.learning.recipe import Recipe


def check_settings(learning: Mapping[str, Any], preparing: Mapping[str, Any], processes: int | None) -> None:
    """Raise where a setting of the learning, or of what is prepared for it, is outside what is allowed."""
    if learning["seconds"] is not None:
        SettingError.unless_number("TableModel", "seconds", learning["seconds"], above=0)
    SettingError.unless_count("TableModel", "folds", learning["folds"])
    for name, given in (("epochs", learning["epochs"]), ("threads", learning["threads"]), ("processes", processes)):
        if given is not None:
            SettingError.unless_count("TableModel", name, given)
    SettingError.unless_count("TableModel", "seed", learning["seed"], at_least=0)
    for name, choices in {"scaling": SCALINGS, "task": TASKS}.items():
        if preparing[name] is not None:
            SettingError.unless_one_of("TableModel", name, preparing[name], choices)
    for name in ("missing_mark", "value_mark"):
        as_marks(preparing[name])
    if not isinstance(preparing["columns"], Mapping | None):
        raise SettingError(
            f"TableModel was given columns={shortened(preparing['columns'])}; give what each is to be taken as, such as "
            '{"zip": "category", "notes": "drop"}.'
        )
    if not isinstance(learning["recipe"], Recipe):
        raise SettingError(f"TableModel was given recipe={shortened(learning['recipe'])}; give a Recipe.")
    check_choosing(learning["metric"])
