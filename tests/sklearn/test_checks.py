"""scikit-learn's own checks of an estimator's manners: none fails, none is expected to."""

from typing import Any

import pytest

import chainrule as cr
from chainrule.sklearn import MLPClassifier, MLPRegressor, NetworkClassifier, NetworkRegressor

checks = pytest.importorskip("sklearn.utils.estimator_checks")

ESTIMATORS = [
    MLPClassifier(max_iter=100),
    MLPRegressor(max_iter=100),
    NetworkClassifier(),
    NetworkRegressor(),
    NetworkClassifier(cr.Network([cr.Dense(12, "tanh"), cr.Dropout(0.0), cr.Dense(3)])),
]


CASES = [case for estimator in ESTIMATORS for case in checks.estimator_checks_generator(estimator)]


def name_of(case: Any) -> str:
    if hasattr(case, "func"):
        return str(case.func.__name__)
    own = getattr(case, "network", None)
    return type(case).__name__ + ("-own" if own is not None else "")


@pytest.mark.parametrize(("estimator", "check"), CASES, ids=name_of)
@pytest.mark.filterwarnings("ignore")
def test_manners(estimator: Any, check: Any) -> None:
    check(estimator)
