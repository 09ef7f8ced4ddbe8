"""Networks as scikit-learn's estimators: change one import and keep the rest.

`from chainrule.sklearn import MLPClassifier, MLPRegressor` in place of `from sklearn.neural_network import …`.
"""

from importlib.util import find_spec

from chainrule.errors import MissingExtraError

if find_spec("sklearn") is None:
    raise MissingExtraError.of("scikit-learn", "sklearn", "chainrule.sklearn")

from chainrule import engines
from chainrule.sklearn.classifier import MLPClassifier
from chainrule.sklearn.network_classifier import NetworkClassifier
from chainrule.sklearn.network_regressor import NetworkRegressor
from chainrule.sklearn.regressor import MLPRegressor
from chainrule.sklearn.searching import GridSearchCV, RandomizedSearchCV
from chainrule.sklearn.table_classifier import TableClassifier
from chainrule.sklearn.table_regressor import TableRegressor

__all__ = [
    "GridSearchCV",
    "MLPClassifier",
    "MLPRegressor",
    "NetworkClassifier",
    "NetworkRegressor",
    "RandomizedSearchCV",
    "TableClassifier",
    "TableRegressor",
]

engines.load()
