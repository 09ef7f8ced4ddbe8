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


@checks.parametrize_with_checks(ESTIMATORS)
@pytest.mark.filterwarnings("ignore")
def test_manners(estimator: Any, check: Any) -> None:
    check(estimator)
