"""`TableRegressor`: several networks for a table of any columns, averaged, as a regressor."""

from __future__ import annotations

from typing import Any

import numpy as np
from sklearn.base import RegressorMixin, _fit_context
from sklearn.metrics import r2_score
from sklearn.utils import check_array, column_or_1d

from chainrule.sklearn.table_estimator import BaseTableEstimator, free_name, says_nothing


class TableRegressor(RegressorMixin, BaseTableEstimator):
    """Several networks for a table of any columns, averaged, as a regressor.

    Numbers are scaled, categories, booleans, times and text encoded, missing values flagged, and amounts learned on a scale
    of their own: neither `X` nor `y` needs preparation. Every network is watched by a part of the rows that it does not learn
    from, and what it says of these is kept.

    Parameters
    ----------
    columns : dict, default=None
        Columns whose kind is not to be recognised, by name, or by place where `X` has no names: 'number', 'category',
        'boolean', 'time', 'text', 'drop'.

    scaling : {'robust', 'quantile'}, default=None
        How numbers are scaled: by median and quartiles, or to normal scores. With `None` by the former, and by the latter where
        that is surely better. Column by column: 'number:quantile' in `columns`.

    missing : {'fill', 'drop', 'error'}, default='fill'
        Missing values are filled and flagged; or their rows teach nothing; or they are refused.

    missing_mark, value_mark : sequences of str or float, default=()
        What means "no value", such as -999, besides empty, NA, n/a, nan, null and ?; and what of these does not.

    seconds : float, default=None
        The time a fit may take. With `None` it takes as long as the numbers of rows and columns ask for. With a time, two fits
        are alike only where the machine keeps it.

    folds : int, default=5
        Parts of the rows, each held out by networks of its own; 1 trains one network.

    epochs : int, default=None
        Passes over its rows that every network makes; by default as many as suit the rows and the time.

    recipe : chainrule.Recipe, default=None
        The network that is begun with, and how it is trained. Its settings can be searched: `recipe__dropout`.

    search : bool, default=True
        Whether other recipes, and other scales of the amounts, are tried.

    scoring : str, default=None
        What chooses between epochs and recipes, as scikit-learn or `TableModel` names it: 'neg_mean_absolute_error', 'r2', ….
        With `None` it is the loss, which is surer.

    random_state : int, RandomState instance or None, default=None
        Decides folds, first weights and orders of samples.

    threads : int, default=None
        How many networks are trained side by side; by default what OMP_NUM_THREADS says, or as many as there are cores.

    verbose : bool, default=False
        Whether to show a progress bar.

    Attributes
    ----------
    model_ : chainrule.TableModel
        The fitted model, which explains, reports and can be saved. `None` where `y`, or all columns of `X`, hold one value.

    out_of_fold_prediction_ : ndarray of shape (n_samples,)
        The prediction of every row by networks that had not learned from it; NaN where there were none.

    out_of_fold_score_ : float
        Their R²: the honest estimate for new rows. NaN where no rows were held out, with fewer than 20.

    n_features_in_ : int
        Number of features seen during :term:`fit`.

    feature_names_in_ : ndarray of shape (n_features_in_,)
        Names of features seen during :term:`fit`, where `X` has names that are all strings.

    See Also
    --------
    chainrule.TableModel : the same for files and frames that hold the target.

    Examples
    --------
    >>> import chainrule as cr, numpy as np, pandas as pd
    >>> from chainrule.sklearn import TableRegressor
    >>> height, town = np.linspace(150.0, 190.0, 60), ["Rome", "Oslo", None] * 20
    >>> X = pd.DataFrame({"height": height, "town": town})
    >>> regr = TableRegressor(recipe=cr.Recipe(hidden=(16,)), folds=2, search=False, random_state=0).fit(X, height - 100.0)
    >>> bool(abs(regr.predict(X.head(1))[0] - 50.0) < 5.0)
    True
    >>> regr.out_of_fold_score_ > 0.9
    True
    """

    def __init__(
        self,
        *,
        columns: Any = None,
        scaling: Any = None,
        missing: Any = "fill",
        missing_mark: Any = (),
        value_mark: Any = (),
        seconds: Any = None,
        folds: Any = 5,
        epochs: Any = None,
        recipe: Any = None,
        search: Any = True,
        scoring: Any = None,
        random_state: Any = None,
        threads: Any = None,
        verbose: Any = False,
    ) -> None:
        self.columns = columns
        self.scaling = scaling
        self.missing = missing
        self.missing_mark = missing_mark
        self.value_mark = value_mark
        self.seconds = seconds
        self.folds = folds
        self.epochs = epochs
        self.recipe = recipe
        self.search = search
        self.scoring = scoring
        self.random_state = random_state
        self.threads = threads
        self.verbose = verbose

    @_fit_context(prefer_skip_nested_validation=True)
    def fit(self, X: Any, y: Any, sample_weight: Any = None, *, groups: Any = None) -> Any:
        """Fit the networks to the table X and the amounts y.

        Parameters
        ----------
        X : data frame or array-like of shape (n_samples, n_features)
            The input data: numbers, categories, booleans, times, text, missing values.
        y : array-like of shape (n_samples,)
            The target values.
        sample_weight : array-like of shape (n_samples,), default=None
            Sample weights; rows with weight 0 are left out.
        groups : array-like of shape (n_samples,), default=None
            Rows of one group are held out together.

        Returns
        -------
        self : object
            The trained model.
        """
        table = self._table(X, y, reset=True)
        name = free_name(getattr(y, "name", None), table.names)
        y = check_array(column_or_1d(y, warn=True), ensure_2d=False, dtype=np.float64, input_name="y", estimator=self)
        self.out_of_fold_prediction_, self.out_of_fold_score_ = np.full(len(y), np.nan), np.nan
        table, y, weights, groups, kept = self._counted(table, y, sample_weight, groups)
        same = y.min() == y.max()
        if same or says_nothing(table):
            self._always = np.average(y, weights=weights)
            self._say_nothing_is_learned("y holds one value only" if same else "all columns of X hold one value only")
            return self
        held = self._fit(table, y, "regression", name, weights, groups)
        assert self.model_ is not None
        if self.model_.out_of_fold is not None and len(held):
            said = self.model_.preparation.target.restored(self.model_.out_of_fold.said)
            self.out_of_fold_prediction_[kept[held]] = said
            own = None if weights is None else weights[held]
            self.out_of_fold_score_ = float(r2_score(y[held], said, sample_weight=own))
        return self

    def predict(self, X: Any) -> Any:
        """Predict amounts.

        Parameters
        ----------
        X : data frame or array-like of shape (n_samples, n_features)
            The input data.

        Returns
        -------
        y : ndarray of shape (n_samples,)
            The predicted amounts.
        """
        return self._answers(X)
