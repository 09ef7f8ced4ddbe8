"""scikit-learn's own checks of an estimator's manners: none fails, and one alone is expected to."""

from typing import Any

import pytest

import chainrule as cr
from chainrule.sklearn import (
    MLPClassifier,
    MLPRegressor,
    NetworkClassifier,
    NetworkRegressor,
    TableClassifier,
    TableRegressor,
)

checks = pytest.importorskip("sklearn.utils.estimator_checks")

SMALL: dict[str, Any] = {
    "recipe": cr.Recipe(hidden=(16,), width=0, dropout=0.0, learning_rate=0.02, batch_size=64),
    "epochs": 60,
    "folds": 1,
    "search": False,
    "threads": 1,
}
"""Tables in a moment: one network without embeddings."""

ESTIMATORS = [
    MLPClassifier(max_iter=100),
    MLPRegressor(max_iter=100),
    NetworkClassifier(),
    NetworkRegressor(),
    NetworkClassifier(cr.Network([cr.Dense(12, "tanh"), cr.Dropout(0.0), cr.Dense(3)])),
    TableClassifier(**SMALL),
    TableRegressor(**SMALL),
]


NOT_REPEATED = {
    "check_sample_weight_equivalence_on_dense_data": "rows are held out and drawn in batches by their number, as by "
    "scikit-learn's own estimators that hold rows out: a row of weight 2 is one row (docs/decisions/tables.md says why)"
}
"""What is not to be had of estimators that hold rows out."""

CASES = [
    case
    for estimator in ESTIMATORS
    for case in checks.estimator_checks_generator(
        estimator,
        expected_failed_checks=NOT_REPEATED if isinstance(estimator, TableClassifier | TableRegressor) else {},
        mark="xfail",
    )
]


def name_of(case: Any) -> str:
    if hasattr(case, "func"):
        return str(case.func.__name__)
    own = getattr(case, "network", None)
    return type(case).__name__ + ("-own" if own is not None else "")


@pytest.mark.parametrize(("estimator", "check"), CASES, ids=name_of)
@pytest.mark.filterwarnings("ignore")
def test_manners(estimator: Any, check: Any) -> None:
    check(estimator)
