"""What tables are measured beside: gradient boosting, perceptrons, a linear model, the commonest answer; one thread each.

A contender takes training rows, their targets and the rows to answer for, as pandas frames with numbers as numbers and
missing values as NaN, and gives its answers. Everything it does to the columns counts into its time.
"""

from __future__ import annotations

import logging
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from importlib import import_module
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    import pandas as pd

MANY = 255
"""A column of more different words than this is taken as their places in the alphabet, so that dates keep their order."""

Contender = Callable[["pd.DataFrame", "pd.Series", "pd.DataFrame", str], np.ndarray]


def columns_by_kind(X: pd.DataFrame) -> tuple[list[str], list[str], list[str]]:
    """Names of the columns of numbers, of those with few different words, and of those with many."""
    from pandas.api.types import is_bool_dtype, is_numeric_dtype

    numbers = [name for name in X if is_numeric_dtype(X[name]) and not is_bool_dtype(X[name])]
    words = [name for name in X if name not in numbers]
    few = [name for name in words if X[name].nunique() <= MANY]
    return numbers, few, [name for name in words if name not in few]


def _codes() -> Any:
    from sklearn.preprocessing import OrdinalEncoder

    return OrdinalEncoder(handle_unknown="use_encoded_value", unknown_value=np.nan, encoded_missing_value=np.nan)


def _places(X: pd.DataFrame, columns: list[str]) -> Any:
    """Words as their places in the training rows' alphabet, new ones between their neighbours."""
    from sklearn.preprocessing import FunctionTransformer

    alphabets = {name: np.unique(X[name].dropna().to_numpy(str)) for name in columns}

    def places(asked: pd.DataFrame) -> pd.DataFrame:
        numbers = {name: np.searchsorted(alphabets[name], asked[name].fillna("").to_numpy(str)) for name in asked}
        return asked.assign(**numbers).astype(float).where(asked.notna())

    return FunctionTransformer(places, feature_names_out="one-to-one")


def _prepared(X: pd.DataFrame) -> Any:
    """A sensible preparation for what needs complete, scaled numbers."""
    from sklearn.compose import ColumnTransformer
    from sklearn.impute import SimpleImputer
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import OneHotEncoder, StandardScaler

    numbers, few, many = columns_by_kind(X)
    filled = (SimpleImputer(strategy="median", add_indicator=True), StandardScaler())
    return ColumnTransformer(
        [
            ("numbers", make_pipeline(*filled), numbers),
            ("places", make_pipeline(_places(X, many), *filled), many),
            ("words", OneHotEncoder(handle_unknown="ignore", sparse_output=False), few),
        ]
    )


def _with_scaled_target(regressor: Any) -> Any:
    from sklearn.compose import TransformedTargetRegressor
    from sklearn.preprocessing import StandardScaler

    return TransformedTargetRegressor(regressor, transformer=StandardScaler())


def boosting(X: pd.DataFrame, y: pd.Series, asked: pd.DataFrame, task: str) -> np.ndarray:
    """HistGradientBoosting with defaults, categories told as such."""
    from sklearn.compose import ColumnTransformer
    from sklearn.ensemble import HistGradientBoostingClassifier, HistGradientBoostingRegressor
    from sklearn.pipeline import make_pipeline

    numbers, few, many = columns_by_kind(X)
    columns = ColumnTransformer(
        [("words", _codes(), few), ("places", _places(X, many), many), ("numbers", "passthrough", numbers)]
    )
    kind = HistGradientBoostingClassifier if task == "classification" else HistGradientBoostingRegressor
    return make_pipeline(columns, kind(random_state=0, categorical_features=range(len(few)))).fit(X, y).predict(asked)


def perceptron(X: pd.DataFrame, y: pd.Series, asked: pd.DataFrame, task: str) -> np.ndarray:
    """scikit-learn's multilayer perceptron with defaults."""
    from sklearn.neural_network import MLPClassifier, MLPRegressor
    from sklearn.pipeline import make_pipeline

    model = (
        MLPClassifier(random_state=0) if task == "classification" else _with_scaled_target(MLPRegressor(random_state=0))
    )
    return make_pipeline(_prepared(X), model).fit(X, y).predict(asked)


def linear(X: pd.DataFrame, y: pd.Series, asked: pd.DataFrame, task: str) -> np.ndarray:
    """Logistic regression, or ridge regression."""
    from sklearn.linear_model import LogisticRegression, Ridge
    from sklearn.pipeline import make_pipeline

    model = LogisticRegression(max_iter=300) if task == "classification" else Ridge()
    return make_pipeline(_prepared(X), model).fit(X, y).predict(asked)


def commonest(X: pd.DataFrame, y: pd.Series, asked: pd.DataFrame, task: str) -> np.ndarray:
    """The largest class, or the mean."""
    answer = y.mode()[0] if task == "classification" else y.mean()
    return np.full(len(asked), answer)


def real_mlp(X: pd.DataFrame, y: pd.Series, asked: pd.DataFrame, task: str) -> np.ndarray:
    """RealMLP TD-S of pytabkit (Holzmüller and others 2024); missing numbers filled in, for it takes none."""
    from pytabkit import RealMLP_TD_S_Classifier, RealMLP_TD_S_Regressor
    from sklearn.compose import ColumnTransformer
    from sklearn.impute import SimpleImputer
    from sklearn.pipeline import make_pipeline

    numbers, few, many = columns_by_kind(X)
    filled = SimpleImputer(strategy="median", add_indicator=True)
    columns = ColumnTransformer(
        [("numbers", filled, numbers), ("places", make_pipeline(_places(X, many), filled), many)]
    )
    columns.set_output(transform="pandas")
    words = X[few].astype(object).fillna("missing").astype(str).astype("category")
    asked_words = asked[few].astype(object).fillna("missing").astype(str)
    kind = RealMLP_TD_S_Classifier if task == "classification" else RealMLP_TD_S_Regressor
    model = kind(device="cpu", random_state=0, n_threads=1)
    model.fit(columns.fit_transform(X).join(words), y.to_numpy(), cat_col_names=few)
    return np.asarray(model.predict(columns.transform(asked).join(asked_words)))


def plain_network(X: pd.DataFrame, y: pd.Series, asked: pd.DataFrame, task: str) -> np.ndarray:
    """`cr.Network` by itself, on the columns as the perceptron has them."""
    import chainrule as cr

    columns = _prepared(X)
    inputs = columns.fit_transform(X).astype(np.float32)
    questions = columns.transform(asked).astype(np.float32)
    if task == "classification":
        classes, numbers = np.unique(y, return_inverse=True)
        network = cr.Network([cr.Dense(128, "relu"), cr.Dense(len(classes), "softmax")], seed=0)
        network.fit(inputs, numbers, epochs=200, validation_split=0.15, early_stopping=20, progress=False)
        return np.asarray(classes[np.asarray(network.predict(questions))])
    mean, spread = float(y.mean()), float(y.std()) or 1.0
    network = cr.Network([cr.Dense(128, "relu"), cr.Dense(1)], seed=0)
    scaled = ((y.to_numpy() - mean) / spread).astype(np.float32)[:, None]
    network.fit(inputs, scaled, epochs=200, validation_split=0.15, early_stopping=20, progress=False)
    return np.asarray(network.predict(questions)).ravel() * spread + mean


CONTENDERS: dict[str, Contender] = {
    "HGB": boosting,
    "MLP": perceptron,
    "linear": linear,
    "commonest": commonest,
    "RealMLP": real_mlp,
    "Network": plain_network,
}

NEEDS = {"RealMLP": "pytabkit", "Network": "chainrule"}
"""What must be installed for a contender besides scikit-learn and pandas."""


def installed() -> list[str]:
    """The contenders that can be asked here."""
    return [name for name in CONTENDERS if find_spec(NEEDS.get(name, "sklearn")) is not None]


def load(name: str) -> None:
    """What a contender imports, so that its time is that of learning."""
    for module in (
        "sklearn.compose",
        "sklearn.ensemble",
        "sklearn.neural_network",
        "sklearn.pipeline",
        NEEDS.get(name, "sklearn"),
    ):
        import_module(module)


@contextmanager
def quiet() -> Iterator[None]:
    """Without warnings of epochs that did not suffice, and without greetings."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        logging.disable(logging.WARNING)
        try:
            yield
        finally:
            logging.disable(logging.NOTSET)
