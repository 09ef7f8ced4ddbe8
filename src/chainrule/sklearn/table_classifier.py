"""`TableClassifier`: several networks for a table of any columns, averaged, as a classifier."""

from __future__ import annotations

from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray
from sklearn.base import ClassifierMixin, _fit_context
from sklearn.utils import assert_all_finite, column_or_1d
from sklearn.utils._param_validation import StrOptions
from sklearn.utils.class_weight import compute_sample_weight
from sklearn.utils.multiclass import check_classification_targets

from chainrule.sklearn.table_estimator import BaseTableEstimator, free_name, says_nothing
from chainrule.tables import TableError, as_table
from chainrule.tables.missing import Spelling
from chainrule.tables.preparing.target import learn_target


class TableClassifier(ClassifierMixin, BaseTableEstimator):
    """Several networks for a table of any columns, averaged, as a classifier.

    Numbers are scaled, categories, booleans, times and text encoded, missing values flagged: `X` needs no preparation. Every
    network is watched by a part of the rows that it does not learn from, and what it says of these is kept.

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
        Whether other recipes are tried.

    scoring : str, default=None
        What chooses between epochs and recipes, as scikit-learn or `TableModel` names it: 'roc_auc', 'f1_macro', …. With
        `None` it is the loss, which is surer.

    class_weight : dict, 'balanced' or None, default=None
        How much each class counts.

    random_state : int, RandomState instance or None, default=None
        Decides folds, first weights and orders of samples.

    threads : int, default=None
        How many networks are trained side by side; by default what OMP_NUM_THREADS says, or as many as there are cores.

    verbose : bool, default=False
        Whether to show a progress bar.

    Attributes
    ----------
    classes_ : ndarray of shape (n_classes,)
        Class labels.

    model_ : chainrule.TableModel
        The fitted model, which explains, reports and can be saved. `None` where all columns of `X` hold one value.

    out_of_fold_proba_ : ndarray of shape (n_samples, n_classes)
        Probabilities of every row by networks that had not learned from it; NaN where there were none.

    out_of_fold_score_ : float
        Their accuracy: the honest estimate for new rows. NaN where no rows were held out, with fewer than 20.

    n_features_in_ : int
        Number of features seen during :term:`fit`.

    feature_names_in_ : ndarray of shape (n_features_in_,)
        Names of features seen during :term:`fit`, where `X` has names that are all strings.

    See Also
    --------
    chainrule.TableModel : the same for files and frames that hold the target.

    Examples
    --------
    >>> import chainrule as cr, pandas as pd
    >>> from chainrule.sklearn import TableClassifier
    >>> X = pd.DataFrame({"town": ["Rome", "Oslo", None, "Oslo"] * 15, "degrees": [25.5, 3.0, 27.0, -8.0] * 15})
    >>> y = ["short", "long", "short", "long"] * 15
    >>> clf = TableClassifier(recipe=cr.Recipe(hidden=(16,)), folds=2, search=False, random_state=0).fit(X, y)
    >>> clf.predict(pd.DataFrame({"town": ["Rome"], "degrees": [30.0]}))
    array(['short'], dtype='<U5')
    >>> clf.out_of_fold_score_ > 0.9
    True
    """

    _parameter_constraints: ClassVar[dict[str, Any]] = {
        **BaseTableEstimator._parameter_constraints,
        "class_weight": [StrOptions({"balanced"}), dict, None],
    }

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
        class_weight: Any = None,
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
        self.class_weight = class_weight
        self.random_state = random_state
        self.threads = threads
        self.verbose = verbose

    @_fit_context(prefer_skip_nested_validation=True)
    def fit(self, X: Any, y: Any, sample_weight: Any = None, *, groups: Any = None) -> Any:
        """Fit the networks to the table X and the labels y.

        Parameters
        ----------
        X : data frame or array-like of shape (n_samples, n_features)
            The input data: numbers, categories, booleans, times, text, missing values.
        y : array-like of shape (n_samples,)
            The class labels.
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
        y = column_or_1d(y, warn=True)
        assert_all_finite(y, input_name="y")
        check_classification_targets(y)
        rows = len(y)
        table, y, weights, groups, kept = self._counted(table, y, sample_weight, groups)
        if self.class_weight is not None:
            weights = compute_sample_weight(self.class_weight, y) * (1.0 if weights is None else weights)
        self.classes_, numbers = np.unique(y, return_inverse=True)
        self.out_of_fold_proba_, self.out_of_fold_score_ = np.full((rows, len(self.classes_)), np.nan), np.nan
        if len(self.classes_) < 2:
            raise ValueError(
                f"{type(self).__name__} tells classes apart, but there is 1 class in y: {self.classes_.tolist()[0]!r}; "
                "give rows of another class too."
            )
        self._order = np.arange(len(self.classes_))
        if says_nothing(table):
            self._always = np.bincount(numbers, weights) / (len(y) if weights is None else weights.sum())
            self._say_nothing_is_learned("all columns of X hold one value only")
            return self
        labels = self._told_apart(name)
        held = self._fit(table, labels[numbers], "classification", name, weights, groups)
        assert self.model_ is not None
        self._order = self._places(self.model_.preparation.target, labels)
        if self.model_.out_of_fold is not None and len(held):
            self.out_of_fold_proba_[kept[held]] = said = self.model_.out_of_fold.said[:, self._order]
            right = said.argmax(axis=1) == numbers[held]
            self.out_of_fold_score_ = float(np.average(right, weights=None if weights is None else weights[held]))
        return self

    def _told_apart(self, name: str) -> NDArray[Any]:
        """The labels as the model can tell them apart: themselves, or their numbers where some look missing or alike to it."""
        twice = as_table({name: np.repeat(self.classes_, 2)})  # a column with as many labels as rows would be refused
        try:
            target = learn_target(twice, name, "classification", self._spelling)
            places = self._places(target, self.classes_)
        except (TableError, ValueError):
            return np.arange(len(self.classes_))
        return self.classes_ if len(np.unique(places)) == len(places) else np.arange(len(self.classes_))

    @property
    def _spelling(self) -> Spelling:
        return Spelling.of(tuple(self.missing_mark), tuple(self.value_mark))

    def _places(self, target: Any, labels: NDArray[Any]) -> NDArray[np.intp]:
        """Where the model has each label."""
        known = target.known(as_table({target.name: labels}).column(target.name), self._spelling)
        return np.asarray(known).astype(np.intp)

    def predict(self, X: Any) -> Any:
        """Predict class labels.

        Parameters
        ----------
        X : data frame or array-like of shape (n_samples, n_features)
            The input data.

        Returns
        -------
        y : ndarray of shape (n_samples,)
            The predicted classes.
        """
        said = self.predict_proba(X)
        return self.classes_[said.argmax(axis=1)]

    def predict_proba(self, X: Any) -> Any:
        """Probability estimates.

        Parameters
        ----------
        X : data frame or array-like of shape (n_samples, n_features)
            The input data.

        Returns
        -------
        y_prob : ndarray of shape (n_samples, n_classes)
            The probability of the sample for each class, in the order of `classes_`.
        """
        said = self._answers(X)
        return said[:, self._order]

    def predict_log_proba(self, X: Any) -> Any:
        """Logarithms of probability estimates.

        Parameters
        ----------
        X : data frame or array-like of shape (n_samples, n_features)
            The input data.

        Returns
        -------
        log_y_prob : ndarray of shape (n_samples, n_classes)
            Equivalent to `log(predict_proba(X))`.
        """
        return np.log(self.predict_proba(X))
